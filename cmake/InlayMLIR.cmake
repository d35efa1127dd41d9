# MLIR and LLVM 22: one interface target that hides shared or static linking, the shared precompiled header, and
# dialect generation.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

add_library(inlay_mlir INTERFACE)
target_include_directories(inlay_mlir SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
target_link_directories(inlay_mlir INTERFACE ${LLVM_LIBRARY_DIRS})
target_compile_definitions(inlay_mlir INTERFACE ${LLVM_DEFINITIONS_LIST})
target_compile_options(inlay_mlir INTERFACE -Wno-unused-parameter)
# LLD has no imported targets for these libraries: they are found by name.
target_link_directories(inlay_mlir INTERFACE ${LLVM_LIBRARY_DIRS})
if(INLAY_STATIC_MLIR)
  # By file: as targets, Debian's archives bring the shared libLLVM with them. The linker takes what is used.
  file(GLOB inlay_archives ${MLIR_INSTALL_PREFIX}/lib/libMLIR*.a ${MLIR_INSTALL_PREFIX}/lib/libLLVM*.a)
  add_library(inlay_static_llvm STATIC ${CMAKE_CURRENT_LIST_DIR}/StaticLlvm.cpp)
  target_include_directories(inlay_static_llvm SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS})
  target_compile_options(inlay_static_llvm PRIVATE -fno-rtti -fno-exceptions)
  target_link_libraries(inlay_mlir INTERFACE inlay_static_llvm ${inlay_archives} liblldELF.a liblldCommon.a libz.a libzstd.a)
else()
  target_link_libraries(inlay_mlir INTERFACE MLIR lldELF lldCommon LLVM z zstd)
endif()

# The precompiled header that every MLIR-using library shares: it brings a file from about 20 s to 3-5 s.
file(WRITE ${PROJECT_BINARY_DIR}/mlir_pch.cpp "")
add_library(inlay_mlir_pch STATIC ${PROJECT_BINARY_DIR}/mlir_pch.cpp)
target_link_libraries(inlay_mlir_pch PRIVATE inlay_options inlay_no_exceptions inlay_mlir)
target_precompile_headers(inlay_mlir_pch PRIVATE
  <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/BuiltinTypes.h> <mlir/IR/PatternMatch.h>
  <mlir/Pass/Pass.h> <mlir/Transforms/DialectConversion.h> <mlir/Dialect/Arith/IR/Arith.h>
  <mlir/Dialect/Math/IR/Math.h> <mlir/Dialect/SCF/IR/SCF.h> <mlir/Dialect/Func/IR/FuncOps.h>
  <mlir/Dialect/LLVMIR/LLVMDialect.h> <string> <vector> <memory>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(inlay_mlir INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# inlay_dialect(NAME FILE.td [TYPES] [ATTRS] [ENUMS]): generates FILE*.inc beside the build tree's copy of this folder,
# under the target inlay_NAME_gen.
function(inlay_dialect name dialect td)
  cmake_parse_arguments(ARG "TYPES;ATTRS;ENUMS" "" "" ${ARGN})
  get_filename_component(stem ${td} NAME_WE)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(include -I${PROJECT_SOURCE_DIR} -I${MLIR_INCLUDE_DIRS})
  mlir_tablegen(${stem}.h.inc -gen-op-decls ${include})
  mlir_tablegen(${stem}.cpp.inc -gen-op-defs ${include})
  mlir_tablegen(${stem}Dialect.h.inc -gen-dialect-decls -dialect=${dialect} ${include})
  mlir_tablegen(${stem}Dialect.cpp.inc -gen-dialect-defs -dialect=${dialect} ${include})
  if(ARG_TYPES)
    mlir_tablegen(${stem}Types.h.inc -gen-typedef-decls -typedefs-dialect=${dialect} ${include})
    mlir_tablegen(${stem}Types.cpp.inc -gen-typedef-defs -typedefs-dialect=${dialect} ${include})
  endif()
  if(ARG_ATTRS)
    mlir_tablegen(${stem}Attrs.h.inc -gen-attrdef-decls -attrdefs-dialect=${dialect} ${include})
    mlir_tablegen(${stem}Attrs.cpp.inc -gen-attrdef-defs -attrdefs-dialect=${dialect} ${include})
  endif()
  if(ARG_ENUMS)
    mlir_tablegen(${stem}Enums.h.inc -gen-enum-decls ${include})
    mlir_tablegen(${stem}Enums.cpp.inc -gen-enum-defs ${include})
  endif()
  add_public_tablegen_target(inlay_${name}_gen)
endfunction()
