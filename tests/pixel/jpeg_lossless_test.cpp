// SPDX-License-Identifier: Apache-2.0
// Our encoder and decoder of JPEG lossless against DCMTK's, which share no code with them.
#include "pixel/by_library.hpp"
#include "pixel/support.hpp"

#include <algorithm>
#include <array>

namespace waybill::pixel::test {
namespace {

class JpegLossless : public ::testing::Test {
  DcmtkEncoders encoders_;
};

TEST_F(JpegLossless, OfEveryPredictorThatDcmtkWritesIsDecoded) {
  for (int predictor = 1; predictor <= 7; ++predictor) {
    for (const unsigned bits : {8U, 12U, 16U}) {
      for (const unsigned samples : {1U, 3U}) {
        const ImageInfo info = image(41, 53, bits, false, samples);
        const Frame source = picture(info);
        const Bytes stream = jpeg_by_dcmtk(info, source.data, predictor);
        ASSERT_EQ(sniff(stream).predictor, predictor);
        const auto decoded = decode_frame("1.2.840.10008.1.2.4.57", info, stream);
        ASSERT_TRUE(decoded) << decoded.error().what;
        EXPECT_EQ(decoded->data, source.data) << predictor << ' ' << bits << ' ' << samples;
        EXPECT_EQ(decoded->quirk, Quirk::none);
      }
    }
  }
}

/// One component of a picture, as DCMTK writes it.
Bytes component_by_dcmtk(const ImageInfo& info, const Frame& frame, unsigned component, int predictor) {
  ImageInfo alone = info;
  alone.samples = 1;
  alone.photometric = "MONOCHROME2";
  Frame plane = picture(alone);
  const std::size_t width = frame.bytes_per_sample;
  for (std::size_t i = 0; i < plane.data.size(); ++i)
    plane.data[i] = frame.data[(i / width * info.samples + component) * width + i % width];
  return jpeg_by_dcmtk(alone, plane.data, predictor);
}

/// The segments from the first of `marker` on, without EOI; its own bytes up to the next marker when `alone`.
Bytes from_marker(const Bytes& stream, unsigned marker, bool alone) {
  std::size_t at = 2;
  while (load_u16(stream.data() + at, true) != marker) at += 2 + load_u16(stream.data() + at + 2, true);
  std::size_t end = stream.size();
  while (load_u16(stream.data() + end - 2, true) != 0xFFD9) --end;
  if (alone) return {stream.begin() + at, stream.begin() + at + 2 + load_u16(stream.data() + at + 2, true)};
  return {stream.begin() + at, stream.begin() + end - 2};
}

/// Three components in a scan of their own each, every scan with a table and, if need be, a predictor of its own.
Bytes in_three_scans(const ImageInfo& info, const Frame& frame, const std::array<int, 3>& predictors) {
  Bytes out = {std::byte{0xFF}, std::byte{0xD8}};
  for (unsigned c = 0; c < 3; ++c) {
    const Bytes one = component_by_dcmtk(info, frame, c, predictors[c]);
    if (c == 0) {
      const Bytes header = from_marker(one, 0xFFC3, true);
      out.insert(out.end(), header.begin(), header.begin() + 10);
      out[3 + 2] = std::byte{17};  // the length of a frame header of three components
      out[2 + 9] = std::byte{3};
      for (unsigned i = 1; i <= 3; ++i) put_bytes(out, std::array{std::byte(i), std::byte{0x11}, std::byte{0}});
    }
    Bytes scan = from_marker(one, 0xFFC4, false);
    std::size_t sos = 0;
    while (load_u16(scan.data() + sos, true) != 0xFFDA) sos += 2 + load_u16(scan.data() + sos + 2, true);
    scan[sos + 5] = std::byte(c + 1);
    put_bytes(out, scan);
  }
  put_bytes(out, std::array{std::byte{0xFF}, std::byte{0xD9}});
  return out;
}

TEST_F(JpegLossless, WithEachComponentInAScanOfItsOwnIsDecoded) {
  for (const unsigned bits : {8U, 12U, 16U}) {
    const ImageInfo info = image(41, 53, bits, false, 3);
    const Frame source = picture(info);
    for (const std::array<int, 3> predictors : {std::array{1, 1, 1}, std::array{7, 4, 2}}) {
      const Bytes stream = in_three_scans(info, source, predictors);
      const auto decoded = decode_frame("1.2.840.10008.1.2.4.57", info, stream);
      ASSERT_TRUE(decoded) << decoded.error().what;
      EXPECT_EQ(decoded->data, source.data) << bits;
    }
  }
}

TEST_F(JpegLossless, WithoutTheScanOfAComponentIsRefused) {
  const ImageInfo info = image(41, 53, 8, false, 3);
  Bytes stream = in_three_scans(info, picture(info), {1, 1, 1});
  std::size_t last = stream.size() - 2;
  while (load_u16(stream.data() + last, true) != 0xFFC4) --last;
  stream.erase(stream.begin() + static_cast<std::ptrdiff_t>(last), stream.end() - 2);
  const auto decoded = decode_frame("1.2.840.10008.1.2.4.57", info, stream);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().what.find("a component has no scan"), std::string::npos) << decoded.error().what;
}

TEST_F(JpegLossless, IsNoLargerThanWhatDcmtkWrites) {
  for (const unsigned samples : {1U, 3U}) {
    const ImageInfo info = image(120, 130, 8, false, samples);
    const Frame source = picture(info);
    const auto ours = encode_frame(kJpeg, info, source);
    ASSERT_TRUE(ours);
    const Bytes theirs = jpeg_by_dcmtk(info, source.data, 1);
    ASSERT_FALSE(theirs.empty());
    EXPECT_LE(ours->size(), theirs.size() + 64);
  }
}

/// An image whose differences of category k occur `counts[k]` times.
Frame with_categories(const std::vector<unsigned>& counts, ImageInfo& info) {
  std::vector<std::uint32_t> samples = {0x8000};
  for (std::size_t k = 0; k < counts.size(); ++k) {
    for (unsigned i = 0; i < counts[k]; ++i) {
      const std::uint32_t step = k == 0 ? 0 : 1U << (k - 1);
      samples.push_back(static_cast<std::uint16_t>(samples.back() + (i % 2 == 0 ? step : 0x10000U - step)));
    }
  }
  info = image(1, static_cast<std::uint32_t>(samples.size()), 16);
  Frame frame = picture(info);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    frame.data[2 * i] = static_cast<std::byte>(samples[i] & 0xFFU);
    frame.data[2 * i + 1] = static_cast<std::byte>(samples[i] >> 8U);
  }
  return frame;
}

