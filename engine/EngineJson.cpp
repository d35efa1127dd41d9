#include "engine/EngineText.h"

#include "base/DataType.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace inlay {
namespace {

/// An index of an expression that is not given.
constexpr uint32_t kAbsent = std::numeric_limits<uint32_t>::max();

/// Keeps the order in which keys are written.
using Json = nlohmann::ordered_json;

Json textOf(const flatbuffers::String *string) { return string ? string->str() : std::string(); }

std::string_view dtypeName(uint8_t dtype) { return dataTypeName(static_cast<DataType>(dtype)); }

class JsonPrinter {
public:
  explicit JsonPrinter(const EngineFile &file)
      : file_(file), engine_(file.engine()), expressions_(engineExpressions(file)),
        floats_(engineFloatExpressions(file, expressions_)) {}

  Json print() const {
    Json json;
    json["name"] = textOf(engine_.name());
    json["producer"] = textOf(engine_.producer());
    json["format_version"] = kEngineFormatVersion;
    json["size_bytes"] = file_.sizeBytes();
    json["symbols"] = list(*engine_.symbols(), [&](const fb::Symbol &s) { return symbol(s); });
    json["profiles"] = Json::array();
    for (uint32_t i = 0; engine_.profiles() && i < engine_.profiles()->size(); ++i)
      json["profiles"].push_back(
          list(*engine_.profiles()->Get(i)->ranges(), [&](const fb::ProfileRange &r) {
            Json range{{"min", r.min()}, {"opt", r.opt()}};
            if (r.max() != std::numeric_limits<int64_t>::max())
              range["max"] = r.max();
            return range;
          }));
    json["inputs"] = list(*engine_.inputs(), [&](const fb::Tensor &t) { return tensor(t); });
    json["outputs"] = list(*engine_.outputs(), [&](const fb::Tensor &t) { return tensor(t); });
    json["buffers"] = list(*engine_.buffers(), [&](const fb::Buffer &b) { return buffer(b); });
    json["kernels"] = list(*engine_.kernels(), [&](const fb::Kernel &k) { return kernel(k); });
    if (engine_.choices())
      json["choices"] = list(*engine_.choices(), [&](const fb::Choice &c) { return choice(c); });
    json["steps"] = list(*engine_.steps(), [&](const fb::Step &s) { return step(s); });
    json["checks"] = list(*engine_.checks(), [&](const fb::Check &c) {
      return Json{{"condition", expression(c.condition())}, {"message", textOf(c.message())}};
    });
    json["segments"] = list(*engine_.segments(), [&](const fb::Segment &s) {
      Json segment{{"offset", s.offset()},
                   {"size_bytes", s.size_bytes()},
                   {"xxh64", fmt::format("{:016x}", s.checksum())}};
      if (s.is_external())
        segment["is_external"] = true;
      return segment;
    });
    addWeights(json);
    json["long_expressions"] = longExpressions();
    json["build_record"] = Json::object();
    if (engine_.build_record())
      for (const fb::KeyValue *entry : *engine_.build_record())
        json["build_record"][entry->key()->str()] = textOf(entry->value());
    return json;
  }

private:
  void addWeights(Json &json) const {
    if (const fb::WeightsFile *file = engine_.weights_file())
      json["weights_file"] = {{"name", textOf(file->name())},
                              {"size_bytes", file->size_bytes()},
                              {"xxh64", fmt::format("{:016x}", file->checksum())}};
    if (engine_.weights())
      json["weights"] = list(*engine_.weights(), [](const fb::Weight &weight) {
        Json entry{{"name", textOf(weight.name())}, {"dtype", dtypeName(weight.dtype())}};
        entry["shape"] = std::vector<int64_t>(weight.shape()->begin(), weight.shape()->end());
        if (weight.buffer() != kAbsent)
          entry["buffer"] = weight.buffer();
        return entry;
      });
  }

  template <typename Vector, typename Function>
  static Json list(const Vector &rows, Function toJson) {
    Json result = Json::array();
    for (const auto *row : rows)
      result.push_back(toJson(*row));
    return result;
  }

  std::string expression(uint32_t index) const { return expressions_[index].toString(); }

  Json shape(const flatbuffers::Vector<uint32_t> &dims) const {
    Json result = Json::array();
    for (uint32_t dim : dims)
      result.push_back(expression(dim));
    return result;
  }

  Json longExpressions() const {
    Json result = Json::object();
    for (uint32_t i = 0; i < expressions_.size(); ++i)
      if (expressions_[i].toString().size() > kMaxInlineExpressionBytes)
        result["e" + std::to_string(i)] = expression(i);
    return result;
  }

