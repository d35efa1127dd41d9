"""Reads and writes NumPy files with the standard library only, so that the end-to-end tests need no package."""
import array
import io
import math
import re
import struct
import zipfile

_CODES = {"float32": ("<f4", "f"), "float64": ("<f8", "d"), "int32": ("<i4", "i"), "int64": ("<i8", "q"), "bool": ("|b1", "b")}
_BY_DESCR = {descr: (dtype, code) for dtype, (descr, code) in _CODES.items()}


def to_bytes(values, shape, dtype="float32"):
    descr, code = _CODES.get(dtype, ("<f2", "e"))  # float16 is only written: arrays do not know it
    assert len(values) == math.prod(shape)
    text = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (descr, "".join(f"{d}, " for d in shape))
    padding = (64 - (10 + len(text) + 1) % 64) % 64
    header = text.encode() + b" " * padding + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + (struct.pack(f"<{len(values)}e", *values) if code == "e" else array.array(code, values).tobytes())


def from_bytes(data):
    """Returns (values, shape, dtype)."""
    size = int.from_bytes(data[8:10], "little")
    header = data[10:10 + size].decode()
    dtype, code = _BY_DESCR[re.search(r"'descr': '([^']+)'", header).group(1)]
    shape = tuple(int(d) for d in re.search(r"'shape': \(([^)]*)\)", header).group(1).replace(",", " ").split())
    values = array.array(code)
    values.frombytes(data[10 + size:])
    if "'fortran_order': True" in header:  # the first dimension varies fastest
        assert len(shape) == 2
        values = array.array(code, [values[column * shape[0] + row] for row in range(shape[0]) for column in range(shape[1])])
    return values, shape, dtype


def save(path, values, shape, dtype="float32"):
    with open(path, "wb") as file:
        file.write(to_bytes(values, shape, dtype))


def load(path):
    with open(path, "rb") as file:
        return from_bytes(file.read())


def load_npz(path):
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): from_bytes(archive.read(name)) for name in archive.namelist()}


def save_npz(path, members):
    """`members`: name -> (values, shape, dtype)."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, (values, shape, dtype) in members.items():
            archive.writestr(name + ".npy", to_bytes(values, shape, dtype))
