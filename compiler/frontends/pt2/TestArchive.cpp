#include "compiler/frontends/pt2/TestArchive.h"

#include "base/File.h"

#include <gtest/gtest.h>
#include <minizip/zip.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace inlay::pt2 {
namespace {

/// A file in memory, as minizip's file functions want it.
struct MemoryFile {
  std::vector<std::byte> bytes;
  size_t position = 0;
};
MemoryFile &fileOf(voidpf stream) { return *static_cast<MemoryFile *>(stream); }

voidpf openFile(voidpf opaque, const void *, int) { return opaque; }
uLong readFileBytes(voidpf, voidpf, void *, uLong) { return 0; }
uLong writeFileBytes(voidpf, voidpf stream, const void *data, uLong size) {
  MemoryFile &file = fileOf(stream);
  file.bytes.resize(std::max<size_t>(file.bytes.size(), file.position + size));
  if (size > 0)
    std::memcpy(file.bytes.data() + file.position, data, size);
  file.position += size;
  return size;
}
ZPOS64_T tellFile(voidpf, voidpf stream) { return fileOf(stream).position; }
long seekFile(voidpf, voidpf stream, ZPOS64_T offset, int origin) {
  MemoryFile &file = fileOf(stream);
  file.position = offset + (origin == ZLIB_FILEFUNC_SEEK_CUR   ? file.position
                            : origin == ZLIB_FILEFUNC_SEEK_END ? file.bytes.size()
                                                               : 0);
  return 0;
}
int closeFile(voidpf, voidpf) { return 0; }

} // namespace

std::vector<std::byte> makeZip(const std::vector<TestMember> &members) {
  MemoryFile file;
  zlib_filefunc64_def functions{openFile, readFileBytes, writeFileBytes, tellFile,
                                seekFile, closeFile,     closeFile,      &file};
  zipFile zip = zipOpen2_64("", APPEND_STATUS_CREATE, nullptr, &functions);
  for (const TestMember &member : members) {
    zip_fileinfo info{};
    EXPECT_EQ(zipOpenNewFileInZip64(zip, member.name.c_str(), &info, nullptr, 0, nullptr, 0,
                                    nullptr, member.isCompressed ? Z_DEFLATED : 0,
                                    member.isCompressed ? Z_BEST_COMPRESSION : 0, 0),
              ZIP_OK);
    EXPECT_EQ(zipWriteInFileInZip(zip, member.content.data(),
                                  static_cast<unsigned>(member.content.size())),
              ZIP_OK);
    EXPECT_EQ(zipCloseFileInZip(zip), ZIP_OK);
  }
  EXPECT_EQ(zipClose(zip, nullptr), ZIP_OK);
  return std::move(file.bytes);
}

std::string testProgramJson() {
  return R"json({
"graph_module": {
  "graph": {
    "inputs": [{"as_tensor": {"name": "p_weight"}}, {"as_tensor": {"name": "x"}}],
    "outputs": [{"as_tensor": {"name": "y"}}],
    "nodes": [{
      "target": "torch.ops.my.f.default", "name": "f",
      "inputs": [
        {"name": "X", "arg": {"as_tensor": {"name": "x"}}, "kind": 1},
        {"name": "W", "arg": {"as_tensor": {"name": "p_weight"}}, "kind": 1},
        {"name": "steps", "arg": {"as_ints": [1, 2]}, "kind": 1},
        {"name": "mode", "arg": {"as_string": "fast"}, "kind": 2}],
      "outputs": [{"as_tensor": {"name": "y"}}],
      "metadata": {"stack_trace": "File \"/models/run.py\", line 99, in main\n    model(x)\nFile \"/models/model.py\", line 7, in forward\n    return f(x)"}}],
    "tensor_values": {
      "p_weight": {"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}], "strides": [{"as_int": 3}, {"as_int": 1}]},
      "x": {"dtype": 7,
        "sizes": [{"as_expr": {"expr_str": "Symbol('s0', positive=True, integer=True)", "hint": {"as_int": 8}}}, {"as_int": 4}],
        "strides": [{"as_int": 4}, {"as_int": 1}]},
      "y": {"dtype": 7,
        "sizes": [{"as_expr": {"expr_str": "Add(Symbol('s0', positive=True, integer=True), Integer(2))", "hint": null}}, {"as_int": 4}],
        "strides": [{"as_int": 4}, {"as_int": 1}]}},
    "sym_int_values": {}},
  "signature": {
    "input_specs": [
      {"parameter": {"arg": {"name": "p_weight"}, "parameter_name": "fc.weight"}},
      {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
    "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}]},
  "module_call_graph": [{"fqn": "", "signature": {
    "in_spec": "[1, {\"type\": \"builtins.tuple\", \"context\": \"null\", \"children_spec\": [{\"type\": \"builtins.tuple\", \"context\": \"null\", \"children_spec\": [{\"type\": null, \"context\": null, \"children_spec\": []}]}, {\"type\": \"builtins.dict\", \"context\": \"[]\", \"children_spec\": []}]}]",
    "out_spec": "[1, {\"type\": \"builtins.dict\", \"context\": \"[\\\"out\\\"]\", \"children_spec\": [{\"type\": null, \"context\": null, \"children_spec\": []}]}]",
    "forward_arg_names": ["x"]}}]},
"range_constraints": {"s0": {"min_val": 2, "max_val": 64}},
"schema_version": {"major": 8, "minor": 17},
"torch_version": "2.11.0",
"guards_code": []})json";
}

std::string testWeightsJson() {
  return R"json({"config": {"fc.weight": {"path_name": "weight_0", "is_param": true, "use_pickle": false,
"tensor_meta": {"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}], "strides": [{"as_int": 3}, {"as_int": 1}],
"storage_offset": {"as_int": 0}}}}})json";
}

