// Opened by DynamicLibrary_test.cpp.
extern "C" __attribute__((visibility("default"))) int INLAY_TEST_FUNCTION(int x) { return x + 1; }
