// inlay-opt: runs compiler passes on textual IR, for tests and for looking at one pass at a time.
#include "compiler/driver/RegisterAll.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  inlay::registerAllDialects(registry);
  inlay::registerAllPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Inlay's pass driver", registry));
}
