#!/usr/bin/env python3
"""The commands as a user meets them: help, exit statuses, messages of bad input, machine-readable output.

Usage: cli.py BIN_FOLDER
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import chain
import npy

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(sys.argv.pop(1)).resolve()
MODEL = ROOT / "examples" / "add_one" / "add_one.pt2"
MANIFEST = ROOT / "examples" / "add_one" / "add_one.toml"
RECORDED = ROOT / "examples" / "add_one" / "add_one.npz"
KERNEL = ROOT / "examples" / "add_one" / "add_one.py"


class CliTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def call(self, *command, program="inlay", status=0, env=None):
        done = subprocess.run([str(BIN / program), *map(str, command)], capture_output=True, text=True, cwd=self.folder, env=env)
        self.assertEqual(done.returncode, status, f"{program} {command}: {done.stdout}{done.stderr}")
        return done

    def fails(self, *command, says=(), program="inlay", status=1):
        done = self.call(*command, program=program, status=status)
        for text in says:
            self.assertIn(text, done.stderr)
        return done

    def engine(self, *extra):
        path = self.folder / "engine.inlay"
        self.call("build", MODEL, "--plugin", MANIFEST, "--quiet", "-o", path, *extra)
        return path

    def manifest(self, text):
        (self.folder / "add_one.py").write_text(KERNEL.read_text())
        path = self.folder / "plugin.toml"
        path.write_text(text)
        return path

    # -- what a build would find

    def test_dry_run_names_what_no_plugin_serves(self):
        served = self.call("build", MODEL, "--plugin", MANIFEST, "--dry-run")
        self.assertIn("1 of 1 calls of 1 operators are served", served.stdout)
        self.assertRegex(served.stdout, r"1  my::add_one  by \S*add_one\.toml")
        missing = self.fails("build", MODEL, "--dry-run", "--json", says=["1 of 1 calls have no plugin"])
        report = json.loads(missing.stdout)
        self.assertEqual([report["calls"], report["unserved"], report["inputs"]], [1, 1, [{"name": "X", "type": "float32[64, 64]"}]])
        (operator,) = report["operators"]
        self.assertEqual([operator["op"], operator["plugins"]], ["my::add_one", []])
        self.assertEqual(operator["unserved"][0]["types"], "(X: float32[64, 64]) -> float32[64, 64]")
        self.assertIn("--plugin", operator["help"])
        # A built-in plugin that refuses a call says why.
        graph = """graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["2", "3"], "float32">):
  %y = graph.call "aten::softmax.int" node "s" (%x) names ["self"] arguments {"dim" = 7 : i64} : (!graph.tensor<["2", "3"], "float32">) -> (!graph.tensor<["2", "3"], "float32">)
  graph.output %y : !graph.tensor<["2", "3"], "float32">
}"""
        (self.folder / "m.mlir").write_text(graph)
        refused = self.fails("build", "m.mlir", "--dry-run", says=["1 of 1 calls"])
        self.assertIn("dimension 7 is outside -2 to 1", refused.stdout)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["m.mlir"])  # nothing was written
        self.fails("build", MODEL, "--plugin", MANIFEST, says=["-o FILE is missing"])
        self.fails("build", MODEL, "--plugin", MANIFEST, "--json", "-o", "x.inlay", says=["--json is for --dry-run"])

    # -- help and usage

    def test_help_of_every_command(self):
        text = self.call("--help").stdout
        for command in ["build", "run", "inspect", "bench", "kernel", "doctor", "env"]:
            self.assertIn(command, text)
            self.assertIn("--help", self.call(command, "--help").stdout)
        self.assertIn("--check", self.call("--help", program="inlay-run").stdout)
        self.assertRegex(self.call("--version").stdout, r"inlay \d+\.\d+\.\d+")

    def test_bad_usage_is_status_2(self):
        self.call("build", status=2)
        self.call("fly", status=2)
        self.call("run", "x.inlay", "--repeat", "none", status=2)
        self.call("--no-such-option", "x", program="inlay-run", status=2)

    # -- build and run

    def test_engines_are_the_same_bytes_every_time(self):
        first = self.engine("--target", "cuda", "--target", "cpu").read_bytes()
        self.assertEqual(first, self.engine("--target", "cuda", "--target", "cpu").read_bytes())

    def test_the_kernel_cache_changes_no_byte(self):
        plain = self.engine("--target", "cuda", "--target", "cpu").read_bytes()
        cache = self.folder / "cache"
        environment = dict(os.environ, INLAY_CACHE_DIR=str(cache))
        build = ["build", MODEL, "--plugin", MANIFEST, "--quiet", "--target", "cuda", "--target", "cpu", "-o", "cached.inlay"]
        for attempt in range(2):
            self.call(*build, env=environment)
            self.assertEqual((self.folder / "cached.inlay").read_bytes(), plain)
        entries = sorted(path for path in cache.iterdir() if path.name.startswith("llvmcache-"))
        self.assertEqual(len(entries), 4)  # sm_80 and three levels of x86-64
        # What is there is used, so it is not written again.
        before = entries[0].stat().st_mtime_ns
        self.call(*build, env=environment)
        self.assertEqual(entries[0].stat().st_mtime_ns, before)
        done = self.call(*build, env=dict(environment, INLAY_CACHE_MB="much"), status=1)
        self.assertIn("INLAY_CACHE_MB is 'much'; expected a positive number of megabytes", done.stderr)

    # -- the cache of engines

    def test_the_engine_cache_gives_the_same_bytes(self):
        manifest = self.manifest(MANIFEST.read_text())

        def build(*extra, model=MODEL):
            done = self.call("build", model, "--plugin", manifest, "--target", "cpu:x86-64-v3", "--report", "-", "--quiet", "-o", "cached.inlay",
                             "--engine-cache", "engines", *extra)
            report = json.loads(done.stdout)
            return report, (self.folder / "cached.inlay").read_bytes()

        first, plain = build()
        self.assertEqual(first["engine_cache"]["hit"], False)
        again, cached = build()
        self.assertEqual(again["engine_cache"], dict(first["engine_cache"], hit=True))
        self.assertEqual(cached, plain)
        self.assertNotIn("compile", again["phases_ms"])
        self.assertEqual([dict(kernel, compile_ms=0) for kernel in first["kernels"]], again["kernels"])
        self.assertEqual((first["operators"], first["engine_bytes"]), (again["operators"], again["engine_bytes"]))
        self.assertIsNone(json.loads(self.call("build", MODEL, "--plugin", manifest, "--report", "-", "--quiet", "-o", "x.inlay").stdout)["engine_cache"])
        # Whatever the engine is made from is in the key.
        keys = {first["engine_cache"]["key"]}

        def misses(*extra, **named):
            report, engine = build(*extra, **named)
            self.assertFalse(report["engine_cache"]["hit"])
            self.assertNotIn(report["engine_cache"]["key"], keys)
            keys.add(report["engine_cache"]["key"])
            return engine

        misses("--name", "other")
        misses("--target", "cpu:x86-64-v2")
        manifest.write_text("# changed\n" + MANIFEST.read_text())
        misses()
        kernel = self.folder / "add_one.py"
        kernel.write_text(KERNEL.read_text().replace("+ 1", "+ 2"))
        self.assertNotEqual(misses(), plain)
        manifest.write_text(MANIFEST.read_text())
        kernel.write_text(KERNEL.read_text())
        self.assertTrue(build()[0]["engine_cache"]["hit"])
        # A damaged entry is built anew.
        for path in (self.folder / "engines").glob("llvmcache-*"):
            path.write_bytes(path.read_bytes()[:-1])
        report, engine = build()
        self.assertEqual((report["engine_cache"]["hit"], engine), (False, plain))
        self.assertIn("engine cache: hit, key", self.call("build", MODEL, "--plugin", manifest, "--target", "cpu:x86-64-v3", "-o", "cached.inlay",
                                                          "--engine-cache", "engines").stdout)

    def test_the_engine_cache_knows_weights(self):
        graph = """graph.model @m inputs ["x"] [""] outputs ["y"] [""] symbols [] checks [] {
^bb0(%x: !graph.tensor<["8"], "float32">):
  %w = graph.constant "w" dense<2.0> : tensor<8xf32> : !graph.tensor<["8"], "float32">
  %y = graph.call "aten::mul.Tensor" node "mul" (%x, %w) names ["self", "other"] arguments {} : (!graph.tensor<["8"], "float32">, !graph.tensor<["8"], "float32">) -> !graph.tensor<["8"], "float32">
  graph.output %y : !graph.tensor<["8"], "float32">
}
"""
        engines = []
        for value in ("2.0", "3.0", "2.0"):
            (self.folder / "m.mlir").write_text(graph.replace("dense<2.0>", f"dense<{value}>"))
            report = json.loads(self.call("build", "m.mlir", "--target", "cpu:x86-64-v3", "--report", "-", "--quiet", "-o", "m.inlay",
                                          "--engine-cache", "engines").stdout)
            engines.append((report["engine_cache"]["hit"], (self.folder / "m.inlay").read_bytes()))
        self.assertEqual([hit for hit, _ in engines], [False, False, True])
        self.assertNotEqual(engines[0][1], engines[1][1])
        self.assertEqual(engines[0][1], engines[2][1])

    def test_builds_may_share_an_engine_cache(self):
        command = [str(BIN / "inlay"), "build", str(MODEL), "--plugin", str(MANIFEST), "--target", "cpu:x86-64-v3", "--quiet", "--engine-cache", "engines", "-o"]
        running = [subprocess.Popen([*command, f"{i}.inlay"], cwd=self.folder) for i in range(6)]
        self.assertEqual([process.wait() for process in running], [0] * 6)
        self.assertEqual(len({(self.folder / f"{i}.inlay").read_bytes() for i in range(6)}), 1)
        self.assertEqual(len(list((self.folder / "engines").glob("llvmcache-*"))), 1)

    def test_run_reads_and_writes_numpy_files(self):
        engine = self.engine()
        x, shape, dtype = npy.load_npz(RECORDED)["in_0"]
        npy.save(self.folder / "x.npy", x, shape, dtype)
        self.call("run", engine, "--input", "X=x.npy", "--output", "add_one=y.npy", "--outputs", "all.npz")
        y, y_shape, y_dtype = npy.load(self.folder / "y.npy")
        self.assertEqual((y_shape, y_dtype), (shape, "float32"))
        self.assertEqual(y, npy.load_npz(RECORDED)["out_0"][0])
        self.assertEqual(npy.load_npz(self.folder / "all.npz")["add_one"][0], y)

    def test_check_fails_on_a_wrong_result(self):
        members = npy.load_npz(RECORDED)
        values, shape, dtype = members["out_0"]
        values[17] += 1
        npy.save_npz(self.folder / "wrong.npz", members)
        self.fails("run", self.engine(), "--inputs", "wrong.npz", "--check", "wrong.npz",
                   says=["output 'add_one' differs", "in 1 elements, the first at 17"])

    def test_report_is_json(self):
        path = self.folder / "report.json"
        self.engine("--report", path, "--target", "cpu:x86-64-v3")
        report = json.loads(path.read_text())
        self.assertEqual([k["target"] for k in report["kernels"]], ["cpu:x86-64-v3"])
        self.assertGreater(report["kernels"][0]["size_bytes"], 0)

    def test_stages_are_dumped_and_read_back(self):
        stages = self.folder / "stages"
        direct = self.engine("--dump-stages", stages, "--target", "cpu", "--name", "add_one").read_bytes()
        names = sorted(path.name for path in stages.iterdir())
        for stage in ["01-graph", "02-plan", "03-tile", "04-llvm", "05-ll", "06-s", "07-so", "08-engine"]:
            self.assertTrue(any(name.startswith(stage) for name in names), f"{stage} in {names}")
        for name in ["01-graph.mlir", "02-plan.mlir"]:
            self.call("build", stages / name, "--plugin", MANIFEST, "--target", "cpu", "--name", "add_one", "--quiet", "-o", "again.inlay")
            self.assertEqual((self.folder / "again.inlay").read_bytes(), direct, name)
        tile = next(path for path in stages.iterdir() if path.name.startswith("03-tile"))
        self.call("kernel", "compile", tile, "--target", "cpu:x86-64-v3", "--emit", "so", "-o", "kernel.so")
        self.assertTrue((self.folder / "kernel.so").read_bytes().startswith(b"\x7fELF"))

    def test_inspect_tells_all(self):
        engine = self.engine("--target", "cuda:sm_90a", "--target", "cpu:x86-64-v2")
        text = self.call("inspect", engine).stdout
        for part in ["input 'X': float32[64, 64]", "cuda:sm_90a", "cpu:x86-64-v2", "n_elements = 4096", "my::add_one"]:
            self.assertIn(part, text)
        data = json.loads(self.call("inspect", engine, "--json").stdout)
        self.assertEqual(data["inputs"][0]["name"], "X")

    def test_bench_reports_times(self):
        data = json.loads(self.call("bench", self.engine(), "--iterations", 50, "--json").stdout)
        self.assertGreater(data["latency_us"]["median"], 0)
        self.assertGreater(data["device_time_us"], 0)
        self.fails("bench", self.engine(), "--shapes", "X=1xq", says=["'X=1xq' is no shape"])
        self.fails("bench", self.engine(), "--shapes", "X=32x32", says=["dimension 0 is 32, expected 64"])

    def test_bench_profiles_kernels(self):
        engine = self.engine()
        bench = ("bench", engine, "--iterations", 7, "--profile")
        text = self.call(*bench).stdout
        for part in ["profile of 7 runs", "add_one_kernel", "100.0%", "us a run"]:
            self.assertIn(part, text)
        data = json.loads(self.call(*bench, "--trace", "trace.json", "--json").stdout)["profile"]
        (kernel,) = data["kernels"]
        self.assertEqual((data["runs"], kernel["kernel"], kernel["node"], kernel["calls"]), (7, "add_one_kernel", "add_one", 7))
        self.assertAlmostEqual(sum(row["share"] for row in data["kernels"]), 1, 6)
        self.assertAlmostEqual(sum(row["total_us"] for row in data["kernels"]), data["total_us"], 2)
        events = [event for event in json.loads((self.folder / "trace.json").read_text())["traceEvents"] if event["ph"] == "X"]
        self.assertEqual(len(events), 2 * 7)  # on the host and on the device
        self.assertNotIn("profile", json.loads(self.call("bench", engine, "--iterations", 3, "--json").stdout))
        self.fails("bench", engine, "--trace", "trace.json", "--against", engine, says=["--trace writes the runs of one engine"])

    def test_doctor_and_env(self):
        self.assertIn("x86-64-v", self.call("doctor").stdout)
        self.assertIn("cpu", json.loads(self.call("doctor", "--json").stdout))
        self.assertIn("INLAY_LOG", self.call("env").stdout)

    # -- kernels

    def test_kernel_commands(self):
        self.assertIn("add_one_kernel(x_ptr, n_elements, y_ptr, BLOCK_SIZE: constexpr)", self.call("kernel", "list", KERNEL).stdout)
        arguments = ["kernel", "compile", f"{KERNEL}:add_one_kernel", "--signature", "*fp32:16,i32:16,*fp32:16", "--constexpr", "BLOCK_SIZE=256"]
        ptx = self.call(*arguments, "--target", "cuda:sm_90a", "--emit", "ptx", "-o", "-").stdout
        for part in [".target sm_90a", ".reqntid 128", "add_one_kernel"]:
            self.assertIn(part, ptx)
        interface = json.loads(self.call(*arguments, "--target", "cpu:x86-64-v3", "-o", "-").stdout)
        self.assertEqual([p["type"] for p in interface["parameters"]], ["*fp32", "i32", "*fp32"])
        self.fails(*arguments, "--target", "cuda:sm_12", "-o", "-", says=["unknown GPU architecture 'sm_12'", "sm_90a"])
        self.fails(*arguments, "--target", "tpu", "-o", "-", says=["unknown target 'tpu'"])
        self.fails(*arguments[:-2], "--target", "cpu:x86-64-v3", "-o", "-", says=["BLOCK_SIZE"])
        self.fails("kernel", "compile", f"{KERNEL}:add_two", "--target", "cpu:x86-64-v3", "-o", "-", says=["add_two", "add_one_kernel"])

    def test_kernels_are_checked_without_being_told_their_types(self):
        package = self.folder / "package"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "math.py").write_text("import triton\n@triton.jit\ndef twice(x):\n    return x + x\n")
        (package / "good.py").write_text(
            "import triton\nimport triton.language as tl\nfrom .math import twice\n"
            "@triton.jit\ndef scale(x, y, n, KIND: tl.constexpr, B: tl.constexpr):\n"
            "    i = tl.program_id(0) * B + tl.arange(0, B)\n    v = tl.load(x + i, mask=i < n)\n"
            "    if KIND == 3:\n        r = twice(v)\n    elif KIND == 5:\n        r = tl.exp(v)\n"
            "    tl.store(y + i, r, mask=i < n)\n"
            "def launch(x, y):\n    scale[(1,)](x, y, x.numel(), B=128)\n")
        good = self.call("kernel", "check", package, "--target", "cpu:x86-64-v3", "--json", "--jobs", "1")
        report = json.loads(good.stdout)
        (kernel,) = report["kernels"]
        self.assertEqual([kernel["kernel"], kernel["verdict"]], ["scale", "ok"])
        self.assertEqual(kernel["signature"], "*fp32:16, *fp32:16, i32")
        self.assertEqual(kernel["constexprs"], ["KIND=3", "B=128"])
        self.assertEqual([h["kernel"] for h in report["helpers"]], ["twice"])
        # How each of them was found.
        self.assertEqual({p["name"]: (p["choice"], p["ground"]) for p in kernel["parameters"]},
                         {"x": ("*fp32", "use"), "y": ("*fp32", "use"), "n": ("i32", "launch"), "KIND": ("=3", "use"),
                          "B": ("=128", "launch")})
        given = json.loads(self.call("kernel", "check", package, "--target", "cpu:x86-64-v3", "--json", "--type", "y=*fp16",
                                     "--constexpr", "KIND=5").stdout)["kernels"][0]["parameters"]
        self.assertEqual([(p["choice"], p["ground"]) for p in given if p["name"] in ("y", "KIND")], [("*fp16", "option"), ("=5", "option")])
        # What was found is what compile takes.
        self.call("kernel", "compile", f"{package / 'good.py'}:scale", "--signature", kernel["signature"], "--constexpr", "KIND=3",
                  "--constexpr", "B=128", "--target", "cpu:x86-64-v3", "--emit", "so", "-o", "scale.so")
        (package / "bad.py").write_text("import triton\nimport triton.language as tl\n@triton.jit\ndef bad(x):\n"
                                        "    tl.store(x, tl.no_such_thing(1))\n")
        bad = self.fails("kernel", "check", package, "--target", "cpu:x86-64-v3", "--jobs", "2", says=["1 of 2 kernels"])
        self.assertRegex(bad.stdout, r"not typed +\S*bad\.py:4: bad\n +\S*bad\.py:5:17: error: .*no_such_thing")
        self.assertRegex(bad.stdout, r"compiled for all +1 +50\.0 %")
        self.fails("kernel", "check", package / "nothing", says=["nothing", "does not exist"])
        self.fails("kernel", "check", package, "--filter", "zzz*", says=["zzz*"])

    def run_kernel(self, *extra):
        return ["kernel", "run", f"{KERNEL}:add_one_kernel", "--constexpr", "BLOCK_SIZE=256", "--grid", "4", *extra]

    def test_a_kernel_runs_by_itself(self):
        x = [0.5 * i for i in range(1000)]
        npy.save(self.folder / "x.npy", x, (1000,))
        for signature in [[], ["--signature", "*fp32,i32,*fp32"]]:
            self.call(*self.run_kernel("--arg", "x_ptr=x.npy", "--arg", "n_elements=999", "--arg", "y_ptr=zeros:f32[10,100]",
                                       "--output", "y_ptr=y.npy", *signature))
            y, shape, dtype = npy.load(self.folder / "y.npy")
            self.assertEqual((shape, dtype), ((10, 100), "float32"))
            self.assertEqual(list(y), [v + 1 for v in x[:999]] + [0])

    def test_descriptors_tables_of_addresses_and_repeats(self):
        (self.folder / "k.py").write_text(
            "import triton\nimport triton.language as tl\n"
            "@triton.jit\ndef gather(table, described, out):\n"
            "    i = tl.arange(0, 16)\n"
            "    first = tl.load(tl.load(table).to(tl.pointer_type(tl.float32)) + i)\n"
            "    second = tl.load(tl.load(table + 1).to(tl.pointer_type(tl.float32)) + i)\n"
            "    row = tl.reshape(described.load([1, 0]), [16])\n"
            "    tl.store(tl.load(table + 1).to(tl.pointer_type(tl.float32)) + i, first)\n"
            "    tl.store(out + i, first + second * 10 + row * 100)\n")
        npy.save(self.folder / "a.npy", range(16), (16,))
        npy.save(self.folder / "d.npy", range(32), (2, 16))
        done = self.call("kernel", "run", "k.py:gather", "--grid", "1", "--arg", "table=addresses:a.npy,zeros:f32[16]", "--arg",
                         "described=descriptor[1,16]:d.npy", "--arg", "out=zeros:f32[16]", "--output", "out=out.npy", "--output", "table=a2.npy,b2.npy",
                         "--repeat", "3")
        self.assertIn("median of 3 launches", done.stdout)
        # What is written back is what the first launch left.
        self.assertEqual(list(npy.load(self.folder / "out.npy")[0]), [i + 100.0 * (16 + i) for i in range(16)])
        self.assertEqual(list(npy.load(self.folder / "b2.npy")[0]), [float(i) for i in range(16)])
        self.fails("kernel", "run", "k.py:gather", "--grid", "1", "--arg", "table=addresses:a.npy,a.npy", "--arg", "described=descriptor[1,16]:d.npy",
                   "--arg", "out=zeros:f32[16]", "--output", "table=a2.npy", says=["'table' is a table of 2 tensors, but 1 files are named"])

    def test_a_kernel_runs_with_its_fastest_configuration(self):
        npy.save(self.folder / "x.npy", range(1000), (1000,))
        kernel = f"{ROOT}/tests/plugins/tactics/tactics.py:double_kernel"
        arguments = ("--arg", "x_ptr=x.npy", "--arg", "y_ptr=zeros:f32[1000]", "--arg", "n=1000", "--grid", "ceildiv(n, BLOCK * PER)")
        done = self.call("kernel", "run", kernel, *arguments, "--tune", "--repeat", "5", "--output", "y_ptr=y.npy")
        self.assertEqual(list(npy.load(self.folder / "y.npy")[0]), [2.0 * i for i in range(1000)])
        lines = done.stdout.splitlines()
        for index, line in enumerate(lines[:4]):
            self.assertRegex(line, rf"config {index}: BLOCK=\d+ PER=\d num_warps=\d num_stages=3: median of 5 launches [0-9.]+ us")
        medians = [float(line.split("launches ")[1].split(" us")[0]) for line in lines[:4]]
        taken = int(lines[4].removeprefix("took config "))
        self.assertEqual(medians[taken], min(medians))
        self.fails("kernel", "run", kernel, *arguments, "--tune", "--config", "0", says=["--config", "--tune", "give one"])
        self.fails(*self.run_kernel("--tune"), says=["has no configurations of an autotuner"])

    def test_a_kernel_run_with_wrong_arguments_says_so(self):
        npy.save(self.folder / "x.npy", [0] * 1000, (1000,), "int32")
        x, n, y = ["--arg", "x_ptr=x.npy"], ["--arg", "n_elements=1000"], ["--arg", "y_ptr=zeros:f32[1000]"]
        signature = ["--signature", "*fp32,i32,*fp32"]
        for extra, says in [(x + n, ["needs an argument for 'y_ptr'", "--arg y_ptr="]),
                            (x + n + y + signature, ["'x_ptr' has dtype int32", "*fp32"]),
                            (x + n + y + ["--arg", "q=1"], ["no parameter 'q'", "x_ptr, n_elements, y_ptr, BLOCK_SIZE"]),
                            (x + n + ["--arg", "y_ptr=3"] + signature, ["'x_ptr' has dtype int32"]),
                            (n + y + ["--arg", "x_ptr=3"] + signature, ["'x_ptr' is a number", "*fp32"]),
                            (y + ["--arg", "x_ptr=zeros:f32[1]", "--arg", "n_elements=1.5"] + signature, ["'n_elements' is no value of i32"]),
                            (n + y + ["--arg", "x_ptr=zeros:f33[1]"], ["zeros:DTYPE[SIZE"]),
                            (n + y + ["--arg", "x_ptr=none.npy"], ["none.npy"]),
                            (n + y + ["--arg", "x_ptr=descriptor[16]"], ["'x_ptr=descriptor[16]'", "descriptor[SIZE,…]:TENSOR"]),
                            (n + y + ["--arg", "x_ptr=descriptor[16,16]:zeros:f32[1000]"], ["the block has rank 2, the tensor rank 1"]),
                            (n + y + ["--arg", "x_ptr=descriptor[16]:1000"], ["'1000' is no tensor"]),
                            (n + y + ["--arg", "x_ptr=addresses:zeros:f32[4],5"], ["'5' is no tensor"]),
                            (n + y + ["--arg", "x_ptr=addresses:zeros:f32[4]"] + signature, ["'x_ptr' is a table of addresses", "*fp32"]),
                            (x + n + y + ["--arg", "x_ptr=x.npy"], ["'x_ptr' is given twice"]),
                            (n + y + ["--arg", "x_ptr=zeros:f32[1000]", "--output", "z=z.npy"], ["output 'z'"]),
                            # A store far behind the tensor meets its guard.
                            (["--arg", "x_ptr=zeros:f32[1000]", "--arg", "n_elements=1000", "--arg", "y_ptr=zeros:f32[990]"],
                             ["wrote behind the end of 'y_ptr' (0 bytes behind it)"])]:
            self.fails(*self.run_kernel(*extra), says=says)
        self.fails(*self.run_kernel(*x, *n, *y)[:-8], "--grid", "a,1", *x, *n, *y, says=["grid 'a,1'", "integer constexprs and arguments", "'a'"])
        self.fails(*self.run_kernel(*x, *n, *y)[:-8], "--grid", "1,1,1,1", *x, *n, *y, says=["grid '1,1,1,1'", "X,Y,Z"])
        self.call("kernel", "run", f"{KERNEL}:add_one_kernel", *x, *n, *y, status=2)
        self.fails("kernel", "run", f"{KERNEL}:add_two", "--grid", "1", says=["add_two", "add_one_kernel"])

    def test_an_error_in_a_kernel_has_a_caret(self):
        (self.folder / "bad.py").write_text(KERNEL.read_text().replace("mask=mask)\n    output", "mask=masc)\n    output"))
        done = self.fails("kernel", "compile", "bad.py:add_one_kernel", "--signature", "*fp32,i32,*fp32", "--constexpr", "BLOCK_SIZE=256",
                          "--target", "cpu:x86-64-v3", "-o", "x", says=["bad.py:13:", "masc", "^"])
        self.assertIn("x = tl.load(x_ptr + offsets, mask=masc)", done.stderr)

    def test_a_run_can_be_traced_and_checked(self):
        engine = self.engine()
        self.call("run", engine, "--inputs", RECORDED, "--check", RECORDED, "--debug", "--repeat", "2", "--trace", "trace.json")
        events = json.loads((self.folder / "trace.json").read_text())["traceEvents"]
        launches = [event for event in events if event.get("cat") == "launch"]
        self.assertEqual([(event["tid"], event["args"]["run"]) for event in launches], [(1, 0), (2, 0), (1, 1), (2, 1)])
        self.assertEqual(launches[0]["args"]["plugin"], "my::add_one")
        self.assertLess(launches[1]["ts"], launches[3]["ts"])
        self.fails("run", engine, "--inputs", RECORDED, "--trace", "nowhere/trace.json", says=["nowhere/trace.json"])
        self.fails("run", engine, "--inputs", RECORDED, "--graphs", says=["graphs were asked for on cpu", "CUDA"])

    # -- bad models, plugins, engines, inputs

    def test_an_operator_without_plugin_is_reported_with_its_source(self):
        self.fails("build", MODEL, "-o", "x.inlay", says=["my::add_one", "add_one", "--plugin"])
        self.assertFalse((self.folder / "x.inlay").exists())

    def test_wrong_argument_lists_are_build_errors(self):
        text = MANIFEST.read_text()
        for args, says in [('["X", "Y"]', ["3", "2"]),
                           ('["X.numel", "X", "Y"]', ["x_ptr = X.numel (i32", "n_elements = X (*fp32"]),
                           ('["X", "X.numel", "Y", "X.numel"]', ["4", "3"])]:
            bad = self.manifest(text.replace('["X", "X.numel", "Y"]', args))
            self.fails("build", MODEL, "--plugin", bad, "-o", "x.inlay", says=says)

    def test_manifest_errors_have_places(self):
        text = MANIFEST.read_text()
        for old, new, says in [("grid =", "gird =", ["plugin.toml:", "unknown key 'gird'", "'grid'"]),
                               ("X.numel, BLOCK_SIZE", "Z.numel, BLOCK_SIZE", ["'Z.numel'"]),
                               ('like = "X"', 'like = "W"', ["'W' is no input"]),
                               ("[[plugin]]", "[[plugin", ["plugin.toml:2:"]),
                               ("add_one.py", "missing.py", ["missing.py"])]:
            self.fails("build", MODEL, "--plugin", self.manifest(text.replace(old, new)), "-o", "x.inlay", says=says)

    def test_unreadable_files_are_named(self):
        self.fails("build", "none.pt2", "-o", "x.inlay", says=["none.pt2"])
        self.fails("build", MODEL, "--plugin", "none.toml", "-o", "x.inlay", says=["none.toml"])
        self.fails("run", "none.inlay", says=["none.inlay"])
        self.fails("build", MODEL, "--plugin", MANIFEST, "-o", "no/such/folder/x.inlay", says=["no/such/folder/x.inlay"])
        (self.folder / "garbage.pt2").write_bytes(b"garbage" * 100)
        self.fails("build", "garbage.pt2", "-o", "x.inlay", says=["garbage.pt2"])

    def test_damaged_engines_are_refused(self):
        bytes_ = self.engine().read_bytes()
        for position in [0, 9, 70, len(bytes_) // 2, len(bytes_) - 1]:
            damaged = bytearray(bytes_)
            damaged[position] ^= 4
            (self.folder / "damaged.inlay").write_bytes(damaged)
            self.fails("run", "damaged.inlay", "--inputs", RECORDED, says=["damaged.inlay"])
        for size in [0, 1, 63, 64, len(bytes_) // 2, len(bytes_) - 1]:
            (self.folder / "short.inlay").write_bytes(bytes_[:size])
            self.fails("run", "short.inlay", "--inputs", RECORDED, says=["short.inlay"])

    def test_wrong_inputs_are_named(self):
        engine = self.engine()
        self.fails("run", engine, says=["input 'X'"])
        for values, shape, dtype, says in [([0] * 4096, (64, 64), "int32", ["'X' has dtype int32, expected float32"]),
                                           ([0] * 4096, (4096,), "float32", ["rank 1", "rank 2"]),
                                           ([0] * 64, (64, 1), "float32", ["dimension 1 is 1, expected 64"])]:
            npy.save(self.folder / "x.npy", values, shape, dtype)
            self.fails("run", engine, "--input", "X=x.npy", says=says)
        self.fails("run", engine, "--input", "Q=x.npy", says=["no input 'Q'", "'X'"])
        self.fails("run", engine, "--device", "tpu", "--inputs", RECORDED, says=["unknown device 'tpu'"])
        (self.folder / "x.npy").write_bytes(b"no numpy")
        self.fails("run", engine, "--input", "X=x.npy", says=["x.npy"])

    def test_profiles_of_shapes(self):
        (self.folder / "chain.mlir").write_text(chain.chain_graph(2, "s0"))
        build = ("build", "chain.mlir", "--plugin", MANIFEST, "--quiet", "-o", "chain.inlay")
        self.call(*build, "--profile", "in_0:0=1,64,1000", "--profile", "s0=2000,3000,4000", "--dump-stages", "stages")
        data = json.loads(self.call("inspect", "chain.inlay", "--json").stdout)
        self.assertEqual(data["profiles"], [[{"min": 1, "opt": 64, "max": 1000}], [{"min": 2000, "opt": 3000, "max": 4000}]])
        self.assertEqual([data["symbols"][0][key] for key in ("min", "opt", "max")], [1, 64, 4000])
        self.assertIn("profile 2: s0 2000 to 4000, tuned for 3000", self.call("inspect", "chain.inlay").stdout)
        # A dumped plan keeps them; a dumped graph keeps what encloses them.
        built = (self.folder / "chain.inlay").read_bytes()
        self.call("build", "stages/02-plan.mlir", "--name", "chain", "--quiet", "-o", "again.inlay")
        self.assertEqual((self.folder / "again.inlay").read_bytes(), built)

        for size, profiles in [(1000, (0, 1)), (1500, (0,)), (2000, (0, 2)), (4001, ())]:
            npy.save(self.folder / "x.npy", [0.5] * size, (size,), "float32")
            for profile in (0, 1, 2):
                run = ("run", "chain.inlay", "--input", "in_0=x.npy", "--profile", profile)
                if profile in profiles:
                    self.call(*run)
                else:
                    self.fails(*run, says=["input 'in_0'", "(s0)", str(size), "expected"])
        self.fails("run", "chain.inlay", "--input", "in_0=x.npy", "--profile", 3, says=["profile 3 was asked for; engine 'chain' has 2 profiles"])
        self.assertEqual(json.loads(self.call("bench", "chain.inlay", "--shape-profile", 2, "--iterations", 5, "--json").stdout)["tensor_bytes"], 24000)
        for profile, says in [("in_0:0=1,64,2000000", ["'in_0:0' (s0) is to have 1 to 2000000; the model takes 1 to 1048576"]),
                              ("batch=8", ["no dimension 'batch'", "'in_0' of rank 1", "'s0'", "profile 1"]),
                              ("s0=8,4,9", ["min 8, opt 4 and max 9"])]:
            self.fails(*build, "--profile", profile, says=says)

    def test_without_a_driver_the_gpu_is_refused_clearly(self):
        engine = self.engine()
        done = subprocess.run([BIN / "inlay-run", engine, "--device", "cuda:0", "--inputs", RECORDED], capture_output=True, text=True,
                              env={"INLAY_CUDA_DRIVER": "/nonexistent/libcuda.so.1"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/libcuda.so.1", done.stderr)

    def test_an_engine_without_code_for_the_processor_is_refused(self):
        self.fails("run", self.engine("--target", "cuda"), "--inputs", RECORDED, says=["no code for this processor", "--target cpu"])


if __name__ == "__main__":
    unittest.main()
