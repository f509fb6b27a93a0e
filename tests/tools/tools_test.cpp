// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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
  EXPECT_NE(one.text.find("scanned 3 entries"), std::string::npos) << one.text;
  const Outcome other = run("waybill-scan '" + (folder / "IM1").string() + "'" + out);
  EXPECT_NE(other.text.find("scanned 1 entries"), std::string::npos) << other.text;
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

TEST_F(Tools, DispatcherStartsNothingOutsideItsFolder) { EXPECT_EQ(run("waybill ../../bin/true 2>&1").exit, 2); }

}  // namespace
}  // namespace waybill
