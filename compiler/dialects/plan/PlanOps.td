// The plan dialect: what an engine does, in the order it does it. Buffers of symbolic size, kernels, launches over symbolic
// grids, copies and checks; no tensors. The engine writer translates it one to one.
#ifndef INLAY_PLAN_OPS
#define INLAY_PLAN_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def PlanDialect : Dialect {
  let name = "plan";
  let cppNamespace = "::inlay::plan";
  let summary = "What an engine does: launches over symbolic grids on buffers of symbolic size";
  let description = [{
    A `plan.program` holds declarations (symbols, inputs, outputs, buffers, kernels, checks) and steps (launches, copies); the
    steps run in the order in which they stand. Every expression is a string in the canonical text of `symbolic/Expr.h` over
    the program's symbols. Memory is flat: a buffer has a size in bytes and nothing else.
  }];
}

class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<PlanDialect, mnemonic, traits>;
class Plan_Member<string mnemonic, list<Trait> traits = []> :
    Plan_Op<mnemonic, !listconcat([HasParent<"ProgramOp">], traits)>;

def Plan_Expr : Attr<And<[StrAttr.predicate,
                          CPred<"::inlay::plan::isCanonicalExpression(::mlir::cast<::mlir::StringAttr>($_self).getValue())">]>,
                     "an integer expression in canonical text"> {
  let storageType = "::mlir::StringAttr";
  let returnType = "::llvm::StringRef";
  let valueType = NoneType;
  let constBuilderCall = "$_builder.getStringAttr($0)";
}
def Plan_ExprArray : TypedArrayAttrBase<Plan_Expr, "expressions in canonical text">;
def Plan_Grid : ConfinedAttr<Plan_ExprArray, [ArrayCount<3>]>;
def Plan_DataType : Attr<And<[StrAttr.predicate,
                              CPred<"::inlay::plan::isDataTypeName(::mlir::cast<::mlir::StringAttr>($_self).getValue())">]>,
                         "the name of a data type, as PyTorch writes it"> {
  let storageType = "::mlir::StringAttr";
  let returnType = "::llvm::StringRef";
  let valueType = NoneType;
  let constBuilderCall = "$_builder.getStringAttr($0)";
}
/// {float = "(1.0 / s0)"}.
def Plan_FloatExpr : Attr<CPred<"::inlay::plan::isFloatExpression($_self)">, "a float expression in canonical text"> {
  let storageType = "::mlir::DictionaryAttr";
  let returnType = "::mlir::DictionaryAttr";
  let valueType = NoneType;
}
/// Buffer by symbol, integer by expression, float by value or by expression.
def Plan_Argument : AnyAttrOf<[FlatSymbolRefAttr, Plan_Expr, F64Attr, Plan_FloatExpr],
                              "a buffer, an expression, a float or a float expression">;
def Plan_ArgumentArray : TypedArrayAttrBase<Plan_Argument,
                                            "buffers, expressions in canonical text, 64-bit floats, and float expressions">;

def Plan_BufferKind : I32EnumAttr<"BufferKind", "what a buffer is for; the values are those of the engine file", [
    I32EnumAttrCase<"Input", 0, "input">, I32EnumAttrCase<"Output", 1, "output">,
    I32EnumAttrCase<"Constant", 2, "constant">, I32EnumAttrCase<"Intermediate", 3, "intermediate">,
    I32EnumAttrCase<"Workspace", 4, "workspace">, I32EnumAttrCase<"State", 5, "state">]> {
  let cppNamespace = "::inlay::plan";
}

