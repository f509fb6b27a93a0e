// SPDX-License-Identifier: Apache-2.0
#include "pixel/codec.hpp"
#include "pixel/support.hpp"

#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>

namespace waybill::pixel::test {
namespace {

/// The decoders that meet streams of others; OpenJPH 0.9 stops the process on damage and proves only what we encode.
std::vector<Decoder> exposed_decoders(const std::string& syntax) {
  if (syntax == kHtj2k || syntax == kHtj2kRpcl) return {Decoder::primary};
  return decoders_of(syntax);
}

class Damage : public ::testing::TestWithParam<std::string> {};

TEST_P(Damage, OfATruncatedStreamIsAFailureOrTheWholeImage) {
  const ImageInfo info = image(9, 13, 12);
  const Frame frame = picture(info);
  const auto stream = encode_frame(GetParam(), info, frame);
  ASSERT_TRUE(stream);
  ::testing::internal::CaptureStderr();
  for (const Decoder which : exposed_decoders(GetParam())) {
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
  const std::string noise = ::testing::internal::GetCapturedStderr();
  if (GetParam() != kJpegXl) {  // libjxl as Debian builds it says why it fails, and cannot be told not to
    EXPECT_EQ(noise, "");
  }
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
      for (const Decoder which : exposed_decoders(GetParam())) {
        const auto decoded = decode_frame(GetParam(), info, bad, which);
        if (!decoded || decoded->data != picture(info).data) ++changed;
      }
    }
  }
  EXPECT_GT(changed, stream->size() / 2);
}

INSTANTIATE_TEST_SUITE_P(EveryCodec, Damage, ::testing::ValuesIn(kEncoded));

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

/// The marker segment of a JPEG 2000 main header.
std::size_t segment_at(const Bytes& stream, unsigned marker) {
  std::size_t at = 2;
  while (load_u16(stream.data() + at, true) != marker) at += 2 + load_u16(stream.data() + at + 2, true);
  return at;
}

void put_u32_at(Bytes& out, std::size_t at, std::uint32_t v) {
  for (unsigned i = 0; i < 4; ++i) out[at + i] = static_cast<std::byte>((v >> (24 - 8 * i)) & 0xFFU);
}

TEST(Bomb, OfTilesPrecinctsOrLayersInJpeg2000IsRefusedBeforeMemoryIsTaken) {
  const ImageInfo info = image(200, 200, 12);
  Frame blank = picture(info);
  std::fill(blank.data.begin(), blank.data.end(), std::byte{0});
  for (const std::string& syntax : {kJpeg2000, kHtj2k}) {
    const auto sound = encode_frame(syntax, info, blank);
    ASSERT_TRUE(sound);
    const std::size_t siz = segment_at(*sound, 0xFF51);
    const std::size_t cod = segment_at(*sound, 0xFF52);
    Bytes tiles = *sound;
    put_u32_at(tiles, siz + 22, 1);  // XTsiz
    put_u32_at(tiles, siz + 26, 1);
    Bytes huge = *sound;
    put_u32_at(huge, siz + 6, 60000);  // Xsiz
    put_u32_at(huge, siz + 10, 60000);
    Bytes layers = *sound;
    layers[cod + 6] = layers[cod + 7] = std::byte{0xFF};
    Bytes precincts = *sound;
    precincts[cod + 4] |= std::byte{1};
    for (std::size_t i = 0; i < 6; ++i)
      precincts.insert(precincts.begin() + static_cast<std::ptrdiff_t>(cod + 14), std::byte{0});
    precincts[cod + 3] = std::byte{12 + 6};
    Bytes zero = *sound;
    put_u32_at(zero, siz + 22, 0);
    for (const Bytes* stream : {&tiles, &huge, &layers, &precincts}) {
      const auto decoded = decode_frame(syntax, info, *stream);
      ASSERT_FALSE(decoded) << syntax;
      EXPECT_EQ(decoded.error().fault, Fault::limit) << decoded.error().what;
    }
    EXPECT_FALSE(decode_frame(syntax, info, zero));
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Bomb, OfTinyCodeBlocksThatOpenJphHasNoMemoryForIsAFailure) {
  const ImageInfo info = image(70, 45, 12);
  auto stream = encode_frame(kHtj2k, info, picture(info));
  ASSERT_TRUE(stream);
  const std::size_t cod = segment_at(*stream, 0xFF52);
  (*stream)[cod + 10] = (*stream)[cod + 11] = std::byte{0};  // 4 x 4: OpenJPH takes 340 MiB for the trees of a precinct
  const auto with_little_memory = [&] {
    const rlimit most{std::uint64_t{300} << 20U, std::uint64_t{300} << 20U};
    if (setrlimit(RLIMIT_AS, &most) != 0) return 2;
    const auto frame = decode_frame(kHtj2k, info, *stream, Decoder::independent);
    return !frame && frame.error().fault == Fault::limit ? 0 : 1;
  };
  EXPECT_EXIT(_exit(with_little_memory()), ::testing::ExitedWithCode(0), "");
}
#endif

TEST(Limits, LetAnEmptyImageBeSmallWhenTheDatasetGivesItsSize) {
  const ImageInfo info = image(3000, 2500, 16);
  Frame blank = picture(image(1, 1, 16));
  blank.rows = 3000;
  blank.columns = 2500;
  blank.data.assign(std::size_t{3000} * 2500 * 2, std::byte{0});
  for (const std::string& syntax : kEncoded) {
    const auto stream = encode_frame(syntax, info, blank);
    ASSERT_TRUE(stream) << syntax;
    for (const Decoder which : decoders_of(syntax)) {
      const auto decoded = decode_frame(syntax, info, *stream, which);
      ASSERT_TRUE(decoded) << decoder_name(syntax, which) << ' ' << stream->size() << ' ' << decoded.error().what;
      EXPECT_TRUE(decoded->data == blank.data) << syntax;
    }
  }
}

TEST(TemMarker, ThatDcmtkSearchesForEverIsRefused) {
  const ImageInfo info = image(8, 8, 8);
  for (const std::string_view stream :
       {"\xFF\x01\x01\x01\x01\x01\x01\x01\xFF\xD9", "\xFF\xD8\xFF\x01\x00\x02\xFF\xD9"}) {
    for (const char* tail : {"50", "51", "57", "70"}) {
      for (const Decoder which : {Decoder::primary, Decoder::independent})
        EXPECT_FALSE(decode_frame(std::string("1.2.840.10008.1.2.4.") + tail, info, as_bytes(stream), which)) << tail;
    }
  }
}

TEST(PacketMarkers, InHtj2kAreRefusedAsOpenJpegDiesOfThem) {
  const ImageInfo info = image(70, 70, 12);
  const auto sound = encode_frame(kHtj2k, info, picture(info));
  ASSERT_TRUE(sound);
  Bytes stream = *sound;
  stream[stream.size() / 2] = std::byte{0xFF};
  stream[stream.size() / 2 + 1] = std::byte{0x95};
  EXPECT_FALSE(decode_frame(kHtj2k, info, stream));
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
