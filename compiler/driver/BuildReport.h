// What a build made and how long it took, for people and for machines.
#pragma once

#include "compiler/driver/PrecisionMeter.h"
#include "compiler/targets/Target.h"
#include "compiler/transforms/graph/PrecisionPolicy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

/// What became of a node's tactics on one device.
struct TacticReport {
  std::string node;
  std::string opName;
  std::string device;   // on which they were measured; empty: the plugin's order
  uint32_t profile = 0; // counted from 1; 0: the whole range
  uint32_t numTactics = 0;
  struct Entry {
    std::string name;
    std::string condition; // "s0 % 4 == 0, X aligned to 32"; empty: always
    double us = 0;         // 0: not measured
  };
  std::vector<Entry> kept;           // in the order in which they are tried
  std::vector<Entry> passedOver;     // measured, and slower than one that can always be taken
  std::vector<std::string> failures; // "NAME: why it could not be measured"
};

/// What the cache of engines did for a build.
struct EngineCacheReport {
  bool isHit = false;
  std::string key;    // empty: engines of this kind are not kept
  std::string reason; // why not
};

/// What a pass over the graph did to a node, or why it did not.
struct RemarkReport {
  std::string pass; // "fuse-pointwise"
  std::string node;
  bool isApplied = false;
  std::string text;
};

struct PhaseReport {
  std::string name; // "import", "plan", "compile", "write"
  double ms = 0;
};

struct BuildReport {
  std::string engineName;
  std::vector<OperatorReport> operators;
  std::vector<TacticReport> tactics;
  std::vector<KernelReport> kernels;
  std::vector<PhaseReport> phases;
  std::vector<RemarkReport> remarks;
  std::vector<std::string> notes; // what is worth knowing but is no error
  std::optional<EngineCacheReport> engineCache;
  std::optional<PrecisionOutcome> precision; // of builds in half precision
  std::vector<OutputError> precisionErrors;  // against float32, if they were measured
  uint64_t engineBytes = 0;
  double totalMs = 0;
};

/// "ptx", "cubin", "so".
std::string_view imageFormatName(ImageFormat format);
/// A table for a terminal, lines ended by newlines.
std::string reportText(const BuildReport &report);
/// The remarks of the passes over the graph, one a line.
std::string remarksText(const BuildReport &report);
/// One JSON object; keys are the fields' names in snake_case.
std::string reportJson(const BuildReport &report);
/// Reads what reportJson wrote, but for times: what was made stays true in a later build, how long
/// it took does not. Nullopt for other texts.
std::optional<BuildReport> reportFromJson(std::string_view json);

} // namespace inlay