def Plan_ProgramOp : Plan_Op<"program", [IsolatedFromAbove, SymbolTable, Symbol, SingleBlock, NoTerminator,
                                         NoRegionArguments, RegionKindInterface, HasOnlyGraphRegion]> {
  let summary = "Everything one engine does";
  let description = [{
    (C1) The body holds ops of this dialect only. (C2) Symbols (`plan.symbol`, `plan.computed`) are declared once, and every symbol that an expression uses is
    declared. (C3) Tensor names are not empty, and no two inputs and no two outputs share one. (C4) Every buffer of kind
    `input` or `output` is named by exactly one `plan.input` or `plan.output`.

    ```mlir
    plan.program @add_one {
      plan.symbol "s0" in 1 to 4096 opt 128 from 0 dim 0
      plan.input "X" "float32" ["s0"] in @X
      plan.output "Y" "float32" ["s0"] in @Y
      plan.buffer @X input "4*s0"
      plan.buffer @Y output "4*s0"
      plan.kernel @add_one_kernel source "add_one.py:add_one_kernel" { builtin.module { … } }
      plan.launch @add_one_kernel grid ["ceildiv(s0, 256)", "1", "1"] arguments [@X, "s0", @Y] plugin "my::add_one" node "add_one"
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name)>];
}

def Plan_SymbolOp : Plan_Member<"symbol"> {
  let summary = "A dimension that varies between runs, read from dimension `dim` of input `input`";
  let description = [{
    `max` is inclusive; the largest int64 means unbounded. `opt` is the size to tune for.
    (C1) 0 <= min <= opt <= max. (C2) The program has input `input`, and its dimension `dim` is this bare symbol.
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$min, I64Attr:$max, I64Attr:$opt, I32Attr:$input, I32Attr:$dim);
  let assemblyFormat = "$name `in` $min `to` $max `opt` $opt `from` $input `dim` $dim attr-dict";
  let hasVerifier = 1;
}

def Plan_ComputedSymbolOp : Plan_Member<"computed"> {
  let summary = "A size that kernels compute, from 0 to `bound`; a `plan.read_size` gives its value";
  let description = [{
    Until it is read it is its bound, which memory is planned for. `max` is the most that the bound can be; the largest int64
    means unbounded. `opt` is the size to tune for.
    (C1) 0 <= opt <= max. (C2) It is read exactly once; these symbols are declared after the others and read in the order in
    which they stand, and the bound of one needs none that stands after it, nor itself.
  }];
  let arguments = (ins StrAttr:$name, Plan_Expr:$bound, I64Attr:$max, I64Attr:$opt);
  let assemblyFormat = "$name `bound` $bound `max` $max `opt` $opt attr-dict";
  let hasVerifier = 1;
}

class Plan_TensorOp<string mnemonic> : Plan_Member<mnemonic, [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let description = [{
    Tensors are numbered in the order in which they stand. `path` tells where the tensor stood in the model's nested inputs
    or outputs. (C1) `buffer` is a buffer of this program and of this kind.
  }];
  let arguments = (ins StrAttr:$name, Plan_DataType:$dtype, Plan_ExprArray:$shape, FlatSymbolRefAttr:$buffer,
                       OptionalAttr<StrAttr>:$path);
  let assemblyFormat = "$name $dtype $shape `in` $buffer (`path` $path^)? attr-dict";
}
def Plan_InputOp : Plan_TensorOp<"input"> { let summary = "An input tensor of the engine: dense, row-major"; }
def Plan_OutputOp : Plan_Member<"output", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "An output tensor of the engine: dense, row-major";
  let description = [{
    As `plan.input`. `updates` is the number of an input that may be bound to the same memory: the first step on the output's
    buffer copies that input, and none after it uses the input. (C1) `buffer` is a buffer of this program and of this kind.
  }];
  let arguments = (ins StrAttr:$name, Plan_DataType:$dtype, Plan_ExprArray:$shape, FlatSymbolRefAttr:$buffer,
                       OptionalAttr<StrAttr>:$path, OptionalAttr<I32Attr>:$updates);
  let assemblyFormat = "$name $dtype $shape `in` $buffer (`path` $path^)? (`updates` $updates^)? attr-dict";
}

def Plan_CheckOp : Plan_Member<"check"> {
  let summary = "A condition on the symbols that must hold at run time";
  let arguments = (ins Plan_Expr:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `message` $message attr-dict";
}

def Plan_BufferOp : Plan_Member<"buffer", [Symbol]> {
  let summary = "Memory with a size in bytes, known once the symbols are";
  let description = [{
    State keeps its bytes from one run to the next and begins with its data. (C1) A buffer has `data` if and only if it is a
    constant or state. (C2) The size of one with data is the constant size of its data, in bytes.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Plan_BufferKind:$kind, Plan_Expr:$sizeBytes,
                       OptionalAttr<ElementsAttr>:$data);
  let assemblyFormat = "$sym_name $kind $sizeBytes (`data` $data^)? attr-dict";
  let hasVerifier = 1;
}

def Plan_WeightOp : Plan_Member<"weight", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A parameter or buffer of the model that may be replaced in the finished engine";
  let description = [{
    `name` is the model's. Without a buffer the program does not need it. The data of the buffer is the tensor's, unchanged.
    (C1) The buffer is a constant or state of this program. (C2) It has the tensor's size.

    ```mlir
    plan.weight "fc1.weight" "float32" [128, 64] in @fc1.weight
    ```
  }];
  let arguments = (ins StrAttr:$name, Plan_DataType:$dtype, DenseI64ArrayAttr:$shape, OptionalAttr<FlatSymbolRefAttr>:$buffer);
  let assemblyFormat = "$name $dtype $shape (`in` $buffer^)? attr-dict";
}

def Plan_KernelOp : Plan_Member<"kernel", [Symbol, SingleBlock, NoTerminator, NoRegionArguments, IsolatedFromAbove]> {
  let summary = "A kernel: a tile module with one function";
  let description = [{
    `source` is "file.py:function" without a folder. `signature` and `constexprs` tell what the kernel was specialised for, and
    `sourceHash` is the XXH64 of the file's text.
    `images` is code that was compiled elsewhere, which is used for the targets that it fits (`compiler/driver/PrebuiltImages.h`
    tells the keys). `external`: the function gives the parameters only, and images all the code. `cooperative`: all blocks of a grid run at once on a GPU.
    `programmatic`: a launch may start before the one in front of it has ended. `cluster`: blocks along x, y and z that a GPU starts
    together, of code that is compiled from the source.
    (C1) The body is one `builtin.module`. (C2) It holds exactly one function with `tile.kernel`, and the function returns
    nothing. (C3) An external kernel has images. (C4) Every image is a dictionary with the strings `format`, `target` and
    `entry`, and `code`, a vector of i8.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$source, OptionalAttr<StrArrayAttr>:$signature,
                       OptionalAttr<DictionaryAttr>:$constexprs, OptionalAttr<StrAttr>:$sourceHash,
                       OptionalAttr<ArrayAttr>:$images, UnitAttr:$external, UnitAttr:$cooperative, UnitAttr:$programmatic,
                       OptionalAttr<ConfinedAttr<DenseI32ArrayAttr, [DenseArrayCount<3>]>>:$cluster);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `source` $source (`signature` $signature^)? (`constexprs` $constexprs^)? (`hash` $sourceHash^)?
    attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The tile module with the kernel.
    ::mlir::ModuleOp getModule();
    /// The kernel's function inside the module.
    ::mlir::func::FuncOp getFunction();
  }];
}

def Plan_ChoiceOp : Plan_Member<"choice", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Several ways to compute a node, of which one is taken when shapes and addresses are known";
  let description = [{
    `tactics` are dictionaries: `name`; `condition`, an expression that is not 0 where the tactic can be taken, and `aligned`, a
    dictionary from buffers to powers of two that their addresses are multiples of; `library`, the name of a library that its launches
    call, without which it cannot; without these it always can. The first that can
    be taken is: in the order in which they stand, or in that of the first of `orders` that fits. An order is a dictionary:
    `tactics`, names; `target`, for whose code it was found, and `profile`, counted from 1, 0 for the whole range, that it is for;
    without these it fits all.
    (C1) Tactics have names, each its own, and nothing but these keys. (C2) Conditions are canonical expressions, alignments are
    powers of two up to 4096 of buffers of this program. (C3) An order names tactics, each once, and the last of it has no condition and no library;
    without `orders` the same holds of the last tactic. (C4) The last order fits all.

    ```mlir
    plan.choice @scale_1.tactics [{name = "vector", condition = "eq(mod(s0, 16), 0)", aligned = {X = 32 : i64}}, {name = "any"} ] plugin "my::scale" node "scale_1"
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypedArrayAttrBase<DictionaryAttr, "dictionaries">:$tactics,
                       OptionalAttr<TypedArrayAttrBase<DictionaryAttr, "dictionaries">>:$orders, OptionalAttr<StrAttr>:$plugin,
                       OptionalAttr<StrAttr>:$node);
  let assemblyFormat = "$sym_name $tactics (`orders` $orders^)? (`plugin` $plugin^)? (`node` $node^)? attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The position of a tactic; none if there is none of this name.
    std::optional<unsigned> findTactic(::llvm::StringRef name);
    ::llvm::StringRef nameOf(unsigned tactic);
    /// The condition on sizes; empty if there is none.
    ::llvm::StringRef conditionOf(unsigned tactic);
    /// The library that its launches call, for people; empty if there is none.
    ::llvm::StringRef libraryOf(unsigned tactic);
    /// Alignments by buffer; null if there are none.
    ::mlir::DictionaryAttr alignmentsOf(unsigned tactic);
    /// True if it can be taken for all sizes and addresses, wherever the engine runs.
    bool isUnconditional(unsigned tactic);
  }];
}

