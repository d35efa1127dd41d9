#include "base/TemporaryFolder.h"
#include "compiler/ptx/Forms.h"
#include "compiler/ptx/Program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace inlay::ptx {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Program parsed(std::string_view text, std::string_view constraints = "=r,r,r") {
  Result<Program> program = parseProgram(text, constraints);
  EXPECT_TRUE(program.isOk()) << program.status().toString();
  return program.isOk() ? std::move(*program) : Program();
}

Status refused(std::string_view text, std::string_view constraints = "=r,r,r") {
  Result<Program> program = parseProgram(text, constraints);
  EXPECT_FALSE(program.isOk()) << text;
  return program.status();
}

TEST(Ptx, DeclarationsScopesAndGuards) {
  Program program = parsed(R"(
    {
      .reg .pred p, %q<2>;
      .reg .f32 x;
      setp.gt.f32 p|%q0, $1, 20.; // above
      @p   mov.f32 x, $1;
      { .reg .b32 x; mov.b32 x, 0xff; @!%q0 mov.b32 $0, x; }
      mov.f32 $0, x;
    })");
  ASSERT_EQ(program.instructions.size(), 5u);
  EXPECT_EQ(program.registers.size(), 3u + 3u + 2u);
  const Instruction &setp = program.instructions[0];
  EXPECT_EQ(setp.opcode, Opcode::Setp);
  EXPECT_TRUE(setp.has(Modifier::Gt));
  EXPECT_EQ(setp.type, (Type{Kind::Float, 32, 1}));
  ASSERT_EQ(setp.results.size(), 2u);
  EXPECT_EQ(program.registers[setp.results[1].index].name, "%q0");
  EXPECT_EQ(setp.operands[1].bits, 0x41a00000u);
  EXPECT_FALSE(program.instructions[1].guard->isNegated);
  EXPECT_TRUE(program.instructions[3].guard->isNegated);
  // The inner x hides the outer one.
  EXPECT_NE(program.instructions[2].results[0].index, program.instructions[1].results[0].index);
  EXPECT_EQ(program.instructions[4].operands[0].index, program.instructions[1].results[0].index);
  EXPECT_EQ(program.placeOf(setp.range),
            "line 5 of the inline assembly, 'setp.gt.f32 p|%q0, $1, 20.'");
}

TEST(Ptx, Constants) {
  struct Row {
    std::string_view text;
    uint64_t bits;
  };
  for (const Row &row :
       {Row{"mov.u32 $0, 017;", 15}, Row{"mov.u32 $0, 0b101;", 5}, Row{"mov.u32 $0, 5U;", 5},
        Row{"mov.s32 $0, -5;", 0xfffffffb}, Row{"mov.u32 $0, (1 << 3) + 2 * 3 | 1;", 15},
        Row{"mov.u32 $0, ~0;", 0xffffffff}, Row{"mov.s32 $0, !5;", 0},
        Row{"mov.f32 $0, -1.5e3;", 0xc4bb8000}, Row{"mov.f32 $0, .5;", 0x3f000000},
        Row{"mov.b32 $0, 0f3F800000;", 0x3f800000}, Row{"mov.f32 $0, -0f3F800000;", 0xbf800000},
        Row{"mov.f32 $0, 0d3ff8000000000000;", 0x3fc00000}})
    EXPECT_EQ(parsed(row.text).instructions[0].operands[0].bits, row.bits) << row.text;
}

TEST(Ptx, VectorsAndOperandsOfOtherWidths) {
  Program program =
      parsed(".reg .b8 b<4>; mov.b32 {b0, _, b2, b3}, $1; mov.b32 $0, {b3, b2, 7, b0};"
             "cvt.u32.u8 ${0}, b0");
  EXPECT_EQ(program.instructions[0].results[0].elements.size(), 4u);
  EXPECT_EQ(program.instructions[0].results[0].elements[1].kind, Operand::Kind::Sink);
  EXPECT_EQ(program.instructions[1].operands[0].elements[2].bits, 7u);
}

TEST(Ptx, Constraints) {
  auto list = parseConstraints("=r, =&h,l,f,n,0,~{memory}");
  ASSERT_TRUE(list.isOk()) << list.status().toString();
  ASSERT_EQ(list->size(), 6u);
  EXPECT_EQ((*list)[1].width(), 16u);
  EXPECT_EQ((*list)[2].width(), 64u);
  EXPECT_TRUE((*list)[4].isImmediate());
  EXPECT_EQ((*list)[5].tiedTo, 0u);
  for (auto [text, reason] : {std::pair("=r,x", "entry 2 of the constraints, 'x', is not known"),
                              {"r,=r", "outputs come first"},
                              {"=r,1", "names no output"},
                              {"=n", "not known"},
                              {"=r,,r", "'', is not known"}})
    EXPECT_THAT(parseConstraints(text).status().message(), HasSubstr(reason));
  // An immediate is its number; a tied input has the output's register.
  const std::optional<int64_t> immediates[] = {std::nullopt, std::nullopt, 0x6a};
  auto program = parseProgram("lop3.b32 $0, $1, $1, $1, $2;", "=r,0,n", immediates);
  ASSERT_TRUE(program.isOk()) << program.status().toString();
  EXPECT_EQ(program->instructions[0].operands[3].bits, 0x6au);
  EXPECT_EQ(program->instructions[0].operands[0].index, program->instructions[0].results[0].index);
}

