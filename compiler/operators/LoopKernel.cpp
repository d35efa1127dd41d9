#include "compiler/operators/LoopKernel.h"

#include "base/Error.h"
#include "compiler/operators/Arguments.h"
#include "compiler/operators/EmbeddedFiles.h"
#include "compiler/operators/Shapes.h"
#include "compiler/operators/TypePromotion.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <limits>

namespace inlay {
namespace {

/// Elements that one program computes.
constexpr int64_t kBlock = 1024;
/// Stand for the shape of a tile until that is known.
constexpr std::string_view kBlockShape = "[BLOCK]", kLineShape = "[ROWS, 1]";

/// A name for an identifier of Python.
std::string identifier(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return !std::isalnum(c) && c != '_'; }, '_');
  while (text.ends_with('_'))
    text.pop_back();
  return text;
}

/// "s0", "u3": a name that no variable of a kernel has.
bool isExporterSymbol(std::string_view text) {
  return text.size() > 1 && (text[0] == 's' || text[0] == 'u') &&
         std::ranges::all_of(text.substr(1), [](unsigned char c) { return std::isdigit(c); });
}

/// A literal of a number of a type; a float as the nearest of its own type, an integer modulo it.
std::string literal(const AttributeValue &value, DataType type) {
  const double number = std::holds_alternative<double>(value) ? std::get<double>(value)
                        : std::holds_alternative<bool>(value)
                            ? static_cast<double>(std::get<bool>(value))
                            : static_cast<double>(std::get<int64_t>(value));
  if (dataTypeKind(type) == DataTypeKind::Bool)
    return number != 0 ? "True" : "False";
  if (dataTypeKind(type) == DataTypeKind::Float) {
    if (!std::isfinite(number))
      return std::isnan(number) ? "float('nan')" : number < 0 ? "-float('inf')" : "float('inf')";
    const std::string text = fmt::format("{}", number);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  const bool wraps = dataTypeKind(type) == DataTypeKind::Unsigned && number < 0;
  if (wraps && dataTypeSizeBytes(type) < 8)
    return fmt::format("{:.0f}", std::trunc(number) +
                                     std::exp2(8.0 * static_cast<double>(dataTypeSizeBytes(type))));
  if (const int64_t *integer = std::get_if<int64_t>(&value))
    return wraps ? std::to_string(static_cast<uint64_t>(*integer)) : std::to_string(*integer);
  return fmt::format("{:.0f}", std::trunc(number));
}

/// True if a type has the number, up to its fraction; unsigned types have negative numbers too,
/// from the end.
bool canHold(DataType type, const AttributeValue &value) {
  const DataTypeKind kind = dataTypeKind(type);
  if (kind == DataTypeKind::Float || kind == DataTypeKind::Bool)
    return true;
  const double number = std::holds_alternative<double>(value) ? std::trunc(std::get<double>(value))
                        : std::holds_alternative<bool>(value)
                            ? 0.0
                            : static_cast<double>(std::get<int64_t>(value));
  const double bits = 8.0 * static_cast<double>(dataTypeSizeBytes(type));
  if (std::holds_alternative<int64_t>(value) && bits == 64)
    return true;
  const double limit = std::exp2(kind == DataTypeKind::Signed ? bits - 1 : bits);
  return number < limit && (kind == DataTypeKind::Signed ? number >= -limit : number > -limit);
}

/// A variable of the caller's must not be one of the loop's.
void checkVariable(std::string_view name) {
  constexpr std::string_view kOwn[] = {"offsets",  "in_range", "program",   "rows",        "numel",
                                       "num_rows", "tl",       "libdevice", "row_in_range"};
  const bool isCoordinate =
      name.size() > 1 && name[0] == 'i' && std::isdigit(static_cast<unsigned char>(name[1]));
  INLAY_CHECK(std::ranges::find(kOwn, name) == std::end(kOwn) && !isCoordinate, name);
}

} // namespace

StridedAccess broadcastAccess(std::span<const Expr> shape, std::span<const Expr> domain) {
  const std::vector<Expr> dense = denseStrides(shape);
  const size_t first = domain.size() - shape.size();
  StridedAccess access{Expr(0), std::vector<Expr>(domain.size(), Expr(0))};
  for (size_t dim = 0; dim < shape.size(); ++dim)
    if (shape[dim] != Expr(1) || domain[first + dim] == Expr(1))
      access.strides[first + dim] = dense[dim];
  return access;
}

