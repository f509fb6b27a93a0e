// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/peer.hpp"
#include "sync/journal.hpp"

#include <memory>
#include <string>
#include <vector>

/// A project of sync with an archive, and one with a real Orthanc.
namespace waybill::test {

class Syncing : public ::testing::Test {
 protected:
  /// Before anything else: the target of the plans.
  void begin(const std::string& target) {
    ++tests_;
    target_ = target;
    fs::create_directories(folder_ / "archive");
    plan();
  }

  /// Object `n` of study `study`, whose UIDs are those of this test alone.
  [[nodiscard]] std::string study_uid(int study) const {
    return "1.2." + std::to_string(tests_) + "." + std::to_string(study);
  }
  [[nodiscard]] std::string uid(int study, int n) const { return study_uid(study) + ".1." + std::to_string(n); }
  fs::path put_object(int study, int n, std::uint16_t grey = 7, const std::string& name = "") {
    const fs::path path = folder_ / "archive" / (name.empty() ? uid(study, n) + ".dcm" : name);
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        << small_object(study_uid(study), study_uid(study) + ".1", uid(study, n), grey);
    return path;
  }
  /// The same under a name that a person may have.
  fs::path put_named_object(int study, int n) {
    const fs::path path = put_object(study, n);
    std::string bytes = slurp(path);
    bytes.replace(bytes.find("TEST^ONE"), 8, "ABEL^ANN");
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  void put(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  /// `more` stands in [load] behind the target.
  void plan(const std::string& more = "", const std::string& tables = "", const std::string& target = "") {
    put("plan.toml",
        "project = \"project\"\nname = \"test\"\n[metrics]\nfile = \"sync.prom\"\n[scan]\nsources = [\"archive\"]\n" +
            tables + "[load]\nto = \"" + (target.empty() ? target_ : target) + "\"\n" + more);
  }
  [[nodiscard]] std::vector<std::string> words(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{tool("sync"), (folder_ / "plan.toml").string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Ran sync(const std::vector<std::string>& more = {}) { return run(words(more), folder_ / "sync.log"); }
  /// A run that must end with this code.
  std::string ends(int exit, const std::vector<std::string>& more = {}) {
    const Ran ran = sync(more);
    EXPECT_EQ(ran.exit, exit) << ran.text;
    return ran.text;
  }
  pid_t start(const std::vector<std::string>& more = {}) { return spawn(words(more), folder_ / "sync.log"); }
  /// Waits until the log says it; false when the process ends without.
  bool says(const std::string& text, pid_t child) {
    const auto said = [&] { return slurp(folder_ / "sync.log").find(text) != std::string::npos; };
    wait_until([&] { return said() || has_ended(child); });
    return said();
  }

  [[nodiscard]] fs::path in_run(int number, const std::string& name) const {
    return folder_ / ("project/runs/00000" + std::to_string(number) + "/" + name);
  }
  [[nodiscard]] sync::RunRecord record(int number) const { return sync::read_run(in_run(number, "sync.wb")); }
  [[nodiscard]] sync::Counts counts(int number) const {
    const auto run = record(number);
    EXPECT_TRUE(run.complete);
    return run.counts.value_or(sync::Counts{});
  }
  [[nodiscard]] manifest::Object standing(int run, const std::string& sop_instance) const {
    return objects_of(in_run(run, "standing.wb")).at(sop_instance);
  }
  static bool has(const manifest::Object& object, std::string_view code) {
    for (const auto& finding : object.findings)
      if (finding.code == code) return true;
    return false;
  }

  TempFolder folder_;
  std::string target_;
  inline static int tests_ = 0;
};

class SyncingToOrthanc : public Syncing {
 protected:
  static void SetUpTestSuite() { orthanc_ = std::make_unique<Orthanc>(); }
  static void TearDownTestSuite() {
    ::kill(orthanc_->pid(), SIGKILL);  // its folder goes away anyhow, and a shutdown in order takes seconds
    orthanc_.reset();
  }
  void SetUp() override {
    begin(orthanc_->url());
    (void)stores();
  }
  /// C-STORE requests that Orthanc has taken since the last call.
  std::size_t stores() {
    const std::size_t all = orthanc_->stores();
    return all - std::exchange(stores_, all);
  }
  inline static std::unique_ptr<Orthanc> orthanc_;
  inline static std::size_t stores_ = 0;
};

}  // namespace waybill::test
