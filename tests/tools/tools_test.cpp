// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace waybill {
namespace {

namespace fs = std::filesystem;

fs::path bin() {
  const char* folder = std::getenv("WAYBILL_BIN");
  return folder == nullptr ? fs::path() : fs::path(folder);
}

struct Outcome {
  int exit = -1;
  std::string text;  ///< stdout and stderr
};

Outcome run(const std::string& command) {
  Outcome out;
  FILE* pipe = popen(("'" + bin().string() + "'/" + command).c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.text.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) out.exit = WEXITSTATUS(status);
  return out;
}

std::vector<std::string> tools() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(bin())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("waybill-")) out.push_back(name);
  }
  return out;
}

class Tools : public testing::Test {
 protected:
  void SetUp() override {
    if (bin().empty() || !fs::exists(bin() / "waybill")) GTEST_SKIP() << "WAYBILL_BIN names no built tools";
  }
};

TEST_F(Tools, ScanOfADicomdirTakesStockOfItsFolder) {
  std::string name = testing::TempDir() + "/medium-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const fs::path folder(name);
  for (const char* file : {"DICOMDIR", "IM1", "IM2"}) std::ofstream(folder / file) << "not looked into here";
  const std::string out = " -o '" + (folder.string() + ".wb") + "' --quiet --restart 2>&1";
  const Outcome one = run("waybill-scan '" + (folder / "DICOMDIR").string() + "'" + out);
  EXPECT_NE(one.text.find("its folder is scanned"), std::string::npos) << one.text;
  EXPECT_NE(one.text.find("total\t3 entries"), std::string::npos) << one.text;
  const Outcome other = run("waybill-scan '" + (folder / "IM1").string() + "'" + out);
  EXPECT_NE(other.text.find("total\t1 entries"), std::string::npos) << other.text;
  fs::remove_all(folder);
  fs::remove(folder.string() + ".wb");
}

TEST_F(Tools, EveryToolExplainsItselfAndNamesItsVersion) {
  ASSERT_FALSE(tools().empty());
  for (const auto& tool : tools()) {
    const Outcome help = run(tool + " --help 2>&1");
    EXPECT_EQ(help.exit, 0) << tool;
    EXPECT_NE(help.text.find("Usage:"), std::string::npos) << tool;
    const Outcome version = run(tool + " --version 2>&1");
    EXPECT_EQ(version.exit, 0) << tool;
    EXPECT_EQ(version.text, "waybill 0.1.0\n") << tool;
  }
}

TEST_F(Tools, EveryToolRefusesAnUnknownOptionAsUsage) {
  for (const auto& tool : tools()) EXPECT_EQ(run(tool + " --no-such-option 2>&1").exit, 2) << tool;
}

TEST_F(Tools, EveryToolReportsOutputThatDidNotArrive) {
  for (const auto& tool : tools()) EXPECT_EQ(run(tool + " --help 2>/dev/null >/dev/full").exit, 3) << tool;
  EXPECT_EQ(run("waybill --help 2>/dev/null >/dev/full").exit, 3);
}

TEST_F(Tools, DispatcherListsEveryInstalledTool) {
  const Outcome help = run("waybill --help 2>&1");
  EXPECT_EQ(help.exit, 0);
  for (const auto& tool : tools()) EXPECT_NE(help.text.find("  " + tool.substr(8) + " "), std::string::npos) << tool;
}

TEST_F(Tools, DispatcherStartsTheToolBesideItAndPassesItsExitCode) {
  EXPECT_EQ(run("waybill report --help").text, run("waybill-report --help").text);
  EXPECT_EQ(run("waybill report /nonexistent.wb 2>&1").exit, 3);
  EXPECT_EQ(run("waybill help report").exit, 0);
}

TEST_F(Tools, DispatcherNamesTheNearestToolForATypingError) {
  const Outcome typo = run("waybill reprot 2>&1");
  EXPECT_EQ(typo.exit, 2);
  EXPECT_NE(typo.text.find("'waybill report'"), std::string::npos) << typo.text;
}

TEST_F(Tools, DispatcherNamesNoToolThatIsNothingLikeTheOneTyped) {
  EXPECT_EQ(run("waybill qqqqqqqq 2>&1").text.find("nearest"), std::string::npos);
  EXPECT_NE(run("waybill --no-such 2>&1").text.find("no option"), std::string::npos);
}

TEST_F(Tools, NameAMisspeltOptionOrCommandBeforeWhatIsMissing) {
  const Outcome option = run("waybill-scan /archive --ouput scan.wb 2>&1");
  EXPECT_EQ(option.exit, 2);
  EXPECT_NE(option.text.find("no option --ouput; the nearest is --output"), std::string::npos) << option.text;
  const Outcome extra = run("waybill-manifest cat scan.wb --buckt instance 2>&1");
  EXPECT_NE(extra.text.find("no option --buckt"), std::string::npos) << extra.text;
  const Outcome command = run("waybill-manifest fliter scan.wb 2>&1");
  EXPECT_EQ(command.exit, 2);
  EXPECT_NE(command.text.find("the nearest is filter"), std::string::npos) << command.text;
  const Outcome inner = run("waybill-manifest cat 2>&1");
  EXPECT_NE(inner.text.find("'waybill manifest cat --help'"), std::string::npos) << inner.text;
}