TEST(Ptx, RefusalsNameTheLineAndWhatIsKnown) {
  struct Row {
    std::string_view text, reason;
  };
  for (const Row &row : {
           Row{"mov.b32 $0, $1;\natom.global.add.u32 $0, [$1], 1;",
               "line 2 of the inline assembly, 'atom.global.add.u32': instruction 'atom': it "
               "accesses memory or addresses"},
           Row{"again: bra again;", "branches are not translated"},
           Row{"shfl.sync.bfly.b32 $0, $1, 1, 31, -1;", "works between the threads"},
           Row{"vadd.u32.u32.u32 $0, $1, $2;", "it is not translated; translated are abs add and"},
           Row{"mul.u32 $0, $1, $2;", "this form of 'mul' is not translated; nearest are\n"
                                      "mul.<lo,hi>.<u16,u32,"},
           Row{"add.u32 $0, $1;", "'add' takes 3 operands, but 2 are given"},
           Row{"add.u64 $0, $1, $2;", "register '$0' is .b32, but 'add' takes .u64 here"},
           Row{".reg .f32 x; add.u32 $0, x, $1;", "register 'x' is .f32, but 'add' takes .u32"},
           Row{"add.f32 $0, $1, 1;", "'add' takes .f32 here: a register or a constant like 1.5"},
           Row{"add.u32 $0, $1, 1.5;", "'add' takes .u32 here: a register or an integer"},
           Row{"add.f16x2 $0, $1, 5;", "'add' takes .f16x2 here: a register"},
           Row{"mov.b32 $0, y;", "register 'y' is not declared"},
           Row{"mov.u32 $0, %tid.x;", "this special register is not translated"},
           Row{"mov.b32 $0, $3;", "operand '$3', but the constraints name 3 operands"},
           Row{".reg .b32 x, x;", "register 'x' is declared twice in this scope"},
           Row{".reg .b128 x;", "'b128' is no type of registers"},
           Row{".shared .b32 x;", "the directive '.shared' is not translated"},
           Row{"{ mov.b32 $0, $1;", "the scope that begins here is not closed"},
           Row{"}", "'}' closes nothing"},
           Row{"mov.b32 $0 $1;", "';' is expected after an instruction, not '$1'"},
           Row{"mov.b32 $0, 0x;", "a number has no digits"},
           Row{"mov.b32 $0, 0f3f8;", "'0f' needs 8 hexadecimal digits"},
           Row{"mov.b32 $0, 99999999999999999999;", "more than 64 bits"},
           Row{"mov.b32 $0, 1e999;", "too large or too small"},
           Row{"mov.b32 {$0, $1, $2}, $1;", "cannot be taken apart into 3 registers"},
           Row{"mov.b32 5, $1;", "the result must be a register"},
           Row{"@$0 mov.b32 $0, $1;", "register '$0' is .b32, but 'mov' takes .pred here"},
           Row{"mov.b32 $0, _;", "'_' can stand for results only"},
           Row{"lop3.b32 $0, $1, $1, $1, $2;", "an integer constant is expected here"},
           Row{"bar.sync $0;", "an integer constant is expected here"},
           Row{"/* open", "a comment is not closed"},
           Row{"mov.b32 $0, \"x\";", "PTX has no character 0x22"},
           Row{"$;", "after '$' the number of an operand is expected"},
           Row{"mov.b32 $0, 5 + 1.5;", "expressions of constants are of integers"},
       })
    EXPECT_THAT(refused(row.text).message(), HasSubstr(row.reason)) << row.text;
  EXPECT_THAT(parseProgram("mov.b32 $0, $1;", "=r,n").status().message(),
              HasSubstr("its value is not known at compile time"));
  EXPECT_EQ(refused("ld.global.b32 $0, [$1];").code(), StatusCode::Unimplemented);
  EXPECT_EQ(refused("add.u32 $0, $1;").code(), StatusCode::InvalidArgument);
  std::string deep(100, '{'), nested = "mov.b32 $0, " + std::string(100, '(') + "1";
  EXPECT_THAT(refused(deep).message(), HasSubstr("64 scopes inside each other"));
  EXPECT_THAT(refused(nested).message(), HasSubstr("nested too deeply"));
}

