// SPDX-License-Identifier: Apache-2.0
#include "support/exits.hpp"
#include "support/simpacs.hpp"
#include "sync/lock.hpp"
#include "syncing.hpp"

namespace waybill {
namespace {

constexpr int kStudies = 4, kObjects = 50;

/// Kills of a run, at a random moment of each stage. The target is the simulator: an Orthanc from whose association a
/// peer was torn takes no other for up to a minute.
class SyncKilled : public test::Syncing {
 protected:
  void SetUp() override {
    begin(pacs_.url());
    for (int s = 1; s <= kStudies; ++s)
      for (int n = 1; n <= kObjects; ++n) put_object(s, n, static_cast<std::uint16_t>(n));
  }
  /// A process group of its own, so that its stages can be killed with it.
  pid_t start_group() { return test::spawn({"/usr/bin/setsid", tool_, (folder_ / "plan.toml").string()}, log()); }
  /// Killed stages are not this process's children, so only their lock tells when they are gone.
  void wait_until_free() {
    EXPECT_TRUE(test::wait_until(
        [&] { return test::exit_of([&] { const sync::Lock lock(folder_ / "project/sync.lock"); }) == Exit::ok; }));
  }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "sync.log"; }
  void expect_each_arrived_once() {
    const auto arrivals = pacs_.arrivals();
    EXPECT_EQ(arrivals.size(), static_cast<std::size_t>(kStudies * kObjects));
    for (const auto& [uid, times] : arrivals) EXPECT_EQ(times, 1) << uid;
  }
  [[nodiscard]] std::size_t arrived() const { return pacs_.events("store").size(); }
  void expect_everything_once() {
    ends(0);
    expect_each_arrived_once();
    const auto all = test::objects_of(in_run(1, "standing.wb"));
    EXPECT_EQ(all.size(), static_cast<std::size_t>(kStudies * kObjects));
    for (const auto& [uid, object] : all) EXPECT_EQ(object.bucket, manifest::Bucket::verified) << uid;
    EXPECT_EQ(counts(1).loaded, static_cast<std::uint64_t>(kStudies * kObjects));
    EXPECT_FALSE(std::filesystem::exists(in_run(2, "load.wb")));
  }
  test::SimPacs pacs_;
  const std::string tool_ = test::tool("sync");
};

TEST_F(SyncKilled, WithItsStagesGoesOnInEachStageAndSendsEverythingOnce) {
  int kills = 0, delay = 3;
  for (const char* stage : {"scan", "select", "load", "load", "verify", "standing", "report"}) {
    std::filesystem::remove(log());
    const pid_t child = start_group();
    if (says(std::string("run 1: ") + stage, child)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      kills += ::kill(-child, SIGKILL) == 0 ? 1 : 0;
    }
    (void)test::wait_for(child);
    wait_until_free();
    delay = delay * 7 % 31;
  }
  EXPECT_GE(kills, 4);
  expect_everything_once();
}

TEST_F(SyncKilled, AloneLeavesStagesThatCommitAndKeepTheLockUntilTheyAreOver) {
  plan("limit = \"100obj/s\"\n");
  std::filesystem::remove(log());
  const pid_t child = start();
  ASSERT_TRUE(says("run 1: load", child));
  ASSERT_TRUE(test::wait_until([&] { return arrived() >= 10; }));
  ::kill(child, SIGKILL);
  (void)test::wait_for(child);
  plan();
  test::Ran ran = sync();
  for (int i = 0; i < 500 && ran.exit == 6; ++i) ran = sync();  // while the orphaned load commits
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_each_arrived_once();
}

TEST_F(SyncKilled, PassesASignalOnAndEndsWithSix) {
  plan("limit = \"100obj/s\"\n");
  std::filesystem::remove(log());
  const pid_t child = start();
  ASSERT_TRUE(says("run 1: load", child));
  ASSERT_TRUE(test::wait_until([&] { return arrived() >= 10; }));
  ::kill(child, SIGTERM);
  EXPECT_EQ(test::wait_for(child), 6) << test::slurp(log());
  EXPECT_LT(arrived(), static_cast<std::size_t>(kStudies * kObjects));
  plan();
  expect_everything_once();
}

}  // namespace
}  // namespace waybill
