#include "engine/EngineText.h"

#include "base/DataType.h"
#include "engine/HostSegment.h"

#include <fmt/format.h>

#include <limits>

namespace inlay {
namespace {

/// An index of an expression that is not given.
constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();

std::string_view dtypeName(uint8_t dtype) { return dataTypeName(static_cast<DataType>(dtype)); }

std::string_view textOf(const flatbuffers::String *string) {
  return string ? string->string_view() : std::string_view();
}

/// Text in single quotes with control characters escaped, so that names cannot forge lines.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text) {
    if (c == '\n')
      result += "\\n";
    else if (c == '\'' || c == '\\')
      result.append("\\").push_back(c);
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      result.push_back(c);
  }
  return result + "'";
}

/// Prints an engine section by section.
class TextPrinter {
public:
  explicit TextPrinter(const EngineFile &file)
      : file_(file), engine_(file.engine()), expressions_(engineExpressions(file)),
        floats_(engineFloatExpressions(file, expressions_)) {}

  std::string print() {
    line("engine {} (format {}, {} bytes, by {})", quoted(textOf(engine_.name())),
         kEngineFormatVersion, file_.sizeBytes(), quoted(textOf(engine_.producer())));
    printSymbols();
    printTensors("input", *engine_.inputs());
    printTensors("output", *engine_.outputs());
    printBuffers();
    for (uint32_t i = 0; i < engine_.kernels()->size(); ++i)
      printKernel(i, *engine_.kernels()->Get(i));
    for (uint32_t i = 0; engine_.choices() && i < engine_.choices()->size(); ++i)
      printChoice(i, *engine_.choices()->Get(i));
    for (uint32_t i = 0; i < engine_.steps()->size(); ++i)
      printStep(i, *engine_.steps()->Get(i));
    for (const fb::Check *check : *engine_.checks())
      line("check {}, else {}", expression(check->condition()), quoted(textOf(check->message())));
    for (uint32_t i = 0; i < engine_.segments()->size(); ++i) {
      const fb::Segment *segment = engine_.segments()->Get(i);
      line("segment {}: {} bytes at {}{}, xxh64 {:016x}", i, segment->size_bytes(),
           segment->offset(), segment->is_external() ? " of the weights file" : "",
           segment->checksum());
    }
    printWeights();
    printLongExpressions();
    if (engine_.build_record())
      for (const fb::KeyValue *entry : *engine_.build_record())
        line("build {} = {}", textOf(entry->key()), quoted(textOf(entry->value())));
    return std::move(out_);
  }

private:
  template <typename... Args>
  void line(fmt::format_string<Args...> format, Args &&...args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_.push_back('\n');
  }

  std::string expression(uint32_t index) const { return expressions_[index].toString(); }

  std::string shape(const flatbuffers::Vector<uint32_t> &dims) const {
    std::string text;
    for (uint32_t dim : dims)
      text += (text.empty() ? "" : ", ") + expression(dim);
    return "[" + text + "]";
  }

  static std::string extents(const flatbuffers::Vector<uint32_t> &values) {
    std::string text;
    for (uint32_t value : values)
      text += (text.empty() ? "" : " x ") + std::to_string(value);
    return text;
  }

  void printSymbols() {
    for (const fb::Symbol *symbol : *engine_.symbols()) {
      const bool isBounded = symbol->max() != std::numeric_limits<int64_t>::max();
      const std::string source =
          symbol->bound() != kAbsent
              ? fmt::format("computed by a kernel, at most {}", expression(symbol->bound()))
              : fmt::format("from dimension {} of input {}", symbol->dim(),
                            quoted(textOf(engine_.inputs()->Get(symbol->input())->name())));
      line("symbol {}: {} to {}, tuned for {}, {}", textOf(symbol->name()), symbol->min(),
           isBounded ? std::to_string(symbol->max()) : "unbounded", symbol->opt(), source);
    }
    for (uint32_t i = 0; engine_.profiles() && i < engine_.profiles()->size(); ++i)
      printProfile(i);
  }

