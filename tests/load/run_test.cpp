// SPDX-License-Identifier: Apache-2.0
#include "support/peer.hpp"

namespace waybill {

namespace {

using manifest::Bucket;
using test::objects_of;

class LoadRun : public ::testing::Test {
 protected:
  test::Ran load(const std::string& url, const std::vector<std::string>& more = {}) {
    return test::run(words(url, more), folder_ / "load.log");
  }
  std::vector<std::string> words(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{
        test::tool("load"), (folder_ / "scan.wb").string(), "--to", url, "-o", (folder_ / "load.wb").string(),
        "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::size_t loaded() {
    std::size_t count = 0;
    for (const auto& [uid, object] : objects_of(folder_ / "load.wb")) count += object.bucket == Bucket::loaded ? 1 : 0;
    return count;
  }
  test::TempFolder folder_;
};

}  // namespace

TEST_F(LoadRun, SendsEveryObjectOnceAndASecondRunSendsNothing) {
  const test::Orthanc orthanc;
  test::make_archive(folder_, 3, 7);
  const test::Ran first = load(orthanc.url());
  EXPECT_EQ(first.exit, 0) << first.text;
  EXPECT_EQ(loaded(), 21U);
  EXPECT_EQ(orthanc.stores(), 21U);

  const test::Ran second = load(orthanc.url());
  EXPECT_EQ(second.exit, 0) << second.text;
  EXPECT_NE(second.text.find("complete already"), std::string::npos);
  EXPECT_EQ(orthanc.stores(), 21U);
}

TEST_F(LoadRun, EndsWithFourWhenThePeerIsDownAndContinuesLater) {
  test::make_archive(folder_, 1, 3);
  const test::Ran down = load(test::dead_url());
  EXPECT_EQ(down.exit, 4) << down.text;
  const test::Ran again = load(test::dead_url());
  EXPECT_EQ(again.exit, 4) << again.text;
}

TEST_F(LoadRun, DoesNotSendAFileWhoseBytesChanged) {
  const test::Orthanc orthanc;
  const auto objects = test::make_archive(folder_, 1, 3);
  std::fstream(path_from_text(objects[1].source.path), std::ios::in | std::ios::out | std::ios::binary).put('x');
  const test::Ran ran = load(orthanc.url());
  EXPECT_EQ(ran.exit, 5) << ran.text;
  EXPECT_EQ(orthanc.stores(), 2U);
  const auto all = objects_of(folder_ / "load.wb");
  EXPECT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at(*objects[1].sop_instance).bucket, Bucket::failed);
  EXPECT_EQ(all.at(*objects[1].sop_instance).findings.at(0).code, "LOAD-FIXITY");
}

TEST_F(LoadRun, SendsNothingTwiceAfterBeingKilled) {
  const test::Orthanc orthanc;
  test::make_archive(folder_, 20, 30);
  const pid_t child = test::spawn(words(orthanc.url(), {"--associations", "2"}), folder_ / "killed.log");
  ASSERT_TRUE(test::wait_until([&] { return orthanc.stores() >= 120; }));
  ::kill(child, SIGKILL);
  EXPECT_EQ(test::wait_for(child), 128 + SIGKILL) << "it was over before it could be killed";
  const std::size_t before = orthanc.stores();
  EXPECT_LT(before, 600U);

  const test::Ran second = load(orthanc.url());
  EXPECT_EQ(second.exit, 0) << second.text;
  EXPECT_EQ(loaded(), 600U);
  EXPECT_EQ(orthanc.stores(), 600U);
}

TEST_F(LoadRun, RecordsWhatWasAnsweredWhenThePeerDiesInBetween) {
  test::make_archive(folder_, 20, 30);
  std::size_t before = 0;
  {
    const test::Orthanc orthanc;
    const pid_t child = test::spawn(words(orthanc.url()), folder_ / "first.log");
    ASSERT_TRUE(test::wait_until([&] { return orthanc.stores() >= 60; }));
    ::kill(orthanc.pid(), SIGKILL);
    before = orthanc.stores();
    EXPECT_EQ(test::wait_for(child), 4) << test::slurp(folder_ / "first.log");
  }
  EXPECT_LT(before, 600U);
  const std::size_t recorded = loaded();
  EXPECT_GT(recorded, 0U);
  EXPECT_LE(recorded, before);
}

TEST_F(LoadRun, StopsCleanlyOnASignalAndContinues) {
  const test::Orthanc orthanc;
  test::make_archive(folder_, 20, 30);
  const pid_t child = test::spawn(words(orthanc.url()), folder_ / "first.log");
  ASSERT_TRUE(test::wait_until([&] { return orthanc.stores() >= 60; }));
  ::kill(child, SIGTERM);
  EXPECT_EQ(test::wait_for(child), 6) << test::slurp(folder_ / "first.log");

  const test::Ran second = load(orthanc.url());
  EXPECT_EQ(second.exit, 0) << second.text;
  EXPECT_EQ(loaded(), 600U);
  EXPECT_EQ(orthanc.stores(), 600U);
}

}  // namespace waybill
