// SPDX-License-Identifier: Apache-2.0
#include "support/peer.hpp"

namespace waybill {
namespace {

namespace fs = std::filesystem;

constexpr int kStudies = 25'000;  // several frames of the output

/// A family name of its own for each number, so that no two patients are alike.
std::string family(int number) {
  std::string name = "M";
  for (int i = 0; i < 4; ++i, number /= 26) name += static_cast<char>('a' + number % 26);
  return name;
}

class ReconcileKilled : public testing::Test {
 protected:
  void SetUp() override {
    manifest::Header header;
    header.stage = "scan";
    manifest::Writer writer(folder_ / "scan.wb", header);
    std::ofstream exams(folder_ / "exams.csv");
    exams << "PATIENT_ID,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,STATUS\n";
    for (int i = 0; i < kStudies; ++i) {
      const std::string n = std::to_string(i);
      manifest::Object o;
      o.source.path = "/archive/" + n;
      o.source.size = 10;
      o.id = manifest::object_id(o.source);
      o.study = "1.2.3." + n;
      o.series = *o.study + ".1";
      o.patient_id = "P" + n;
      o.patient_name = family(i) + "^Anna";
      o.birth_date = std::to_string(19000101 + i % 90 * 10000 + i / 90 % 12 * 100 + i / 1080 % 28);
      o.sex = "F";
      o.accession = "A" + n;
      o.study_date = std::to_string(20000101 + i % 20 * 10000 + i / 20 % 12 * 100 + i / 240 % 28);
      o.modality = "CT";
      writer.append_record(o);
      const std::string who = family(i) + ",Anna," + *o.birth_date + ",F,";
      if (i % 3 != 0) exams << "P" << n << "," << who << "A" << n << ",CT," << *o.study_date << ",COMPLETED\n";
      if (i % 3 == 1) exams << "Q" << n << "," << who << "B" << n << ",CT,19980304,COMPLETED\n";
    }
    writer.finish("{}");
  }
  [[nodiscard]] std::vector<std::string> words(const std::string& name) const {
    return {test::tool("reconcile"),
            (folder_ / "scan.wb").string(),
            "--ris",
            (folder_ / "exams.csv").string(),
            "-o",
            (folder_ / name).string() + ".wb",
            "--exceptions",
            (folder_ / name).string() + ".csv"};
  }
  void run_to_end(const std::string& name) {
    const test::Ran ran = test::run(words(name), folder_ / "log");
    ASSERT_EQ(ran.exit, 1) << ran.text;  // exceptions are in it on purpose
  }
  /// Kills the run once `bytes` more of its output are on disk; false when it ended before.
  bool killed_after(const std::string& name, std::uintmax_t bytes) {
    const fs::path output = folder_ / (name + ".wb");
    const std::uintmax_t before = fs::exists(output) ? fs::file_size(output) : 0;
    const pid_t child = test::spawn(words(name), folder_ / "log");
    std::error_code absent;
    test::wait_until([&] {
      const std::uintmax_t now = fs::file_size(output, absent);
      return (!absent && now >= before + bytes) || test::has_ended(child);
    });
    ::kill(child, SIGKILL);
    return test::wait_for(child) == 128 + SIGKILL;
  }
  /// The records; `complete` tells whether the end frame is there.
  std::vector<std::string> records(const std::string& name, bool& complete) {
    manifest::Reader reader(folder_ / (name + ".wb"));
    std::vector<std::string> out;
    while (const auto line = reader.next_line()) {
      if (line->find("\"kind\":\"recovered\"") == std::string_view::npos) out.emplace_back(*line);
    }
    complete = reader.end().has_value();
    return out;
  }
  void expect_equal_results() {
    bool complete = false;
    const auto whole = records("whole", complete);
    ASSERT_TRUE(complete);
    const auto killed = records("killed", complete);
    EXPECT_TRUE(complete);
    EXPECT_GT(whole.size(), static_cast<std::size_t>(kStudies));
    EXPECT_TRUE(whole == killed) << whole.size() << " and " << killed.size() << " records";
    EXPECT_EQ(test::slurp(folder_ / "whole.csv"), test::slurp(folder_ / "killed.csv"));
    EXPECT_EQ(test::run({test::tool("manifest"), "check", (folder_ / "killed.wb").string()}, folder_ / "log").exit, 0);
  }

  test::TempFolder folder_;
};

TEST_F(ReconcileKilled, ARunKilledAndResumedGivesTheSameRecords) {
  run_to_end("whole");
  int partial = 0;
  for (int i = 0; i < 4; ++i) {
    if (!killed_after("killed", 1000)) break;
    bool complete = false;
    const std::size_t done = records("killed", complete).size();
    partial += !complete && done > 0 ? 1 : 0;
  }
  EXPECT_GT(partial, 0) << "no kill fell between two records";
  run_to_end("killed");
  expect_equal_results();
}

TEST_F(ReconcileKilled, ATornTailBetweenTwoKillsLosesNoRecord) {
  run_to_end("whole");
  bool complete = false;
  const auto whole = records("whole", complete);
  const manifest::Header header = manifest::Reader(folder_ / "whole.wb").header();
  {  // the first interruption
    manifest::Writer writer(folder_ / "killed.wb", header);
    for (std::size_t i = 0; i < 10; ++i) writer.append(whole[i]);
  }
  std::ofstream(folder_ / "killed.wb", std::ios::app | std::ios::binary) << "half a frame";
  {  // the second run cuts that, notes it, and is interrupted as well
    manifest::Writer writer(folder_ / "killed.wb", header);
    ASSERT_TRUE(writer.resumed());
    for (std::size_t i = 10; i < 20; ++i) writer.append(whole[i]);
  }
  run_to_end("killed");
  expect_equal_results();
}

}  // namespace
}  // namespace waybill
