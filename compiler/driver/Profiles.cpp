#include "compiler/driver/Profiles.h"

#include "base/Error.h"
#include "symbolic/Expr.h"

#include "mlir/IR/Builders.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace inlay {
namespace {

constexpr llvm::StringLiteral kProfilesName = "plan.profiles";

struct SymbolRange {
  std::string name;
  int64_t min = 0, opt = 0, max = 0;
};

struct InputDims {
  std::string name;
  std::vector<Expr> shape;
};

/// What profiles can name.
struct Dimensions {
  std::vector<SymbolRange> symbols;
  std::vector<InputDims> inputs;
};

/// The whole of a text as a number that is not negative.
std::optional<int64_t> parseSize(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

Result<ProfileDim> parseDim(std::string_view entry) {
  const size_t equals = entry.rfind('=');
  ProfileDim dim;
  std::vector<int64_t> sizes;
  std::string_view rest =
      equals == std::string_view::npos ? std::string_view() : entry.substr(equals + 1);
  bool isGood = equals != std::string_view::npos && equals > 0;
  while (isGood) {
    const size_t comma = rest.find(',');
    const std::optional<int64_t> size = parseSize(rest.substr(0, comma));
    isGood = size.has_value();
    if (isGood)
      sizes.push_back(*size);
    if (comma == std::string_view::npos)
      break;
    rest = rest.substr(comma + 1);
  }
  if (!isGood || (sizes.size() != 1 && sizes.size() != 3))
    return invalidArgument(
        "'{}' is no dimension of a profile; expected DIM=MIN,OPT,MAX or DIM=SIZE "
        "with sizes from 0, for example X:0=1,64,1024 or s0=8",
        entry);
  dim.name = entry.substr(0, equals);
  dim.min = sizes.front();
  dim.opt = sizes[sizes.size() / 2];
  dim.max = sizes.back();
  if (dim.opt < dim.min || dim.max < dim.opt)
    return invalidArgument("'{}' has min {}, opt {} and max {}; expected min <= opt <= max", entry,
                           dim.min, dim.opt, dim.max);
  return dim;
}

std::string listNames(const Dimensions &dimensions) {
  std::string inputs, symbols;
  for (const InputDims &input : dimensions.inputs)
    inputs += fmt::format("{}'{}' of rank {}", inputs.empty() ? "" : ", ", input.name,
                          input.shape.size());
  for (const SymbolRange &symbol : dimensions.symbols)
    symbols += fmt::format("{}'{}'", symbols.empty() ? "" : ", ", symbol.name);
  return fmt::format("inputs: {}; symbols: {}", inputs.empty() ? "none" : inputs,
                     symbols.empty() ? "none" : symbols);
}

std::optional<size_t> findSymbol(const Dimensions &dimensions, std::string_view name) {
  for (size_t i = 0; i < dimensions.symbols.size(); ++i)
    if (dimensions.symbols[i].name == name)
      return i;
  return std::nullopt;
}

/// The symbol that "X:0" or "s0" names.
Result<size_t> lookupDim(const Dimensions &dimensions, const std::string &name) {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) {
    if (const std::optional<size_t> symbol = findSymbol(dimensions, name))
      return *symbol;
    return notFound("the model has no dimension '{}'; name one as INPUT:DIM or by its symbol; {}",
                    name, listNames(dimensions));
  }
  const std::optional<int64_t> dim = parseSize(std::string_view(name).substr(colon + 1));
  const auto input = std::ranges::find(dimensions.inputs, std::string_view(name).substr(0, colon),
                                       &InputDims::name);
  if (!dim || input == dimensions.inputs.end() || *dim >= static_cast<int64_t>(input->shape.size()))
    return notFound("the model has no dimension '{}'; {}", name, listNames(dimensions));
  const Expr &size = input->shape[static_cast<size_t>(*dim)];
  if (size.kind() == ExprKind::Symbol)
    if (const std::optional<size_t> symbol = findSymbol(dimensions, size.symbolName()))
      return *symbol;
  return invalidArgument("dimension {} of input '{}' is {}, which a profile cannot change; symbols "
                         "can: {}",
                         *dim, input->name, size.toString(), listNames(dimensions));
}

/// The ranges of one profile, for each symbol.
Result<std::vector<SymbolRange>> rangesOf(const Dimensions &dimensions,
                                          const ShapeProfile &profile) {
  std::vector<SymbolRange> ranges = dimensions.symbols;
  std::vector<const ProfileDim *> namedBy(ranges.size());
  for (const ProfileDim &dim : profile.dims) {
    INLAY_ASSIGN(const size_t index, lookupDim(dimensions, dim.name));
    const SymbolRange &allowed = dimensions.symbols[index];
    if (dim.min < allowed.min || dim.max > allowed.max)
      return outOfRange("'{}' ({}) is to have {} to {}; the model takes {} to {}", dim.name,
                        allowed.name, dim.min, dim.max, allowed.min,
                        allowed.max == INT64_MAX ? "any size" : fmt::format("{}", allowed.max));
    if (const ProfileDim *other = namedBy[index];
        other && (other->min != dim.min || other->opt != dim.opt || other->max != dim.max))
      return invalidArgument("'{}' and '{}' are the same dimension, {}; it is given two ranges, "
                             "{} to {} and {} to {}",
                             other->name, dim.name, allowed.name, other->min, other->max, dim.min,
                             dim.max);
    namedBy[index] = &dim;
    ranges[index] = {allowed.name, dim.min, dim.opt, dim.max};
  }
  return ranges;
}

/// The ranges of all profiles; narrows `dimensions` to what encloses them.
Result<std::vector<std::vector<SymbolRange>>> narrow(Dimensions &dimensions,
                                                     std::span<const ShapeProfile> profiles) {
  std::vector<std::vector<SymbolRange>> all;
  for (const ShapeProfile &profile : profiles) {
    INLAY_ASSIGN(all.emplace_back(), rangesOf(dimensions, profile),
                 fmt::format("reading profile {}", all.size() + 1));
  }
  for (size_t i = 0; i < dimensions.symbols.size() && !all.empty(); ++i) {
    SymbolRange hull = all.front()[i];
    for (const std::vector<SymbolRange> &ranges : all) {
      hull.min = std::min(hull.min, ranges[i].min);
      hull.max = std::max(hull.max, ranges[i].max);
    }
    dimensions.symbols[i] = hull;
  }
  return all;
}

} // namespace

