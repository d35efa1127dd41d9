// Archives and programs made in memory, for tests.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::pt2 {

struct TestMember {
  std::string name, content;
  bool isCompressed = false;
};

/// A zip archive of members as they are, in order; two may have one name.
std::vector<std::byte> makeZip(const std::vector<TestMember> &members);

/// The JSON of a model x: float32[s0, 4] → my::f(x, weight, steps=[1, 2], mode="fast") of line 7 of
/// model.py → y: float32[s0 + 2, 4], with s0 from 2 to 64; `weight` is the parameter "fc.weight":
/// float32[2, 3]; called as forward(x), it returns {"out": y}.
std::string testProgramJson();
/// The configuration of the weights: "fc.weight" in weight_0.
std::string testWeightsJson();
/// The members that torch.export.save writes for that model, in the folder "m/".
std::vector<TestMember> testMembers(std::string program = testProgramJson());

/// A tensor of float32 as a pickle describes it.
struct TestTensor {
  std::string name, storageKey;
  int64_t storageOffset;
  std::vector<uint8_t> sizes, strides;
  bool isParameter;
};
/// A dictionary of tensors as torch.save pickles it.
std::string pickledDict(const std::vector<TestTensor> &tensors);

/// The text with `from`, which must be in it, replaced where it is first found.
std::string replaced(std::string text, std::string_view from, std::string_view to);

/// Bytes of a text, borrowed.
std::span<const std::byte> bytesOf(std::string_view text);
/// All of a file, which must be there.
std::string contentOf(const std::string &path);
/// Writes a file of that name to the tests' temporary folder and returns its path.
std::string writeTemporary(const std::string &name, std::span<const std::byte> bytes);
/// The paths of tests/models/*.pt2, sorted.
std::vector<std::string> modelPaths();

} // namespace inlay::pt2