StridedAccess denseAccess(std::span<const Expr> domain) { return {Expr(0), denseStrides(domain)}; }

LoopKernel::LoopKernel(const PluginNode &node, std::string name, std::vector<Expr> domain)
    : node_(node), name_(identifier(std::move(name))), domain_(std::move(domain)) {}

void LoopKernel::load(std::string variable, uint32_t input, StridedAccess access,
                      std::string condition, std::string otherwise) {
  checkVariable(variable);
  const bool isOfLines = holdsLines_ && access.strides.back() == Expr(0);
  loads_.push_back({false, std::move(variable), input, std::move(access), std::move(condition),
                    std::move(otherwise), "", isOfLines});
}

void LoopKernel::loadAt(std::string variable, uint32_t input, std::string index,
                        std::string condition, std::string otherwise) {
  checkVariable(variable);
  usesCoordinates_ = true;
  loads_.push_back({false, std::move(variable), input, denseAccess(domain_), std::move(condition),
                    std::move(otherwise), std::move(index)});
}

void LoopKernel::store(uint32_t output, StridedAccess access, std::string value) {
  const bool isOfLines = holdsLines_ && access.strides.back() == Expr(0);
  stores_.push_back({true, std::move(value), output, std::move(access), "", "", "", isOfLines});
}

void LoopKernel::line(std::string text) { lines_.push_back(std::move(text)); }

void LoopKernel::number(const std::string &variable, const OperatorNumber &number, DataType type) {
  checkVariable(variable);
  const std::string typeText = tritonType(type);
  const std::string shape(isOfLines_ ? kLineShape : kBlockShape);
  if (problem_.isOk() && !number.expression && !canHold(type, number.value))
    problem_ = invalidArgument("the number {} is no value of {}, in which it is computed with",
                               attributeText(number.value), dataTypeName(type));
  if (!number.expression)
    return line(fmt::format("{} = tl.full({}, {}, {})", variable, shape,
                            literal(number.value, type), typeText));
  const std::string name = parameter(variable + "_value", {LaunchArgument::Kind::Integer,
                                                           0,
                                                           *number.expression,
                                                           DataType::Int64,
                                                           0,
                                                           number.expression->toString(),
                                                           {}});
  const std::string value =
      type == DataType::Bool ? name + " != 0" : fmt::format("{}.to({})", name, typeText);
  line(fmt::format("{} = tl.broadcast_to({}, {})", variable, value, shape));
}

std::string LoopKernel::coordinate(size_t dim) {
  usesCoordinates_ = true;
  return coordinateText(dim);
}

std::string LoopKernel::coordinateText(size_t dim) {
  coordinates_.insert(dim);
  return fmt::format("i{}", dim);
}

std::string LoopKernel::integer(const Expr &expr) {
  if (const std::optional<int64_t> constant = expr.constantValue())
    return *constant < 0 ? fmt::format("({})", *constant) : std::to_string(*constant);
  const std::string text = expr.toString();
  auto [known, isNew] = integers_.try_emplace(text);
  if (isNew) {
    const std::string name =
        isExporterSymbol(text) ? text : fmt::format("size{}", integers_.size() - 1);
    known->second =
        parameter(name, {LaunchArgument::Kind::Integer, 0, expr, DataType::Int64, 0, text, {}});
  }
  return known->second;
}

/// A parameter of its own for an argument.
std::string LoopKernel::parameter(const std::string &wanted, LaunchArgument argument) {
  std::string name = wanted;
  for (int count = 1;
       std::ranges::find(parameters_, name, &std::pair<std::string, LaunchArgument>::first) !=
       parameters_.end();
       ++count)
    name = fmt::format("{}_{}", wanted, count);
  parameters_.emplace_back(name, std::move(argument));
  return name;
}

/// The parameter of a tensor, made at its first use.
std::string LoopKernel::pointer(bool isOutput, uint32_t tensor) {
  const auto kind = isOutput ? LaunchArgument::Kind::Output : LaunchArgument::Kind::Input;
  for (const auto &[name, argument] : parameters_)
    if (argument.kind == kind && argument.index == tensor)
      return name;
  const std::string text = !isOutput                   ? node_.inputNames[tensor]
                           : node_.outputs.size() == 1 ? "out"
                                                       : fmt::format("out{}", tensor);
  return parameter(identifier(text) + "_ptr", {kind, tensor, Expr(), DataType::Int32, 0, text, {}});
}

