#include "compiler/conversions/tile-to-gpu/PtxText.h"

using namespace mlir;

namespace inlay::tile_to_gpu {

Registers emitAsm(OpBuilder &builder, Location location, ArrayRef<Type> results,
                  ValueRange operands, StringRef text, const std::string &constraints) {
  auto assembly = LLVM::InlineAsmOp::create(
      builder, location,
      results.empty()
          ? TypeRange()
          : TypeRange(Type(LLVM::LLVMStructType::getLiteral(builder.getContext(), results))),
      operands, text, constraints + "~{memory}", /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  Registers values;
  for (size_t i = 0; i < results.size(); ++i)
    values.push_back(LLVM::ExtractValueOp::create(builder, location, assembly.getResult(0),
                                                  static_cast<int64_t>(i)));
  return values;
}

} // namespace inlay::tile_to_gpu
