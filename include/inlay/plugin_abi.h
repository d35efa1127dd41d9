/* The C interface between the compiler and a plugin library: what inlay/plugin.h is written over.
 * C99; needs nothing but this file and inlay.h, and links against nothing.
 *
 * A plugin library exports inlay_register_plugins_v1. The compiler calls it with a table of
 * functions; the library adds its plugins, and the compiler calls their functions back for every
 * node that they serve, on the thread that builds.
 *
 * Versions: a struct whose first field is size_bytes may grow at its end. Who made it writes the
 * size that it knows; what lies beyond that size was not given.
 * Errors: nothing here returns one. fail and node_fail record it, and so does every function of the
 * table when it is given something wrong; of several errors the first is reported. A function that
 * failed returns 0, null or an empty text. No exception may leave a callback.
 * Texts are UTF-8 and end in 0. Texts and arrays that the table returns live until the callback
 * returns; those that are passed in are copied.
 * Expressions are integer expressions in the language of manifests ("ceildiv(s0*8, 256)"). */
#ifndef INLAY_PLUGIN_ABI_H
#define INLAY_PLUGIN_ABI_H

#include <inlay/inlay.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The node of a model that a plugin is called for. */
typedef struct inlay_plugin_node_t inlay_plugin_node_t;
typedef struct inlay_plugin_host_v1 inlay_plugin_host_v1;

/** Kinds of values. Numbers are only ever added. */
typedef enum inlay_plugin_value_kind_t {
  INLAY_PLUGIN_VALUE_NONE = 0,
  INLAY_PLUGIN_VALUE_BOOL = 1,
  INLAY_PLUGIN_VALUE_INT = 2,
  INLAY_PLUGIN_VALUE_FLOAT = 3,
  INLAY_PLUGIN_VALUE_STRING = 4,
  INLAY_PLUGIN_VALUE_DTYPE = 5,
  INLAY_PLUGIN_VALUE_BOOL_LIST = 6,
  INLAY_PLUGIN_VALUE_INT_LIST = 7,
  INLAY_PLUGIN_VALUE_FLOAT_LIST = 8,
  INLAY_PLUGIN_VALUE_STRING_LIST = 9,
  INLAY_PLUGIN_VALUE_NUMBER = 10 /**< in declarations only: an int or a float, kept as it was */
} inlay_plugin_value_kind_t;

/** The value of an attribute or of a constexpr: `kind` tells which field holds it. */
typedef struct inlay_plugin_value_v1 {
  uint32_t kind;
  uint32_t reserved;        /**< 0 */
  int64_t integer;          /**< bool, int, dtype (inlay_dtype_t) */
  double number;            /**< float */
  const char *text;         /**< string */
  size_t count;             /**< lists: number of elements */
  const int64_t *integers;  /**< lists of bool and int */
  const double *numbers;    /**< list of float */
  const char *const *texts; /**< list of string */
} inlay_plugin_value_v1;

/** An attribute (a non-tensor argument) that a plugin declares. */
typedef struct inlay_plugin_attribute_v1 {
  const char *name;
  uint32_t kind;                              /**< any inlay_plugin_value_kind_t but NONE */
  uint32_t is_optional;                       /**< not 0: may be None */
  const inlay_plugin_value_v1 *default_value; /**< null: every node must give the value */
} inlay_plugin_attribute_v1;

/** A plugin. */
typedef struct inlay_plugin_definition_v1 {
  size_t size_bytes;
  const char *op_name; /**< "my::add_one" */
  /** Names of the tensor arguments; null: all tensors of a node, in its order. */
  const char *const *input_names;
  size_t num_inputs;
  const inlay_plugin_attribute_v1 *attributes;
  size_t num_attributes;
  void *user; /**< passed to the functions below */
  /** Says what the outputs are: calls add_output once for each, and require. */
  void (*describe)(void *user, const inlay_plugin_host_v1 *host, inlay_plugin_node_t *node);
  /** Says how they are computed: calls add_workspace and add_launch. */
  void (*implement)(void *user, const inlay_plugin_host_v1 *host, inlay_plugin_node_t *node);
  void (*destroy)(void *user); /**< called once, even if the plugin was refused; may be null */
  /** Not null: a function of the process that runs the engine, registered under op_name, may
   * compute it (JIT). Says what a call needs: may call add_workspace once. `implement` may then be
   * null. */
  void (*host)(void *user, const inlay_plugin_host_v1 *host, inlay_plugin_node_t *node);
  const char *implementation; /**< "prefer-aot", "strict-jit", …; null: the build's */
  /** Of several plugins for one operator and the same tensors: a name that tells this one apart
   * (letters, digits, '_'); null: none. */
  const char *variant;
  int64_t priority; /**< of those that could serve a node, the highest is tried first */
  /** Combinations of element types that it takes, "FP32|FP16, FP32|FP16"; none: all. */
  const char *const *types;
  size_t num_types;
  /** Targets ("cuda", "cpu:x86-64-v3"): it serves builds for these alone; none: all. */
  const char *const *targets;
  size_t num_targets;
  uint32_t static_shapes_only; /**< not 0: it serves no node of which a size changes between runs */
  uint32_t reserved;           /**< 0 */
  /** Says whether it serves a node: calls require for conditions that must be known to hold, and
   * node_fail with a reason if it does not. Outputs are those that the exporter recorded. May be
   * null. */
  void (*when)(void *user, const inlay_plugin_host_v1 *host, inlay_plugin_node_t *node);
} inlay_plugin_definition_v1;