bool LoopKernel::fitsInt32() const {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max() - kBlock;
  const auto fits = [&](const Expr &count) {
    const std::optional<int64_t> most = boundsIn(node_, count).max;
    return most && *most <= kMost;
  };
  return fits(productOf(domain_)) &&
         std::ranges::all_of(
             loads_, [&](const Access &a) { return fits(node_.inputs[a.tensor].numel()); }) &&
         std::ranges::all_of(
             stores_, [&](const Access &a) { return fits(node_.outputs[a.tensor].numel()); });
}

/// Drops dimensions of size 1, and makes one of two neighbours where every tensor takes a step of
/// the outer one as a whole run of the inner one.
void LoopKernel::mergeDimensions() {
  std::vector<StridedAccess *> places;
  for (std::vector<Access> *accesses : {&loads_, &stores_})
    for (Access &access : *accesses)
      places.push_back(&access.place);
  const auto erase = [&](size_t dim) {
    domain_.erase(domain_.begin() + static_cast<std::ptrdiff_t>(dim));
    for (StridedAccess *place : places)
      place->strides.erase(place->strides.begin() + static_cast<std::ptrdiff_t>(dim));
  };
  const size_t kept = holdsLines_ ? 1 : 0; // the last dimension is a line
  for (size_t dim = domain_.size() - kept; dim-- > 0;)
    if (domain_[dim] == Expr(1))
      erase(dim);
  for (size_t dim = domain_.size() - kept; dim-- > 1;) {
    const bool canMerge = std::ranges::all_of(places, [&](const StridedAccess *place) {
      return place->strides[dim - 1] == place->strides[dim] * domain_[dim];
    });
    if (!canMerge)
      continue;
    const Expr merged = domain_[dim - 1] * domain_[dim];
    for (StridedAccess *place : places)
      place->strides[dim - 1] = place->strides[dim];
    domain_[dim - 1] = merged;
    erase(dim);
  }
}

std::string LoopKernel::indexText(const StridedAccess &place) {
  std::string text;
  const auto add = [&](const std::string &term) { text += (text.empty() ? "" : " + ") + term; };
  if (place.strides == denseStrides(domain_)) {
    add("offsets");
  } else {
    for (size_t dim = 0; dim < domain_.size(); ++dim)
      if (place.strides[dim] == Expr(1))
        add(coordinateText(dim));
      else if (place.strides[dim] != Expr(0))
        add(coordinateText(dim) + " * " + integer(place.strides[dim]));
  }
  if (place.offset != Expr(0))
    add(integer(place.offset));
  return text;
}

std::string LoopKernel::accessText(const Access &access) {
  const std::string base = pointer(access.isStore, access.tensor);
  const std::string index = access.index.empty() ? indexText(access.place) : access.index;
  const std::string address = index.empty() ? base : base + " + " + index;
  if (access.isOfLines)
    return lineAccessText(access, base, index);
  if (access.isStore)
    return fmt::format("tl.store({}, {}, mask=in_range)", address, access.variable);
  const bool isOne = std::ranges::all_of(access.place.strides,
                                         [](const Expr &stride) { return stride == Expr(0); }) &&
                     access.index.empty() && index.find("offsets") == std::string::npos;
  // An element that all share is there if there is any element of the result.
  if (isOne && access.condition.empty())
    return fmt::format("{} = tl.broadcast_to(tl.load({}), [BLOCK])", access.variable, address);
  if (access.condition.empty())
    return fmt::format("{} = tl.load({}, mask=in_range)", access.variable, address);
  return fmt::format("{} = tl.load({}, mask=in_range & ({}), other={})", access.variable,
                     isOne ? address + " + offsets * 0" : address, access.condition,
                     access.otherwise);
}

/// An access of what is the same along a line.
std::string LoopKernel::lineAccessText(const Access &access, const std::string &base,
                                       const std::string &index) {
  if (access.isStore)
    return fmt::format("tl.store({} + {}, {}, mask=row_in_range)", base,
                       index.empty() ? "rows" : index, access.variable);
  if (index.empty())
    return fmt::format("{} = tl.broadcast_to(tl.load({}), {})", access.variable, base, kLineShape);
  const bool isOne = std::ranges::all_of(access.place.strides,
                                         [](const Expr &stride) { return stride == Expr(0); });
  return fmt::format("{} = tl.load({} + {}{}, mask=row_in_range)", access.variable, base, index,
                     isOne ? " + rows * 0" : "");
}