Result<ShapeProfile> parseProfile(std::string_view text) {
  constexpr std::string_view kSeparators = " ;\t\n";
  ShapeProfile profile;
  for (size_t at = text.find_first_not_of(kSeparators); at != std::string_view::npos;
       at = text.find_first_not_of(kSeparators, at)) {
    const size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
    INLAY_ASSIGN(profile.dims.emplace_back(), parseDim(text.substr(at, end - at)));
    at = end;
  }
  if (profile.dims.empty())
    return invalidArgument("a profile without dimensions was given; expected DIM=MIN,OPT,MAX …");
  return profile;
}

Status applyProfiles(graph::ModelOp model, std::span<const ShapeProfile> profiles) {
  Dimensions dimensions;
  for (auto entry : model.getSymbols().getAsRange<mlir::DictionaryAttr>()) {
    const auto field = [&](llvm::StringRef name) {
      return entry.getAs<mlir::IntegerAttr>(name).getInt();
    };
    dimensions.symbols.push_back({entry.getAs<mlir::StringAttr>("name").str(),
                                  std::max<int64_t>(0, field("min")), field("opt"), field("max")});
  }
  for (auto [name, argument] : llvm::zip(model.getInputNames(), model.getBlock().getArguments()))
    dimensions.inputs.push_back(
        {mlir::cast<mlir::StringAttr>(name).str(),
         mlir::cast<graph::TensorType>(argument.getType()).getSpec().shape});
  INLAY_TRY(narrow(dimensions, profiles).status());
  mlir::Builder builder(model.getContext());
  std::vector<mlir::Attribute> symbols;
  for (const SymbolRange &symbol : dimensions.symbols) {
    const auto entry = [&](llvm::StringRef name, int64_t value) {
      return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
    };
    symbols.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("name", builder.getStringAttr(symbol.name)), entry("min", symbol.min),
         entry("max", symbol.max), entry("opt", symbol.opt)}));
  }
  model.setSymbolsAttr(builder.getArrayAttr(symbols));
  return {};
}

Status applyProfiles(plan::ProgramOp program, std::span<const ShapeProfile> profiles) {
  Dimensions dimensions;
  for (auto symbol : program.getBody().getOps<plan::SymbolOp>())
    dimensions.symbols.push_back({symbol.getName().str(), static_cast<int64_t>(symbol.getMin()),
                                  static_cast<int64_t>(symbol.getOpt()),
                                  static_cast<int64_t>(symbol.getMax())});
  for (auto input : program.getBody().getOps<plan::InputOp>()) {
    InputDims &dims = dimensions.inputs.emplace_back();
    dims.name = input.getName().str();
    for (mlir::Attribute size : input.getShape()) {
      INLAY_ASSIGN(dims.shape.emplace_back(),
                   parseExpr(std::string_view(mlir::cast<mlir::StringAttr>(size).getValue())));
    }
  }
  INLAY_ASSIGN(const auto all, narrow(dimensions, profiles));
  mlir::Builder builder(program.getContext());
  size_t index = 0;
  for (auto symbol : program.getBody().getOps<plan::SymbolOp>()) {
    const SymbolRange &range = dimensions.symbols[index++];
    symbol.setMinAttr(builder.getI64IntegerAttr(range.min));
    symbol.setMaxAttr(builder.getI64IntegerAttr(range.max));
    symbol.setOptAttr(builder.getI64IntegerAttr(range.opt));
  }
  std::vector<mlir::Attribute> kept;
  for (const std::vector<SymbolRange> &ranges : all) {
    std::vector<int64_t> numbers;
    for (const SymbolRange &range : ranges)
      numbers.insert(numbers.end(), {range.min, range.opt, range.max});
    kept.push_back(builder.getDenseI64ArrayAttr(numbers));
  }
  program->setAttr(kProfilesName, builder.getArrayAttr(kept));
  return {};
}

Result<std::vector<std::vector<int64_t>>> profilesOf(plan::ProgramOp program) {
  std::vector<std::vector<int64_t>> profiles;
  const mlir::Attribute attribute = program->getAttr(kProfilesName);
  if (!attribute)
    return profiles;
  const auto symbols = program.getBody().getOps<plan::SymbolOp>();
  const auto count = static_cast<size_t>(std::distance(symbols.begin(), symbols.end()));
  const auto array = mlir::dyn_cast<mlir::ArrayAttr>(attribute);
  for (size_t i = 0; array && i < array.size(); ++i) {
    const auto numbers = mlir::dyn_cast<mlir::DenseI64ArrayAttr>(array[i]);
    if (!numbers || static_cast<size_t>(numbers.size()) != 3 * count)
      break;
    profiles.emplace_back(numbers.asArrayRef().begin(), numbers.asArrayRef().end());
  }
  if (!array || profiles.size() != array.size())
    return invalidArgument("{} of the plan is of another form: expected arrays of i64, three "
                           "numbers for each of its {} symbols",
                           std::string_view(kProfilesName), count);
  return profiles;
}

} // namespace inlay
