// SPDX-License-Identifier: Apache-2.0
#include "sync/plan.hpp"

#include "support/exits.hpp"
#include "support/folder.hpp"
#include "sync/project.hpp"

#include <algorithm>

namespace waybill {
namespace {

using sync::Plan;

class SyncPlan : public test::InFolder {
 protected:
  static constexpr const char* kLeast =
      "project = \"p\"\n[scan]\nsources = [\"archive\"]\n[load]\nto = \"dicom://PACS@127.0.0.1:104\"\n";
  Plan read(const std::string& text) {
    test::put(folder_ / "plan.toml", text);
    return Plan::read(folder_ / "plan.toml");
  }
  /// The message with which the plan is refused, as usage.
  std::string refused(const std::string& text) {
    std::string message;
    EXPECT_EQ(test::exit_of([&] { (void)read(text); }, &message), Exit::usage) << text;
    return message;
  }
  static bool has(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
};

TEST_F(SyncPlan, TakesPathsFromTheFolderItLiesIn) {
  const Plan plan = read(kLeast);
  EXPECT_EQ(plan.project, folder_ / "p");
  EXPECT_EQ(plan.name, "p");
  EXPECT_EQ(plan.scan.sources, std::vector<std::string>{(folder_ / "archive").string()});
  EXPECT_FALSE(plan.reconcile);
  EXPECT_FALSE(plan.transcode);
  EXPECT_TRUE(has(plan.verify.words, "--level=exists"));
}

TEST_F(SyncPlan, GivesTheProgramsTheirOptions) {
  test::put(folder_ / "ca.pem", "");
  const Plan plan = read(
      "project = \"p\"\nthreads = 3\n[scan]\nsources = [\"a\", \"b\"]\ndeep = true\nexclude = [\"*.log\"]\nrecheck = "
      "0.05\n"
      "[reconcile]\nhl7 = [\"h\"]\nissuer = \"GENERAL\"\napprove = [\"R5\"]\nundecided = \"send\"\n"
      "[load]\nto = \"dicoms://PACS@pacs:2762\"\ncalling = \"MOVER\"\nassociations = \"auto\"\nlimit = \"80MB/s\"\n"
      "window = \"Mon-Fri 19:00-06:30\"\nback_off = 1.5\nladder = false\ntls_ca = \"ca.pem\"\n"
      "[verify]\nlevel = \"content\"\nsample = \"95%,0.1%\"\n");
  for (const char* word : {"--deep", "--exclude=*.log", "--recheck=0.05"})
    EXPECT_TRUE(has(plan.scan.words, word)) << word;
  for (const char* word : {"--issuer=GENERAL", "--approve=R5"}) EXPECT_TRUE(has(plan.reconcile->words, word)) << word;
  EXPECT_EQ(plan.reconcile->undecided, sync::Undecided::send);
  for (const char* word : {"--calling=MOVER", "--associations=auto", "--limit=80MB/s", "--window=Mon-Fri 19:00-06:30",
                           "--back-off=1.5", "--no-ladder"})
    EXPECT_TRUE(has(plan.load.words, word)) << word;
  for (const std::string& word : {std::string("--calling=MOVER"), "--tls-ca=" + (folder_ / "ca.pem").string(),
                                  std::string("--sample=committed"), std::string("--level=content")})
    EXPECT_TRUE(has(plan.verify.words, word)) << word;
  EXPECT_TRUE(has(plan.load.words, "--sample=95%,0.1%")) << "the list is on disk before anything is sent";
  EXPECT_FALSE(has(plan.verify.words, "--limit=80MB/s"));
}

TEST_F(SyncPlan, AsksForStorageCommitmentAndTellsVerifyWhereTheTargetReachesUs) {
  const std::string load = std::string(kLeast) +
                           "commit = true\nlisten = \"127.0.0.1:11113\"\ncommit_wait = 90\ncommit_references = 50\n"
                           "commit_again = 2.5\nwhen_uncommitted = \"finish\"\n";
  const Plan sent = read(load);
  for (const char* word : {"--commit", "--listen=127.0.0.1:11113", "--commit-wait=90", "--commit-references=50",
                           "--commit-again=2.5", "--when-uncommitted=finish"})
    EXPECT_TRUE(has(sent.load.words, word)) << word;
  EXPECT_FALSE(has(sent.verify.words, "--listen=127.0.0.1:11113")) << "nobody calls verify at level exists";

  const Plan moved = read(load + "[verify]\nlevel = \"content\"\nretrieve = \"move\"\n");
  for (const char* word : {"--level=content", "--retrieve=move", "--listen=127.0.0.1:11113"})
    EXPECT_TRUE(has(moved.verify.words, word)) << word;
  EXPECT_FALSE(has(moved.verify.words, "--commit-wait=90"));

  const Plan asked =
      read(std::string(kLeast) + "listen = \"11113\"\ncommit_wait = 90\n[verify]\nlevel = \"commitment\"\n");
  for (const char* word : {"--level=commitment", "--listen=11113", "--commit-wait=90"})
    EXPECT_TRUE(has(asked.verify.words, word)) << word;
  EXPECT_FALSE(has(asked.load.words, "--commit"));
}

TEST_F(SyncPlan, RefusesCommitmentThatNothingAsksForOrThatTheTargetCannotGive) {
  const std::string least = kLeast;
  EXPECT_NE(refused(least + "commit_wait = 90\n").find("line 6: nothing asks for storage commitment"),
            std::string::npos);
  EXPECT_NE(refused(least + "listen = \"11113\"\n").find("line 6: nothing calls us back"), std::string::npos);
  EXPECT_NE(refused(least + "commit = true\nlisten = \"port\"\n").find("line 7"), std::string::npos);
  EXPECT_NE(refused(least + "commit = true\nwhen_uncommitted = \"go\"\n").find("end or finish"), std::string::npos);
  EXPECT_NE(refused(least + "[verify]\nlevel = \"content\"\nretrieve = \"move\"\n").find("`listen`"),
            std::string::npos);
  EXPECT_NE(refused(least + "listen = \"11113\"\n[verify]\nretrieve = \"move\"\n").find("line 8"), std::string::npos);
  const std::string web = "project = \"p\"\n[scan]\nsources = [\"a\"]\n[load]\nto = \"https://pacs/dicom-web\"\n";
  EXPECT_NE(refused(web + "commit = true\n").find("DICOMweb"), std::string::npos);
  EXPECT_NE(refused(web + "[verify]\nlevel = \"commitment\"\n").find("DICOMweb"), std::string::npos);
}

TEST_F(SyncPlan, ReachesADicomwebServiceWithItsLogin) {
  test::put(folder_ / "token", "secret");
  const Plan plan = read(
      "project = \"p\"\n[scan]\nsources = [\"a\"]\n[load]\nto = \"https://pacs/dicom-web\"\nhttp_token = \"token\"\n"
      "batch = \"64MB\"\n");
  const std::string token = "--http-token=" + (folder_ / "token").string();
  EXPECT_TRUE(has(plan.load.words, token) && has(plan.load.words, "--batch=64MB"));
  EXPECT_TRUE(has(plan.verify.words, token));
}

TEST_F(SyncPlan, IsTheExampleThatIsShipped) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "WAYBILL_SOURCE names no source tree";
  const std::string example = test::get(std::filesystem::path(source) / "manifests/examples/plan.toml");
  for (const char* file : {"map.toml", "exams-control.toml", "rules.toml", "hospital-ca.pem"})
    test::put(folder_ / file, "");
  const Plan plan = read(example);
  EXPECT_TRUE(plan.reconcile && plan.verify.sample);
}

TEST_F(SyncPlan, KnowsEveryKeyThatTheExampleOnlyMentions) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "WAYBILL_SOURCE names no source tree";
  std::istringstream example(test::get(std::filesystem::path(source) / "manifests/examples/plan.toml"));
  std::string text;
  for (std::string line; std::getline(example, line);) {
    // "# key = value  # meaning" and "# [table]" become part of the plan
    const bool offered = line.starts_with("# ") && (line.starts_with("# [") || line.find(" = ") < line.find("  #"));
    text += (offered ? line.substr(2) : line) + "\n";
  }
  for (const char* file :
       {"map.toml", "exams-control.toml", "rules.toml", "hospital-ca.pem", "policy.toml", "node.pem", "node.key",
        "revoked.pem", "login", "token", "hashes.key", "known.csv", "exams.sql", "first.csv"})
    test::put(folder_ / file, "");
  std::string message;
  (void)test::exit_of([&] { (void)read(text); }, &message);
  EXPECT_EQ(message.find("unknown key"), std::string::npos) << message;
}

TEST_F(SyncPlan, NamesTheLineOfWhatItDoesNotKnow) {
  EXPECT_NE(refused(std::string(kLeast) + "assocations = 4\n").find("line 6: unknown key `assocations`"),
            std::string::npos);
  EXPECT_NE(refused("speed = 1\n" + std::string(kLeast)).find("line 1"), std::string::npos);
  EXPECT_NE(refused(std::string(kLeast) + "[trancode]\nto = \"rle\"\n").find("trancode"), std::string::npos);
}

TEST_F(SyncPlan, RefusesWhatWouldFailHoursLater) {
  const std::string least = kLeast;
  for (const char* wrong :
       {"limit = \"fast\"\n", "window = \"Mon 25:00\"\n", "associations = 0\n", "associations = \"8\"\n",
        "syntax = \"jpeg-lss\"\n", "order = \"random\"\n", "tls_ca = \"missing.pem\"\n", "retries = -1\n"})
    EXPECT_NE(refused(least + wrong).find("line 6"), std::string::npos) << wrong;
  EXPECT_NE(refused("project = \"p\"\n[scan]\nsources = [\"a\"]\n[load]\nto = \"ftp://x\"\n").find("line 5"),
            std::string::npos);
  EXPECT_NE(refused(least + "[transcode]\nto = \"best\"\n").find("line 7"), std::string::npos);
  EXPECT_NE(refused(least + "[verify]\nlevel = \"content\"\nsample = \"all\"\n").find("line 8"), std::string::npos);
  EXPECT_NE(refused(least + "[verify]\nsample = \"95%,1%\"\n").find("content"), std::string::npos);
  EXPECT_NE(refused(least + "[metrics]\nfile = \"sync.txt\"\n").find(".prom"), std::string::npos);
  EXPECT_NE(refused(least + "[reconcile]\nissuer = \"A\"\n").find("hl7"), std::string::npos);
}

TEST_F(SyncPlan, RefusesAPlanThatLacksItsParts) {
  EXPECT_NE(refused("[scan]\nsources = [\"a\"]\n").find("project"), std::string::npos);
  EXPECT_NE(refused("project = \"p\"\n").find("[scan]"), std::string::npos);
  EXPECT_NE(refused("project = \"p\"\n[scan]\nsources = [\"a\"]\n").find("[load]"), std::string::npos);
}

TEST_F(SyncPlan, KeepsTheProjectOutOfTheArchive) {
  EXPECT_NE(refused("project = \"archive/p\"\n[scan]\nsources = [\"archive\"]\n[load]\nto = \"dicom://A@h\"\n")
                .find("only read"),
            std::string::npos);
}

TEST_F(SyncPlan, TakesTheNewestTableThatHasBeenLeftAlone) {
  const auto at = [&](const char* name, int seconds_ago) {
    test::put(folder_ / "ris" / name, "x");
    std::filesystem::last_write_time(folder_ / "ris" / name,
                                     std::filesystem::file_time_type::clock::now() - std::chrono::seconds(seconds_ago));
  };
  at("monday.csv", 3600);
  at("tuesday.csv", 600);
  at("being-written.csv", 2);
  Plan::Reconcile plan;
  plan.ris = (folder_ / "ris").string();
  EXPECT_EQ(sync::look_at_inputs(plan).ris, (folder_ / "ris/tuesday.csv").string());
  plan.ris_settle = 0;
  EXPECT_EQ(sync::look_at_inputs(plan).ris, (folder_ / "ris/being-written.csv").string());
  plan.ris_settle = 7200;
  EXPECT_EQ(test::exit_of([&] { (void)sync::look_at_inputs(plan); }), Exit::input);
}

TEST_F(SyncPlan, SeesThatAnythingReconcileReadsIsAnother) {
  test::put(folder_ / "hl7/a.hl7", "x");
  Plan::Reconcile plan;
  plan.hl7 = {(folder_ / "hl7").string()};
  plan.decisions = folder_ / "decided.csv";
  std::string before = sync::look_at_inputs(plan).identity;
  EXPECT_EQ(sync::look_at_inputs(plan).identity, before);
  const auto expect_another = [&](const char* what) {
    const std::string now = sync::look_at_inputs(plan).identity;
    EXPECT_NE(now, before) << what;
    before = now;
  };
  test::put(folder_ / "hl7/sub/b.hl7", "y");
  expect_another("a message file below the folder");
  test::put(folder_ / "decided.csv", "z");
  expect_another("decisions that came");
  plan.words.emplace_back("--approve=R5");
  expect_another("a setting");
  plan.undecided = sync::Undecided::send;
  expect_another("what becomes of undecided studies");
  plan.ris = "postgresql://reader@db/ris";
  EXPECT_EQ(sync::look_at_inputs(plan).identity, "") << "only the query can tell";
}

}  // namespace
}  // namespace waybill
