#include "compiler/dialects/plan/Plan.h"

#include "compiler/dialects/tile/Tile.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay::plan {
namespace {

using testing::HasSubstr;

constexpr std::string_view kProgram = R"mlir(plan.program @scale {
  plan.symbol "s0" in 1 to 4096 opt 128 from 0 dim 0
  plan.input "X" "float32" ["s0", "3"] in @X path "['x']"
  plan.output "Y" "float32" ["s0", "3"] in @Y
  plan.output "Z" "float32" ["s0", "3"] in @Z
  plan.check "s0 <= 100" message "at most 100 rows"
  plan.buffer @X input "12*s0"
  plan.buffer @Y output "12*s0"
  plan.buffer @Z output "12*s0"
  plan.buffer @w constant "8" data dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  plan.kernel @scale_kernel source "scale.py:scale_kernel" signature ["*fp32:16", "*fp32:16", "*fp32:16", "i32", "fp32"] constexprs {BLOCK = 256 : i64} hash "0123456789abcdef" {
    builtin.module attributes {tile.num_warps = 4 : i32} {
      func.func @scale_kernel(%arg0: !tile.ptr<f32>, %arg1: !tile.ptr<f32>, %arg2: !tile.ptr<f32>, %arg3: i32, %arg4: f32) attributes {tile.kernel} {
        return
      }
    }
  }
  plan.launch @scale_kernel grid ["ceildiv(3*s0, 256)", "1", "1"] arguments [@X, @w, @Y, "3*s0", 1.500000e+00] plugin "my::scale" node "scale_1"
  plan.copy @Y to @Z
}
)mlir";

/// The launch of kProgram as two tactics; "TACTICS" stands for them.
constexpr std::string_view kTactics =
    R"mlir(  plan.choice @c TACTICS plugin "my::scale" node "scale_1"
  plan.launch @scale_kernel grid ["1", "1", "1"] arguments [@X, @w, @Y, "3*s0", 1.500000e+00] tactic "wide" of @c
  plan.launch @scale_kernel grid ["2", "1", "1"] arguments [@X, @w, @Y, "3*s0", 1.500000e+00] tactic "any" of @c
)mlir";
constexpr std::string_view kGoodTactics =
    R"([{aligned = {X = 32 : i64}, condition = "0 == s0 % 16", name = "wide"}, {name = "any"}])";

class PlanTest : public testing::Test {
protected:
  PlanTest() {
    context_.loadDialect<PlanDialect, tile::TileDialect, mlir::func::FuncDialect>();
    context_.getDiagEngine().registerHandler([this](mlir::Diagnostic &diagnostic) {
      messages_ += diagnostic.str() + "\n";
      return mlir::success();
    });
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(std::string_view text) {
    return mlir::parseSourceString<mlir::ModuleOp>(llvm::StringRef(text), &context_);
  }

  /// The program of a module that was parsed.
  static ProgramOp programOf(mlir::ModuleOp module) { return *module.getOps<ProgramOp>().begin(); }

  /// The diagnostics of the program with one piece of its text replaced.
  std::string diagnosticsWith(std::string_view from, std::string_view to) {
    std::string text(kProgram);
    size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    messages_.clear();
    EXPECT_FALSE(parse(text)) << "accepted: " << to;
    return messages_;
  }

  mlir::MLIRContext context_;
  std::string messages_;
};

TEST_F(PlanTest, PrintsWhatItParsed) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(kProgram);
  ASSERT_TRUE(module) << messages_;
  ProgramOp program = programOf(*module);
  std::string text;
  llvm::raw_string_ostream stream(text);
  program->print(stream);
  EXPECT_EQ(text + "\n", kProgram);
}

