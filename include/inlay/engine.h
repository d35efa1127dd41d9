// The C++ interface of Inlay's runtime: a thin, header-only layer over the C interface.
//
//   auto engine = inlay::Engine::load("model.inlay");
//   auto context = engine.createContext({.device = "cuda:0"});
//   context.bind("X", x).bind("Y", y);
//   context.run();
//
// Whatever goes wrong is thrown as inlay::Error. Threads: as in inlay.h.
#pragma once

#include <inlay/host_function.h>
#include <inlay/inlay.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace inlay {
// The version keeps these names apart from other versions' and from the library's own.
inline namespace v1 {

/// An error of the runtime: a code for programs, a message for people.
class Error : public std::exception {
public:
  Error(inlay_status_code_t code, std::string message)
      : code_(code), message_(std::move(message)),
        text_(std::string(inlay_status_code_name(code)) + ": " + message_) {}
  inlay_status_code_t code() const { return code_; }
  /// What failed, what was found, what was expected, what to do.
  const std::string &message() const { return message_; }
  /// "CODE: message"; lives as long as the error.
  const char *what() const noexcept override { return text_.c_str(); }

private:
  inlay_status_code_t code_;
  std::string message_, text_;
};

namespace detail {
inline void check(inlay_status_t *status) {
  if (!status)
    return;
  Error error(inlay_status_code(status), inlay_status_message(status));
  inlay_status_free(status);
  throw error;
}
template <auto function>
struct Free {
  template <typename T>
  void operator()(T *object) const {
    function(object);
  }
};
} // namespace detail

/// The element type of tensors of T; defined for bool and the plain arithmetic types.
template <typename T>
constexpr inlay_dtype_t dtypeOf() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, bool>)
    return INLAY_DTYPE_BOOL;
  else if constexpr (std::is_same_v<U, float>)
    return INLAY_DTYPE_FLOAT32;
  else if constexpr (std::is_same_v<U, double>)
    return INLAY_DTYPE_FLOAT64;
  else {
    static_assert(std::is_integral_v<U> && sizeof(U) <= 8, "no tensor element type");
    constexpr bool isSigned = std::is_signed_v<U>;
    return sizeof(U) == 1   ? isSigned ? INLAY_DTYPE_INT8 : INLAY_DTYPE_UINT8
           : sizeof(U) == 2 ? isSigned ? INLAY_DTYPE_INT16 : INLAY_DTYPE_UINT16
           : sizeof(U) == 4 ? isSigned ? INLAY_DTYPE_INT32 : INLAY_DTYPE_UINT32
           : isSigned       ? INLAY_DTYPE_INT64
                            : INLAY_DTYPE_UINT64;
  }
}

/// Sizes, outermost first; empty for a scalar.
using Shape = std::vector<int64_t>;

/// A tensor in the caller's memory: an address, an element type, a shape. Owns nothing but the
/// shape.
class Tensor {
public:
  /// `data` is a multiple of INLAY_TENSOR_ALIGNMENT_BYTES and outlives the runs that use it.
  Tensor(void *data, inlay_dtype_t dtype, Shape shape, inlay_memory_t memory = INLAY_MEMORY_HOST)
      : data_(data), dtype_(dtype), shape_(std::move(shape)), memory_(memory) {}
  /// Host memory of a plain type.
  template <typename T>
  Tensor(T *data, Shape shape) : Tensor(address(data), dtypeOf<T>(), std::move(shape)) {}
  /// Memory of a CUDA device.
  template <typename T>
  static Tensor onDevice(T *data, Shape shape) {
    return Tensor(address(data), dtypeOf<T>(), std::move(shape), INLAY_MEMORY_DEVICE);
  }

  void *data() const { return data_; }
  inlay_dtype_t dtype() const { return dtype_; }
  const Shape &shape() const { return shape_; }
  inlay_memory_t memory() const { return memory_; }
  /// Product of the sizes; 1 for a scalar.
  int64_t numElements() const {
    int64_t count = 1;
    for (int64_t size : shape_)
      count *= size;
    return count;
  }
  int64_t sizeBytes() const { return numElements() * inlay_dtype_size_bytes(dtype_); }

private:
  template <typename T>
  static void *address(T *data) {
    return const_cast<std::remove_const_t<T> *>(data);
  }
  void *data_;
  inlay_dtype_t dtype_;
  Shape shape_;
  inlay_memory_t memory_;
};

