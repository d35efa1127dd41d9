#include "compiler/frontends/pt2/TensorData.h"

#include "compiler/frontends/pt2/TestArchive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace inlay::pt2 {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const InputSpec kWeight{InputKind::Parameter, "p_weight", "fc.weight", true, true};

/// A tensor that outlives its archive.
Result<DenseTensor> copied(Result<DenseTensor> tensor) {
  if (tensor.isOk() && tensor->copy.empty())
    tensor->copy.assign(tensor->inPlace.begin(), tensor->inPlace.end());
  return tensor;
}

/// Reads the test program's parameter from an archive whose weights' configuration is `config`.
Result<DenseTensor> readWeight(const std::string &config, const InputSpec &spec = kWeight) {
  std::vector<TestMember> members = testMembers();
  members[1].content = config;
  const std::vector<std::byte> zip = makeZip(members);
  Result<Archive> archive = Archive::fromBytes(zip);
  if (!archive.isOk())
    return std::move(archive).status();
  Result<TensorData> data = TensorData::create(*archive, "model");
  if (!data.isOk())
    return std::move(data).status();
  return copied(data->read(spec));
}

/// The configuration with other sizes, strides and offset of a view.
std::string viewOf(std::string_view sizes, std::string_view strides, int64_t offset) {
  std::string json = replaced(testWeightsJson(), R"([{"as_int": 2}, {"as_int": 3}])", sizes);
  json = replaced(json, R"([{"as_int": 3}, {"as_int": 1}])", strides);
  return replaced(json, R"("storage_offset": {"as_int": 0})",
                  R"("storage_offset": {"as_int": )" + std::to_string(offset) + "}");
}

std::vector<float> floatsOf(const Result<DenseTensor> &tensor) {
  EXPECT_TRUE(tensor.isOk()) << tensor.status().toString();
  if (!tensor.isOk())
    return {};
  std::vector<float> values(tensor->bytes().size() / sizeof(float));
  if (!values.empty())
    std::memcpy(values.data(), tensor->bytes().data(), tensor->bytes().size());
  return values;
}

