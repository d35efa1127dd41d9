"""Launches kernels of this folder through `inlay kernel run` on NumPy arrays, and compiles them for GPUs that are not here."""
import concurrent.futures
import dataclasses
import pathlib
import re
import subprocess
import tempfile

import numpy

HERE = pathlib.Path(__file__).resolve().parent
STORAGE = {"fp64": "float64", "fp32": "float32", "fp16": "float16", "bf16": "uint16", "fp8e5": "uint8", "fp8e4nv": "uint8", "i64": "int64",
           "i32": "int32", "u8": "uint8"}


class Failed(Exception):
    """A command that ended with another status than 0; the text is what it said."""


def fp8_table(exponent_bits, bias):
    """The values of all 256 codes of an 8-bit float: with 5 exponent bits it has infinities, with 4 only NaN at the top."""
    codes = numpy.arange(256)
    mantissa_bits = 7 - exponent_bits
    mantissa = (codes & ((1 << mantissa_bits) - 1)) / (1 << mantissa_bits)
    exponent = (codes & 0x7F) >> mantissa_bits
    values = numpy.where(exponent == 0, mantissa * 2.0 ** (1 - bias), (1 + mantissa) * 2.0 ** (exponent - bias))
    if exponent_bits == 5:
        values = numpy.where(exponent == 31, numpy.where(mantissa == 0, numpy.inf, numpy.nan), values)
    else:
        values = numpy.where((codes & 0x7F) == 0x7F, numpy.nan, values)
    return numpy.where(codes >= 128, -values, values)


FP8 = {"fp8e5": fp8_table(5, 15), "fp8e4nv": fp8_table(4, 7)}


@dataclasses.dataclass
class Array:
    """An array with Triton's name of its element type; `data` holds raw bits where NumPy has no such type."""
    dtype: str
    data: numpy.ndarray

    @staticmethod
    def of(values, dtype):
        """The nearest elements of a type."""
        values = numpy.asarray(values)
        if dtype == "bf16":
            bits = values.astype(numpy.float32).view(numpy.uint32)
            return Array(dtype, ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16))
        if dtype in FP8:
            codes = numpy.flatnonzero(numpy.isfinite(FP8[dtype]))
            codes = codes[numpy.argsort(FP8[dtype][codes], kind="stable")]
            table = FP8[dtype][codes]
            return Array(dtype, codes[numpy.searchsorted((table[1:] + table[:-1]) / 2, values)].astype(numpy.uint8))
        return Array(dtype, values.astype(STORAGE[dtype]))

    @staticmethod
    def zeros(shape, dtype):
        return Array(dtype, numpy.zeros(shape, STORAGE[dtype]))

    @property
    def shape(self):
        return self.data.shape

    def values(self):
        """The elements in float64, which holds each of them exactly."""
        if self.dtype == "bf16":
            return (self.data.astype(numpy.uint32) << 16).view(numpy.float32).astype(numpy.float64)
        if self.dtype in FP8:
            return FP8[self.dtype][self.data]
        return self.data.astype(numpy.float64)


@dataclasses.dataclass
class Described:
    """An array that the kernel gets as a tensor descriptor with blocks of this shape."""
    array: Array
    block: tuple


@dataclasses.dataclass
class Table:
    """Arrays that the kernel gets as a table of their addresses, integers of 64 bits."""
    arrays: list


@dataclasses.dataclass
class Kernel:
    """A launch: FILE.py and function, grid, arguments by parameter (Array, Described, Table or a number), compile-time arguments, and the names
    of the arrays that it writes."""
    file: str
    function: str
    grid: tuple
    arguments: dict
    constexprs: dict
    outputs: list
    config: int | None = None
    warps: int | None = 4  # None: the configuration's

    def named(self):
        return f"{HERE / self.file}:{self.function}"

    def options(self):
        options = [part for name, value in self.constexprs.items() for part in ("--constexpr", f"{name}={value!r}")]
        options += ["--num-warps", str(self.warps)] if self.warps is not None else []
        return options + (["--config", str(self.config)] if self.config is not None else [])

    def written(self):
        """The arrays it writes as they are before; lists for tables."""
        return [array_or_arrays(self.arguments[name]) for name in self.outputs]

    def signature(self):
        """As Python's launcher finds it: arrays are aligned, integers divisible by 16 or equal to 1 are known to be."""
        def entry(value):
            if isinstance(value, Array):
                return f"*{value.dtype}:16"
            if isinstance(value, Described):
                return f"tensordesc<{value.array.dtype}[{','.join(map(str, value.block))}]>"
            if isinstance(value, Table):
                return "*i64:16"
            if isinstance(value, float):
                return "fp32"
            return ("i32" if -2**31 <= value < 2**31 else "i64") + (":1" if value == 1 else ":16" if value % 16 == 0 else "")
        return ",".join(entry(value) for value in self.arguments.values())


def array_or_arrays(value):
    return value.arrays if isinstance(value, Table) else value.array if isinstance(value, Described) else value


def call(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(str(part) for part in command)}\n{done.stdout}{done.stderr}")
    return done.stdout


class Launcher:
    """Runs launches on one device, each in a process of its own."""

    def __init__(self, binaries, device, repeats=0):
        """`repeats`: so many launches more, whose median time is added to `us`, in microseconds of the device."""
        self.inlay, self.device, self.repeats, self.us = pathlib.Path(binaries) / "inlay", device, repeats, 0.0

    def __call__(self, kernel):
        """Returns the arrays that the kernel wrote, in the order of kernel.outputs."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            command = [self.inlay, "kernel", "run", kernel.named(), *kernel.options(), "--device", self.device,
                       "--grid", ",".join(map(str, kernel.grid))]
            for name, value in kernel.arguments.items():
                if isinstance(value, Array):
                    value = self.save(folder / f"{name}.npy", value)
                elif isinstance(value, Described):
                    value = f"descriptor[{','.join(map(str, value.block))}]:" + self.save(folder / f"{name}.npy", value.array)
                elif isinstance(value, Table):
                    value = "addresses:" + ",".join(self.save(folder / f"{name}{i}.npy", array) for i, array in enumerate(value.arrays))
                command += ["--arg", f"{name}={value}"]
            files = []
            for name, written in zip(kernel.outputs, kernel.written()):
                count = len(written) if isinstance(written, list) else 1
                files.append([folder / f"{name}-out{i}.npy" for i in range(count)])
                command += ["--output", f"{name}={','.join(map(str, files[-1]))}"]
            if self.repeats:
                command += ["--repeat", self.repeats]
            said = call(*command)
            if self.repeats:
                self.us += float(re.search(r"launches ([0-9.]+) us", said)[1])
            results = []
            for paths, written in zip(files, kernel.written()):
                arrays = [self.load(path, like) for path, like in zip(paths, written if isinstance(written, list) else [written])]
                results.append(arrays if isinstance(written, list) else arrays[0])
            return results

    @staticmethod
    def save(path, array):
        numpy.save(path, array.data)
        return f"{array.dtype}:{path}"

    @staticmethod
    def load(path, like):
        return Array(like.dtype, numpy.load(path).view(like.data.dtype).reshape(like.shape))


def in_parallel(function, items, jobs):
    """The results of function(item) in order."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(function, items))
