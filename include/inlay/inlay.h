/* The C interface of Inlay's runtime: load an engine, bind tensors, run it. C99; needs nothing but
 * this file and libinlay_runtime.
 *
 * Errors: functions that can fail return a status: null is success; anything else carries a code
 * and a message and is freed with inlay_status_free. On an error no output parameter is written.
 * Handles: a null handle is an INVALID_ARGUMENT where a status is returned; other functions need a
 * valid one, except the *_free functions and inlay_context_deallocate's memory.
 * Threads: an engine may be used by any number of threads at once. A context is used by one thread
 * at a time; contexts are independent of each other.
 * CUDA: functions of a context make the GPU's primary context current on the calling thread.
 * Tensors are dense and row-major. Outputs overlap neither each other nor inputs, except for
 * inlay_engine_output_updated_input. */
#ifndef INLAY_INLAY_H
#define INLAY_INLAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define INLAY_API __attribute__((visibility("default")))

/** The largest rank a tensor can have. */
#define INLAY_MAX_RANK 64
/** Addresses of bound tensors are multiples of this many bytes. */
#define INLAY_TENSOR_ALIGNMENT_BYTES 16

/** An engine file in memory, verified; see inlay_engine_load_file. */
typedef struct inlay_engine_t inlay_engine_t;
/** What one caller needs to run an engine on a device: bindings, memory, a stream. */
typedef struct inlay_context_t inlay_context_t;
/** An error: a code and a message. Success is the null pointer. */
typedef struct inlay_status_t inlay_status_t;

/** Whose fault an error is and what can be done. Values are only ever added. */
typedef enum inlay_status_code_t {
  INLAY_STATUS_OK = 0,                  /**< success */
  INLAY_STATUS_INVALID_ARGUMENT = 1,    /**< the caller's input is wrong whatever the state */
  INLAY_STATUS_NOT_FOUND = 2,           /**< a named thing (file, tensor, symbol) is not there */
  INLAY_STATUS_ALREADY_EXISTS = 3,      /**< a thing of this name is already there */
  INLAY_STATUS_OUT_OF_RANGE = 4,        /**< a value or shape lies outside its declared range */
  INLAY_STATUS_FAILED_PRECONDITION = 5, /**< a call in the wrong state: unbound tensor */
  INLAY_STATUS_UNIMPLEMENTED = 6,       /**< valid input that Inlay does not support */
  INLAY_STATUS_OUT_OF_MEMORY = 7,       /**< host or device memory is exhausted */
  INLAY_STATUS_DATA_LOSS = 8,           /**< bytes from outside are truncated or corrupt */
  INLAY_STATUS_INCOMPATIBLE = 9,        /**< engine, device, driver or version do not fit */
  INLAY_STATUS_DEVICE_ERROR = 10,       /**< driver or device failed, or is missing */
  INLAY_STATUS_INTERNAL = 11,           /**< a bug of Inlay */
  INLAY_STATUS_CANCELLED = 12           /**< the caller ended the work before it was done */
} inlay_status_code_t;

/** Element types. Values are only ever added; 0 is none. */
typedef enum inlay_dtype_t {
  INLAY_DTYPE_BOOL = 1,
  INLAY_DTYPE_INT8 = 2,
  INLAY_DTYPE_INT16 = 3,
  INLAY_DTYPE_INT32 = 4,
  INLAY_DTYPE_INT64 = 5,
  INLAY_DTYPE_UINT8 = 6,
  INLAY_DTYPE_UINT16 = 7,
  INLAY_DTYPE_UINT32 = 8,
  INLAY_DTYPE_UINT64 = 9,
  INLAY_DTYPE_FLOAT16 = 10,
  INLAY_DTYPE_BFLOAT16 = 11,
  INLAY_DTYPE_FLOAT32 = 12,
  INLAY_DTYPE_FLOAT64 = 13,
  INLAY_DTYPE_FLOAT8_E4M3FN = 14,
  INLAY_DTYPE_FLOAT8_E5M2 = 15
} inlay_dtype_t;

/** Where a tensor's bytes are. */
typedef enum inlay_memory_t {
  INLAY_MEMORY_HOST = 0,
  INLAY_MEMORY_DEVICE = 1 /**< the context's device; on the CPU the same as host memory */
} inlay_memory_t;

