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

/// Candidates of one parameter, without repetitions.
class Choices {
public:
  void add(std::string choice) {
    if (std::find(list_.begin(), list_.end(), choice) == list_.end())
      list_.push_back(std::move(choice));
  }
  void add(std::initializer_list<std::string_view> choices) {
    for (std::string_view choice : choices)
      add(std::string(choice));
  }
  bool empty() const { return list_.empty(); }
  std::vector<std::string> take() { return std::move(list_); }

private:
  std::vector<std::string> list_;
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

} // namespace

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
    const std::string name = lowered(parameter.name);
    Choices choices;
    if (auto sure = values.find(parameter.name); sure != values.end())
      choices.add("=" + sure->second);
    // What launches say.
    bool isInteger = false;
    for (const Launch &launch : launches) {
      LaunchArgument argument;
      if (auto keyword = launch.keywords.find(parameter.name); keyword != launch.keywords.end())
        argument = keyword->second;
      else if (i < launch.positional.size())
        argument = launch.positional[i];
      isInteger |= argument.kind == LaunchArgument::Kind::Integer;
      if (argument.kind == LaunchArgument::Kind::Literal && isConstant(parameter))
        choices.add("=" + argument.text);
    }
    if (isConstant(parameter)) {
      if (parameter.defaultValue)
        choices.add("=");
      if (isInteger && !use.value.has(Use::ConstantSize))
        choices.add("=64");
      addConstants(choices, use, name);
    } else if (use.value.has(Use::Descriptor)) {
      // Batches go one by one.
      std::string shape = "64";
      for (size_t d = 1; d < use.rank; ++d)
        shape = (d >= 2 ? "1, " : "64, ") + shape;
      for (std::string_view element : {"fp16", "bf16", "fp32"})
        choices.add("tensordesc<" + std::string(element) + "[" + shape + "]>");
    } else {
      bool isPointer = use.value.has(Use::Address);
      if (use.tupleSize > 0) {
        Choices elements;
        if (isPointer)
          addPointers(elements, use, name, traits);
        else
          addScalars(elements, use, name);
        elements.add("i32");
        addTuples(choices, use.tupleSize, elements.take());
      }
      if (isPointer)
        addPointers(choices, use, name, traits);
      if (isInteger && !isPointer)
        choices.add({"i32", "i64"});
      if (!isPointer) {
        addScalars(choices, use, name);
        bool isPointerName = containsAny(name, {"ptr", "pointer"});
        bool isUnusedOption = use.value.has(Use::NoneTest) || !use.isUsed;
        if ((isPointerName || isUnusedOption) && choices.empty())
          choices.add({"*fp32"});
      }
      if (parameter.defaultValue)
        choices.add("=");
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
    candidates.push_back({parameter.name, choices.take()});
  }
  return candidates;
}

} // namespace inlay::triton
