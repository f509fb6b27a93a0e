// SPDX-License-Identifier: Apache-2.0
#include "pixel/codec.hpp"
#include "pixel/support.hpp"

namespace waybill::pixel::test {
namespace {

class Damage : public ::testing::TestWithParam<std::string> {};

TEST_P(Damage, OfATruncatedStreamIsAFailureOrTheWholeImage) {
  const ImageInfo info = image(9, 13, 12);
  const Frame frame = picture(info);
  const auto stream = encode_frame(GetParam(), info, frame);
  ASSERT_TRUE(stream);
  ::testing::internal::CaptureStderr();
  for (const Decoder which : {Decoder::primary, Decoder::independent}) {
    std::size_t refused = 0;
    for (std::size_t n = 0; n < stream->size(); ++n) {
      const Bytes cut(stream->begin(), stream->begin() + static_cast<std::ptrdiff_t>(n));
      const auto decoded = decode_frame(GetParam(), info, cut, which);
      if (!decoded) ++refused;
      // DCMTK's JPEG-LS fork decodes cut streams without a word; what counts is that no cut passes for the image.
      if (decoded && n + 3 < stream->size()) {
        EXPECT_NE(decoded->data, frame.data) << n;
      }
    }
    EXPECT_GT(refused, 3U) << decoder_name(GetParam(), which);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_P(Damage, OfAnyByteNeverBringsADecoderDown) {
  const ImageInfo info = image(6, 7, 12);
  const auto stream = encode_frame(GetParam(), info, picture(info));
  ASSERT_TRUE(stream);
  std::size_t changed = 0;
  for (std::size_t n = 0; n < stream->size(); ++n) {
    for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
      Bytes bad = *stream;
      bad[n] ^= static_cast<std::byte>(flip);
      for (const Decoder which : {Decoder::primary, Decoder::independent}) {
        const auto decoded = decode_frame(GetParam(), info, bad, which);
        if (!decoded || decoded->data != picture(info).data) ++changed;
      }
    }
  }
  EXPECT_GT(changed, stream->size());
}

INSTANTIATE_TEST_SUITE_P(EveryCodec, Damage, ::testing::Values(kRle, kJpeg, kJpegLs));

TEST(Bomb, OfRleIsRefusedBeforeMemoryIsTaken) {
  const ImageInfo info = image(16383, 65535, 16);  // nearly 2 GiB
  Bytes stream(64, std::byte{0});
  stream[0] = std::byte{2};
  stream[4] = std::byte{64};
  stream[8] = std::byte{64};
  for (const Decoder which : {Decoder::primary, Decoder::independent}) {
    const auto decoded = decode_frame(kRle, info, stream, which);
    EXPECT_FALSE(decoded) << decoder_name(kRle, which);
  }
}

TEST(Bomb, BeyondTwoGibibytesIsRefused) {
  const ImageInfo info = image(65535, 65535, 16);
  for (const std::string& syntax : {kRle, std::string("1.2.840.10008.1.2.8.1")}) {
    const auto decoded = decode_frame(syntax, info, Bytes(1000), Decoder::primary);
    ASSERT_FALSE(decoded);
  }
}

TEST(Bomb, InAJpegHeaderIsRefusedBeforeMemoryIsTaken) {
  const ImageInfo info = image(8, 8, 12);
  for (const std::string& syntax : {kJpeg, kJpegLs}) {
    auto stream = encode_frame(syntax, info, picture(info));
    ASSERT_TRUE(stream);
    for (std::size_t at = 0; at + 9 < stream->size(); ++at) {  // rows and columns of SOF3 / SOF55
      const auto marker = std::to_integer<unsigned>((*stream)[at + 1]);
      if ((*stream)[at] != std::byte{0xFF} || (marker != 0xC3 && marker != 0xF7)) continue;
      for (std::size_t i = at + 5; i < at + 9; ++i) (*stream)[i] = std::byte{0xFF};
      break;
    }
    for (const Decoder which : {Decoder::primary, Decoder::independent}) {
      EXPECT_FALSE(decode_frame(syntax, info, *stream, which)) << decoder_name(syntax, which);
    }
  }
}

TEST(Noise, IsRefusedByEveryDecoder) {
  const ImageInfo info = image(8, 8, 8);
  Bytes noise;
  for (unsigned i = 0; i < 500; ++i) noise.push_back(static_cast<std::byte>((i * 7919U) >> 3U));
  for (const char* tail :
       {"4.50", "4.51", "4.53", "4.55", "4.57", "4.70", "4.80", "4.81", "4.90", "4.91", "4.201", "5", "8.1"}) {
    const std::string syntax = std::string("1.2.840.10008.1.2.") + tail;
    for (const Decoder which : {Decoder::primary, Decoder::independent}) {
      EXPECT_FALSE(decode_frame(syntax, info, noise, which)) << syntax;
      EXPECT_FALSE(decode_frame(syntax, info, {}, which)) << syntax;
    }
  }
}

}  // namespace
}  // namespace waybill::pixel::test
