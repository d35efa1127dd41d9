#include "compiler/transforms/graph/PrecisionPolicy.h"

#include "base/Error.h"

#include <algorithm>

namespace inlay {
namespace {

constexpr std::string_view kStandardNamespace = "aten::";

/// "aten::mul" of "aten::mul.Tensor".
std::string_view withoutOverload(std::string_view opName) {
  return opName.substr(0, opName.find('.'));
}

} // namespace

std::string PrecisionOptions::name() const {
  return type ? std::string(dataTypeName(*type)) : allowsTf32 ? "tf32" : "keep";
}

Result<PrecisionOptions> parsePrecision(std::string_view text) {
  PrecisionOptions options;
  if (text == "fp16")
    options.type = DataType::Float16;
  else if (text == "bf16")
    options.type = DataType::BFloat16;
  else if (text == "tf32")
    options.allowsTf32 = true;
  else if (!text.empty() && text != "keep")
    return invalidArgument("precision is '{}'; expected keep, fp16, bf16 or tf32", text);
  return options;
}

const std::vector<std::string_view> &operatorsKeptByDefault() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all = {
        // Statistics and sums of many numbers.
        "_batch_norm_no_update", "_batch_norm_with_update", "_log_softmax",
        "_native_batch_norm_legit", "_native_batch_norm_legit_functional",
        "_native_batch_norm_legit_no_training", "_softmax", "batch_norm", "cudnn_batch_norm",
        "cumprod", "cumsum", "frobenius_norm", "fused_rms_norm", "_fused_rms_norm", "group_norm",
        "instance_norm", "layer_norm", "linalg_vector_norm", "log_softmax", "logcumsumexp",
        "logsumexp", "mean", "native_batch_norm", "native_group_norm", "native_layer_norm", "norm",
        "nuclear_norm", "prod", "rms_norm", "softmax", "std", "std_mean", "sum", "trace", "var",
        "var_mean",
        // What grows fast, or loses what small differences of its argument mean.
        "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "digamma", "erfinv",
        "exp", "exp2", "expm1", "lgamma", "log", "log10", "log1p", "log2", "pow", "reciprocal",
        "rsqrt", "sin", "sinh", "softplus", "tan",
        // Losses and distances.
        "_cdist_forward", "binary_cross_entropy", "binary_cross_entropy_with_logits", "cdist",
        "cosine_similarity", "cross_entropy", "cross_entropy_loss", "dist", "huber_loss", "kl_div",
        "l1_loss", "mse_loss", "nll_loss", "nll_loss_forward", "pairwise_distance", "renorm",
        "smooth_l1_loss"};
    std::ranges::sort(all);
    return all;
  }();
  return names;
}

std::optional<std::string> findKeptEntry(const PrecisionOptions &options, std::string_view opName,
                                         std::string_view node) {
  for (const std::string &entry : options.keepFp32)
    if (entry == opName || entry == withoutOverload(opName) || entry == node)
      return entry;
  return std::nullopt;
}

std::string whyKept(const PrecisionOptions &options, std::string_view opName,
                    std::string_view node) {
  if (const std::optional<std::string> entry = findKeptEntry(options, opName, node))
    return fmt::format("'{}' was asked for", *entry);
  if (!opName.starts_with(kStandardNamespace))
    return "its kernels are the plugin's, which decides their types";
  const std::string_view base = withoutOverload(opName).substr(kStandardNamespace.size());
  return std::ranges::binary_search(operatorsKeptByDefault(), base) ? "by default" : "";
}

} // namespace inlay