/** A dense row-major tensor in the caller's memory. */
typedef struct inlay_tensor_t {
  void *data; /**< multiple of INLAY_TENSOR_ALIGNMENT_BYTES; may be null if a dimension is 0 */
  inlay_dtype_t dtype;
  int32_t rank;         /**< 0 to INLAY_MAX_RANK */
  const int64_t *shape; /**< `rank` sizes; read during the call only */
  inlay_memory_t memory;
} inlay_tensor_t;

/** A parameter or buffer of the model that an engine can be given anew. The pointers live as long
 * as the engine. */
typedef struct inlay_weight_info_t {
  const char *name; /**< the model's, "fc1.weight" */
  inlay_dtype_t dtype;
  int32_t rank;
  const int64_t *shape; /**< `rank` sizes */
} inlay_weight_info_t;

/** A tensor for a weight. */
typedef struct inlay_weight_t {
  const char *name;
  inlay_tensor_t tensor; /**< in host memory, of any alignment; read during the call only */
} inlay_weight_t;

/** One dimension of an input or output. */
typedef struct inlay_dim_t {
  int64_t size; /**< -1: known only at run time, between min and max */
  int64_t min;
  int64_t opt;        /**< the size the engine is tuned for */
  int64_t max;        /**< INT64_MAX if unbounded */
  const char *symbol; /**< name of the symbol this dimension is; null if fixed or computed */
} inlay_dim_t;

/** An input or output of an engine. The pointers live as long as the engine. */
typedef struct inlay_tensor_info_t {
  const char *name; /**< the name to bind by */
  const char *path; /**< where it stood in the model's nested inputs or outputs; may be empty */
  inlay_dtype_t dtype;
  int32_t rank;
  const inlay_dim_t *dims; /**< `rank` of them */
} inlay_tensor_info_t;

/** How to make a context. Set struct_size to sizeof(inlay_context_options_t), the rest to 0 for the
 * defaults. */
typedef struct inlay_context_options_t {
  size_t struct_size;
  const char *device;  /**< "cpu" (default), "cuda", "cuda:N", "null" (runs nothing) */
  int32_t num_threads; /**< cpu: 0 means INLAY_NUM_THREADS, or one per core */
  /** cuda: how many runs to keep as recorded CUDA graphs, each for the shapes and addresses that
   * were bound; the one not used for longest leaves first. A run is recorded when its shapes and
   * addresses come for the second time. 0: none. On other devices anything but 0 is an
   * INVALID_ARGUMENT. */
  uint32_t max_graphs;
  /** Not 0: debug mode, also by INLAY_DEBUG=1. Every launch is waited for; all tensors are copied
   * into memory between guards, so that a kernel that writes beyond a buffer or to an input makes
   * the run an OUT_OF_RANGE that names plugin, node, kernel and arguments; memory that a kernel did
   * not write holds NaN. Slow, and it allocates. No graphs are recorded. */
  int32_t debug;
  /** The profile of the engine to run in, counted from 1: inputs outside it are refused, and memory
   * for its largest shapes is allocated at once, if they are bounded. 0: all the engine's shapes.
   */
  uint32_t profile;
} inlay_context_options_t;

/** Counts of a context. Set struct_size to sizeof(inlay_context_stats_t) before asking. */
typedef struct inlay_context_stats_t {
  size_t struct_size;
  uint64_t planned_bytes; /**< peak memory of intermediates and workspaces at the current shapes */
  uint64_t allocated_bytes; /**< device memory the context holds: arena and staging buffers */
  uint64_t num_plans;       /**< how often shapes changed and memory was planned */
  uint64_t num_launches;    /**< kernels launched by the last run */
  uint64_t num_graphs;      /**< runs held as recorded graphs */
  uint64_t num_recordings;  /**< how often a run was recorded */
  /** What the planner says that the engine on this device and the context need at the current
   * shapes: constants (but those used where the file is mapped), state, intermediates, staged
   * tensors, scratch memory. */
  uint64_t needed_bytes;
  /** The most memory that was allocated at once for the engine on this device: for all its
   * contexts, and by inlay_context_allocate. */
  uint64_t peak_bytes;
} inlay_context_stats_t;

