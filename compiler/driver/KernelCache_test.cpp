#include "compiler/driver/KernelCache.h"

#include "compiler/driver/Context.h"

#include "mlir/IR/Builders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace inlay {
namespace {

namespace fs = std::filesystem;

/// A target that is only its name: nothing here compiles.
class NamedTarget : public Target {
public:
  explicit NamedTarget(std::string name) : name_(std::move(name)) {}
  const std::string &name() const override { return name_; }
  llvm::ArrayRef<std::string_view> stages() const override { return {}; }
  Result<std::vector<KernelImage>> compile(mlir::ModuleOp,
                                           const KernelCompileOptions &) const override {
    return std::vector<KernelImage>();
  }

private:
  std::string name_;
};

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto *begin = reinterpret_cast<const std::byte *>(text.data());
  return {begin, begin + text.size()};
}

std::vector<KernelImage> someImages() {
  KernelImage ptx{"cuda:sm_90a", ImageFormat::Ptx, "kernel", bytesOf("code\n\0more")};
  ptx.numWarps = 8;
  ptx.sharedBytes = 49152;
  ptx.registers = 40;
  ptx.spillBytes = 4;
  ptx.ptxVersion = 90;
  ptx.scratchBytes = uint64_t{5} << 32;
  KernelImage cubin = ptx;
  cubin.format = ImageFormat::Cubin;
  cubin.bytes = bytesOf(std::string(3000, '\xff'));
  return {ptx, cubin};
}

void expectSome(const std::optional<std::vector<KernelImage>> &found) {
  ASSERT_TRUE(found);
  std::vector<KernelImage> expected = someImages();
  ASSERT_EQ(found->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*found)[i].target, expected[i].target);
    EXPECT_EQ((*found)[i].format, expected[i].format);
    EXPECT_EQ((*found)[i].entry, expected[i].entry);
    EXPECT_EQ((*found)[i].bytes, expected[i].bytes);
    EXPECT_EQ((*found)[i].numWarps, expected[i].numWarps);
    EXPECT_EQ((*found)[i].sharedBytes, expected[i].sharedBytes);
    EXPECT_EQ((*found)[i].registers, expected[i].registers);
    EXPECT_EQ((*found)[i].spillBytes, expected[i].spillBytes);
    EXPECT_EQ((*found)[i].ptxVersion, expected[i].ptxVersion);
    EXPECT_EQ((*found)[i].scratchBytes, expected[i].scratchBytes);
  }
}

class KernelCacheTest : public testing::Test {
protected:
  KernelCacheTest() : context_(createContext()) {
    std::string pattern = (fs::temp_directory_path() / "inlay-cache-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~KernelCacheTest() override { fs::remove_all(folder_); }

  mlir::OwningOpRef<mlir::ModuleOp> module(const std::string &kernel) {
    auto parsed = parseModule(*context_, "kernel.mlir",
                              "func.func @" + kernel + "() attributes {tile.kernel} { return }");
    EXPECT_TRUE(parsed.isOk()) << parsed.status().toString();
    return std::move(*parsed);
  }
  std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    for (const auto &entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with("llvmcache-"))
        found.push_back(entry.path());
    return found;
  }

  std::string folder_;
  std::unique_ptr<mlir::MLIRContext> context_;
  NamedTarget target_{"cuda:sm_90a"};
};

TEST_F(KernelCacheTest, FindsWhatWasStored) {
  KernelCache cache(folder_ + "/made/on/demand", 1 << 20);
  auto kernel = module("a");
  EXPECT_FALSE(cache.find(*kernel, target_));
  cache.store(*kernel, target_, someImages());
  expectSome(cache.find(*kernel, target_));
}

TEST_F(KernelCacheTest, TellsKernelsAndTargetsApart) {
  KernelCache cache(folder_, 1 << 20);
  auto kernel = module("a"), other = module("b");
  cache.store(*kernel, target_, someImages());
  EXPECT_FALSE(cache.find(*other, target_));
  EXPECT_FALSE(cache.find(*kernel, NamedTarget("cuda:sm_80")));
  (*kernel)->setAttr("tile.num_warps", mlir::Builder(context_.get()).getI32IntegerAttr(8));
  EXPECT_FALSE(cache.find(*kernel, target_));
}

TEST_F(KernelCacheTest, PassesOverEveryDamageAndReplacesIt) {
  KernelCache cache(folder_, 1 << 20);
  auto kernel = module("a");
  cache.store(*kernel, target_, someImages());
  ASSERT_EQ(entries().size(), 1u);
  const fs::path path = entries().front();
  std::ifstream stream(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  auto damage = [&](const std::string &bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    EXPECT_FALSE(cache.find(*kernel, target_));
  };
  for (size_t size = 0; size < whole.size(); size += 1 + whole.size() / 50)
    damage(whole.substr(0, size));
  for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 50) {
    std::string flipped = whole;
    flipped[at] ^= 4;
    damage(flipped);
  }
  damage(whole + "x");
  cache.store(*kernel, target_, someImages());
  expectSome(cache.find(*kernel, target_));
}

TEST_F(KernelCacheTest, ManyThreadsMayUseOneFolder) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      auto context = createContext();
      KernelCache cache(folder_, 64 << 20);
      for (int i = 0; i < 20; ++i) {
        auto kernel = parseModule(*context, "kernel.mlir",
                                  "func.func @k" + std::to_string((i + t) % 5) +
                                      "() attributes {tile.kernel} { return }");
        ASSERT_TRUE(kernel.isOk());
        if (auto found = cache.find(**kernel, target_))
          expectSome(found);
        else
          cache.store(**kernel, target_, someImages());
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(entries().size(), 5u);
}

TEST_F(KernelCacheTest, StaysWithinItsLimit) {
  constexpr uint64_t kLimit = 20000; // about five entries
  for (int i = 0; i < 12; ++i) {
    // The folder's size is looked at once a minute: forget that it was.
    fs::remove(folder_ + "/llvmcache.timestamp");
    KernelCache(folder_, kLimit).store(*module("k" + std::to_string(i)), target_, someImages());
  }
  uint64_t size = 0;
  for (const fs::path &path : entries())
    size += fs::file_size(path);
  EXPECT_LE(size, kLimit);
  EXPECT_GT(entries().size(), 0u);
}

TEST_F(KernelCacheTest, GoesOnWithoutAFolderThatCannotBeMade) {
  std::ofstream(folder_ + "/file") << "no folder";
  KernelCache cache(folder_ + "/file", 1 << 20);
  auto kernel = module("a");
  cache.store(*kernel, target_, someImages());
  EXPECT_FALSE(cache.find(*kernel, target_));
}

TEST_F(KernelCacheTest, IsAskedForByTheEnvironment) {
  unsetenv("INLAY_CACHE_DIR");
  auto none = KernelCache::fromEnvironment();
  ASSERT_TRUE(none.isOk());
  EXPECT_FALSE(*none);
  setenv("INLAY_CACHE_DIR", folder_.c_str(), 1);
  auto cache = KernelCache::fromEnvironment();
  ASSERT_TRUE(cache.isOk());
  EXPECT_TRUE(*cache);
  for (const char *wrong : {"0", "-1", "many", "10x", "99999999999999999999"}) {
    setenv("INLAY_CACHE_MB", wrong, 1);
    EXPECT_THAT(KernelCache::fromEnvironment().status().toString(),
                testing::HasSubstr(std::string("INLAY_CACHE_MB is '") + wrong + "'"));
  }
  unsetenv("INLAY_CACHE_MB");
  unsetenv("INLAY_CACHE_DIR");
}

} // namespace
} // namespace inlay
