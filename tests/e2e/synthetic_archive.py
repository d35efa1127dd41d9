#!/usr/bin/env python3
"""Writes a .pt2 as torch.export.save lays it out, of any size and without PyTorch: a chain of linear layers.

Usage: synthetic_archive.py FILE.pt2 LAYERS WIDTH
Weights are [WIDTH, WIDTH] in float32, all zeros but for their first element, so that the file has holes and takes little disk. The model is
y = x W0ᵀ W1ᵀ …, so that y[0] = x[0] · W0[0, 0] · W1[0, 0] · … and the rest is 0; W[0, 0] is 2 in even layers and 0.5 in odd ones.
"""
import json
import pathlib
import struct
import sys

ALIGNMENT = 64  # PyTorch's, of members
FAR = 0xFFFFFFFF


class HoledZip:
    """A zip archive of stored members, of which zeros are not written. As PyTorch may, it writes no checksums."""

    def __init__(self, path):
        self.file, self.directory, self.count = open(path, "wb"), b"", 0

    def add(self, name, size, head=b""):
        """A member that starts with `head` and goes on with zeros."""
        name, offset = name.encode(), self.file.tell()
        # Numbers that do not fit into 32 bits are in an extra field.
        wide = [number for number in (size, size, offset) if number >= FAR]
        sizes = struct.pack("<II", min(size, FAR), min(size, FAR))
        fields = struct.pack("<HHHHI", 0, 0, 0, 0, 0) + sizes
        own = struct.pack("<HHQQ", 1, 16, size, size) if size >= FAR else b""
        padding = -(offset + 30 + len(name) + len(own) + 4) % ALIGNMENT
        own += struct.pack("<HH", 0x4246, padding) + b"Z" * padding
        self.file.write(struct.pack("<IH", 0x04034B50, 45) + fields + struct.pack("<HH", len(name), len(own)) + name + own + head)
        self.file.seek(size - len(head), 1)
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        self.directory += (struct.pack("<IHH", 0x02014B50, 45, 45) + fields +
                           struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, min(offset, FAR)) + name + extra)
        self.count += 1

    def close(self):
        start = self.file.tell()
        end = start + len(self.directory)
        self.file.write(self.directory)
        self.file.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, self.count, self.count, len(self.directory), start))
        self.file.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        self.file.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
        self.file.close()


def meta(*sizes):
    strides = [1]
    for size in sizes[:0:-1]:
        strides.insert(0, strides[0] * size)
    return {"dtype": 7, "sizes": [{"as_int": size} for size in sizes], "requires_grad": False, "device": {"type": "cpu", "index": None},
            "strides": [{"as_int": stride} for stride in strides], "storage_offset": {"as_int": 0}, "layout": 7}


def tensor(name):
    return {"as_tensor": {"name": name}}


def program(layers, width):
    weights = [f"p_w{i}" for i in range(layers)]
    results = ["x"] + [f"linear_{i}" for i in range(layers)]
    nodes = [{"target": "torch.ops.aten.linear.default", "name": results[i + 1], "metadata": {}, "is_hop_single_tensor_return": None,
              "inputs": [{"name": "input", "arg": tensor(results[i]), "kind": 1}, {"name": "weight", "arg": tensor(weights[i]), "kind": 1}],
              "outputs": [tensor(results[i + 1])]} for i in range(layers)]
    values = {name: meta(width, width) for name in weights} | {name: meta(1, width) for name in results}
    signature = {"input_specs": [{"parameter": {"arg": {"name": name}, "parameter_name": name[2:]}} for name in weights] + [{"user_input": {"arg": tensor("x")}}],
                 "output_specs": [{"user_output": {"arg": tensor(results[-1])}}]}
    leaf = {"type": None, "context": None, "children_spec": []}
    inputs = {"type": "builtins.tuple", "context": "null", "children_spec": [
        {"type": "builtins.tuple", "context": "null", "children_spec": [leaf]}, {"type": "builtins.dict", "context": "[]", "children_spec": []}]}
    calls = [{"fqn": "", "signature": {"inputs": [], "outputs": [], "in_spec": json.dumps([1, inputs]), "out_spec": json.dumps([1, leaf]), "forward_arg_names": ["x"]}}]
    graph = {"inputs": [tensor(name) for name in weights + ["x"]], "outputs": [tensor(results[-1])], "nodes": nodes, "tensor_values": values, "sym_int_values": {},
             "sym_bool_values": {}, "is_single_tensor_return": False, "custom_obj_values": {}, "sym_float_values": {}}
    return {"graph_module": {"graph": graph, "signature": signature, "module_call_graph": calls, "metadata": {}, "treespec_namedtuple_fields": {}},
            "opset_version": {"aten": 10}, "range_constraints": {}, "schema_version": {"major": 8, "minor": 17}, "verifiers": ["TRAINING"],
            "torch_version": "2.11.0", "guards_code": []}


def write(path, layers, width):
    archive = HoledZip(path)
    top = pathlib.Path(path).stem
    config = {}
    for i in range(layers):
        archive.add(f"{top}/data/weights/weight_{i}", 4 * width * width, struct.pack("<f", 0.5 if i % 2 else 2.0))
        config[f"w{i}"] = {"path_name": f"weight_{i}", "is_param": True, "use_pickle": False, "tensor_meta": meta(width, width)}
    for name, text in (("data/weights/model_weights_config.json", json.dumps({"config": config})),
                       ("data/constants/model_constants_config.json", json.dumps({"config": {}})),
                       ("models/model.json", json.dumps(program(layers, width))), ("archive_format", "pt2"), ("archive_version", "0"), ("byteorder", "little")):
        archive.add(f"{top}/{name}", len(text), text.encode())
    archive.close()


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