/// Rows of whole runs of the last dimension: what is at a stride of 1 in it is read and written in
/// runs too, and the coordinates of other dimensions are found once for each row. Only where that
/// is of use: plain offsets are runs already.
std::optional<LoopKernel::Tile> LoopKernel::findTile() const {
  if (holdsLines_) {
    const auto length = static_cast<uint64_t>(domain_.back().constantValue().value());
    const auto columns = static_cast<int64_t>(std::bit_ceil(length));
    return Tile{std::clamp<int64_t>(kBlock / columns, 1, 64), columns, Expr(1)};
  }
  // CPUs divide by sizes that are not known element by element, so that even short runs are worth
  // it there.
  const bool areDivisionsDear =
      !isForGpu(node_) &&
      std::ranges::any_of(domain_, [](const Expr &size) { return !size.isConstant(); });
  const int64_t leastColumns = areDivisionsDear ? 16 : 32;
  if (domain_.size() < 2)
    return std::nullopt;
  const std::optional<int64_t> known = domain_.back().constantValue();
  if (known ? *known < leastColumns : !areDivisionsDear)
    return std::nullopt;
  const std::vector<Expr> dense = denseStrides(domain_);
  const auto isPlain = [&](const Access &access) {
    return access.index.empty() && access.place.strides == dense;
  };
  if (!usesCoordinates_ && std::ranges::all_of(loads_, isPlain) &&
      std::ranges::all_of(stores_, isPlain))
    return std::nullopt;
  constexpr int64_t kSide = 32;
  if (!known)
    return Tile{kBlock / kSide, kSide, ceilDiv(domain_.back(), Expr(kSide))};
  // The most columns of which few are beyond the end.
  const int64_t run = *known;
  int64_t columns = kBlock;
  const auto covered = [&] { return roundUp(run, columns); };
  while (columns > leastColumns && covered() - run > run / 8)
    columns /= 2;
  // A tensor whose neighbours are rows is read by lines of the cache, which all rows of a tile
  // share.
  const auto isTransposed = [&](const Access &access) {
    const std::vector<Expr> &strides = access.place.strides;
    return access.index.empty() && strides[strides.size() - 2] == Expr(1) &&
           strides.back() != Expr(1) && strides.back() != Expr(0);
  };
  if (!isForGpu(node_) && std::ranges::any_of(loads_, isTransposed))
    columns = std::min(columns, kSide);
  return Tile{kBlock / columns, columns, Expr(covered() / columns)};
}

/// Offsets, mask and the coordinates that are used.
std::string LoopKernel::headText(const std::optional<Tile> &tile, const std::string &count,
                                 bool isNarrow) {
  const std::string program = isNarrow ? "tl.program_id(0)" : "tl.program_id(0).to(tl.int64)";
  std::string text, element = "offsets";
  std::span<const Expr> domain = domain_;
  if (!tile) {
    text += fmt::format("    offsets = {} * BLOCK + tl.arange(0, BLOCK)\n", program);
    text += fmt::format("    in_range = offsets < {}\n", count);
  } else {
    const std::string run = integer(domain_.back()),
                      column = fmt::format("i{}", domain_.size() - 1);
    const bool isOne = tile->blocks == Expr(1);
    const std::string blocks = isOne ? "" : integer(tile->blocks);
    text += fmt::format("    program = {}\n", program);
    text += fmt::format("    rows = program{} * ROWS + tl.arange(0, ROWS)[:, None]\n",
                        isOne ? "" : fmt::format(" // {}", blocks));
    text += fmt::format("    {} = {}tl.arange(0, COLUMNS)[None, :]\n", column,
                        isOne ? "" : fmt::format("program % {} * COLUMNS + ", blocks));
    text += fmt::format("    in_range = (rows < {}) & ({} < {})\n", count, column, run);
    text += fmt::format("    offsets = rows * {} + {}\n", run, column);
    if (holdsLines_)
      text += fmt::format("    row_in_range = rows < {}\n", count);
    element = "rows";
    domain = domain.first(domain.size() - 1);
  }
  return text + coordinatesText(domain, element);
}

