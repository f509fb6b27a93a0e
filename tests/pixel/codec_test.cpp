// SPDX-License-Identifier: Apache-2.0
#include "pixel/codec.hpp"

#include "pixel/codecs.hpp"

#include "pixel/support.hpp"

#include <dlfcn.h>
#include <tuple>
#include <utility>
#include <vector>

namespace waybill::pixel::test {
namespace {

using Case = std::tuple<std::string, unsigned, bool, unsigned>;

class RoundTrip : public ::testing::TestWithParam<Case> {};

TEST_P(RoundTrip, GivesTheSameSamplesToBothDecoders) {
  const auto& [syntax, bits, is_signed, samples] = GetParam();
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> sizes = {{1, 1}, {13, 17}, {7, 300}, {64, 2}};
  for (const auto& [rows, columns] : sizes) {
    const ImageInfo info = image(rows, columns, bits, is_signed, samples);
    const Frame source = picture(info);
    const auto stream = encode_frame(syntax, info, source);
    ASSERT_TRUE(stream) << stream.error().what;
    for (const Decoder which : decoders_of(syntax)) {
      // DCMTK's fork takes 8 to 16 bits; what it cannot prove, transcode keeps native.
      if (syntax == kJpegLs && bits < 8 && which == Decoder::independent) continue;
      const auto decoded = decode_frame(syntax, info, *stream, which);
      ASSERT_TRUE(decoded) << decoder_name(syntax, which) << ": " << decoded.error().what;
      EXPECT_EQ(decoded->rows, rows);
      EXPECT_EQ(decoded->columns, columns);
      EXPECT_EQ(decoded->samples, samples);
      ASSERT_EQ(decoded->bytes_per_sample, source.bytes_per_sample);
      EXPECT_EQ(stored_bits(info, *decoded), stored_bits(info, source)) << decoder_name(syntax, which) << ' ' << rows;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryEncoder, RoundTrip,
                         ::testing::Combine(::testing::ValuesIn(kEncoded),
                                            ::testing::Values(2U, 7U, 8U, 10U, 12U, 15U, 16U), ::testing::Bool(),
                                            ::testing::Values(1U, 3U)));

TEST(Codec, StoresEightBitsInSixteenAllocated) {
  for (const std::string& syntax : kEncoded) {
    ImageInfo info = image(9, 11, 12);
    info.bits_stored = 8;
    info.high_bit = 7;
    const Frame source = picture(info);
    const auto stream = encode_frame(syntax, info, source);
    ASSERT_TRUE(stream) << syntax << stream.error().what;
    for (const Decoder which : decoders_of(syntax)) {
      const auto decoded = decode_frame(syntax, info, *stream, which);
      ASSERT_TRUE(decoded) << syntax << decoded.error().what;
      EXPECT_EQ(decoded->data, source.data) << syntax << ' ' << decoder_name(syntax, which);
    }
  }
}

TEST(Codec, GivesSignedSamplesBackAsTheyWereStored) {
  const ImageInfo info = image(9, 11, 12, true);
  const Frame source = picture(info);
  for (const std::string& syntax : kEncoded) {
    const auto stream = encode_frame(syntax, info, source);
    ASSERT_TRUE(stream) << stream.error().what;
    for (const Decoder which : decoders_of(syntax)) {
      const auto decoded = decode_frame(syntax, info, *stream, which);
      ASSERT_TRUE(decoded) << decoded.error().what;
      EXPECT_EQ(decoded->data, source.data) << decoder_name(syntax, which);
    }
  }
}

TEST(Codec, IsProvedByADecoderOfAnotherNameWhereThereIsOne) {
  for (const std::string& syntax : kEncoded) {
    const Decoder proof = verifier_of(syntax);
    ASSERT_TRUE(can_decode(syntax, proof));
    // Debian has one implementation of JPEG XL: there the library reads back what it wrote.
    const bool alone = syntax == kJpegXl;
    EXPECT_EQ(decoder_name(syntax, proof) == encoder_name(syntax), alone) << syntax;
  }
}

std::string library_of(const char* symbol, void* scope = RTLD_DEFAULT) {
  void* const address = dlsym(scope, symbol);
  Dl_info found{};
  if (address == nullptr || dladdr(address, &found) == 0) return "none";
  return found.dli_fname;
}

TEST(Codec, RunsDcmtksForkOfCharlsAndTheSystemsEachByItsOwnNames) {
  EXPECT_NE(library_of("JpegLsDecode").find("libdcmtkcharls"), std::string::npos) << library_of("JpegLsDecode");
  EXPECT_NE(library_of("JpegLsReadHeader").find("libdcmtkcharls"), std::string::npos);
  EXPECT_EQ(library_of("charls_jpegls_decoder_create"), "none") << "CharLS must stay out of the global scope";
  ASSERT_NE(charls_version(), "charls missing");
  void* const own = dlopen("libcharls.so.2", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(own, nullptr) << "our codec has not opened the system's CharLS";
  EXPECT_NE(library_of("charls_jpegls_decoder_create", own).find("libcharls"), std::string::npos);
}

TEST(Codec, RunsOpenJpegOpenJphAndLibjxlFromTheirOwnLibraries) {
  EXPECT_NE(library_of("opj_decode").find("libopenjp2"), std::string::npos) << library_of("opj_decode");
  const char* const decode = "_ZN4ojph10codestream4pullERj";
  EXPECT_NE(library_of(decode).find("libopenjph"), std::string::npos) << library_of(decode);
  EXPECT_EQ(library_of("JxlDecoderProcessInput"), "none") << "libjxl must stay out of the global scope";
  ASSERT_NE(decoder_name(kJpegXl, Decoder::primary), "libjxl missing");
}

TEST(Codec, LabelsWhatTheReversibleColourTransformMade) {
  const ImageInfo rgb = image(16, 16, 8, false, 3);
  ImageInfo ybr = rgb;
  ybr.photometric = "YBR_FULL";
  for (const std::string& syntax : kEncoded) {
    const bool wavelet = syntax == kJpeg2000 || syntax == kHtj2k || syntax == kHtj2kRpcl;
    EXPECT_EQ(stored_photometric(syntax, picture(rgb)), wavelet ? "YBR_RCT" : "RGB") << syntax;
    EXPECT_EQ(stored_photometric(syntax, picture(ybr)), "YBR_FULL") << syntax;
    EXPECT_EQ(stored_photometric(syntax, picture(image(16, 16, 8))), "MONOCHROME2") << syntax;
    for (ImageInfo info : {rgb, ybr}) {
      const Frame source = picture(info);
      const auto stream = encode_frame(syntax, info, source);
      ASSERT_TRUE(stream) << syntax << stream.error().what;
      if (wavelet) {
        EXPECT_EQ(sniff(*stream).multi_component, info.photometric == "RGB") << syntax;
      }
      info.photometric = stored_photometric(syntax, source);
      const auto decoded = decode_frame(syntax, info, *stream, verifier_of(syntax));
      ASSERT_TRUE(decoded) << decoded.error().what;
      EXPECT_EQ(decoded->photometric, source.photometric) << syntax;
      EXPECT_EQ(decoded->data, source.data) << syntax;
    }
  }
}

TEST(Codec, WritesWhatTheRpclSyntaxAsksFor) {
  const ImageInfo info = image(700, 1300, 12);
  const auto stream = encode_frame(kHtj2kRpcl, info, picture(info));
  ASSERT_TRUE(stream);
  EXPECT_EQ(sniff(*stream).progression, 2);
  // Marker segments of the main header (T.800 table A.2): levels in COD, and TLM with the length of the tile-part.
  unsigned levels = 0, tile_length = 0;
  std::size_t at = 2;
  for (; load_u16(stream->data() + at, true) != 0xFF90; at += 2 + load_u16(stream->data() + at + 2, true)) {
    const unsigned marker = load_u16(stream->data() + at, true);
    if (marker == 0xFF52) levels = std::to_integer<unsigned>((*stream)[at + 9]);
    if (marker == 0xFF55) tile_length = load_u32(stream->data() + at + 6, true);
  }
  EXPECT_LE(1300U >> levels, 64U);
  EXPECT_EQ(tile_length, stream->size() - at - 2) << "the tile-part reaches to EOC";
}

TEST(Codec, RefusesSamplesWithBitsTheCodecWouldLose) {
  const ImageInfo info = image(4, 4, 12);
  Frame frame = picture(info);
  frame.data[1] |= std::byte{0x80};
  for (const std::string& syntax : {kJpeg, kJpegLs, kJpeg2000, kHtj2k, kHtj2kRpcl, kJpegXl}) {
    const auto stream = encode_frame(syntax, info, frame);
    ASSERT_FALSE(stream) << syntax;
    EXPECT_EQ(stream.error().fault, Fault::unsupported);
  }
}

TEST(Codec, RefusesSamplesThatAreNotIntegersInOneOrTwoBytes) {
  for (const unsigned allocated : {1U, 32U}) {
    ImageInfo info = image(4, 4, 8);
    info.bits_allocated = static_cast<std::uint16_t>(allocated);
    Frame frame = picture(image(4, 4, 8));
    for (const std::string& syntax : kEncoded) {
      const auto stream = encode_frame(syntax, info, frame);
      ASSERT_FALSE(stream) << syntax << allocated;
      EXPECT_EQ(stream.error().fault, Fault::unsupported);
    }
  }
}

TEST(Codec, RefusesAFrameShorterThanItsRowsAndColumns) {
  const ImageInfo info = image(40, 40, 8);
  Frame frame = picture(info);
  frame.data.pop_back();
  for (const std::string& syntax : kEncoded) EXPECT_FALSE(encode_frame(syntax, info, frame)) << syntax;
}

TEST(Codec, SniffsWhatItsEncodersWrite) {
  const ImageInfo info = image(20, 30, 12);
  const Frame frame = picture(info);
  const auto jpeg = encode_frame(kJpeg, info, frame);
  const auto jpeg_ls = encode_frame(kJpegLs, info, frame);
  const auto rle = encode_frame(kRle, info, frame);
  ASSERT_TRUE(jpeg && jpeg_ls && rle);
  const Sniffed a = sniff(*jpeg);
  EXPECT_EQ(a.kind, "jpeg-lossless");
  EXPECT_EQ(a.predictor, 1);
  EXPECT_EQ(a.rows, 20U);
  EXPECT_EQ(a.columns, 30U);
  EXPECT_TRUE(a.ended);
  EXPECT_FALSE(a.lossy);
  const Sniffed b = sniff(*jpeg_ls);
  EXPECT_EQ(b.kind, "jpeg-ls");
  EXPECT_EQ(b.precision, 12);
  EXPECT_EQ(b.near, 0);
  EXPECT_FALSE(b.lossy);
  EXPECT_EQ(sniff(*rle).kind, "rle");
  const auto j2k = encode_frame(kJpeg2000, image(20, 30, 12, true), picture(image(20, 30, 12, true)));
  const auto htj2k = encode_frame(kHtj2k, info, frame);
  const auto jxl = encode_frame(kJpegXl, info, frame);
  ASSERT_TRUE(j2k && htj2k && jxl);
  const Sniffed c = sniff(*j2k);
  EXPECT_EQ(c.kind, "jpeg-2000");
  EXPECT_EQ(c.precision, 12);
  EXPECT_TRUE(c.is_signed);
  EXPECT_FALSE(c.lossy);
  EXPECT_EQ(sniff(*htj2k).kind, "htj2k");
  EXPECT_FALSE(sniff(*htj2k).is_signed);
  EXPECT_EQ(sniff(*jxl).kind, "jxl");
  EXPECT_FALSE(sniff(ByteView(*jpeg).first(jpeg->size() / 2)).ended);
}

TEST(Codec, SniffsALossyWaveletOfOneComponentAlone) {
  const ImageInfo info = image(20, 30, 8, false, 3);
  auto stream = encode_frame(kJpeg2000, info, picture(info));
  ASSERT_TRUE(stream);
  EXPECT_FALSE(sniff(*stream).lossy);
  const Bytes coc = from_hex(
      "ff5300090100050404"
      "00"
      "00");  // component 1: 5 levels, 64 x 64 blocks, 9-7
  std::size_t at = 2;
  while (load_u16(stream->data() + at, true) != 0xFF5C) at += 2 + load_u16(stream->data() + at + 2, true);
  stream->insert(stream->begin() + static_cast<std::ptrdiff_t>(at), coc.begin(), coc.end());
  EXPECT_TRUE(sniff(*stream).lossy);
  EXPECT_EQ(true_syntax(sniff(*stream)), "1.2.840.10008.1.2.4.91");
}

TEST(Codec, KnowsWhatATransferSyntaxMayHaveLost) {
  EXPECT_EQ(fidelity_of("1.2.840.10008.1.2.1"), Fidelity::native);
  EXPECT_EQ(fidelity_of("1.2.840.10008.1.2.4.50"), Fidelity::lossy);
  EXPECT_EQ(fidelity_of("1.2.840.10008.1.2.4.58"), Fidelity::lossless);
  EXPECT_EQ(fidelity_of("1.2.840.10008.1.2.4.102"), Fidelity::video);
  EXPECT_EQ(fidelity_of("1.2.840.10008.1.2.4.94"), Fidelity::reference);
  EXPECT_EQ(fidelity_of("1.2.3"), Fidelity::unknown);
  EXPECT_TRUE(is_encapsulated("1.2.840.10008.1.2.4.53"));
  EXPECT_FALSE(is_encapsulated("1.2.840.10008.1.2.1.99"));
  EXPECT_TRUE(is_encapsulated("1.2.840.10008.1.2.1.98"));
}

TEST(Codec, PrefersTheCodestreamsSizeToTheDatasets) {
  const ImageInfo info = image(20, 30, 12);
  const Frame frame = picture(info);
  const ImageInfo wrong = image(40, 10, 12);
  for (const std::string& syntax : {kJpeg, kJpegLs, kJpeg2000, kHtj2k, kHtj2kRpcl, kJpegXl}) {
    const auto stream = encode_frame(syntax, info, frame);
    ASSERT_TRUE(stream);
    for (const Decoder which : decoders_of(syntax)) {
      const auto decoded = decode_frame(syntax, wrong, *stream, which);
      ASSERT_TRUE(decoded) << decoded.error().what;
      EXPECT_EQ(decoded->rows, 20U);
      EXPECT_EQ(decoded->data, frame.data);
    }
  }
}

}  // namespace
}  // namespace waybill::pixel::test
