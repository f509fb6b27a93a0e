// SPDX-License-Identifier: Apache-2.0
#include "hl7/framer.hpp"
#include "hl7/batch.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <random>
#include <vector>

namespace waybill::hl7 {
namespace {

struct Cut {
  PieceKind kind;
  std::uint64_t offset;
  std::string bytes;
  bool operator==(const Cut&) const = default;
};

std::vector<Cut> cut(std::string_view text, std::size_t chunk, std::size_t largest = Framer::kLargest) {
  std::vector<Cut> cuts;
  Framer framer([&](const Piece& p) { cuts.push_back({p.kind, p.offset, std::string(p.bytes)}); }, largest);
  for (std::size_t at = 0; at < text.size(); at += chunk) framer.feed(text.substr(at, chunk));
  framer.finish();
  return cuts;
}

std::vector<std::string> messages(const std::vector<Cut>& cuts) {
  std::vector<std::string> out;
  for (const auto& c : cuts)
    if (c.kind == PieceKind::message) out.push_back(c.bytes.substr(0, c.bytes.find_first_of("\r\n")));
  return out;
}

const std::string kMixture =
    "\xEF\xBB\xBF"
    "FHS|^~\\&|A\rBHS|^~\\&|A\r\nMSH|^~\\&|1\rPID|1\n\nMSH|^~\\&|2\r\nPV1|1\r\nBTS|2\nFTS|1\r"
    "\x0BMSH|^~\\&|3\rPID|x\r\x1C\r\x0BMSH|^~\\&|4\rNTE|a\x1C"
    "b\r\x1C\r\njunk between\r\n\x0BMSH|^~\\&|5\rPID|1\x1C";

TEST(Hl7Framer, CutsFilesBatchesAndCapturesInOneStream) {
  const auto cuts = cut(kMixture, kMixture.size());

  EXPECT_EQ(messages(cuts),
            (std::vector<std::string>{"MSH|^~\\&|1", "MSH|^~\\&|2", "MSH|^~\\&|3", "MSH|^~\\&|4", "MSH|^~\\&|5"}));
  std::vector<PieceKind> kinds;
  for (const auto& c : cuts) kinds.push_back(c.kind);
  using enum PieceKind;
  EXPECT_EQ(kinds, (std::vector<PieceKind>{file_header, batch_header, message, message, batch_trailer, file_trailer,
                                           message, message, stray, message}));
  for (const auto& c : cuts) EXPECT_EQ(kMixture.substr(c.offset, c.bytes.size()), c.bytes);
}

TEST(Hl7Framer, GivesTheSameForChunksOfAnySize) {
  const auto whole = cut(kMixture, kMixture.size());
  for (std::size_t n = 1; n < 80; ++n) EXPECT_EQ(cut(kMixture, n), whole) << n;
}

TEST(Hl7Framer, KeepsAFrameEndByteThatIsTextInItsMessage) {
  const auto cuts = cut(kMixture, 7);
  EXPECT_NE(cuts[7].bytes.find("a\x1C"
                               "b"),
            std::string::npos);
}

TEST(Hl7Framer, ABareMshLineIsAPieceOfItsOwn) {
  const auto cuts = cut("MSH|^~\\&|1\rPID|1\rMSH\rMSH|^~\\&|2\r", 5);
  ASSERT_EQ(cuts.size(), 3U);
  EXPECT_EQ(cuts[1].bytes, "MSH\r");
}

TEST(Hl7Framer, DoesNotTakeWordsForHeaders) {
  const auto cuts = cut("MSH|^~\\&|1\rMSHX is a word\rFTSE 100\rBHS is not one\rPID|1", 3);
  ASSERT_EQ(cuts.size(), 1U);
}

TEST(Hl7Framer, GivesNothingForNoise) {
  EXPECT_TRUE(cut("", 1).empty());
  EXPECT_TRUE(cut(std::string_view("\r\n\0\x1C\r  \x1A", 9), 2).empty());
}

TEST(Hl7Framer, ANeverEndingMessageIsDroppedAtTheLimitAndTheNextOneIsRead) {
  Cut first{};
  int pieces = 0;
  std::string last;
  Framer framer(
      [&](const Piece& p) {
        if (pieces++ == 0) first = {p.kind, p.offset, std::string(p.bytes)};
        last = std::string(p.bytes);
      },
      1 << 20);
  framer.feed("MSH|^~\\&|1\rOBX|1|");
  const std::string block(1 << 16, 'x');
  for (int i = 0; i < 16384; ++i) framer.feed(block);  // 1 GiB without an end
  framer.feed("\rMSH|^~\\&|2\rPID|1\r");
  framer.finish();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);

