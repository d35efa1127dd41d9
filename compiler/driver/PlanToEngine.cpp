#include "compiler/driver/PlanToEngine.h"

#include "base/Error.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/dialects/tile/Tile.h"
#include "compiler/driver/KernelEngine.h"
#include "compiler/driver/ModelWeights.h"
#include "compiler/driver/Profiles.h"
#include "engine/EngineLayout.h"
#include "symbolic/FloatExpr.h"

#include <algorithm>

namespace inlay {

namespace {

/// Tensors that callers bind are aligned to this; what the runtime places itself, to the schema's
/// default.
constexpr uint32_t kBoundAlignmentBytes = 16;

/// An attribute as a host function is given it.
std::unique_ptr<fb::HostAttributeT> hostAttribute(std::string name, const AttributeValue &value) {
  auto to = std::make_unique<fb::HostAttributeT>();
  to->name = std::move(name);
  // The kinds stand in the order of AttributeValue's alternatives.
  to->kind = static_cast<fb::HostValueKind>(value.index());
  if (const auto *isTrue = std::get_if<bool>(&value))
    to->integer = *isTrue;
  else if (const auto *integer = std::get_if<int64_t>(&value))
    to->integer = *integer;
  else if (const auto *number = std::get_if<double>(&value))
    to->number = *number;
  else if (const auto *text = std::get_if<std::string>(&value))
    to->text = *text;
  else if (const auto *dtype = std::get_if<DataType>(&value))
    to->integer = static_cast<int64_t>(*dtype);
  else if (const auto *bools = std::get_if<std::vector<bool>>(&value))
    to->integers.assign(bools->begin(), bools->end());
  else if (const auto *integers = std::get_if<std::vector<int64_t>>(&value))
    to->integers = *integers;
  else if (const auto *numbers = std::get_if<std::vector<double>>(&value))
    to->numbers = *numbers;
  else if (const auto *texts = std::get_if<std::vector<std::string>>(&value))
    to->texts = *texts;
  return to;
}

/// Fills the schema's objects from a plan, one section after the other.
class EngineWriter {
public:
  EngineWriter(plan::ProgramOp program, const std::vector<CompiledKernel> &kernels)
      : program_(program), kernels_(kernels), expressions_(symbolNames(program)) {}

  Result<EnginePieces> write(const std::string &name, const BuildRecord &record,
                             const std::string &weightsFile, const CancelCheck &isCancelled) {
    engine_.producer = INLAY_PRODUCER;
    engine_.name = name;
    for (const auto &[key, value] : record) {
      auto entry = std::make_unique<fb::KeyValueT>();
      entry->key = key;
      entry->value = value;
      engine_.build_record.push_back(std::move(entry));
    }
    INLAY_TRY(writeSymbols());
    INLAY_TRY(writeProfiles());
    INLAY_TRY(writeBuffers());
    INLAY_TRY(writeTensors<plan::InputOp>(engine_.inputs));
    INLAY_TRY(writeTensors<plan::OutputOp>(engine_.outputs));
    writeKernels();
    INLAY_TRY(writeChoices());
    INLAY_TRY(writeSteps());
    INLAY_TRY(writeChecks());
    for (const ExprInstruction &step : expressions_.instructions())
      engine_.expressions.emplace_back(static_cast<uint8_t>(step.kind), step.a, step.b, step.c,
                                       step.value);
    writeWeights();
    return layOutEngine(std::move(engine_), std::move(segments_), weightsFile, isCancelled);
  }

private:
  static std::vector<std::string> symbolNames(plan::ProgramOp program) {
    std::vector<std::string> names;
    for (auto symbol : program.getBody().getOps<plan::SymbolOp>())
      names.push_back(symbol.getName().str());
    for (auto symbol : program.getBody().getOps<plan::ComputedSymbolOp>())
      names.push_back(symbol.getName().str());
    return names;
  }

  Result<uint32_t> add(llvm::StringRef expression) {
    INLAY_ASSIGN(Expr expr, parseExpr(std::string_view(expression)));
    return expressions_.add(expr);
  }