/** Kinds of attribute values. Values are only ever added. */
typedef enum inlay_attribute_kind_t {
  INLAY_ATTRIBUTE_NONE = 0,
  INLAY_ATTRIBUTE_BOOL = 1,
  INLAY_ATTRIBUTE_INT = 2,
  INLAY_ATTRIBUTE_FLOAT = 3,
  INLAY_ATTRIBUTE_STRING = 4,
  INLAY_ATTRIBUTE_DTYPE = 5,
  INLAY_ATTRIBUTE_BOOL_LIST = 6,
  INLAY_ATTRIBUTE_INT_LIST = 7,
  INLAY_ATTRIBUTE_FLOAT_LIST = 8,
  INLAY_ATTRIBUTE_STRING_LIST = 9
} inlay_attribute_kind_t;

/** An attribute (a non-tensor argument) of an operator: `kind` tells which field holds its value.
 */
typedef struct inlay_attribute_t {
  const char *name;
  inlay_attribute_kind_t kind;
  int64_t integer;          /**< bool, int, dtype (inlay_dtype_t) */
  double number;            /**< float */
  const char *text;         /**< string */
  size_t count;             /**< lists: number of elements */
  const int64_t *integers;  /**< lists of bool and int */
  const double *numbers;    /**< list of float */
  const char *const *texts; /**< list of string */
} inlay_attribute_t;

/** One call of a host function. All it points to is valid during the call only. */
typedef struct inlay_host_call_t {
  size_t struct_size;
  const char *function; /**< the operator, "my::add_one" */
  const char *node;     /**< node of the model, "add_one_1" */
  const char *device;   /**< "cuda:0", "cpu" */
  void *stream;         /**< the CUstream that the work belongs into; null on the CPU */
  /** Tensors in memory of the device: what is in front of the call has been put into the stream (on
   * the CPU it is done), and what follows waits for the stream. Inputs must not be written. Data of
   * a tensor without elements may be null. */
  const inlay_tensor_t *inputs;
  const inlay_tensor_t *outputs;
  const inlay_attribute_t *attributes; /**< in alphabetical order, defaults filled in */
  uint32_t num_inputs, num_outputs, num_attributes;
  void *workspace; /**< memory of the device for this call, not initialised; null: none was asked */
  uint64_t workspace_bytes;
} inlay_host_call_t;

/** A function that engines call by its name; see inlay_host_function_register. */
typedef struct inlay_host_function_t {
  size_t struct_size;
  const char *name; /**< the operator that it computes, "my::add_one"; copied */
  /** Does the work, or puts it into the stream. Returns null, or a status of inlay_status_create,
   * which becomes the run's error. Called on the threads that run contexts, at once from several.
   * It must not throw, and must not use the context that calls it. */
  inlay_status_t *(*call)(void *user_data, const inlay_host_call_t *call);
  void *user_data;
  void (*destroy)(void *user_data); /**< called once, when nothing uses the function; may be null */
  int32_t num_inputs;               /**< tensors that it takes; negative: any number */
  int32_t num_outputs;              /**< tensors that it writes; negative: any number */
} inlay_host_function_t;

/** What a library of host functions is given. */
typedef struct inlay_host_api_t {
  size_t struct_size;
  inlay_status_t *(*register_function)(const inlay_host_function_t *function);
  inlay_status_t *(*unregister_function)(const char *name);
  inlay_status_t *(*status_create)(inlay_status_code_t code, const char *message);
  const char *(*status_message)(const inlay_status_t *status);
  void (*status_free)(inlay_status_t *status);
} inlay_host_api_t;

/** The type of inlay_host_library_v1, which a library of host functions exports: it registers its
 * functions through `api`, which it may copy, and returns null or an error. */
typedef inlay_status_t *(*inlay_host_library_entry_t)(const inlay_host_api_t *api);

/** What a step of a run does. Values are only ever added. */
typedef enum inlay_step_kind_t {
  INLAY_STEP_LAUNCH = 0,    /**< launches a kernel */
  INLAY_STEP_COPY = 1,      /**< copies one of the engine's buffers to another */
  INLAY_STEP_COPY_IN = 2,   /**< copies an input from the caller's memory to the device's */
  INLAY_STEP_COPY_OUT = 3,  /**< copies an output back */
  INLAY_STEP_HOST_CALL = 4, /**< calls a function of the process */
  INLAY_STEP_READ_SIZE = 5  /**< waits for a size that a kernel computes, and reads it */
} inlay_step_kind_t;

