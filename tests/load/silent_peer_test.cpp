// SPDX-License-Identifier: Apache-2.0
#include "support/peer.hpp"

#include <algorithm>

namespace waybill {

namespace {

using manifest::Bucket;

constexpr int kStudies = 20;
constexpr int kObjects = 4;

class SilentPeerTest : public ::testing::Test {
 protected:
  test::Ran load(const std::string& mode) {
    const test::SilentPeer way(orthanc_, lost_, mode);
    return test::run({test::tool("load"), (folder_ / "scan.wb").string(), "--to", way.url(), "-o",
                      (folder_ / "load.wb").string(), "--quiet", "--associations", "2", "--timeout", "2"},
                     folder_ / "load.log");
  }
  test::TempFolder folder_;
  test::Orthanc orthanc_;
  std::vector<manifest::Object> objects_ = test::make_archive(folder_, kStudies, kObjects);
  const std::string lost_ = *objects_[1].sop_instance;  // of the first study, so that everything else waits behind it
};

}  // namespace

TEST_F(SilentPeerTest, AnObjectThatNeverGetsAnAnswerIsSentTwiceAndHoldsUpNoOtherStudy) {
  const test::Ran ran = load("request");
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(orthanc_.stores(), static_cast<std::size_t>(kStudies * kObjects - 1));
  const auto all = test::objects_of(folder_ / "load.wb");
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kStudies * kObjects));
  const manifest::Object& lost = all.at(lost_);
  EXPECT_EQ(lost.bucket, Bucket::failed);
  EXPECT_EQ(lost.load.value().outcome, "no-answer");
  EXPECT_EQ(lost.load->attempts, 2U);
  ASSERT_FALSE(lost.findings.empty());
  EXPECT_EQ(lost.findings.back().code, "LOAD-NOANSWER");
  for (const auto& [uid, object] : all) {
    if (uid == lost_) continue;
    EXPECT_EQ(object.bucket, Bucket::loaded);
    EXPECT_EQ(object.load.value().attempts, 1U) << uid;
    if (object.study != lost.study) {
      EXPECT_LT(object.load->at, lost.load->at) << uid << " waited";
    }
  }
}

TEST_F(SilentPeerTest, AnObjectWhoseAnswerWasLostIsFoundAndNotSentAgain) {
  const test::Ran ran = load("answer");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(orthanc_.stores(), static_cast<std::size_t>(kStudies * kObjects));
  const auto all = test::objects_of(folder_ / "load.wb");
  EXPECT_EQ(all.at(lost_).bucket, Bucket::loaded);
  EXPECT_EQ(all.at(lost_).load.value().outcome, "found-after-interruption");
  EXPECT_EQ(all.at(lost_).load->attempts, 1U);
}

TEST_F(SilentPeerTest, AnObjectThatGotLostOnceArrivesTheSecondTime) {
  const test::Ran ran = load("once");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(orthanc_.stores(), static_cast<std::size_t>(kStudies * kObjects));
  const auto all = test::objects_of(folder_ / "load.wb");
  EXPECT_EQ(all.at(lost_).load.value().outcome, "sent");
  EXPECT_EQ(all.at(lost_).load->attempts, 2U);
}

}  // namespace waybill
