// SPDX-License-Identifier: Apache-2.0
// A codec that crashes, loops or takes too much memory costs one call.
#include "transcode/pool.hpp"

#include "dicom/toolkit.hpp"
#include "pixel/codec.hpp"

#include <gtest/gtest.h>
#include <atomic>
#include <csignal>
#include <fstream>
#include <random>
#include <thread>

namespace waybill::transcode {
namespace {

const dicom::Toolkit kToolkit;
const std::string kNativeSyntax = "1.2.840.10008.1.2.1";
const std::string kJpegLossless = "1.2.840.10008.1.2.4.70";
const std::string kJpegLs = "1.2.840.10008.1.2.4.80";

/// Pixel data that owns its bytes.
struct Image {
  Bytes bytes;
  pixel::PixelData data;
};

Image native(std::uint32_t side = 64, std::uint32_t frames = 1) {
  Image image;
  for (std::uint32_t i = 0; i < side * side * frames; ++i)
    put_u16(image.bytes, static_cast<std::uint16_t>(i / 3 % 4096));
  pixel::ImageInfo& info = image.data.info;
  info.rows = info.columns = side;
  info.frames = frames;
  info.bits_allocated = 16;
  info.bits_stored = 12;
  info.high_bit = 11;
  info.photometric = "MONOCHROME2";
  image.data.transfer_syntax = kNativeSyntax;
  image.data.value = image.bytes;
  return image;
}

Image encapsulated(const Image& of, const std::vector<Bytes>& frames, const std::string& syntax) {
  Image image;
  pixel::write_encapsulated(frames, image.bytes);
  image.data = of.data;
  image.data.transfer_syntax = syntax;
  image.data.encapsulated = true;
  image.data.value = image.bytes;
  return image;
}

std::vector<Bytes> owned(const Encoded& encoded) {
  std::vector<Bytes> out;
  for (const ByteView frame : encoded.frames) out.emplace_back(frame.begin(), frame.end());
  return out;
}

/// Processes this one has started.
std::vector<pid_t> children() {
  std::vector<pid_t> out;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream in(task.path() / "children");
    for (pid_t pid = 0; in >> pid;) out.push_back(pid);
  }
  return out;
}

class Pool : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(codec())) GTEST_SKIP() << codec() << " is not built";
  }
  static std::filesystem::path codec() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "waybill_codec";
  }
};

TEST_F(Pool, GivesTheSameBytesAndProofAsCodecsInThisProcess) {
  CodecPool pool(codec());
  CodecsHere here;
  const Image image = native(64, 3);
  for (const std::string& syntax : {kJpegLs, kJpegLossless, std::string("1.2.840.10008.1.2.5")}) {
    std::vector<Bytes> frames;
    {
      const auto there = pool.encode(image.data, syntax);
      ASSERT_TRUE(there) << there.error().what;
      frames = owned(*there);
      EXPECT_EQ(frames, owned(*here.encode(image.data, syntax)));
      EXPECT_EQ(there->photometric, "MONOCHROME2");
    }
    const Image written = encapsulated(image, frames, syntax);
    EXPECT_EQ(*pool.compare(image.data, written.data), *here.compare(image.data, written.data));
  }
  EXPECT_EQ(pool.idle().size(), 1U);
}

// Large frames are proved some rows at a time; a wrong sample or row is found wherever it is.
TEST_F(Pool, OneOtherSampleAnywhereInALargeFrameIsAMismatch) {
  CodecsHere codecs;
  const Image image = native(1100);
  for (const char* const number : {"70", "80", "90", "201"}) {
    const std::string syntax = std::string("1.2.840.10008.1.2.4.") + number;
    const Image written = encapsulated(image, owned(*codecs.encode(image.data, syntax)), syntax);
    ASSERT_TRUE(codecs.compare(image.data, written.data)) << syntax;
    EXPECT_TRUE(codecs.compare(written.data, image.data)) << syntax << " made native";
    for (const std::size_t at : {std::size_t{0}, image.bytes.size() / 2, image.bytes.size() - 2}) {
      Image other = image;
      other.bytes[at] ^= std::byte{1};
      other.data.value = other.bytes;
      for (const auto& same : {codecs.compare(other.data, written.data), codecs.compare(written.data, other.data)}) {
        ASSERT_FALSE(same) << syntax << " at " << at;
        EXPECT_EQ(same.error().fault, Fault::mismatch);
      }
    }
    Image shorter = image;
    shorter.data.info.rows -= 3;
    shorter.data.value = ByteView(image.bytes).first(image.bytes.size() - std::size_t{3} * 1100 * 2);
    EXPECT_FALSE(codecs.compare(shorter.data, written.data)) << syntax;
    Image longer = image;
    longer.bytes.resize(longer.bytes.size() + std::size_t{3} * 1100 * 2);
    longer.data.info.rows += 3;
    longer.data.value = longer.bytes;
    EXPECT_FALSE(codecs.compare(longer.data, written.data)) << syntax;
  }
}

TEST_F(Pool, FailuresCarryTheirWords) {
  CodecPool pool(codec());
  Image image = native();
  image.data.value = image.data.value.first(100);
  const auto there = pool.encode(image.data, kJpegLs);
  ASSERT_FALSE(there);
  EXPECT_EQ(there.error().fault, Fault::truncated);
  EXPECT_EQ(there.error().what, CodecsHere().encode(image.data, kJpegLs).error().what);
}

