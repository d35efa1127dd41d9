// What the handles of the C interface are.
#pragma once

#include "base/Error.h"
#include "runtime/core/ExecutionContext.h"
#include "runtime/core/StatusHandle.h"

#include <inlay/inlay.h>

#include <memory>
#include <vector>

struct inlay_engine_t {
  explicit inlay_engine_t(std::shared_ptr<inlay::Engine> loaded) : engine(std::move(loaded)) {
    fill(engine->inputs(), *engine->metadata().inputs(), inputs);
    fill(engine->outputs(), *engine->metadata().outputs(), outputs);
  }
  struct TensorInfo {
    inlay_tensor_info_t info;
    std::vector<inlay_dim_t> dims;
  };
  static void fill(const std::vector<inlay::TensorDescription> &tensors,
                   const flatbuffers::Vector<flatbuffers::Offset<inlay::fb::Tensor>> &table,
                   std::vector<TensorInfo> &infos) {
    infos.resize(tensors.size());
    for (uint32_t i = 0; i < tensors.size(); ++i) {
      TensorInfo &to = infos[i];
      for (const inlay::DimDescription &dim : tensors[i].dims)
        to.dims.push_back({dim.size, dim.min, dim.opt, dim.max, dim.symbol});
      const inlay::fb::Tensor &tensor = *table.Get(i);
      to.info = {tensor.name()->c_str(), tensor.path() ? tensor.path()->c_str() : "",
                 static_cast<inlay_dtype_t>(tensor.dtype()), static_cast<int32_t>(to.dims.size()),
                 to.dims.data()};
    }
  }

  std::shared_ptr<inlay::Engine> engine;
  std::vector<TensorInfo> inputs, outputs;
};

struct inlay_context_t {
  std::unique_ptr<inlay::ExecutionContext> context;
};

namespace inlay {

inline inlay_status_t *toC(Status status) { return toHandle(std::move(status)); }

inline Status requireNotNull(const void *argument, const char *name) {
  return argument ? Status() : invalidArgument("argument '{}' is null", name);
}

/// A tensor of the C interface; `name` is for messages. Errors: InvalidArgument.
Result<TensorBinding> toBinding(std::string_view name, const inlay_tensor_t *tensor);

} // namespace inlay