/** A step of a profiled run. Times are in microseconds since its run began; the texts live as long
 * as the engine, "" where there is none. */
typedef struct inlay_profiled_step_t {
  size_t struct_size;
  inlay_step_kind_t kind;
  uint32_t index;      /**< of the step in its run; 0 begins one */
  uint64_t run;        /**< counts profiled runs of the context, from 0 */
  const char *name;    /**< kernel, host function, size, or the tensor that is copied in or out */
  const char *plugin;  /**< operator that the kernel implements */
  const char *node;    /**< node of the model */
  uint32_t grid[3];    /**< programs along x, y, z */
  uint32_t block[3];   /**< threads of a block; 0 on the CPU */
  uint64_t size_bytes; /**< of a copy, or of all buffers that a launch is given */
  double begin_us, end_us;           /**< on the device; on a GPU by events around the step */
  double host_begin_us, host_end_us; /**< when the host put it into the stream */
} inlay_profiled_step_t;

/** Asks where an output of a run is to go, now that its shape is known. `data` and `memory` are the
 * answer; the rest is valid during the call only. */
typedef struct inlay_output_request_t {
  size_t struct_size;
  const char *name;
  inlay_dtype_t dtype;
  int32_t rank;
  const int64_t *shape; /**< `rank` sizes */
  uint64_t size_bytes;  /**< of the tensor */
  void *data;           /**< multiple of INLAY_TENSOR_ALIGNMENT_BYTES; null if there are no bytes */
  inlay_memory_t memory; /**< INLAY_MEMORY_HOST if it is not changed */
} inlay_output_request_t;

/** Answers a request, on the thread that runs. Returns null, or a status of inlay_status_create,
 * which becomes the run's error. It must not use the context. */
typedef inlay_status_t *(*inlay_output_allocator_t)(void *user_data,
                                                    inlay_output_request_t *request);

/** Called for each step of a run, in order, after the run, on the thread that runs. */
typedef void (*inlay_profile_callback_t)(void *user_data, const inlay_profiled_step_t *step);

/** What a device is. Set struct_size to sizeof(inlay_device_info_t) before asking. */
typedef struct inlay_device_info_t {
  size_t struct_size;
  char name[256];         /**< "NVIDIA H200", "AMD EPYC 9654, x86-64-v4, 16 threads" */
  char target[64];        /**< what to build for: "cuda:sm_90a", "cpu:x86-64-v3" */
  uint64_t memory_bytes;  /**< 0 if unknown */
  int32_t num_cores;      /**< multiprocessors, or hardware threads */
  int32_t driver_version; /**< cuda: 1000 * major + 10 * minor of the newest CUDA the driver runs */
} inlay_device_info_t;

/** Version of the library, "0.1.0". */
INLAY_API const char *inlay_version(void);

/** Makes a status, for functions that engines call back; an unknown code is INTERNAL. */
INLAY_API inlay_status_t *inlay_status_create(inlay_status_code_t code, const char *message);
/** Code of a status; INLAY_STATUS_OK for null. */
INLAY_API inlay_status_code_t inlay_status_code(const inlay_status_t *status);
/** Message of a status, "" for null; lives as long as the status. */
INLAY_API const char *inlay_status_message(const inlay_status_t *status);
/** Frees a status; null is allowed. */
INLAY_API void inlay_status_free(inlay_status_t *status);
/** Name of a code, "INVALID_ARGUMENT". */
INLAY_API const char *inlay_status_code_name(inlay_status_code_t code);
/** PyTorch's name of an element type, "float32"; "unknown" for other values. */
INLAY_API const char *inlay_dtype_name(inlay_dtype_t dtype);
/** Bytes of one element; 0 for unknown values. */
INLAY_API int64_t inlay_dtype_size_bytes(inlay_dtype_t dtype);

/** Registers a function that engines call by its name: the JIT form of a plugin. Engines look their
 * functions up when they are loaded, and keep them. Errors: ALREADY_EXISTS, after which `destroy`
 * was called; INVALID_ARGUMENT (struct_size, name or call), after which it was not. Threads: any,
 * at once. */