  void printProfile(uint32_t index) {
    std::string text;
    const auto &ranges = *engine_.profiles()->Get(index)->ranges();
    for (uint32_t i = 0; i < ranges.size(); ++i) {
      const fb::ProfileRange *range = ranges.Get(i);
      const bool isBounded = range->max() != std::numeric_limits<int64_t>::max();
      text += fmt::format("{}{} {} to {}, tuned for {}", i ? "; " : "",
                          textOf(engine_.symbols()->Get(i)->name()), range->min(),
                          isBounded ? std::to_string(range->max()) : "unbounded", range->opt());
    }
    line("profile {}: {}", index + 1, text);
  }

  void printWeights() {
    if (const fb::WeightsFile *file = engine_.weights_file())
      line("weights file {}: {} bytes, xxh64 {:016x}", quoted(textOf(file->name())),
           file->size_bytes(), file->checksum());
    for (uint32_t i = 0; engine_.weights() && i < engine_.weights()->size(); ++i) {
      const fb::Weight &weight = *engine_.weights()->Get(i);
      std::string sizes;
      for (int64_t size : *weight.shape())
        sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", size);
      line("weight {}: {}[{}]{}", quoted(textOf(weight.name())), dtypeName(weight.dtype()), sizes,
           weight.buffer() == kAbsent ? ", not used"
                                      : fmt::format(" in buffer {}", weight.buffer()));
    }
  }

  void printTensors(std::string_view what,
                    const flatbuffers::Vector<flatbuffers::Offset<fb::Tensor>> &tensors) {
    for (const fb::Tensor *tensor : tensors) {
      const std::string_view path = textOf(tensor->path());
      const std::string updated =
          tensor->updated_input() == kAbsent
              ? ""
              : ", may be the memory of input " +
                    quoted(textOf(engine_.inputs()->Get(tensor->updated_input())->name()));
      line("{} {}: {}{} in buffer {}{}{}", what, quoted(textOf(tensor->name())),
           dtypeName(tensor->dtype()), shape(*tensor->shape()), tensor->buffer(),
           path.empty() ? "" : ", at " + quoted(path), updated);
    }
  }

  void printBuffers() {
    for (uint32_t i = 0; i < engine_.buffers()->size(); ++i) {
      const fb::Buffer *buffer = engine_.buffers()->Get(i);
      const bool hasSegment =
          buffer->kind() == fb::BufferKind::Constant || buffer->kind() == fb::BufferKind::State;
      const std::string segment = hasSegment ? fmt::format(", segment {}", buffer->segment()) : "";
      line("buffer {}: {}, {} bytes, aligned to {}, steps {} to {}{}", i,
           fb::EnumNameBufferKind(buffer->kind()), expression(buffer->size_bytes()),
           buffer->alignment_bytes(), buffer->first_step(), buffer->last_step(), segment);
    }
  }

  void printKernel(uint32_t index, const fb::Kernel &kernel) {
    std::string parameters;
    for (const fb::Parameter *parameter : *kernel.parameters())
      parameters += fmt::format(
          "{}{}{} {}", parameters.empty() ? "" : ", ", dtypeName(parameter->dtype()),
          parameter->kind() == fb::ParameterKind::Pointer ? "*" : "", textOf(parameter->name()));
    const std::string_view source = textOf(kernel.source());
    line("kernel {} {}({}){}", index, quoted(textOf(kernel.name())), parameters,
         source.empty() ? "" : " from " + quoted(source));
    for (const fb::Image *image : *kernel.images())
      printImage(*image);
  }