TEST_F(PlanTest, RefusesWhatBreaksAConstraint) {
  struct Row {
    const char *from, *to, *message;
  };
  const Row rows[] = {
      {"plan.copy @Y to @Z", "func.func private @f()", "(C1) does not belong in a plan.program"},
      {"plan.check \"s0 <= 100\"", "plan.check \"s1 <= 100\"",
       "uses symbol 's1', which is not declared"},
      {"plan.check \"s0 <= 100\"", "plan.check \"100 > s0 +\"", "canonical text"},
      {"\"3*s0\", 1.5", "\"s0*3\", 1.5", "canonical text"},
      {"plan.symbol \"s0\" in 1",
       "plan.symbol \"s0\" in 1 to 9 opt 9 from 0 dim 0\n plan.symbol \"s0\" in 1",
       "(C2) symbol 's0' is declared twice"},
      {"output \"Z\"", "output \"Y\"", "(C3) tensor name 'Y' is empty or taken"},
      {"plan.output \"Z\" \"float32\" [\"s0\", \"3\"] in @Z", "", "belongs to 0 tensors, not 1"},
      {"opt 128", "opt 5000", "(C1) needs 0 <= min <= opt <= max; found min 1, opt 5000, max 4096"},
      {"from 0 dim 0", "from 0 dim 1", "(C2) dimension 1 of input 0 is not the symbol 's0'"},
      {"from 0 dim 0", "from 7 dim 0", "(C2) dimension 0 of input 7 is not the symbol 's0'"},
      {"\"float32\"", "\"f32\"", "the name of a data type"},
      {"in @X path", "in @Y path", "(C1) buffer @Y is of kind output, not input"},
      {"in @X path", "in @nothing path", "(C1) @nothing is not a buffer of this program"},
      {"constant \"8\" data dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>", "constant \"8\"",
       "(C1) a constant and state need data"},
      {"constant \"8\"", "constant \"9\"", "(C2) size is \"9\", but the data has 8 bytes"},
      {"attributes {tile.kernel}", "", "(C2) holds 0 functions with tile.kernel"},
      {"plan.launch @scale_kernel", "plan.launch @X", "(C1) @X is not a kernel of this program"},
      {"\"3*s0\", 1.500000e+00]", "\"3*s0\"]",
       "(C2) has 4 arguments; kernel @scale_kernel has 5 parameters"},
      {"[@X, @w", "[\"s0\", @w",
       "(C3) argument 0 is \"s0\"; parameter of type '!tile.ptr<f32>' needs a buffer"},
      {"[@X, @w", "[@nothing, @w", "(C3) argument 0: @nothing is not a buffer of this program"},
      {"@Y, \"3*s0\"", "@Y, 2.0", "needs an expression for an integer"},
      {", 1.500000e+00", ", \"2\"", "needs a float"},
      {"plan.copy @Y to @Z", "plan.copy @Y to @Y", "(C1) copies @Y to itself"},
      {"plan.copy @Y to @Z", "plan.copy @w to @Z", "(C2) sizes differ: \"8\" and \"12*s0\" bytes"},
      {"plan.copy @Y to @Z", "plan.copy @Y to @X", "(C3) writes input buffer @X"},
  };
  for (const Row &row : rows)
    EXPECT_THAT(diagnosticsWith(row.from, row.to), HasSubstr(row.message)) << row.to;
}

constexpr std::string_view kPrebuilt = R"mlir(plan.program @twice {
  plan.symbol "s0" in 1 to 4096 opt 128 from 0 dim 0
  plan.input "X" "float32" ["s0"] in @X
  plan.output "Y" "float32" ["s0"] in @Y
  plan.buffer @X input "4*s0"
  plan.buffer @Y output "4*s0"
  plan.kernel @twice source "twice.ptx:twice" signature ["*fp32:16", "*fp32:16"] attributes {cooperative, external, images = [{code = dense<[1, 2]> : tensor<2xi8>, entry = "twice", format = "ptx", target = "cuda"}]} {
    builtin.module {
      func.func @twice(%arg0: !tile.ptr<f32>, %arg1: !tile.ptr<f32>) attributes {tile.kernel} {
        return
      }
    }
  }
  plan.launch @twice grid ["s0", "1", "1"] block ["min(64, s0)", "1", "1"] shared "4*s0" arguments [@X, @Y]
}
)mlir";