INLAY_API inlay_status_t *inlay_host_function_register(const inlay_host_function_t *function);
/** Unregisters a function; engines that were loaded before keep it. Errors: NOT_FOUND. */
INLAY_API inlay_status_t *inlay_host_function_unregister(const char *name);
/** Opens a shared library and lets it register its functions (inlay_host_library_v1). It stays open
 * until the process ends. Errors: NOT_FOUND, INVALID_ARGUMENT, what the library returns. */
INLAY_API inlay_status_t *inlay_host_library_load(const char *path);

/** Maps and verifies an engine file. An engine holds machine code: load only what you trust.
 * Errors: NOT_FOUND (also host functions that it calls and nobody registered), DATA_LOSS (truncated
 * or corrupt), INCOMPATIBLE (another format version; a host function of other tensors). */
INLAY_API inlay_status_t *inlay_engine_load_file(const char *path, inlay_engine_t **engine);
/** As inlay_engine_load_file, for an engine whose weights lie in a file of their own
 * (`inlay build --weights beside`): that file's path. inlay_engine_load_file looks for it in the
 * engine's folder, under the name that it was built with. All its bytes are checked. Further
 * errors: INCOMPATIBLE (weights of another engine), INVALID_ARGUMENT (the engine holds its
 * weights). */
INLAY_API inlay_status_t *inlay_engine_load_file_with_weights(const char *path,
                                                              const char *weights_path,
                                                              inlay_engine_t **engine);
/** As inlay_engine_load_memory, with the path of the weights that lie beside the engine. */
INLAY_API inlay_status_t *inlay_engine_load_memory_with_weights(const void *data, size_t size_bytes,
                                                                const char *weights_path,
                                                                inlay_engine_t **engine);
/** As inlay_engine_load_file, from bytes, which are copied. */
INLAY_API inlay_status_t *inlay_engine_load_memory(const void *data, size_t size_bytes,
                                                   inlay_engine_t **engine);
/** Frees an engine; null is allowed. Contexts keep what they need of it until they are freed. */
INLAY_API void inlay_engine_free(inlay_engine_t *engine);
/** The engine's name; lives as long as the engine. */
INLAY_API const char *inlay_engine_name(const inlay_engine_t *engine);
/** Number of inputs, flattened: inputs are numbered from 0 in this order. */
INLAY_API uint32_t inlay_engine_num_inputs(const inlay_engine_t *engine);
/** Number of outputs, flattened: outputs are numbered from 0 in this order. */
INLAY_API uint32_t inlay_engine_num_outputs(const inlay_engine_t *engine);
/** Describes input `index`. Errors: OUT_OF_RANGE. */
INLAY_API inlay_status_t *inlay_engine_input(const inlay_engine_t *engine, uint32_t index,
                                             inlay_tensor_info_t *info);
/** Describes output `index`. Errors: OUT_OF_RANGE. */
INLAY_API inlay_status_t *inlay_engine_output(const inlay_engine_t *engine, uint32_t index,
                                              inlay_tensor_info_t *info);
/** Number of shape profiles that the engine was built with; they are counted from 1. */
INLAY_API uint32_t inlay_engine_num_profiles(const inlay_engine_t *engine);
/** Describes dimension `dim` of input `input` in a profile: min, opt and max are the profile's; 0
 * is the whole engine. Errors: OUT_OF_RANGE (no such profile, input or dimension). */
INLAY_API inlay_status_t *inlay_engine_profile_dim(const inlay_engine_t *engine, uint32_t profile,
                                                   uint32_t input, int32_t dim, inlay_dim_t *info);
/** Index of an input by name. Errors: NOT_FOUND with the names there are. */
INLAY_API inlay_status_t *inlay_engine_find_input(const inlay_engine_t *engine, const char *name,
                                                  uint32_t *index);
/** Index of an output by name. Errors: NOT_FOUND with the names there are. */
INLAY_API inlay_status_t *inlay_engine_find_output(const inlay_engine_t *engine, const char *name,
                                                   uint32_t *index);
/** 1 if the shape of output `index` depends on data: its kernels compute a size, which is known
 * after a run (inlay_context_output_shape). Runs of such an engine wait for these sizes, also on
 * the caller's stream, and cannot be recorded as graphs. 0 if not, or if there is no such output.
 */
