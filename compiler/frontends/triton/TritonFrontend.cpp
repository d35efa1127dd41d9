#include "compiler/frontends/triton/TritonFrontend.h"

#include "base/Error.h"
#include "compiler/frontends/triton/DescriptorParameter.h"
#include "compiler/frontends/triton/Emitter.h"
#include "compiler/frontends/triton/Tuning.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include <algorithm>
#include <charconv>
#include <fmt/ranges.h>

using namespace mlir;

namespace inlay::triton {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

/// One entry of a signature.
struct SignatureEntry {
  Type type;
  int64_t divisibility = 0;      // 0: nothing known
  std::optional<Value> constant; // known at compile time: ":1", or "=VALUE" in a tuple
  bool isDescriptor = false;     // a tensor descriptor; the type is its block's
  bool isTuple = false;
  std::vector<SignatureEntry> elements; // of a tuple
};

/// The value of "=VALUE" in a tuple.
std::optional<Value> parseTupleConstant(std::string_view text) {
  if (text == "None")
    return Value();
  if (text == "True" || text == "False")
    return Value::boolean(text == "True");
  int64_t integer = 0;
  const char *end = text.data() + text.size();
  if (auto [last, error] = std::from_chars(text.data(), end, integer);
      error == std::errc() && last == end)
    return Value::integer(integer);
  double number = 0;
  if (auto [last, error] = std::from_chars(text.data(), end, number);
      error == std::errc() && last == end)
    return Value::number(number);
  return std::nullopt;
}

Result<SignatureEntry> parseSignatureEntry(std::string_view text, std::string_view parameter);

/// "(*fp32, i32:16, =3)"; a comma behind the last element as Python writes tuples of one.
Result<SignatureEntry> parseTupleEntry(std::string_view text, std::string_view parameter) {
  if (!text.ends_with(')'))
    return invalidArgument("signature entry '{}' of parameter '{}' has no ')' at its end", text,
                           parameter);
  SignatureEntry tuple;
  tuple.isTuple = true;
  std::vector<std::string> elements = splitSignature(text.substr(1, text.size() - 2));
  if (!elements.empty() && elements.back().empty())
    elements.pop_back();
  for (size_t i = 0; i < elements.size(); ++i) {
    const std::string name = fmt::format("{}.{}", parameter, i);
    if (!elements[i].starts_with('=')) {
      INLAY_ASSIGN(SignatureEntry element, parseSignatureEntry(elements[i], name));
      tuple.elements.push_back(std::move(element));
      continue;
    }
    SignatureEntry element;
    element.constant = parseTupleConstant(trim(std::string_view(elements[i]).substr(1)));
    if (!element.constant)
      return invalidArgument("signature entry '{}' of parameter '{}': '{}' is no value; expected a "
                             "number, True, False or None behind '='",
                             text, parameter, elements[i]);
    tuple.elements.push_back(std::move(element));
  }
  return tuple;
}

Result<SignatureEntry> parseSignatureEntry(std::string_view text, std::string_view parameter) {
  SignatureEntry entry;
  std::string_view rest = trim(text);
  if (rest.starts_with('('))
    return parseTupleEntry(rest, parameter);
  if (rest.starts_with("tensordesc")) {
    std::optional<Type> block = parseDescriptorEntry(rest);
    if (!block)
      return invalidArgument("signature entry '{}' of parameter '{}' is not a descriptor; expected "
                             "such as tensordesc<fp16[128, 64]>, of 1 to 5 powers of two, the last "
                             "dimension of at least 16 bytes",
                             text, parameter);
    entry.type = *block;
    entry.isDescriptor = true;
    return entry;
  }
  size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view digits = trim(rest.substr(colon + 1));
    bool isNumber =
        !digits.empty() && digits.size() < 10 &&
        std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c); });
    entry.divisibility = isNumber ? std::stoll(std::string(digits)) : 0;
    if (entry.divisibility <= 0 || (entry.divisibility & (entry.divisibility - 1)) != 0)
      return invalidArgument(
          "signature entry '{}' of parameter '{}': after ':' a power of two is expected, not '{}'",
          text, parameter, digits);
    rest = trim(rest.substr(0, colon));
  }
  if (rest.starts_with("*")) {
    entry.type.isPointer = true;
    rest = trim(rest.substr(1));
    if (rest.starts_with("k")) {
      entry.type.isConst = true;
      rest.remove_prefix(1);
    }
  }
  std::optional<Scalar> scalar = findScalar(rest);
  if (!scalar || languageNameOf(*scalar) == rest)
    return invalidArgument("signature entry '{}' of parameter '{}' is not a type; expected a "
                           "pointer such as *fp32, *bf16, *i64, or a scalar "
                           "such as i32, i64, u32, fp32, u1, or a tuple of such as (i32, *fp32)",
                           text, parameter);
  entry.type.scalar = *scalar;
  if (entry.divisibility == 1 && !entry.type.isPointer) {
    if (!entry.type.isInteger())
      return invalidArgument(
          "signature entry '{}' of parameter '{}': ':1' (always equal to 1) is for integers", text,
          parameter);
    entry.constant = Value::integer(1);
  }
  if (entry.type.isFloat() && entry.divisibility > 0)
    return invalidArgument(
        "signature entry '{}' of parameter '{}': divisibility is for pointers and integers", text,
        parameter);
  return entry;
}