TEST_F(PlanTest, PrintsImagesBlocksAndSharedMemory) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(kPrebuilt);
  ASSERT_TRUE(module) << messages_;
  ProgramOp program = programOf(*module);
  std::string text;
  llvm::raw_string_ostream stream(text);
  program->print(stream);
  EXPECT_EQ(text + "\n", kPrebuilt);
  std::vector<std::string> found;
  for (auto launch : program.getBody().getOps<LaunchOp>())
    forEachExpression(*launch,
                      [&](llvm::StringRef expression) { found.push_back(expression.str()); });
  EXPECT_THAT(found, testing::ElementsAre("s0", "1", "1", "min(64, s0)", "1", "1", "4*s0"));
}

TEST_F(PlanTest, RefusesImagesThatAreNone) {
  const auto diagnosticsOf = [&](std::string_view from, std::string_view to) {
    std::string text(kPrebuilt);
    text.replace(text.find(from), from.size(), to);
    messages_.clear();
    EXPECT_FALSE(parse(text)) << "accepted: " << to;
    return messages_;
  };
  EXPECT_THAT(diagnosticsOf("format = \"ptx\", ", ""), HasSubstr("(C4) an image lacks 'format'"));
  EXPECT_THAT(diagnosticsOf("tensor<2xi8>", "tensor<2xi16>"), HasSubstr("'code' of i8"));
  EXPECT_THAT(
      diagnosticsOf(", images = [{code = dense<[1, 2]> : tensor<2xi8>, entry = \"twice\", format = "
                    "\"ptx\", target = \"cuda\"}]",
                    ""),
      HasSubstr("(C3) is external and has no images"));
}

constexpr std::string_view kComputed = R"mlir(plan.program @select {
  plan.symbol "s0" in 0 to 4096 opt 128 from 0 dim 0
  plan.computed "u0" bound "s0" max 4096 opt 64
  plan.computed "u1" bound "2*u0" max 8192 opt 64
  plan.input "X" "float32" ["s0"] in @X
  plan.output "Y" "float32" ["u0"] in @Y updates 0
  plan.buffer @X input "4*s0"
  plan.buffer @Y output "4*u0"
  plan.buffer @count intermediate "4"
  plan.buffer @wide intermediate "8"
  plan.read_size "u0" from @count "int32" plugin "my::select" node "select_1"
  plan.read_size "u1" from @wide "int64"
}
)mlir";

/// kProgram with kTactics instead of its launch.
std::string programWithTactics(std::string_view tactics) {
  std::string text(kProgram), choice(kTactics);
  choice.replace(choice.find("TACTICS"), 7, tactics);
  const size_t launch = text.find("  plan.launch");
  text.replace(launch, text.find("  plan.copy") - launch, choice);
  return text;
}

TEST_F(PlanTest, PrintsTactics) {
  const std::string orders =
      R"( orders [{profile = 1 : i64, tactics = ["any"], target = "cuda"}, {tactics = ["wide", "any"]}])";
  const std::string expected = programWithTactics(std::string(kGoodTactics) + orders);
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(expected);
  ASSERT_TRUE(module) << messages_;
  std::string text;
  llvm::raw_string_ostream stream(text);
  programOf(*module)->print(stream);
  EXPECT_EQ(text + "\n", expected);
}

