#include "compiler/frontends/triton/Candidates.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace inlay::triton {

namespace {

std::string lowered(std::string_view name) {
  std::string lower;
  for (char c : name)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool containsAny(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

/// Candidates of one parameter, without repetitions, and why each is one.
class Choices {
public:
  void add(std::string choice, ChoiceGround ground = ChoiceGround::Use) {
    if (std::find(list_.begin(), list_.end(), choice) != list_.end())
      return;
    list_.push_back(std::move(choice));
    grounds_.push_back(ground);
  }
  void add(std::initializer_list<std::string_view> choices,
           ChoiceGround ground = ChoiceGround::Use) {
    for (std::string_view choice : choices)
      add(std::string(choice), ground);
  }
  bool empty() const { return list_.empty(); }
  std::vector<std::string> takeTexts() { return std::move(list_); }
  ParameterCandidates take(std::string name) {
    return {std::move(name), std::move(list_), std::move(grounds_)};
  }

private:
  std::vector<std::string> list_;
  std::vector<ChoiceGround> grounds_;
};

/// What a kernel is like as a whole.
struct KernelTraits {
  bool hasDot = false;
};

void addPointers(Choices &choices, const ParameterUse &use, const std::string &name,
                 const KernelTraits &traits) {
  Uses element = use.element;
  if (element.has(Use::PointerTable))
    choices.add({"*i64", "*u64"});
  if (element.has(Use::Address))
    choices.add({"*i64"});
  if (element.has(Use::Dot) && element.has(Use::BitMath)) // packed weights
    choices.add({"*i32", "*u8", "*i8"});
  if (element.has(Use::Dot))
    choices.add({"*fp16", "*bf16", "*fp32", "*i8", "*fp8e4nv"});
  else if (element.has(Use::Index) || (element.has(Use::ConstantSize)))
    choices.add(containsAny(name, {"seqlen", "len", "i32"})
                    ? std::initializer_list<std::string_view>{"*i32", "*i64"}
                    : std::initializer_list<std::string_view>{"*i64", "*i32"});
  else if (element.has(Use::FloatMath))
    choices.add(traits.hasDot ? std::initializer_list<std::string_view>{"*fp16", "*fp32"}
                              : std::initializer_list<std::string_view>{"*fp32", "*fp16"});
  else if (element.has(Use::IntMath))
    choices.add(containsAny(name, {"idx", "index", "ids", "label", "target"})
                    ? std::initializer_list<std::string_view>{"*i64", "*i32"}
                    : std::initializer_list<std::string_view>{"*i32", "*i64", "*u8", "*i8"});
  else if (element.has(Use::Condition))
    choices.add({"*i1", "*i8", "*i32"});
  else if (containsAny(name,
                       {"idx", "indices", "index", "ids", "label", "seqlen", "lock", "count"}))
    choices.add({"*i32", "*i64"});
  else if (traits.hasDot)
    choices.add({"*fp16", "*fp32", "*bf16"});
  choices.add({"*fp32", "*fp16", "*bf16", "*i32", "*i64", "*i8", "*u8", "*i1", "*fp8e4nv", "*fp64",
               "*u32"});
}

/// A float by its name: eps, scale, dropout_p, …
bool isFloatName(std::string_view name) {
  return containsAny(name, {"eps",      "scale",  "alpha",  "beta",      "gamma",
                            "lr",       "decay",  "prob",   "temp",      "softcap",
                            "momentum", "factor", "slope",  "threshold", "dropout",
                            "limit",    "weight", "lambda", "smoothing", "bias_correction",
                            "norm"}) ||
         name == "p" || name == "value" || name == "val";
}

void addScalars(Choices &choices, const ParameterUse &use, const std::string &name) {
  bool isInteger = use.value.has(Use::Index) || use.value.has(Use::IntMath);
  bool isFloat = use.value.has(Use::FloatMath);
  if (use.value.has(Use::PointerTable))
    choices.add({"i64", "u64"});
  if (isFloat && !use.value.has(Use::Index))
    choices.add({"fp32", "i32"});
  else if (isInteger)
    choices.add({"i32", "i64"});
  else if (use.value.has(Use::Condition))
    choices.add({"i32", "i1"});
  else if (isFloatName(name))
    choices.add({"fp32"});
}

void addConstants(Choices &choices, const ParameterUse &use, const std::string &name) {
  if (use.value.has(Use::Dtype))
    choices.add({"=tl.float32", "=tl.float16", "=tl.bfloat16", "=tl.int32", "=tl.int64"});
  for (const std::string &text : use.strings)
    choices.add("='" + text + "'");
  bool isNumber =
      use.value.has(Use::ConstantSize) || use.value.has(Use::Index) || use.value.has(Use::IntMath);
  bool isFlag = use.value.has(Use::Condition) && !isNumber;
  bool isNamedFlag = name.starts_with("is_") || name.starts_with("has_") ||
                     name.starts_with("use_") || name.starts_with("even_") ||
                     name.starts_with("enable") || name.starts_with("do_") ||
                     name.ends_with("_flag") || name.starts_with("return_") ||
                     name.starts_with("store_") || name.starts_with("need");
  if (isFlag || isNamedFlag) {
    bool isOtherVendor = containsAny(name, {"amd", "hip", "rocm", "npu", "xpu", "interpret"});
    choices.add(isOtherVendor ? std::initializer_list<std::string_view>{"=False", "=True"}
                              : std::initializer_list<std::string_view>{"=True", "=False"});
  }
  if (containsAny(name, {"dtype", "_type"}) && !isNumber && use.strings.empty())
    choices.add({"=tl.float32", "=tl.float16"});
  if (use.value.has(Use::FloatMath) && !isNumber)
    choices.add({"=1.0"});
  if (isFloatName(name) && !isNumber && !containsAny(name, {"block"}))
    choices.add({"=0.5"});
  if (use.value.has(Use::NoneTest) && !use.value.has(Use::ConstantSize))
    choices.add({"=None"});
  if (use.value.has(Use::Unrolled))
    choices.add({"=4", "=2", "=8"});
  if (name == "num_warps")
    choices.add({"=4"});
  if (containsAny(name, {"stage", "unroll", "ndim", "rank", "axis"}))
    choices.add({"=2", "=1", "=3"});
  if (containsAny(name, {"group"}))
    choices.add({"=8", "=16", "=32", "=64"});
  // A size is a positive integer: 0, False and the like only make its checks hold by accident.
  bool isSize = use.value.has(Use::ConstantSize) && !use.value.has(Use::NoneTest);
  if (isSize)
    choices.add("=64");
  for (const std::string &number : use.numbers)
    if (!isSize || number != "0")
      choices.add("=" + number);
  choices.add({"=64", "=32", "=16", "=128", "=1", "=2", "=4", "=8", "=256", "=1024"});
  if (!isSize)
    choices.add({"=True", "=False", "=None", "=0", "=1.0", "=tl.float32", "=tl.float16", "=''"});
}

/// Tuples of equal elements, of what one such parameter by itself would be.
void addTuples(Choices &choices, size_t size, std::vector<std::string> elements) {
  for (const std::string &element : elements) {
    std::string tuple = "(" + element;
    for (size_t i = 1; i < size; ++i)
      tuple += ", " + element;
    choices.add(tuple + (size == 1 ? ",)" : ")"));
  }
}

bool isConstant(const Parameter &parameter) {
  return isConstexprAnnotation(parameter.annotation.get());
}

/// Adds what launches pass for a compile-time parameter. True if one passes an integer.
bool addLaunched(Choices &choices, const Parameter &parameter, size_t position,
                 std::span<const Launch> launches) {
  bool isInteger = false;
  for (const Launch &launch : launches) {
    LaunchArgument argument;
    if (auto keyword = launch.keywords.find(parameter.name); keyword != launch.keywords.end())
      argument = keyword->second;
    else if (position < launch.positional.size())
      argument = launch.positional[position];
    isInteger |= argument.kind == LaunchArgument::Kind::Integer;
    if (argument.kind == LaunchArgument::Kind::Literal && isConstant(parameter))
      choices.add("=" + argument.text, ChoiceGround::Launch);
  }
  return isInteger;
}

void addDescriptors(Choices &choices, const ParameterUse &use) {
  std::string shape = "64"; // batches go one by one
  for (size_t d = 1; d < use.rank; ++d)
    shape = (d >= 2 ? "1, " : "64, ") + shape;
  for (std::string_view element : {"fp16", "bf16", "fp32"})
    choices.add("tensordesc<" + std::string(element) + "[" + shape + "]>");
}

/// The same for a parameter of which types are wanted, but a value will do.
void addRunTime(Choices &choices, const Parameter &parameter, const ParameterUse &use,
                bool isInteger, const KernelTraits &traits) {
  const std::string name = lowered(parameter.name);
  const bool isPointer = use.value.has(Use::Address);
  if (use.tupleSize > 0) {
    Choices elements;
    if (isPointer)
      addPointers(elements, use, name, traits);
    else
      addScalars(elements, use, name);
    elements.add("i32");
    addTuples(choices, use.tupleSize, elements.takeTexts());
  }
  if (isPointer)
    addPointers(choices, use, name, traits);
  if (isInteger && !isPointer)
    choices.add({"i32", "i64"}, ChoiceGround::Launch);
  if (!isPointer) {
    addScalars(choices, use, name);
    const bool isPointerName = containsAny(name, {"ptr", "pointer"});
    const bool isUnusedOption = use.value.has(Use::NoneTest) || !use.isUsed;
    if ((isPointerName || isUnusedOption) && choices.empty())
      choices.add({"*fp32"});
  }
  if (parameter.defaultValue)
    choices.add("=", ChoiceGround::Default);
  if (use.value.has(Use::NoneTest))
    choices.add({"=None"});
  if (use.value.has(Use::Dtype))
    choices.add({"=tl.float32", "=tl.float16"});
  if (use.value.has(Use::ConstantSize))
    choices.add({"=64", "=16", "=1"});
  if (use.value.has(Use::Index))
    choices.add({"i32:1"});
  choices.add({"i32", "fp32", "i64", "*fp32", "*i64", "*i32", "i1", "=True", "=64"});
}

} // namespace

std::string_view choiceGroundName(ChoiceGround ground) {
  switch (ground) {
  case ChoiceGround::Configuration:
    return "configuration";
  case ChoiceGround::Launch:
    return "launch";
  case ChoiceGround::Default:
    return "default value";
  case ChoiceGround::Use:
    return "use";
  case ChoiceGround::Option:
    return "option";
  }
  return "";
}

std::vector<ParameterCandidates>
proposeCandidates(const Function &function, const std::vector<ParameterUse> &uses,
                  std::span<const Launch> launches,
                  const std::map<std::string, std::string> &values) {
  KernelTraits traits;
  for (const ParameterUse &use : uses)
    traits.hasDot |= use.element.has(Use::Dot);
  std::vector<ParameterCandidates> candidates;
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    const Parameter &parameter = function.parameters[i];
    const ParameterUse use = i < uses.size() ? uses[i] : ParameterUse();
    Choices choices;
    if (auto sure = values.find(parameter.name); sure != values.end())
      choices.add("=" + sure->second, ChoiceGround::Configuration);
    const bool isInteger = addLaunched(choices, parameter, i, launches);
    if (isConstant(parameter)) {
      if (parameter.defaultValue)
        choices.add("=", ChoiceGround::Default);
      if (isInteger && !use.value.has(Use::ConstantSize))
        choices.add("=64", ChoiceGround::Launch);
      addConstants(choices, use, lowered(parameter.name));
    } else if (use.value.has(Use::Descriptor)) {
      addDescriptors(choices, use);
    } else {
      addRunTime(choices, parameter, use, isInteger, traits);
    }
    candidates.push_back(choices.take(parameter.name));
  }
  return candidates;
}

} // namespace inlay::triton
