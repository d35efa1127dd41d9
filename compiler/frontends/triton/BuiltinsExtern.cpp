// Functions that are called by the symbols of NVIDIA's libdevice: tl.extern_elementwise.
#include "compiler/frontends/triton/Builtins.h"

#include <algorithm>

using namespace mlir;

namespace inlay::triton {

namespace {

constexpr std::string_view kPrefix = "__nv_";

std::string typeList(const Value::Elements &types) {
  std::string text;
  for (const Value &type : types)
    text +=
        (text.empty() ? "" : ", ") + (type.asDtype() ? toString(*type.asDtype()) : describe(type));
  return "(" + text + ")";
}

/// A function of ours for a symbol of libdevice.
struct Found {
  std::string path;      // of triton.language.extra.libdevice
  bool isSingle = false; // the symbol's 'f' at the end says fp32
};

/// "__nv_sinf" and "__nv_sin" are sin of fp32 and fp64, "__nv_fadd_rn" and "__nv_dadd_rn" add_rn,
/// "__nv_popcll" popc.
std::optional<Found> findFunction(Emitter &emitter, std::string_view symbol) {
  if (!symbol.starts_with(kPrefix))
    return std::nullopt;
  std::string name(symbol.substr(kPrefix.size()));
  auto known = [&](const std::string &candidate) -> std::optional<std::string> {
    std::string path = "triton.language.extra.libdevice." + candidate;
    bool isInternal = candidate.starts_with('_');
    if (!candidate.empty() && !isInternal &&
        (findBuiltin(path) || emitter.library().findPath(path)))
      return path;
    return std::nullopt;
  };
  constexpr std::pair<std::string_view, std::string_view> others[] = {
      {"isnand", "isnan"},     {"isinfd", "isinf"},   {"isfinited", "isfinited"},
      {"signbitd", "signbit"}, {"umul64hi", "mulhi"}, {"mul64hi", "mulhi"},
      {"umulhi", "mulhi"},     {"umul24", "mul24"},   {"usad", "sad"},
      {"uhadd", "hadd"},       {"urhadd", "rhadd"},   {"llabs", "abs"},
      {"popcll", "popc"},      {"clzll", "clz"},      {"ffsll", "ffs"},
      {"brevll", "brev"},      {"fmaxf", "fmax"},     {"fminf", "fmin"},
      {"max", "maximum"},      {"min", "minimum"},    {"umax", "maximum"},
      {"umin", "minimum"},     {"llmax", "maximum"},  {"llmin", "minimum"},
      {"ullmax", "maximum"},   {"ullmin", "minimum"}};
  for (const auto &[from, to] : others)
    if (name == from)
      return Found{
          (to.ends_with("imum") ? "triton.language." : "triton.language.extra.libdevice.") +
              std::string(to),
          to == "fmax" || to == "fmin"};
  if (auto path = known(name))
    return Found{*path};
  if (name.ends_with('f'))
    if (auto path = known(name.substr(0, name.size() - 1)))
      return Found{*path, true};
  bool isRounded = name.size() > 3 && name[name.size() - 3] == '_' && name[name.size() - 2] == 'r';
  if (isRounded && (name[0] == 'f' || name[0] == 'd'))
    if (auto path = known(name.substr(1)))
      return Found{*path, name[0] == 'f'};
  // __nv_fmaf_rn
  if (isRounded && name[name.size() - 4] == 'f')
    if (auto path = known(name.substr(0, name.size() - 4) + name.substr(name.size() - 3)))
      return Found{*path, true};
  return std::nullopt;
}

/// The entry of the dict whose types are the operands'; null after an error.
const Value *findEntry(Emitter &emitter, const BoundArguments &arguments,
                       const std::vector<Tensor> &operands) {
  const DictValue *dict = arguments[3].asDict();
  if (!dict)
    return emitter.errorAt(arguments.span(3),
                           fmt::format("'{}' must be a dict of types and symbols, not {}",
                                       arguments.name(3), describe(arguments[3]))),
           nullptr;
  std::string known;
  for (const auto &[types, entry] : dict->entries) {
    const Value::Elements *elements = types.asTuple();
    if (!elements)
      return emitter.errorAt(arguments.span(3), "the keys must be tuples of dtypes"), nullptr;
    bool isSame = elements->size() == operands.size();
    for (size_t i = 0; i < operands.size() && isSame; ++i) {
      const Type *type = (*elements)[i].asDtype();
      isSame = type && !type->isPointer && !operands[i].type.isPointer &&
               type->scalar == operands[i].type.scalar;
    }
    if (isSame)
      return &entry;
    known += (known.empty() ? "" : ", ") + typeList(*elements);
  }
  Value::Elements given;
  for (const Tensor &operand : operands)
    given.push_back(Value::dtype(operand.type.element()));
  return emitter.errorAt(arguments.span(2),
                         fmt::format("operands of types {} are none of those the dict names: {}",
                                     typeList(given), known)),
         nullptr;
}

/// All operands as tensors of one shape; if the dict does not name their types, of the type that an
/// operator would give them. False after an error.
bool prepareOperands(Emitter &emitter, const BoundArguments &arguments,
                     std::vector<Tensor> &operands) {
  Semantics &semantics = emitter.semantics();
  Value::Elements one{arguments[2]};
  for (const Value &value : arguments[2].asTuple() ? *arguments[2].asTuple() : one) {
    Value tensor = semantics.toTensor(value, "an operand of extern_elementwise");
    if (tensor.isPoison())
      return false;
    operands.push_back(*tensor.asTensor());
  }
  for (int round = 0; round < 2; ++round)
    for (size_t i = 1; i < operands.size(); ++i)
      if (!semantics.broadcast(operands[0], operands[i]))
        return false;
  const DictValue *dict = arguments[3].asDict();
  bool isNamed = !dict;
  for (const auto &[types, entry] : dict ? dict->entries : decltype(dict->entries)()) {
    const Value::Elements *elements = types.asTuple();
    bool isSame = elements && elements->size() == operands.size();
    for (size_t i = 0; i < operands.size() && isSame; ++i)
      isSame =
          (*elements)[i].asDtype() && (*elements)[i].asDtype()->scalar == operands[i].type.scalar;
    isNamed = isNamed || isSame;
  }
  for (int round = 0; round < 2 && !isNamed; ++round)
    for (size_t i = 1; i < operands.size(); ++i) {
      Value a = Value::tensor(operands[0]), b = Value::tensor(operands[i]);
      if (!semantics.unify(a, b, "extern_elementwise"))
        return false;
      operands[0] = *a.asTensor();
      operands[i] = *b.asTensor();
    }
  return true;
}

Value externElementwise(Emitter &emitter, const BoundArguments &arguments) {
  auto library = arguments.string(emitter, 0);
  auto isPure = arguments.boolean(emitter, 4);
  std::vector<Tensor> operands;
  if (!library || !isPure || !prepareOperands(emitter, arguments, operands))
    return Value::poison();
  const Value *entry = findEntry(emitter, arguments, operands);
  if (!entry)
    return Value::poison();
  const Value::Elements *parts = entry->asTuple();
  const std::string *symbol = parts && parts->size() == 2 ? (*parts)[0].asString() : nullptr;
  const Type *type = parts && parts->size() == 2 ? (*parts)[1].asDtype() : nullptr;
  if (!symbol || !type)
    return emitter.errorAt(
        arguments.span(3),
        fmt::format("the entry must be a symbol and a dtype, not {}", describe(*entry)));
  std::optional<Found> found = findFunction(emitter, *symbol);
  if (!found)
    return emitter.errorAt(
        arguments.span(3),
        fmt::format("symbol '{}' of library '{}' is not known; of libdevice most functions are "
                    "(__nv_sinf and their like), code of other libraries cannot be linked",
                    *symbol, *library));
  const Scalar first = operands.empty() ? Scalar::Float32 : operands[0].type.scalar;
  if (found->isSingle && first != Scalar::Float32)
    return emitter.errorAt(arguments.span(3), fmt::format("symbol '{}' takes fp32, not {}", *symbol,
                                                          toString(operands[0].type.element())));
  CallArguments call;
  call.span = emitter.span();
  for (const Tensor &operand : operands)
    call.positional.push_back(Value::tensor(operand));
  call.positionalSpans.resize(call.positional.size(), emitter.span());
  Value result = emitter.call(Value::external(found->path), std::move(call));
  if (result.isPoison())
    return result;
  result = emitter.semantics().toTensor(result, "the result");
  return result.isPoison() ? result : emitter.semantics().cast(*result.asTensor(), *type);
}

/// tl.dtype("fp32")
Value dtypeOfName(Emitter &emitter, const BoundArguments &arguments) {
  auto name = arguments.string(emitter, 0);
  if (!name)
    return Value::poison();
  if (auto scalar = findScalar(*name))
    return Value::dtype({*scalar, false, false, {}});
  return emitter.errorAt(arguments.span(0), fmt::format("there is no dtype '{}'", *name));
}

constexpr Builtin kBuiltins[] = {
    {"extern_elementwise", "lib_name, lib_path, args, arg_type_symbol_dict, is_pure",
     externElementwise},
    {"dtype", "name", dtypeOfName},
};

} // namespace

std::span<const Builtin> externBuiltins() { return kBuiltins; }

} // namespace inlay::triton
