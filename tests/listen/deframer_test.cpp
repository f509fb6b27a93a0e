// SPDX-License-Identifier: Apache-2.0
#include "listen/deframer.hpp"

#include <gtest/gtest.h>

namespace waybill::listen {
namespace {

constexpr std::size_t kLargest = 10'000;

std::string name(FrameKind kind) {
  switch (kind) {
    case FrameKind::whole: return "whole";
    case FrameKind::stray: return "stray";
    case FrameKind::unended: return "unended";
    case FrameKind::oversize: return "oversize";
  }
  return "?";
}

std::string shown(const std::vector<Frame>& frames) {
  std::string out;
  for (const auto& f : frames) out += name(f.kind) + ":" + f.bytes + ":" + std::to_string(f.size) + " ";
  return out;
}

std::string frames_of(std::string_view bytes, std::size_t chunk, std::size_t largest = kLargest) {
  Deframer deframer(largest);
  std::vector<Frame> out;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) deframer.feed(bytes.substr(at, chunk), out);
  deframer.finish(out);
  return shown(out);
}

struct Case {
  std::string bytes, expected;
};

TEST(MllpFrames, AreTheSameHoweverTheBytesAreCut) {
  const std::vector<Case> cases = {
      {"\x0BMSH|1\r\x1C\r", "whole:MSH|1\r:6 "},
      {"\x0BMSH|1\r\x1C\r\x0BMSH|2\r\x1C\r", "whole:MSH|1\r:6 whole:MSH|2\r:6 "},
      {"\x0BMSH|1\r\x1C\x0BMSH|2\r\x1C\n", "whole:MSH|1\r:6 whole:MSH|2\r:6 "},
      {"\x0BMSH|1\r\x1C", "whole:MSH|1\r:6 "},                                 // the stream ends
      {"\r\n\x0B\x1C\r\r\n", "whole::0 "},                                     // nothing in the frame
      {"GET /\r\n\x0BMSH|1\x1C\r", "stray:GET /\r\n:7 whole:MSH|1:5 "},        // garbage before
      {"\x0BMSH|1\x1C\rMSH|2", "whole:MSH|1:5 stray:MSH|2:5 "},                // garbage behind
      {"\x0BMSH|1\rPI\x0BMSH|2\x1C\r", "unended:MSH|1\rPI:8 whole:MSH|2:5 "},  // the end was lost
      {"\x0BMSH|1\rPI", "unended:MSH|1\rPI:8 "},                               // the stream was cut
      {"\x0B\x0BMSH|1\x1C\r", "whole:\x0BMSH|1:6 "},                           // two start blocks
      {"\x0BMSH|a\x1C"
       "b\x0BMS\x0BM\x1C\r",
       "whole:MSH|a\x1C"
       "b\x0BMS\x0BM:12 "},  // control bytes in the text
      {"\x0BMSH|a\x1C\x1C\r", "whole:MSH|a\x1C:6 "},
  };
  for (const auto& c : cases) {
    for (std::size_t chunk = 1; chunk <= c.bytes.size(); ++chunk)
      EXPECT_EQ(frames_of(c.bytes, chunk), c.expected) << "chunks of " << chunk;
  }
}

TEST(MllpFrames, OneAboveTheLimitIsNamedWithItsHeadAndTheNextOneIsWhole) {
  const std::string large = "MSH|" + std::string(20'000, 'x');
  const std::string bytes = "\x0B" + large + "\x1C\r\x0BMSH|2\x1C\r";
  for (const std::size_t chunk : {1U, 7U, 4096U, 50'000U}) {
    Deframer deframer(kLargest);
    std::vector<Frame> out;
    std::size_t most = 0;
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      deframer.feed(std::string_view(bytes).substr(at, chunk), out);
      most = std::max(most, deframer.held());
    }
    ASSERT_EQ(out.size(), 2U) << chunk;
    EXPECT_EQ(out[0].kind, FrameKind::oversize);
    EXPECT_EQ(out[0].size, large.size());
    EXPECT_EQ(out[0].bytes, large.substr(0, Deframer::kKept));
    EXPECT_EQ(out[1].bytes, "MSH|2");
    EXPECT_LE(most, kLargest);
  }
}

TEST(MllpFrames, OneOfExactlyTheLimitIsWhole) {
  const std::string text(kLargest, 'x');
  EXPECT_EQ(frames_of("\x0B" + text + "\x1C\r", 999), "whole:" + text + ":10000 ");
}

TEST(MllpFrames, AnEndBlockWithoutCarriageReturnCountsWhenNothingFollows) {
  Deframer deframer(kLargest);
  std::vector<Frame> out;
  deframer.feed("\x0BMSH|1\x1C", out);
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(deframer.ends_bare());
  deframer.accept_bare_end(out);
  deframer.feed("\r", out);  // it comes after all
  deframer.finish(out);
  EXPECT_EQ(shown(out), "whole:MSH|1:5 ");
}

TEST(MllpFrames, StrayBytesAreCountedAndOnlyTheirFirstOnesKept) {
  Deframer deframer(kLargest);
  std::vector<Frame> out;
  for (int i = 0; i < 100; ++i) deframer.feed(std::string(1000, 'g'), out);
  EXPECT_EQ(deframer.pending(), 100'000U);
  EXPECT_LE(deframer.held(), Deframer::kKept);
}

}  // namespace
}  // namespace waybill::listen
