// SPDX-License-Identifier: Apache-2.0
// Native pixel data: its length against the attributes, and the order of its samples.
#include "inspect/support.hpp"

namespace waybill::test {
namespace {

using dicom::tag;
using inspect::Depth;

std::string bytes(std::size_t n) { return std::string(n, '\x40'); }

/// 24 x 24 RGB like an ultrasound image: a grey slope with a coloured box in it, by pixel or by plane.
std::string colours(bool by_plane) {
  constexpr std::size_t n = 24;
  std::string out(n * n * 3, '\0');
  for (std::size_t y = 0; y < n; ++y) {
    for (std::size_t x = 0; x < n; ++x) {
      const std::size_t grey = x * 6 + y * 4;
      const bool box = x > 15 && y > 15;
      const std::size_t value[3] = {grey, grey, box ? 0 : grey};
      for (std::size_t s = 0; s < 3; ++s)
        out[by_plane ? s * n * n + y * n + x : (y * n + x) * 3 + s] = static_cast<char>(value[s]);
    }
  }
  return out;
}

ImageObject colour(bool by_plane, std::uint16_t label) {
  return ImageObject().size(24, 24).samples(3, "RGB").u16(tag(0x0028, 0x0006), label).native(colours(by_plane));
}

TEST(NativeCodes, AreFoundInTheDefectAndNotInItsTwin) {
  const ImageObject clean;
  ImageObject odd;
  odd.size(15, 15).native(bytes(226));
  expect_found_only_in_the_bad_twin({
      {"one byte less", {"PIX-SHORT S3"}, ImageObject().native(bytes(254)), clean},
      {"a pad byte", {"PIX-LONG1 S0"}, odd, ImageObject().size(15, 16).native(bytes(240))},
      {"ten constant bytes more", {"PIX-LONG S1"}, ImageObject().native(bytes(256) + std::string(10, '\0')), clean},
      {"ten bytes of content more", {"PIX-LONG S1"}, ImageObject().native(bytes(256) + "ABCDEFGHIJ"), clean},
      {"one frame more",
       {"PIX-FRAMES S3"},
       ImageObject().native(bytes(512)),
       ImageObject().frames("2").native(bytes(512))},
      {"half the frames",
       {"PIX-SHORT S3"},
       ImageObject().frames("4").native(bytes(512)),
       ImageObject().frames("2").native(bytes(512))},
      {"1-bit frames more, packed without padding",
       {"PIX-FRAMES S3"},
       ImageObject().size(3, 3).bits(1, 1, 0).frames("3").native(bytes(6)),
       ImageObject().size(3, 3).bits(1, 1, 0).frames("5").native(bytes(6))},
      {"all chroma of YBR_FULL_422",
       {"PIX-422NATIVE S2"},
       ImageObject().samples(3, "YBR_FULL_422").native(bytes(768)),
       ImageObject().samples(3, "YBR_FULL_422").native(bytes(512))},
      {"rows of zero", {"PIX-DIMS S3"}, ImageObject().size(0, 16), clean},
      {"no bits", {"PIX-DIMS S3"}, ImageObject().bits(0, 0, 0), clean},
  });
}

TEST(NativeCodes, SayWhetherAnExcessCanBeTrimmed) {
  const auto detail = [](const std::string& excess) {
    return inspected(ImageObject().native(bytes(256) + excess), Depth::datasets).findings.at(0).detail;
  };
  EXPECT_NE(detail(std::string(10, '\0')).find("can be trimmed"), std::string::npos);
  EXPECT_NE(detail("ABCDEFGHIJ").find("is kept"), std::string::npos);
}

TEST(NativeCodes, PointAtTheFirstByteTooMany) {
  const auto object = inspected(ImageObject().native(bytes(256) + "ABCD"), Depth::datasets);
  ASSERT_EQ(object.findings.size(), 1U);
  EXPECT_EQ(object.findings[0].raw, "41424344");
}

TEST(NativeCodes, KnowAFullSizeYbr422ByItsLengthInSeveralFramesToo) {
  // Two frames of 4:4:4 are as long as three of 4:2:2: the label of the frames decides.
  EXPECT_EQ(findings(ImageObject().samples(3, "YBR_FULL_422").frames("2").native(bytes(1536))),
            std::vector<std::string>{"PIX-422NATIVE S2"});
  const auto full = inspected(ImageObject().samples(3, "YBR_FULL_422").native(bytes(768)), Depth::pixels);
  const auto plain = inspected(ImageObject().samples(3, "YBR_FULL").native(bytes(768)), Depth::pixels);
  ASSERT_TRUE(full.pixel_sha256);
  EXPECT_EQ(full.pixel_sha256, plain.pixel_sha256);
}

TEST(NativeCodes, FindSamplesThatLieOtherwiseThanPlanarConfigurationSays) {
  expect_found_only_in_the_bad_twin({
      {"by plane, labelled by pixel", {"PIX-PLANAR S3"}, colour(true, 0), colour(true, 1), Depth::pixels},
      {"by pixel, labelled by plane", {"PIX-PLANAR S3"}, colour(false, 1), colour(false, 0), Depth::pixels},
  });
}

TEST(NativeCodes, DoNotAccuseFlatStripedGreyOrNoisyColourImages) {
  std::vector<std::string> images(7, std::string(24 * 24 * 3, '\0'));
  std::uint32_t noise = 1;
  for (std::size_t i = 0; i < images[0].size(); ++i) {
    const std::size_t pixel = i / 3;
    const std::size_t x = pixel % 24;
    const std::size_t y = pixel / 24;
    noise = noise * 1664525U + 1013904223U;
    images[0][i] = '\x55';                                   // flat
    images[1][i] = static_cast<char>(y % 2 == 0 ? 0 : 200);  // grey rows
    images[2][i] = static_cast<char>(x % 3 == 0 ? 0 : 200);  // grey columns
    images[3][i] = static_cast<char>(noise >> 24U);          // noise
    images[4][i] = static_cast<char>(x * 5 + y * 3);         // grey slope
    images[5][i] = static_cast<char>(i % 3 == 0 ? 220 : 0);  // pure red
    images[6][i] = static_cast<char>((x - 12) * (x - 12) + (y - 12) * (y - 12) < 60 ? noise >> 25U : 0);  // a grey disc
  }
  for (std::size_t i = 0; i < images.size(); ++i) {
    const ImageObject image = ImageObject().size(24, 24).samples(3, "RGB").native(images[i]);
    EXPECT_EQ(findings(image, Depth::pixels), std::vector<std::string>{}) << i;
  }
}

TEST(NativeCodes, TellMoreFramesFromPaddingWhateverTheBits) {
  for (const unsigned allocated : {1U, 8U, 16U, 32U}) {
    const auto b = static_cast<std::uint16_t>(allocated);
    const std::size_t frame = 15 * 7 * allocated;  // bits
    const auto high = static_cast<std::uint16_t>(b - 1);
    const auto object = [&](std::size_t frames, const std::string& more) {
      std::string value = bytes((frame * frames + 7) / 8) + more;
      if (value.size() % 2 != 0) value += '\0';
      return ImageObject().size(15, 7).bits(b, b, high).frames("3").native(value);
    };
    const auto codes = [&](std::size_t frames, const std::string& more) {
      std::string out;
      for (const std::string& code : findings(object(frames, more)))
        if (code != "PIX-LONG1 S0") out += code;
      return out;
    };
    EXPECT_EQ(codes(3, ""), "") << allocated;
    EXPECT_EQ(codes(5, ""), "PIX-FRAMES S3") << allocated;
    EXPECT_EQ(codes(3, std::string(6, '\0')), "PIX-LONG S1") << allocated;
  }
}

}  // namespace
}  // namespace waybill::test