def Plan_LaunchOp : Plan_Member<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel over a grid; a grid with an extent of 0 runs nothing";
  let description = [{
    An argument is `@buffer` (its address), a string (the value of an expression, converted with a range check to the
    parameter's integer type), or a float. `plugin` is the operator it implements, `node` the node of the model. `block` is the
    number of threads along x, y and z and `shared` the dynamic shared memory in bytes where the kernel's image does not say.
    (C1) `kernel` is a kernel of this program. (C2) There is one argument for each parameter of the kernel. (C3) A pointer
    parameter gets a buffer of this program, an integer parameter an expression, a float parameter a float or a float
    expression. (C4) `choice` and `tactic` are a `plan.choice` of this program and a tactic of it, for which alone the launch runs;
    without them it always does. `nodeAttributes` tells people the node's arguments that are no tensors.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Plan_Grid:$grid, Plan_ArgumentArray:$arguments,
                       OptionalAttr<StrAttr>:$plugin, OptionalAttr<StrAttr>:$node, OptionalAttr<Plan_Grid>:$block,
                       OptionalAttr<Plan_Expr>:$sharedBytes, OptionalAttr<StrAttr>:$nodeAttributes,
                       OptionalAttr<StrAttr>:$tactic, OptionalAttr<FlatSymbolRefAttr>:$choice);
  let assemblyFormat = [{
    $kernel `grid` $grid (`block` $block^)? (`shared` $sharedBytes^)? `arguments` $arguments (`plugin` $plugin^)? (`node` $node^)?
    (`with` $nodeAttributes^)? (`tactic` $tactic^ `of` $choice)? attr-dict
  }];
}

def Plan_ShapeArray : TypedArrayAttrBase<Plan_ExprArray, "shapes of expressions in canonical text">;
def Plan_DataTypeArray : TypedArrayAttrBase<Plan_DataType, "names of data types">;

def Plan_HostCallOp : Plan_Member<"host_call", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Calls a function that the process registers under a name";
  let description = [{
    `function` is the operator. `dtypes` and `shapes` tell the tensors in the buffers, inputs first. `attributes` are those of the
    operator, as `graph.call` writes them. `workspace` is memory for this call.
    (C1) All buffers belong to this program. (C2) There is a dtype and a shape for each input and output. (C3) Outputs and
    workspace are not inputs or constants.

    ```mlir
    plan.host_call "my::scale" inputs [@X] outputs [@Y] dtypes ["float32", "float32"] shapes [["s0"], ["s0"]] attributes {factor = 2.0 : f64} node "scale_1"
    ```
  }];
  let arguments = (ins StrAttr:$function, FlatSymbolRefArrayAttr:$inputs, FlatSymbolRefArrayAttr:$outputs,
                       Plan_DataTypeArray:$dtypes, Plan_ShapeArray:$shapes, DictionaryAttr:$arguments,
                       OptionalAttr<FlatSymbolRefAttr>:$workspace, OptionalAttr<StrAttr>:$node);
  let assemblyFormat = [{
    $function `inputs` $inputs `outputs` $outputs `dtypes` $dtypes `shapes` $shapes `attributes` $arguments (`workspace` $workspace^)?
    (`node` $node^)? attr-dict
  }];
}

def Plan_CopyOp : Plan_Member<"copy", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Copies the whole of one buffer to another";
  let description = [{
    (C1) Both are buffers of this program, and they are not the same. (C2) Their sizes are equal expressions. (C3) The target
    is not an input or a constant.
  }];
  let arguments = (ins FlatSymbolRefAttr:$source, FlatSymbolRefAttr:$target);
  let assemblyFormat = "$source `to` $target attr-dict";
}

def Plan_ReadSizeOp : Plan_Member<"read_size", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Waits for what is in front of it and reads a size that kernels have computed";
  let description = [{
    `plugin` is the operator whose kernels compute it, `node` the node of the model. (C1) The buffer is one of this program.
    (C2) It has the size of one int32 or int64. (C3) The name is that of a `plan.computed`.
  }];
  let arguments = (ins StrAttr:$name, FlatSymbolRefAttr:$buffer, Plan_DataType:$dtype, OptionalAttr<StrAttr>:$plugin,
                       OptionalAttr<StrAttr>:$node);
  let assemblyFormat = "$name `from` $buffer $dtype (`plugin` $plugin^)? (`node` $node^)? attr-dict";
}

#endif
