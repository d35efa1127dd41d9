// The tile dialect: one kernel over tiles, with the meaning of the Triton language. Arithmetic on tiles uses the
// dialects arith, math and scf on ranked tensors; this dialect adds program indices, tile shapes, pointers and memory.
#ifndef INLAY_TILE_OPS
#define INLAY_TILE_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def TileDialect : Dialect {
  let name = "tile";
  let cppNamespace = "::inlay::tile";
  let summary = "One GPU program over tiles: the meaning of the Triton language";
  let description = [{
    A kernel is a `func.func` with the unit attribute `tile.kernel`. Its arguments are scalars or `!tile.ptr`; an argument
    may carry `tile.name` (string), `tile.divisibility` (i64, of the value or of the address in bytes) and `tile.signedness`
    (string, "unsigned" where it is). The function returns nothing. Every program of the grid runs it once.
    Values are scalars or ranked tensors whose dimensions are powers of two, at most 2^20 elements; integers are signless.
    Verified of a kernel: (K1) it is a `func.func` with a body of one block; (K2) parameters are no tiles and there is no result;
    (K3) dimensions of tiles are as said above.
    Any op may carry the hints `tile.divisibility`, `tile.contiguity`, `tile.constancy` (dense i64 array, one entry per
    dimension of its result), promised by the user's `multiple_of`, `max_contiguous`, `max_constancy`.
    Approximate fp32 division and square root, as Triton's `/` and `sqrt`, are `arith.divf`/`math.sqrt` with
    `fastmath<afn>`; without that flag they round to nearest. `fastmath<contract>` allows fusing into FMA.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::func::FuncDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasConstantMaterializer = 1;
}

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<TileDialect, mnemonic, traits>;

def Tile_PointerType : TypeDef<TileDialect, "Pointer"> {
  let mnemonic = "ptr";
  let summary = "Address of elements of one type in a memory space (1: global)";
  let description = [{ (C1) The element type is an integer, a float or a pointer. }];
  let genVerifyDecl = 1;
  let parameters = (ins "::mlir::Type":$elementType, DefaultValuedParameter<"unsigned", "1">:$memorySpace);
  let assemblyFormat = "`<` $elementType (`,` $memorySpace^)? `>`";
  let builders = [TypeBuilderWithInferredContext<(ins "::mlir::Type":$elementType), [{
    return $_get(elementType.getContext(), elementType, 1);
  }]>];
}

def Tile_LayoutAttr : AttrDef<TileDialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "Which element of a tile each register of each thread holds: the encoding of a tile's type on GPUs";
  let description = [{
    A linear layout (transforms/tile/LinearLayout.h): for each bit of the register's, lane's and warp's number the coordinates by
    which it moves. Rows are `array<i32: …>` of `rank` coordinates.
    (C1) Coordinates are from 0 to 2^20 - 1. (C2) There are 5 lane bases, at most 5 of warps and at most 20 of registers.
  }];
  let parameters = (ins "unsigned":$rank, "::mlir::ArrayAttr":$registers, "::mlir::ArrayAttr":$lanes, "::mlir::ArrayAttr":$warps);
  let assemblyFormat = "`<` $rank `,` `registers` $registers `,` `lanes` $lanes `,` `warps` $warps `>`";
  let genVerifyDecl = 1;
}

def Tile_SharedType : TypeDef<TileDialect, "Shared"> {
  let mnemonic = "shared";
  let summary = "A ring of tiles in the shared memory of a GPU block, placed as tensor cores read them";
  let description = [{
    Where an element is: conversions/tile-to-gpu/SharedTile.h. `fastest` is the dimension whose elements are neighbours.
    (C1) Tiles are of rank 2, their dimensions powers of two; fastest is 0 or 1. (C2) Elements are integers or floats of 8 to
    64 bits. (C3) There is at least one slot.
  }];
  let parameters = (ins "unsigned":$numSlots, ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType, "unsigned":$fastest);
  let assemblyFormat = "`<` $numSlots `,` `[` $shape `]` `,` $elementType `,` $fastest `>`";
  let genVerifyDecl = 1;
}
def Tile_Shared : Type<CPred<"::mlir::isa<::inlay::tile::SharedType>($_self)">, "tiles in shared memory">;