typedef enum inlay_plugin_argument_kind_t {
  INLAY_PLUGIN_ARGUMENT_INPUT = 1,
  INLAY_PLUGIN_ARGUMENT_OUTPUT = 2,
  INLAY_PLUGIN_ARGUMENT_WORKSPACE = 3,
  INLAY_PLUGIN_ARGUMENT_INTEGER = 4,
  INLAY_PLUGIN_ARGUMENT_FLOAT = 5,
  INLAY_PLUGIN_ARGUMENT_SIZE = 6, /**< a pointer to a size that kernels compute */
  INLAY_PLUGIN_ARGUMENT_FLOAT_EXPRESSION = 7
} inlay_plugin_argument_kind_t;

/** A run-time argument of a launch, in the order of the kernel's parameters. */
typedef struct inlay_plugin_argument_v1 {
  uint32_t kind;
  uint32_t index;         /**< input, output, workspace, size: which */
  uint32_t dtype;         /**< integer: INLAY_DTYPE_INT32, …; float: FLOAT32 or FLOAT64 */
  uint32_t reserved;      /**< 0 */
  const char *expression; /**< integer; float expression, "1.0 / sqrt(s0)" */
  double value;           /**< float */
} inlay_plugin_argument_v1;

typedef struct inlay_plugin_constexpr_v1 {
  const char *name;
  inlay_plugin_value_v1 value; /**< a list is a tuple of the kernel's */
} inlay_plugin_constexpr_v1;

/** A file of code that others compiled, or of CUDA C++: .ptx, .cubin, .json (Triton's, beside one
 * of these), .cu, .o, .so. */
typedef struct inlay_plugin_kernel_file_v1 {
  const char *path;   /**< relative to the plugin library's folder */
  const char *entry;  /**< null: the file's only kernel */
  const char *target; /**< "cuda:sm_90a", "cuda", "cpu", …; null: what the file is for */
} inlay_plugin_kernel_file_v1;

/** One launch of a kernel in the Triton language, or of one in files, or both: files serve the
 * targets that they are for. */
typedef struct inlay_plugin_launch_v1 {
  size_t size_bytes;
  /** The Python file; relative to the plugin library's folder. Beside kernel_source, its name.
   * Null: files only. */
  const char *kernel_path;
  const char *kernel_source; /**< the file's text; null: it is read */
  const char *function;      /**< the @triton.jit function */
  const inlay_plugin_constexpr_v1 *constexprs;
  size_t num_constexprs;
  uint32_t num_warps;  /**< a power of two, at most 32 */
  uint32_t num_stages; /**< 1 to 16 */
  const char *grid[3]; /**< expressions; null: 1 */
  const inlay_plugin_argument_v1 *arguments;
  size_t num_arguments;
  const inlay_plugin_kernel_file_v1 *files;
  size_t num_files;
  /* For files on GPUs, as far as they do not say it themselves. */
  const char *block[3];     /**< expressions, threads of a block; null: 1, the first: not given */
  const char *shared_bytes; /**< expression, dynamic shared memory of a block; null: not given */
  uint32_t cluster[3];      /**< blocks of a cluster; 0: none */
  uint32_t is_cooperative;  /**< not 0: all blocks run at once */
  uint32_t is_programmatic; /**< not 0: may start before the launch in front has ended */
  uint32_t reserved;        /**< 0 */
} inlay_plugin_launch_v1;

/** A configuration of a kernel's autotuner. */
typedef struct inlay_plugin_config_v1 {
  const char *name; /**< "BLOCK=128, num_warps=4, num_stages=3" */
  const inlay_plugin_constexpr_v1 *constexprs;
  size_t num_constexprs;
  uint32_t num_warps;
  uint32_t num_stages;
} inlay_plugin_config_v1;

/** What the compiler offers. `is_output` selects among a node's inputs (0) and outputs (1); outputs
 * are known while implementing. */
struct inlay_plugin_host_v1 {
  size_t size_bytes;
  void *registration; /**< first argument of fail and add_plugin; null in callbacks */
  /** Gives the registration up: none of its plugins is added. */
  void (*fail)(void *registration, const char *message);
  void (*add_plugin)(void *registration, const inlay_plugin_definition_v1 *definition);