  Json symbol(const fb::Symbol &symbol) const {
    Json json{{"name", textOf(symbol.name())}, {"min", symbol.min()}};
    if (symbol.max() != std::numeric_limits<int64_t>::max())
      json["max"] = symbol.max();
    json["opt"] = symbol.opt();
    if (symbol.bound() != kAbsent) {
      json["bound"] = expression(symbol.bound());
      return json;
    }
    json["input"] = symbol.input();
    json["dim"] = symbol.dim();
    return json;
  }

  Json tensor(const fb::Tensor &tensor) const {
    Json json{{"name", textOf(tensor.name())},
              {"path", textOf(tensor.path())},
              {"dtype", dtypeName(tensor.dtype())},
              {"shape", shape(*tensor.shape())},
              {"buffer", tensor.buffer()}};
    if (tensor.updated_input() != kAbsent)
      json["updated_input"] = tensor.updated_input();
    return json;
  }

  Json buffer(const fb::Buffer &buffer) const {
    Json json{{"kind", fb::EnumNameBufferKind(buffer.kind())},
              {"size_bytes", expression(buffer.size_bytes())},
              {"alignment_bytes", buffer.alignment_bytes()},
              {"first_step", buffer.first_step()},
              {"last_step", buffer.last_step()}};
    if (buffer.kind() == fb::BufferKind::Constant || buffer.kind() == fb::BufferKind::State)
      json["segment"] = buffer.segment();
    return json;
  }

  Json kernel(const fb::Kernel &kernel) const {
    Json json{{"name", textOf(kernel.name())}, {"source", textOf(kernel.source())}};
    json["parameters"] = list(*kernel.parameters(), [](const fb::Parameter &parameter) {
      return Json{{"name", textOf(parameter.name())},
                  {"kind", fb::EnumNameParameterKind(parameter.kind())},
                  {"dtype", dtypeName(parameter.dtype())}};
    });
    json["images"] = list(*kernel.images(), [&](const fb::Image &image) {
      const fb::Segment *segment = engine_.segments()->Get(image.segment());
      Json entry{{"target", textOf(image.target())},
                 {"format", fb::EnumNameImageFormat(image.format())},
                 {"entry", textOf(image.entry())},
                 {"segment", image.segment()},
                 {"size_bytes", segment->size_bytes()},
                 {"xxh64", fmt::format("{:016x}", segment->checksum())},
                 {"num_warps", image.num_warps()},
                 {"shared_bytes", image.shared_bytes()},
                 {"registers", image.registers()},
                 {"spill_bytes", image.spill_bytes()},
                 {"ptx_version", image.ptx_version()},
                 {"scratch_bytes", image.scratch_bytes()}};
      if (image.block())
        entry["block"] = std::vector<uint32_t>(image.block()->begin(), image.block()->end());
      if (image.cluster())
        entry["cluster"] = std::vector<uint32_t>(image.cluster()->begin(), image.cluster()->end());
      if (image.blocks_per_program() != 1)
        entry["blocks_per_program"] = image.blocks_per_program();
      if (image.is_cooperative())
        entry["is_cooperative"] = true;
      if (image.is_programmatic())
        entry["is_programmatic"] = true;
      return entry;
    });
    return json;
  }

  Json step(const fb::Step &step) const {
    if (const fb::Copy *copy = step.kind_as_Copy())
      return {{"kind", "copy"}, {"source", copy->source()}, {"target", copy->target()}};
    if (const fb::HostCall *call = step.kind_as_HostCall())
      return hostCall(*call);
    if (const fb::ReadSize *read = step.kind_as_ReadSize())
      return {{"kind", "read_size"},
              {"symbol", textOf(engine_.symbols()->Get(read->symbol())->name())},
              {"buffer", read->buffer()},
              {"dtype", dtypeName(read->dtype())},
              {"plugin", textOf(read->plugin())},
              {"node", textOf(read->node())}};
    const fb::Launch &launch = *step.kind_as_Launch();
    Json json{{"kind", "launch"},
              {"kernel", launch.kernel()},
              {"plugin", textOf(launch.plugin())},
              {"node", textOf(launch.node())},
              {"grid", shape(*launch.grid())},
              {"arguments", list(*launch.arguments(),
                                 [&](const fb::Argument &argument) { return toJson(argument); })}};
    if (launch.block())
      json["block"] = shape(*launch.block());
    if (launch.shared_bytes() != kAbsent)
      json["shared_bytes"] = expression(launch.shared_bytes());
    if (launch.attributes())
      json["attributes"] = textOf(launch.attributes());
    if (launch.choice() != kAbsent) {
      json["choice"] = launch.choice();
      json["tactic"] = launch.tactic();
    }
    return json;
  }