struct ConstexprReader {
  Value operator()(std::monostate) const { return Value(); }
  Value operator()(bool v) const { return Value::boolean(v); }
  Value operator()(int64_t v) const { return Value::integer(v); }
  Value operator()(double v) const { return Value::number(v); }
  Value operator()(const std::string &v) const { return Value::string(v); }
  Value operator()(DataType v) const {
    std::optional<Scalar> scalar = findScalar(dataTypeTritonName(v));
    return scalar ? Value::dtype({*scalar, false, false, {}}) : Value::poison();
  }
  template <typename T>
  Value operator()(const std::vector<T> &values) const {
    Value::Elements elements;
    for (const T &element : values)
      elements.push_back((*this)(element));
    return Value::tuple(std::move(elements));
  }
};

Value constexprValue(const ConstexprValue &value) { return std::visit(ConstexprReader{}, value); }

std::string describeParameters(const Function &function) {
  std::vector<std::string> names;
  for (const Parameter &parameter : function.parameters)
    names.push_back(isConstexprAnnotation(parameter.annotation.get())
                        ? parameter.name + ": tl.constexpr"
                        : parameter.name);
  return fmt::format("{}({})", function.name, fmt::join(names, ", "));
}

/// A parameter of the kernel with its compile-time value or its place in the signature.
struct KernelParameterBinding {
  const Parameter *parameter;
  std::optional<Value> constant;
  SignatureEntry entry;
};

/// One import from request to module.
class Importer {
public:
  Importer(MLIRContext &context, const KernelRequest &request)
      : context_(context), request_(request), module_(request.path, request.source),
        modules_(request.readModule, module_, request.includeRoots),
        emitter_(&context, diagnostics_, request.notes) {
    emitter_.options = {request.numWarps, request.isDebug};
    emitter_.modules = &modules_;
  }

  Result<OwningOpRef<ModuleOp>> run();
  Result<KernelTuning> tuning();

private:
  Result<const ModuleItem *> findKernel();
  Status bindParameters(const Function &function);
  void evaluateHeuristics(const ModuleItem &item, const Function &function);
  Status checkConstexprNames(const Function &function);
  OwningOpRef<ModuleOp> emit(const ModuleItem &item, const Function &function);
  void addArgumentTypes(const std::string &name, const SignatureEntry &entry,
                        SmallVectorImpl<mlir::Type> &types);
  Value bindArgument(const std::string &name, const SignatureEntry &entry, func::FuncOp func,
                     unsigned &index);
  Status simplify(ModuleOp module);
  Status diagnosticStatus();

  MLIRContext &context_;
  const KernelRequest &request_;
  Module module_;
  ModuleLoader modules_;
  Diagnostics diagnostics_;
  Emitter emitter_;
  std::vector<KernelParameterBinding> bindings_;
  std::map<std::string, Value> heuristics_; // parameters with the values they compute
  std::map<std::string, std::string> heuristicFailures_;
};

Status Importer::diagnosticStatus() {
  if (request_.failure) {
    const Diagnostic &first = diagnostics_.errors().front();
    request_.failure->steps = emitter_.stepsToFirstError();
    request_.failure->message = first.message;
    if (first.file == &module_.file())
      request_.failure->spans.push_back(first.span);
    for (const Diagnostic::Note &note : first.notes)
      if (note.file == &module_.file())
        request_.failure->spans.push_back(note.span);
  }
  return Status(StatusCode::InvalidArgument, diagnostics_.render());
}