TEST(Pt2TensorData, ReadsParameters) {
  Result<DenseTensor> tensor = readWeight(testWeightsJson());
  EXPECT_THAT(floatsOf(tensor), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(tensor->dtype, DataType::Float32);
  EXPECT_THAT(tensor->sizes, ElementsAre(2, 3));
}

/// Views of a storage come out row-major.
TEST(Pt2TensorData, ReadsStridedViews) {
  EXPECT_THAT(floatsOf(readWeight(viewOf(R"([{"as_int": 3}, {"as_int": 2}])",
                                         R"([{"as_int": 1}, {"as_int": 3}])", 0))),
              ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(floatsOf(readWeight(viewOf(R"([{"as_int": 2}])", R"([{"as_int": 2}])", 1))),
              ElementsAre(1, 3));
  EXPECT_THAT(floatsOf(readWeight(viewOf(R"([{"as_int": 2}, {"as_int": 2}])",
                                         R"([{"as_int": 0}, {"as_int": 1}])", 4))),
              ElementsAre(4, 5, 4, 5));
  EXPECT_THAT(floatsOf(readWeight(viewOf("[]", "[]", 5))), ElementsAre(5));
  EXPECT_THAT(floatsOf(readWeight(viewOf(R"([{"as_int": 0}, {"as_int": 9}])",
                                         R"([{"as_int": 9}, {"as_int": 1}])", 100))),
              ElementsAre());
}

/// A model of PyTorch with tied weights, views of one storage, small types and nothing at all.
TEST(Pt2TensorData, ReadsWhatPyTorchWrote) {
  Result<Archive> archive = Archive::open("tests/models/weights_T.pt2");
  ASSERT_TRUE(archive.isOk()) << archive.status().toString();
  Result<TensorData> data = TensorData::create(*archive, "model");
  ASSERT_TRUE(data.isOk()) << data.status().toString();
  const auto read = [&](const char *name, bool isPersistent = true) {
    Result<DenseTensor> tensor = data->read({InputKind::Buffer, name, name, isPersistent, true});
    EXPECT_TRUE(tensor.isOk()) << tensor.status().toString();
    return tensor.isOk() ? *tensor : DenseTensor();
  };
  // Tied: the same bytes of the file, not a copy.
  EXPECT_EQ(read("e.weight").bytes().data(), read("l.weight").bytes().data());
  EXPECT_TRUE(read("e.weight").copy.empty());
  EXPECT_FALSE(read("tr").copy.empty());
  EXPECT_EQ(read("e.weight").bytes().size(), 320u);
  // off = base[2:4, 1:5]
  const std::vector<float> base = floatsOf(read("base")), off = floatsOf(read("off"));
  ASSERT_EQ(base.size(), 64u);
  EXPECT_THAT(off, ElementsAre(base[17], base[18], base[19], base[20], base[25], base[26], base[27],
                               base[28]));
  const std::vector<float> transposed = floatsOf(read("tr"));
  ASSERT_EQ(transposed.size(), 24u);
  const auto storage = *archive->find("data/weights/weight_2");
  for (size_t row = 0; row < 6; ++row)
    for (size_t column = 0; column < 4; ++column)
      EXPECT_EQ(std::memcmp(&transposed[row * 4 + column],
                            storage.data() + (column * 6 + row) * sizeof(float), sizeof(float)),
                0);
  EXPECT_EQ(read("i8").dtype, DataType::Int8);
  EXPECT_EQ(read("bf").bytes().size(), 6u);
  EXPECT_EQ(read("bo").bytes().size(), 2u);
  EXPECT_THAT(read("sc").sizes, ElementsAre());
  EXPECT_EQ(read("sc").bytes().size(), 4u);
  EXPECT_EQ(read("em").bytes().size(), 0u);
  EXPECT_EQ(read("np_", false).bytes().size(), 12u);
}

TEST(Pt2TensorData, RefusesViewsOutsideTheirMember) {
  const struct {
    const char *sizes, *strides;
    int64_t offset;
  } views[] = {{R"([{"as_int": 7}])", R"([{"as_int": 1}])", 0},
               {R"([{"as_int": 2}])", R"([{"as_int": 6}])", 0},
               {R"([{"as_int": 6}])", R"([{"as_int": 1}])", 1},
               {"[]", "[]", 6},
               {"[]", "[]", INT64_MAX},
               {"[]", "[]", INT64_MAX / 4},
               {R"([{"as_int": 9223372036854775807}])", R"([{"as_int": 9223372036854775807}])", 0},
               {R"([{"as_int": 4611686018427387904}, {"as_int": 4}])",
                R"([{"as_int": 0}, {"as_int": 0}])", 0}};
  for (const auto &view : views) {
    const Status status = readWeight(viewOf(view.sizes, view.strides, view.offset)).status();
    EXPECT_EQ(status.code(), StatusCode::DataLoss) << view.sizes;
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("'fc.weight'"), HasSubstr("'data/weights/weight_0'")));
  }
}

/// A stride of 0 repeats four bytes as often as the sizes say; none of it is allocated.
TEST(Pt2TensorData, RefusesViewsThatGrowOverTheLimit) {
  const Status status =
      readWeight(viewOf(R"([{"as_int": 1099511627776}])", R"([{"as_int": 0}])", 0)).status();
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("'fc.weight' stands for 4398046511104 bytes"),
                                      HasSubstr("at most 268435456 are read")));
}

TEST(Pt2TensorData, LimitHoldsForAllTensorsTogether) {
  std::vector<TestMember> members = testMembers();
  members[1].content =
      viewOf(R"([{"as_int": 10000000}, {"as_int": 6}])", R"([{"as_int": 0}, {"as_int": 1}])", 0);
  const std::vector<std::byte> zip = makeZip(members);
  Result<Archive> archive = Archive::fromBytes(zip);
  ASSERT_TRUE(archive.isOk());
  Result<TensorData> data = TensorData::create(*archive, "model");
  ASSERT_TRUE(data.isOk());
  EXPECT_TRUE(data->read(kWeight).isOk());
  EXPECT_THAT(data->read(kWeight).status().message(),
              HasSubstr("stands for 240000000 bytes; after what came before it, at most 28435456"));
}

