#include "compiler/driver/Context.h"

#include "base/Error.h"
#include "compiler/dialects/graph/Graph.h"
#include "compiler/dialects/plan/Plan.h"
#include "compiler/dialects/tile/Tile.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

namespace inlay {

void registerStageDialects(mlir::DialectRegistry &registry) {
  registry
      .insert<graph::GraphDialect, plan::PlanDialect, tile::TileDialect, mlir::func::FuncDialect,
              mlir::arith::ArithDialect, mlir::math::MathDialect, mlir::scf::SCFDialect>();
}

std::unique_ptr<mlir::MLIRContext> createContext() {
  mlir::DialectRegistry registry;
  registerStageDialects(registry);
  auto context =
      std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

DiagnosticCollector::DiagnosticCollector(mlir::MLIRContext &context)
    : handler_(&context, [this](mlir::Diagnostic &diagnostic) {
        llvm::raw_string_ostream stream(text_);
        diagnostic.getLocation()->print(stream);
        stream << ": " << diagnostic << "\n";
        for (mlir::Diagnostic &note : diagnostic.getNotes()) {
          note.getLocation()->print(stream);
          stream << ": note: " << note << "\n";
        }
        return mlir::success();
      }) {}

Result<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(mlir::MLIRContext &context, const std::string &name, std::string_view text) {
  DiagnosticCollector diagnostics(context);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(llvm::StringRef(text),
                                                        mlir::ParserConfig(&context), name);
  if (!module)
    return invalidArgument("cannot read the IR in '{}':\n{}", name, diagnostics.text());
  return module;
}

std::string printOperation(mlir::Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream, mlir::OpPrintingFlags().assumeVerified());
  return text + "\n";
}

} // namespace inlay
