// SPDX-License-Identifier: Apache-2.0
// Every lossless encoder against every kind of image: PIX1 of the native bytes is PIX1 of what each decoder gives.
#include "pixel/digest.hpp"
#include "pixel/support.hpp"
#include "pixel/targets.hpp"

#include <algorithm>
#include <utility>

namespace waybill::pixel::test {
namespace {

using manifest::Finding;
using Sizes = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Native value of an image of `frames` different frames, and the frames.
struct Source {
  ImageInfo info;
  std::vector<Frame> frames;
  Bytes value;
};

Source source_of(ImageInfo info, std::uint32_t frames) {
  Source out;
  info.frames = frames;
  out.info = info;
  for (std::uint32_t f = 0; f < frames; ++f) {
    Frame frame = picture(info);
    for (std::size_t i = f; i < frame.data.size() && f > 0; i += 3 * info.bits_allocated / 8U)
      frame.data[i] = frame.data[0];
    put_bytes(out.value, frame.data);
    out.frames.push_back(std::move(frame));
  }
  if (out.value.size() % 2 != 0) out.value.push_back(std::byte{0});
  return out;
}

std::string pix1(const PixelData& data, Decoder which = Decoder::primary) {
  std::vector<Finding> findings;
  const auto digests = digest_pixels(data, findings, which);
  return digests ? digests->pixel.hex() : digests.error().what;
}

std::string native_pix1(const Source& source) {
  return pix1({source.info, "1.2.840.10008.1.2.1", source.value, false, false});
}

/// The frames in fragments as they stand in a dataset, without the delimiter.
Bytes fragments(const std::vector<Bytes>& streams) {
  Bytes out;
  write_encapsulated(streams, out);
  out.resize(out.size() - 8);
  return out;
}

/// Encodes all frames and compares PIX1 of what every decoder reads with that of the native bytes.
void expect_same(const Source& source, const std::string& syntax) {
  std::vector<Bytes> streams;
  for (const Frame& frame : source.frames) {
    auto stream = encode_frame(syntax, source.info, frame);
    ASSERT_TRUE(stream) << syntax << ": " << stream.error().what;
    streams.push_back(*std::move(stream));
  }
  const Bytes value = fragments(streams);
  ImageInfo info = source.info;
  info.planar = false;
  info.photometric = stored_photometric(syntax, source.frames.front());
  const std::string expected = native_pix1(source);
  ASSERT_EQ(expected.size(), 64U) << expected;
  for (const Decoder which : decoders_of(syntax)) {
    // DCMTK's fork of CharLS takes 8 to 16 bits; what it cannot prove, transcode keeps as it is.
    if (syntax == kJpegLs && info.bits_stored < 8 && which == Decoder::independent) continue;
    EXPECT_EQ(pix1({info, syntax, value, true, false}, which), expected)
        << decoder_name(syntax, which) << ' ' << info.rows << 'x' << info.columns << ' ' << info.bits_stored;
  }
}

class Lossless : public ::testing::TestWithParam<std::string> {
 protected:
  const std::string& syntax() const { return GetParam(); }
  bool unsigned_codec() const {
    return std::find(kUnsignedCodecs.begin(), kUnsignedCodecs.end(), syntax()) != kUnsignedCodecs.end();
  }
};

TEST_P(Lossless, KeepsEveryDepthSignAndSize) {
  const Sizes sizes = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {3, 5}, {64, 65}, {255, 257}};
  for (const auto& [rows, columns] : sizes) {
    for (const unsigned bits : {8U, 12U, 16U}) {
      for (const bool is_signed : {false, true}) {
        for (const unsigned samples : {1U, 3U})
          expect_same(source_of(image(rows, columns, bits, is_signed, samples), 1), syntax());
      }
    }
  }
}

TEST_P(Lossless, KeepsEveryNumberOfStoredBits) {
  for (unsigned bits = 1; bits <= 16; ++bits) {
    for (const bool is_signed : {false, true}) {
      for (const unsigned allocated : {8U, 16U}) {
        if (bits > allocated) continue;
        ImageInfo info = image(17, 23, bits, is_signed);
        info.bits_allocated = static_cast<std::uint16_t>(allocated);
        if (bits == 1 && syntax() == kJpegXl) {
          EXPECT_FALSE(encode_frame(syntax(), info, picture(info)));
        } else {
          expect_same(source_of(info, 1), syntax());
        }
      }
    }
  }
}

TEST_P(Lossless, KeepsColourByPixelAndByPlane) {
  Source source = source_of(image(13, 11, 8, false, 3), 2);
  const std::string by_pixel = native_pix1(source);
  expect_same(source, syntax());
  source.info.planar = true;
  source.value.clear();
  for (const Frame& frame : source.frames) {
    for (std::size_t s = 0; s < 3; ++s) {
      for (std::size_t i = s; i < frame.data.size(); i += 3) source.value.push_back(frame.data[i]);
    }
  }
  ASSERT_EQ(native_pix1(source), by_pixel);
  std::vector<Finding> findings;
  const PixelData data{source.info, "1.2.840.10008.1.2.1", source.value, false, false};
  const auto reader = FrameReader::open(data, findings);
  ASSERT_TRUE(reader);
  for (std::uint32_t f = 0; f < 2; ++f) {
    const auto frame = reader->read(f);
    ASSERT_TRUE(frame);
    ASSERT_EQ(frame->data, source.frames[f].data) << "frames are by pixel, however they lay";
  }
  expect_same(source, syntax());
}

TEST_P(Lossless, KeepsOtherColourModelsAsTheyAre) {
  for (const char* model : {"YBR_FULL", "PALETTE COLOR", "MONOCHROME1"}) {
    ImageInfo info = image(30, 21, 8, false, std::string(model) == "YBR_FULL" ? 3 : 1);
    info.photometric = model;
    expect_same(source_of(info, 1), syntax());
  }
}

TEST_P(Lossless, KeepsFramesOfOddLengthApart) {
  expect_same(source_of(image(3, 5, 8), 5), syntax());
  expect_same(source_of(image(5, 5, 8, false, 3), 3), syntax());
}

TEST_P(Lossless, KeepsExtremes) {
  for (const bool is_signed : {false, true}) {
    for (const unsigned bits : {8U, 12U, 16U}) {
      const ImageInfo info = image(33, 40, bits, is_signed);
      const auto limit = static_cast<std::uint32_t>(is_signed ? 1U << (bits - 1) : 0U);  // lowest value's bits
      const auto highest = static_cast<std::uint32_t>((1U << (is_signed ? bits - 1 : bits)) - 1);
      const std::uint32_t lowest = is_signed ? ~(limit - 1) : 0;
      for (const unsigned pattern : {0U, 1U, 2U}) {  // all lowest, all highest, a chequerboard of both
        Source source = source_of(info, 1);
        const std::size_t width = info.bits_allocated / 8U;
        Bytes& data = source.frames[0].data;
        for (std::size_t i = 0; i < data.size() / width; ++i) {
          const bool high = pattern == 1 || (pattern == 2 && (i % 40 + i / 40) % 2 == 0);
          const std::uint32_t v = high ? highest : lowest;
          data[i * width] = static_cast<std::byte>(v & 0xFFU);
          if (width == 2) data[i * 2 + 1] = static_cast<std::byte>((v >> 8U) & 0xFFU);
        }
        source.value = data;
        expect_same(source, syntax());
      }
    }
  }
}

TEST_P(Lossless, RefusesOrKeepsOverlayBitsAboveTheStoredOnes) {
  const ImageInfo info = image(20, 20, 12);
  Frame frame = picture(info);
  for (std::size_t i = 1; i < frame.data.size(); i += 14) frame.data[i] |= std::byte{0x10};  // (60xx,0102) 12
  const auto stream = encode_frame(syntax(), info, frame);
  if (syntax() != kRle) {
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().fault, Fault::unsupported);
    EXPECT_NE(stream.error().what.find("Bits Stored"), std::string::npos) << stream.error().what;
    return;
  }
  ASSERT_TRUE(stream);
  for (const Decoder which : decoders_of(syntax()))
    EXPECT_EQ(decode_frame(syntax(), info, *stream, which)->data, frame.data);
}