TEST_F(JpegLossless, HasCodesOfAtMostSixteenBitsHoweverRareACategoryIs) {
  std::vector<unsigned> fibonacci = {1, 1};  // the rarest of 17 such categories would take 17 bits
  while (fibonacci.size() < 17) fibonacci.push_back(fibonacci.back() + fibonacci[fibonacci.size() - 2]);
  for (const bool rising : {true, false}) {
    std::vector<unsigned> counts(fibonacci);
    if (!rising) std::reverse(counts.begin(), counts.end());
    ImageInfo info;
    const Frame source = with_categories(counts, info);
    const auto stream = encode_frame(kJpeg, info, source);
    ASSERT_TRUE(stream);
    for (const Decoder which : decoders_of(kJpeg)) {
      const auto decoded = decode_frame(kJpeg, info, *stream, which);
      ASSERT_TRUE(decoded) << decoder_name(kJpeg, which) << ": " << decoded.error().what;
      EXPECT_TRUE(decoded->data == source.data) << decoder_name(kJpeg, which);
    }
  }
}

TEST_F(JpegLossless, KeepsADifferenceOf32768WhichHasNoBitsBehindItsCode) {
  ImageInfo info;
  const Frame source = with_categories({3, 2, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9}, info);
  const auto stream = encode_frame(kJpeg, info, source);
  ASSERT_TRUE(stream);
  for (const Decoder which : decoders_of(kJpeg)) {
    const auto decoded = decode_frame(kJpeg, info, *stream, which);
    ASSERT_TRUE(decoded) << decoded.error().what;
    EXPECT_EQ(decoded->data, source.data) << decoder_name(kJpeg, which);
  }
}

/// What no processor of today minds, but the sanitizers and a compiler that trusts the type do.
TEST_F(JpegLossless, IsTheSameOfAFrameAtAnOddAddress) {
  for (const unsigned samples : {1U, 3U}) {
    const ImageInfo info = image(12, 13, 16, false, samples);
    Frame frame = picture(info);
    const auto even = encode_frame(kJpeg, info, frame);
    ASSERT_TRUE(even);
    Bytes moved{std::byte{0}};
    moved.insert(moved.end(), frame.data.begin(), frame.data.end());
    frame.data.clear();
    frame.borrowed = ByteView(moved).subspan(1);
    const auto odd = encode_frame(kJpeg, info, frame);
    ASSERT_TRUE(odd) << odd.error().what;
    EXPECT_EQ(*odd, *even);
  }
}

}  // namespace
}  // namespace waybill::pixel::test