INLAY_API int32_t inlay_engine_output_depends_on_data(const inlay_engine_t *engine, uint32_t index);
/** The input that output `index` may share memory with: bind both to the same address, and a run
 * updates it in place. -1 if there is none; then outputs overlap no input. */
INLAY_API int32_t inlay_engine_output_updated_input(const inlay_engine_t *engine, uint32_t index);

/** Number of the weights that the engine can be given anew: all of the model's if it was built with
 * `inlay build --refittable`, else 0. */
INLAY_API uint32_t inlay_engine_num_weights(const inlay_engine_t *engine);
/** Describes weight `index`. Errors: OUT_OF_RANGE. */
INLAY_API inlay_status_t *inlay_engine_weight(const inlay_engine_t *engine, uint32_t index,
                                              inlay_weight_info_t *info);
/** Replaces weights of a loaded engine, for its contexts and those to come, before contexts are
 * made or between runs: no context of the engine may run meanwhile, nor work of one be in flight.
 * With `is_complete` all weights must be given, else the others stay. State of the model begins
 * with new bytes after inlay_context_reset_state, and in new contexts. The engine's file is not
 * changed. Errors: FAILED_PRECONDITION (not built to be refitted); INVALID_ARGUMENT with every
 * mismatch (missing, unknown or given twice, dtype, shape), after which nothing is changed;
 * DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_engine_refit(inlay_engine_t *engine, const inlay_weight_t *weights,
                                             size_t num_weights, int32_t is_complete);

/** Makes a context on a device; `options` may be null. The engine's code is loaded once per device,
 * by the first context there. Errors: INVALID_ARGUMENT (unknown device), DEVICE_ERROR (no driver,
 * no such GPU), INCOMPATIBLE (no code in the engine for this device), OUT_OF_MEMORY. */
INLAY_API inlay_status_t *inlay_context_create(inlay_engine_t *engine,
                                               const inlay_context_options_t *options,
                                               inlay_context_t **context);
/** Frees a context after waiting for its work; null is allowed. */
INLAY_API void inlay_context_free(inlay_context_t *context);

/** Binds an input or output by name. The tensor's memory is used by every run until it is bound
 * anew; its description is copied. Errors: NOT_FOUND (no such name), INVALID_ARGUMENT (dtype, rank,
 * fixed size, alignment, or a name that is both an input's and an output's), OUT_OF_RANGE (a size
 * outside min to max). After an error the earlier binding stays. */
INLAY_API inlay_status_t *inlay_context_bind(inlay_context_t *context, const char *name,
                                             const inlay_tensor_t *tensor);
/** Binds input `index`; errors as inlay_context_bind. */
INLAY_API inlay_status_t *inlay_context_bind_input(inlay_context_t *context, uint32_t index,
                                                   const inlay_tensor_t *tensor);
/** Binds output `index`; errors as inlay_context_bind. */
INLAY_API inlay_status_t *inlay_context_bind_output(inlay_context_t *context, uint32_t index,
                                                    const inlay_tensor_t *tensor);

/** Computes the shape of output `index` from the bound inputs: writes up to INLAY_MAX_RANK sizes to
 * `shape` and their number to `rank`. A shape that depends on data is that of the last run if no
 * input was bound since, else what inlay_context_output_bound gives. Errors: FAILED_PRECONDITION
 * (an input is not bound), INVALID_ARGUMENT (inputs that do not fit together), OUT_OF_RANGE. */
INLAY_API inlay_status_t *inlay_context_output_shape(inlay_context_t *context, uint32_t index,
                                                     int64_t *shape, int32_t *rank);

/** The shape to bind for output `index`: as inlay_context_output_shape, with the largest sizes that
 * kernels can compute where it depends on data. A run then writes the first elements of that
 * memory, as a dense tensor of the shape that inlay_context_output_shape gives afterwards. */
INLAY_API inlay_status_t *inlay_context_output_bound(inlay_context_t *context, uint32_t index,
                                                     int64_t *shape, int32_t *rank);
/** Has output `index` asked for in each run, once its shape is known, in place of a bound tensor.
 * Until then it lies in memory that the context holds for its largest shape, and is copied from
 * there. On the caller's stream the answer must be device memory. Null, or binding a tensor, ends
 * that. Errors: OUT_OF_RANGE (no such output). */