  /// Writes the steps of a float expression; the index of the last.
  Result<uint32_t> addFloat(const FloatExpr &expr) {
    FloatInstruction step{expr.kind()};
    step.value = expr.constantValue().value_or(0);
    if (expr.kind() == FloatKind::Integer) {
      INLAY_ASSIGN(step.a, expressions_.add(expr.integer()));
    }
    uint32_t *operands[] = {&step.a, &step.b, &step.c};
    for (size_t i = 0; i < expr.operands().size(); ++i) {
      INLAY_ASSIGN(*operands[i], addFloat(expr.operands()[i]));
    }
    engine_.float_expressions.emplace_back(static_cast<uint8_t>(step.kind), step.a, step.b, step.c,
                                           step.value);
    return static_cast<uint32_t>(engine_.float_expressions.size() - 1);
  }

  uint32_t addSegment(MaybeOwnedBytes bytes) {
    segments_.push_back(std::move(bytes));
    return static_cast<uint32_t>(segments_.size() - 1);
  }

  Status writeSymbols() {
    for (auto op : program_.getBody().getOps<plan::SymbolOp>()) {
      auto symbol = std::make_unique<fb::SymbolT>();
      symbol->name = op.getName();
      symbol->min = static_cast<int64_t>(op.getMin());
      symbol->max = static_cast<int64_t>(op.getMax());
      symbol->opt = static_cast<int64_t>(op.getOpt());
      symbol->input = op.getInput();
      symbol->dim = op.getDim();
      engine_.symbols.push_back(std::move(symbol));
    }
    for (auto op : program_.getBody().getOps<plan::ComputedSymbolOp>()) {
      auto symbol = std::make_unique<fb::SymbolT>();
      symbol->name = op.getName();
      symbol->max = static_cast<int64_t>(op.getMax());
      symbol->opt = static_cast<int64_t>(op.getOpt());
      INLAY_ASSIGN(symbol->bound, add(op.getBound()));
      engine_.symbols.push_back(std::move(symbol));
    }
    return {};
  }

  Status writeProfiles() {
    INLAY_ASSIGN(const auto profiles, profilesOf(program_));
    for (const std::vector<int64_t> &numbers : profiles) {
      auto profile = std::make_unique<fb::ProfileT>();
      for (size_t i = 0; i < numbers.size(); i += 3) {
        auto range = std::make_unique<fb::ProfileRangeT>();
        range->min = numbers[i];
        range->opt = numbers[i + 1];
        range->max = numbers[i + 2];
        profile->ranges.push_back(std::move(range));
      }
      // Sizes that kernels compute have no range but their own.
      for (auto op : program_.getBody().getOps<plan::ComputedSymbolOp>()) {
        auto range = std::make_unique<fb::ProfileRangeT>();
        range->max = static_cast<int64_t>(op.getMax());
        range->opt = static_cast<int64_t>(op.getOpt());
        profile->ranges.push_back(std::move(range));
      }
      engine_.profiles.push_back(std::move(profile));
    }
    return {};
  }

  Status writeBuffers() {
    for (auto op : program_.getBody().getOps<plan::BufferOp>()) {
      auto buffer = std::make_unique<fb::BufferT>();
      buffer->kind = static_cast<fb::BufferKind>(op.getKind());
      INLAY_ASSIGN(buffer->size_bytes, add(op.getSizeBytes()));
      if (op.getKind() == plan::BufferKind::Input || op.getKind() == plan::BufferKind::Output)
        buffer->alignment_bytes = kBoundAlignmentBytes;
      if (op.getData())
        buffer->segment = addSegment(constantBytes(*op.getData()));
      bufferIndex_[op.getSymName()] = static_cast<uint32_t>(engine_.buffers.size());
      engine_.buffers.push_back(std::move(buffer));
    }
    writeLiveness();
    return {};
  }

