// The harness itself: rows' short forms, inputs, gaps, generated kernels.
#include "tests/conformance/Fuzz.h"
#include "tests/conformance/Inputs.h"
#include "tests/conformance/KnownGaps.h"
#include "tests/conformance/RowTable.h"

#include <cmath>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

namespace inlay::conformance {
namespace {

using testing::HasSubstr;

TEST(Rows, ArgumentsAreReadFromTheirShortForm) {
  auto arguments = parseArgumentList("Z=output:f32[4,8] X=-1.5..2:bf16[3] n=i32:-7 s=5/6/7:i64[3]");
  ASSERT_TRUE(arguments.isOk()) << arguments.status().message();
  ASSERT_EQ(arguments->size(), 4u);
  EXPECT_EQ((*arguments)[0].shape, (std::vector<int64_t>{4, 8}));
  EXPECT_EQ((*arguments)[1].dtype, DataType::BFloat16);
  EXPECT_EQ((*arguments)[1].low, -1.5);
  EXPECT_EQ((*arguments)[1].high, 2);
  EXPECT_FALSE((*arguments)[2].isTensor);
  EXPECT_EQ((*arguments)[2].value, -7);
  EXPECT_EQ((*arguments)[3].list, (std::vector<double>{5, 6, 7}));
  for (const char *bad :
       {"Z", "Z=f32[4]", "Z=often:f32[4]", "Z=any:f31[4]", "n=i32:x", "Z=any:f32[x]"})
    EXPECT_THAT(parseArgumentList(bad).status().message(), HasSubstr(bad));
}

TEST(Rows, SignaturesPromiseWhatIsTrue) {
  auto arguments = parseArgumentList("X=any:f16[3] n=i32:32 m=i32:33 z=i64:0 f=f32:16 b=i1:1");
  std::vector<std::string> entries;
  for (const Argument &argument : *arguments)
    entries.push_back(signatureEntry(argument));
  EXPECT_THAT(entries, testing::ElementsAre("*fp16:16", "i32:16", "i32", "i64:16", "fp32", "i1"));
  EXPECT_THAT(signatureOf(*parseArgumentList("t.0=any:f16[3] t.1=i32:3 n=i32:1 u.0=i32:16")),
              testing::ElementsAre("(*fp16:16,i32,)", "i32", "(i32:16,)"));
}

TEST(Inputs, AreTheSameForTheSameNameAndHoldEdges) {
  Row row{.group = "edges", .name = "a"};
  Argument argument{.name = "X", .dtype = DataType::Float32, .shape = {4096}, .fill = Fill::Any};
  NpyTensor first = makeTensor(row, argument), again = makeTensor(row, argument);
  EXPECT_EQ(first.data, again.data);
  row.name = "b";
  EXPECT_NE(first.data, makeTensor(row, argument).data);
  size_t numNan = 0, numInfinite = 0, numDenormal = 0, numZero = 0;
  for (size_t i = 0; i < 4096; ++i) {
    double value = elementValue(first, i);
    numNan += std::isnan(value);
    numInfinite += std::isinf(value);
    numZero += value == 0;
    numDenormal += value != 0 && std::fabs(value) < 0x1p-126;
  }
  EXPECT_GT(numNan, 10u);
  EXPECT_GT(numInfinite, 10u);
  EXPECT_GT(numDenormal, 10u);
  EXPECT_GT(numZero, 10u);
}

TEST(Inputs, DivisorsAreNeitherZeroNorMinusOne) {
  Row row{.group = "edges", .name = "a"};
  for (DataType dtype : {DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64}) {
    NpyTensor tensor =
        makeTensor(row, {.name = "X", .dtype = dtype, .shape = {4096}, .fill = Fill::Nonzero});
    for (size_t i = 0; i < 4096; ++i) {
      EXPECT_NE(elementValue(tensor, i), 0);
      EXPECT_NE(elementValue(tensor, i), -1);
    }
  }
}

TEST(KnownGapsTest, AreReadAndJudged) {
  auto gaps = parseKnownGaps("# comment\n\ncpu a/* no scans yet\nany b/x why not\n");
  ASSERT_TRUE(gaps.isOk()) << gaps.status().message();
  EXPECT_EQ((*gaps)[0].reason, "no scans yet");
  EXPECT_TRUE(findGap(*gaps, "cpu", "a/y"));
  EXPECT_FALSE(findGap(*gaps, "cuda:0", "a/y"));
  EXPECT_TRUE(findGap(*gaps, "cuda:0", "b/x"));
  Row a1{.group = "a", .name = "1"}, a2{.group = "a", .name = "2"}, b{.group = "b", .name = "x"};
  RowResult passed, failed{Outcome::Mismatch, "differs"};
  EXPECT_TRUE(unneededGaps(*gaps, "cpu", {&a1, &a2, &b}, {passed, failed, failed}).empty());
  EXPECT_EQ(unneededGaps(*gaps, "cpu", {&a1, &a2, &b}, {passed, passed, failed}).size(), 1u);
  // A gap whose rows did not run is not judged.
  EXPECT_TRUE(unneededGaps(*gaps, "cpu", {&b}, {failed}).empty());
  for (const char *bad : {"tpu a/* why", "cpu a/*", "cpu"})
    EXPECT_THAT(parseKnownGaps(bad).status().message(), HasSubstr("line 1"));
}

TEST(RowTableTest, EveryRowHasArgumentsThatParse) {
  RowTable table = buildRowTable();
  EXPECT_GT(table.rows().size(), 5000u);
  for (const Row &row : table.rows())
    EXPECT_TRUE(parseArgumentList(row.arguments).isOk()) << row.fullName();
}

TEST(RowTableTest, TheStandardSetIsAPartChosenByName) {
  RowTable table = buildRowTable();
  std::vector<const Row *> standard = table.select("test_bin_op/*", false),
                           all = table.select("test_bin_op/*", true);
  EXPECT_EQ(all.size(), 720u);
  EXPECT_LT(standard.size(), all.size());
  std::set<const Row *> known(all.begin(), all.end());
  for (const Row *row : standard)
    EXPECT_TRUE(known.contains(row));
}

/// The rows that the list of traps in docs/conformance.md names in backquotes.
std::set<std::string> documentedTraps() {
  std::ifstream file("docs/conformance.md"); // tests run in the root of the sources
  std::set<std::string> names;
  bool isInside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## "))
      isInside = line == "## Traps of the language";
    size_t bar = line.rfind(" | ");
    if (!isInside || !line.starts_with("| ") || bar == std::string::npos)
      continue;
    std::istringstream cell(line.substr(bar + 3));
    for (std::string word; cell >> word;)
      if (word.starts_with('`') && word.ends_with('`') && word.find('/') < word.size() - 2)
        names.insert("traps/" + word.substr(1, word.size() - 2));
  }
  names.erase("traps/traps/…");
  return names;
}

TEST(RowTableTest, TheListOfTrapsIsTheGroup) {
  RowTable table = buildRowTable();
  std::set<std::string> rows;
  for (const Row *row : table.select("traps/*", true))
    rows.insert(row->fullName());
  EXPECT_GT(rows.size(), 100u);
  EXPECT_EQ(documentedTraps(), rows);
  EXPECT_EQ(table.select("traps/*", false).size(), rows.size()) << "the standard set has them all";
}

TEST(FuzzTest, ASeedIsOneKernel) {
  EXPECT_EQ(makeFuzzRow(7).source, makeFuzzRow(7).source);
  EXPECT_NE(makeFuzzRow(7).source, makeFuzzRow(8).source);
  EXPECT_THAT(makeFuzzRow(7).source, HasSubstr("@triton.jit\ndef kernel(n, X0"));
}

} // namespace
} // namespace inlay::conformance
