// SPDX-License-Identifier: Apache-2.0
#include "support/peer.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

class VerifyRun : public ::testing::Test {
 protected:
  void SetUp() override {
    objects_ = test::make_archive(folder_, 3, 4);
    const test::Ran loaded = test::run({test::tool("load"), (folder_ / "scan.wb").string(), "--to", orthanc_.url(),
                                        "-o", (folder_ / "load.wb").string(), "--quiet"},
                                       folder_ / "load.log");
    ASSERT_EQ(loaded.exit, 0) << loaded.text;
  }
  test::Ran verify(const std::vector<std::string>& more) {
    std::vector<std::string> words{test::tool("verify"), (folder_ / "load.wb").string(), "-o",
                                   (folder_ / "verify.wb").string(), "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return test::run(words, folder_ / "verify.log");
  }
  test::TempFolder folder_;
  test::Orthanc orthanc_;
  std::vector<manifest::Object> objects_;
};

}  // namespace

TEST_F(VerifyRun, FindsEveryObjectAtThePeer) {
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "exists"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const auto all = test::objects_of(folder_ / "verify.wb");
  EXPECT_EQ(all.size(), 12U);
  for (const auto& [uid, object] : all) {
    EXPECT_EQ(object.bucket, Bucket::verified);
    EXPECT_EQ(object.verify.value().verdict, "PRESENT");
    EXPECT_EQ(object.verify.value().grade, "E3");
  }
}

TEST_F(VerifyRun, ProvesTheContentOfEveryObject) {
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "content"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const auto& [uid, object] : test::objects_of(folder_ / "verify.wb")) {
    EXPECT_EQ(object.verify.value().verdict, "EQUIVALENT") << uid;
    EXPECT_EQ(object.verify.value().grade, "E4");
  }
}

TEST_F(VerifyRun, MissesAnObjectThatThePeerLost) {
  orthanc_.remove(*objects_[5].sop_instance);
  const test::Ran ran = verify({"--against", orthanc_.url(), "--level", "content"});
  EXPECT_EQ(ran.exit, 5) << ran.text;
  const auto all = test::objects_of(folder_ / "verify.wb");
  EXPECT_EQ(all.size(), 12U);
  for (const auto& [uid, object] : all) {
    const bool lost = uid == *objects_[5].sop_instance;
    EXPECT_EQ(object.verify.value().verdict, lost ? "MISSING" : "EQUIVALENT");
    EXPECT_EQ(object.bucket, lost ? Bucket::failed : Bucket::verified);
  }
}

TEST_F(VerifyRun, ChecksFilesWithoutAPeer) {
  EXPECT_EQ(verify({}).exit, 0);
  std::fstream(path_from_text(objects_[0].source.path), std::ios::in | std::ios::out | std::ios::binary).put('x');
  const test::Ran ran = verify({"--restart"});
  EXPECT_EQ(ran.exit, 5) << ran.text;
}

TEST_F(VerifyRun, EndsWithFourWhenThePeerIsDown) { EXPECT_EQ(verify({"--against", test::dead_url()}).exit, 4); }

}  // namespace waybill
