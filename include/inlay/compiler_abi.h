/* The C interface of Inlay's compiler: from a model and plugins to an engine. C99; needs
 * libinlay_compiler. inlay/compiler.h is the C++ over it.
 *
 * Threads: builds are independent of each other and may run at once, each on its caller's thread.
 * Structs with size_bytes grow as plugin_abi.h says. Texts are UTF-8 and are copied. */
#ifndef INLAY_COMPILER_ABI_H
#define INLAY_COMPILER_ABI_H

#include <inlay/inlay.h>
#include <inlay/plugin_abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device to choose tactics on. */
typedef struct inlay_build_timer_v1 {
  const char *family; /**< "cuda" or "cpu": whose targets' code runs there */
  const char *target; /**< the best target for it, "cuda:sm_90a" */
  const char *device; /**< what it is, as a timing cache names it: "NVIDIA H200" */
  void *user;
  /** Stores the device's time of one run of an engine, on tensors of the sizes that its dimensions
   * are tuned for, in microseconds; returns 0, or not 0 if it cannot be measured, with a message
   * that lives until the next call. Null: times come from the timing cache alone. */
  int (*measure)(void *user, const void *engine, size_t size_bytes, double *out_us,
                 const char **out_message);
} inlay_build_timer_v1;

/** How far an output of an engine is from the one that computes in float32. */
typedef struct inlay_output_error_v1 {
  const char *name;
  double max_abs_error;    /**< largest |found - expected| */
  double max_rel_error;    /**< largest |found - expected| / |expected|, where that is not 0 */
  double max_abs_value;    /**< largest |expected| */
  uint64_t num_not_finite; /**< elements that are finite in one of them only */
} inlay_output_error_v1;

/** Measures what half precision costs. */
typedef struct inlay_build_meter_v1 {
  void *user;
  /** Runs both engines on the same inputs and stores an array of the outputs' errors, which lives
   * until the next call. Returns 0, or not 0 with a message that lives as long. */
  int (*compare)(void *user, const void *reference, size_t reference_size_bytes, const void *engine,
                 size_t engine_size_bytes, const inlay_output_error_v1 **out_errors,
                 size_t *out_num_errors, const char **out_message);
} inlay_build_meter_v1;

/** What a build gave: an engine and a report, or a message. */
typedef struct inlay_build_result_t inlay_build_result_t;