  /** Refuses a node, with a reason for the user. */
  void (*node_fail)(inlay_plugin_node_t *node, const char *message);
  const char *(*op_name)(inlay_plugin_node_t *node);
  const char *(*node_name)(inlay_plugin_node_t *node);
  size_t (*num_tensors)(inlay_plugin_node_t *node, int is_output);
  const char *(*input_name)(inlay_plugin_node_t *node, size_t index);
  uint32_t (*tensor_dtype)(inlay_plugin_node_t *node, int is_output, size_t index);
  size_t (*tensor_rank)(inlay_plugin_node_t *node, int is_output, size_t index);
  /** The size of a dimension, as an expression. */
  const char *(*tensor_size)(inlay_plugin_node_t *node, int is_output, size_t index, size_t dim);
  /** The value of a declared attribute; returns 0 if there is no such. */
  int (*attribute)(inlay_plugin_node_t *node, const char *name, inlay_plugin_value_v1 *out_value);
  /** The value of an expression that is known when the engine is built; 0: it is not. */
  int (*constant)(inlay_plugin_node_t *node, const char *expression, int64_t *out_value);

  void (*add_output)(inlay_plugin_node_t *node, uint32_t dtype, const char *const *shape,
                     size_t rank);
  /** A condition (not 0 where it holds), checked at build time as far as sizes are known, and at
   * run time. */
  void (*require)(inlay_plugin_node_t *node, const char *condition, const char *message);
  /** Memory for the launches, not initialised, of elements of `dtype`; returns its index. */
  uint32_t (*add_workspace)(inlay_plugin_node_t *node, const char *name, uint32_t dtype,
                            const char *size_bytes);
  void (*add_launch)(inlay_plugin_node_t *node, const inlay_plugin_launch_v1 *launch);
  /** As add_output, for an output that is input `input`'s memory, written in place; its type and
   * shape are the input's. */
  void (*add_aliased_output)(inlay_plugin_node_t *node, uint32_t dtype, const char *const *shape,
                             size_t rank, size_t input);
  /** Describing: a size that kernels compute, of INT32 or INT64, at most `bound`; `opt` is to tune
   * for. Returns its index. */
  uint32_t (*add_size)(inlay_plugin_node_t *node, const char *name, uint32_t dtype,
                       const char *bound, const char *opt);
  /** Describing: the expression that stands for a size in shapes and requirements. */
  const char *(*size_symbol)(inlay_plugin_node_t *node, uint32_t size);
  /** Describing: the next output is a size, a scalar of its type. */
  void (*add_size_output)(inlay_plugin_node_t *node, uint32_t size);
  /** The index of a size by its name; an error if there is none. */
  uint32_t (*find_size)(inlay_plugin_node_t *node, const char *name);

  /** Removes a plugin that was registered before, by operator and variant (null: the one without),
   * whatever its tensors. It is an error of the registration if there is none. What one
   * registration removes and adds takes place together, or, on an error, not at all. */
  void (*remove_plugin)(void *registration, const char *op_name, const char *variant);
  /** The targets of the build, "cuda:sm_90a". */
  size_t (*num_targets)(inlay_plugin_node_t *node);
  const char *(*target)(inlay_plugin_node_t *node, size_t index);

  /** Implementing: begins a tactic, one of several ways to compute the node, to which the launches
   * belong that are added from here on. Of the tactics that can be taken for the sizes and
   * addresses of a run the first is, or the one that was measured as the fastest. One of them at
   * least has no condition and no alignment. Launches in front of all tactics always run. */
  void (*begin_tactic)(inlay_plugin_node_t *node, const char *name);
  /** Implementing: a condition on sizes of the tactic that was begun last, not 0 where it can be
   * taken. */
  void (*tactic_condition)(inlay_plugin_node_t *node, const char *condition);
  /** Implementing: that tactic can be taken only if the tensor's address is a multiple of `bytes`,
   * a power of two up to 4096. */
  void (*tactic_alignment)(inlay_plugin_node_t *node, int is_output, size_t index, uint32_t bytes);
  /** Implementing: reads the configurations of a kernel's @triton.autotune decorator; path and
   * source as in inlay_plugin_launch_v1. Returns their number; none is an error. */
  size_t (*read_autotune)(inlay_plugin_node_t *node, const char *kernel_path,
                          const char *kernel_source, const char *function);
  /** One of the configurations that were read last. */
  void (*autotune_config)(inlay_plugin_node_t *node, size_t index,
                          inlay_plugin_config_v1 *out_config);
};

/** The entry of a plugin library, which the library defines. */
INLAY_API void inlay_register_plugins_v1(const inlay_plugin_host_v1 *host);

#ifdef __cplusplus
}
#endif

#endif