TEST_F(Pool, AKilledProcessIsReplacedAndTheCallSucceeds) {
  CodecPool pool(codec());
  const Image image = native();
  ASSERT_TRUE(pool.encode(image.data, kJpegLs));
  const pid_t first = pool.idle().at(0);
  ::kill(first, SIGKILL);
  ASSERT_TRUE(pool.encode(image.data, kJpegLs));
  EXPECT_NE(pool.idle().at(0), first);
}

TEST_F(Pool, AProcessThatDoesNotAnswerInTimeCostsOneCall) {
  CodecPool pool(codec(), {std::uint64_t{256} << 20U, 1, 4});  // 8 seconds, the start of a process among them
  const Image image = native();
  ASSERT_TRUE(pool.encode(image.data, kJpegLs));
  ::kill(pool.idle().at(0), SIGSTOP);
  const auto stopped = pool.encode(image.data, kJpegLs);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().fault, Fault::limit);
  EXPECT_NE(stopped.error().what.find("in time"), std::string::npos);
  EXPECT_TRUE(pool.encode(image.data, kJpegLs));
}

TEST_F(Pool, AProcessThatCrashesTwiceCostsOneCallAndSaysTheSignal) {
  CodecPool pool(codec());
  const Image image = native(1024);
  std::atomic<bool> done = false;
  std::jthread killer([&] {  // whatever codec process works now
    while (!done) {
      for (const pid_t child : children()) ::kill(child, SIGSEGV);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  const auto crashed = pool.encode(image.data, kJpegLs);
  done = true;
  killer.join();
  ASSERT_FALSE(crashed);
  EXPECT_EQ(crashed.error().fault, Fault::limit);
  EXPECT_NE(crashed.error().what.find("crashed (signal 11)"), std::string::npos) << crashed.error().what;
  EXPECT_TRUE(pool.encode(image.data, kJpegLs));
}

TEST_F(Pool, MemoryBeyondTheObjectsSizeIsRefused) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve terabytes, so codec processes run without this bound";
#endif
  CodecPool pool(codec(), {1, 5, 4});
  Image image = native(16);
  const auto fine = CodecPool(codec()).encode(image.data, kJpegLs);
  EXPECT_TRUE(fine);
  const auto refused = pool.encode(image.data, kJpegLs);  // 5 KiB are not enough for any codec
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::limit);
}

/// A lossless JPEG that DCMTK 3.6.7 reads without end: the marker TEM (FF01), which has no length, before the frame
/// header. The pool ends it and goes on.
TEST_F(Pool, ACodestreamThatACodecReadsWithoutEndCostsOneCall) {
  CodecPool pool(codec(), {std::uint64_t{256} << 20U, 1, 4});
  const Image image = native(32);
  const auto sound = CodecsHere().encode(image.data, kJpegLossless);
  ASSERT_TRUE(sound);
  Bytes stream = owned(*sound)[0];
  const Bytes marker = {std::byte{0xFF}, std::byte{0x01}};
  stream.insert(stream.begin() + 2, marker.begin(), marker.end());
  const Image hostile = encapsulated(image, {stream}, kJpegLossless);
  (void)pool.compare(hostile.data, image.data);
  const auto after = pool.encode(image.data, kJpegLs);
  EXPECT_TRUE(after) << after.error().what;
}

/// DCMTK's fork of CharLS and OpenJPH 0.9 stop the process, or worse, on damaged streams.
TEST_F(Pool, CodestreamsThatStopASecondDecoderCostTheirOwnCallsOnly) {
  CodecPool pool(codec());
  const Image image = native(24);
  std::mt19937 random(1);
  int crashed = 0;
  for (const std::string& syntax : {kJpegLs, std::string("1.2.840.10008.1.2.4.201")}) {
    const auto sound = CodecsHere().encode(image.data, syntax);
    ASSERT_TRUE(sound);
    for (int i = 0; i < 150; ++i) {
      Bytes stream = owned(*sound)[0];
      const std::size_t at = random() % stream.size();
      if (i % 3 == 0) {
        stream.resize(at);
      } else {
        stream[at] ^= static_cast<std::byte>(1U << (random() % 8));
      }
      const Image hostile = encapsulated(image, {stream}, syntax);
      const auto same = pool.compare(hostile.data, image.data);
      if (!same && same.error().what.find("crashed") != std::string::npos) ++crashed;
    }
    EXPECT_TRUE(pool.encode(image.data, syntax));
  }
  EXPECT_GT(crashed, 0);
  EXPECT_EQ(pool.idle().size(), 1U);
}

TEST_F(Pool, LeavesNoProcessBehind) {
  std::vector<pid_t> were;
  {
    CodecPool pool(codec());
    const Image image = native();
    ASSERT_TRUE(pool.encode(image.data, kJpegLs));
    were = pool.idle();
  }
  ASSERT_EQ(were.size(), 1U);
  EXPECT_NE(::kill(were[0], 0), 0);
}

}  // namespace
}  // namespace waybill::transcode