/// A tensor with its own host memory, filled with zeros, aligned to 64 bytes.
class HostTensor {
public:
  HostTensor(inlay_dtype_t dtype, Shape shape)
      : view_(nullptr, dtype, std::move(shape)),
        memory_(static_cast<char *>(::operator new(bytes(), std::align_val_t{64}))) {
    std::memset(memory_.get(), 0, bytes());
    view_ = Tensor(memory_.get(), dtype, view_.shape());
  }
  const Tensor &tensor() const { return view_; }
  operator const Tensor &() const { return view_; }
  const Shape &shape() const { return view_.shape(); }
  int64_t numElements() const { return view_.numElements(); }
  /// The elements; T must be the tensor's element type.
  template <typename T>
  T *data() const {
    if (dtypeOf<T>() != view_.dtype())
      throw Error(INLAY_STATUS_INVALID_ARGUMENT, std::string("tensor holds ") +
                                                     inlay_dtype_name(view_.dtype()) + ", not " +
                                                     inlay_dtype_name(dtypeOf<T>()));
    return reinterpret_cast<T *>(memory_.get());
  }

private:
  struct Delete {
    void operator()(char *memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };
  size_t bytes() const {
    return view_.sizeBytes() > 0 ? static_cast<size_t>(view_.sizeBytes()) : 1;
  }
  Tensor view_;
  std::unique_ptr<char, Delete> memory_;
};

/// The functions of this process that engines call by name; see inlay/host_function.h.
inline HostRegistry hostFunctions() {
  return HostRegistry({sizeof(inlay_host_api_t), inlay_host_function_register,
                       inlay_host_function_unregister, inlay_status_create, inlay_status_message,
                       inlay_status_free});
}
/// Opens a library of host functions. Throws as inlay_host_library_load.
inline void loadHostLibrary(const std::string &path) {
  detail::check(inlay_host_library_load(path.c_str()));
}

/// Where and how a context runs.
struct ContextOptions {
  std::string device = "cpu"; ///< "cpu", "cuda:N", "null"
  int numThreads = 0;         ///< cpu: 0 means INLAY_NUM_THREADS, or one per core
  /// cuda: how many runs to keep as recorded CUDA graphs; see inlay_context_options_t. 0: none.
  unsigned maxGraphs = 0;
  /// Debug mode: launches are waited for, writes beyond buffers or to inputs throw; see
  /// inlay_context_options_t.
  bool isDebug = false;
  /// The engine's profile to run in, counted from 1; see inlay_context_options_t. 0: all shapes.
  unsigned profile = 0;
};

/// Runs an engine on a device; used by one thread at a time. Keeps what it needs of the engine
/// alive.
class Context {
public:
  /// Binds an input or output by name; its memory is used by every run until it is bound anew.
  /// Throws as inlay_context_bind: NOT_FOUND, INVALID_ARGUMENT, OUT_OF_RANGE.
  Context &bind(const std::string &name, const Tensor &tensor) {
    const inlay_tensor_t raw{tensor.data(), tensor.dtype(),
                             static_cast<int32_t>(tensor.shape().size()), tensor.shape().data(),
                             tensor.memory()};
    detail::check(inlay_context_bind(context_.get(), name.c_str(), &raw));
    return *this;
  }
  /// Binds a vector's elements, whose number must be that of the shape.
  template <typename T>
  Context &bind(const std::string &name, std::vector<T> &elements, Shape shape) {
    const Tensor tensor(elements.data(), std::move(shape));
    if (tensor.numElements() != static_cast<int64_t>(elements.size()))
      throw Error(INLAY_STATUS_INVALID_ARGUMENT,
                  "'" + name + "' has " + std::to_string(elements.size()) +
                      " elements; its shape has " + std::to_string(tensor.numElements()));
    return bind(name, tensor);
  }
  /// Shape of an output, computed from the bound inputs. Throws NOT_FOUND, FAILED_PRECONDITION
  /// (an input is not bound), INVALID_ARGUMENT (inputs that do not fit together).
  /// A shape that depends on data is that of the last run if no input was bound since, else
  /// outputBound.
  Shape outputShape(const std::string &name) { return shapeOf(name, inlay_context_output_shape); }
  /// The shape to bind for an output: with the largest sizes that kernels can compute where it
  /// depends on data. Throws as outputShape.
  Shape outputBound(const std::string &name) { return shapeOf(name, inlay_context_output_bound); }
  /// Has an output asked for in each run, when its shape is known: `allocate` gives a tensor of
  /// that shape, whose memory must live until the run is done; an empty function ends that. What it
  /// throws comes out of run(). See inlay_context_set_output_allocator.
  void setOutputAllocator(const std::string &name,
                          std::function<Tensor(inlay_dtype_t, const Shape &)> allocate) {
    const uint32_t index = outputIndex(name);
    auto allocator = std::make_unique<OutputAllocator>();
    allocator->allocate = std::move(allocate);
    const inlay_output_allocator_t forward = [](void *data, inlay_output_request_t *request) {
      return static_cast<OutputAllocator *>(data)->answer(*request);
    };
    detail::check(inlay_context_set_output_allocator(
        context_.get(), index, allocator->allocate ? forward : nullptr, allocator.get()));
    allocators_[index] = std::move(allocator);
  }
  /// Runs once: on the own stream, waiting for the outputs; or enqueued on the caller's CUstream.
  /// Throws as inlay_context_run.
  void run(void *stream = nullptr) {
    inlay_status_t *status = inlay_context_run(context_.get(), stream);
    for (auto &[index, allocator] : allocators_)
      if (allocator->error) {
        inlay_status_free(status);
        std::rethrow_exception(std::exchange(allocator->error, nullptr));
      }
    detail::check(status);
    if (profile_ && profile_->error)
      std::rethrow_exception(std::exchange(profile_->error, nullptr));
  }
  /// Has `callback` called for each step of every run from now on, after the run; an empty one ends
  /// that. What it throws comes out of run(). See inlay_context_set_profiler.
  void setProfiler(std::function<void(const inlay_profiled_step_t &)> callback) {
    auto profile = std::make_unique<Profile>();
    profile->callback = std::move(callback);
    const inlay_profile_callback_t forward = [](void *data, const inlay_profiled_step_t *step) {
      auto &own = *static_cast<Profile *>(data);
      try {
        if (!own.error)
          own.callback(*step);
      } catch (...) {
        own.error = std::current_exception();
      }
    };
    detail::check(inlay_context_set_profiler(context_.get(), profile->callback ? forward : nullptr,
                                             profile.get()));
    profile_ = std::move(profile);
  }
  /// Gives the engine's state (buffers that the model changes) its first values again, and waits.
  void resetState() { detail::check(inlay_context_reset_state(context_.get())); }
  /// Waits for all work on the own stream.
  void synchronize() { detail::check(inlay_context_synchronize(context_.get())); }
  /// The device's average time of one of `count` runs in microseconds.
  double measureUs(uint32_t count) {
    double deviceUs = 0;
    detail::check(inlay_context_measure(context_.get(), count, &deviceUs));
    return deviceUs;
  }
  /// The own stream, a CUstream; null on devices without streams.
  void *stream() const { return inlay_context_stream(context_.get()); }
  /// "cuda:0 (NVIDIA H200, cuda:sm_90a)".
  std::string deviceName() const { return inlay_context_device_name(context_.get()); }
  /// Memory, plans and launches so far.
  inlay_context_stats_t stats() const {
    inlay_context_stats_t stats{};
    stats.struct_size = sizeof(stats);
    detail::check(inlay_context_stats(context_.get(), &stats));
    return stats;
  }
  /// The handle, for the C interface; lives as long as this context.
  inlay_context_t *get() const { return context_.get(); }

private:
  friend class Engine;
  Context(std::shared_ptr<inlay_engine_t> engine, const ContextOptions &options)
      : engine_(std::move(engine)) {
    inlay_context_options_t raw{};
    raw.struct_size = sizeof(raw);
    raw.device = options.device.c_str();
    raw.num_threads = options.numThreads;
    raw.max_graphs = options.maxGraphs;
    raw.debug = options.isDebug;
    raw.profile = options.profile;
    inlay_context_t *context = nullptr;
    detail::check(inlay_context_create(engine_.get(), &raw, &context));
    context_.reset(context);
  }
  uint32_t outputIndex(const std::string &name) const {
    uint32_t index = 0;
    detail::check(inlay_engine_find_output(engine_.get(), name.c_str(), &index));
    return index;
  }
  template <typename Function>
  Shape shapeOf(const std::string &name, Function function) {
    Shape shape(INLAY_MAX_RANK);
    int32_t rank = 0;
    detail::check(function(context_.get(), outputIndex(name), shape.data(), &rank));
    shape.resize(static_cast<size_t>(rank));
    return shape;
  }
  struct Profile {
    std::function<void(const inlay_profiled_step_t &)> callback;
    std::exception_ptr error;
  };
  struct OutputAllocator {
    std::function<Tensor(inlay_dtype_t, const Shape &)> allocate;
    std::exception_ptr error;
    /// Calls the function; no exception leaves it.
    inlay_status_t *answer(inlay_output_request_t &request) noexcept {
      try {
        const Shape shape(request.shape, request.shape + request.rank);
        const Tensor tensor = allocate(request.dtype, shape);
        if (tensor.dtype() != request.dtype || tensor.shape() != shape)
          throw Error(INLAY_STATUS_INVALID_ARGUMENT,
                      std::string("the allocator of output '") + request.name +
                          "' gave a tensor of another type or shape");
        request.data = tensor.data();
        request.memory = tensor.memory();
        return nullptr;
      } catch (...) {
        error = std::current_exception();
        return inlay_status_create(INLAY_STATUS_INTERNAL, "an allocator threw");
      }
    }
  };
  std::shared_ptr<inlay_engine_t> engine_;
  std::unique_ptr<Profile> profile_;                                // outlives the context
  std::map<uint32_t, std::unique_ptr<OutputAllocator>> allocators_; // by output; likewise
  std::unique_ptr<inlay_context_t, detail::Free<inlay_context_free>> context_;
};

/// Memory of a context's device: for tensors that stay on a GPU between runs.
class DeviceMemory {
public:
  /// `context` must outlive it.
  DeviceMemory(Context &context, size_t sizeBytes)
      : context_(context.get()), sizeBytes_(sizeBytes) {
    if (sizeBytes > 0)
      detail::check(inlay_context_allocate(context_, sizeBytes, &data_));
  }
  DeviceMemory(DeviceMemory &&other) noexcept
      : context_(other.context_), sizeBytes_(other.sizeBytes_),
        data_(std::exchange(other.data_, nullptr)) {}
  DeviceMemory &operator=(DeviceMemory &&) = delete;
  ~DeviceMemory() { inlay_context_deallocate(context_, data_); }
  void *data() const { return data_; }
  size_t sizeBytes() const { return sizeBytes_; }
  /// Copies sizeBytes() from or to host memory, and waits.
  void copyFrom(const void *host) {
    detail::check(inlay_context_copy_to_device(context_, data_, host, sizeBytes_));
  }
  void copyTo(void *host) const {
    detail::check(inlay_context_copy_to_host(context_, host, data_, sizeBytes_));
  }

private:
  inlay_context_t *context_;
  size_t sizeBytes_;
  void *data_ = nullptr;
};

/// A parameter or buffer of the model that can be replaced.
struct WeightInfo {
  std::string name;
  inlay_dtype_t dtype = INLAY_DTYPE_FLOAT32;
  Shape shape;
};

/// An engine file, verified; cheap to copy, safe to share between threads.
class Engine {
public:
  /// Maps and verifies an engine file.
  static Engine load(const std::string &path) {
    inlay_engine_t *engine = nullptr;
    detail::check(inlay_engine_load_file(path.c_str(), &engine));
    return Engine(engine);
  }
  /// As above, for an engine whose weights lie in a file of their own, with that file's path; see
  /// inlay_engine_load_file_with_weights.
  static Engine load(const std::string &path, const std::string &weightsPath) {
    inlay_engine_t *engine = nullptr;
    detail::check(inlay_engine_load_file_with_weights(path.c_str(), weightsPath.c_str(), &engine));
    return Engine(engine);
  }
  /// Copies and verifies an engine's bytes. `weightsPath` is the file of weights that lie beside
  /// it.
  static Engine fromMemory(const void *data, size_t sizeBytes,
                           const std::string &weightsPath = "") {
    inlay_engine_t *engine = nullptr;
    detail::check(
        inlay_engine_load_memory_with_weights(data, sizeBytes, weightsPath.c_str(), &engine));
    return Engine(engine);
  }
  /// The weights that refit can replace; empty if the engine was not built for that.
  std::vector<WeightInfo> weights() const {
    std::vector<WeightInfo> infos(inlay_engine_num_weights(engine_.get()));
    for (uint32_t i = 0; i < infos.size(); ++i) {
      inlay_weight_info_t info{};
      detail::check(inlay_engine_weight(engine_.get(), i, &info));
      infos[i] = {info.name, info.dtype, Shape(info.shape, info.shape + info.rank)};
    }
    return infos;
  }
  /// Replaces one weight, while no context of the engine runs. Throws as inlay_engine_refit.
  void refit(const std::string &name, const Tensor &tensor) { refitSome({{name, tensor}}); }
  /// Replaces some weights; the others stay.
  void refitSome(const std::vector<std::pair<std::string, Tensor>> &weights) {
    refit(weights, false);
  }
  /// Replaces all weights: a missing one is an error too, and nothing is changed then.
  void refitAll(const std::vector<std::pair<std::string, Tensor>> &weights) {
    refit(weights, true);
  }
  /// Makes a context on a device. Throws as inlay_context_create.
  Context createContext(const ContextOptions &options = {}) const {
    return Context(engine_, options);
  }
  /// The name given when it was built.
  std::string name() const { return inlay_engine_name(engine_.get()); }
  /// Inputs in order; the descriptions live as long as the engine.
  std::vector<inlay_tensor_info_t> inputs() const {
    return describe(inlay_engine_num_inputs(engine_.get()), inlay_engine_input);
  }
  /// Number of shape profiles; they are counted from 1.
  uint32_t numProfiles() const { return inlay_engine_num_profiles(engine_.get()); }
  /// Dimension `dim` of input `input` in a profile; 0 is the whole engine. Throws OUT_OF_RANGE.
  inlay_dim_t profileDim(uint32_t profile, uint32_t input, int32_t dim) const {
    inlay_dim_t info{};
    detail::check(inlay_engine_profile_dim(engine_.get(), profile, input, dim, &info));
    return info;
  }
  /// Outputs in order; the descriptions live as long as the engine.
  std::vector<inlay_tensor_info_t> outputs() const {
    return describe(inlay_engine_num_outputs(engine_.get()), inlay_engine_output);
  }
  /// True if an output's shape depends on data, so that it is known after a run. Throws NOT_FOUND.
  bool dependsOnData(const std::string &output) const {
    return inlay_engine_output_depends_on_data(engine_.get(), outputIndex(output)) != 0;
  }
  /// The name of the input that may be bound to the same memory as an output, to be updated in
  /// place; empty if there is none. Throws NOT_FOUND.
  std::string updatedInput(const std::string &output) const {
    const int32_t input = inlay_engine_output_updated_input(engine_.get(), outputIndex(output));
    return input < 0 ? "" : inputs()[static_cast<size_t>(input)].name;
  }
  /// The handle, for the C interface; lives as long as this engine.
  inlay_engine_t *get() const { return engine_.get(); }

private:
  explicit Engine(inlay_engine_t *engine) : engine_(engine, inlay_engine_free) {}
  void refit(const std::vector<std::pair<std::string, Tensor>> &weights, bool isComplete) {
    std::vector<inlay_weight_t> raw;
    for (const auto &[name, tensor] : weights)
      raw.push_back({name.c_str(),
                     {tensor.data(), tensor.dtype(), static_cast<int32_t>(tensor.shape().size()),
                      tensor.shape().data(), tensor.memory()}});
    detail::check(inlay_engine_refit(engine_.get(), raw.data(), raw.size(), isComplete));
  }
  uint32_t outputIndex(const std::string &name) const {
    uint32_t index = 0;
    detail::check(inlay_engine_find_output(engine_.get(), name.c_str(), &index));
    return index;
  }
  template <typename Function>
  std::vector<inlay_tensor_info_t> describe(uint32_t count, Function function) const {
    std::vector<inlay_tensor_info_t> infos(count);
    for (uint32_t i = 0; i < count; ++i)
      detail::check(function(engine_.get(), i, &infos[i]));
    return infos;
  }
  std::shared_ptr<inlay_engine_t> engine_;
};

} // namespace v1
} // namespace inlay
