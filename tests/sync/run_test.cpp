// SPDX-License-Identifier: Apache-2.0
#include "sync/run.hpp"
#include "support/simpacs.hpp"
#include "sync/lock.hpp"
#include "syncing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <ctime>

namespace waybill {
namespace {

using manifest::Bucket;
namespace fs = std::filesystem;

class Sync : public test::SyncingToOrthanc {};

TEST_F(Sync, SendsEverythingThenNothingThenWhatIsNew) {
  for (int n = 1; n <= 4; ++n) put_object(1, n);
  ends(0);
  EXPECT_EQ(stores(), 4U);
  EXPECT_EQ(counts(1).loaded, 4U);

  ends(0);
  EXPECT_EQ(stores(), 0U);
  EXPECT_EQ(counts(2).idle, 1U);
  EXPECT_FALSE(fs::exists(in_run(2, "load.wb")));
  EXPECT_FALSE(fs::exists(in_run(2, "scan.wb"))) << "an inventory that says nothing new is not kept";

  put_object(1, 5);
  put_object(2, 1);
  ends(0);
  EXPECT_EQ(stores(), 2U);
  EXPECT_EQ(counts(3).loaded, 2U);
  EXPECT_EQ(counts(3).at_target, 6U);
  EXPECT_EQ(counts(3).total_loaded, 6U);
  EXPECT_EQ(counts(3).extra, 0U) << "what an earlier run loaded is not unexplained";
  EXPECT_EQ(standing(3, uid(1, 1)).verify->grade, "E3");
  EXPECT_EQ(standing(3, uid(1, 5)).verify->grade, "E3");
}

TEST_F(Sync, ChainsTheRuns) {
  put_object(1, 1);
  ends(0);
  put_object(1, 2);
  ends(0);
  ends(0);
  EXPECT_TRUE(record(1).header.inputs.empty());
  ASSERT_EQ(record(2).header.inputs.size(), 1U);
  EXPECT_EQ(record(2).header.inputs[0].head, record(1).head);
  EXPECT_EQ(record(3).header.inputs.at(0).head, record(2).head);
  EXPECT_EQ(manifest::Reader(in_run(2, "scan.wb")).header().inputs.at(0).head,
            manifest::input_of(in_run(1, "scan.wb")).head);
  EXPECT_EQ(record(2).ends.at("load").head, manifest::input_of(in_run(2, "load.wb")).head);
  EXPECT_EQ(stores(), 2U);
}

TEST_F(Sync, ListsAFileThatChangedUnderItsUidAndSendsNothing) {
  put_object(1, 1);
  put_object(1, 2);
  ends(0);
  (void)stores();
  put_object(1, 2, 99);
  ends(1);
  EXPECT_EQ(stores(), 0U);
  EXPECT_EQ(counts(2).conflicts, 1U);
  EXPECT_EQ(standing(2, uid(1, 2)).bucket, Bucket::duplicate_conflict);
  EXPECT_TRUE(has(standing(2, uid(1, 2)), "SYNC-CONFLICT"));
  EXPECT_EQ(standing(2, uid(1, 1)).bucket, Bucket::verified);
  EXPECT_NE(test::slurp(in_run(2, "gone.csv")).find("other content"), std::string::npos);
  // It stays one, and a copy of it elsewhere is one as well.
  put_object(1, 2, 99, "elsewhere/copy.dcm");
  put_object(1, 3);
  ends(1);
  EXPECT_EQ(stores(), 1U);
  // Put back as it was, it is what was loaded.
  fs::remove(folder_ / "archive/elsewhere/copy.dcm");
  put_object(1, 2);
  ends(0);
  EXPECT_EQ(stores(), 0U);
  EXPECT_EQ(standing(4, uid(1, 2)).bucket, Bucket::verified);
}

TEST_F(Sync, KnowsAFileThatWasMovedByItsContent) {
  const fs::path file = put_object(1, 1);
  put_object(1, 2);
  ends(0);
  (void)stores();
  fs::create_directories(folder_ / "archive/zz");
  fs::rename(file, folder_ / "archive/zz/other-name");
  ends(0);
  EXPECT_EQ(stores(), 0U);
  EXPECT_EQ(counts(2).moved, 1U);
  EXPECT_EQ(counts(2).departed, 0U);
  const auto moved = standing(2, uid(1, 1));
  EXPECT_EQ(moved.bucket, Bucket::verified);
  EXPECT_TRUE(has(moved, "SYNC-MOVED"));
  // Away in one run and back in another.
  fs::rename(folder_ / "archive/zz/other-name", folder_ / "aside");
  ends(1);  // the scan tells of a study that has fewer objects than before
  EXPECT_EQ(counts(3).departed, 1U);
  fs::rename(folder_ / "aside", file);
  ends(0);
  EXPECT_EQ(counts(4).at_target, 2U);
  EXPECT_EQ(stores(), 0U);
}

TEST_F(Sync, TellsOfWhatIsGoneAndLeavesItAtTheTarget) {
  put("archive/broken.dcm", "");
  const fs::path file = put_object(1, 1);
  put_object(1, 2);
  ends(0);
  fs::remove(file);
  ends(1);  // the scan tells of a study that has fewer objects than before
  EXPECT_EQ(counts(2).departed, 1U);
  EXPECT_EQ(counts(2).lost, 0U);
  EXPECT_EQ(counts(2).at_target, 2U);
  const std::string rows = test::slurp(in_run(2, "gone.csv"));
  EXPECT_NE(rows.find(uid(1, 1)), std::string::npos) << rows;
  EXPECT_EQ(rows.find(uid(1, 2)), std::string::npos) << rows;
  EXPECT_EQ(stores(), 2U);
  // Another object of its study: what is gone belongs to the study at the target, and is no stranger there.
  put_object(1, 3);
  ends(0);
  EXPECT_EQ(counts(3).extra, 0U);
  EXPECT_EQ(counts(3).departed, 0U) << "it was told of once";
}

TEST_F(Sync, TakesAVolumeThatIsNotMountedForNoArchiveWithoutFiles) {
  for (int n = 1; n <= 12; ++n) put_object(1, n);
  ends(0);
  fs::rename(folder_ / "archive", folder_ / "volume");
  fs::create_directory(folder_ / "archive");
  EXPECT_NE(ends(3).find("12 of 12 files are gone"), std::string::npos);
  ends(3);
  fs::remove(folder_ / "archive");
  fs::rename(folder_ / "volume", folder_ / "archive");
  ends(0);
  EXPECT_EQ(counts(2).idle, 1U);
  for (int n = 1; n <= 12; ++n) fs::remove(folder_ / "archive" / (uid(1, n) + ".dcm"));
  ends(3);
  ends(0, {"--accept-gone"});
  EXPECT_EQ(counts(3).departed, 12U);
  EXPECT_EQ(stores(), 12U);
}

TEST_F(Sync, HoldsUndecidedStudiesUntilTheRisKnowsThemAndTellsWhenOneIsLost) {
  const std::string head = "PATIENT_ID,LAST,FIRST,STUDY_UID,STUDY_DATE,STATUS\n";
  fs::create_directories(folder_ / "ris");
  put("ris/1.csv", head + "T1,ABEL,ANN," + study_uid(1) + ",20260101,DONE\n");
  plan("", "[reconcile]\nris = \"ris\"\nris_settle = 0\n");
  put_named_object(1, 1);
  put_named_object(2, 1);
  const fs::path lost = put_named_object(3, 1);
  ends(1);
  EXPECT_EQ(stores(), 1U);
  EXPECT_TRUE(has(standing(1, uid(2, 1)), "MATCH-REVIEW"));

  ends(1);
  EXPECT_EQ(counts(2).idle, 1U);
  put("ris/2.csv",
      head + "T1,ABEL,ANN," + study_uid(1) + ",20260101,DONE\nT1,ABEL,ANN," + study_uid(2) + ",20260102,DONE\n");
  fs::remove(lost);
  ends(1);
  EXPECT_EQ(stores(), 1U);
  EXPECT_EQ(standing(3, uid(2, 1)).bucket, Bucket::verified);
  EXPECT_EQ(counts(3).lost, 1U);
  EXPECT_NE(test::slurp(in_run(3, "gone.csv")).find("never loaded"), std::string::npos);
}

TEST_F(Sync, StagesTranscodesAndForgetsWhatItHasStaged) {
  plan("", "[transcode]\nto = \"rle\"\n[verify]\nlevel = \"content\"\n");
  put_object(1, 1);
  ends(0);
  EXPECT_EQ(standing(1, uid(1, 1)).verify->grade, "E4");
  EXPECT_TRUE(standing(1, uid(1, 1)).transcode);
  EXPECT_FALSE(fs::exists(in_run(1, "staged")));
}

TEST_F(Sync, NamesTheHolderWhenTheProjectIsHeldAndDoesNothing) {
  put_object(1, 1);
  fs::create_directories(folder_ / "project");
  const sync::Lock lock(folder_ / "project/sync.lock");
  const std::string text = ends(6);
  EXPECT_NE(text.find("process " + std::to_string(::getpid())), std::string::npos) << text;
  EXPECT_FALSE(fs::exists(in_run(1, "scan.wb")));
}

TEST_F(Sync, TakesALockThatADeadProcessLeft) {
  fs::create_directories(folder_ / "project");
  put("project/sync.lock", R"({"name":"waybill sync","pid":1,"host":"elsewhere","start":"2020-01-01T00:00:00Z"})");
  put_object(1, 1);
  ends(0);
  EXPECT_EQ(stores(), 1U);
}

TEST_F(Sync, WaitsForTheTargetAndGoesOnWithTheSameRun) {
  put_object(1, 1);
  plan("timeout = 1\n", "", test::dead_url());
  const std::string text = ends(4);
  EXPECT_NE(text.find("run 1 stopped at load with exit code 4"), std::string::npos) << text;
  EXPECT_NE(test::slurp(folder_ / "sync.prom").find("waybill_sync_last_exit_code{project=\"test\"} 4"),
            std::string::npos);
  EXPECT_NE(test::slurp(folder_ / "sync.prom").find("waybill_sync_run_unfinished{project=\"test\"} 1"),
            std::string::npos);
  put_object(1, 2);
  plan();
  const std::string again = ends(0);
  EXPECT_NE(again.find("continuing run 1"), std::string::npos) << again;
  EXPECT_EQ(again.find("run 1: scan"), std::string::npos) << "the scan was done";
  EXPECT_EQ(stores(), 1U);
  ends(0);
  EXPECT_EQ(stores(), 1U) << "what came meanwhile is for the next run";
}

TEST_F(Sync, EndsWithSixOutsideTheWindowAndGoesOnInside) {
  const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::time_t now = std::time(nullptr);
  const std::string other = days[(std::gmtime(&now)->tm_wday + 3) % 7];
  put_object(1, 1);
  plan("window = \"" + other + " 00:00-24:00\"\ntime_zone = \"UTC\"\n");
  ends(6);
  ends(6);
  EXPECT_EQ(stores(), 0U);
  plan("window = \"Mon-Sun 00:00-24:00\"\n");
  ends(0);
  EXPECT_EQ(stores(), 1U);
}

TEST_F(Sync, TriesAgainWhatWasRefusedForTheMomentWithoutAnythingNew) {
  put_object(1, 1);
  put_object(1, 2);
  put_object(2, 1);
  test::SimPacs pacs("[[rule]]\nname = \"full\"\non = \"store\"\nskip = 1\nfirst = 1\nstatus = 0xA700\n");
  plan("retries = 0\nassociations = 1\n", "", pacs.url("SIMPACS"));
  ends(1);
  EXPECT_EQ(counts(1).retry, 1U);
  EXPECT_EQ(standing(1, uid(1, 2)).bucket, Bucket::pending);
  ends(0);
  EXPECT_EQ(counts(2).handled, 1U);
  EXPECT_EQ(standing(2, uid(1, 2)).bucket, Bucket::verified);
  EXPECT_EQ(pacs.arrivals(), (std::map<std::string, int>{{uid(1, 1), 1}, {uid(1, 2), 2}, {uid(2, 1), 1}}));
}

TEST_F(Sync, ReadsEverythingAgainWhenThePlanNamesAnotherSourceButSendsOnlyWhatIsNew) {
  put_object(1, 1);
  ends(0);
  fs::create_directories(folder_ / "second");
  fs::rename(put_object(2, 1), folder_ / "second/one.dcm");
  std::string text = test::slurp(folder_ / "plan.toml");
  text.replace(text.find("[\"archive\"]"), 11, "[\"second\", \"archive\"]");
  put("plan.toml", text);
  ends(0);
  EXPECT_EQ(stores(), 2U);
  EXPECT_EQ(counts(2).loaded, 1U);
  EXPECT_EQ(counts(2).at_target, 2U);
}

TEST_F(Sync, DryRunTellsAndWritesNothing) {
  put_object(1, 1);
  const std::string first = ends(0, {"--dry-run"});
  EXPECT_NE(first.find("new\t1, "), std::string::npos) << first;
  EXPECT_NE(first.find("waybill load "), std::string::npos) << first;
  EXPECT_FALSE(fs::exists(folder_ / "project"));
  EXPECT_FALSE(fs::exists(folder_ / "sync.prom"));
  ends(0);
  EXPECT_NE(ends(0, {"--dry-run"}).find("nothing to do"), std::string::npos);
  put_object(1, 2);
  const std::string third = ends(0, {"--dry-run"});
  EXPECT_NE(third.find("duration of load"), std::string::npos) << third;
  EXPECT_EQ(stores(), 1U);
  EXPECT_FALSE(fs::exists(in_run(2, "sync.wb")));
}

TEST_F(Sync, CutoverLeavesWhatIsNewerThanTheFreezeAndProvesThatNothingChangedMeanwhile) {
  const fs::path early = put_object(1, 1);
  ends(0);
  const fs::path before = put_object(1, 2);
  const fs::path behind = put_object(1, 3);
  const auto set_time = [](const fs::path& file, std::time_t seconds) {
    const std::timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  };
  set_time(before, 1767225600);  // 2026-01-01T00:00:00Z
  set_time(behind, 1767225601);
  const std::string text = ends(1, {"--cutover", "2026-01-01T00:00:00Z"});
  EXPECT_NE(text.find("by the rates of earlier runs"), std::string::npos) << text;
  EXPECT_NE(text.find("has not changed since the scan"), std::string::npos) << text;
  EXPECT_EQ(stores(), 2U);
  EXPECT_EQ(counts(2).late, 1U);
  EXPECT_EQ(standing(2, uid(1, 3)).bucket, Bucket::pending);
  EXPECT_TRUE(has(standing(2, uid(1, 3)), "SYNC-LATE"));
  EXPECT_TRUE(manifest::Reader(in_run(2, "after.wb")).next());
  // A run without a freeze takes it up.
  ends(0);
  EXPECT_EQ(stores(), 1U);
}

TEST_F(Sync, CutoverFinishesTheOpenRunFirst) {
  put_object(1, 1);
  plan("timeout = 1\n", "", test::dead_url());
  ends(4);
  put_object(1, 2);
  plan();
  const std::string text = ends(0, {"--cutover", "now"});
  EXPECT_NE(text.find("continuing run 1"), std::string::npos) << text;
  EXPECT_EQ(record(1).freeze, "");
  EXPECT_NE(record(2).freeze, "");
  EXPECT_EQ(counts(1).loaded, 1U);
  EXPECT_EQ(counts(2).loaded, 1U);
  EXPECT_EQ(stores(), 2U);
}

TEST_F(Sync, CutoverTellsWhenTheArchiveWasNotFrozen) {
  for (int n = 1; n <= 10; ++n) put_object(1, n);
  plan("limit = \"10obj/s\"\nassociations = 1\n");
  const pid_t child = start({"--cutover", "now"});
  ASSERT_TRUE(says("run 1: load", child));
  put_object(1, 11);
  EXPECT_EQ(test::wait_for(child), 1);
  EXPECT_NE(test::slurp(folder_ / "sync.log").find("was not frozen: since the scan of this run 1 entries are new"),
            std::string::npos);
  EXPECT_EQ(stores(), 10U);
}

TEST_F(Sync, LosesNothingWhenTheDiskIsFull) {
  for (int n = 1; n <= 40; ++n) put_object(1, n);
  const std::string command =
      "ulimit -f 4; exec '" + test::tool("sync") + "' '" + (folder_ / "plan.toml").string() + "'";
  const auto ran = test::run({"/bin/bash", "-c", command}, folder_ / "full.log");
  EXPECT_EQ(ran.exit, 3) << ran.text;
  ends(0);
  EXPECT_EQ(stores(), 40U);
}

TEST_F(Sync, StopsOnFiveUntilAPersonHasAcceptedIt) {
  put_object(1, 1);
  put_object(1, 2);
  plan("limit = \"1obj/s\"\nassociations = 1\n");
  const pid_t child = start();
  // The target loses an object while another is still on its way.
  for (bool removed = false; !removed;) {
    try {
      orthanc_->remove(uid(1, 1));
      removed = true;
    } catch (const std::exception&) {  // it is not there yet
    }
  }
  EXPECT_EQ(test::wait_for(child), 5) << test::slurp(folder_ / "sync.log");
  EXPECT_FALSE(record(1).complete);
  const std::string again = ends(5);
  EXPECT_NE(again.find("--accept-integrity"), std::string::npos) << again;
  EXPECT_TRUE(fs::exists(in_run(1, "verify-1.wb"))) << "the first verification is evidence";
  ends(1, {"--accept-integrity"});
  EXPECT_EQ(counts(1).accepted, 1U);
  EXPECT_EQ(counts(1).exceptions, 1U);
  EXPECT_EQ(standing(1, uid(1, 1)).verify->verdict, "MISSING");
  ends(1);
  EXPECT_EQ(stores(), 2U) << "what the target has lost is not sent again unasked";
}

TEST_F(Sync, EncryptsWhatItKeepsAndGoesOnWithTheKey) {
  const std::string key = (folder_ / "rest.key").string();
  const auto made = test::run({test::tool("manifest"), "keygen", "--encryption", "-o", key}, folder_ / "key.log");
  ASSERT_EQ(made.exit, 0) << made.text;
  put_object(1, 1);
  ends(0, {"--encrypt-to", key});
  put_object(1, 2);
  ends(0, {"--encrypt-to", key});
  EXPECT_EQ(stores(), 2U);
  for (const char* name : {"sync.wb", "scan.wb", "load.wb", "standing.wb"})
    EXPECT_EQ(test::slurp(in_run(2, name)).find(std::string("\x28\xB5\x2F\xFD", 4)), std::string::npos)
        << name << " is plain";
  EXPECT_NE(ends(2).find("key"), std::string::npos) << "without the key nothing can be told of the runs";
}

TEST_F(Sync, KeepsAsManyInventoriesAsThePlanSays) {
  plan("", "[keep]\ninventories = 2\n");
  for (int n = 1; n <= 4; ++n) {
    put_object(1, n);
    ends(0);
  }
  EXPECT_FALSE(fs::exists(in_run(1, "scan.wb")));
  EXPECT_FALSE(fs::exists(in_run(2, "standing.wb")));
  EXPECT_TRUE(fs::exists(in_run(3, "scan.wb")));
  EXPECT_TRUE(fs::exists(in_run(1, "load.wb")));
  put_object(1, 5);
  ends(0);
  EXPECT_EQ(stores(), 5U);
}

TEST_F(Sync, WritesFilesForTheirOwnerAloneAndMetricsForAll) {
  put_object(1, 1);
  ends(0);
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "project"))
    EXPECT_EQ(entry.status().permissions() & fs::perms::others_all, fs::perms::none) << entry.path();
  EXPECT_EQ(fs::status(folder_ / "sync.prom").permissions(), static_cast<fs::perms>(0644));
  plan();
  std::string text = test::slurp(folder_ / "plan.toml");
  text.replace(text.find("sync.prom"), 9, "nowhere/sync.prom");
  put("plan.toml", text);
  EXPECT_NE(ends(3).find("nowhere"), std::string::npos);
  EXPECT_TRUE(record(2).complete) << "the run is over, only its figures could not be told";
}

}  // namespace
}  // namespace waybill