/// A folder with a text file in it, scanned.
class Scanned : public Tools {
 protected:
  void SetUp() override {
    Tools::SetUp();
    if (IsSkipped()) return;
    std::string name = (fs::temp_directory_path() / "waybill-tools-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(folder_ / "archive");
    std::ofstream(folder_ / "archive/note.txt") << "no image";
    scan_ = (folder_ / "scan.wb").string();
    ASSERT_EQ(run("waybill-scan " + archive() + " -o " + scan_ + " 2>&1").exit, 0);
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  [[nodiscard]] std::string archive() const { return (folder_ / "archive").string(); }
  [[nodiscard]] std::size_t files_in_archive() const {
    return static_cast<std::size_t>(
        std::distance(fs::recursive_directory_iterator(archive()), fs::recursive_directory_iterator()));
  }

  fs::path folder_;
  std::string scan_;
};

TEST_F(Scanned, NothingIsWrittenIntoTheSources) {
  const std::string inside = archive() + "/deep/er";
  for (const std::string& command :
       {"waybill-scan " + archive() + " -o " + archive() + "/scan.wb 2>&1",
        "waybill-transcode " + scan_ + " --to keep --out " + inside + " -o " + (folder_ / "t.wb").string() + " 2>&1",
        "waybill-pack " + scan_ + " -o " + inside + " 2>&1"}) {
    const Outcome refused = run(command);
    EXPECT_EQ(refused.exit, 2) << command;
    EXPECT_NE(refused.text.find("only read"), std::string::npos) << refused.text;
    EXPECT_EQ(std::count(refused.text.begin(), refused.text.end(), '\n'), 1) << refused.text;
  }
  EXPECT_EQ(files_in_archive(), 1U);
  EXPECT_FALSE(fs::exists(folder_ / "t.wb"));
  EXPECT_EQ(run("waybill-scan " + archive() + " -o - 2>/dev/null >/dev/null").exit, 0);
}

TEST_F(Scanned, DecisionsAreNotTakenForAManifestOfObjects) {
  std::ofstream(folder_ / "exams.csv") << "PATIENT_ID,ACCESSION\nP1,A1\n";
  const std::string decided = (folder_ / "reconcile.wb").string();
  const Outcome made =
      run("waybill-reconcile " + scan_ + " --ris " + (folder_ / "exams.csv").string() + " -o " + decided + " 2>&1");
  ASSERT_LE(made.exit, 1) << made.text;
  const std::string out = (folder_ / "out").string();
  for (const std::string& command :
       {"waybill-transcode " + decided + " --to keep --out " + out + " -o " + out + ".wb 2>&1",
        "waybill-pack " + decided + " -o " + out + " 2>&1", "waybill-verify " + decided + " -o " + out + ".wb 2>&1",
        "waybill-load " + decided + " --to dicom://X@127.0.0.1:1 -o " + out + ".wb 2>&1"}) {
    const Outcome refused = run(command);
    EXPECT_EQ(refused.exit, 2) << command;
    EXPECT_NE(refused.text.find("no objects"), std::string::npos) << refused.text;
  }
  EXPECT_FALSE(fs::exists(out + ".wb"));
}

TEST_F(Scanned, AReaderThatEndsEarlyIsToldOfOnce) {
  const Outcome closed = run("waybill-manifest cat " + scan_ + " 2>&1 >&-");
  EXPECT_EQ(closed.exit, 3);
  EXPECT_EQ(std::count(closed.text.begin(), closed.text.end(), '\n'), 1) << closed.text;
}

TEST_F(Scanned, EveryStageSumsUpInTheSameObject) {
  const std::string out = (folder_ / "out").string();
  for (const std::string& command :
       {"waybill-scan " + archive() + " -o " + scan_ + " --json",
        "waybill-transcode " + scan_ + " --to keep --out " + out + " -o " + out + ".wb --json",
        "waybill-pack " + scan_ + " -o " + out + "-backup --json", "waybill-unpack " + out + "-backup --check --json",
        "waybill-verify " + scan_ + " -o " + out + "-fixity.wb --json"}) {
    const Outcome summary = run(command + " 2>/dev/null | jq -r 'keys|join(\" \")'");
    EXPECT_EQ(summary.text, "already_complete counts exit interrupted stage\n") << command;
  }
}

TEST_F(Scanned, AReportGoesToStandardOutputWhenAskedTo) {
  const Outcome table = run("waybill-report " + scan_ + " --csv - 2>/dev/null");
  EXPECT_EQ(table.text.substr(0, 6), "\"kind\"");
  EXPECT_EQ(run("waybill-report " + scan_ + " --csv - --json 2>&1").exit, 2);
}

TEST_F(Tools, DispatcherStartsNothingOutsideItsFolder) { EXPECT_EQ(run("waybill ../../bin/true 2>&1").exit, 2); }

}  // namespace
}  // namespace waybill
