# The few CMake functions that every folder uses.
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(Threads REQUIRED)
include(GoogleTest)

# minizip with zlib, for .npz and .pt2 archives; in the archive form where programs are to need nothing else.
add_library(inlay_minizip INTERFACE)
if(INLAY_STATIC_MLIR)
  target_link_libraries(inlay_minizip INTERFACE libminizip.a libz.a)
else()
  target_link_libraries(inlay_minizip INTERFACE minizip z)
endif()

add_library(inlay_options INTERFACE)
target_include_directories(inlay_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
# Generated files are not ours to warn about.
target_include_directories(inlay_options SYSTEM INTERFACE ${PROJECT_BINARY_DIR})
target_compile_options(inlay_options INTERFACE -Wall -Wextra -Wshadow -ffunction-sections -fdata-sections
                                               $<$<BOOL:${INLAY_WERROR}>:-Werror>)
target_link_options(inlay_options INTERFACE -Wl,--gc-sections)
if(INLAY_SANITIZE)
  target_compile_options(inlay_options INTERFACE -fsanitize=${INLAY_SANITIZE} -fno-omit-frame-pointer
                                                 -fno-sanitize-recover=all)
  target_link_options(inlay_options INTERFACE -fsanitize=${INLAY_SANITIZE})
endif()
# A fuzz target sees only the branches of code that counts them: all of ours, not the target's own file alone.
if(INLAY_FUZZ)
  target_compile_options(inlay_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(inlay_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Production code neither throws nor uses run-time type information; tests and tools with CLI11 may.
add_library(inlay_no_exceptions INTERFACE)
target_compile_options(inlay_no_exceptions INTERFACE -fno-exceptions -fno-rtti)
target_compile_definitions(inlay_no_exceptions INTERFACE FMT_EXCEPTIONS=0)

# inlay_library(NAME SOURCES a.cpp … [DEPS lib …] [PRIVATE_DEPS lib …] [MLIR])
# A static library of one folder, also known as Inlay::NAME. MLIR: link MLIR/LLVM and reuse the shared
# precompiled header.
function(inlay_library name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(inlay_${name} STATIC ${ARG_SOURCES})
  add_library(Inlay::${name} ALIAS inlay_${name})
  target_link_libraries(inlay_${name} PUBLIC inlay_options ${ARG_DEPS}
                        PRIVATE inlay_no_exceptions ${ARG_PRIVATE_DEPS})
  if(ARG_MLIR)
    target_link_libraries(inlay_${name} PUBLIC inlay_mlir)
    target_precompile_headers(inlay_${name} REUSE_FROM inlay_mlir_pch)
  else()
    target_compile_options(inlay_${name} PRIVATE -Wconversion -Wno-sign-conversion)
  endif()
endfunction()

# inlay_test(NAME SOURCES a_test.cpp … [DEPS lib …] [LABEL unit])
# One GoogleTest binary; each of its tests is a CTest test. Tests run in the source root.
function(inlay_test name)
  cmake_parse_arguments(ARG "MLIR" "LABEL" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name}_tests ${ARG_SOURCES})
  target_link_libraries(${name}_tests PRIVATE inlay_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(${name}_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(ARG_MLIR)
    target_link_libraries(${name}_tests PRIVATE inlay_mlir)
  endif()
  gtest_discover_tests(${name}_tests TEST_PREFIX ${name}. WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                       DISCOVERY_MODE PRE_TEST PROPERTIES LABELS ${ARG_LABEL})
endfunction()

# inlay_fuzz(NAME SOURCES a.cpp DEPS lib …): a libFuzzer target, only where INLAY_FUZZ is on. Its seeds lie in
# tests/fuzz/corpus/NAME; CTest runs it on them, on as many inputs everywhere.
set(INLAY_FUZZ_RUNS 10000 CACHE STRING "Inputs each fuzz target runs in the test suite")
function(inlay_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(NOT INLAY_FUZZ)
    return()
  endif()
  add_executable(fuzz_${name} ${ARG_SOURCES})
  target_link_libraries(fuzz_${name} PRIVATE inlay_options ${ARG_DEPS})
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME fuzz.${name}
           COMMAND ${PROJECT_SOURCE_DIR}/tests/fuzz/run_fuzz.sh $<TARGET_FILE:fuzz_${name}>
                   ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name} ${INLAY_FUZZ_RUNS})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
endfunction()