Result<const ModuleItem *> Importer::findKernel() {
  std::vector<const ModuleItem *> kernels = module_.jitFunctions();
  const ModuleItem *found = nullptr;
  std::vector<std::string> names;
  for (const ModuleItem *item : kernels) {
    names.push_back(item->name);
    if (item->name == request_.function)
      found = item; // the last definition counts, as in Python
  }
  if (found)
    return found;
  return invalidArgument("{} has no @triton.jit function '{}'; it has {}", request_.path,
                         request_.function,
                         names.empty() ? "none at all" : fmt::format("{}", fmt::join(names, ", ")));
}

Status Importer::checkConstexprNames(const Function &function) {
  for (const auto &[name, value] : request_.constexprs) {
    bool isKnown = std::any_of(function.parameters.begin(), function.parameters.end(),
                               [&](const Parameter &p) { return p.name == name; });
    if (!isKnown)
      return invalidArgument("kernel '{}' has no parameter '{}' to give a compile-time value to; "
                             "its parameters are {}",
                             function.name, name, describeParameters(function));
  }
  return {};
}

/// Parameters that are given no value are computed from the others, as Triton does at a launch.
void Importer::evaluateHeuristics(const ModuleItem &item, const Function &function) {
  std::map<std::string, Value> known;
  TuningReader reader(emitter_, module_, item, function);
  std::vector<std::string> names = reader.read().heuristics;
  if (names.empty())
    return;
  for (const Parameter &parameter : function.parameters) {
    auto given = request_.constexprs.find(parameter.name);
    if (given != request_.constexprs.end())
      known[parameter.name] = constexprValue(given->second);
    else if (!isConstexprAnnotation(parameter.annotation.get()))
      known[parameter.name] = TuningReader::runTimeArgument(parameter.name);
    else if (parameter.defaultValue &&
             std::find(names.begin(), names.end(), parameter.name) == names.end()) {
      // A default that cannot be computed may not be needed.
      std::string reason;
      Value value = emitter_.tryEvaluate(module_, *parameter.defaultValue, reason);
      if (reason.empty())
        known[parameter.name] = std::move(value);
    }
  }
  for (TuningReader::Heuristic &heuristic : reader.evaluate(std::move(known)))
    if (heuristic.value)
      heuristics_[heuristic.name] = std::move(*heuristic.value);
    else
      heuristicFailures_[heuristic.name] = std::move(heuristic.reason);
}

Status Importer::bindParameters(const Function &function) {
  INLAY_TRY(checkConstexprNames(function));
  size_t next = 0;
  const std::vector<std::string> &signature = request_.signature;
  for (const Parameter &parameter : function.parameters) {
    KernelParameterBinding binding{&parameter, std::nullopt, {}};
    bool isConstexpr = isConstexprAnnotation(parameter.annotation.get());
    auto given = request_.constexprs.find(parameter.name);
    bool isPlaceholder = next < signature.size() && trim(signature[next]) == "constexpr";
    if (given != request_.constexprs.end()) {
      binding.constant = constexprValue(given->second);
      next += isPlaceholder ? 1 : 0;
    } else if (auto computed = heuristics_.find(parameter.name); computed != heuristics_.end()) {
      binding.constant = computed->second;
      next += isPlaceholder ? 1 : 0;
    } else if (isConstexpr || isPlaceholder ||
               (next >= signature.size() && parameter.defaultValue)) {
      if (!parameter.defaultValue) {
        auto failure = heuristicFailures_.find(parameter.name);
        return invalidArgument("kernel '{}': parameter '{}' is a tl.constexpr without a default "
                               "and no value is given for it{}; the kernel is {}",
                               function.name, parameter.name,
                               failure == heuristicFailures_.end()
                                   ? ""
                                   : ", and its heuristic cannot be evaluated (" + failure->second +
                                         ")",
                               describeParameters(function));
      }
      binding.constant = emitter_.evaluateDefault(module_, *parameter.defaultValue);
      if (diagnostics_.hasErrors())
        return diagnosticStatus();
      next += isPlaceholder ? 1 : 0;
    } else if (parameter.kind == Parameter::Kind::Star ||
               parameter.kind == Parameter::Kind::StarStar) {
      return invalidArgument("kernel '{}': parameter '{}' takes any number of arguments, which a "
                             "compiled kernel cannot",
                             function.name, parameter.name);
    } else if (next >= signature.size()) {
      return invalidArgument("kernel '{}': the signature has {} entries ({}), but there is none "
                             "for parameter '{}'; one is needed for every parameter "
                             "without a compile-time value of {}",
                             function.name, signature.size(), fmt::join(signature, ", "),
                             parameter.name, describeParameters(function));
    } else {
      INLAY_ASSIGN(binding.entry, parseSignatureEntry(signature[next++], parameter.name));
      binding.constant = binding.entry.constant;
      binding.entry.type.isConst |=
          binding.entry.type.isPointer && isConstAnnotation(parameter.annotation.get());
    }
    bindings_.push_back(std::move(binding));
  }
  if (next < signature.size())
    return invalidArgument("kernel '{}': the signature has {} entries ({}), but the kernel takes "
                           "{} run-time parameters; '{}' is left over; the kernel is {}",
                           function.name, signature.size(), fmt::join(signature, ", "), next,
                           signature[next], describeParameters(function));
  return diagnostics_.hasErrors() ? diagnosticStatus() : Status();
}

