#include "compiler/frontends/triton/TestSupport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::triton {
namespace {

using testing::HasSubstr;
using testing::Not;

using Files = std::map<std::string, std::string>;

/// The tile module or the errors of the kernel `kernel(x)` in `path`, one of the files.
std::string importFrom(const Files &files, const std::string &path,
                       std::vector<std::string> roots = {}) {
  KernelRequest kernel = request(files.at(path), "*fp32");
  kernel.path = path;
  kernel.includeRoots = std::move(roots);
  kernel.readModule = [&files](const std::string &name) -> std::optional<std::string> {
    auto found = files.find(name);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
  return import(kernel);
}

constexpr std::string_view kHead = "import triton\nimport triton.language as tl\n";

/// A kernel that stores `value`, behind some imports.
std::string kernelWith(const std::string &imports, const std::string &value) {
  return std::string(kHead) + imports + "@triton.jit\ndef kernel(x):\n    tl.store(x, " + value +
         ")\n";
}

const std::string kHelpers = std::string(kHead) +
                             "SCALE = tl.constexpr(0.5)\n"
                             "@triton.jit\ndef twice(v):\n    return v * 2.0\n"
                             "@triton.jit\ndef scaled(v):\n    return twice(v) * SCALE\n";

TEST(ModuleLoader, FindsHelpersOfThePackage) {
  for (const char *imports :
       {"from pkg.ops.utils import scaled\n", "from .utils import scaled\n",
        "from ..ops.utils import scaled\n", "from pkg.ops import utils\nscaled = utils.scaled\n",
        "import pkg.ops.utils\nscaled = pkg.ops.utils.scaled\n",
        "from . import utils as u\nscaled = u.scaled\n", "from .utils import *\n",
        "from pkg.reexports import scaled\n",
        "try:\n    from pkg.ops.utils import scaled\nexcept ImportError:\n    scaled = None\n"}) {
    Files files = {{"/r/pkg/__init__.py", ""},
                   {"/r/pkg/ops/__init__.py", ""},
                   {"/r/pkg/ops/utils.py", kHelpers},
                   {"/r/pkg/reexports/__init__.py", "from ..ops.utils import *\n"},
                   {"/r/pkg/ops/k.py", kernelWith(imports, "scaled(tl.load(x))")}};
    const std::string ir = importFrom(files, "/r/pkg/ops/k.py");
    EXPECT_THAT(ir, HasSubstr("arith.constant 5.000000e-01 : f32")) << imports << ir;
    EXPECT_THAT(ir, HasSubstr("arith.constant 2.000000e+00 : f32")) << imports << ir;
  }
}

TEST(ModuleLoader, LooksBesideTheFileAndInIncludeRoots) {
  const std::string kernel = kernelWith("from helpers import twice\n", "twice(tl.load(x))");
  EXPECT_THAT(importFrom({{"k.py", kernel}, {"helpers.py", kHelpers}}, "k.py"),
              HasSubstr("arith.constant 2.000000e+00"));
  const Files elsewhere = {{"k.py", kernel}, {"/lib/helpers.py", kHelpers}};
  EXPECT_THAT(importFrom(elsewhere, "k.py", {"/lib"}), HasSubstr("arith.constant 2.000000e+00"));
  EXPECT_THAT(importFrom(elsewhere, "k.py"),
              HasSubstr("'helpers.twice' is imported from another file or package, which was not "
                        "found"));
}

TEST(ModuleLoader, ValuesOfOtherModulesAreConstants) {
  const Files files = {{"k.py", kernelWith("import config\n", "tl.load(x) * config.nested.FACTOR")},
                       {"config.py", "import parts.nested as nested\n"},
                       {"parts/nested.py", "FACTOR = 2 ** 3\n"}};
  EXPECT_THAT(importFrom(files, "k.py"), HasSubstr("arith.constant 8.000000e+00"));
}

TEST(ModuleLoader, SaysWhatIsMissingAndWhere) {
  const Files files = {{"k.py", kernelWith("from helpers import thrice\n", "thrice(tl.load(x))")},
                       {"helpers.py", kHelpers}};
  EXPECT_THAT(importFrom(files, "k.py"), HasSubstr("module helpers.py has no 'thrice'"));
  const Files broken = {{"k.py", kernelWith("from helpers import bad\n", "bad(tl.load(x))")},
                        {"helpers.py", std::string(kHead) + "@triton.jit\ndef bad(v):\n    return "
                                                            "v + undefined_name\n"}};
  const std::string message = importFrom(broken, "k.py");
  EXPECT_THAT(message, HasSubstr("helpers.py:5:16: error: name 'undefined_name' is not defined"));
  EXPECT_THAT(message, HasSubstr("k.py:7:17: note: in call of helper 'bad' here"));
}

TEST(ModuleLoader, WhatFailedWhileAConditionWasTriedStaysAnError) {
  // FLAG is asked for first by the module's 'if', where errors are kept quiet, then by the kernel.
  const Files files = {
      {"k.py", kernelWith("from config import FLAG, N\n", "tl.load(x) * N * FLAG")},
      {"config.py", "from nowhere import ask\nFLAG = ask()\nif FLAG:\n    N = 1\n"
                    "else:\n    N = 2\n"}};
  EXPECT_THAT(importFrom(files, "k.py"), HasSubstr("'FLAG' is needed here"));
  const Files renamed = {{"k.py", kernelWith("from lang import tl\n", "tl.load(x)")},
                         {"lang.py", "from nowhere import ask\nPRESENT = ask()\nif PRESENT:\n"
                                     "    import triton.language as tl\nelse:\n    tl = ask()\n"}};
  EXPECT_THAT(importFrom(renamed, "k.py"), HasSubstr("tile.load"));
}

TEST(ModuleLoader, TritonIsThereWhateverAModuleAsks) {
  const Files files = {{"k.py", "from lang import tl, triton\n@triton.jit\ndef kernel(x):\n"
                                "    tl.store(x, tl.load(x))\n"},
                       {"lang.py",
                        "from importlib.util import find_spec\nfrom probe import ask\n"
                        "PRESENT = find_spec('triton') is not None or ask()\nif PRESENT:\n"
                        "    drivers = ask()\n    if len(drivers) != 1:\n        PRESENT = False\n"
                        "if PRESENT:\n    import triton\n    import triton.language as tl\nelse:\n"
                        "    triton = ask()\n    tl = ask()\n"}};
  EXPECT_THAT(importFrom(files, "k.py"), HasSubstr("tile.load"));
}

TEST(ModuleLoader, PackagesAreFoundOrTakenForNotInstalled) {
  const std::string text = "from importlib.util import find_spec\n"
                           "import importlib\n"
                           "A = 2 if find_spec('triton.language') is not None else 3\n"
                           "B = 5 if importlib.util.find_spec('beside') else 7\n"
                           "C = 11 if find_spec('nobody_has_this') is None else 13\n"
                           "D = tl.constexpr(A * B * C)\n";
  EXPECT_THAT(importFrom({{"k.py", kernelWith(text, "tl.load(x) * D")}, {"beside.py", ""}}, "k.py"),
              HasSubstr("1.100000e+02"));
}

TEST(ModuleLoader, ModulesMayImportEachOther) {
  const Files files = {
      {"a.py", kernelWith("from b import *\nfrom b import helper\n", "helper(tl.load(x))")},
      {"b.py", std::string(kHead) + "from a import *\nimport a\n@triton.jit\ndef helper(v):\n"
                                    "    return v * 3.0\n"}};
  EXPECT_THAT(importFrom(files, "a.py"), HasSubstr("arith.constant 3.000000e+00"));
  const Files endless = {{"a.py", kernelWith("from b import f\n", "f(tl.load(x))")},
                         {"b.py", "from c import f\n"},
                         {"c.py", "from b import f\n"}};
  EXPECT_THAT(importFrom(endless, "a.py"), HasSubstr("error"));
}

TEST(ModuleLoader, TritonAndTorchAreNotRead) {
  const Files files = {{"k.py", kernelWith("", "tl.exp(tl.load(x))")},
                       {"triton/language.py", "def exp(x):\n    return x\n"},
                       {"triton/__init__.py", ""}};
  EXPECT_THAT(importFrom(files, "k.py"), HasSubstr("math.exp"));
}

TEST(ModuleLoader, RelativeNamesDoNotLeaveThePackage) {
  const Files files = {
      {"/r/pkg/__init__.py", ""},
      {"/r/secret.py", kHelpers},
      {"/r/pkg/k.py", kernelWith("from ...secret import twice\n", "twice(tl.load(x))")}};
  EXPECT_THAT(importFrom(files, "/r/pkg/k.py"), Not(HasSubstr("arith.constant 2.000000e+00")));
}

} // namespace
} // namespace inlay::triton