  Json choice(const fb::Choice &choice) const {
    Json json{{"plugin", textOf(choice.plugin())}, {"node", textOf(choice.node())}};
    json["tactics"] = list(*choice.tactics(), [&](const fb::Tactic &tactic) {
      Json entry{{"name", textOf(tactic.name())}};
      if (tactic.condition() != kAbsent)
        entry["condition"] = expression(tactic.condition());
      if (tactic.alignments())
        entry["alignments"] = list(*tactic.alignments(), [](const fb::Alignment &alignment) {
          return Json{{"buffer", alignment.buffer()}, {"bytes", alignment.bytes()}};
        });
      return entry;
    });
    json["orders"] = list(*choice.orders(), [](const fb::TacticOrder &order) {
      Json entry = Json::object();
      if (order.target())
        entry["target"] = textOf(order.target());
      if (order.profile() != kAbsent)
        entry["profile"] = order.profile();
      entry["tactics"] = std::vector<uint32_t>(order.tactics()->begin(), order.tactics()->end());
      return entry;
    });
    return json;
  }

  Json hostCall(const fb::HostCall &call) const {
    const auto tensors = [&](const flatbuffers::Vector<flatbuffers::Offset<fb::HostTensor>> &from) {
      return list(from, [&](const fb::HostTensor &tensor) {
        return Json{{"buffer", tensor.buffer()},
                    {"dtype", dtypeName(tensor.dtype())},
                    {"shape", shape(*tensor.shape())}};
      });
    };
    Json json{{"kind", "host_call"},
              {"function", textOf(call.function())},
              {"node", textOf(call.node())},
              {"inputs", tensors(*call.inputs())},
              {"outputs", tensors(*call.outputs())}};
    if (call.workspace() != kAbsent)
      json["workspace"] = call.workspace();
    json["attributes"] = Json::object();
    for (const fb::HostAttribute *attribute : *call.attributes())
      json["attributes"][std::string(textOf(attribute->name()))] = hostValue(*attribute);
    return json;
  }

  static Json number(double value) {
    // JSON has no infinities.
    return std::isfinite(value) ? Json(value) : Json(fmt::format("{}", value));
  }

  static Json hostValue(const fb::HostAttribute &attribute) {
    Json values = Json::array();
    const auto addAll = [&](const auto *list, auto convert) { // none: it is empty
      for (uint32_t i = 0; list && i < list->size(); ++i)
        values.push_back(convert(list->Get(i)));
    };
    switch (attribute.kind()) {
    case fb::HostValueKind::None:
      return nullptr;
    case fb::HostValueKind::Bool:
      return attribute.integer() != 0;
    case fb::HostValueKind::Int:
      return attribute.integer();
    case fb::HostValueKind::Float:
      return number(attribute.number());
    case fb::HostValueKind::String:
      return textOf(attribute.text());
    case fb::HostValueKind::DType:
      return dtypeName(static_cast<uint8_t>(attribute.integer()));
    case fb::HostValueKind::BoolList:
      addAll(attribute.integers(), [](int64_t value) { return value != 0; });
      break;
    case fb::HostValueKind::IntList:
      addAll(attribute.integers(), [](int64_t value) { return value; });
      break;
    case fb::HostValueKind::FloatList:
      addAll(attribute.numbers(), [](double value) { return number(value); });
      break;
    case fb::HostValueKind::StringList:
      addAll(attribute.texts(), [](const flatbuffers::String *value) { return textOf(value); });
      break;
    }
    return values;
  }

  Json toJson(const fb::Argument &argument) const {
    if (argument.kind() == fb::ArgumentKind::Buffer)
      return {{"buffer", argument.index()}};
    if (argument.kind() == fb::ArgumentKind::Expression)
      return {{"expression", expression(argument.index())}};
    if (argument.kind() == fb::ArgumentKind::FloatExpression)
      return {{"float_expression", floats_[argument.index()].toString()}};
    return {{"float", number(argument.value())}};
  }

  const EngineFile &file_;
  const fb::Engine &engine_;
  std::vector<Expr> expressions_;
  std::vector<FloatExpr> floats_;
};

} // namespace

std::string engineToJson(const EngineFile &file) {
  // Names that are no UTF-8 are printed with replacement characters rather than refused.
  return JsonPrinter(file).print().dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace inlay