TEST_P(Lossless, RefusesOrKeepsPaddingOutOfRange) {
  const ImageInfo info = image(20, 20, 12, true);
  Frame frame = picture(info);
  frame.data[0] = std::byte{0x00};  // -32768, which 12 bits do not hold
  frame.data[1] = std::byte{0x80};
  const auto stream = encode_frame(syntax(), info, frame);
  if (syntax() != kRle) {
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().fault, Fault::unsupported);
    return;
  }
  ASSERT_TRUE(stream);
  for (const Decoder which : decoders_of(syntax()))
    EXPECT_EQ(decode_frame(syntax(), info, *stream, which)->data, frame.data);
}

TEST_P(Lossless, RefusesOrKeepsAHighBitElsewhere) {
  ImageInfo info = image(20, 20, 12);
  info.high_bit = 15;
  Frame frame = picture(image(20, 20, 16));
  for (std::size_t i = 0; i < frame.data.size(); i += 2) frame.data[i] &= std::byte{0xF0};
  const auto stream = encode_frame(syntax(), info, frame);
  if (syntax() != kRle) {
    ASSERT_FALSE(stream);
    return;
  }
  ASSERT_TRUE(stream);
  const Source source{info, {frame}, frame.data};
  expect_same(source, syntax());
}

TEST_P(Lossless, RefusesSamplesThatStayNative) {
  for (const unsigned allocated : {1U, 32U}) {
    ImageInfo info = image(4, 4, 8);
    info.bits_allocated = static_cast<std::uint16_t>(allocated);
    const auto stream = encode_frame(syntax(), info, picture(image(4, 4, 8)));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().what, "only integer samples in 8 or 16 bits are encoded");
  }
  ImageInfo real = image(4, 4, 16);
  real.float_bits = 32;
  EXPECT_FALSE(encode_frame(syntax(), real, picture(image(4, 4, 16))));
}

