// The graph dialect: a model as the exporter saw it, operators on tensors of symbolic shape.
#ifndef INLAY_GRAPH_OPS
#define INLAY_GRAPH_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def GraphDialect : Dialect {
  let name = "graph";
  let cppNamespace = "::inlay::graph";
  let summary = "Operators on tensors of symbolic shape, as exported";
  let description = [{
    A `graph.model` holds the whole model. Dimensions are integer expressions in the canonical text of `symbolic/Expr.h` over
    the model's symbols; element types are PyTorch's names. Operators are calls by name: which are supported is decided by
    the plugins of a build, not here.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

def Graph_TensorType : TypeDef<GraphDialect, "Tensor"> {
  let mnemonic = "tensor";
  let summary = "A dense, row-major tensor of symbolic shape";
  let description = [{ `!graph.tensor<["s0", "64"], "float32">`: each dimension is an expression in canonical text. }];
  let parameters = (ins "::mlir::ArrayAttr":$shape, "::mlir::StringAttr":$dtype);
  let assemblyFormat = "`<` $shape `,` $dtype `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The type of a tensor specification.
    static TensorType of(::mlir::MLIRContext *context, const ::inlay::TensorSpec &spec);
    /// Element type and shape as the plugins see them.
    ::inlay::TensorSpec getSpec() const;
  }];
}

def Graph_DataTypeAttr : AttrDef<GraphDialect, "DataType"> {
  let mnemonic = "dtype";
  let summary = "A data type as an argument of an operator: `#graph.dtype<\"float16\">`";
  let parameters = (ins "::mlir::StringAttr":$name);
  let assemblyFormat = "`<` $name `>`";
  let genVerifyDecl = 1;
}

def Graph_ExprAttr : AttrDef<GraphDialect, "Expr"> {
  let mnemonic = "expr";
  let summary = "An integer that depends on sizes, as an argument of an operator: `#graph.expr<\"2*s0\">`";
  let parameters = (ins "::mlir::StringAttr":$text);
  let assemblyFormat = "`<` $text `>`";
  let genVerifyDecl = 1;
}

class Graph_Op<string mnemonic, list<Trait> traits = []> : Op<GraphDialect, mnemonic, traits>;

def Graph_ModelOp : Graph_Op<"model", [Symbol, IsolatedFromAbove, SingleBlockImplicitTerminator<"OutputOp">]> {
  let summary = "A model: its inputs are the block's arguments, its outputs the operands of graph.output";
  let description = [{
    `symbols` are dictionaries {name, min, max, opt} (i64; max inclusive, the largest int64 means unbounded; opt is the size at
    export); `checks` are dictionaries {condition, message} that must hold at run time. Names are what users bind by; paths tell where a
    tensor stood in the nested inputs or outputs. Outputs that are no tensors are not among them: the attribute
    `graph.plain_outputs`, if there, lists them as dictionaries {path, value} with values as in graph.call. Guards of the
    exporter that are no conditions on sizes are kept as texts in `graph.unread_guards`. The attribute `graph.refittable` says
    that weights are to be replaced in the finished engine: constants are neither folded nor changed.
    (C1) As many names and paths as tensors; names are not empty and none is used twice. (C2) Every symbol that a type uses is
    declared once. (C3) Each entry of `symbols` and `checks` has its fields, and min <= opt <= max.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$inputNames, StrArrayAttr:$inputPaths,
                       StrArrayAttr:$outputNames, StrArrayAttr:$outputPaths, DictArrayAttr:$symbols,
                       DictArrayAttr:$checks);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `inputs` $inputNames $inputPaths `outputs` $outputNames $outputPaths `symbols` $symbols `checks` $checks
    attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The model's block; its arguments are the inputs.
    ::mlir::Block &getBlock() { return getBody().front(); }
    /// The operands of graph.output.
    ::mlir::OperandRange getResultTensors();
  }];
}

