#include "compiler/plugins/ImplementationPolicy.h"

#include "compiler/plugins/PluginDefinition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inlay {
namespace {

using testing::HasSubstr;

class Plugin final : public PluginDefinition {
public:
  Plugin(bool hasAot, bool hasJit, std::optional<ImplementationPolicy> policy = {})
      : hasAot_(hasAot), hasJit_(hasJit) {
    opName_ = "my::f.Tensor";
    origin_ = "f.toml:1";
    policy_ = policy;
  }
  bool hasAot() const override { return hasAot_; }
  bool hasJit() const override { return hasJit_; }
  Result<PluginDescription> describe(const PluginNode &) const override {
    return PluginDescription();
  }
  Result<PluginImplementation> implement(const PluginNode &) const override {
    return PluginImplementation();
  }

private:
  bool hasAot_, hasJit_;
};

/// "jit: reason", or the error's message.
std::string choose(std::initializer_list<const char *> said, const Plugin &plugin) {
  ImplementationPolicies policies;
  for (const char *text : said)
    if (Status status = policies.add(text); !status.isOk())
      return status.message();
  Result<ImplementationChoice> choice = policies.choose(plugin);
  return choice.isOk() ? (choice->isJit ? "jit: " : "aot: ") + choice->reason
                       : choice.status().message();
}

TEST(ImplementationPolicy, WithoutAnyAotIsPreferred) {
  EXPECT_EQ(choose({}, Plugin(true, true)), "aot: prefer-aot of the default");
  EXPECT_EQ(choose({}, Plugin(true, false)), "aot: the plugin has no other");
  EXPECT_EQ(choose({}, Plugin(false, true)), "jit: the plugin has no other");
}

TEST(ImplementationPolicy, PreferencesChooseAndStrictOnesInsist) {
  EXPECT_EQ(choose({"prefer-jit"}, Plugin(true, true)), "jit: prefer-jit of the build");
  EXPECT_EQ(choose({"prefer-jit"}, Plugin(true, false)), "aot: the plugin has no other");
  EXPECT_EQ(choose({"strict-jit"}, Plugin(true, true)), "jit: strict-jit of the build");
  EXPECT_EQ(
      choose({"strict-jit"}, Plugin(true, false)),
      "the build asks for strict-jit, but plugin my::f.Tensor (f.toml:1) has no host function "
      "(jit)");
  EXPECT_EQ(
      choose({"strict-aot"}, Plugin(false, true)),
      "the build asks for strict-aot, but plugin my::f.Tensor (f.toml:1) has no kernels (aot): "
      "it is a host function");
}

TEST(ImplementationPolicy, WhoNamesTheOperatorCountsFirst) {
  const auto jit = ImplementationPolicy::StrictJit;
  EXPECT_EQ(choose({}, Plugin(true, true, jit)), "jit: strict-jit of the plugin");
  EXPECT_EQ(choose({"prefer-aot"}, Plugin(true, true, jit)), "jit: strict-jit of the plugin");
  EXPECT_EQ(choose({"strict-aot"}, Plugin(true, true, jit)), "aot: strict-aot of the build");
  EXPECT_EQ(choose({"strict-aot", "my::f=prefer-jit"}, Plugin(true, true)),
            "jit: prefer-jit of the build for my::f");
  EXPECT_EQ(choose({"my::f=strict-jit", "my::f.Tensor=strict-aot"}, Plugin(true, true)),
            "aot: strict-aot of the build for my::f.Tensor");
}

TEST(ImplementationPolicy, OtherTextsAreRefused) {
  EXPECT_THAT(choose({"aot"}, Plugin(true, true)), HasSubstr("'aot' is no policy; expected"));
  EXPECT_THAT(choose({"my::f=jit"}, Plugin(true, true)), HasSubstr("'jit' is no policy"));
  EXPECT_THAT(choose({"f=strict-jit"}, Plugin(true, true)), HasSubstr("names no operator"));
}

} // namespace
} // namespace inlay