/// Every prefix of a text and every byte of it replaced is refused or parsed.
TEST(Ptx, DamagedTextsAreSurvived) {
  std::string text = "{.reg .pred p; setp.lt.and.f32 p|_, $1, 0f3f800000, !p; @!p mov.b32 {_, $0}, "
                     "{1, (2|3)<<4}; cvt.rn.f16x2.f32 $0, $1, -1.5e3; /* c */ }";
  for (size_t size = 0; size < text.size(); ++size)
    (void)parseProgram(text.substr(0, size), "=r,r,r").isOk();
  for (size_t i = 0; i < text.size(); ++i)
    for (char c : {'\0', '{', '}', '$', '.', '9', '%', ',', '\xff'}) {
      std::string damaged = text;
      damaged[i] = c;
      (void)parseProgram(damaged, "=r,r,r").isOk();
    }
}

// All forms against ptxas.

/// Splits at a character.
std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);)
    parts.push_back(part);
  return parts;
}

/// Every combination of words that a pattern allows, with the dots in front.
void expand(const std::vector<std::string> &groups, size_t at, const std::string &before,
            std::vector<std::string> &texts) {
  if (at == groups.size()) {
    texts.push_back(before);
    return;
  }
  std::string group = groups[at];
  if (group.size() > 1 && group[1] == '=')
    group = group.substr(2);
  if (group.ends_with('?')) {
    group.pop_back();
    expand(groups, at + 1, before, texts);
  }
  for (const std::string &word : split(group, '|'))
    expand(groups, at + 1, before + "." + word, texts);
}

/// A register of the type in the declarations below.
std::string registerOf(Type type) {
  if (type.kind == Kind::Predicate)
    return "p";
  return fmt::format("r{}", type.width());
}

std::string operandsOf(const FormMatch &match) {
  std::string text;
  for (char letter : match.form->operands) {
    Type type = match.type;
    std::string operand;
    if (letter == 'S' || letter == 'A')
      type = match.source;
    if (letter == 'W')
      type.bits = static_cast<uint8_t>(2 * type.bits);
    if (letter == 'P' || letter == 'N' || letter == 'Q')
      type = {Kind::Predicate, 1, 1};
    if (letter == 'U' || letter == 'B')
      type = {Kind::Bits, 32, 1};
    operand = letter == 'I' ? "5" : registerOf(type);
    text += (text.empty() ? " " : ", ") + operand;
  }
  return text;
}

TEST(Ptx, PtxasTakesEveryForm) {
  if (std::system("ptxas --version > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "there is no ptxas in PATH: the forms are not assembled";
  std::string body;
  size_t numForms = 0;
  for (const Form &form : allForms()) {
    std::vector<std::string> texts;
    expand(split(form.pattern, ' '), 0, "", texts);
    for (const std::string &text : texts) {
      std::vector<std::string> words = split(text.substr(1), '.');
      auto match = matchForm(form.name, std::vector<std::string_view>(words.begin(), words.end()));
      ASSERT_TRUE(match) << form.name << text;
      // Saturation where nothing can saturate is no PTX, but means something all the same.
      Type from = match->source, to = match->type;
      bool isWidening = to.isSigned()
                            ? to.bits > from.bits || (to.bits == from.bits && from.isSigned())
                            : !from.isSigned() && to.bits >= from.bits;
      if (match->modifiers[static_cast<size_t>(Modifier::Sat)] && from.isInteger() &&
          to.isInteger() && isWidening)
        continue;
      std::string operands = form.operands != "*" ? operandsOf(*match)
                             : form.opcode == Opcode::Barrier && form.name[0] == 'b' ? " 0"
                             : form.name == "nanosleep"                              ? " 20"
                                                                                     : "";
      std::string instruction = fmt::format("{}{}{};", form.name, text, operands);
      body += "  " + instruction + "\n";
      ++numForms;
      if (form.operands == "*")
        continue;
      std::string declared = ".reg .pred p; .reg .b8 r8; .reg .b16 r16; .reg .b32 r32; .reg .b64 "
                             "r64; " +
                             instruction;
      Status status = parseProgram(declared, "").status();
      EXPECT_TRUE(status.isOk()) << status.toString();
    }
  }
  EXPECT_GT(numForms, 1000u);
  const TemporaryFolder folder;
  const std::string file = folder.path("forms.ptx");
  std::ofstream(file)
      << ".version 8.8\n.target sm_100a\n.address_size 64\n.visible .entry k() {\n"
         "  .reg .pred p; .reg .b8 r8; .reg .b16 r16; .reg .b32 r32; .reg .b64 r64;\n"
      << body << "  ret;\n}\n";
  std::string command =
      fmt::format("ptxas -arch=sm_100a -O0 {0} -o {0}.cubin > {0}.txt 2>&1", file);
  int status = std::system(command.c_str());
  std::stringstream said;
  said << std::ifstream(file + ".txt").rdbuf();
  if (said.str().find("is not defined for option 'gpu-name'") != std::string::npos)
    GTEST_SKIP() << "ptxas is too old for sm_100a: the forms are not assembled";
  EXPECT_EQ(status, 0) << said.str().substr(0, 4000);
}

} // namespace
} // namespace inlay::ptx
