#include "compiler/transforms/graph/ConstantData.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <cstring>

namespace inlay::graph {
namespace {

const llvm::fltSemantics *semanticsOf(DataType type) {
  switch (type) {
  case DataType::Float64:
    return &llvm::APFloat::IEEEdouble();
  case DataType::Float32:
    return &llvm::APFloat::IEEEsingle();
  case DataType::Float16:
    return &llvm::APFloat::IEEEhalf();
  case DataType::BFloat16:
    return &llvm::APFloat::BFloat();
  default:
    return nullptr;
  }
}

/// The number in the bytes of one element of a type.
std::optional<double> numberIn(DataType type, const char *bytes) {
  const auto size = static_cast<unsigned>(dataTypeSizeBytes(type));
  uint64_t bits = 0;
  std::memcpy(&bits, bytes, size);
  if (const llvm::fltSemantics *semantics = semanticsOf(type)) {
    llvm::APFloat value(*semantics, llvm::APInt(8 * size, bits));
    bool losesInfo = false;
    value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return value.convertToDouble();
  }
  const DataTypeKind kind = dataTypeKind(type);
  if (kind == DataTypeKind::Bool)
    return bits != 0 ? 1 : 0;
  if (kind == DataTypeKind::Float)
    return std::nullopt;
  const llvm::APInt integer(8 * size, bits);
  const bool isSigned = kind == DataTypeKind::Signed;
  if ((isSigned ? integer.getSignificantBits() : integer.getActiveBits()) > 53)
    return std::nullopt;
  return isSigned ? static_cast<double>(integer.getSExtValue())
                  : static_cast<double>(integer.getZExtValue());
}

} // namespace

ConstantOp findConstant(mlir::Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  const auto isUpdate = [&](mlir::Operation *user) {
    auto update = llvm::dyn_cast<UpdateOp>(user);
    return update && update.getTarget() == value;
  };
  return constant && llvm::none_of(value.getUsers(), isUpdate) ? constant : ConstantOp();
}

std::optional<std::vector<char>> bytesOf(ConstantOp constant) {
  if (auto resource = llvm::dyn_cast<mlir::DenseResourceElementsAttr>(constant.getData())) {
    mlir::AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    return std::vector<char>(blob->getData().begin(), blob->getData().end());
  }
  auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(constant.getData());
  if (!dense || dense.getElementType().isInteger(1))
    return std::nullopt;
  const llvm::ArrayRef<char> raw = dense.getRawData();
  const size_t copies = dense.isSplat() ? static_cast<size_t>(dense.getNumElements()) : 1;
  std::vector<char> bytes;
  bytes.reserve(raw.size() * copies);
  for (size_t i = 0; i < copies; ++i)
    bytes.insert(bytes.end(), raw.begin(), raw.end());
  return bytes;
}

std::optional<std::vector<double>> numbersOf(ConstantOp constant) {
  const std::optional<std::vector<char>> bytes = bytesOf(constant);
  const DataType type = llvm::cast<TensorType>(constant.getResult().getType()).getSpec().dtype;
  if (!bytes)
    return std::nullopt;
  std::vector<double> numbers;
  const auto size = static_cast<size_t>(dataTypeSizeBytes(type));
  for (size_t at = 0; at + size <= bytes->size(); at += size) {
    const std::optional<double> number = numberIn(type, bytes->data() + at);
    if (!number)
      return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

ConstantOp makeConstant(mlir::OpBuilder &builder, mlir::Location location, TensorType type,
                        const std::string &name, std::span<const char> bytes) {
  auto dataType =
      mlir::RankedTensorType::get({static_cast<int64_t>(bytes.size())}, builder.getI8Type());
  auto data = mlir::DenseElementsAttr::getFromRawBuffer(
      dataType, llvm::ArrayRef<char>(bytes.data(), bytes.size()));
  return ConstantOp::create(builder, location, type, name, llvm::cast<mlir::ElementsAttr>(data));
}

ConstantOp makeWeight(mlir::OpBuilder &builder, mlir::Location location, TensorType type,
                      const std::string &name, std::span<const llvm::ArrayRef<char>> pieces) {
  constexpr size_t kAlignmentBytes = 64;
  size_t sizeBytes = 0;
  for (llvm::ArrayRef<char> piece : pieces)
    sizeBytes += piece.size();
  mlir::AsmResourceBlob blob = mlir::HeapAsmResourceBlob::allocate(sizeBytes, kAlignmentBytes);
  char *at = blob.getMutableData().data();
  for (llvm::ArrayRef<char> piece : pieces)
    at = std::copy(piece.begin(), piece.end(), at);
  auto dataType =
      mlir::RankedTensorType::get({static_cast<int64_t>(sizeBytes)}, builder.getI8Type());
  auto data = mlir::DenseResourceElementsAttr::get(dataType, name, std::move(blob));
  return ConstantOp::create(builder, location, type, name, data);
}

llvm::ArrayRef<char> mappedBytesOf(ConstantOp constant) {
  if (auto resource = llvm::dyn_cast<mlir::DenseResourceElementsAttr>(constant.getData())) {
    mlir::AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : llvm::ArrayRef<char>();
  }
  auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(constant.getData());
  return dense && !dense.isSplat() && !dense.getElementType().isInteger(1) ? dense.getRawData()
                                                                           : llvm::ArrayRef<char>();
}

std::optional<std::vector<char>> roundedTo(DataType type, std::span<const double> numbers) {
  const llvm::fltSemantics *semantics = semanticsOf(type);
  if (!semantics)
    return std::nullopt;
  const auto size = static_cast<size_t>(dataTypeSizeBytes(type));
  std::vector<char> bytes(numbers.size() * size);
  for (size_t i = 0; i < numbers.size(); ++i) {
    llvm::APFloat value(numbers[i]);
    bool losesInfo = false;
    value.convert(*semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    const uint64_t bits = value.bitcastToAPInt().getZExtValue();
    std::memcpy(bytes.data() + i * size, &bits, size);
  }
  return bytes;
}

std::optional<std::vector<char>> encoded(DataType type, std::span<const double> numbers) {
  const DataTypeKind kind = dataTypeKind(type);
  if (kind == DataTypeKind::Float)
    return roundedTo(type, numbers);
  const auto size = static_cast<size_t>(dataTypeSizeBytes(type));
  const bool isSigned = kind == DataTypeKind::Signed;
  const double limit = std::exp2(static_cast<double>(8 * size - (isSigned ? 1 : 0)));
  std::vector<char> bytes(numbers.size() * size);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double whole =
        kind == DataTypeKind::Bool ? static_cast<double>(numbers[i] != 0) : std::trunc(numbers[i]);
    if (!(std::abs(whole) <= 0x1p53) || whole >= limit || whole < (isSigned ? -limit : 0))
      return std::nullopt;
    const auto bits = static_cast<int64_t>(whole);
    std::memcpy(bytes.data() + i * size, &bits, size);
  }
  return bytes;
}

} // namespace inlay::graph