typedef struct inlay_build_options_v1 {
  size_t size_bytes;
  const char *model_path;          /**< a .pt2 of torch.export, or a dumped stage graph or plan */
  const char *engine_name;         /**< null: the model's */
  const char *const *plugin_paths; /**< manifests (.toml) and plugin libraries (.so) */
  size_t num_plugin_paths;
  const char *const *targets; /**< "cpu", "cuda:sm_90a", …; none: "cpu" */
  size_t num_targets;
  /** Adds the caller's own plugins, as inlay_register_plugins_v1 does for a library; may be null.
   * Their functions are called during the build only. */
  void (*register_plugins)(void *user, const inlay_plugin_host_v1 *host);
  void *register_user;
  /** Told where the build stands, on the caller's thread; may be null. `item` may be empty; `done`
   * of `total` items of the phase are finished. */
  void (*progress)(void *user, const char *phase, const char *item, uint32_t done, uint32_t total);
  void *progress_user;
  /** "prefer-aot", "prefer-jit", "strict-aot", "strict-jit", or "ns::name=POLICY" for an operator.
   */
  const char *const *implementations;
  size_t num_implementations;
  /** Shape profiles, "X:0=1,64,1024 s1=8": INPUT:DIM or a symbol, then min, opt and max, or one
   * size. The engine takes the shapes that enclose all of them; none: all of the model. */
  const char *const *profiles;
  size_t num_profiles;
  /** Devices to choose tactics on, one of a family at most; none: the plugin's order counts. */
  const inlay_build_timer_v1 *timers;
  size_t num_timers;
  /** A file of times, which are taken from it and added to it; null: none. */
  const char *timing_cache;
  /** A folder that keeps engines: one that was built from the same model, weights, plugins, kernel
   * files and options by the same compiler is taken from it. Null: none. Plugins of
   * register_plugins count by what they say of the model's nodes. */
  const char *engine_cache;
  uint64_t engine_cache_bytes; /**< what the folder may hold; 0: 4 GiB */
  /** The passes over the graph to run: "all" (null too), "none", or names with commas between. */
  const char *passes;
  const char *const *disabled_passes; /**< names of passes not to run */
  size_t num_disabled_passes;
  /** Not 0: no tactics that call cuBLASLt, cuDNN or oneDNN where these are installed. */
  int no_vendor_libraries;
  /** Name, without folder, of the file that the weights go into
   * (inlay_build_result_weights); null: they are in the engine. */
  const char *weights_file;
  /** "keep" (also if null), "fp16", "bf16" or "tf32": in which the model's float32 computation is
   * done. */
  const char *precision;
  /** Operators ("aten::mul", "aten::mul.Tensor") and nodes of the model that stay in float32,
   * beside those that do by default. */
  const char *const *keep_fp32;
  size_t num_keep_fp32;
  /** Runs an engine and the one that computes in float32 on the same inputs, and compares their
   * outputs; may be null. Given only if a precision is. */
  const inlay_build_meter_v1 *precision_meter;
  int32_t refittable; /**< not 0: weights can be replaced later; none is folded or converted */
  /** Not 0: calls that no plugin serves become host segments, which functions of the process that
   * runs the engine compute; 0: the engine is full, or the build fails. */
  int32_t allow_host_segments;
  /** Operators ("aten::mul", "aten::mul.Tensor") and nodes of the model that are in host segments
   * though a plugin serves them. Given only if segments are allowed. */
  const char *const *excluded;
  size_t num_excluded;
  uint32_t min_block_calls; /**< smaller blocks go to the segments beside them; 0 is 1 */
  /** Asked on the caller's thread between passes, kernels, tactics and parts of files: not 0 ends
   * the build with CANCELLED, and leaves files and caches as they were. May be null. */
  int (*cancelled)(void *user);
  void *cancelled_user;
} inlay_build_options_v1;

/** Builds an engine. The same inputs give the same bytes. *out_result is always set, on an error
 * too, and is freed with inlay_build_result_free. */
INLAY_API inlay_status_code_t inlay_build(const inlay_build_options_v1 *options,
                                          inlay_build_result_t **out_result);
/** What went wrong; empty after a success. Lives as long as the result, as all below. */
INLAY_API const char *inlay_build_result_message(const inlay_build_result_t *result);
/** Writes the engine file, and the weights file that was asked for into its folder, under its name;
 * each whole or not at all. Needs no memory for weights: they go from the model's file, which has
 * to be there still, to the new one. After an error inlay_build_result_message says what went
 * wrong. */
INLAY_API inlay_status_code_t inlay_build_result_save(inlay_build_result_t *result,
                                                      const char *path);
/** The sizes of both files; 0 for one that is not there. */
INLAY_API void inlay_build_result_sizes(const inlay_build_result_t *result,
                                        uint64_t *out_engine_bytes, uint64_t *out_weights_bytes);
/** The bytes of the engine file, which are put in memory at the first call, weights too; null after
 * an error. */
INLAY_API const void *inlay_build_result_engine(const inlay_build_result_t *result,
                                                size_t *out_size_bytes);
/** The bytes of the weights file that was asked for, to be kept beside the engine under that name;
 * in memory as those of the engine. Null if there is none. */
INLAY_API const void *inlay_build_result_weights(const inlay_build_result_t *result,
                                                 size_t *out_size_bytes);
/** The build report as `inlay build --report` writes it (JSON); empty after an error. */
INLAY_API const char *inlay_build_result_report(const inlay_build_result_t *result);
/** Frees a result; null is nothing. */
INLAY_API void inlay_build_result_free(inlay_build_result_t *result);

#ifdef __cplusplus
}
#endif

#endif