  /// Notes the first and last step that uses each buffer; inputs, outputs and constants live
  /// throughout.
  void writeLiveness() {
    uint32_t step = 0;
    std::vector<bool> isUsed(engine_.buffers.size(), false);
    auto use = [&](llvm::StringRef name) {
      uint32_t index = bufferIndex_.lookup(name);
      fb::BufferT &buffer = *engine_.buffers[index];
      if (!isUsed[index])
        buffer.first_step = step;
      isUsed[index] = true;
      buffer.last_step = step;
    };
    for (mlir::Operation &op : program_.getBody().front()) {
      if (auto launch = llvm::dyn_cast<plan::LaunchOp>(op))
        for (mlir::Attribute argument : launch.getArguments())
          if (auto name = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(argument))
            use(name.getValue());
      if (auto call = llvm::dyn_cast<plan::HostCallOp>(op)) {
        for (mlir::ArrayAttr buffers : {call.getInputs(), call.getOutputs()})
          for (mlir::Attribute name : buffers)
            use(llvm::cast<mlir::FlatSymbolRefAttr>(name).getValue());
        if (call.getWorkspace())
          use(*call.getWorkspace());
      }
      if (auto copy = llvm::dyn_cast<plan::CopyOp>(op)) {
        use(copy.getSource());
        use(copy.getTarget());
      }
      if (auto read = llvm::dyn_cast<plan::ReadSizeOp>(op))
        use(read.getBuffer());
      step += plan::isStep(op);
    }
    for (auto &buffer : engine_.buffers)
      if (buffer->kind != fb::BufferKind::Intermediate &&
          buffer->kind != fb::BufferKind::Workspace) {
        buffer->first_step = 0;
        buffer->last_step = step == 0 ? 0 : step - 1;
      }
  }

  void writeWeights() {
    for (auto op : program_.getBody().getOps<plan::WeightOp>()) {
      auto weight = std::make_unique<fb::WeightT>();
      weight->name = op.getName();
      weight->dtype = static_cast<uint8_t>(*findDataType(std::string_view(op.getDtype())));
      weight->shape.assign(op.getShape().begin(), op.getShape().end());
      if (op.getBuffer())
        weight->buffer = bufferIndex_.lookup(*op.getBuffer());
      engine_.weights.push_back(std::move(weight));
    }
  }

  template <typename Op>
  Status writeTensors(std::vector<std::unique_ptr<fb::TensorT>> &tensors) {
    for (auto op : program_.getBody().getOps<Op>()) {
      auto tensor = std::make_unique<fb::TensorT>();
      tensor->name = op.getName();
      tensor->path = op.getPath().value_or("");
      tensor->dtype = static_cast<uint8_t>(*findDataType(std::string_view(op.getDtype())));
      for (mlir::Attribute dimension : op.getShape()) {
        INLAY_ASSIGN(uint32_t index, add(llvm::cast<mlir::StringAttr>(dimension).getValue()));
        tensor->shape.push_back(index);
      }
      tensor->buffer = bufferIndex_.lookup(op.getBuffer());
      if constexpr (std::is_same_v<Op, plan::OutputOp>)
        tensor->updated_input = op.getUpdates().value_or(tensor->updated_input);
      tensors.push_back(std::move(tensor));
    }
    return {};
  }

  void writeKernels() {
    size_t next = 0;
    for (auto op : program_.getBody().getOps<plan::KernelOp>()) {
      kernelIndex_[op.getSymName()] = static_cast<uint32_t>(engine_.kernels.size());
      engine_.kernels.push_back(writeKernel(kernels_[next++], op.getSource().str(), segments_));
    }
  }

  Status writeChoices() {
    for (auto op : program_.getBody().getOps<plan::ChoiceOp>()) {
      choiceIndex_[op.getSymName()] = static_cast<uint32_t>(engine_.choices.size());
      auto choice = std::make_unique<fb::ChoiceT>();
      choice->plugin = op.getPlugin().value_or("");
      choice->node = op.getNode().value_or("");
      for (unsigned i = 0; i < op.getTactics().size(); ++i) {
        INLAY_ASSIGN(std::unique_ptr<fb::TacticT> tactic, writeTactic(op, i));
        choice->tactics.push_back(std::move(tactic));
      }
      writeOrders(op, *choice);
      engine_.choices.push_back(std::move(choice));
    }
    return {};
  }

  Result<std::unique_ptr<fb::TacticT>> writeTactic(plan::ChoiceOp op, unsigned index) {
    auto tactic = std::make_unique<fb::TacticT>();
    tactic->name = op.nameOf(index);
    if (llvm::StringRef condition = op.conditionOf(index); !condition.empty()) {
      INLAY_ASSIGN(tactic->condition, add(condition));
    }
    if (mlir::DictionaryAttr alignments = op.alignmentsOf(index))
      for (mlir::NamedAttribute entry : alignments) {
        auto alignment = std::make_unique<fb::AlignmentT>();
        alignment->buffer = bufferIndex_.lookup(entry.getName().strref());
        alignment->bytes =
            static_cast<uint32_t>(llvm::cast<mlir::IntegerAttr>(entry.getValue()).getInt());
        tactic->alignments.push_back(std::move(alignment));
      }
    return tactic;
  }