TEST_P(Lossless, GivesTheSameBytesEveryTime) {
  const ImageInfo info = image(61, 67, 12, true);
  const Frame frame = picture(info);
  const auto first = encode_frame(syntax(), info, frame);
  const auto second = encode_frame(syntax(), info, frame);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

INSTANTIATE_TEST_SUITE_P(EveryTarget, Lossless, ::testing::ValuesIn(kEncoded), [](const auto& param) {
  std::string name(target_name(param.param));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Targets, AreExactlyWhatIsEncodedAndExplicitLittleEndian) {
  for (const Target& target : targets()) {
    const bool native = fidelity_of(target.syntax) == Fidelity::native;
    EXPECT_NE(can_encode(target.syntax), native) << target.name;
    EXPECT_TRUE(can_decode(target.syntax, verifier_of(target.syntax))) << target.name;
    EXPECT_EQ(std::count(kEncoded.begin(), kEncoded.end(), target.syntax), native ? 0 : 1) << target.name;
  }
}

TEST(Native, EncapsulatedUncompressedIsReadLikeNative) {
  for (const unsigned samples : {1U, 3U}) {
    const Source source = source_of(image(7, 9, samples == 1 ? 12 : 8, false, samples), 3);
    std::vector<Bytes> streams;
    for (const Frame& frame : source.frames) streams.push_back(frame.data);
    const Bytes value = fragments(streams);
    EXPECT_EQ(pix1({source.info, "1.2.840.10008.1.2.1.98", value, true, false}), native_pix1(source));
  }
}

TEST(Bits, OfThreeByThreeFramesArePackedOverFrameBorders) {
  ImageInfo info = image(3, 3, 8);
  info.bits_allocated = info.bits_stored = 1;
  info.high_bit = 0;
  info.frames = 5;
  std::vector<int> bits;
  for (unsigned i = 0; i < 45; ++i) bits.push_back(static_cast<int>((i * i + i / 4) % 3 == 0));
  Bytes value(6, std::byte{0});
  for (std::size_t i = 0; i < bits.size(); ++i) value[i / 8] |= static_cast<std::byte>(bits[i] << (i % 8));
  ASSERT_EQ(native_length(info), 6U);
  std::vector<Finding> findings;
  const PixelData data{info, "1.2.840.10008.1.2.1", value, false, false};
  const auto reader = FrameReader::open(data, findings);
  ASSERT_TRUE(reader);
  for (std::uint32_t f = 0; f < 5; ++f) {
    const auto frame = reader->read(f);
    ASSERT_TRUE(frame);
    for (std::size_t i = 0; i < 9; ++i)
      EXPECT_EQ(std::to_integer<int>(frame->data[i]), bits[f * 9 + i]) << f << ' ' << i;
  }
}

}  // namespace
}  // namespace waybill::pixel::test
