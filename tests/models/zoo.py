#!/usr/bin/env python3
"""Exports architectures of torchvision, timm and transformers, builds them with Inlay, runs them and compares with PyTorch.

Usage: zoo.py BIN_FOLDER DEVICE [--only PATTERN] [--jobs N] [--dtype float32|float16] [--time] [--out FILE.json]
DEVICE is cpu or cuda:N. Weights are random (seeded), configurations of language models small: what counts is the operators. For each
model one line: `ok` with the largest error relative to the largest output, build time, and with --time the latency beside PyTorch eager;
`vacuous` if an output hardly differs between inputs, so that a match would say nothing; `unsupported` with the operators that have no
plugin; or at which step it failed, with the message. An output is right if its distance from float64 is at most twice that of PyTorch in
the same type plus 1e-4 (float32) or 1e-3 (float16) of the largest absolute value. Times of several jobs at once are not comparable.
Needs PyTorch and what of the three packages is installed; exit status 77 if there is none of them.
"""
import argparse
import copy
import concurrent.futures
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

IMAGE = (1, 3, 224, 224)
SMALL_TEXT = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 1000}


def torchvision_models():
    import torchvision
    names = ["alexnet", "vgg11", "resnet18", "resnet50", "squeezenet1_0", "densenet121", "googlenet", "inception_v3", "shufflenet_v2_x0_5",
             "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "mnasnet0_5", "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t"]
    for name in names:
        shape = (1, 3, 299, 299) if name == "inception_v3" else IMAGE
        extra = {"aux_logits": False} if name == "googlenet" else {}
        yield f"torchvision/{name}", lambda name=name, extra=extra: torchvision.models.get_model(name, weights=None, **extra), shape
    yield "torchvision/deeplabv3_mobilenet_v3_large", lambda: torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(
        weights=None, weights_backbone=None), IMAGE


def timm_models():
    import timm
    for name in ("deit_tiny_patch16_224", "mixer_s32_224", "convmixer_768_32", "poolformer_s12", "ghostnet_100", "repvgg_a0", "resmlp_12_224",
                 "gmlp_s16_224", "levit_128s", "mobilevit_xxs", "edgenext_xx_small", "cait_xxs24_224", "pit_ti_224", "rexnet_100", "hrnet_w18_small"):
        yield f"timm/{name}", lambda name=name: timm.create_model(name, pretrained=False), (1, 3, 256, 256) if name.startswith("mobilevit") else IMAGE


def transformers_models():
    import transformers

    def make(config, cls, **options):
        return lambda: getattr(transformers, cls)(getattr(transformers, config)(**options))
    heads = {"num_key_value_heads": 2}
    text = [("bert", "BertConfig", "BertModel", SMALL_TEXT), ("roberta", "RobertaConfig", "RobertaModel", SMALL_TEXT),
            ("albert", "AlbertConfig", "AlbertModel", {**SMALL_TEXT, "embedding_size": 32}),
            ("electra", "ElectraConfig", "ElectraModel", {**SMALL_TEXT, "embedding_size": 32}),
            ("distilbert", "DistilBertConfig", "DistilBertModel", {"dim": 64, "hidden_dim": 128, "n_layers": 2, "n_heads": 4, "vocab_size": 1000}),
            ("gpt2", "GPT2Config", "GPT2LMHeadModel", {"n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 1000}),
            ("llama", "LlamaConfig", "LlamaForCausalLM", {**SMALL_TEXT, **heads}), ("qwen2", "Qwen2Config", "Qwen2ForCausalLM", {**SMALL_TEXT, **heads}),
            ("gpt_neox", "GPTNeoXConfig", "GPTNeoXForCausalLM", SMALL_TEXT), ("phi", "PhiConfig", "PhiForCausalLM", {**SMALL_TEXT, **heads}),
            ("opt", "OPTConfig", "OPTForCausalLM", {"hidden_size": 64, "ffn_dim": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 1000,
                                                     "word_embed_proj_dim": 64}),
            ("mamba", "MambaConfig", "MambaForCausalLM", {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 1000, "state_size": 8})]
    for name, config, cls, options in text:
        yield f"transformers/{name}", make(config, cls, **options), "tokens"
    yield "transformers/vit", make("ViTConfig", "ViTModel", hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4), IMAGE


def all_models():
    found = {}
    for models in (torchvision_models, timm_models, transformers_models):
        try:
            found.update({name: (make, shape) for name, make, shape in models()})
        except ImportError as missing:
            print(f"[SKIP] {models.__name__}: {missing}")
    return found


def as_if_trained(model, arguments):
    """Weights that initialization leaves alike (heads of zeros, scales of 1e-5, biases) become different ones, and batch
    normalization gets the statistics of its input: otherwise outputs vanish, and every comparison holds."""
    import torch
    for parameter in model.parameters():
        if parameter.numel() > 1 and float(parameter.detach().max() - parameter.detach().min()) < 1e-4:
            parameter.data += torch.rand_like(parameter) * 0.4 - 0.2
    trained = copy.deepcopy(model)  # models keep tensors of what they were called with
    norms = [module for module in trained.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the average over all calls
        norm.train()
    if norms:
        with torch.no_grad():
            trained(*arguments)
        model.load_state_dict(trained.state_dict())


def flatten(outputs):
    import torch
    from torch.utils._pytree import tree_flatten
    return [value for value in tree_flatten(outputs)[0] if isinstance(value, torch.Tensor)]


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def try_model(name, given):
    """One model, in a process of its own."""
    import numpy
    import torch
    torch.set_num_threads(2)
    torch.manual_seed(sum(map(ord, name)))
    result = {"model": name}
    make, shape = all_models()[name]
    dtype = getattr(torch, given.dtype)
    device = "cuda" if given.device != "cpu" else "cpu"
    torch.backends.cudnn.allow_tf32 = False  # convolutions of PyTorch in float32, not with 10 bits
    try:
        model = make().eval()
        if shape == "tokens":
            model.config.use_cache = False
            arguments = (torch.randint(0, 1000, (1, 32)),)
            other = torch.randint(0, 1000, (1, 32))
        else:
            arguments = (torch.rand(shape) * 2 - 1,)
            other = torch.rand(shape) * 2 - 1
            as_if_trained(model, (torch.rand((4,) + shape[1:]) * 2 - 1,))
            arguments = (arguments[0].to(dtype),)
        model = model.to(dtype)
        with torch.no_grad():
            exact = copy.deepcopy(model).double()
            reference = [value.double().cpu() for value in flatten(exact(*(a.double() if a.is_floating_point() else a for a in arguments)))]
            changed = [value.double().cpu() for value in flatten(exact(other.double() if other.is_floating_point() else other))]
            theirs = [value.double().cpu() for value in flatten(model.to(device)(*(a.to(device) for a in arguments)))]
            model = model.cpu()
        program = torch.export.export(model, arguments, strict=False)
    except Exception as problem:  # noqa: BLE001: whatever a package throws is a line of the table
        return {**result, "state": "export", "message": str(problem).splitlines()[0][:200] if str(problem) else repr(problem)}
    difference = min(float((a - b).abs().max() / b.abs().max().clamp_min(1e-30)) for a, b in zip(changed, reference))
    if not difference > 1e-2:
        return {**result, "state": "vacuous", "message": f"outputs of two inputs differ by {difference:.1e} of the largest"}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.export.save(program, folder / "model.pt2")
        start = time.time()
        done = run(given.binaries / "inlay", "build", folder / "model.pt2", "--target", "cpu:x86-64-v3" if device == "cpu" else "cuda:sm_90a", "--quiet",
                   "-o", folder / "model.inlay")
        result["build_s"] = round(time.time() - start, 1)
        if done.returncode:
            operators = re.findall(r"^  ((?:aten|torchvision|prims|higher_order)[^\s]*)", done.stderr, re.M)
            if operators:
                return {**result, "state": "unsupported", "operators": operators}
            return {**result, "state": "build", "message": " ".join(done.stderr.split())[:300]}
        numpy.savez(folder / "in.npz", **{f"in_{i}": a.numpy() for i, a in enumerate(arguments)})
        outputs = []
        info = json.loads(run(given.binaries / "inlay", "inspect", folder / "model.inlay", "--json").stdout)
        for i, output in enumerate(info["outputs"]):
            outputs += ["--output", f"{output['name']}={folder}/out_{i}.npy"]
        done = run(given.binaries / "inlay-run", folder / "model.inlay", "--device", given.device, "--inputs", folder / "in.npz", *outputs)
        if done.returncode:
            return {**result, "state": "run", "message": " ".join(done.stderr.split())[:300]}
        ours = [torch.from_numpy(numpy.load(folder / f"out_{i}.npy").astype(numpy.float64)) for i in range(len(info["outputs"]))]
        if len(ours) != len(reference):
            return {**result, "state": "wrong", "message": f"{len(ours)} outputs, PyTorch has {len(reference)}"}

        def error(values):
            return max((float((a.reshape(b.shape) - b).abs().max() / b.abs().max().clamp_min(1e-30)) if b.numel() else 0.0) for a, b in zip(values, reference))
        result["error"], result["pytorch_error"] = error(ours), error(theirs)
        allowed = 2 * result["pytorch_error"] + (1e-4 if given.dtype == "float32" else 1e-3)
        result["state"] = "ok" if result["error"] <= allowed else "wrong"
        result["launches"] = sum(step["kind"] == "launch" for step in info["steps"])
        if given.time:
            bench = run(given.binaries / "inlay", "bench", folder / "model.inlay", "--device", given.device, "--iterations", "50", "--json")
            if bench.returncode == 0:
                result["latency_us"] = json.loads(bench.stdout)["latency_us"]["median"]
            result["eager_us"] = eager_us(model, arguments, device)
    return result


def eager_us(model, arguments, device):
    """Median time of a call of the model and waiting for it, with PyTorch's defaults: TF32 in convolutions."""
    import torch
    torch.backends.cudnn.allow_tf32 = True
    model, arguments = model.to(device), [a.to(device) for a in arguments]
    times = []
    with torch.no_grad():
        for _ in range(30):
            start = time.perf_counter()
            model(*arguments)
            if device == "cuda":
                torch.cuda.synchronize()
            times.append((time.perf_counter() - start) * 1e6)
    return sorted(times[10:])[10]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("device")
    parser.add_argument("--only", default="*")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--dtype", choices=("float32", "float16"), default="float32")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--seconds", type=float, default=300, help="for one model")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(try_model(given.one, given)))
        return 0
    try:
        import torch  # noqa: F401
        names = [name for name in all_models() if fnmatch.fnmatch(name, given.only)]
    except ImportError as missing:
        print(f"[SKIP] {missing}")
        return 77
    if not names:
        print("[SKIP] there are no such models here")
        return 77

    def start(name):
        try:
            done = subprocess.run([sys.executable, __file__, given.binaries, given.device, "--dtype", given.dtype, "--one", name] + (["--time"] if given.time else []),
                                  capture_output=True, text=True, timeout=given.seconds)
            return json.loads(done.stdout.splitlines()[-1])
        except subprocess.TimeoutExpired:
            return {"model": name, "state": "time", "message": f"more than {given.seconds} s"}
        except (ValueError, IndexError):
            return {"model": name, "state": "failed", "message": (done.stderr or done.stdout)[-300:]}
    rows = []
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for row in pool.map(start, names):
            rows.append(row)
            print(", ".join(f"{key} {value:.2g}" if isinstance(value, float) else f"{value}" if key in ("model", "state") else f"{key} {value}"
                            for key, value in row.items()), flush=True)
            if given.out:
                given.out.write_text(json.dumps(rows, indent=1))
    good = sum(row["state"] == "ok" for row in rows)
    print(f"{good} of {len(rows)} models match PyTorch")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
