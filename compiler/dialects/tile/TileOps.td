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

def Tile_BarrierOp : Tile_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Waits until all threads of the program arrive (tl.debug_barrier)";
  let assemblyFormat = "attr-dict";
}

#endif