def Tile_Pointer : Type<CPred<"::mlir::isa<::inlay::tile::PointerType>($_self)">, "pointer">;
def Tile_PointerTensor : Type<
    And<[CPred<"::mlir::isa<::mlir::RankedTensorType>($_self)">,
         CPred<"::mlir::isa<::inlay::tile::PointerType>(::mlir::cast<::mlir::RankedTensorType>($_self).getElementType())">]>,
    "tile of pointers">;
def Tile_PointerLike : AnyTypeOf<[Tile_Pointer, Tile_PointerTensor]>;
def Tile_Tensor : Type<CPred<"::mlir::isa<::mlir::RankedTensorType>($_self)">, "tile">;
def Tile_I1Like : AnyTypeOf<[I1, TensorOf<[I1]>]>;
def Tile_IntLike : AnyTypeOf<[AnySignlessInteger, TensorOf<[AnySignlessInteger]>]>;

def Tile_CacheModifier : I32EnumAttr<"CacheModifier", "cache operator of a load or store", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"CA", 1, "ca">, I32EnumAttrCase<"CG", 2, "cg">,
    I32EnumAttrCase<"CV", 3, "cv">, I32EnumAttrCase<"WB", 4, "wb">, I32EnumAttrCase<"CS", 5, "cs">,
    I32EnumAttrCase<"WT", 6, "wt">]> {
  let cppNamespace = "::inlay::tile";
}
def Tile_EvictionPolicy : I32EnumAttr<"EvictionPolicy", "L2 eviction priority", [
    I32EnumAttrCase<"Normal", 0, "normal">, I32EnumAttrCase<"EvictFirst", 1, "evict_first">,
    I32EnumAttrCase<"EvictLast", 2, "evict_last">]> {
  let cppNamespace = "::inlay::tile";
}

def Tile_AtomicKind : I32EnumAttr<"AtomicKind", "what an atomic operation does with the old value and the operand", [
    I32EnumAttrCase<"And", 0, "and">, I32EnumAttrCase<"Or", 1, "or">, I32EnumAttrCase<"Xor", 2, "xor">,
    I32EnumAttrCase<"Add", 3, "add">, I32EnumAttrCase<"FAdd", 4, "fadd">, I32EnumAttrCase<"Max", 5, "max">,
    I32EnumAttrCase<"Min", 6, "min">, I32EnumAttrCase<"UMax", 7, "umax">, I32EnumAttrCase<"UMin", 8, "umin">,
    I32EnumAttrCase<"Exchange", 9, "xchg">]> {
  let cppNamespace = "::inlay::tile";
}
def Tile_MemoryOrder : I32EnumAttr<"MemoryOrder", "ordering of an atomic operation", [
    I32EnumAttrCase<"Relaxed", 0, "relaxed">, I32EnumAttrCase<"Acquire", 1, "acquire">,
    I32EnumAttrCase<"Release", 2, "release">, I32EnumAttrCase<"AcquireRelease", 3, "acq_rel">]> {
  let cppNamespace = "::inlay::tile";
}
def Tile_MemoryScope : I32EnumAttr<"MemoryScope", "threads among which an atomic operation is ordered", [
    I32EnumAttrCase<"Gpu", 0, "gpu">, I32EnumAttrCase<"Block", 1, "cta">, I32EnumAttrCase<"System", 2, "sys">]> {
  let cppNamespace = "::inlay::tile";
}
def Tile_DotPrecision : I32EnumAttr<"DotPrecision", "how fp32 operands of a dot are multiplied", [
    I32EnumAttrCase<"TF32", 0, "tf32">, I32EnumAttrCase<"TF32x3", 1, "tf32x3">, I32EnumAttrCase<"IEEE", 2, "ieee">,
    I32EnumAttrCase<"BF16x3", 3, "bf16x3">, I32EnumAttrCase<"BF16x6", 4, "bf16x6">]> {
  let cppNamespace = "::inlay::tile";
}
def Tile_Padding : I32EnumAttr<"Padding", "what elements outside a described tensor read as", [
    I32EnumAttrCase<"Zero", 0, "zero">, I32EnumAttrCase<"NaN", 1, "nan">]> {
  let cppNamespace = "::inlay::tile";
}