INLAY_API inlay_status_t *inlay_context_set_output_allocator(inlay_context_t *context,
                                                             uint32_t index,
                                                             inlay_output_allocator_t allocator,
                                                             void *user_data);

/** Runs the engine once on what is bound. With `stream` null it runs on the context's own stream
 * and returns when the outputs are there. Otherwise `stream` is a CUstream: the work is enqueued
 * there and the call returns; host tensors are refused. The legacy default stream is
 * CU_STREAM_LEGACY ((CUstream)1), not null. With the shapes of the run before, nothing
 * is allocated, but where a run is recorded (max_graphs). A caller may record runs on its stream
 * into a graph of its own, once a run with these shapes was done. Two runs of one context must not
 * overlap on the device. Where sizes depend on data the call waits for them in `stream`, and an
 * operator that computes a size beyond its bound is an OUT_OF_RANGE. Errors: FAILED_PRECONDITION (a
 * tensor is not bound), those of inlay_context_output_shape, OUT_OF_MEMORY, DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_context_run(inlay_context_t *context, void *stream);
/** Has `callback` called for each step of every run from now on; null ends that. Such runs are
 * waited for, on the caller's stream too, launch no graphs, and cannot be recorded or measured; the
 * events around steps cost some microseconds each. Errors: DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_context_set_profiler(inlay_context_t *context,
                                                     inlay_profile_callback_t callback,
                                                     void *user_data);
/** Gives the engine's state (buffers that the model changes, a key-value cache say) its first
 * values again, and waits. Each context has state of its own, which its runs change; without state
 * nothing is done. Errors: DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_context_reset_state(inlay_context_t *context);
/** Waits until all work of the context's own stream is done. Errors: DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_context_synchronize(inlay_context_t *context);
/** The context's own stream (a CUstream; null on other devices): given to inlay_context_run it
 * enqueues without waiting. */
INLAY_API void *inlay_context_stream(const inlay_context_t *context);
/** Runs `count` times on the context's own stream without waiting in between, and gives the
 * device's average time of one run in microseconds; copies of host tensors do not count. Errors: as
 * inlay_context_run; INVALID_ARGUMENT for a count of 0. */
INLAY_API inlay_status_t *inlay_context_measure(inlay_context_t *context, uint32_t count,
                                                double *device_us);
/** Allocates memory of the context's device, aligned to 256 bytes, for tensors to bind as
 * INLAY_MEMORY_DEVICE. Free it with inlay_context_deallocate before the context. Errors:
 * INVALID_ARGUMENT (0 bytes), OUT_OF_MEMORY. */
INLAY_API inlay_status_t *inlay_context_allocate(inlay_context_t *context, size_t size_bytes,
                                                 void **memory);
/** Frees such memory; null is allowed. Work that uses it must be done. */
INLAY_API void inlay_context_deallocate(inlay_context_t *context, void *memory);
/** Copies host memory to the context's device on its own stream and waits. Errors: DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_context_copy_to_device(inlay_context_t *context, void *device,
                                                       const void *host, size_t size_bytes);
/** Copies the context's device memory to the host on its own stream and waits. Errors:
 * DEVICE_ERROR. */
INLAY_API inlay_status_t *inlay_context_copy_to_host(inlay_context_t *context, void *host,
                                                     const void *device, size_t size_bytes);
/** The device as "cuda:0 (NVIDIA H200, cuda:sm_90a)"; lives as long as the context. */
INLAY_API const char *inlay_context_device_name(const inlay_context_t *context);
/** Reads the context's counts into `stats`. Errors: INVALID_ARGUMENT (struct_size). */
INLAY_API inlay_status_t *inlay_context_stats(const inlay_context_t *context,
                                              inlay_context_stats_t *stats);

/** Number of devices of a kind, "cpu" or "cuda". Errors: INVALID_ARGUMENT (unknown kind),
 * DEVICE_ERROR (no driver, or it does not start). */
INLAY_API inlay_status_t *inlay_device_count(const char *kind, uint32_t *count);
/** Describes a device, "cpu" or "cuda:N". Errors as inlay_device_count. */
INLAY_API inlay_status_t *inlay_device_describe(const char *device, inlay_device_info_t *info);

#ifdef __cplusplus
}
#endif
#endif