std::vector<TestMember> testMembers(std::string program) {
  const float weight[6] = {0, 1, 2, 3, 4, 5};
  return {{"m/data/weights/weight_0",
           std::string(reinterpret_cast<const char *>(weight), sizeof(weight))},
          {"m/data/weights/model_weights_config.json", testWeightsJson()},
          {"m/data/constants/model_constants_config.json", R"({"config": {}})"},
          {"m/models/model.json", std::move(program)},
          {"m/archive_format", "pt2"},
          {"m/archive_version", "0"},
          {"m/byteorder", "little"}};
}

std::string pickledDict(const std::vector<TestTensor> &tensors) {
  const auto text = [](const std::string &value) {
    std::string pickle = "X";
    for (int shift = 0; shift < 32; shift += 8)
      pickle += static_cast<char>(value.size() >> shift & 0xff);
    return pickle + value;
  };
  const auto byte = [](int64_t value) { return std::string{'K', static_cast<char>(value)}; };
  const auto tuple = [&](const std::vector<uint8_t> &values) {
    std::string pickle = "(";
    for (uint8_t value : values)
      pickle += byte(value);
    return pickle + "t";
  };
  const std::string noHooks = "ccollections\nOrderedDict\n)R", isNoGrad = "\x89";
  std::string pickle = "\x80\x02" + noHooks + "q\x01(";
  for (const TestTensor &tensor : tensors) {
    std::string rebuilt = "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") +
                          "ctorch\nFloatStorage\n" + text(tensor.storageKey) + text("cpu") +
                          byte(6) + "tQ" + byte(tensor.storageOffset) + tuple(tensor.sizes) +
                          tuple(tensor.strides) + isNoGrad + noHooks + "tR";
    if (tensor.isParameter)
      rebuilt = "ctorch._utils\n_rebuild_parameter\n(" + rebuilt + isNoGrad + noHooks + "tR";
    pickle += text(tensor.name) + rebuilt;
  }
  // A state dictionary carries attributes.
  return pickle + "u}" + text("_metadata") + "}sb.";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the text has no " << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string contentOf(const std::string &path) {
  Result<std::string> content = readFile(path);
  EXPECT_TRUE(content.isOk()) << content.status().toString();
  return content.isOk() ? *content : std::string();
}

std::string writeTemporary(const std::string &name, std::span<const std::byte> bytes) {
  // Tests of other processes use the same folder.
  const std::string path =
      testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + name;
  EXPECT_TRUE(
      writeFileAtomically(path, {reinterpret_cast<const char *>(bytes.data()), bytes.size()})
          .isOk());
  return path;
}

std::vector<std::string> modelPaths() {
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator("tests/models"))
    if (entry.path().extension() == ".pt2")
      paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

} // namespace inlay::pt2
