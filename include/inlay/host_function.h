// Host functions: operators that an engine calls back in the process that runs it (JIT plugins).
//
// In a program that links the runtime (inlay/engine.h):
//
//   inlay::hostFunctions().add("my::scale", [](const inlay::HostCall &call) {
//     const auto *x = call.input(0).as<float>();
//     auto *y = call.output(0).as<float>();
//     for (int64_t i = 0; i < call.input(0).numElements(); ++i)
//       y[i] = x[i] * static_cast<float>(call.attribute("factor").asFloat());
//   });
//   auto engine = inlay::Engine::load("model.inlay");   // looks its functions up
//
// In a library for `inlay run --host-library LIB.so`, which links against nothing of Inlay's:
//
//   INLAY_HOST_LIBRARY(functions) { functions.add("my::scale", …); }
//
// On a GPU tensors are device memory and the work belongs into call.stream(). What a function
// throws becomes the error of the run that called it.
#pragma once

#include <inlay/inlay.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace inlay {
inline namespace v1 {

/// A tensor of a call: dense, row-major, in memory of the call's device.
class HostTensorView {
public:
  explicit HostTensorView(const inlay_tensor_t &tensor) : tensor_(tensor) {}
  void *data() const { return tensor_.data; }
  /// The elements; the caller knows their type.
  template <typename T>
  T *as() const {
    return static_cast<T *>(tensor_.data);
  }
  inlay_dtype_t dtype() const { return tensor_.dtype; }
  int32_t rank() const { return tensor_.rank; }
  /// Size of a dimension from 0 to rank() - 1.
  int64_t size(int32_t dim) const { return tensor_.shape[dim]; }
  /// Product of the sizes; 1 for a scalar.
  int64_t numElements() const {
    int64_t count = 1;
    for (int32_t dim = 0; dim < tensor_.rank; ++dim)
      count *= tensor_.shape[dim];
    return count;
  }

private:
  inlay_tensor_t tensor_;
};

/// An attribute of a call. Each function throws std::invalid_argument if it is of another kind.
class HostAttribute {
public:
  explicit HostAttribute(const inlay_attribute_t &attribute) : attribute_(&attribute) {}
  bool isNone() const { return attribute_->kind == INLAY_ATTRIBUTE_NONE; }
  bool asBool() const { return expect(INLAY_ATTRIBUTE_BOOL, "a bool").integer != 0; }
  int64_t asInt() const { return expect(INLAY_ATTRIBUTE_INT, "an int").integer; }
  /// Also takes an int.
  double asFloat() const {
    return attribute_->kind == INLAY_ATTRIBUTE_INT
               ? static_cast<double>(attribute_->integer)
               : expect(INLAY_ATTRIBUTE_FLOAT, "a float").number;
  }
  std::string asString() const { return expect(INLAY_ATTRIBUTE_STRING, "a string").text; }
  inlay_dtype_t asDtype() const {
    return static_cast<inlay_dtype_t>(expect(INLAY_ATTRIBUTE_DTYPE, "a dtype").integer);
  }
  std::vector<bool> asBools() const {
    const inlay_attribute_t &list = expect(INLAY_ATTRIBUTE_BOOL_LIST, "a list of bools");
    return std::vector<bool>(list.integers, list.integers + list.count);
  }
  std::vector<int64_t> asInts() const {
    const inlay_attribute_t &list = expect(INLAY_ATTRIBUTE_INT_LIST, "a list of ints");
    return {list.integers, list.integers + list.count};
  }
  std::vector<double> asFloats() const {
    const inlay_attribute_t &list = expect(INLAY_ATTRIBUTE_FLOAT_LIST, "a list of floats");
    return {list.numbers, list.numbers + list.count};
  }
  std::vector<std::string> asStrings() const {
    const inlay_attribute_t &list = expect(INLAY_ATTRIBUTE_STRING_LIST, "a list of strings");
    return {list.texts, list.texts + list.count};
  }

private:
  const inlay_attribute_t &expect(inlay_attribute_kind_t kind, const char *what) const {
    if (attribute_->kind != kind)
      throw std::invalid_argument("attribute '" + std::string(attribute_->name) + "' is not " +
                                  what);
    return *attribute_;
  }
  const inlay_attribute_t *attribute_;
};

/// One call; valid only while the function runs.
class HostCall {
public:
  explicit HostCall(const inlay_host_call_t &call) : call_(call) {}
  std::string function() const { return call_.function; }
  std::string node() const { return call_.node; }
  /// "cuda:0", "cpu".
  std::string device() const { return call_.device; }
  /// The CUstream that the work belongs into; null on the CPU.
  void *stream() const { return call_.stream; }
  uint32_t numInputs() const { return call_.num_inputs; }
  uint32_t numOutputs() const { return call_.num_outputs; }
  /// Throws std::out_of_range.
  HostTensorView input(uint32_t index) const { return at(call_.inputs, call_.num_inputs, index); }
  HostTensorView output(uint32_t index) const {
    return at(call_.outputs, call_.num_outputs, index);
  }
  /// Throws std::out_of_range if the operator has no such attribute.
  HostAttribute attribute(const std::string &name) const {
    for (uint32_t i = 0; i < call_.num_attributes; ++i)
      if (name == call_.attributes[i].name)
        return HostAttribute(call_.attributes[i]);
    throw std::out_of_range("there is no attribute '" + name + "'");
  }
  /// Memory of the device that the plugin asked for; null: none.
  void *workspace() const { return call_.workspace; }
  uint64_t workspaceBytes() const { return call_.workspace_bytes; }
  const inlay_host_call_t &raw() const { return call_; }

private:
  static HostTensorView at(const inlay_tensor_t *tensors, uint32_t count, uint32_t index) {
    if (index >= count)
      throw std::out_of_range("there is no tensor " + std::to_string(index) + " among " +
                              std::to_string(count));
    return HostTensorView(tensors[index]);
  }
  const inlay_host_call_t &call_;
};

/// Registers functions with a runtime. Functions may be called from several threads at once.
class HostRegistry {
public:
  explicit HostRegistry(const inlay_host_api_t &api) : api_(api) {}

  /// Throws std::runtime_error if there is a function of this name already. Negative numbers of
  /// tensors: any.
  void add(const std::string &name, std::function<void(const HostCall &)> function,
           int32_t numInputs = -1, int32_t numOutputs = -1) {
    auto own = std::make_unique<Own>(Own{api_, std::move(function)});
    inlay_host_function_t raw{};
    raw.struct_size = sizeof(raw);
    raw.name = name.c_str();
    raw.call = [](void *user, const inlay_host_call_t *call) -> inlay_status_t * {
      const Own &self = *static_cast<const Own *>(user);
      try {
        self.function(HostCall(*call));
        return nullptr;
      } catch (const std::invalid_argument &error) {
        return self.api.status_create(INLAY_STATUS_INVALID_ARGUMENT, error.what());
      } catch (const std::out_of_range &error) {
        return self.api.status_create(INLAY_STATUS_OUT_OF_RANGE, error.what());
      } catch (const std::exception &error) {
        return self.api.status_create(INLAY_STATUS_FAILED_PRECONDITION, error.what());
      } catch (...) {
        return self.api.status_create(INLAY_STATUS_INTERNAL,
                                      "the function threw what is no std::exception");
      }
    };
    raw.destroy = [](void *user) { delete static_cast<Own *>(user); };
    raw.user_data = own.release(); // given back by destroy, on an error too
    raw.num_inputs = numInputs;
    raw.num_outputs = numOutputs;
    check(api_.register_function(&raw));
  }
  /// Engines that were loaded before keep the function. Throws std::runtime_error if there is none.
  void remove(const std::string &name) { check(api_.unregister_function(name.c_str())); }

private:
  struct Own {
    inlay_host_api_t api;
    std::function<void(const HostCall &)> function;
  };
  void check(inlay_status_t *status) const {
    if (!status)
      return;
    const std::string message = api_.status_message(status);
    api_.status_free(status);
    throw std::runtime_error(message);
  }
  inlay_host_api_t api_;
};

namespace host_detail {
template <typename Fill>
inlay_status_t *fillLibrary(const inlay_host_api_t *api, Fill fill) {
  try {
    HostRegistry registry(*api);
    fill(registry);
    return nullptr;
  } catch (const std::exception &error) {
    return api->status_create(INLAY_STATUS_FAILED_PRECONDITION, error.what());
  } catch (...) {
    return api->status_create(INLAY_STATUS_INTERNAL, "the library threw what is no std::exception");
  }
}
} // namespace host_detail

} // namespace v1
} // namespace inlay

/// Defines the entry of a library of host functions; a function body follows, in which `registry`
/// is the HostRegistry to add to. Once per library.
#define INLAY_HOST_LIBRARY(registry)                                                               \
  static void inlayFillHostLibrary(::inlay::HostRegistry &registry);                               \
  extern "C" INLAY_API inlay_status_t *inlay_host_library_v1(const inlay_host_api_t *api) {        \
    return ::inlay::host_detail::fillLibrary(api, inlayFillHostLibrary);                           \
  }                                                                                                \
  static void inlayFillHostLibrary(::inlay::HostRegistry &registry)