TEST_F(PlanTest, RefusesTacticsThatAreWrong) {
  const std::pair<std::string, const char *> rows[] = {
      {R"([{name = "wide", rank = 1 : i64}, {name = "any"}])",
       "(C1) tactic 0 has the unknown key 'rank'"},
      {R"([{name = "any"}, {name = "any"}])",
       "(C1) tactic 1 has the name 'any', which is empty or taken"},
      {R"([{condition = "s0 == 0 + 1", name = "wide"}, {name = "any"}])",
       "(C2) tactic 'wide' has a condition that is no expression in canonical text"},
      {R"([{aligned = {X = 24 : i64}, name = "wide"}, {name = "any"}])",
       "(C2) tactic 'wide' has the alignment 24 : i64 for @X; expected a power of two up to 4096"},
      {R"([{aligned = {V = 32 : i64}, name = "wide"}, {name = "any"}])",
       "(C2) @V is not a buffer of this program"},
      {R"([{name = "any"}, {condition = "1 < s0", name = "wide"}])",
       "(C3) an order of tactics ends in wide; the last needs no condition"},
      {R"([{name = "wide"}, {library = "oneDNN", name = "any"}])",
       "(C3) an order of tactics ends in any; the last needs no condition and no library"},
      {R"([{condition = "s1", name = "wide"}, {name = "any"}])",
       "(C2) uses symbol 's1', which is not declared"},
      {R"([{name = "wide"}, {name = "any"}] orders [{tactics = ["none"]}])",
       "(C3) an order has \"none\", which is no tactic or twice there"},
      {R"([{name = "wide"}, {name = "any"}] orders [{tactics = []}])",
       "(C3) an order of tactics ends in nothing"},
      {R"([{name = "wide"}, {name = "any"}] orders [{profile = 1 : i64, tactics = ["any"]}])",
       "(C4) the last order does not fit every target and profile"},
      {R"([{name = "any"}])", "(C4) 'wide' is no tactic of a choice @c of this program"}};
  for (const auto &[tactics, message] : rows) {
    messages_.clear();
    EXPECT_FALSE(parse(programWithTactics(tactics))) << "accepted: " << tactics;
    EXPECT_THAT(messages_, HasSubstr(message)) << tactics;
  }
}

TEST_F(PlanTest, PrintsComputedSizes) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(kComputed);
  ASSERT_TRUE(module) << messages_;
  std::string text;
  llvm::raw_string_ostream stream(text);
  programOf(*module)->print(stream);
  EXPECT_EQ(text + "\n", kComputed);
}

TEST_F(PlanTest, RefusesComputedSizesThatAreWrong) {
  const auto diagnosticsOf = [&](std::string_view from, std::string_view to) {
    std::string text(kComputed);
    text.replace(text.find(from), from.size(), to);
    messages_.clear();
    EXPECT_FALSE(parse(text)) << "accepted: " << to;
    return messages_;
  };
  EXPECT_THAT(diagnosticsOf("max 4096 opt 64", "max 4096 opt 5000"),
              HasSubstr("(C1) needs 0 <= opt <= max; found opt 5000, max 4096"));
  EXPECT_THAT(diagnosticsOf("\"u0\" bound \"s0\"", "\"u0\" bound \"u1\""),
              HasSubstr("(C2) its bound needs 'u1', which is not read before"));
  EXPECT_THAT(diagnosticsOf("\"u1\" bound \"2*u0\"", "\"u0\" bound \"2*s0\""),
              HasSubstr("(C2) symbol 'u0' is declared twice"));
  EXPECT_THAT(diagnosticsOf("  plan.read_size \"u1\" from @wide \"int64\"\n", ""),
              HasSubstr("(C2) is never read"));
  EXPECT_THAT(diagnosticsOf("read_size \"u0\"", "read_size \"u1\""),
              HasSubstr("(C3) reads 'u1'; expected u0"));
  EXPECT_THAT(diagnosticsOf("from @wide \"int64\"", "from @count \"int64\""),
              HasSubstr("(C2) reads int64 from a buffer of \"4\" bytes"));
  EXPECT_THAT(diagnosticsOf("from @wide \"int64\"", "from @wide \"float64\""),
              HasSubstr("(C2) reads float64"));
  EXPECT_THAT(diagnosticsOf("from @count", "from @nothing"),
              HasSubstr("(C1) @nothing is not a buffer of this program"));
}

TEST_F(PlanTest, FindsEveryExpression) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(kProgram);
  ASSERT_TRUE(module) << messages_;
  ProgramOp program = programOf(*module);
  std::vector<std::string> found;
  for (mlir::Operation &op : program.getBody().front())
    forEachExpression(op, [&](llvm::StringRef text) { found.push_back(text.str()); });
  EXPECT_THAT(found,
              testing::ElementsAre("s0", "3", "s0", "3", "s0", "3", "s0 <= 100", "12*s0", "12*s0",
                                   "12*s0", "8", "ceildiv(3*s0, 256)", "1", "1", "3*s0"));
}

} // namespace
} // namespace inlay::plan
