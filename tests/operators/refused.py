"""Calls that no plugin serves, and what the error of the build says of each."""

import numpy

from cases import call, floats, integers, whole
from graphs import Tensor


def refusals():
    """Calls, and what the error of the build says."""
    x = floats((2, 3))
    yield (call("aten::mm", {"self": x, "mat2": floats((4, 5))}, numpy.zeros((2, 5))), "inner sizes 3 and 4 are equal")
    yield (call("aten::mm", {"self": x, "mat2": floats((3, 5), "float16")}, numpy.zeros((2, 5))), "expected one type")
    yield (call("aten::softmax.int", {"self": x, "dim": 2}, x.values), "dimension 2 is outside -2 to 1")
    yield (call("aten::topk", {"self": x, "k": 4}, numpy.zeros((2, 4)), whole(numpy.zeros((2, 4)))), "k is from 0 to 3, the size of dimension 1")
    yield (call("aten::einsum", {"equation": "ij,kl->ij", "tensors": [x]}, x.values), "is of 2 operands, and there are 1")
    yield (call("aten::histc", {"self": x, "bins": 2}, numpy.zeros(2)), "has the range of its data, which is not supported")
    yield (call("aten::softmax.int", {"self": integers((3,), 0, 5), "dim": 0, "dtype": "%float32"}, numpy.zeros(3)), "expected floats")
    yield (call("aten::mean", {"self": integers((3,), 0, 5)}, numpy.zeros(())), "the mean of int64 is no float")
    yield (call("aten::amax", {"self": floats((3, 0)), "dim": [1]}, numpy.zeros(3)), "are not empty")
    yield (
        call("aten::index.Tensor", {"self": x, "indices[0]": integers((2,), 0, 1), "indices[1]": Tensor(numpy.array([True, False]), "bool")},
             numpy.zeros((1, 3))),
        "only one mask of the first dimensions",
    )
    yield (call("aten::index.Tensor", {"indices[0]": integers((2,), 0, 2)}, floats((2,)).values), "the model passes no tensor for input 'self'")
    flags, index = Tensor(numpy.zeros((2, 3)), "bool"), integers((2, 3), 0, 3)
    yield (call("aten::scatter_add", {"self": flags, "dim": 1, "index": index, "src": flags}, flags), "added to 'self', which is bool")
    yield (call("aten::index_add", {"self": x, "dim": 0, "index": integers((2,), 0, 2), "source": x, "alpha": 2}, x.values), "'alpha' is 2")
    yield (call("aten::_grouped_mm", {"self": x, "mat2": floats((3, 4)), "offs": integers((1,), 0, 2)}, numpy.zeros((2, 4))), "a matrix for each group")
    yield (call("aten::rand", {"size": [2], "dtype": "%int32"}, whole(numpy.zeros(2))), "expected floats")
    transposed = {"input": floats((1, 2, 4, 4)), "weight": floats((2, 3, 2, 2)), "bias": None, "stride": [2, 2]}
    yield (call("aten::conv_transpose2d.input", transposed | {"output_padding": [2, 0]}, numpy.zeros((1, 3, 10, 8))),
           "output_padding 2 must be smaller than stride 2 or dilation 1")
    yield (
        call(
            "aten::scaled_dot_product_attention",
            {name: floats((1, 2, 3, 4)) for name in ("query", "key", "value")} | {"dropout_p": 0.5},
            numpy.zeros((1, 2, 3, 4)),
        ),
        "attention with dropout is not supported",
    )
    yield (call("aten::mse_loss", {"self": x, "target": floats((2, 4))}, numpy.zeros(())), "they are not broadcast")
    yield (call("aten::huber_loss", {"self": x, "target": x, "delta": 0.0}, numpy.zeros(())), "'delta' is 0; expected a positive number")
    yield (call("aten::scatter_reduce.two", {"self": x, "dim": 1, "index": index, "src": x, "reduce": "median"}, x.values), "reduce is 'median'")
    yield (call("aten::scatter_reduce.two", {"self": flags, "dim": 1, "index": index, "src": flags, "reduce": "amax"}, flags), "'self' is bool")
    yield (call("aten::_upsample_bilinear2d_aa", {"self": integers((1, 1, 4, 4), 0, 9, "uint8"), "output_size": [2, 2], "align_corners": False},
                Tensor(numpy.zeros((1, 1, 2, 2)), "uint8")), "'self' is uint8")
    layer = {"input": floats((4, 2, 5)), "hx": floats((1, 2, 3)), "params": [floats((9, 5)), floats((9, 3))], "has_biases": False, "num_layers": 1,
             "dropout": 0.0, "train": False, "bidirectional": False, "batch_first": False}
    states = numpy.zeros((4, 2, 3)), numpy.zeros((1, 2, 3))
    yield (call("aten::gru.input", layer | {"has_biases": True}, *states), "there are 2 parameters; expected 4 for 1 layers in 1 directions")
    yield (call("aten::gru.input", layer | {"params": [floats((9, 4)), floats((9, 3))]}, *states), r"params\[0\] has the shape \[9, 5\]")
    projected = {"hx": [floats((1, 2, 2)), floats((1, 2, 3))], "params": [floats((12, 5)), floats((12, 2)), floats((2, 3))]}
    yield (call("aten::lstm.input", layer | projected, numpy.zeros((4, 2, 2)), numpy.zeros((1, 2, 2)), numpy.zeros((1, 2, 3))), "proj_size")