TEST(Pt2TensorData, SaysWhatIsMissing) {
  EXPECT_THAT(readWeight(R"({"config": {}})").status().message(),
              AllOf(HasSubstr("data/weights/model_weights_config.json has no entry"),
                    HasSubstr("'fc.weight'"), HasSubstr("'p_weight'")));
  EXPECT_THAT(readWeight(replaced(testWeightsJson(), "weight_0", "weight_9")).status().message(),
              HasSubstr("no member 'data/weights/weight_9', which holds 'fc.weight'"));
  // Constants and buffers that are not kept with the weights lie in a folder of their own.
  for (InputKind kind : {InputKind::Buffer, InputKind::TensorConstant})
    EXPECT_THAT(
        readWeight(testWeightsJson(), {kind, "c", "fc.weight", false, true}).status().message(),
        HasSubstr("data/constants/model_constants_config.json has no entry"));
  EXPECT_TRUE(
      readWeight(testWeightsJson(), {InputKind::Buffer, "b", "fc.weight", true, true}).isOk());
  std::vector<TestMember> members = testMembers();
  members.erase(members.begin() + 1);
  const std::vector<std::byte> zip = makeZip(members);
  Result<Archive> archive = Archive::fromBytes(zip);
  Result<TensorData> data = TensorData::create(*archive, "model");
  ASSERT_TRUE(data.isOk());
  EXPECT_THAT(data->read(kWeight).status().message(),
              HasSubstr("no member 'data/weights/model_weights_config.json'"));
}

TEST(Pt2TensorData, NeverOpensPickles) {
  for (const std::string &config :
       {replaced(testWeightsJson(), "\"use_pickle\": false", "\"use_pickle\": true"),
        replaced(testWeightsJson(), "\"tensor_meta\": {", "\"tensor_meta\": null, \"other\": {")}) {
    const Status status = readWeight(config).status();
    EXPECT_EQ(status.code(), StatusCode::Unimplemented);
    EXPECT_THAT(status.message(), AllOf(HasSubstr("'fc.weight'"), HasSubstr("pickle")));
  }
}