  /// The orders of the plan, or the one in which the tactics stand.
  static void writeOrders(plan::ChoiceOp op, fb::ChoiceT &choice) {
    if (!op.getOrders()) {
      auto order = std::make_unique<fb::TacticOrderT>();
      for (uint32_t i = 0; i < choice.tactics.size(); ++i)
        order->tactics.push_back(i);
      choice.orders.push_back(std::move(order));
      return;
    }
    for (auto from : op.getOrders()->getAsRange<mlir::DictionaryAttr>()) {
      auto order = std::make_unique<fb::TacticOrderT>();
      if (auto target = from.getAs<mlir::StringAttr>("target"))
        order->target = target.getValue();
      if (auto profile = from.getAs<mlir::IntegerAttr>("profile"))
        order->profile = static_cast<uint32_t>(profile.getInt());
      for (mlir::Attribute name : from.getAs<mlir::ArrayAttr>("tactics"))
        order->tactics.push_back(*op.findTactic(llvm::cast<mlir::StringAttr>(name).getValue()));
      choice.orders.push_back(std::move(order));
    }
  }

  Status writeSteps() {
    for (mlir::Operation &op : program_.getBody().front()) {
      if (!plan::isStep(op))
        continue;
      auto step = std::make_unique<fb::StepT>();
      if (auto launch = llvm::dyn_cast<plan::LaunchOp>(op)) {
        INLAY_ASSIGN(fb::LaunchT written, writeLaunch(launch));
        step->kind.Set(std::move(written));
      } else if (auto call = llvm::dyn_cast<plan::HostCallOp>(op)) {
        INLAY_ASSIGN(fb::HostCallT written, writeHostCall(call));
        step->kind.Set(std::move(written));
      } else if (auto read = llvm::dyn_cast<plan::ReadSizeOp>(op)) {
        step->kind.Set(writeReadSize(read));
      } else {
        auto copy = llvm::cast<plan::CopyOp>(op);
        fb::CopyT written;
        written.source = bufferIndex_.lookup(copy.getSource());
        written.target = bufferIndex_.lookup(copy.getTarget());
        step->kind.Set(std::move(written));
      }
      engine_.steps.push_back(std::move(step));
    }
    return {};
  }

  fb::ReadSizeT writeReadSize(plan::ReadSizeOp op) const {
    fb::ReadSizeT read;
    const auto symbol =
        std::ranges::find(engine_.symbols, std::string(op.getName()),
                          [](const std::unique_ptr<fb::SymbolT> &symbol) { return symbol->name; });
    read.symbol = static_cast<uint32_t>(symbol - engine_.symbols.begin());
    read.buffer = bufferIndex_.lookup(op.getBuffer());
    read.dtype = static_cast<uint8_t>(*findDataType(std::string_view(op.getDtype())));
    read.plugin = op.getPlugin().value_or("");
    read.node = op.getNode().value_or("");
    return read;
  }

