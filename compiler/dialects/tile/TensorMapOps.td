// Tensors that the GPU's copy engine knows by a map of 128 bytes (TMA, compute capability 9.0 and later): their maps, copies
// between them and shared memory, and the barriers that say that copies are there. Included by TileOps.td.
#ifndef INLAY_TILE_TENSOR_MAP_OPS
#define INLAY_TILE_TENSOR_MAP_OPS

def Tile_TensorMapType : TypeDef<TileDialect, "TensorMap"> {
  let mnemonic = "tensor_map";
  let summary = "A described tensor of which the copy engine moves blocks of one shape";
  let description = [{
    In shared memory a block is a tile of rank 2: a row for each place in the dimensions before the last, row-major.
    (C1) There are 1 to 5 dimensions, powers of two. (C2) Elements are integers or floats of 8 to 64 bits, floats of 16 or
    more where padding is NaN. (C3) A row has 16 bytes or more.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
                        EnumParameter<Tile_Padding>:$padding);
  let assemblyFormat = "`<` `[` $shape `]` `,` $elementType `,` $padding `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The tile of rank 2 that a block is, without a layout.
    ::mlir::RankedTensorType getTileType() const;
    int64_t getTileBytes() const;
  }];
}
def Tile_TensorMap : Type<CPred<"::mlir::isa<::inlay::tile::TensorMapType>($_self)">, "map of a tensor">;

def Tile_BarriersType : TypeDef<TileDialect, "Barriers"> {
  let mnemonic = "barriers";
  let summary = "Barriers in shared memory, one for each slot of a ring: a slot's phase ends when so many copies are there";
  let description = [{ (C1) There are slots and copies. }];
  let parameters = (ins "unsigned":$numSlots, "unsigned":$numCopies);
  let assemblyFormat = "`<` $numSlots `,` $numCopies `>`";
  let genVerifyDecl = 1;
}
def Tile_Barriers : Type<CPred<"::mlir::isa<::inlay::tile::BarriersType>($_self)">, "barriers">;

def Tile_TensorMapOp : Tile_Op<"tensor_map", [Pure, AttrSizedOperandSegments]> {
  let summary = "The map of a described tensor, made once by each program";
  let description = [{
    (C1) There are as many sizes (i64) and strides (i64, in elements) as dimensions; the base points to elements of the map's
    type. (C2) It stands in the kernel's own block. Promised: the last stride is 1, the base and the other strides are
    multiples of 16 bytes, strides are from 0 to 2^40 - 1 bytes. Sizes below 1 are those of an empty tensor.
  }];
  let arguments = (ins Tile_Pointer:$base, Variadic<I64>:$sizes, Variadic<I64>:$strides);
  let results = (outs Tile_TensorMap:$result);
  let assemblyFormat = "$base `sizes` $sizes `strides` $strides attr-dict `:` type($base) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_TensorLoadOp : Tile_Op<"tensor_load", [MemoryEffects<[MemRead]>]> {
  let summary = "Reads the block at these coordinates; elements outside the tensor are padding";
  let description = [{ (C1) There is a coordinate for each dimension, and the result is the map's tile. }];
  let arguments = (ins Tile_TensorMap:$map, Variadic<I32>:$coordinates);
  let results = (outs Tile_Tensor:$result);
  let assemblyFormat = "$map `[` $coordinates `]` attr-dict `:` type($map) `->` type($result)";
  let hasVerifier = 1;
}

def Tile_TensorStoreOp : Tile_Op<"tensor_store", [MemoryEffects<[MemWrite]>]> {
  let summary = "Writes the block at these coordinates; elements outside the tensor are dropped";
  let description = [{ (C1) There is a coordinate for each dimension, and the value is the map's tile. }];
  let arguments = (ins Tile_TensorMap:$map, Variadic<I32>:$coordinates, Tile_Tensor:$value);
  let assemblyFormat = "$map `[` $coordinates `]` `,` $value attr-dict `:` type($map) `,` type($value)";
  let hasVerifier = 1;
}

def Tile_AllocBarriersOp : Tile_Op<"alloc_barriers", [MemoryEffects<[MemWrite]>]> {
  let summary = "Makes barriers, until tile.free_barriers";
  let description = [{
    It is a barrier of all threads, behind which copies may write what threads have read or written before.
  }];
  let results = (outs Tile_Barriers:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Tile_FreeBarriersOp : Tile_Op<"free_barriers", [MemoryEffects<[MemWrite]>]> {
  let summary = "Gives barriers back, behind a barrier of all threads and without copies under way";
  let arguments = (ins Tile_Barriers:$barriers);
  let assemblyFormat = "$barriers attr-dict `:` type($barriers)";
}

def Tile_TensorCopyOp : Tile_Op<"tensor_copy", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Begins to copy the block at these coordinates into a slot, if `isThere`, and counts for the slot's barrier anyway";
  let description = [{
    The copy is there after a tile.async_wait for the slot's barrier. Who read the slot before must have passed a barrier.
    (C1) There is a coordinate for each dimension. (C2) The buffer holds the map's tiles, rows along dimension 1, and has a
    barrier for each slot.
  }];
  let arguments = (ins Tile_TensorMap:$map, Variadic<I32>:$coordinates, I1:$isThere, Tile_Shared:$buffer,
                       Tile_Barriers:$barriers, I32:$slot);
  let assemblyFormat = [{
    $map `[` $coordinates `]` `if` $isThere `into` $buffer `,` $barriers `[` $slot `]` attr-dict
    `:` type($map) `,` type($buffer) `,` type($barriers)
  }];
  let hasVerifier = 1;
}

#endif
