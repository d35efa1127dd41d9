#include "compiler/frontends/pt2/Pickle.h"

#include "compiler/frontends/pt2/Archive.h"
#include "compiler/frontends/pt2/TestArchive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace inlay::pt2 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = PickledObject::Kind;

Result<Pickle> read(std::string_view text) { return readPickle(bytesOf(text)); }
std::string messageOf(std::string_view text) { return read(text).status().message(); }

TEST(Pt2Pickle, ReadsContainersNumbersAndTexts) {
  using namespace std::string_view_literals;
  Result<Pickle> pickle = read(
      "\x80\x02(K\x07M\x00\x02J\xff\xff\xff\xff\x8a\x02\x00\xff\x8a\x00G\x3f\xf8\0\0\0\0\0\0\x88N"
      "X\x02\0\0\0hi]q\x01(K\x01K\x02"
      "e}X\x01\0\0\0kh\x01st."sv);
  ASSERT_TRUE(pickle.isOk()) << pickle.status().toString();
  const PickledObject &root = pickle->rootObject();
  ASSERT_EQ(root.kind, Kind::Tuple);
  ASSERT_EQ(root.items.size(), 11u);
  EXPECT_EQ(pickle->item(root, 0).integer, 7);
  EXPECT_EQ(pickle->item(root, 1).integer, 512);
  EXPECT_EQ(pickle->item(root, 2).integer, -1);
  EXPECT_EQ(pickle->item(root, 3).integer, -256);
  EXPECT_EQ(pickle->item(root, 4).integer, 0);
  EXPECT_EQ(pickle->item(root, 5).number, 1.5);
  EXPECT_EQ(pickle->item(root, 6).kind, Kind::Bool);
  EXPECT_EQ(pickle->item(root, 7).kind, Kind::None);
  EXPECT_EQ(pickle->item(root, 8).text, "hi");
  EXPECT_EQ(pickle->item(root, 9).items.size(), 2u);
  // The list that the dictionary holds is the same one.
  EXPECT_EQ(pickle->item(root, 10).items[1], root.items[9]);
}

/// What PyTorch itself wrote: the sample inputs of a model, (arguments, keywords).
TEST(Pt2Pickle, ReadsWhatPyTorchWrote) {
  for (const std::string &path : modelPaths()) {
    Result<Archive> archive = Archive::open(path);
    ASSERT_TRUE(archive.isOk()) << archive.status().toString();
    const auto member = archive->find("data/sample_inputs/model.pt");
    if (!member || member->empty())
      continue;
    Result<Archive> inner = Archive::fromBytes(*member);
    ASSERT_TRUE(inner.isOk()) << path << inner.status().toString();
    Result<Pickle> pickle = readPickle(*inner->find("data.pkl"));
    ASSERT_TRUE(pickle.isOk()) << path << pickle.status().toString();
    EXPECT_EQ(pickle->rootObject().kind, Kind::Tuple) << path;
    EXPECT_FALSE(pickle->tensors.empty()) << path;
    for (const PickledTensor &tensor : pickle->tensors)
      EXPECT_TRUE(inner->find("data/" + tensor.storageKey)) << path;
  }
  Result<Archive> archive = Archive::open("tests/models/kv_cache.core.pt2");
  Result<Archive> inner = Archive::fromBytes(*archive->find("data/sample_inputs/model.pt"));
  Result<Pickle> pickle = readPickle(*inner->find("data.pkl"));
  ASSERT_TRUE(pickle.isOk());
  ASSERT_EQ(pickle->tensors.size(), 2u);
  EXPECT_EQ(pickle->tensors[0].dtype, DataType::Float32);
  EXPECT_THAT(pickle->tensors[0].sizes, ElementsAre(2, 8));
  EXPECT_EQ(pickle->tensors[1].dtype, DataType::Int64);
  EXPECT_THAT(pickle->tensors[1].sizes, ElementsAre(2));
}

