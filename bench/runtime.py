"""The part of include/inlay/inlay.h that measurements need, through ctypes: an engine and a context that runs it."""
import ctypes
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
DTYPES = {name: int(value) for value, name in re.findall(r'^INLAY_DATA_TYPE\(\w+, \w+, (\d+), "\w+", "(\w+)"',
                                                         (ROOT / "base" / "DataType.def").read_text(), re.MULTILINE)}
HOST, DEVICE = 0, 1


class Tensor(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("memory", ctypes.c_int)]


class Options(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("device", ctypes.c_char_p), ("num_threads", ctypes.c_int32)]


class Runtime:
    """`library`: libinlay_runtime.so. `device`: "cpu" or "cuda:0"."""

    def __init__(self, library, engine, device, threads=0):
        self.lib = ctypes.CDLL(str(library))
        self.lib.inlay_status_message.restype = ctypes.c_char_p
        for name in ("engine_load_file", "context_create", "context_bind_input", "context_bind_output", "context_run", "context_measure"):
            getattr(self.lib, f"inlay_{name}").restype = ctypes.c_void_p
        self.engine, self.context = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.lib.inlay_engine_load_file(str(engine).encode(), ctypes.byref(self.engine)))
        options = Options(ctypes.sizeof(Options), device.encode(), threads)
        self.check(self.lib.inlay_context_create(self.engine, ctypes.byref(options), ctypes.byref(self.context)))

    def check(self, status):
        if status:
            raise RuntimeError(self.lib.inlay_status_message(ctypes.c_void_p(status)).decode())

    def bind(self, inputs, outputs):
        """Dense arrays of NumPy or tensors of PyTorch, which the caller keeps as long as it runs."""
        for function, tensors in ((self.lib.inlay_context_bind_input, inputs), (self.lib.inlay_context_bind_output, outputs)):
            for index, tensor in enumerate(tensors):
                is_torch = hasattr(tensor, "data_ptr")
                data, memory = (tensor.data_ptr(), DEVICE if tensor.is_cuda else HOST) if is_torch else (tensor.ctypes.data, HOST)
                dtype = DTYPES[str(tensor.dtype).removeprefix("torch.")]
                shape = (ctypes.c_int64 * tensor.ndim)(*tensor.shape)
                self.check(function(self.context, index, ctypes.byref(Tensor(data, dtype, tensor.ndim, shape, memory))))

    def run(self):
        """A run on the context's own stream, and waiting for it."""
        self.check(self.lib.inlay_context_run(self.context, None))

    def enqueue(self):
        """A run on PyTorch's current stream."""
        import torch
        # A null stream would mean the context's own; the legacy default stream has this handle (CU_STREAM_LEGACY).
        self.check(self.lib.inlay_context_run(self.context, ctypes.c_void_p(torch.cuda.current_stream().cuda_stream or 1)))

    def microseconds(self, runs):
        """The device's average time of a run."""
        value = ctypes.c_double()
        self.check(self.lib.inlay_context_measure(self.context, runs, ctypes.byref(value)))
        return value.value