void Importer::addArgumentTypes(const std::string &name, const SignatureEntry &entry,
                                SmallVectorImpl<mlir::Type> &types) {
  if (entry.constant)
    return;
  if (entry.isTuple) {
    for (size_t i = 0; i < entry.elements.size(); ++i)
      addArgumentTypes(fmt::format("{}.{}", name, i), entry.elements[i], types);
  } else if (entry.isDescriptor) {
    for (const DescriptorField &field : descriptorFields(name, entry.type))
      types.push_back(irType(&context_, field.type));
  } else {
    types.push_back(irType(&context_, entry.type));
  }
}

/// The value of a parameter, or of an element of one that is a tuple, made of the function's
/// arguments from `index` on.
Value Importer::bindArgument(const std::string &name, const SignatureEntry &entry,
                             func::FuncOp func, unsigned &index) {
  if (entry.constant)
    return *entry.constant;
  if (entry.isTuple) {
    Value::Elements elements;
    for (size_t i = 0; i < entry.elements.size(); ++i)
      elements.push_back(
          bindArgument(fmt::format("{}.{}", name, i), entry.elements[i], func, index));
    return Value::tuple(std::move(elements));
  }
  OpBuilder &builder = emitter_.semantics().builder;
  const Type &type = entry.type;
  if (entry.isDescriptor) {
    std::vector<Tensor> arguments;
    for (const DescriptorField &field : descriptorFields(name, type)) {
      func.setArgAttr(index, tile::kNameAttr, builder.getStringAttr(field.name));
      if (field.divisibility > 0)
        func.setArgAttr(index, tile::kDivisibilityAttr,
                        builder.getI64IntegerAttr(field.divisibility));
      arguments.push_back({field.type, func.getArgument(index++)});
    }
    Tensor one = emitter_.semantics().constant({Scalar::Int64, false, false, {}}, int64_t{1});
    return makeDescriptorParameter(type, std::move(arguments), one);
  }
  func.setArgAttr(index, tile::kNameAttr, builder.getStringAttr(name));
  if (entry.divisibility > 1)
    func.setArgAttr(index, tile::kDivisibilityAttr, builder.getI64IntegerAttr(entry.divisibility));
  if (type.scalar == Scalar::Int1 && type.isPointer)
    func.setArgAttr(index, tile::kSignednessAttr, builder.getStringAttr("bool"));
  else if (kindOf(type.scalar) == ScalarKind::Unsigned)
    func.setArgAttr(index, tile::kSignednessAttr, builder.getStringAttr("unsigned"));
  return Value::tensor({type, func.getArgument(index++)});
}

OwningOpRef<ModuleOp> Importer::emit(const ModuleItem &item, const Function &function) {
  OpBuilder &builder = emitter_.semantics().builder;
  LineColumn at = module_.file().locate(function.nameSpan.begin);
  mlir::Location location =
      FileLineColLoc::get(builder.getStringAttr(request_.path), at.line, at.column);
  OwningOpRef<ModuleOp> module = ModuleOp::create(location);
  (*module)->setAttr(tile::kNumWarpsAttr, builder.getI32IntegerAttr(request_.numWarps));
  // Targets know the default.
  if (request_.numStages != KernelRequest().numStages)
    (*module)->setAttr(tile::kNumStagesAttr, builder.getI32IntegerAttr(request_.numStages));
  SmallVector<mlir::Type> types;
  for (const KernelParameterBinding &binding : bindings_)
    if (!binding.constant)
      addArgumentTypes(binding.parameter->name, binding.entry, types);
  builder.setInsertionPointToEnd(module->getBody());
  auto func =
      func::FuncOp::create(builder, location, function.name, builder.getFunctionType(types, {}));
  func->setAttr(tile::kKernelAttr, builder.getUnitAttr());
  Block *entry = func.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  std::map<std::string, Value> parameters;
  unsigned index = 0;
  for (const KernelParameterBinding &binding : bindings_) {
    const std::string &name = binding.parameter->name;
    parameters[name] =
        binding.constant ? *binding.constant : bindArgument(name, binding.entry, func, index);
  }
  emitter_.emitKernel(module_, item, function, std::move(parameters));
  builder.setInsertionPointToEnd(entry);
  func::ReturnOp::create(builder, location);
  return module;
}