def Tile_ProgramIdOp : Tile_Op<"program_id", [Pure]> {
  let summary = "Index of this program along a grid axis (0, 1 or 2)";
  let arguments = (ins ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<2>]>:$axis);
  let results = (outs I32:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
}

def Tile_NumProgramsOp : Tile_Op<"num_programs", [Pure]> {
  let summary = "Extent of the grid along an axis (0, 1 or 2)";
  let arguments = (ins ConfinedAttr<I32Attr, [IntMinValue<0>, IntMaxValue<2>]>:$axis);
  let results = (outs I32:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
}

def Tile_ArangeOp : Tile_Op<"arange", [Pure]> {
  let summary = "The i32 values start, start+1, …, end-1";
  let description = [{ (C1) end - start is a power of two and equals the result's only dimension. }];
  let arguments = (ins I32Attr:$start, I32Attr:$end);
  let results = (outs TensorOf<[I32]>:$result);
  let assemblyFormat = "$start `to` $end attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_SplatOp : Tile_Op<"splat", [Pure]> {
  let summary = "A tile whose elements all equal a scalar";
  let description = [{ (C1) The operand's type is the result's element type. }];
  let arguments = (ins AnyType:$source);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_ExpandDimsOp : Tile_Op<"expand_dims", [Pure]> {
  let summary = "Inserts a dimension of size 1 before position `axis`";
  let description = [{ (C1) 0 <= axis <= rank of the operand; the result is the operand's shape with 1 inserted at axis. }];
  let arguments = (ins Tile_Tensor:$source, I32Attr:$axis);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source `,` $axis attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "Repeats dimensions of size 1";
  let description = [{ (C1) Same rank and element type; each dimension is equal, or 1 in the operand. }];
  let arguments = (ins Tile_Tensor:$source);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_ReshapeOp : Tile_Op<"reshape", [Pure]> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{ (C1) Same number of elements and element type. `allowReorder` lets the elements come in any order. }];
  let arguments = (ins Tile_Tensor:$source, UnitAttr:$allowReorder);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source (`reorder` $allowReorder^)? attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_TransOp : Tile_Op<"trans", [Pure]> {
  let summary = "Permutes dimensions: dimension i of the result is dimension order[i] of the operand";
  let description = [{ (C1) `order` is a permutation of the operand's dimensions and gives the result's shape. }];
  let arguments = (ins Tile_Tensor:$source, DenseI32ArrayAttr:$order);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source `,` $order attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_AddPtrOp : Tile_Op<"addptr", [Pure, AllTypesMatch<["ptr", "result"]>]> {
  let summary = "Moves pointers by signed offsets counted in elements";
  let description = [{ (C1) `offset` has the shape of `ptr`; its element type is an integer of 8 to 64 bits. }];
  let arguments = (ins Tile_PointerLike:$ptr, Tile_IntLike:$offset);
  let results = (outs Tile_PointerLike:$result);
  let assemblyFormat = "$ptr `,` $offset attr-dict `:` type($ptr) `,` type($offset)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Reads memory where the mask is true";
  let description = [{
    Elements whose mask is false are `other`, or 0 if there is no `other`; their memory is not touched.
    (C1) The result has the shape of `ptr` and its element type. (C2) `mask` is i1 of that shape. (C3) `other` has the
    result's type and comes only with a mask. (C4) `cache` is not wb or wt, which are for stores.
  }];
  let arguments = (ins Tile_PointerLike:$ptr, Optional<Tile_I1Like>:$mask, Optional<AnyType>:$other,
                       DefaultValuedAttr<Tile_CacheModifier, "::inlay::tile::CacheModifier::None">:$cache,
                       DefaultValuedAttr<Tile_EvictionPolicy, "::inlay::tile::EvictionPolicy::Normal">:$evict,
                       UnitAttr:$isVolatile);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $ptr (`mask` $mask^)? (`other` $other^)? (`cache` $cache^)? (`evict` $evict^)? (`volatile` $isVolatile^)? attr-dict
    `:` type($ptr) (`mask` type($mask)^)? (`other` type($other)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes memory where the mask is true";
  let description = [{
    (C1) `value` has the shape of `ptr` and its element type. (C2) `mask` is i1 of that shape. (C3) `cache` is not ca or
    cv, which are for loads.
  }];
  let arguments = (ins Tile_PointerLike:$ptr, AnyType:$value, Optional<Tile_I1Like>:$mask,
                       DefaultValuedAttr<Tile_CacheModifier, "::inlay::tile::CacheModifier::None">:$cache,
                       DefaultValuedAttr<Tile_EvictionPolicy, "::inlay::tile::EvictionPolicy::Normal">:$evict);
  let assemblyFormat = [{
    $ptr `,` $value (`mask` $mask^)? (`cache` $cache^)? (`evict` $evict^)? attr-dict
    `:` type($ptr) `,` type($value) (`mask` type($mask)^)?
  }];
  let hasVerifier = 1;
}

def Tile_JoinOp : Tile_Op<"join", [Pure, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "Two tiles side by side in a new last dimension of size 2";
  let description = [{ (C1) The result is the operands' shape with 2 appended. Element [..., 0] is lhs's, [..., 1] rhs's. }];
  let arguments = (ins Tile_Tensor:$lhs, Tile_Tensor:$rhs);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_SplitOp : Tile_Op<"split", [Pure, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "The two tiles that tile.join would have joined";
  let description = [{ (C1) The operand's last dimension is 2; the results have its shape without it. }];
  let arguments = (ins Tile_Tensor:$source);
  let results = (outs Tile_Tensor:$lhs, Tile_Tensor:$rhs);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($lhs)";
  let hasVerifier = 1;
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ParentOneOf<["ReduceOp", "ScanOp"]>]> {
  let summary = "The combination of two elements: ends the region of tile.reduce and tile.scan";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Tile_ReduceOp : Tile_Op<"reduce", [RecursiveMemoryEffects, IsolatedFromAbove, SingleBlock]> {
  let summary = "Combines all elements along one dimension";
  let description = [{
    The region combines two elements of each operand: its arguments are one scalar of each operand (the earlier elements, in
    order), then again one of each (the later elements); it yields one scalar for each. It must be associative; the order in
    which elements are combined is unspecified, their places are kept in order. There is no neutral element, so nothing may be
    made up to fill a tile.
    (C1) The operands have one shape of rank >= 1; 0 <= axis < rank. (C2) A result has its operand's element type and its
    shape without `axis`; of a tile of rank 1 it is a scalar. (C3) The region takes 2n scalars and yields n of the
    operands' element types; its ops are of arith, math and tile's casts on scalars.
  }];
  let arguments = (ins Variadic<Tile_Tensor>:$sources, I32Attr:$axis);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$combine);
  let assemblyFormat = "$sources `axis` $axis attr-dict-with-keyword `:` functional-type($sources, $results) $combine";
  let hasVerifier = 1;
}

def Tile_ScanOp : Tile_Op<"scan", [RecursiveMemoryEffects, IsolatedFromAbove, SingleBlock]> {
  let summary = "Inclusive prefix combination along one dimension";
  let description = [{
    Element i of a result combines elements 0 … i of its operand; with `reverse`, elements n-1 … i, where the element of the
    greater index counts as the earlier one. The region is as in tile.reduce.
    (C1) The operands have one shape of rank >= 1; 0 <= axis < rank. (C2) Results have the operands' types. (C3) As tile.reduce.
  }];
  let arguments = (ins Variadic<Tile_Tensor>:$sources, I32Attr:$axis, UnitAttr:$reverse);
  let results = (outs Variadic<Tile_Tensor>:$results);
  let regions = (region SizedRegion<1>:$combine);
  let assemblyFormat = [{
    $sources `axis` $axis (`reverse` $reverse^)? attr-dict-with-keyword `:` functional-type($sources, $results) $combine
  }];
  let hasVerifier = 1;
}

def Tile_DotOp : Tile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "Matrix product: result[…, M, N] = lhs[…, M, K] · rhs[…, K, N] + acc[…, M, N]";
  let description = [{
    Products and sums are made in the accumulator's type; their order is unspecified. `precision` says how fp32 operands
    are multiplied: TF32 may drop their last 13 bits; IEEE rounds each product to fp32 at most; TF32x3, BF16x3 and BF16x6 sum
    the products of 2, 2 and 3 narrower parts. `maxNumImprecise`: fp8 products may be accumulated for that many K in less
    than fp32 (0: never).
    (C1) The three have one rank, 2 or 3; batch, M, N and K agree. (C2) Operands are f16, bf16, f32, f64, i8 or fp8, both of
    one type, or both fp8. (C3) The accumulator is i32 for i8; f64 for f64; f32, or f16 for f16 and fp8.
    A sum of a product with a zero accumulator and something else is a product with that as accumulator.
    Source: tl.dot.
  }];
  let arguments = (ins Tile_Tensor:$lhs, Tile_Tensor:$rhs, Tile_Tensor:$acc,
                       DefaultValuedAttr<Tile_DotPrecision, "::inlay::tile::DotPrecision::TF32">:$precision,
                       DefaultValuedAttr<I32Attr, "0">:$maxNumImprecise);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $acc (`precision` $precision^)? attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Tile_GatherOp : Tile_Op<"gather", [Pure]> {
  let summary = "result[…, i, …] = source[…, indices[…, i, …], …] along one dimension";
  let description = [{
    An index outside 0 … size-1 gives an unspecified element.
    (C1) Source and indices have one rank and agree in every dimension but `axis`. (C2) Indices are integers; the result has
    their shape and the source's element type.
  }];
  let arguments = (ins Tile_Tensor:$source, Tile_IntLike:$indices, I32Attr:$axis);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source `,` $indices `axis` $axis attr-dict `:` type($source) `,` type($indices) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_HistogramOp : Tile_Op<"histogram", [Pure]> {
  let summary = "How often each of 0 … bins-1 occurs where the mask is true";
  let description = [{
    Elements outside 0 … bins-1 are not counted.
    (C1) Source is of rank 1 and an integer; mask is i1 of its shape; the result is i32 of rank 1.
  }];
  let arguments = (ins Tile_IntLike:$source, Optional<Tile_I1Like>:$mask);
  let results = (outs TensorOf<[I32]>:$result);
  let assemblyFormat = "$source (`mask` $mask^)? attr-dict `:` type($source) (`mask` type($mask)^)? `->` type($result)";
  let hasVerifier = 1;
}

def Tile_AtomicRmwOp : Tile_Op<"atomic_rmw", [MemoryEffects<[MemRead, MemWrite]>, AllTypesMatch<["value", "result"]>]> {
  let summary = "Replaces memory by a function of it and a value in one step, where the mask is true; gives what was there";
  let description = [{
    The result of elements whose mask is false is unspecified. Elements of one tile may have one address; each is done once.
    (C1) `value` and the result have the shape of `ptr` and its element type. (C2) `mask` is i1 of that shape. (C3) fadd
    takes f16, bf16, f32, f64; xchg integers and floats of 32 and 64 bits; the others integers of 32 and 64 bits.
    Source: tl.atomic_add and its like; a maximum of floats is put together of integer ones by the front end.
  }];
  let arguments = (ins Tile_AtomicKind:$kind, Tile_PointerLike:$ptr, AnyType:$value, Optional<Tile_I1Like>:$mask,
                       DefaultValuedAttr<Tile_MemoryOrder, "::inlay::tile::MemoryOrder::AcquireRelease">:$order,
                       DefaultValuedAttr<Tile_MemoryScope, "::inlay::tile::MemoryScope::Gpu">:$scope);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $kind $ptr `,` $value (`mask` $mask^)? (`order` $order^)? (`scope` $scope^)? attr-dict
    `:` type($ptr) `,` type($value) (`mask` type($mask)^)?
  }];
  let hasVerifier = 1;
}

def Tile_AtomicCasOp : Tile_Op<"atomic_cas", [MemoryEffects<[MemRead, MemWrite]>,
                                              AllTypesMatch<["compare", "value", "result"]>]> {
  let summary = "Replaces memory by `value` if it equals `compare`, in one step; gives what was there";
  let description = [{
    Floats are compared by their bits.
    (C1) `compare`, `value` and the result have the shape of `ptr` and its element type. (C2) Elements have 16, 32 or 64 bits.
    Source: tl.atomic_cas.
  }];
  let arguments = (ins Tile_PointerLike:$ptr, AnyType:$compare, AnyType:$value,
                       DefaultValuedAttr<Tile_MemoryOrder, "::inlay::tile::MemoryOrder::AcquireRelease">:$order,
                       DefaultValuedAttr<Tile_MemoryScope, "::inlay::tile::MemoryScope::Gpu">:$scope);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $ptr `,` $compare `,` $value (`order` $order^)? (`scope` $scope^)? attr-dict
    `:` type($ptr) `,` type($value)
  }];
  let hasVerifier = 1;
}

def Tile_DescriptorLoadOp : Tile_Op<"descriptor_load", [AttrSizedOperandSegments, MemoryEffects<[MemRead]>]> {
  let summary = "Reads a tile of a described tensor; elements outside the tensor are padding";
  let description = [{
    Element (i0, i1, …) of the tile is at base + sum((offsets[d] + i_d) * strides[d]) if 0 <= offsets[d] + i_d < shape[d] for
    every d.
    (C1) There are as many sizes (i64), strides (i64, in elements) and offsets (i32) as the tile has dimensions; the tile's
    element type is the base's. Promised by the user, as TMA demands: the last stride is 1, the base is aligned to 16
    bytes, the other strides are multiples of 16 bytes and not negative. Source: tl.make_tensor_descriptor.
  }];
  let arguments = (ins Tile_Pointer:$base, Variadic<I64>:$sizes, Variadic<I64>:$strides, Variadic<I32>:$offsets,
                       DefaultValuedAttr<Tile_Padding, "::inlay::tile::Padding::Zero">:$padding);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = [{
    $base `sizes` $sizes `strides` $strides `offsets` $offsets (`padding` $padding^)? attr-dict `:` type($base) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_DescriptorStoreOp : Tile_Op<"descriptor_store", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "Writes a tile into a described tensor; elements outside the tensor are dropped";
  let description = [{ (C1) As tile.descriptor_load. }];
  let arguments = (ins Tile_Pointer:$base, Tile_Tensor:$value, Variadic<I64>:$sizes, Variadic<I64>:$strides,
                       Variadic<I32>:$offsets);
  let assemblyFormat = [{
    $base `,` $value `sizes` $sizes `strides` $strides `offsets` $offsets attr-dict `:` type($base) `,` type($value)
  }];
  let hasVerifier = 1;
}

def Tile_InlineAsmOp : Tile_Op<"inline_asm", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Runs assembly of the target for every `pack` elements of the operands";
  let description = [{
    `constraints` is LLVM's. Elements narrower than 32 bits are packed into 32-bit registers, `pack` elements to a call.
    (C1) Operands and results that are tiles have one shape; there is at least one result. (C2) pack is a power of two.
    Source: tl.inline_asm_elementwise.
  }];
  let arguments = (ins StrAttr:$text, StrAttr:$constraints, Variadic<AnyType>:$operands, UnitAttr:$isPure, I32Attr:$pack);
  let results = (outs Variadic<AnyType>:$results);
  let assemblyFormat = [{
    $text `,` $constraints `pack` $pack (`pure` $isPure^)? `(` $operands `)` attr-dict `:` functional-type($operands, $results)
  }];
  let hasVerifier = 1;
}

def Tile_PrintOp : Tile_Op<"print", [MemoryEffects<[MemWrite]>]> {
  let summary = "Prints the elements of the operands with the program and their place (tl.device_print)";
  let description = [{ One line an element: `pid (x, y, z) idx (i, j) PREFIX: VALUE`; integers in base 16 with `hex`.
    `isSigned` has one entry (0 or 1) for each operand. }];
  let arguments = (ins StrAttr:$prefix, UnitAttr:$hex, Variadic<AnyType>:$operands, DenseI32ArrayAttr:$isSigned);
  let assemblyFormat = "$prefix (`hex` $hex^)? `(` $operands `)` `signed` $isSigned attr-dict (`:` type($operands)^)?";
}

def Tile_AssertOp : Tile_Op<"assert", [MemoryEffects<[MemWrite]>]> {
  let summary = "Stops the kernel with a message if an element of the condition is false (tl.device_assert)";
  let arguments = (ins Tile_I1Like:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict `:` type($condition)";
}

def Tile_PtrToIntOp : Tile_Op<"ptr_to_int", [Pure]> {
  let summary = "The address as an i64";
  let arguments = (ins Tile_PointerLike:$source);
  let results = (outs Tile_IntLike:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
}

def Tile_IntToPtrOp : Tile_Op<"int_to_ptr", [Pure]> {
  let summary = "An i64 as an address";
  let arguments = (ins Tile_IntLike:$source);
  let results = (outs Tile_PointerLike:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
}

def Tile_PtrCastOp : Tile_Op<"ptr_cast", [Pure]> {
  let summary = "The same address as a pointer to another element type";
  let arguments = (ins Tile_PointerLike:$source);
  let results = (outs Tile_PointerLike:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
}

def Tile_ConvertLayoutOp : Tile_Op<"convert_layout", [Pure]> {
  let summary = "The same tile in another layout; moves data between threads";
  let description = [{ (C1) Shape and element type stay; both types have a layout. }];
  let arguments = (ins Tile_Tensor:$source);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
}

include "compiler/dialects/tile/TensorMapOps.td"

def Tile_AllocSharedOp : Tile_Op<"alloc_shared", [MemoryEffects<[MemWrite]>]> {
  let summary = "Takes shared memory, until tile.free_shared";
  let results = (outs Tile_Shared:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Tile_FreeSharedOp : Tile_Op<"free_shared", [MemoryEffects<[MemWrite]>]> {
  let summary = "Gives shared memory back";
  let arguments = (ins Tile_Shared:$buffer);
  let assemblyFormat = "$buffer attr-dict `:` type($buffer)";
}

def Tile_AsyncCopyOp : Tile_Op<"async_copy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Begins to copy a tile from global memory into a slot; where the mask is false it writes zeros";
  let description = [{
    The copy is there after a tile.async_wait. Who read the slot before must have passed a barrier. `width` elements are
    copied at once: runs of consecutive registers of the pointers' layout, whose addresses follow one another and are
    aligned to the run, under one mask.
    (C1) `ptr` has the buffer's shape and element type and a layout. (C2) `mask` is i1 of that shape. (C3) `width` elements
    are 4, 8 or 16 bytes.
  }];
  let arguments = (ins Tile_PointerTensor:$ptr, Optional<TensorOf<[I1]>>:$mask, Tile_Shared:$buffer, I32:$slot,
                       I32Attr:$width);
  let assemblyFormat = [{
    $ptr (`mask` $mask^)? `into` $buffer `[` $slot `]` `width` $width attr-dict
    `:` type($ptr) (`mask` type($mask)^)? `,` type($buffer)
  }];
  let hasVerifier = 1;
}

def Tile_AsyncCommitOp : Tile_Op<"async_commit", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Makes the copies begun since the last commit one group";
  let assemblyFormat = "attr-dict";
}

def Tile_AsyncWaitOp : Tile_Op<"async_wait", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits until all but the last `pending` groups of copies are there, for all threads";
  let description = [{
    It is a barrier: what threads read from slots before it is read. With barriers it also waits for the end of the slot's phase
    of this parity: copies by tile.tensor_copy belong to no group. The first phase has parity 0.
    (C1) Barriers come with a slot and a parity.
  }];
  let arguments = (ins I32Attr:$pending, Optional<Tile_Barriers>:$barriers, Optional<I32>:$slot, Optional<I32>:$parity);
  let assemblyFormat = "$pending (`for` $barriers^ `[` $slot `]` `parity` $parity `:` type($barriers))? attr-dict";
  let hasVerifier = 1;
}

def Tile_SharedLoadOp : Tile_Op<"shared_load", [MemoryEffects<[MemRead]>]> {
  let summary = "Reads a tile from a slot into registers";
  let description = [{ (C1) The result has the buffer's shape and element type and a layout. }];
  let arguments = (ins Tile_Shared:$buffer, I32:$slot);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$buffer `[` $slot `]` attr-dict `:` type($buffer) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_SharedStoreOp : Tile_Op<"shared_store", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes a tile from registers into a slot, for all threads";
  let description = [{
    It is a barrier: behind it all threads and their tensor cores may read the slot.
    (C1) The value has the buffer's shape and element type and a layout.
  }];
  let arguments = (ins Tile_Tensor:$value, Tile_Shared:$buffer, I32:$slot);
  let assemblyFormat = "$value `into` $buffer `[` $slot `]` attr-dict `:` type($value) `,` type($buffer)";
  let hasVerifier = 1;
}

def Tile_WarpgroupDotOp : Tile_Op<"warpgroup_dot", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Begins result = lhs · rhs + acc on the tensor cores of groups of four warps";
  let description = [{
    Operands are slots of shared memory; `lhsTransposed` and `rhsTransposed` say that the slot holds the transposed operand. The
    left operand may be a tile in registers. The result is there after a tile.warpgroup_wait; until then it may only be the
    accumulator of the next tile.warpgroup_dot, also around a loop, and the slots must stay as they are.
    (C1) A left operand in shared memory has a slot, one in registers has none. (C2) M, N and K agree, and the result has the accumulator's type. (C3) The accumulator's
    layout and the types are those of transforms/tile/WarpgroupMma.h, which the lowering checks.
  }];
  let arguments = (ins AnyTypeOf<[Tile_Tensor, Tile_Shared]>:$lhs, Optional<I32>:$lhsSlot, Tile_Shared:$rhs, I32:$rhsSlot,
                       Tile_Tensor:$acc, UnitAttr:$lhsTransposed, UnitAttr:$rhsTransposed);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = [{
    $lhs (`[` $lhsSlot^ `]`)? (`transposed` $lhsTransposed^)? `,` $rhs `[` $rhsSlot `]` (`transposed` $rhsTransposed^)? `,` $acc
    attr-dict `:` type($lhs) `,` type($rhs) `,` type($acc) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_WarpgroupWaitOp : Tile_Op<"warpgroup_wait", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits until all but the last `pending` tile.warpgroup_dots of this thread's warps are done";
  let description = [{
    Results are the values, which are there now. It is no barrier: other groups of warps may be behind.
    (C1) Results have the values' types.
  }];
  let arguments = (ins I32Attr:$pending, Variadic<Tile_Tensor>:$values);
  let results = (outs Variadic<Tile_Tensor>:$results);
  let assemblyFormat = "$pending ($values^ `:` type($values) `->` type($results))? attr-dict";
  let hasVerifier = 1;
}

def Tile_BarrierOp : Tile_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits until all threads of the program arrive (tl.debug_barrier)";
  let assemblyFormat = "attr-dict";
}

#endif
