// The C interface over Engine and ExecutionContext.
#include "inlay/inlay.h"

#include "base/Error.h"
#include "runtime/api/Handles.h"
#include "runtime/api/HostLibrary.h"
#include "runtime/core/ExecutionContext.h"
#include "runtime/core/ShapeProfile.h"
#include "runtime/core/StatusHandle.h"

#include <algorithm>
#include <cstring>

using namespace inlay;

#define INLAY_STATUS_CODE(name, cName, value)                                                      \
  static_assert(INLAY_STATUS_##cName == static_cast<int>(StatusCode::name));
#include "base/StatusCode.def"
#undef INLAY_STATUS_CODE
#define INLAY_DATA_TYPE(name, cName, value, triton, torch, size, kind)                             \
  static_assert(INLAY_DTYPE_##cName == static_cast<int>(DataType::name));
#include "base/DataType.def"
#undef INLAY_DATA_TYPE

Result<TensorBinding> inlay::toBinding(std::string_view name, const inlay_tensor_t *tensor) {
  INLAY_TRY(requireNotNull(tensor, "tensor"));
  if (!isDataType(static_cast<uint64_t>(tensor->dtype)))
    return invalidArgument("'{}' has unknown dtype {}", name, static_cast<int>(tensor->dtype));
  if (tensor->rank < 0 || tensor->rank > INLAY_MAX_RANK)
    return invalidArgument("'{}' has rank {}; expected 0 to {}", name, tensor->rank,
                           INLAY_MAX_RANK);
  if (tensor->rank > 0 && !tensor->shape)
    return invalidArgument("'{}' has rank {} and no shape: its pointer is null", name,
                           tensor->rank);
  if (tensor->memory != INLAY_MEMORY_HOST && tensor->memory != INLAY_MEMORY_DEVICE)
    return invalidArgument("'{}' has unknown memory {}", name, static_cast<int>(tensor->memory));
  return TensorBinding{tensor->data,
                       static_cast<DataType>(tensor->dtype),
                       {tensor->shape, static_cast<size_t>(tensor->rank)},
                       tensor->memory == INLAY_MEMORY_DEVICE};
}

namespace {

Status copyAndWait(ExecutionContext &context, void *target, const void *source, size_t sizeBytes,
                   CopyDirection direction) {
  INLAY_TRY(context.device().makeCurrent());
  if (sizeBytes > 0 && (!target || !source))
    return invalidArgument("a copy of {} bytes was asked for {} the null address", sizeBytes,
                           target ? "from" : "to");
  if (sizeBytes > 0)
    INLAY_TRY(context.device().copy(target, source, sizeBytes, direction, context.stream()));
  return context.synchronize();
}

Result<void *> allocateOn(ExecutionContext &context, size_t sizeBytes) {
  if (sizeBytes == 0)
    return invalidArgument("0 bytes of device memory were asked for; expected 1 or more");
  INLAY_TRY(context.device().makeCurrent());
  return context.device().allocate(sizeBytes);
}

/// Calls `function` with the core's context and gives its Status; an error for a null handle.
template <typename Function>
inlay_status_t *call(const inlay_context_t *context, Function function) {
  if (!context) [[unlikely]]
    return toC(requireNotNull(nullptr, "context"));
  return toC(function(*context->context));
}

Status describeTensor(const std::vector<inlay_engine_t::TensorInfo> &tensors, const char *what,
                      uint32_t index, inlay_tensor_info_t *info) {
  INLAY_TRY(requireNotNull(info, "info"));
  if (index >= tensors.size())
    return outOfRange("there is no {} {}; the engine has {}", what, index, tensors.size());
  *info = tensors[index].info;
  return {};
}

/// Index of a tensor by name, or -1.
int64_t findTensor(const std::vector<TensorDescription> &tensors, std::string_view name) {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name)
      return static_cast<int64_t>(i);
  return -1;
}

std::string listNames(const std::vector<TensorDescription> &tensors) {
  std::string names;
  for (const TensorDescription &tensor : tensors)
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", tensor.name);
  return names.empty() ? "none" : names;
}

Status lookupTensor(const std::vector<TensorDescription> &tensors, const char *what,
                    const char *name, uint32_t *index) {
  INLAY_TRY(requireNotNull(name, "name"));
  INLAY_TRY(requireNotNull(index, "index"));
  const int64_t found = findTensor(tensors, name);
  if (found < 0)
    return notFound("the engine has no {} '{}'; its {}s are: {}", what, name, what,
                    listNames(tensors));
  *index = static_cast<uint32_t>(found);
  return {};
}

Status bindAt(ExecutionContext &context, bool isInput, uint32_t index,
              const inlay_tensor_t *tensor) {
  const auto &tensors = isInput ? context.engine().inputs() : context.engine().outputs();
  if (index >= tensors.size())
    return outOfRange("there is no {} {}; the engine has {}", isInput ? "input" : "output", index,
                      tensors.size());
  INLAY_ASSIGN(const TensorBinding binding, toBinding(tensors[index].name, tensor));
  return isInput ? context.bindInput(index, binding) : context.bindOutput(index, binding);
}

Status bindByName(ExecutionContext &context, const char *name, const inlay_tensor_t *tensor) {
  INLAY_TRY(requireNotNull(name, "name"));
  const Engine &engine = context.engine();
  const int64_t input = findTensor(engine.inputs(), name);
  const int64_t output = findTensor(engine.outputs(), name);
  if (input >= 0 && output >= 0)
    return invalidArgument("'{}' names both an input and an output; bind them by index", name);
  if (input < 0 && output < 0)
    return notFound("the engine has no input or output '{}'; inputs: {}; outputs: {}", name,
                    listNames(engine.inputs()), listNames(engine.outputs()));
  return bindAt(context, input >= 0, static_cast<uint32_t>(input >= 0 ? input : output), tensor);
}

Status checkOutputIndex(const ExecutionContext &context, uint32_t index) {
  const size_t count = context.engine().outputs().size();
  return index < count ? Status()
                       : outOfRange("there is no output {}; the engine has {}", index, count);
}

Status writeOutputShape(ExecutionContext &context, uint32_t index, bool isBound, int64_t *shape,
                        int32_t *rank) {
  INLAY_TRY(requireNotNull(shape, "shape"));
  INLAY_TRY(requireNotNull(rank, "rank"));
  INLAY_TRY(checkOutputIndex(context, index));
  INLAY_ASSIGN(const BoundShape computed,
               isBound ? context.outputBound(index) : context.outputShape(index));
  std::copy(computed.begin(), computed.end(), shape);
  *rank = static_cast<int32_t>(computed.size());
  return {};
}

template <size_t size>
void copyText(char (&to)[size], const std::string &from) {
  const size_t length = std::min(from.size(), size - 1);
  std::memcpy(to, from.data(), length);
  to[length] = 0;
}

/// Writes as much of a structure as the caller's version of it has.
template <typename T>
Status writeStruct(const T &from, T *to) {
  INLAY_TRY(requireNotNull(to, "result"));
  const size_t size = to->struct_size;
  if (size < sizeof(size_t) || size > 1 << 16)
    return invalidArgument("struct_size is {}; set it to the structure's size", size);
  std::memset(to, 0, size);
  std::memcpy(to, &from, std::min(size, sizeof(T)));
  to->struct_size = size;
  return {};
}

} // namespace

const char *inlay_version(void) { return INLAY_VERSION; }

inlay_status_code_t inlay_status_code(const inlay_status_t *status) {
  return status ? static_cast<inlay_status_code_t>(status->status.code()) : INLAY_STATUS_OK;
}
const char *inlay_status_message(const inlay_status_t *status) {
  return status ? status->status.message().c_str() : "";
}
void inlay_status_free(inlay_status_t *status) { delete status; }
const char *inlay_status_code_name(inlay_status_code_t code) {
  return statusCodeName(static_cast<StatusCode>(code)).data();
}
const char *inlay_dtype_name(inlay_dtype_t dtype) {
  return isDataType(static_cast<uint64_t>(dtype))
             ? dataTypeName(static_cast<DataType>(dtype)).data()
             : "unknown";
}
int64_t inlay_dtype_size_bytes(inlay_dtype_t dtype) {
  return isDataType(static_cast<uint64_t>(dtype)) ? dataTypeSizeBytes(static_cast<DataType>(dtype))
                                                  : 0;
}

inlay_status_t *inlay_status_create(inlay_status_code_t code, const char *message) {
  const bool isKnown = code >= INLAY_STATUS_INVALID_ARGUMENT && code <= INLAY_STATUS_CANCELLED;
  return toC(Status(isKnown ? static_cast<StatusCode>(code) : StatusCode::Internal,
                    message ? message : "no message"));
}

inlay_status_t *inlay_host_function_register(const inlay_host_function_t *function) {
  if (!function)
    return toC(requireNotNull(nullptr, "function"));
  if (function->struct_size < sizeof(inlay_host_function_t))
    return toC(invalidArgument("struct_size of a host function is {}; expected {}",
                               function->struct_size, sizeof(inlay_host_function_t)));
  if (!function->name || !*function->name || !function->call)
    return toC(invalidArgument("a host function needs a name and a function to call"));
  // Made first, so that what the caller gave is given back whatever happens.
  return toC(HostFunctions::ofProcess().add(std::make_shared<HostFunction>(*function)));
}
inlay_status_t *inlay_host_function_unregister(const char *name) {
  if (!name)
    return toC(requireNotNull(nullptr, "name"));
  return toC(HostFunctions::ofProcess().remove(name));
}
inlay_status_t *inlay_host_library_load(const char *path) {
  if (!path)
    return toC(requireNotNull(nullptr, "path"));
  return toC(loadHostLibrary(path));
}

void inlay_engine_free(inlay_engine_t *engine) { delete engine; }
const char *inlay_engine_name(const inlay_engine_t *engine) {
  return engine->engine->metadata().name()->c_str();
}
uint32_t inlay_engine_num_inputs(const inlay_engine_t *engine) {
  return static_cast<uint32_t>(engine->inputs.size());
}
uint32_t inlay_engine_num_outputs(const inlay_engine_t *engine) {
  return static_cast<uint32_t>(engine->outputs.size());
}
inlay_status_t *inlay_engine_input(const inlay_engine_t *engine, uint32_t index,
                                   inlay_tensor_info_t *info) {
  if (!engine)
    return toC(requireNotNull(nullptr, "engine"));
  return toC(describeTensor(engine->inputs, "input", index, info));
}
inlay_status_t *inlay_engine_output(const inlay_engine_t *engine, uint32_t index,
                                    inlay_tensor_info_t *info) {
  if (!engine)
    return toC(requireNotNull(nullptr, "engine"));
  return toC(describeTensor(engine->outputs, "output", index, info));
}
uint32_t inlay_engine_num_profiles(const inlay_engine_t *engine) {
  return numProfiles(*engine->engine);
}
inlay_status_t *inlay_engine_profile_dim(const inlay_engine_t *engine, uint32_t profile,
                                         uint32_t input, int32_t dim, inlay_dim_t *info) {
  if (!engine || !info)
    return toC(requireNotNull(nullptr, engine ? "info" : "engine"));
  if (Status status = checkProfileExists(*engine->engine, profile); !status.isOk())
    return toC(std::move(status));
  if (input >= engine->inputs.size() || dim < 0 || dim >= engine->inputs[input].info.rank)
    return toC(outOfRange("there is no dimension {} of input {}; the engine has {} inputs", dim,
                          input, engine->inputs.size()));
  const DimDescription found =
      dimInProfile(*engine->engine, profile, input, static_cast<uint32_t>(dim));
  *info = {found.size, found.min, found.opt, found.max, found.symbol};
  return nullptr;
}
inlay_status_t *inlay_engine_find_input(const inlay_engine_t *engine, const char *name,
                                        uint32_t *index) {
  if (!engine)
    return toC(requireNotNull(nullptr, "engine"));
  return toC(lookupTensor(engine->engine->inputs(), "input", name, index));
}
inlay_status_t *inlay_engine_find_output(const inlay_engine_t *engine, const char *name,
                                         uint32_t *index) {
  if (!engine)
    return toC(requireNotNull(nullptr, "engine"));
  return toC(lookupTensor(engine->engine->outputs(), "output", name, index));
}

int32_t inlay_engine_output_depends_on_data(const inlay_engine_t *engine, uint32_t index) {
  const std::vector<TensorDescription> &outputs = engine->engine->outputs();
  return index < outputs.size() && outputs[index].dependsOnData;
}
int32_t inlay_engine_output_updated_input(const inlay_engine_t *engine, uint32_t index) {
  const auto &outputs = *engine->engine->metadata().outputs();
  return index < outputs.size() ? static_cast<int32_t>(outputs.Get(index)->updated_input()) : -1;
}

inlay_status_t *inlay_context_create(inlay_engine_t *engine, const inlay_context_options_t *options,
                                     inlay_context_t **context) {
  if (!engine || !context)
    return toC(requireNotNull(nullptr, engine ? "context" : "engine"));
  inlay_context_options_t own{};
  if (options) {
    if (options->struct_size < sizeof(size_t))
      return toC(invalidArgument("struct_size of the context's options is {}; set it to the "
                                 "structure's size",
                                 options->struct_size));
    std::memcpy(&own, options, std::min(options->struct_size, sizeof(own)));
  }
  Result<std::unique_ptr<ExecutionContext>> made =
      ExecutionContext::create(engine->engine, own.device ? own.device : "cpu",
                               {own.num_threads, own.max_graphs, own.debug != 0, own.profile});
  if (!made.isOk())
    return toC(std::move(made).status());
  *context = new inlay_context_t{std::move(made).value()};
  return nullptr;
}
void inlay_context_free(inlay_context_t *context) { delete context; }

inlay_status_t *inlay_context_bind(inlay_context_t *context, const char *name,
                                   const inlay_tensor_t *tensor) {
  return call(context, [&](ExecutionContext &own) { return bindByName(own, name, tensor); });
}
inlay_status_t *inlay_context_bind_input(inlay_context_t *context, uint32_t index,
                                         const inlay_tensor_t *tensor) {
  return call(context, [&](ExecutionContext &own) { return bindAt(own, true, index, tensor); });
}
inlay_status_t *inlay_context_bind_output(inlay_context_t *context, uint32_t index,
                                          const inlay_tensor_t *tensor) {
  return call(context, [&](ExecutionContext &own) { return bindAt(own, false, index, tensor); });
}

inlay_status_t *inlay_context_output_shape(inlay_context_t *context, uint32_t index, int64_t *shape,
                                           int32_t *rank) {
  return call(context, [&](ExecutionContext &own) {
    return writeOutputShape(own, index, false, shape, rank);
  });
}
inlay_status_t *inlay_context_output_bound(inlay_context_t *context, uint32_t index, int64_t *shape,
                                           int32_t *rank) {
  return call(context, [&](ExecutionContext &own) {
    return writeOutputShape(own, index, true, shape, rank);
  });
}
inlay_status_t *inlay_context_set_output_allocator(inlay_context_t *context, uint32_t index,
                                                   inlay_output_allocator_t allocator,
                                                   void *user_data) {
  return call(context, [&](ExecutionContext &own) -> Status {
    INLAY_TRY(checkOutputIndex(own, index));
    if (!allocator) {
      own.setOutputAllocator(index, nullptr);
      return {};
    }
    own.setOutputAllocator(
        index,
        [allocator, user_data](const TensorDescription &output, std::span<const int64_t> shape,
                               uint64_t sizeBytes) -> Result<OutputPlace> {
          inlay_output_request_t request{};
          request.struct_size = sizeof(request);
          request.name = output.name.data(); // ends in 0 in the engine file
          request.dtype = static_cast<inlay_dtype_t>(output.dtype);
          request.rank = static_cast<int32_t>(shape.size());
          request.shape = shape.data();
          request.size_bytes = sizeBytes;
          INLAY_TRY(fromHandle(allocator(user_data, &request)));
          return OutputPlace{request.data, request.memory == INLAY_MEMORY_DEVICE};
        });
    return {};
  });
}

inlay_status_t *inlay_context_run(inlay_context_t *context, void *stream) {
  return call(context, [&](ExecutionContext &own) { return own.run(stream); });
}
inlay_status_t *inlay_context_set_profiler(inlay_context_t *context,
                                           inlay_profile_callback_t callback, void *user_data) {
  return call(context, [&](ExecutionContext &own) {
    if (!callback)
      return own.setProfiler(nullptr);
    return own.setProfiler([callback, user_data](const ProfiledStep &from) {
      inlay_profiled_step_t step{};
      step.struct_size = sizeof(step);
      step.kind = static_cast<inlay_step_kind_t>(from.kind);
      step.index = from.index;
      step.run = from.run;
      step.name = from.name;
      step.plugin = from.plugin;
      step.node = from.node;
      std::copy(from.grid, from.grid + 3, step.grid);
      std::copy(from.block, from.block + 3, step.block);
      step.size_bytes = from.sizeBytes;
      step.begin_us = from.times.beginUs;
      step.end_us = from.times.endUs;
      step.host_begin_us = from.times.hostBeginUs;
      step.host_end_us = from.times.hostEndUs;
      callback(user_data, &step);
    });
  });
}
inlay_status_t *inlay_context_synchronize(inlay_context_t *context) {
  return call(context, [&](ExecutionContext &own) { return own.synchronize(); });
}
inlay_status_t *inlay_context_reset_state(inlay_context_t *context) {
  return call(context, [&](ExecutionContext &own) { return own.resetState(); });
}
inlay_status_t *inlay_context_measure(inlay_context_t *context, uint32_t count, double *device_us) {
  return call(context, [&](ExecutionContext &own) -> Status {
    INLAY_TRY(requireNotNull(device_us, "device_us"));
    INLAY_ASSIGN(*device_us, own.measureUs(count));
    return {};
  });
}
inlay_status_t *inlay_context_allocate(inlay_context_t *context, size_t size_bytes, void **memory) {
  return call(context, [&](ExecutionContext &own) -> Status {
    INLAY_TRY(requireNotNull(memory, "memory"));
    INLAY_ASSIGN(*memory, allocateOn(own, size_bytes));
    return {};
  });
}
void inlay_context_deallocate(inlay_context_t *context, void *memory) {
  if (memory)
    context->context->device().free(memory);
}
inlay_status_t *inlay_context_copy_to_device(inlay_context_t *context, void *device,
                                             const void *host, size_t size_bytes) {
  return call(context, [&](ExecutionContext &own) {
    return copyAndWait(own, device, host, size_bytes, CopyDirection::HostToDevice);
  });
}
inlay_status_t *inlay_context_copy_to_host(inlay_context_t *context, void *host, const void *device,
                                           size_t size_bytes) {
  return call(context, [&](ExecutionContext &own) {
    return copyAndWait(own, host, device, size_bytes, CopyDirection::DeviceToHost);
  });
}
void *inlay_context_stream(const inlay_context_t *context) {
  return context->context->device().takesCallerStreams() ? context->context->stream() : nullptr;
}
const char *inlay_context_device_name(const inlay_context_t *context) {
  return context->context->deviceName().c_str();
}
inlay_status_t *inlay_context_stats(const inlay_context_t *context, inlay_context_stats_t *stats) {
  return call(context, [&](ExecutionContext &own) {
    const ContextStatistics &from = own.statistics();
    return writeStruct({0, from.plannedBytes, from.allocatedBytes, from.numPlans, from.numLaunches,
                        own.numGraphs(), from.numRecordings, from.neededBytes,
                        own.device().memoryUse().peakBytes},
                       stats);
  });
}

inlay_status_t *inlay_device_count(const char *kind, uint32_t *count) {
  if (!kind || !count)
    return toC(requireNotNull(nullptr, kind ? "count" : "kind"));
  Result<uint32_t> found = countDevices(kind);
  if (!found.isOk())
    return toC(std::move(found).status());
  *count = *found;
  return nullptr;
}
inlay_status_t *inlay_device_describe(const char *device, inlay_device_info_t *info) {
  if (!device)
    return toC(requireNotNull(nullptr, "device"));
  Result<DeviceInfo> found = describeDevice(device);
  if (!found.isOk())
    return toC(std::move(found).status());
  inlay_device_info_t own{};
  copyText(own.name, found->name);
  copyText(own.target, found->target);
  own.memory_bytes = found->memoryBytes;
  own.num_cores = found->numCores;
  own.driver_version = found->driverVersion;
  return toC(writeStruct(own, info));
}