def Graph_CallOp : Graph_Op<"call", [ParentOneOf<["ModelOp", "GroupOp", "SegmentOp"]>]> {
  let summary = "Applies an operator: tensors are operands, all other arguments are attributes";
  let description = [{
    `op` is "namespace::name.overload"; the overload "default" is left out. `argNames` name the operands as the operator's schema
    does. `arguments` holds the literals by name: bool, i64, f64, string, `#graph.dtype`, unit for None, arrays of these;
    integers that depend on sizes are `#graph.expr`, also among the i64 of an array. The elements of a list of tensors are operands
    named "indices[0]", "indices[1]", …; an element that is None is a literal of such a name. Positional arguments without a name are "args[0]", ….
    Results are flattened too; `graph.none_results`, if there, tells at which places a None stood among them. An operator that
    changes an argument returns its new value after its own results.
    (C1) One name for each operand, none twice, none also in `arguments`. (C2) Every literal is of a kind named above.
    (C3) Every symbol of an argument is declared by the model.
  }];
  let arguments = (ins StrAttr:$op, StrAttr:$node, Variadic<Graph_TensorType>:$inputs, StrArrayAttr:$argNames,
                       DictionaryAttr:$arguments);
  let results = (outs Variadic<Graph_TensorType>:$outputs);
  let assemblyFormat = [{
    $op `node` $node `(` $inputs `)` `names` $argNames `arguments` $arguments attr-dict `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
}

def Graph_GroupOp : Graph_Op<"group", [HasParent<"ModelOp">, IsolatedFromAbove]> {
  let summary = "Calls that are computed together, by launches of one plugin made of theirs";
  let description = [{
    The block's arguments are the operands, its terminator, graph.yield, gives the results. `kind` says how the calls are put together:
    "pointwise" (one loop over elements), "lines" (one loop over lines of the last dimension, which operators of it reduce), "tail" (the
    first call is computed by its own kernel, which applies the others, pointwise ones, to what it stores). A value that the group keeps
    to itself is in no memory; it is rounded to its type all the same.

        %y = graph.group "lines" node "mul_2" (%x, %w) : (…) -> … {
        ^bb0(%a: …, %b: …):
          …
          graph.yield %t : …
        }

    (C1) The arguments of the block have the types of the operands, and the operands of graph.yield those of the results. (C2) `kind` is one
    of those named. (C3) The block holds one call at least, and nothing but calls before graph.yield.
  }];
  let arguments = (ins StrAttr:$kind, StrAttr:$node, Variadic<Graph_TensorType>:$inputs);
  let results = (outs Variadic<Graph_TensorType>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$kind `node` $node `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs) $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The calls, and the terminator.
    ::mlir::Block &getBlock() { return getBody().front(); }
    /// The operands of graph.yield.
    ::mlir::OperandRange getYielded() { return getBlock().getTerminator()->getOperands(); }
  }];
}

def Graph_SegmentOp : Graph_Op<"segment", [HasParent<"ModelOp">, IsolatedFromAbove]> {
  let summary = "Calls that a function of the process computes, at one go";
  let description = [{
    The block's arguments are the operands, its terminator, graph.yield, gives the results. The process that runs the engine registers
    a host function of the name `function`. `inputNames` and `outputNames` are the tensors' names in the model: of an input, of a
    constant, or of the node that computes it.

        %y = graph.segment "segment::mlp_0" (%x, %w) names ["x", "fc1.weight"] -> ["relu_1"] : (…) -> … {
        ^bb0(%a: …, %b: …):
          …
          graph.yield %t : …
        }

    (C1) The arguments of the block have the types of the operands, and the operands of graph.yield those of the results. (C2) There is a
    name for each operand and result. (C3) The block holds one call at least, and nothing but calls before graph.yield.
  }];
  let arguments = (ins StrAttr:$function, Variadic<Graph_TensorType>:$inputs, StrArrayAttr:$inputNames,
                       StrArrayAttr:$outputNames);
  let results = (outs Variadic<Graph_TensorType>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $function `(` $inputs `)` `names` $inputNames `->` $outputNames attr-dict `:` functional-type($inputs, $outputs) $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The calls, and the terminator.
    ::mlir::Block &getBlock() { return getBody().front(); }
    /// The operands of graph.yield.
    ::mlir::OperandRange getYielded() { return getBlock().getTerminator()->getOperands(); }
  }];
}

def Graph_YieldOp : Graph_Op<"yield", [Terminator, Pure, ParentOneOf<["GroupOp", "SegmentOp"]>]> {
  let summary = "The results of a group or a segment";
  let arguments = (ins Variadic<Graph_TensorType>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
}

def Graph_ConstantOp : Graph_Op<"constant", [Pure, HasParent<"ModelOp">]> {
  let summary = "A parameter, buffer or constant of the model";
  let description = [{ (C1) The data has as many bytes as the tensor, whose shape is constant. }];
  let arguments = (ins StrAttr:$name, ElementsAttr:$data);
  let results = (outs Graph_TensorType:$result);
  let assemblyFormat = "$name $data attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Graph_UpdateOp : Graph_Op<"update", [HasParent<"ModelOp">]> {
  let summary = "Gives an input or a buffer of the model its value after the run";
  let description = [{
    Buffers so changed are state: the next run begins with the new value.
    (C1) The target is an input or a graph.constant. (C2) The value has the target's type. (C3) No target is updated twice.
  }];
  let arguments = (ins Graph_TensorType:$target, Graph_TensorType:$value);
  let assemblyFormat = "$target `with` $value attr-dict `:` type($target) `,` type($value)";
  let hasVerifier = 1;
}

def Graph_OutputOp : Graph_Op<"output", [Terminator, Pure, HasParent<"ModelOp">]> {
  let summary = "The model's outputs, in flattened order";
  let arguments = (ins Variadic<Graph_TensorType>:$operands);
  let assemblyFormat = "($operands^ `:` type($operands))? attr-dict";
  // The implicit terminator of an empty model.
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

#endif