  EXPECT_EQ(first.kind, PieceKind::oversize);
  EXPECT_EQ(pieces, 2);
  EXPECT_EQ(last, "MSH|^~\\&|2\rPID|1\r");
  EXPECT_LT(usage.ru_maxrss, 400 * 1024);
}

TEST(Hl7Framer, TakesAMessageOfAHundredMegabytesInSmallChunks) {
  const std::string big = "MSH|^~\\&|1\rOBX|1|" + std::string(100 << 20, 'A') + "\rMSH|^~\\&|2\r";
  const auto cuts = cut(big, 1500);
  ASSERT_EQ(cuts.size(), 2U);
  EXPECT_EQ(cuts[0].bytes.size(), big.size() - 11);
}

std::vector<std::string> complaints(std::string_view text) {
  std::vector<std::string> out;
  BatchCheck check([&](std::uint64_t, std::string reason) { out.push_back(std::move(reason)); });
  Framer framer([&](const Piece& p) { check.see(p); });
  framer.feed(text);
  framer.finish();
  check.finish();
  return out;
}

TEST(Hl7Batch, IsSilentWhenTheTotalsAgree) {
  EXPECT_TRUE(
      complaints("FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|1\rMSH|^~\\&|2\rBTS|2\rBHS|^~\\&\rMSH|^~\\&|3\rBTS|1\rFTS|2\r")
          .empty());
  EXPECT_TRUE(complaints("BHS|^~\\&\rMSH|^~\\&|1\rBTS||no total\r").empty());
  EXPECT_TRUE(complaints("MSH|^~\\&|1\r").empty());
}

TEST(Hl7Batch, NamesEveryTotalThatIsWrongAndEveryMissingTrailer) {
  EXPECT_EQ(complaints("BHS|^~\\&\rMSH|^~\\&|1\rBTS|2\r"),
            std::vector<std::string>{"BTS-1 promises 2 messages, the batch has 1; the export may be truncated"});
  EXPECT_EQ(complaints("FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|1\rBTS|1\rFTS|3\r"),
            std::vector<std::string>{"FTS-1 promises 3 batches, the file has 1; the export may be truncated"});
  EXPECT_EQ(complaints("BHS|^~\\&\rMSH|^~\\&|1\r"),
            std::vector<std::string>{"the batch has no BTS; the export may be truncated"});
  EXPECT_EQ(complaints("FHS|^~\\&\rMSH|^~\\&|1\r"),
            std::vector<std::string>{"the file has FHS but no FTS; the export may be truncated"});
  EXPECT_EQ(complaints("BHS|^~\\&\rMSH|^~\\&|1\rBTS|many\r").size(), 1U);
}

TEST(Hl7Framer, TakesHeadersInLowerCaseBehindFormFeedsAndSeveralByteOrderMarks) {
  const std::string mark = "\xEF\xBB\xBF";
  const auto cuts =
      cut(mark + mark + "msh|^~\\&|1\rpid|1\r\fMSH|^~\\&|2\rPID|1\r" + std::string(30, ' ') + "MSH|^~\\&|3\r", 5);
  EXPECT_EQ(messages(cuts), (std::vector<std::string>{"msh|^~\\&|1", "MSH|^~\\&|2", "MSH|^~\\&|3"}));
}

TEST(Hl7Framer, AnEndBlockBehindAWholeLineEndsTheMessageWhateverFollows) {
  const auto cuts = cut("\x0BMSH|^~\\&|1\rPID|1\r\x1CMSH|^~\\&|2\rPID|1\r\x1C", 3);
  EXPECT_EQ(messages(cuts), (std::vector<std::string>{"MSH|^~\\&|1", "MSH|^~\\&|2"}));
}

TEST(Hl7Framer, SaysHowEachPieceCameToItsEnd) {
  const std::string text =
      "MSH|^~\\&|1\rPID|1\r"            // a file
      "\x0BMSH|^~\\&|2\rPID|1\r\x1C\r"  // a frame
      "\x0BMSH|^~\\&|3\rPID|1\r"        // its end block was lost
      "\x0BMSH|^~\\&|4\rPID|1||47"      // and here more than that
      "\x0BMSH|^~\\&|5\rPID|1\r\x1C\r"
      "MSH|^~\\&|6\rPID|1||47";  // a file need not end its last line
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, text.size()}) {
    std::vector<Ending> endings;
    Framer framer([&](const Piece& p) { endings.push_back(p.ending); });
    for (std::size_t at = 0; at < text.size(); at += chunk) framer.feed(std::string_view(text).substr(at, chunk));
    framer.finish();
    using enum Ending;
    EXPECT_EQ(endings, (std::vector<Ending>{open, framed, unframed, cut, framed, open})) << chunk;
  }
}

}  // namespace
}  // namespace waybill::hl7
