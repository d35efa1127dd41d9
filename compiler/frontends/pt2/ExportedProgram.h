// The graph of an exported program as its JSON has it: PyTorch's schema, major version 8
// (torch/_export/serde/schema.py).
#pragma once

#include "base/DataType.h"
#include "base/Status.h"
#include "symbolic/Expr.h"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace inlay::pt2 {

/// Refers to a tensor or symbolic integer of the graph by name.
struct TensorRef {
  std::string name;
};
struct SymIntRef {
  std::string name;
};
/// Refers to a condition on sizes by name.
struct SymBoolRef {
  std::string name;
};
struct NoneArgument {};
struct Graph;
/// The body of a higher-order operator; names in it are its own.
struct GraphArgument {
  std::string name;
  std::shared_ptr<const Graph> graph;
};
/// An argument that Inlay does not model; `key` is the union's key, "as_complex" say.
struct OtherArgument {
  std::string key;
};

struct Argument;
/// Symbolic integers mixed with literals.
using SymInts = std::vector<std::variant<int64_t, SymIntRef>>;
/// Tensors, some of them None.
using OptionalTensors = std::vector<std::optional<TensorRef>>;

/// One argument of a node, or one of its outputs. Devices, layouts, memory formats and operators
/// are texts as Python writes them: "cuda:0", "strided", "channels_last",
/// "torch.ops.my.inc_.default".
struct Argument {
  std::variant<NoneArgument, TensorRef, std::vector<TensorRef>, OptionalTensors, SymIntRef, SymInts,
               SymBoolRef, bool, int64_t, double, std::string, DataType, std::vector<bool>,
               std::vector<int64_t>, std::vector<double>, std::vector<std::string>, GraphArgument,
               OtherArgument>
      value;
};

struct NamedArgument {
  std::string name;
  Argument argument;
};

struct Node {
  std::string target; // "torch.ops.my.add_one.default"
  std::string name;
  std::vector<NamedArgument> inputs;
  std::vector<Argument> outputs;
  std::string stackTrace; // Python's, may be empty
  std::string problem;    // why it cannot be imported, found after reading; empty if it can
};

struct TensorMeta {
  DataType dtype = DataType::Float32;
  std::vector<Expr> sizes;
  std::map<std::string, int64_t>
      hints; // values of symbols at export, as far as bare symbols in `sizes` tell
  std::vector<Expr> strides;
};

/// Nodes with the values that they define and use.
struct Graph {
  std::vector<Argument> inputs, outputs;
  std::vector<Node> nodes;
  std::map<std::string, TensorMeta, std::less<>> tensors;
  std::map<std::string, Expr, std::less<>> symInts;
  /// Conditions on sizes, 0 or 1; those that are no integer expressions are left out.
  std::map<std::string, Expr, std::less<>> symBools;
};

/// Literal: an argument that is no tensor; its value stands where the graph uses it.
enum class InputKind : uint8_t { User, Literal, Parameter, Buffer, TensorConstant, Other };
struct InputSpec {
  InputKind kind;
  std::string name;     // of the graph's value
  std::string fullName; // of the parameter, buffer or constant; for Other the schema's word
  bool isPersistent = true;
  bool isTensor = true;
};
struct OutputSpec {
  bool isUserOutput = true;
  std::string kind;   // the schema's word: "user_output", "buffer_mutation"
  std::string target; // of a mutation: the name of the buffer, parameter or user input
};

/// A range of a symbol; absent bounds are open.
struct Range {
  std::optional<int64_t> min, max;
};

struct ExportedProgram {
  std::vector<Argument> graphInputs, graphOutputs;
  std::vector<Node> nodes;
  std::map<std::string, TensorMeta, std::less<>> tensors;
  std::map<std::string, Expr, std::less<>> symInts, symBools;
  std::vector<InputSpec> inputSpecs;
  std::vector<OutputSpec> outputSpecs;
  std::map<std::string, Range, std::less<>> ranges;
  std::vector<std::string> guards;
  std::string inSpec, outSpec; // pytree strings of the root, may be empty
  std::vector<std::string> argumentNames;
  std::string torchVersion;
};

/// Reads `models/NAME.json`. Errors: DataLoss (no JSON), InvalidArgument (a field is missing or of
/// another kind; the message names its path), Incompatible (another schema version), Unimplemented
/// (an element type or a size that Inlay has no form for).
Result<ExportedProgram> parseExportedProgram(std::span<const std::byte> json);

/// Data of a parameter, buffer or constant: one entry of a `…_config.json`.
struct Payload {
  std::string path; // file in the folder of the config
  DataType dtype = DataType::Float32;
  std::vector<int64_t> sizes, strides; // in elements
  int64_t storageOffset = 0;           // in elements
  bool isPickle = false;
};
using Payloads = std::map<std::string, Payload, std::less<>>;
/// Reads a `…_config.json`: payloads by the names of what they hold. Errors: as
/// parseExportedProgram.
Result<Payloads> parsePayloads(std::span<const std::byte> json);

/// Paths of the leaves of a pytree string, in flattened order: "[0]", "['pos']", "['a'][1]".
/// Errors: DataLoss (no JSON), InvalidArgument (no tree, or paths too long to be kept).
Result<std::vector<std::string>> leafPaths(std::string_view treeSpec);

} // namespace inlay::pt2
