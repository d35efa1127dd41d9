#include "runtime/core/HostCallTable.h"

#include "base/Error.h"
#include "runtime/core/StatusHandle.h"
#include "runtime/devices/Device.h"

namespace inlay {
namespace {

constexpr uint32_t kAbsent = UINT32_MAX;
// The file and the C interface number the kinds of values alike.
static_assert(static_cast<int>(fb::HostValueKind::None) == INLAY_ATTRIBUTE_NONE &&
              static_cast<int>(fb::HostValueKind::DType) == INLAY_ATTRIBUTE_DTYPE &&
              static_cast<int>(fb::HostValueKind::MAX) == INLAY_ATTRIBUTE_STRING_LIST);

const char *textOf(const flatbuffers::String *text) { return text ? text->c_str() : ""; }

template <typename Visit>
void forEachCall(const fb::Engine &engine, Visit visit) {
  for (const fb::Step *step : *engine.steps())
    if (const fb::HostCall *call = step->kind_as_HostCall())
      visit(*call);
}

} // namespace

std::string describeHostCall(const fb::HostCall &call) {
  return call.node() && call.node()->size()
             ? fmt::format("'{}' (node '{}')", call.function()->string_view(),
                           call.node()->string_view())
             : fmt::format("'{}'", call.function()->string_view());
}

HostCallTable::HostCallTable(const fb::Engine &engine, const HostFunctionTable &functions,
                             const Device &device)
    : device_(device.info().device) {
  const bool isHost = device.usesHostMemory();
  uint32_t index = 0;
  forEachCall(engine, [&](const fb::HostCall &metadata) {
    Call call;
    call.function = &functions.function(index++);
    call.metadata = &metadata;
    for (const auto *tensors : {metadata.inputs(), metadata.outputs()})
      for (const fb::HostTensor *tensor : *tensors) {
        call.shapes.emplace_back(tensor->shape()->size());
        call.tensors.push_back({nullptr, static_cast<inlay_dtype_t>(tensor->dtype()),
                                static_cast<int32_t>(tensor->shape()->size()),
                                call.shapes.back().data(),
                                isHost ? INLAY_MEMORY_HOST : INLAY_MEMORY_DEVICE});
      }
    addAttributes(call);
    inlay_host_call_t &made = call.call;
    made.struct_size = sizeof(made);
    made.function = metadata.function()->c_str();
    made.node = textOf(metadata.node());
    made.num_inputs = metadata.inputs()->size();
    made.num_outputs = metadata.outputs()->size();
    made.num_attributes = metadata.attributes()->size();
    made.inputs = call.tensors.data();
    made.outputs = call.tensors.data() + made.num_inputs;
    made.attributes = call.attributes.data();
    calls_.push_back(std::move(call)); // moving vectors leaves their elements in place
  });
}

void HostCallTable::addAttributes(Call &call) {
  for (const fb::HostAttribute *from : *call.metadata->attributes()) {
    inlay_attribute_t to{};
    to.name = from->name()->c_str();
    to.kind = static_cast<inlay_attribute_kind_t>(from->kind());
    to.integer = from->integer();
    to.number = from->number();
    to.text = textOf(from->text());
    std::vector<const char *> texts;
    if (from->integers()) {
      to.integers = from->integers()->data();
      to.count = from->integers()->size();
    } else if (from->numbers()) {
      to.numbers = from->numbers()->data();
      to.count = from->numbers()->size();
    } else if (from->texts()) {
      for (const flatbuffers::String *text : *from->texts())
        texts.push_back(textOf(text));
      to.count = texts.size();
    }
    call.texts.push_back(std::move(texts));
    to.texts = call.texts.back().data();
    call.attributes.push_back(to);
  }
}

uint32_t HostCallTable::bufferOf(const Call &call, size_t tensor) const {
  const auto &inputs = *call.metadata->inputs();
  return tensor < inputs.size() ? inputs.Get(static_cast<uint32_t>(tensor))->buffer()
                                : call.metadata->outputs()
                                      ->Get(static_cast<uint32_t>(tensor - inputs.size()))
                                      ->buffer();
}

Status HostCallTable::setShapes(const ShapeEvaluation &shapes,
                                std::span<const int64_t> bufferSizesBytes) {
  for (Call &call : calls_) {
    size_t next = 0;
    for (const auto *tensors : {call.metadata->inputs(), call.metadata->outputs()})
      for (const fb::HostTensor *tensor : *tensors) {
        std::vector<int64_t> &shape = call.shapes[next++];
        int64_t sizeBytes = dataTypeSizeBytes(static_cast<DataType>(tensor->dtype()));
        for (uint32_t dim = 0; dim < tensor->shape()->size(); ++dim) {
          shape[dim] = shapes.value(tensor->shape()->Get(dim));
          if (shape[dim] < 0)
            return outOfRange("host function {}: a dimension of tensor {} is {} ({})",
                              describeHostCall(*call.metadata), next - 1, shape[dim],
                              shapes.describeSymbols());
          // A product that overflows is no buffer's size.
          sizeBytes = static_cast<int64_t>(static_cast<uint64_t>(sizeBytes) *
                                           static_cast<uint64_t>(shape[dim]));
        }
        if (sizeBytes != bufferSizesBytes[tensor->buffer()])
          return dataLoss(
              "host function {}: tensor {} of the engine has {} bytes in a buffer of {}",
              describeHostCall(*call.metadata), next - 1, sizeBytes,
              bufferSizesBytes[tensor->buffer()]);
      }
    if (call.metadata->workspace() != kAbsent)
      call.call.workspace_bytes =
          static_cast<uint64_t>(bufferSizesBytes[call.metadata->workspace()]);
  }
  return {};
}

void HostCallTable::setAddress(uint32_t buffer, void *address) {
  for (Call &call : calls_) {
    for (size_t i = 0; i < call.tensors.size(); ++i)
      if (bufferOf(call, i) == buffer)
        call.tensors[i].data = address;
    if (call.metadata->workspace() == buffer)
      call.call.workspace = address;
  }
}

Status HostCallTable::run(uint32_t index, void *stream) const {
  const Call &call = calls_[index];
  inlay_host_call_t made = call.call;
  made.device = device_.c_str();
  made.stream = stream;
  return fromHandle(call.function->call(made));
}

} // namespace inlay