  void printImage(const fb::Image &image) {
    const fb::Segment *segment = engine_.segments()->Get(image.segment());
    if (image.format() == fb::ImageFormat::LibraryFunction) {
      line("  image {}: LibraryFunction, {}, called where the library is installed",
           textOf(image.target()), quoted(textOf(image.entry())));
      return;
    }
    std::string details;
    if (image.format() != fb::ImageFormat::X86SharedObject)
      details = fmt::format(", {} warps, {} bytes shared, {} registers, {} bytes spilled",
                            image.num_warps(), image.shared_bytes(), image.registers(),
                            image.spill_bytes());
    if (image.block())
      details += fmt::format(", blocks of {} threads", extents(*image.block()));
    if (image.cluster())
      details += fmt::format(", clusters of {} blocks", extents(*image.cluster()));
    if (image.blocks_per_program() != 1)
      details += fmt::format(", {} blocks per program", image.blocks_per_program());
    details += image.is_cooperative() ? ", cooperative" : "";
    details += image.is_programmatic() ? ", programmatic" : "";
    if (image.scratch_bytes() != 0)
      details += fmt::format(", {} bytes scratch", image.scratch_bytes());
    if (image.ptx_version() != 0)
      details += fmt::format(", PTX {}.{}", image.ptx_version() / 10, image.ptx_version() % 10);
    line("  image {}: {}, entry {}, segment {} of {} bytes, xxh64 {:016x}{}",
         textOf(image.target()), fb::EnumNameImageFormat(image.format()),
         quoted(textOf(image.entry())), image.segment(), segment->size_bytes(), segment->checksum(),
         details);
  }

  void printStep(uint32_t index, const fb::Step &step) {
    if (const fb::Copy *copy = step.kind_as_Copy()) {
      line("step {}: copy buffer {} to buffer {}", index, copy->source(), copy->target());
      return;
    }
    if (const fb::HostCall *call = step.kind_as_HostCall()) {
      printHostCall(index, *call);
      return;
    }
    if (const fb::ReadSize *read = step.kind_as_ReadSize()) {
      line("step {}: read {} of {} from buffer {}, plugin {}, node {}", index,
           dtypeName(read->dtype()), textOf(engine_.symbols()->Get(read->symbol())->name()),
           read->buffer(), quoted(textOf(read->plugin())), quoted(textOf(read->node())));
      return;
    }
    const fb::Launch &launch = *step.kind_as_Launch();
    const fb::Kernel &kernel = *engine_.kernels()->Get(launch.kernel());
    const std::string_view plugin = textOf(launch.plugin()), node = textOf(launch.node());
    const std::string block = launch.block() ? ", block " + shape(*launch.block()) : "";
    const std::string shared = launch.shared_bytes() != kAbsent
                                   ? ", shared bytes " + expression(launch.shared_bytes())
                                   : "";
    line("step {}: launch kernel {} {} on grid {}{}{}{}{}", index, launch.kernel(),
         quoted(textOf(kernel.name())), shape(*launch.grid()), block, shared,
         plugin.empty() ? "" : ", plugin " + quoted(plugin),
         node.empty() ? "" : ", node " + quoted(node));
    if (launch.choice() != kAbsent)
      line("  only for tactic {} of choice {}",
           quoted(textOf(
               engine_.choices()->Get(launch.choice())->tactics()->Get(launch.tactic())->name())),
           launch.choice());
    if (launch.attributes())
      line("  attributes: {}", quoted(textOf(launch.attributes())));
    for (uint32_t i = 0; i < launch.arguments()->size(); ++i)
      line("  {} = {}", textOf(kernel.parameters()->Get(i)->name()),
           argument(*launch.arguments()->Get(i)));
  }

  void printChoice(uint32_t index, const fb::Choice &choice) {
    line("choice {}: of {} tactics, plugin {}, node {}", index, choice.tactics()->size(),
         quoted(textOf(choice.plugin())), quoted(textOf(choice.node())));
    for (const fb::Tactic *tactic : *choice.tactics()) {
      std::string when;
      if (tactic->condition() != kAbsent)
        when = ", if " + expression(tactic->condition());
      for (uint32_t i = 0; tactic->alignments() && i < tactic->alignments()->size(); ++i)
        when += fmt::format("{}buffer {} is aligned to {}", when.empty() ? ", if " : " and ",
                            tactic->alignments()->Get(i)->buffer(),
                            tactic->alignments()->Get(i)->bytes());
      line("  tactic {}{}", quoted(textOf(tactic->name())), when);
    }
    for (const fb::TacticOrder *order : *choice.orders()) {
      std::string names;
      for (uint32_t tactic : *order->tactics())
        names +=
            (names.empty() ? "" : ", ") + quoted(textOf(choice.tactics()->Get(tactic)->name()));
      const std::string profile =
          order->profile() == kAbsent ? "" : fmt::format(" in profile {}", order->profile());
      line("  tried{}{}: {}", order->target() ? " on " + std::string(textOf(order->target())) : "",
           profile, names);
    }
  }