Status Importer::simplify(ModuleOp module) {
  std::string text;
  ScopedDiagnosticHandler handler(&context_, [&](mlir::Diagnostic &diagnostic) {
    text += (text.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  if (failed(verify(module)))
    return internalError("the IR made of kernel '{}' is not valid: {}", request_.function, text);
  PassManager passes(&context_);
  passes.addNestedPass<func::FuncOp>(createCanonicalizerPass());
  passes.addNestedPass<func::FuncOp>(createCSEPass());
  if (failed(passes.run(module)))
    return internalError("the IR made of kernel '{}' could not be simplified: {}",
                         request_.function, text);
  return {};
}

Result<OwningOpRef<ModuleOp>> Importer::run() {
  INLAY_ASSIGN(const ModuleItem *item, findKernel());
  const Function *function = module_.parseFunction(*item, diagnostics_);
  if (!function)
    return diagnosticStatus();
  for (const std::string &decorator : item->decorators)
    if (!isJitDecorator(decorator) && !decorator.ends_with("heuristics"))
      emitter_.note(fmt::format("{}: decorator '@{}' of kernel '{}' is passed over; its "
                                "compile-time values must be given",
                                request_.path, decorator, item->name));
  evaluateHeuristics(*item, *function);
  if (Status bound = bindParameters(*function); !bound.isOk()) {
    // Before all steps, but the further the more parameters are bound.
    if (request_.failure)
      request_.failure->steps = static_cast<int64_t>(bindings_.size()) - 1'000'000;
    return bound;
  }
  OwningOpRef<ModuleOp> module = emit(*item, *function);
  if (diagnostics_.hasErrors())
    return diagnosticStatus();
  INLAY_TRY(simplify(*module));
  return module;
}

Result<KernelTuning> Importer::tuning() {
  INLAY_ASSIGN(const ModuleItem *item, findKernel());
  const Function *function = module_.parseFunction(*item, diagnostics_);
  if (!function)
    return diagnosticStatus();
  return TuningReader(emitter_, module_, *item, *function).read();
}

} // namespace

std::vector<std::string> splitSignature(std::string_view text) {
  std::vector<std::string> entries;
  if (trim(text).empty())
    return entries;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    char c = i < text.size() ? text[i] : ',';
    depth += c == '(' || c == '[' || c == '<' ? 1 : c == ')' || c == ']' || c == '>' ? -1 : 0;
    if (i == text.size() || (c == ',' && depth <= 0)) {
      entries.emplace_back(trim(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  return entries;
}

Result<std::vector<KernelDeclaration>> listKernels(const std::string &path,
                                                   std::string_view source) {
  Module module(path, std::string(source));
  Diagnostics diagnostics;
  std::vector<KernelDeclaration> kernels;
  for (const ModuleItem *item : module.jitFunctions()) {
    const Function *function = module.parseFunction(*item, diagnostics);
    if (!function)
      continue;
    KernelDeclaration kernel{
        function->name, static_cast<int>(module.file().locate(function->nameSpan.begin).line), {}};
    for (const Parameter &parameter : function->parameters)
      kernel.parameters.push_back({parameter.name,
                                   isConstexprAnnotation(parameter.annotation.get()),
                                   parameter.defaultValue != nullptr});
    kernels.push_back(std::move(kernel));
  }
  if (diagnostics.hasErrors())
    return Status(StatusCode::InvalidArgument, diagnostics.render());
  return kernels;
}

Result<KernelTuning> readTuning(MLIRContext &context, const KernelRequest &request) {
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect, scf::SCFDialect,
                      tile::TileDialect>();
  return Importer(context, request).tuning();
}

Result<OwningOpRef<ModuleOp>> importKernel(MLIRContext &context, const KernelRequest &request) {
  context.loadDialect<arith::ArithDialect, func::FuncDialect, math::MathDialect, scf::SCFDialect,
                      tile::TileDialect>();
  return Importer(context, request).run();
}

} // namespace inlay::triton
