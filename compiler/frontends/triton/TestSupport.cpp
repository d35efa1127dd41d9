#include "compiler/frontends/triton/TestSupport.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace inlay::triton {

namespace {

constexpr std::string_view kImports = "import triton, torch, math, os; import triton.language as "
                                      "tl; from triton.language.extra import libdevice\n";

} // namespace

KernelRequest request(std::string_view source, std::string_view signature,
                      std::map<std::string, ConstexprValue> constexprs, std::string function) {
  KernelRequest result;
  result.path = "test.py";
  result.source = std::string(kImports) + std::string(source);
  result.function = std::move(function);
  result.signature = splitSignature(signature);
  result.constexprs = std::move(constexprs);
  return result;
}

KernelRequest requestFromFile(const std::string &file, std::string function,
                              std::string_view signature,
                              std::map<std::string, ConstexprValue> constexprs) {
  std::string path = "compiler/frontends/triton/test/" + file;
  std::ifstream stream(path);
  EXPECT_TRUE(stream.good()) << "cannot open " << path;
  std::stringstream text;
  text << stream.rdbuf();
  KernelRequest result = request("", signature, std::move(constexprs), std::move(function));
  result.path = file;
  result.source = text.str();
  return result;
}

std::string import(const KernelRequest &request) {
  mlir::MLIRContext context;
  Result<mlir::OwningOpRef<mlir::ModuleOp>> module = importKernel(context, request);
  if (!module.isOk())
    return "ERROR " + module.status().message();
  std::string text;
  llvm::raw_string_ostream stream(text);
  (**module)->print(stream);
  return text;
}

std::string importBody(std::string_view parameters, std::string_view body,
                       std::string_view signature,
                       std::map<std::string, ConstexprValue> constexprs) {
  std::string source = fmt::format("@triton.jit\ndef kernel({}):\n", parameters);
  for (size_t begin = 0; begin <= body.size();) {
    size_t end = std::min(body.find('\n', begin), body.size());
    source += fmt::format("    {}\n", body.substr(begin, end - begin));
    begin = end + 1;
  }
  return import(request(source, signature, std::move(constexprs)));
}

} // namespace inlay::triton