TEST(Pt2Pickle, ReadsDictionariesOfTensors) {
  const std::string pickle =
      pickledDict({{"fc.weight", "0", 3, {2, 3}, {3, 1}, true}, {"scale", "1", 0, {}, {}, false}});
  auto tensors = readTensorDict(bytesOf(pickle));
  ASSERT_TRUE(tensors.isOk()) << tensors.status().toString();
  ASSERT_EQ(tensors->size(), 2u);
  const PickledTensor &weight = *tensors->at("fc.weight");
  EXPECT_EQ(weight.storageKey, "0");
  EXPECT_EQ(weight.storageOffset, 3);
  EXPECT_THAT(weight.sizes, ElementsAre(2, 3));
  EXPECT_THAT(weight.strides, ElementsAre(3, 1));
  EXPECT_THAT(tensors->at("scale")->sizes, ElementsAre());
  // A value that is no tensor is kept as such: only who needs it has to complain.
  auto other = readTensorDict(bytesOf("}\x8c\x01kNs."));
  ASSERT_TRUE(other.isOk()) << other.status().toString();
  EXPECT_FALSE(other->at("k"));
  EXPECT_THAT(readTensorDict(bytesOf("].")).status().message(), HasSubstr("no dictionary"));
  EXPECT_THAT(readTensorDict(bytesOf("}K\x01Ns.")).status().message(), HasSubstr("no text"));
  EXPECT_THAT(readTensorDict(bytesOf("}(\x8c\x01kN\x8c\x01kNu.")).status().message(),
              HasSubstr("'k' twice"));
}

/// Newer element types come as untyped storages with the type beside them.
TEST(Pt2Pickle, ReadsTypedTensors) {
  const std::string storage = "(\x8c\x07storagectorch.storage\nUntypedStorage\n\x8c\x01"
                              "5\x8c\x03"
                              "cpuK\x04tQ";
  const std::string zero = std::string("K\0K\x04", 4);
  const std::string text = "ctorch._utils\n_rebuild_tensor_v3\n(" + storage + zero +
                           "\x85K\x01\x85\x89}" + "ctorch\nfloat8_e4m3fn\ntR.";
  Result<Pickle> pickle = read(text);
  ASSERT_TRUE(pickle.isOk()) << pickle.status().toString();
  ASSERT_EQ(pickle->tensors.size(), 1u);
  EXPECT_EQ(pickle->tensors[0].dtype, DataType::Float8E4M3FN);
  EXPECT_EQ(pickle->tensors[0].storageKey, "5");
  EXPECT_THAT(messageOf(replaced(text, "float8_e4m3fn", "float8_e8m0fnu")),
              HasSubstr("names 'torch.float8_e8m0fnu'"));
}

/// Nothing is ever called, whatever a pickle asks for.
TEST(Pt2Pickle, OtherFunctionsAreRefusedByName) {
  EXPECT_THAT(messageOf("cos\nsystem\n(X\x02"), HasSubstr("names 'os.system'"));
  EXPECT_THAT(messageOf("\x8c\x02os\x8c\x06system\x93)R."), HasSubstr("names 'os.system'"));
  EXPECT_THAT(messageOf("ctorch._utils\n_rebuild_parameter\n(NtR."),
              HasSubstr("calls 'torch._utils _rebuild_parameter' with 1 arguments"));
  EXPECT_THAT(messageOf("ccollections\nOrderedDict\n(NtR."),
              HasSubstr("calls 'collections Ordered"));
  EXPECT_THAT(messageOf("i"), HasSubstr("opcode 0x69 at byte 0"));
  EXPECT_THAT(messageOf("ctorch\nComplexFloatStorage\n."), HasSubstr("names 'torch.ComplexFloat"));
}

TEST(Pt2Pickle, MalformedPicklesAreRefused) {
  for (const char *text : {"",
                           "(",
                           ".",
                           "K",
                           "t.",
                           "h\x01.",
                           "q\x01.",
                           "NR.",
                           "NNR.",
                           "a.",
                           "NNa.",
                           "}Ns.",
                           "](e",
                           "u.",
                           "}(Nu.",
                           "NQ.",
                           ")Q.",
                           "\x8c\x05"
                           "ab.",
                           "cos\nsys",
                           "(\x85.",
                           "N(0.",
                           "NN\x93.",
                           "\x8a\x09"})
    EXPECT_FALSE(read(text).isOk()) << text;
  EXPECT_THAT(messageOf("NNa."), HasSubstr("malformed at byte 2"));
}

TEST(Pt2Pickle, ChangedPicklesAreReadOrRefused) {
  constexpr unsigned kSeed = 20261127;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const std::string pickle =
      pickledDict({{"fc.weight", "0", 3, {2, 3}, {3, 1}, true}, {"scale", "1", 0, {}, {}, false}});
  for (size_t size = 0; size < pickle.size(); ++size)
    EXPECT_FALSE(read(std::string_view(pickle).substr(0, size)).isOk());
  for (int round = 0; round < 20000; ++round) {
    std::string changed = pickle;
    for (int i = 0; i < 3; ++i)
      changed[random() % changed.size()] = static_cast<char>(random());
    auto tensors = readTensorDict(bytesOf(changed));
    if (!tensors.isOk())
      EXPECT_FALSE(tensors.status().message().empty());
  }
}

} // namespace
} // namespace inlay::pt2