  void printHostCall(uint32_t index, const fb::HostCall &call) {
    const std::string_view node = textOf(call.node());
    const std::string workspace =
        call.workspace() == kAbsent ? "" : fmt::format(", workspace buffer {}", call.workspace());
    line("step {}: call host function {}{}{}", index, quoted(textOf(call.function())), workspace,
         node.empty() ? "" : ", node " + quoted(node));
    for (const auto &[tensors, what] :
         {std::pair(call.inputs(), "input"), std::pair(call.outputs(), "output")})
      for (uint32_t i = 0; i < tensors->size(); ++i) {
        const fb::HostTensor &tensor = *tensors->Get(i);
        line("  {} {}: {}{} in buffer {}", what, i, dtypeName(tensor.dtype()),
             shape(*tensor.shape()), tensor.buffer());
      }
    if (isHostSegment(call)) { // whose attributes tell the tensors' names and its calls
      for (const std::string &text : hostSegmentLines(call))
        line("  {}", text);
      return;
    }
    for (const fb::HostAttribute *attribute : *call.attributes())
      line("  {} = {}", textOf(attribute->name()), hostValue(*attribute));
  }

  /// `list` is null if it is empty.
  template <typename List, typename Print>
  static std::string listOf(const List *list, Print print) {
    std::string text;
    for (uint32_t i = 0; list && i < list->size(); ++i)
      text += (text.empty() ? "" : ", ") + print(list->Get(i));
    return "[" + text + "]";
  }

  static std::string hostValue(const fb::HostAttribute &attribute) {
    switch (attribute.kind()) {
    case fb::HostValueKind::Bool:
      return attribute.integer() ? "true" : "false";
    case fb::HostValueKind::Int:
      return std::to_string(attribute.integer());
    case fb::HostValueKind::Float:
      return fmt::format("{}", attribute.number());
    case fb::HostValueKind::String:
      return quoted(textOf(attribute.text()));
    case fb::HostValueKind::DType:
      return std::string(dtypeName(static_cast<uint8_t>(attribute.integer())));
    case fb::HostValueKind::BoolList:
      return listOf(attribute.integers(),
                    [](int64_t value) { return std::string(value ? "true" : "false"); });
    case fb::HostValueKind::IntList:
      return listOf(attribute.integers(), [](int64_t value) { return std::to_string(value); });
    case fb::HostValueKind::FloatList:
      return listOf(attribute.numbers(), [](double value) { return fmt::format("{}", value); });
    case fb::HostValueKind::StringList:
      return listOf(attribute.texts(),
                    [](const flatbuffers::String *text) { return quoted(textOf(text)); });
    case fb::HostValueKind::None:
      break;
    }
    return "none";
  }

  std::string argument(const fb::Argument &argument) const {
    switch (argument.kind()) {
    case fb::ArgumentKind::Buffer:
      return fmt::format("buffer {}", argument.index());
    case fb::ArgumentKind::Expression:
      return expression(argument.index());
    case fb::ArgumentKind::Float:
      return fmt::format("{}", argument.value());
    case fb::ArgumentKind::FloatExpression:
      return floats_[argument.index()].toString();
    }
    return "?";
  }

  /// The steps that are too long to be repeated, which others refer to by name.
  void printLongExpressions() {
    for (uint32_t i = 0; i < expressions_.size(); ++i)
      if (expressions_[i].toString().size() > kMaxInlineExpressionBytes)
        line("expression e{} = {}", i, expression(i));
  }

  const EngineFile &file_;
  const fb::Engine &engine_;
  std::vector<Expr> expressions_;
  std::vector<FloatExpr> floats_;
  std::string out_;
};

} // namespace

std::string engineToText(const EngineFile &file) { return TextPrinter(file).print(); }

} // namespace inlay
