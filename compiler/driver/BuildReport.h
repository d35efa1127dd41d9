// What a build made and how long it took, for people and for machines.
#pragma once

#include "compiler/targets/Target.h"

#include <cstdint>
#include <string>
#include <vector>

namespace inlay {

/// One image of one kernel.
struct KernelReport {
  std::string kernel;               // name in the plan
  std::string source;               // "add_one.py:add_one_kernel"
  std::vector<std::string> plugins; // operators that launch it
  std::string target;
  ImageFormat format = ImageFormat::Ptx;
  double compileMs = 0; // of all images made for this target together
  uint64_t sizeBytes = 0;
  uint32_t numWarps = 0; // cuda; 0 elsewhere, as the three below
  uint32_t registers = 0;
  uint32_t spillBytes = 0;
  uint32_t sharedBytes = 0;
};

/// Which plugin implements a node of the model.
struct OperatorReport {
  std::string node;
  std::string opName;
  std::string plugin; // where it was defined: "add_one.toml:3"
  uint32_t launches = 0;
  std::string implementation = "aot"; // or "jit": a function of the process that runs the engine
  std::string reason;                 // why that one
};

struct PhaseReport {
  std::string name; // "import", "plan", "compile", "write"
  double ms = 0;
};

struct BuildReport {
  std::string engineName;
  std::vector<OperatorReport> operators;
  std::vector<KernelReport> kernels;
  std::vector<PhaseReport> phases;
  std::vector<std::string> notes; // what is worth knowing but is no error
  uint64_t engineBytes = 0;
  double totalMs = 0;
};

/// "ptx", "cubin", "so".
std::string_view imageFormatName(ImageFormat format);
/// A table for a terminal, lines ended by newlines.
std::string reportText(const BuildReport &report);
/// One JSON object; keys are the fields' names in snake_case.
std::string reportJson(const BuildReport &report);

} // namespace inlay