  Result<fb::LaunchT> writeLaunch(plan::LaunchOp op) {
    fb::LaunchT launch;
    launch.kernel = kernelIndex_.lookup(op.getKernel());
    for (mlir::Attribute extent : op.getGrid()) {
      INLAY_ASSIGN(uint32_t index, add(llvm::cast<mlir::StringAttr>(extent).getValue()));
      launch.grid.push_back(index);
    }
    for (mlir::Attribute argument : op.getArguments()) {
      auto written = std::make_unique<fb::ArgumentT>();
      if (auto name = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(argument)) {
        written->kind = fb::ArgumentKind::Buffer;
        written->index = bufferIndex_.lookup(name.getValue());
      } else if (auto expression = llvm::dyn_cast<mlir::StringAttr>(argument)) {
        written->kind = fb::ArgumentKind::Expression;
        INLAY_ASSIGN(written->index, add(expression.getValue()));
      } else if (auto text = plan::floatExpressionOf(argument)) {
        written->kind = fb::ArgumentKind::FloatExpression;
        INLAY_ASSIGN(ParsedFloatExpr parsed, parseFloatExpr(std::string_view(*text)));
        INLAY_ASSIGN(written->index, addFloat(parsed.expr));
      } else {
        written->kind = fb::ArgumentKind::Float;
        written->value = llvm::cast<mlir::FloatAttr>(argument).getValueAsDouble();
      }
      launch.arguments.push_back(std::move(written));
    }
    if (mlir::ArrayAttr block = op.getBlockAttr())
      for (mlir::Attribute extent : block) {
        INLAY_ASSIGN(uint32_t index, add(llvm::cast<mlir::StringAttr>(extent).getValue()));
        launch.block.push_back(index);
      }
    if (op.getSharedBytesAttr()) {
      INLAY_ASSIGN(launch.shared_bytes, add(op.getSharedBytesAttr().getValue()));
    }
    launch.plugin = op.getPlugin().value_or("");
    launch.node = op.getNode().value_or("");
    launch.attributes = op.getNodeAttributes().value_or("");
    if (op.getChoice()) {
      auto choice =
          mlir::SymbolTable::lookupNearestSymbolFrom<plan::ChoiceOp>(op, op.getChoiceAttr());
      launch.choice = choiceIndex_.lookup(*op.getChoice());
      launch.tactic = *choice.findTactic(*op.getTactic());
    }
    return launch;
  }

  Result<fb::HostCallT> writeHostCall(plan::HostCallOp op) {
    fb::HostCallT call;
    call.function = op.getFunction();
    call.node = op.getNode().value_or("");
    size_t next = 0;
    for (auto [buffers, tensors] :
         {std::pair(op.getInputs(), &call.inputs), std::pair(op.getOutputs(), &call.outputs)})
      for (mlir::Attribute buffer : buffers) {
        auto tensor = std::make_unique<fb::HostTensorT>();
        tensor->buffer =
            bufferIndex_.lookup(llvm::cast<mlir::FlatSymbolRefAttr>(buffer).getValue());
        const auto dtype = llvm::cast<mlir::StringAttr>(op.getDtypes()[next]).getValue();
        tensor->dtype = static_cast<uint8_t>(*findDataType(std::string_view(dtype)));
        for (mlir::Attribute dim : llvm::cast<mlir::ArrayAttr>(op.getShapes()[next])) {
          INLAY_ASSIGN(uint32_t index, add(llvm::cast<mlir::StringAttr>(dim).getValue()));
          tensor->shape.push_back(index);
        }
        tensors->push_back(std::move(tensor));
        ++next;
      }
    if (op.getWorkspace())
      call.workspace = bufferIndex_.lookup(*op.getWorkspace());
    for (mlir::NamedAttribute attribute : op.getArguments()) {
      std::optional<AttributeValue> value = graph::valueOf(attribute.getValue());
      if (!value)
        return invalidArgument("host call of {}: attribute '{}' is no value of an operator",
                               call.function, attribute.getName().str());
      call.attributes.push_back(hostAttribute(attribute.getName().str(), *value));
    }
    return call;
  }

  Status writeChecks() {
    for (auto op : program_.getBody().getOps<plan::CheckOp>()) {
      auto check = std::make_unique<fb::CheckT>();
      INLAY_ASSIGN(check->condition, add(op.getCondition()));
      check->message = op.getMessage();
      engine_.checks.push_back(std::move(check));
    }
    return {};
  }

  plan::ProgramOp program_;
  const std::vector<CompiledKernel> &kernels_;
  ExprProgramBuilder expressions_;
  fb::EngineT engine_;
  std::vector<MaybeOwnedBytes> segments_;
  llvm::StringMap<uint32_t> bufferIndex_, kernelIndex_, choiceIndex_;
};

} // namespace

Result<EnginePieces> planToEngine(plan::ProgramOp program,
                                  const std::vector<CompiledKernel> &kernels,
                                  const std::string &name, const BuildRecord &record,
                                  const std::string &weightsFile, const CancelCheck &isCancelled) {
  return EngineWriter(program, kernels).write(name, record, weightsFile, isCancelled);
}

} // namespace inlay
