// SPDX-License-Identifier: Apache-2.0
// A backup that was killed, stopped or ran out of disk is continued and ends like one that was not.
#include "support/folder.hpp"

#include <random>

namespace waybill::test {
namespace {

class PackKilled : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (!has_tools()) GTEST_SKIP() << "the tools are not built";
    std::mt19937 random(5);
    for (int i = 0; i < 400; ++i) {
      std::string bytes(60'000, '\0');
      for (char& c : bytes) c = static_cast<char>(random() & 0x3FU);
      put(folder_ / "in" / std::to_string(i), bytes);
    }
    EXPECT_EQ(run("$B/waybill-scan in -o scan.wb --quiet; $B/waybill-pack scan.wb -o whole " + kHow).exit, 0);
  }
  Ran run(const std::string& command) { return shell("cd '" + folder_.string() + "' && " + command); }
  /// Whether there is a manifest without an end; one killed at once has no header yet.
  bool was_killed() {
    if (!fs::exists(folder_ / "backup/pack.wb")) return false;
    try {
      return !is_complete(folder_ / "backup/pack.wb");
    } catch (const RunError&) {
      return true;
    }
  }
  /// Kills the run when its folder holds so many volumes, however long that takes here.
  void kill_at(const std::string& volumes, const std::string& command) {
    (void)run("{ " + command + " 2>/dev/null & pid=$!; for i in $(seq 5000); do " +
              "[ \"$(ls backup 2>/dev/null | grep -c ^volume)\" -ge " + volumes +
              " ] && break; sleep 0.01; done; kill -KILL $pid; wait $pid 2>/dev/null; }");
  }
  void expect_same(const std::string& folder) {
    EXPECT_EQ(run("for f in whole/volume-* whole/SHA256SUMS; do cmp $f " + folder + "/${f#whole/}; done; ls -A " +
                  folder + " | wc -l; ls -A whole | wc -l")
                  .out,
              "21\n21\n");
    auto records = lines_of(folder_ / folder / "pack.wb");
    std::erase_if(records, [](const std::string& line) { return line.find("\"recovered\"") != std::string::npos; });
    EXPECT_EQ(records, lines_of(folder_ / "whole/pack.wb"));
    EXPECT_EQ(run("$B/waybill-manifest check " + folder + "/pack.wb >&2").exit, 0);
  }
  const std::string kHow = "--volume-size 1MiB --level 6 --threads 1 --quiet";
};

TEST_F(PackKilled, KilledAtAnyTimeItGoesOnAndEndsTheSame) {
  const std::string how = "--volume-size 1MiB --level 17 --threads 1 --quiet";  // slow enough to be killed
  EXPECT_EQ(run("rm -r whole; $B/waybill-pack scan.wb -o whole " + how).exit, 0);
  (void)run("timeout -s KILL 0.02 $B/waybill-pack scan.wb -o backup " + how + " 2>/dev/null");
  for (const char* volumes : {"5", "12"}) {
    kill_at(volumes, "$B/waybill-pack scan.wb -o backup " + how);
    EXPECT_TRUE(was_killed()) << "at " << volumes << " volumes";
  }
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + how + " >&2").exit, 0);
  expect_same("backup");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + how + " | grep -c 'complete already'").out, "1\n");
}

TEST_F(PackKilled, KilledWhileItSealsItsVolumesItGoesOnAndAllOfItComesBack) {
  const std::string how = "--volume-size 1MiB --level 12 --threads 1 --encrypt-to k --quiet";
  EXPECT_EQ(run("$B/waybill-manifest keygen --encryption -o k >&2").exit, 0);
  int killed = 0;
  for (const char* after : {"0.1", "0.3", "0.6"})
    killed +=
        run(std::string("timeout -s KILL ") + after + " $B/waybill-pack scan.wb -o backup " + how + " 2>&1").exit != 0;
  EXPECT_GT(killed, 0);
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + how + " >&2").exit, 0);
  EXPECT_EQ(run("find backup -size +1024k | wc -l; ls backup | grep -c 'zst$'").out, "0\n0\n");
  EXPECT_EQ(run("$B/waybill-unpack backup --to out --key k --quiet >&2; diff -r in out").out, "");
  EXPECT_EQ(run("$B/waybill-unpack backup --check --key k --quiet >&2").exit, 0);
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + kHow + " --restart >&2; ls backup | grep -c sealed").out, "0\n")
      << "started over in the clear, nothing of the sealed ones stays";
}

TEST_F(PackKilled, StoppedBySignalItSaysSoAndGoesOn) {
  const Ran stopped = run("timeout -s TERM 0.12 $B/waybill-pack scan.wb -o backup " + kHow + " >/dev/null; echo $?");
  EXPECT_NE(stopped.out, "0\n");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + kHow + " >&2").exit, 0);
  expect_same("backup");
}

TEST_F(PackKilled, AFullDiskIsToldAndTheRunGoesOnWhenThereIsRoom) {
  const Ran full = run("(ulimit -f 700; $B/waybill-pack scan.wb -o backup " + kHow + " 2>&1)");
  EXPECT_EQ(full.exit, 3) << full.out;
  EXPECT_NE(full.out.find("cannot write backup/volume-000001.tar.zst"), std::string::npos) << full.out;
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + kHow + " >&2").exit, 0);
  expect_same("backup");
}

TEST_F(PackKilled, ARunThatEndedBehindItsLastVolumeTellsThatVolumeOnce) {
  fs::create_directories(folder_ / "backup/.README.txt.part");  // stands where the last file but one is written
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + kHow + " 2>/dev/null").exit, 3);
  fs::remove(folder_ / "backup/.README.txt.part");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o backup " + kHow + " >&2").exit, 0);
  expect_same("backup");
  EXPECT_EQ(run("$B/waybill-unpack backup --check --quiet >&2").exit, 0);
}

TEST_F(PackKilled, VolumesThatLostRecordedBytesAreAnIntegrityError) {
  const std::string how = "--volume-size 64MiB --level 6 --threads 1 --quiet";
  (void)run("(ulimit -f 15000; $B/waybill-pack scan.wb -o backup " + how + " 2>/dev/null)");
  ASSERT_FALSE(objects_of(folder_ / "backup/pack.wb").empty());
  fs::resize_file(folder_ / "backup/volume-000001.tar.zst", 100'000);
  const Ran ran = run("$B/waybill-pack scan.wb -o backup " + how + " 2>&1");
  EXPECT_EQ(ran.exit, 5) << ran.out;
  EXPECT_NE(ran.out.find("is shorter than its manifest says"), std::string::npos) << ran.out;
}

TEST_F(PackKilled, AnotherInputOrOtherSettingsAreRefusedAndRestartStartsOver) {
  put(folder_ / "more/x", "x");
  EXPECT_EQ(run("$B/waybill-pack scan.wb -o whole --level 3 --quiet 2>/dev/null").exit, 2);
  EXPECT_EQ(
      run("$B/waybill-scan more -o more.wb --quiet; $B/waybill-pack more.wb -o whole " + kHow + " 2>/dev/null").exit,
      2);
  EXPECT_EQ(run("$B/waybill-pack more.wb -o whole --restart --quiet >&2").exit, 0);
  EXPECT_EQ(run("ls whole | grep -c volume").out, "1\n");
  fs::remove(folder_ / "whole/pack.wb");
  const Ran ran = run("$B/waybill-pack more.wb -o whole --quiet 2>&1");
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.out.find("holds volumes without their manifest"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace waybill::test
