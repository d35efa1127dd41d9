# lit configuration: every .mlir file under compiler/**/test is a test; see a file's RUN lines.
import os

import lit.formats

config.name = "inlay"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = os.path.join(config.source_root, "compiler")
config.test_exec_root = os.path.join(config.binary_root, "tests", "lit")
config.environment["FILECHECK_OPTS"] = "--enable-var-scope --dump-input=fail"
config.environment["PATH"] = os.pathsep.join(
    [os.path.join(config.binary_root, "bin"), config.llvm_tools, os.environ["PATH"]]
)
