// SPDX-License-Identifier: Apache-2.0
#include "manifest/writer.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"

namespace waybill::transcode {
namespace {

using namespace waybill::test;

/// Tools in a pipe, as on a command line.
class Stream : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (!has_tools()) GTEST_SKIP() << "WAYBILL_BIN names no built tools";
    for (unsigned n = 0; n < 8; ++n) {
      Image image;
      image.sop_instance = "1.2.3.4." + std::to_string(n + 1);
      image.seed = n;
      put(folder_ / "archive" / ("IM" + std::to_string(n)), file_of(image));
    }
    put(folder_ / "archive" / "note.txt", "hello");
  }

  [[nodiscard]] Ran run(const std::string& command) const {
    return shell("cd " + folder_.string() + " && set -- && " + command);
  }

  static constexpr const char* kScan = "$B/waybill-scan archive --deep --quiet -o - 2>/dev/null";
  static constexpr const char* kTranscode = "$B/waybill-transcode - --to jpeg-ls --out staged --quiet -o transcode.wb";
};

TEST_F(Stream, TheLedgerOfAWholePipeClosesInTheReport) {
  const Ran pipe = run(std::string(kScan) +
                       " | tee scan.wb | $B/waybill-transcode - --to jpeg-ls --out staged --quiet -o - 2>/dev/null"
                       " | tee transcode.wb | $B/waybill-verify - --quiet -o verify.wb > log");
  ASSERT_EQ(pipe.exit, 0);
  EXPECT_EQ(
      run("cat transcode.wb | $B/waybill-verify - --quiet -o - 2>/dev/null | $B/waybill-manifest check - > log").exit,
      0)
      << "something else than the manifest is on standard output";
  const Ran report = run("$B/waybill-report verify.wb transcode.wb scan.wb --json 2>&1");
  EXPECT_EQ(report.exit, 0) << report.out;
  put(folder_ / "report.json", report.out);
  EXPECT_EQ(run("jq -c '[.unexplained_total, [.links[].state], [.ledger[].closes], .scanned.objects]' report.json").out,
            "[0,[\"linked\",\"linked\"],[true,true],9]\n");
  for (const char* manifest : {"scan.wb", "transcode.wb", "verify.wb"})
    EXPECT_EQ(run(std::string("$B/waybill-manifest check ") + manifest + " > log").exit, 0) << manifest;
  EXPECT_EQ(run("zstd -dc transcode.wb | jq -r 'select(.kind==\"end\").inputs[0].head'").out,
            run("$B/waybill-manifest check --json scan.wb | jq -r .head").out);
  EXPECT_EQ(run("cat scan.wb | $B/waybill-report - transcode.wb verify.wb > log 2>&1").exit, 0);
}

TEST_F(Stream, AnotherScanThanTheOneStreamedDoesNotLink) {
  ASSERT_EQ(run(std::string(kScan) + " | " + kTranscode + " > log").exit, 0);
  ASSERT_EQ(run("$B/waybill-scan archive --deep --quiet -o other.wb > log").exit, 0);
  const Ran report = run("$B/waybill-report other.wb transcode.wb 2>&1");
  EXPECT_EQ(report.exit, 5);
  EXPECT_NE(report.out.find("does not link"), std::string::npos) << report.out;
}

TEST_F(Stream, ACutStreamLeavesAnIncompleteManifestThatTheWholeOneFinishes) {
  ASSERT_EQ(run(std::string(kScan) + " > scan.wb").exit, 0);
  EXPECT_EQ(run(std::string("head -c -300 scan.wb | ") + kTranscode + " > log 2>&1").exit, 3) << get(folder_ / "log");
  EXPECT_EQ(run("$B/waybill-manifest check transcode.wb > log").exit, 6);
  EXPECT_EQ(run("$B/waybill-report scan.wb transcode.wb > log 2>&1").exit, 1) << get(folder_ / "log");
  EXPECT_EQ(run(std::string("cat scan.wb | ") + kTranscode + " > log").exit, 0);
  EXPECT_EQ(run("$B/waybill-report scan.wb transcode.wb > log 2>&1").exit, 0) << get(folder_ / "log");
}

TEST_F(Stream, ContinuedOnAStreamOfOtherContentIsRefused) {
  ASSERT_EQ(run(std::string(kScan) + " > scan.wb").exit, 0);
  const auto cut = [&] {
    fs::remove(folder_ / "transcode.wb");
    EXPECT_EQ(run(std::string("cat scan.wb | ") + kTranscode + " > log").exit, 0);
    manifest::Reader reader(folder_ / "transcode.wb");
    manifest::Writer writer(folder_ / "cut.wb", reader.header(), manifest::Restart::yes);
    while (const auto line = reader.next_line()) writer.append(*line);
  };
  cut();
  Image changed;
  changed.seed = 77;
  changed.sop_instance = "1.2.3.4.1";
  put(folder_ / "archive" / "IM0", file_of(changed));
  fs::rename(folder_ / "cut.wb", folder_ / "transcode.wb");
  fs::rename(folder_ / "cut.wb.sync", folder_ / "transcode.wb.sync");
  const Ran refused = run(std::string(kScan) + " | " + kTranscode + " 2>&1");
  EXPECT_EQ(refused.exit, 2);
  EXPECT_NE(refused.out.find("another content for object"), std::string::npos) << refused.out;
  put(folder_ / "archive" / "IM0", "");
  fs::remove(folder_ / "archive" / "IM0");
  const Ran lacking = run(std::string(kScan) + " | " + kTranscode + " 2>&1");
  EXPECT_EQ(lacking.exit, 2);
  EXPECT_NE(lacking.out.find("lacks objects"), std::string::npos) << lacking.out;
  EXPECT_EQ(run(std::string(kScan) + " | " + kTranscode + " --restart > log").exit, 0);
}

}  // namespace
}  // namespace waybill::transcode
