// SPDX-License-Identifier: Apache-2.0
#include "transcode/policy.hpp"

#include "transcode/support.hpp"

#include <algorithm>

namespace waybill::transcode {
namespace {

Object object_of(const std::string& syntax, const std::string& modality = "CT", const std::string& sop_class = "1.2") {
  Object object;
  object.transfer_syntax = syntax;
  object.modality = modality;
  object.sop_class = sop_class;
  return object;
}

const std::string kNativeSyntax = "1.2.840.10008.1.2.1";

class PolicyFile : public InFolder {
 protected:
  [[nodiscard]] Policy read(const std::string& text, const std::optional<Order>& asked = std::nullopt) const {
    put(folder_ / "policy.toml", text);
    return Policy::read(folder_ / "policy.toml", asked);
  }
  [[nodiscard]] std::string refusal(const std::string& text) const {
    std::string why;
    EXPECT_EQ(exit_of([&] { (void)read(text); }, &why), Exit::usage) << text;
    return why;
  }
};

TEST_F(PolicyFile, TheExampleIsSoundAndDoesWhatItSays) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  const char* bin = std::getenv("WAYBILL_BIN");
  if (source == nullptr && bin == nullptr)
    GTEST_SKIP() << "neither WAYBILL_SOURCE nor WAYBILL_BIN tells where the source is";
  const fs::path root = source != nullptr ? fs::path(source) : fs::path(bin).parent_path().parent_path().parent_path();
  const Policy policy = Policy::read(root / "manifests/examples/policy.toml", std::nullopt);
  EXPECT_EQ(policy.decide(object_of("1.2.840.10008.1.2.4.50")).order.syntax, "");
  EXPECT_EQ(policy.decide(object_of("1.2.840.10008.1.2.4.50")).rule, "lossy codestreams and video stay");
  EXPECT_EQ(policy.decide(object_of("1.2.840.10008.1.2.4.100")).order.syntax, "");
  EXPECT_EQ(policy.decide(object_of("1.2.840.10008.1.2.4.70")).rule, "lossless codestreams stay");
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax, "MG")).order.syntax, "1.2.840.10008.1.2.4.90");
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax, "SEG", "1.2.840.10008.5.1.4.1.1.66.4")).order.syntax,
            "1.2.840.10008.1.2.5");
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax)).order.syntax, "1.2.840.10008.1.2.4.80");
}

TEST_F(PolicyFile, TheFirstRuleThatFitsDecidesAndWhatNoneFitsIsKept) {
  const Policy policy = read(
      "to = \"rle\"\n[[rule]]\nname = \"a\"\nmodality = [\"CT\"]\nto = \"jpeg-ls\"\nkeep_larger = true\n"
      "[[rule]]\nname = \"b\"\nfrom = [\"1.2.840.10008.1.2.1\"]\n");
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax, "CT")).rule, "a");
  EXPECT_TRUE(policy.decide(object_of(kNativeSyntax, "CT")).order.keep_larger);
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax, "MR")).order.syntax, "1.2.840.10008.1.2.5");
  EXPECT_FALSE(policy.decide(object_of(kNativeSyntax, "MR")).order.keep_larger);
  EXPECT_EQ(policy.decide(object_of("1.2.840.10008.1.2", "MR")).rule, "no rule");
  EXPECT_EQ(policy.decide(object_of("1.2.840.10008.1.2", "MR")).order.syntax, "");
}

TEST_F(PolicyFile, TheCommandLineWinsOverTheFilesTargetButNotOverARules) {
  const Policy policy =
      read("to = \"rle\"\n[[rule]]\nname = \"a\"\nmodality = [\"CT\"]\nto = \"keep\"\n[[rule]]\nname = \"b\"\n",
           Order{"1.2.840.10008.1.2.4.80"});
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax, "CT")).order.syntax, "");
  EXPECT_EQ(policy.decide(object_of(kNativeSyntax, "MR")).order.syntax, "1.2.840.10008.1.2.4.80");
}

TEST_F(PolicyFile, WhatIsMisspeltIsRefusedWithItsLine) {
  EXPECT_NE(refusal("[[rule]]\nname = \"a\"\nmodalities = [\"CT\"]\n").find("line 3: unknown key `modalities`"),
            std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nname = \"a\"\nto = \"jpeg\"\n").find("line 3"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nname = \"a\"\nfrom = [\"naitve\"]\n").find("line 3"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nto = \"rle\"\n").find("without a `name`"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nname = \"a\"\nmodality = []\n").find("would fit nothing"), std::string::npos);
  EXPECT_NE(refusal("[[rule]]\nname = \n").find("line 2"), std::string::npos);
  EXPECT_NE(refusal("to = \"rle\"\n").find("no [[rule]]"), std::string::npos);
}

class TranscodeByPolicy : public Transcode {};

TEST_F(TranscodeByPolicy, TheRecordNamesTheRuleAndAnotherPolicyDoesNotContinueTheRun) {
  add("IM", file_of({}));
  scan();
  put(folder_ / "policy.toml", "[[rule]]\nname = \"other things\"\nmodality = [\"OT\"]\nto = \"rle\"\n");
  Options o = options("");
  o.policy = folder_ / "policy.toml";
  const auto objects = transcode(o);
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].transcode->rule, "other things");
  EXPECT_EQ(objects[0].transcode->to, "1.2.840.10008.1.2.5");
  put(folder_ / "policy.toml", "[[rule]]\nname = \"other things\"\nmodality = [\"OT\"]\nto = \"jpeg-ls\"\n");
  EXPECT_EQ(exit_of([&] { continue_run(o); }), Exit::usage);
}

TEST_F(TranscodeByPolicy, WithoutProofTheManifestSaysSo) {
  add("IM", file_of({}));
  scan();
  Options o = options("jpeg-ls");
  const auto proved = transcode(o);
  o.verify = false;
  const auto objects = transcode(o);
  EXPECT_EQ(objects.at(0).transcode->verified_by, "none");
  EXPECT_EQ(objects[0].transcode->file_sha256, proved.at(0).transcode->file_sha256);
  EXPECT_EQ(objects[0].transcode->dataset_sha256, proved[0].transcode->dataset_sha256);
  EXPECT_NE(header_of(o).options.find("\"verify\":\"none\""), std::string::npos);
}

TEST_F(TranscodeByPolicy, MembersOfAContainerAreReadInOnePassForAnyNumberOfThreads) {
  for (unsigned n = 0; n < 40; ++n) {
    Image image;
    image.sop_instance = "1.2.3.4." + std::to_string(n + 1);
    image.seed = n;
    put(folder_ / "in" / ("IM" + std::to_string(n)), file_of(image));
  }
  ASSERT_EQ(in_folder("tar -czf archive/all.tar.gz in && rm -r in").exit, 0);
  scan();
  const auto one = transcode(options("jpeg-ls", 1), "one.wb");
  ASSERT_EQ(
      std::ranges::count_if(one, [](const Object& o) { return o.transcode && o.transcode->outcome == "transcoded"; }),
      40);
  for (const unsigned threads : {2U, 4U}) {
    (void)transcode(options("jpeg-ls", threads), "more.wb");
    EXPECT_EQ(lines_of(folder_ / "one.wb"), lines_of(folder_ / "more.wb")) << threads;
  }
}

}  // namespace
}  // namespace waybill::transcode