/// PyTorch 2.8 wrote all weights as one dictionary in a pickle, 2.6 and 2.7 under other names.
TEST(Pt2TensorData, ReadsOlderGenerations) {
  const float values[6] = {0, 1, 2, 3, 4, 5};
  const std::string storage(reinterpret_cast<const char *>(values), sizeof(values));
  const auto torchSave = [&](const std::vector<TestTensor> &tensors) {
    const std::vector<std::byte> zip = makeZip({{"archive/data.pkl", pickledDict(tensors)},
                                                {"archive/byteorder", "little"},
                                                {"archive/data/0", storage},
                                                {"archive/version", "3\n"}});
    return std::string(reinterpret_cast<const char *>(zip.data()), zip.size());
  };
  const std::string weights = torchSave(
      {{"fc.weight", "0", 0, {2, 3}, {3, 1}, true}, {"view", "0", 1, {2, 2}, {1, 3}, false}});
  const std::string constants = torchSave({{"scratch", "0", 2, {4}, {1}, false}});
  const std::vector<TestMember> generations[] = {
      {{"serialized_exported_program.json", testProgramJson()},
       {"serialized_state_dict.pt", weights},
       {"serialized_constants.pt", constants},
       {"version", "8.1"}},
      {{"serialized_exported_program.json", testProgramJson()},
       {"serialized_state_dict.json", weights},
       {"serialized_constants.json", constants}},
      {{"m/archive_format", "pt2"},
       {"m/models/model.json", testProgramJson()},
       {"m/data/weights/model.pt", weights},
       {"m/data/constants/model.pt", constants}}};
  for (const std::vector<TestMember> &members : generations) {
    const std::vector<std::byte> zip = makeZip(members);
    Result<Archive> archive = Archive::fromBytes(zip);
    ASSERT_TRUE(archive.isOk()) << archive.status().toString();
    Result<ArchivedModel> model = archive->lookupModel();
    ASSERT_TRUE(model.isOk()) << model.status().toString();
    Result<TensorData> data = TensorData::create(*archive, model->name);
    ASSERT_TRUE(data.isOk()) << data.status().toString();
    EXPECT_THAT(floatsOf(data->read(kWeight)), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(floatsOf(data->read({InputKind::Buffer, "v", "view", true, true})),
                ElementsAre(1, 4, 2, 5));
    EXPECT_THAT(floatsOf(data->read({InputKind::Buffer, "s", "scratch", false, true})),
                ElementsAre(2, 3, 4, 5));
    EXPECT_THAT(
        data->read({InputKind::TensorConstant, "n", "nowhere", true, true}).status().message(),
        HasSubstr("has no entry for 'nowhere'"));
  }
  // A view that reaches outside its storage, a storage that is missing, no archive, no pickle.
  const std::pair<std::string, const char *> broken[] = {
      {torchSave({{"fc.weight", "0", 1, {2, 3}, {3, 1}, true}}), "needs 28 bytes"},
      {torchSave({{"fc.weight", "7", 0, {2, 3}, {3, 1}, true}}), "no member 'data/7'"},
      {"PK", "reading data/weights/model.pt"},
      {weights.substr(0, weights.size() / 2), "reading data/weights/model.pt"}};
  for (const auto &[member, message] : broken) {
    const std::vector<std::byte> zip =
        makeZip({{"m/models/model.json", testProgramJson()}, {"m/data/weights/model.pt", member}});
    Result<Archive> archive = Archive::fromBytes(zip);
    ASSERT_TRUE(archive.isOk());
    Result<TensorData> data = TensorData::create(*archive, "model");
    const Status status = data.isOk() ? data->read(kWeight).status() : data.status();
    EXPECT_EQ(status.code(), StatusCode::DataLoss);
    EXPECT_THAT(status.message(), HasSubstr(message));
  }
}

TEST(Pt2TensorData, ErrorsSayWhereWhatAndWhatInstead) {
  const struct {
    const char *from, *to, *path, *found;
  } parts[] = {{"\"weight_0\"", "5", "config.fc.weight.path_name", "found 5, expected a string"},
               {"false", "0", "config.fc.weight.use_pickle", "found 0, expected a boolean"},
               {"{\"as_int\": 2}", "{\"as_int\": -2}", "config.fc.weight.tensor_meta.sizes[0]",
                "found -2, expected an integer from 0"},
               {"{\"as_int\": 2}", "{\"as_expr\": {\"expr_str\": \"Symbol('s0')\"}}",
                "config.fc.weight.tensor_meta.sizes[0]", "found s0, expected an integer from 0"},
               {"\"storage_offset\": {\"as_int\": 0}",
                "\"storage_offset\": {\"as_expr\": {\"expr_str\": \"Symbol('s0')\"}}",
                "config.fc.weight.tensor_meta.storage_offset", "found s0, expected an integer"},
               {"\"storage_offset\": {\"as_int\": 0}", "\"storage_offset\": {\"as_int\": -1}",
                "config.fc.weight.tensor_meta.storage_offset", "found -1, expected an integer"},
               {"\"strides\": [{\"as_int\": 3}, ", "\"strides\": [", "config.fc.weight.tensor_meta",
                "found 2 sizes and 1 strides"},
               {"\"config\"", "\"configuration\"", "the top of the JSON", "field 'config'"},
               {"{\"config\": {", "{\"config\": {\"fc.weight\": {\"path_name\": \"a\"}, ", "config",
                "found the field 'fc.weight' twice"}};
  for (const auto &part : parts) {
    const Status status = readWeight(replaced(testWeightsJson(), part.from, part.to)).status();
    EXPECT_EQ(status.code(), StatusCode::InvalidArgument) << part.to;
    EXPECT_THAT(status.message(), AllOf(HasSubstr("data/weights/model_weights_config.json"),
                                        HasSubstr(part.path), HasSubstr(part.found)))
        << part.to;
  }
  EXPECT_EQ(readWeight("{").status().code(), StatusCode::DataLoss);
}

} // namespace
} // namespace inlay::pt2
