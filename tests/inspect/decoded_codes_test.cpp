// SPDX-License-Identifier: Apache-2.0
// What only decoded samples tell, and encoder faults that the decoders undo.
#include "core/sha256.hpp"
#include "inspect/faulty_encoders.hpp"
#include "inspect/support.hpp"
#include "pixel/codec.hpp"

namespace waybill::test {
namespace {

using dicom::tag;
using inspect::Depth;

constexpr unsigned kRows = 32;
constexpr unsigned kColumns = 40;

/// Slopes and noise around mid-scale: the top bit changes from neighbour to neighbour.
std::vector<std::uint16_t> slopes() {
  std::vector<std::uint16_t> out;
  std::uint32_t noise = 7;
  for (unsigned y = 0; y < kRows; ++y) {
    for (unsigned x = 0; x < kColumns; ++x) {
      noise = noise * 1664525U + 1013904223U;
      out.push_back(static_cast<std::uint16_t>(32768 + (x * 40 + y * 30) - 1200 + (noise >> 28U)));
    }
  }
  return out;
}

std::string little(const std::vector<std::uint16_t>& samples) {
  std::string out;
  for (const std::uint16_t v : samples) out += le16({v});
  return out;
}

ImageObject sixteen() { return ImageObject().size(kRows, kColumns).bits(16, 16, 15); }

ImageObject encoded(const std::string& suffix, const std::string& stream) {
  return sixteen().fragments(kJpegPrefix + suffix, {"", stream});
}

std::optional<std::string> pixels_of(const ImageObject& image) { return inspected(image, Depth::pixels).pixel_sha256; }

ImageObject lossless_of(const std::string& samples) {
  pixel::ImageInfo info;
  info.rows = info.columns = 16;
  info.samples = 3;
  info.bits_allocated = info.bits_stored = 8;
  info.high_bit = 7;
  info.photometric = "RGB";
  const Bytes data(as_bytes(samples).begin(), as_bytes(samples).end());
  const auto stream = pixel::encode_frame(kJpegPrefix + "70", info, {16, 16, 3, 1, 8, false, "RGB", data});
  std::string text(as_text(*stream));
  if (text.size() % 2 != 0) text += '\0';
  return ImageObject().samples(3, "RGB").fragments(kJpegPrefix + "70", {"", text});
}

TEST(DecodedCodes, NameFramesOfUnequalSize) {
  const auto frame = [](unsigned rows) {
    pixel::ImageInfo info;
    info.rows = rows;
    info.columns = 16;
    info.samples = 1;
    info.bits_allocated = info.bits_stored = 8;
    info.high_bit = 7;
    info.photometric = "MONOCHROME2";
    const auto stream = pixel::encode_frame(kJpegPrefix + "70", info,
                                            {rows, 16, 1, 1, 8, false, "MONOCHROME2", Bytes(rows * std::size_t{16})});
    std::string text(as_text(*stream));
    if (text.size() % 2 != 0) text += '\0';
    return text;
  };
  const auto two = [&](unsigned second) {
    return ImageObject().size(16, 16).bits(8, 8, 7).frames("2").fragments(kJpegPrefix + "70",
                                                                          {"", frame(16), frame(second)});
  };
  EXPECT_EQ(findings(two(16), Depth::pixels), std::vector<std::string>{});
  EXPECT_EQ(findings(two(8), Depth::pixels), std::vector<std::string>{"PIX-DIMS S3"});
}

TEST(DecodedCodes, AreFoundInTheDefectAndNotInItsTwin) {
  std::string grey_as_ybr;
  std::string colours;
  for (int i = 0; i < 256; ++i) {
    grey_as_ybr += {static_cast<char>(i), '\x80', '\x80'};
    colours += {static_cast<char>(i), static_cast<char>(255 - i), static_cast<char>(i / 2)};
  }
  const auto twelve = [](const std::string& first) {
    return ImageObject().bits(16, 12, 11).native(first + std::string(510, '\0'));
  };
  const auto overlay = [&](const std::string& first) {
    return twelve(first).u16(tag(0x6000, 0x0100), 16).u16(tag(0x6000, 0x0102), 12);
  };
  expect_found_only_in_the_bad_twin({
      {"a bit above Bits Stored", {"PIX-UNUSEDBITS S1"}, twelve(le16({0x1001})), twelve(le16({0x0001})), Depth::pixels},
      {"lossless YCbCr labelled RGB", {"PIX-PHOTO S2"}, lossless_of(grey_as_ybr), lossless_of(colours), Depth::pixels},
      {"an RLE segment that ends early",
       {"PIX-TRUNC S3"},
       ImageObject().fragments(kRleSyntax, {"", rle(1).substr(0, 66)}),
       ImageObject().fragments(kRleSyntax, {"", rle(1)}),
       Depth::pixels},
  });
  EXPECT_EQ(findings(overlay(le16({0x1001})), Depth::pixels), std::vector<std::string>{"PIX-OVLBITS S2"});
}

TEST(DecodedCodes, KeepADigestOfUnusedBitsThatPix1LeavesOut) {
  const std::string value = le16({0x1001}) + std::string(510, '\0');
  const auto object = inspected(ImageObject().bits(16, 12, 11).native(value), Depth::pixels);
  ASSERT_EQ(object.findings.size(), 1U);
  EXPECT_NE(object.findings[0].detail.find(Sha256::of(as_bytes(value)).hex()), std::string::npos);
}

TEST(FaultyEncoders, OfJpegLosslessAreNamedAndUndone) {
  auto jump = slopes();
  for (std::size_t i = 3; i < jump.size(); i += 7) jump[i] = static_cast<std::uint16_t>(jump[i - 1] + 32768);
  const auto codes = [](const std::vector<std::uint16_t>& samples, unsigned predictor, LosslessFault fault) {
    const ImageObject image = encoded("57", jpeg_lossless(samples, kRows, kColumns, predictor, fault));
    EXPECT_EQ(pixels_of(image), pixels_of(sixteen().native(little(samples)))) << predictor;
    return findings(image, Depth::pixels);
  };
  const std::vector<std::string> none;
  EXPECT_EQ(codes(slopes(), 6, LosslessFault::none), none);
  EXPECT_EQ(codes(slopes(), 6, LosslessFault::overflow), std::vector<std::string>{"PIX-PRED6 S2"});
  EXPECT_EQ(codes(slopes(), 7, LosslessFault::none), none);
  EXPECT_EQ(codes(slopes(), 7, LosslessFault::overflow), std::vector<std::string>{"PIX-PRED6 S2"});
  EXPECT_EQ(codes(jump, 1, LosslessFault::none), none);
  EXPECT_EQ(codes(jump, 1, LosslessFault::cornell), std::vector<std::string>{"PIX-JPLCORNELL S2"});
  EXPECT_EQ(codes(jump, 1, LosslessFault::cornell_long), std::vector<std::string>{"PIX-JPLCORNELL S2"});
}

TEST(FaultyEncoders, OfJpegLsAreNamedAndUndone) {
  std::vector<std::uint16_t> samples = slopes();
  for (std::size_t i = 0; i < samples.size(); i += 3) samples[i] = static_cast<std::uint16_t>(samples[i] * 5 + i * 77);
  const ImageObject told = encoded("80", jai_jpeg_ls(samples, kRows, kColumns, true));
  const ImageObject silent = encoded("80", jai_jpeg_ls(samples, kRows, kColumns, false));
  const auto truth = pixels_of(sixteen().native(little(samples)));
  EXPECT_EQ(pixels_of(told), truth);
  EXPECT_EQ(pixels_of(silent), truth);
  EXPECT_TRUE(findings(told, Depth::pixels).empty());
  EXPECT_EQ(findings(silent, Depth::pixels), std::vector<std::string>{"PIX-JLSJAI S2"});
}

TEST(FaultyEncoders, OfJpegLsWithZerosInFrontOfTheEndMarkerAreNamedAndUndone) {
  std::vector<std::uint16_t> samples = slopes();
  for (std::size_t i = 0; i < samples.size(); i += 3) samples[i] = static_cast<std::uint16_t>(samples[i] * 5 + i * 77);
  const auto truth = pixels_of(sixteen().native(little(samples)));
  std::string stream = jai_jpeg_ls(samples, kRows, kColumns, true);
  stream.resize(stream.rfind("\xFF\xD9"));
  for (std::size_t zeros = 1; zeros <= 3; ++zeros) {
    const std::string padded = stream + std::string(zeros, '\0') + "\xFF\xD9";
    const ImageObject image = encoded("80", padded.size() % 2 == 0 ? padded : padded + '\0');
    EXPECT_EQ(pixels_of(image), truth) << zeros;
    EXPECT_EQ(findings(image, Depth::pixels), std::vector<std::string>{"PIX-ODDFRAG S1"}) << zeros;
  }
  const ImageObject cut =
      encoded("80", stream.substr(0, stream.size() / 2 * 2 - 40) + std::string(2, '\0') + "\xFF\xD9");
  EXPECT_EQ(findings(cut, Depth::pixels), std::vector<std::string>{"PIX-TRUNC S3"});
}

TEST(FaultyEncoders, OfOneBitRleAreNamedAndUndone) {
  std::string bits(34, '\0');
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<char>(i * 37);
  bits[33] &= 1;  // 265 pixels
  std::string pixels;
  for (std::size_t i = 0; i < 265; ++i)
    pixels += static_cast<char>((static_cast<unsigned char>(bits[i / 8]) >> (i % 8)) & 1);
  const auto packbits = [](const std::string& in) {  // literal runs alone
    std::string out = rle(1).substr(0, 64);
    for (std::size_t at = 0; at < in.size(); at += 100) {
      const std::string run = in.substr(at, 100);
      out += static_cast<char>(run.size() - 1) + run;
    }
    return out.size() % 2 == 0 ? out : out + '\0';
  };
  const ImageObject native = ImageObject().size(5, 53).bits(1, 1, 0).native(bits);
  const auto one_bit = [](const std::string& stream) {
    return ImageObject().size(5, 53).bits(1, 1, 0).fragments(kRleSyntax, {"", stream});
  };
  EXPECT_EQ(pixels_of(one_bit(packbits(pixels))), pixels_of(native));
  EXPECT_EQ(pixels_of(one_bit(packbits(bits))), pixels_of(native));
  EXPECT_TRUE(findings(one_bit(packbits(pixels)), Depth::pixels).empty());
  EXPECT_EQ(findings(one_bit(packbits(bits)), Depth::pixels), std::vector<std::string>{"ENC-TSCODESTREAM S2"});
  EXPECT_EQ(findings(one_bit(packbits(pixels.substr(0, 200))), Depth::pixels),
            std::vector<std::string>{"PIX-TRUNC S3"});
}

}  // namespace
}  // namespace waybill::test
