#include "compiler/driver/SignatureSearch.h"

#include "base/Error.h"
#include "base/File.h"
#include "compiler/driver/KernelTool.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <algorithm>
#include <limits>

namespace inlay {
namespace {

/// Choices that an error's message asks for.
std::vector<std::string_view> hintsOf(std::string_view message) {
  auto has = [&](std::string_view text) { return message.find(text) != std::string_view::npos; };
  if (has("must be 1 at compile time"))
    return {"i32:1", "=1"};
  if (has("a mask must be int1"))
    return {"*i1", "i1"};
  if (has("needs integers"))
    return {"*i32", "i32", "=64"};
  if (has("must be a compile-time") || has("known at compile time"))
    return {"=64", "=1", "=True"};
  return {};
}

/// Whether the kernel writes anything: one that does not was given values that leave all of it out.
bool hasEffects(mlir::ModuleOp module) {
  return module
      .walk([](mlir::Operation *op) {
        return mlir::hasEffect<mlir::MemoryEffects::Write>(op) ? mlir::WalkResult::interrupt()
                                                               : mlir::WalkResult::advance();
      })
      .wasInterrupted();
}

} // namespace

bool SignatureSearch::prepare() {
  Result<std::string> source = readFile(kernel_.path);
  if (!source.isOk()) {
    result_.reason = source.status().message();
    return false;
  }
  source_ = *source;
  auto read = [this](const std::string &path) {
    auto [known, isNew] = filesRead_.try_emplace(path);
    if (isNew)
      known->second = findFile(path);
    return known->second;
  };
  module_ = std::make_unique<triton::Module>(kernel_.path, source_);
  loader_ = std::make_unique<triton::ModuleLoader>(read, *module_, options_.includeRoots);
  usage_ = std::make_unique<triton::UsageAnalysis>(loader_.get());
  for (const triton::ModuleItem *item : module_->jitFunctions())
    if (item->name == kernel_.name)
      item_ = item;
  triton::Diagnostics diagnostics;
  function_ = item_ ? module_->parseFunction(*item_, diagnostics) : nullptr;
  if (!function_) {
    result_.reason = item_ ? diagnostics.render() : "there is no such function";
    return false;
  }
  result_.isParsed = true;
  readLaunchOptions();
  std::map<std::string, std::string> known = readTuning();
  for (const auto &[name, value] : options_.constants)
    known[name] = value;
  candidates_ =
      triton::proposeCandidates(*function_, usage_->parameters(*module_, *item_), launches_, known);
  for (triton::ParameterCandidates &candidates : candidates_)
    if (auto type = options_.types.find(candidates.name); type != options_.types.end())
      candidates = {candidates.name, {type->second}, {triton::ChoiceGround::Option}};
    else if (options_.constants.contains(candidates.name))
      candidates = {candidates.name, {candidates.choices[0]}, {triton::ChoiceGround::Option}};
  return true;
}

/// The values of the autotuner's first configuration; those that heuristics compute are "".
std::map<std::string, std::string> SignatureSearch::readTuning() {
  std::map<std::string, std::string> known;
  Result<triton::KernelTuning> tuning = triton::readTuning(context_, makeRequest());
  if (!tuning.isOk())
    return known;
  if (!tuning->configs.empty()) {
    const triton::KernelConfig &config = tuning->configs.front();
    for (const auto &[name, value] : config.values) {
      known[name] = constexprText(value);
      tuned_.insert(name);
    }
    result_.numWarps = config.numWarps;
    result_.numStages = config.numStages;
  }
  for (const std::string &name : tuning->heuristics)
    known[name] = "";
  result_.notes = tuning->notes;
  return known;
}

triton::KernelRequest SignatureSearch::makeRequest() {
  triton::KernelRequest request;
  request.path = kernel_.path;
  request.source = source_;
  request.function = kernel_.name;
  request.includeRoots = options_.includeRoots;
  request.readModule = [this](const std::string &path) {
    auto [known, isNew] = filesRead_.try_emplace(path);
    if (isNew)
      known->second = findFile(path);
    return known->second;
  };
  return request;
}

/// num_warps and num_stages as the first launch gives them that gives any.
void SignatureSearch::readLaunchOptions() {
  for (auto [name, value, limit] : {std::tuple("num_warps", &result_.numWarps, 32),
                                    std::tuple("num_stages", &result_.numStages, 16)})
    for (const triton::Launch &launch : launches_)
      if (auto given = launch.keywords.find(name);
          given != launch.keywords.end() &&
          given->second.kind == triton::LaunchArgument::Kind::Literal) {
        int number = std::atoi(given->second.text.c_str());
        if (number >= 1 && number <= limit &&
            (value != &result_.numWarps || (number & (number - 1)) == 0))
          *value = number;
        break;
      }
}

void SignatureSearch::describe(const Selection &selection) {
  result_.signature.clear();
  result_.constexprs.clear();
  result_.parameters.clear();
  for (size_t i = 0; i < selection.size(); ++i) {
    const std::string &name = candidates_[i].name;
    const std::string &choice = candidates_[i].choices[selection[i]];
    result_.parameters.push_back(
        {name, choice, std::string(triton::choiceGroundName(candidates_[i].grounds[selection[i]])),
         selection[i] != 0});
    bool isConstexpr = triton::isConstexprAnnotation(function_->parameters[i].annotation.get());
    std::string entry;
    if (choice == "=")
      entry = isConstexpr ? "" : "constexpr"; // its default value
    else if (choice.starts_with("="))
      result_.constexprs.push_back(name + choice);
    else
      entry = choice.starts_with("*") && choice.find(':') == std::string::npos ? choice + ":16"
                                                                               : choice;
    if (!entry.empty())
      result_.signature += (result_.signature.empty() ? "" : ", ") + entry;
  }
}

SignatureSearch::Attempt SignatureSearch::attempt(const Selection &selection) {
  ++result_.attempts;
  describe(selection);
  Attempt tried;
  triton::KernelRequest request = makeRequest();
  request.signature = triton::splitSignature(result_.signature);
  Result<std::map<std::string, ConstexprValue>> constants = parseConstexprs(result_.constexprs);
  if (!constants.isOk()) {
    tried.message = constants.status().message();
    return tried;
  }
  request.constexprs = *constants;
  request.numWarps = result_.numWarps;
  request.numStages = result_.numStages;
  request.notes = [&](std::string_view note) { tried.notes.emplace_back(note); };
  request.failure = &tried.failure;
  Result<mlir::OwningOpRef<mlir::ModuleOp>> module = triton::importKernel(context_, request);
  if (!module.isOk()) {
    tried.message = module.status().message();
  } else if (hasEffects(**module)) {
    tried.module = std::move(*module);
  } else {
    tried.message = "with these types and values the kernel does nothing";
    tried.failure.steps = std::numeric_limits<int64_t>::max();
  }
  if (tried.failure.message.empty())
    tried.failure.message = tried.message;
  return tried;
}

/// All pointers to floats as one type: what two operands of different types often need.
void SignatureSearch::addTypeMoves(const Selection &from, std::vector<Selection> &moves) const {
  for (std::string_view type : {"*fp16", "*fp32", "*bf16"}) {
    Selection moved = from;
    for (size_t i = 0; i < moved.size(); ++i) {
      const std::vector<std::string> &choices = candidates_[i].choices;
      const std::string &now = choices[from[i]];
      if (now != "*fp16" && now != "*fp32" && now != "*bf16")
        continue;
      auto wanted = std::find(choices.begin(), choices.end(), type);
      if (wanted != choices.end())
        moved[i] = static_cast<size_t>(wanted - choices.begin());
    }
    if (moved != from)
      moves.push_back(std::move(moved));
  }
  // The operands of matrix products alone as 8-bit integers.
  Selection narrow = from;
  for (size_t i = 0; i < narrow.size(); ++i) {
    const std::vector<std::string> &choices = candidates_[i].choices;
    auto wanted = std::find(choices.begin(), choices.end(), "*i8");
    const std::vector<triton::ParameterUse> &uses = usage_->parameters(*module_, *item_);
    if (i < uses.size() && uses[i].element.has(triton::Use::Dot) && wanted != choices.end())
      narrow[i] = static_cast<size_t>(wanted - choices.begin());
  }
  if (narrow != from)
    moves.push_back(std::move(narrow));
}

/// Selections worth a try after a failure: one parameter changed, those first on which the place of
/// the error depends.
std::vector<SignatureSearch::Selection>
SignatureSearch::moves(const Selection &from, const triton::ImportFailure &failure) {
  std::vector<Selection> moves;
  bool isAboutTypes = failure.message.find("float") != std::string::npos ||
                      failure.message.find("fp") != std::string::npos ||
                      failure.message.find("type") != std::string::npos;
  std::vector<size_t> order;
  auto append = [&](const std::vector<size_t> &parameters) {
    for (size_t parameter : parameters)
      if (std::find(order.begin(), order.end(), parameter) == order.end())
        order.push_back(parameter);
  };
  // A name in quotes is what the error is about: 'x' must keep its type, name 'x' is not defined.
  size_t open = failure.message.find('\''), close = failure.message.find('\'', open + 1);
  if (!failure.spans.empty() && close != std::string::npos)
    append(
        usage_->dependencies(*module_, *item_, failure.message.substr(open + 1, close - open - 1)));
  for (const triton::Span &span : failure.spans) {
    append(usage_->dependencies(*module_, *item_, span));
    for (size_t i = 0; i < function_->parameters.size(); ++i) // in the text of a default value
      if (const triton::ExprPtr &value = function_->parameters[i].defaultValue;
          value && span.begin >= value->span.begin && span.end <= value->span.end)
        append({i});
  }
  // Errors about the interface have no place in the text, but name the parameter.
  for (size_t i = 0; failure.spans.empty() && i < candidates_.size(); ++i)
    if (failure.message.find("parameter '" + candidates_[i].name + "'") != std::string::npos)
      order.push_back(i);
  // The autotuner's values are right: they change last.
  std::vector<size_t> tuned;
  std::erase_if(order, [&](size_t parameter) {
    bool isTuned = tuned_.contains(candidates_[parameter].name);
    if (isTuned)
      tuned.push_back(parameter);
    return isTuned;
  });
  append(tuned);
  // What the message asks for comes before all else.
  for (std::string_view wanted : hintsOf(failure.message))
    for (size_t parameter : order) {
      const std::vector<std::string> &choices = candidates_[parameter].choices;
      auto choice = std::find(choices.begin(), choices.end(), wanted);
      if (choice == choices.end() || choices[from[parameter]] == wanted)
        continue;
      moves.push_back(from);
      moves.back()[parameter] = static_cast<size_t>(choice - choices.begin());
    }
  for (size_t count = 0; size_t parameter : order) {
    if (++count == 3 && isAboutTypes)
      addTypeMoves(from, moves);
    for (size_t choice = 0; choice < candidates_[parameter].choices.size(); ++choice)
      if (choice != from[parameter]) {
        moves.push_back(from);
        moves.back()[parameter] = choice;
      }
  }
  if (isAboutTypes && order.size() < 3)
    addTypeMoves(from, moves);
  return moves;
}

/// Climbs from failure to later failure. Where no move helps it goes back to the step before and
/// takes the next move there. Gives the import that got furthest, and its selection.
SignatureSearch::Attempt SignatureSearch::climb(Selection &best) {
  struct Step {
    int64_t progress; // of the import that failed here
    std::vector<Selection> moves;
    size_t next = 0;
  };
  best.assign(candidates_.size(), 0);
  std::set<Selection> seen{best};
  Attempt furthest = attempt(best);
  if (isDone(furthest))
    return furthest;
  std::vector<Step> steps;
  steps.push_back({furthest.failure.steps, moves(best, furthest.failure)});
  while (!steps.empty()) {
    Step &step = steps.back();
    if (step.next == step.moves.size()) {
      steps.pop_back();
      continue;
    }
    const Selection move = step.moves[step.next++];
    if (!seen.insert(move).second)
      continue;
    Attempt tried = attempt(move);
    const bool isLast = isDone(tried);
    const int64_t progress = tried.failure.steps;
    std::vector<Selection> next;
    if (!isLast && progress > step.progress)
      next = moves(move, tried.failure);
    if (tried.module || progress > furthest.failure.steps) {
      furthest = std::move(tried);
      best = move;
    }
    if (isLast)
      break;
    if (progress > step.progress)
      steps.push_back({progress, std::move(next)});
  }
  return furthest;
}

mlir::OwningOpRef<mlir::ModuleOp> SignatureSearch::run() {
  if (!prepare())
    return nullptr;
  Attempt furthest = climb(found_);
  describe(found_);
  result_.notes.insert(result_.notes.end(), furthest.notes.begin(), furthest.notes.end());
  result_.isTyped = static_cast<bool>(furthest.module);
  if (!furthest.module)
    result_.reason = furthest.message;
  return std::move(furthest.module);
}

mlir::OwningOpRef<mlir::ModuleOp> SignatureSearch::runSmaller() {
  constexpr int64_t kSmallest = 32; // what is halved stays at least 16, the least of a dot
  const KernelCheckResult before = result_;
  bool hasChanged = false;
  for (size_t i = 0; i < found_.size(); ++i) {
    std::vector<std::string> &choices = candidates_[i].choices;
    const std::string choice = choices[found_[i]];
    char *end = nullptr;
    int64_t value = choice.starts_with("=") ? std::strtoll(choice.c_str() + 1, &end, 10) : 0;
    if (value < kSmallest || *end != '\0' || (value & (value - 1)) != 0)
      continue;
    choices.push_back("=" + std::to_string(value / 2));
    candidates_[i].grounds.push_back(candidates_[i].grounds[found_[i]]);
    found_[i] = choices.size() - 1;
    hasChanged = true;
  }
  if (!hasChanged)
    return nullptr;
  Attempt tried = attempt(found_);
  int attempts = result_.attempts;
  if (!tried.module) {
    result_ = before;
    result_.attempts = attempts;
  }
  return std::move(tried.module);
}

} // namespace inlay