std::string LoopKernel::coordinatesText(std::span<const Expr> domain, const std::string &element) {
  std::string text;
  for (size_t dim : coordinates_) {
    if (dim >= domain.size())
      continue; // the column
    const Expr run = productOf(domain.subspan(dim + 1));
    const bool isOutermost =
        std::ranges::all_of(domain.first(dim), [](const Expr &size) { return size == Expr(1); });
    text +=
        fmt::format("    i{} = {}{}{}\n", dim, element, run == Expr(1) ? "" : " // " + integer(run),
                    isOutermost ? "" : " % " + integer(domain[dim]));
  }
  return text;
}

std::string LoopKernel::takeParameters(bool isNarrow, std::vector<LaunchArgument> &arguments) {
  std::string names;
  for (auto &[name, argument] : parameters_) {
    // Other integers than values count elements.
    if (isNarrow && argument.kind == LaunchArgument::Kind::Integer && !name.ends_with("_value"))
      argument.dtype = DataType::Int32;
    names += (names.empty() ? "" : ", ") + name;
    arguments.push_back(std::move(argument));
  }
  return names;
}

Result<GroupTail> LoopKernel::tailFunction(const std::string &result) {
  INLAY_TRY(problem_);
  GroupTail tail;
  const bool isNarrow = fitsInt32();
  mergeDimensions();
  std::string loads, lines;
  for (const Access &access : loads_)
    loads += "    " + accessText(access) + "\n";
  for (const std::string &line : lines_)
    lines += "    " + line + "\n";
  std::string body =
      fmt::format("    offsets = offsets.to({})\n", isNarrow ? "tl.int32" : "tl.int64") +
      coordinatesText(domain_, "offsets") + loads + lines;
  constexpr std::string_view kOwnShape = "value.shape";
  for (size_t at = body.find(kBlockShape); at != std::string::npos; at = body.find(kBlockShape, at))
    body.replace(at, kBlockShape.size(), kOwnShape);
  tail.parameters = takeParameters(isNarrow, tail.arguments);
  tail.text =
      functionsCalledIn(body) +
      fmt::format("@triton.jit\ndef tail(value, offsets, in_range{}):\n{}    return {}\n\n\n",
                  tail.parameters.empty() ? "" : ", " + tail.parameters, body, result);
  return tail;
}

Status LoopKernel::appendTo(PluginImplementation &implementation) {
  INLAY_TRY(problem_);
  const Expr numel = productOf(domain_);
  if (numel == Expr(0))
    return {};
  const bool isNarrow = fitsInt32();
  if (!usesCoordinates_)
    mergeDimensions();
  std::string loads, lines, stores;
  for (const Access &access : loads_)
    loads += "    " + accessText(access) + "\n";
  for (const Access &access : stores_)
    stores += "    " + accessText(access) + "\n";
  for (const std::string &line : lines_)
    lines += "    " + line + "\n";
  const std::optional<Tile> tile = findTile();
  const Expr count = tile ? productOf(std::span(domain_).first(domain_.size() - 1)) : numel;
  const std::string counted = tile ? "num_rows" : "numel";
  const std::string countName = parameter(
      counted, {LaunchArgument::Kind::Integer, 0, count, DataType::Int64, 0, counted, {}});
  std::string body = headText(tile, countName, isNarrow) + loads + lines + stores;
  for (size_t at = body.find(kBlockShape); tile && at != std::string::npos;
       at = body.find(kBlockShape, at))
    body.replace(at, kBlockShape.size(), "[ROWS, COLUMNS]");

  PluginLaunch launch;
  const std::string parameters = takeParameters(isNarrow, launch.arguments) + ", ";
  launch.kernel.path = name_ + ".py";
  launch.kernel.function = name_ + "_kernel";
  const std::string head = "import triton\nimport triton.language as tl\nfrom "
                           "triton.language.extra import libdevice\n\n\n";
  launch.kernel.source =
      head + functionsCalledIn(body) +
      fmt::format("@triton.jit\ndef {}({}{}):\n{}", launch.kernel.function, parameters,
                  tile ? "ROWS: tl.constexpr, COLUMNS: tl.constexpr" : "BLOCK: tl.constexpr", body);
  if (tile)
    launch.kernel.constexprs = {{"ROWS", tile->rows}, {"COLUMNS", tile->columns}};
  else
    launch.kernel.constexprs["BLOCK"] = kBlock;
  launch.grid[0] =
      tile ? ceilDiv(count, Expr(tile->rows)) * tile->blocks : ceilDiv(numel, Expr(kBlock));
  implementation.launches.push_back(std::move(launch));
  return {};
}

} // namespace inlay
