// SPDX-License-Identifier: Apache-2.0
// What is converted, what stays as it is, and what the conversion has to change beside the pixels
// (docs/transcoding.md).
#include "transcode/rules.hpp"

#include "dicom/digest.hpp"
#include "inspect/pixels.hpp"
#include "inspect/streams.hpp"
#include "inspect/support.hpp"
#include "pixel/codec.hpp"
#include "transcode/outcome.hpp"

namespace waybill::test {
namespace {

using dicom::tag;

const std::vector<std::string> kLossless = {"rle", "jpeg-lossless", "jpeg-ls"};

std::string noise(std::size_t size) {
  std::string out;
  std::uint32_t v = 7;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>((v = v * 1664525U + 1013904223U) >> 24U);
  return out;
}

/// 16-bit words of a slope within `mask`.
std::string slope(unsigned mask, unsigned above = 0) {
  std::string out;
  for (unsigned i = 0; i < 256; ++i) out += le16({((i * 7) & mask) | above});
  return out;
}

TEST(Rules, AnEncodingThatIsNotSmallerIsKeptOnlyWhenAsked) {
  ImageObject image;
  image.native(noise(256));
  for (const std::string& to : kLossless) {
    expect_kept(image, to, "would not be smaller");
    const Outcome larger = outcome_of(image, to, {{}, true});
    EXPECT_EQ(larger.converted.outcome, "transcoded") << to;
    EXPECT_GT(larger.converted.file.size(), larger.source.size()) << to;
    EXPECT_EQ(larger.failure, "") << to;
  }
}

TEST(Rules, BetweenTwoLosslessEncodingsTheSmallerOneStays) {
  const Outcome small = outcome_of(ImageObject(), "jpeg-ls");
  ASSERT_EQ(small.converted.outcome, "transcoded");
  ImageObject image;
  const auto file = small.file();
  const auto data = inspect::pixel_data_of(file);
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(*data, findings);
  image.fragments(kJpegPrefix + "80", {"", std::string(as_text(reader->codestream(0)))});
  expect_kept(image, "rle", "would not be smaller");
  EXPECT_EQ(outcome_of(image, "rle", {{}, true}).converted.outcome, "transcoded");
  EXPECT_EQ(outcome_of(image, "explicit-le").converted.outcome, "transcoded");  // native is asked for to be read
}

TEST(Rules, ALossyCodestreamIsCarriedByteForByteAndItsFlagStays) {
  ImageObject image;
  image.lossy().fragments(kJpegPrefix + "50", {"", Jpeg().bytes()});
  for (const char* to : {"explicit-le", "jpeg-ls", "rle"}) expect_kept(image, to, "not lossless at the source");
}

TEST(Rules, ALossyCodestreamUnderALosslessLabelIsCarriedByteForByte) {
  Jpeg near;
  near.sof = 0xFFF7;
  near.selector = 3;
  ImageObject image;
  image.fragments(kJpegPrefix + "80", {"", near.bytes()});
  for (const char* to : {"explicit-le", "rle"}) expect_kept(image, to, "lossy under a lossless label");
}

TEST(Rules, PixelsThatWereLossyOnceKeepTheFlagInALosslessEncoding) {
  const Outcome got = outcome_of(ImageObject().lossy(), "jpeg-ls");
  EXPECT_EQ(got.converted.outcome, "transcoded");
  EXPECT_EQ(got.failure, "");
  EXPECT_EQ(got.file().dataset.text(tag(0x0028, 0x2110)), "01");
}

TEST(Rules, AnEditThatTakesTheLossyFlagBackIsRefused) {
  const Outcome got = outcome_of(ImageObject().lossy(), "keep", {}, {{{"0028,2110", "01", "00", "CORRECT"}}, {}, {}});
  EXPECT_NE(got.failure.find("stays 01"), std::string::npos) << got.failure;
}

TEST(Rules, AnEditOfANumberByTextIsRefused) {
  for (const char* t : {"0028,0010", "0028,0106", "7FE0,0010", "0018,9087"}) {
    const Outcome got = outcome_of(ImageObject(), "keep", {}, {{{t, "16", "512", "CORRECT"}}, {}, {}});
    EXPECT_NE(got.failure.find("cannot be edited as text"), std::string::npos) << t << got.failure;
  }
}

TEST(Rules, PixelsOfOneBitThirtyTwoBitsAndFloatStayNative) {
  ImageObject bit;
  bit.bits(1, 1, 0).native(std::string(32, '\x0F'));
  ImageObject wide;
  wide.bits(32, 32, 31).native(std::string(1024, '\1'));
  ImageObject real;
  real.bits(32, 32, 31).erase(tag(0x7FE0, 0x0010)).raw(tag(0x7FE0, 0x0008), "OF", std::string(1024, '\0'));
  for (const std::string& to : kLossless) {
    expect_kept(bit, to, "stay native");
    expect_kept(wide, to, "stay native");
    expect_kept(real, to, "stay native");
  }
}

TEST(Rules, PhotometricInterpretationStaysWhatItIs) {
  for (const char* model : {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"}) {
    for (const std::string& to : kLossless) {
      const Outcome got = outcome_of(ImageObject().samples(1, model), to);
      EXPECT_EQ(got.converted.outcome, "transcoded") << model << ' ' << to << got.converted.reason;
      EXPECT_EQ(got.file().dataset.text(tag(0x0028, 0x0004)), model) << to;
      EXPECT_EQ(got.failure, "");
    }
  }
  for (const char* model : {"RGB", "YBR_FULL"}) {
    ImageObject image;
    image.samples(3, model).native(std::string(768, '\x40'));
    for (const std::string& to : kLossless) {
      const Outcome got = outcome_of(image, to);
      EXPECT_EQ(got.converted.outcome, "transcoded") << model << ' ' << to << got.converted.reason;
      EXPECT_EQ(got.file().dataset.text(tag(0x0028, 0x0004)), model) << to;
      EXPECT_EQ(got.file().dataset.integer(tag(0x0028, 0x0006)), 0) << to;
      EXPECT_EQ(got.failure, "");
    }
  }
}

TEST(Rules, SubsampledColourAndModelsWithoutARuleStayAsTheyAre) {
  ImageObject subsampled;
  subsampled.samples(3, "YBR_FULL_422").native(std::string(512, '\x40'));
  ImageObject untold;
  untold.samples(3, "YBR_RCT").native(std::string(768, '\x40'));
  ImageObject other;
  other.samples(4, "CMYK").native(std::string(1024, '\x40'));
  for (const std::string& to : kLossless) {
    expect_kept(subsampled, to, "subsampled");
    expect_kept(untold, to, "nobody can tell");
    expect_kept(other, to, "no rule for photometric interpretation CMYK");
  }
}

TEST(Rules, ColourByPlaneIsWrittenByPixel) {
  std::string planes = std::string(256, '\x10') + std::string(256, '\x20') + std::string(256, '\x30');
  ImageObject image;
  image.samples(3, "RGB").u16(tag(0x0028, 0x0006), 1).native(planes);
  const Outcome got = outcome_of(image, "jpeg-ls");
  EXPECT_EQ(got.converted.outcome, "transcoded");
  EXPECT_EQ(got.file().dataset.integer(tag(0x0028, 0x0006)), 0);
  EXPECT_EQ(got.failure, "");
}

TEST(Rules, PaletteTablesAreCarriedAsTheyAre) {
  ImageObject image;
  image.samples(1, "PALETTE COLOR");
  for (std::uint16_t c = 1; c <= 3; ++c) {
    image.raw(tag(0x0028, static_cast<std::uint16_t>(0x1100 + c)), "US", le16({256, 0, 8}));
    image.raw(tag(0x0028, static_cast<std::uint16_t>(0x1200 + c)), "OW", noise(256));
  }
  for (const std::string& to : kLossless) {
    const Outcome got = outcome_of(image, to);
    const auto file = got.file();
    EXPECT_EQ(got.converted.outcome, "transcoded") << to;
    EXPECT_EQ(as_text(file.dataset.value(*file.dataset.find(tag(0x0028, 0x1203)))), noise(256)) << to;
  }
}

TEST(Rules, OverlaysInUnusedBitsBecomeOverlayDataBeforeACodecDropsThem) {
  std::string pixels;
  for (unsigned i = 0; i < 256; ++i) pixels += le16({((i * 7) & 0xFFFU) | (i % 3 == 0 ? 0x8000U : 0U)});
  ImageObject image;
  image.bits(16, 12, 11).native(pixels);
  image.u16(tag(0x6000, 0x0010), 16).u16(tag(0x6000, 0x0011), 16).text(tag(0x6000, 0x0040), "CS", "G");
  image.raw(tag(0x6000, 0x0050), "SS", le16({1, 1})).u16(tag(0x6000, 0x0100), 16).u16(tag(0x6000, 0x0102), 15);
  for (const std::string& to : kLossless) {
    const Outcome got = outcome_of(image, to);
    EXPECT_EQ(got.failure, "") << to;
    ASSERT_EQ(got.converted.outcome, "transcoded") << to << got.converted.reason;
    const auto file = got.file();
    const dicom::Node* overlay = file.dataset.find(tag(0x6000, 0x3000));
    ASSERT_NE(overlay, nullptr) << to;
    const ByteView bits = file.dataset.value(*overlay);
    ASSERT_EQ(bits.size(), 32U);
    for (unsigned i = 0; i < 256; ++i)
      EXPECT_EQ((std::to_integer<unsigned>(bits[i / 8]) >> (i % 8)) & 1U, i % 3 == 0 ? 1U : 0U) << i;
    EXPECT_EQ(file.dataset.integer(tag(0x6000, 0x0100)), 1);
    EXPECT_EQ(file.dataset.integer(tag(0x6000, 0x0102)), 0);
    EXPECT_NE(file.dataset.find(tag(0x0400, 0x0561)), nullptr) << "the old values were not kept";
  }
}

TEST(Rules, AnOverlayThatDoesNotCoverTheImageKeepsTheSource) {
  ImageObject image;
  image.bits(16, 12, 11).native(slope(0xFFF, 0x8000));
  image.u16(tag(0x6000, 0x0010), 8).u16(tag(0x6000, 0x0011), 16).u16(tag(0x6000, 0x0100), 16);
  image.u16(tag(0x6000, 0x0102), 15);
  expect_kept(image, "rle", "does not cover exactly the image");
}

TEST(Rules, PaddingOutsideTheStoredBitsKeepsTheSource) {
  ImageObject image;
  image.bits(16, 12, 11, 1).native(slope(0x7FF)).raw(tag(0x0028, 0x0120), "SS", le16({0xF830}));  // -2000: fits
  EXPECT_EQ(outcome_of(image, "jpeg-ls").converted.outcome, "transcoded");
  image.raw(tag(0x0028, 0x0120), "SS", le16({0xF000}));  // -4096 needs 13 bits
  for (const std::string& to : kLossless) expect_kept(image, to, "Pixel Padding Value");
}

TEST(Rules, BitsAboveTheStoredOnesThatNothingExplainsKeepTheSourceWhereACodecWouldDropThem) {
  ImageObject image;
  image.bits(16, 12, 11).native(slope(0xFFF, 0x4000));
  expect_kept(image, "jpeg-ls", "bits outside Bits Stored");
  expect_kept(image, "jpeg-lossless", "bits outside Bits Stored");
  EXPECT_EQ(outcome_of(image, "rle").failure, "");
}

/// 12 bits of 16 with the given High Bit; `low` goes to the bits below.
ImageObject shifted_image(std::uint16_t high, bool is_signed, unsigned low = 0) {
  std::string pixels;
  for (unsigned i = 0; i < 256; ++i) pixels += le16({((i * 16U) << (high - 11U)) | low});
  ImageObject image;
  return image.bits(16, 12, high, is_signed ? 1 : 0).native(pixels);
}

TEST(Rules, SamplesAboveBitZeroAreShiftedForCodecsAndHighBitFollows) {
  for (const char* to : {"jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k", "htj2k-rpcl", "jpeg-xl"}) {
    for (const bool is_signed : {false, true}) {
      for (const std::uint16_t high : {std::uint16_t{15}, std::uint16_t{13}}) {
        const Outcome got = outcome_of(shifted_image(high, is_signed), to);
        EXPECT_EQ(got.failure, "") << to;
        ASSERT_EQ(got.converted.outcome, "transcoded") << to << got.converted.reason;
        const auto file = got.file();
        EXPECT_EQ(file.dataset.integer(tag(0x0028, 0x0102)), 11);
        EXPECT_EQ(file.dataset.integer(tag(0x0028, 0x0100)), 16);
        EXPECT_NE(file.dataset.find(tag(0x0400, 0x0561)), nullptr);
        // Back to native, each sample is where readers look for it.
        const Outcome back = outcome_of_bytes(std::string(as_text(got.converted.file)), "explicit-le");
        EXPECT_EQ(back.failure, "");
        const auto native = back.file();
        const auto data = inspect::pixel_data_of(native);
        for (unsigned i = 0; i < 256; ++i) {
          const unsigned value = i * 16U;
          const unsigned expected = is_signed && value >= 2048 ? value | 0xF000U : value;
          ASSERT_EQ(load_u16(data->value.data() + std::size_t{2} * i), expected) << to << ' ' << high << ' ' << i;
        }
      }
    }
  }
}

TEST(Rules, RleAndNativeKeepSamplesWhereTheyLie) {
  for (const char* to : {"rle", "explicit-le"}) {
    const Outcome got = outcome_of(shifted_image(15, false, 5), to);
    EXPECT_EQ(got.failure, "");
    EXPECT_EQ(got.file().dataset.integer(tag(0x0028, 0x0102)), 15);
  }
}

TEST(Rules, SamplesAboveBitZeroStayWhenAShiftWouldLoseSomething) {
  expect_kept(shifted_image(15, false, 5), "jpeg-ls", "a shift would lose them");
  expect_kept(shifted_image(15, false).u16(tag(0x0028, 0x0120), 0x8000), "jpeg-ls", "Pixel Padding Value");
}

TEST(Rules, AnOverlayBelowShiftedSamplesIsTakenOutFirst) {
  ImageObject image = shifted_image(15, false, 1);
  image.u16(tag(0x6000, 0x0010), 16).u16(tag(0x6000, 0x0011), 16).u16(tag(0x6000, 0x0100), 16);
  image.u16(tag(0x6000, 0x0102), 0x0000);
  expect_kept(image, "jpeg-ls",
              "a shift would lose them");  // bit 0 is "no overlay here" when Overlay Bits Allocated is 1
  std::string pixels;
  for (unsigned i = 0; i < 256; ++i) pixels += le16({(i * 16U) << 4U | (i % 2 == 0 ? 4U : 0U)});
  image.native(pixels).u16(tag(0x6000, 0x0102), 2);
  const Outcome got = outcome_of(image, "jpeg-ls");
  EXPECT_EQ(got.failure, "");
  ASSERT_EQ(got.converted.outcome, "transcoded") << got.converted.reason;
  const auto file = got.file();
  const dicom::Node* overlay = file.dataset.find(tag(0x6000, 0x3000));
  ASSERT_NE(overlay, nullptr);
  EXPECT_EQ(as_text(file.dataset.value(*overlay)), std::string(32, '\x55'));
  EXPECT_EQ(file.dataset.integer(tag(0x0028, 0x0102)), 11);
}

TEST(Rules, TwelvePackedBitsAreUnpackedForCodecs) {
  std::string packed;
  for (unsigned i = 0; i < 256; i += 2) {
    const unsigned a = i * 16U, b = (i + 1) * 16U;
    packed += static_cast<char>(a & 0xFFU);
    packed += static_cast<char>((a >> 8U) | ((b & 15U) << 4U));
    packed += static_cast<char>(b >> 4U);
  }
  ImageObject image;
  image.bits(12, 12, 11).raw(tag(0x7FE0, 0x0010), "OW", packed);
  for (const char* to : {"rle", "jpeg-ls", "jpeg-2000"}) {
    const Outcome got = outcome_of(image, to, {{}, true});
    EXPECT_EQ(got.failure, "");
    ASSERT_EQ(got.converted.outcome, "transcoded") << got.converted.reason;
    const auto file = got.file();
    EXPECT_EQ(file.dataset.integer(tag(0x0028, 0x0100)), 16);
  }
  for (const char* to : {"jpeg-ls", "jpeg-2000"}) {
    const Outcome got = outcome_of(image.bits(12, 12, 11, 1), to, {{}, true});
    EXPECT_EQ(got.converted.outcome, "transcoded") << "of signed ones: " << got.converted.reason;
    EXPECT_EQ(got.failure, "");
  }
}

TEST(Rules, SignedPixelsComeBackWithTheirSign) {
  std::string pixels;
  for (int i = 0; i < 256; ++i) pixels += le16({static_cast<unsigned>(i * 9 - 1100) & 0xFFFFU});
  ImageObject image;
  image.bits(16, 12, 11, 1).native(pixels);
  for (const std::string& to : kLossless) {
    const Outcome there = outcome_of(image, to);
    EXPECT_EQ(there.converted.outcome, "transcoded") << to << there.converted.reason;
    EXPECT_EQ(there.failure, "") << to;
    EXPECT_EQ(there.file().dataset.integer(tag(0x0028, 0x0103)), 1) << to;
  }
}

TEST(Rules, ASignThatIsNotExtendedKeepsTheSource) {
  std::string pixels;
  for (int i = 0; i < 256; ++i) pixels += le16({static_cast<unsigned>(i * 9 - 1100) & 0xFFFU});
  ImageObject image;
  image.bits(16, 12, 11, 1).native(pixels);
  // Readers who do not look at Bits Stored would see other numbers in what decoders extend.
  for (const char* const to : {"jpeg-ls", "jpeg-lossless", "jpeg-2000"})
    expect_kept(image, to, "bits outside Bits Stored");
}

TEST(Rules, FramesOfOddSizeGetOneFragmentEachOfEvenLengthAndAFullOffsetTable) {
  ImageObject image;
  image.size(3, 5).frames("3").native(std::string(45, '\x11') + '\0');
  const Outcome got = outcome_of(image, "jpeg-ls", {{}, true});
  ASSERT_EQ(got.converted.outcome, "transcoded");
  EXPECT_EQ(got.failure, "");
  const auto file = got.file();
  const ByteView value = file.dataset.value(*file.dataset.find(tag(0x7FE0, 0x0010)));
  ASSERT_EQ(load_u32(value.data() + 4), 12U) << "three entries";
  std::vector<std::uint32_t> starts;
  for (std::size_t at = 20; at + 8 <= value.size();) {
    const std::uint32_t length = load_u32(value.data() + at + 4);
    EXPECT_EQ(length % 2, 0U);
    starts.push_back(static_cast<std::uint32_t>(at - 20));
    at += 8 + length;
  }
  ASSERT_EQ(starts.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(load_u32(value.data() + 8 + 4 * i), starts[i]);
}

TEST(Rules, BeyondFourGibibytesFramesAreNamedByTheExtendedOffsetTable) {
  EXPECT_FALSE(
      transcode::extended_tables(std::vector<std::uint64_t>{0xFFFFFFF0, 0xFFFFFFF0}));  // the second starts below
  const std::vector<std::uint64_t> sizes = {0xFFFFFFF1, 7, 8};
  const auto tables = transcode::extended_tables(sizes);
  ASSERT_TRUE(tables);
  EXPECT_EQ(load_u64(tables->offsets.data()), 0U);
  EXPECT_EQ(load_u64(tables->offsets.data() + 8), std::uint64_t{8} + 0xFFFFFFF2U);
  EXPECT_EQ(load_u64(tables->offsets.data() + 16), std::uint64_t{16} + 0xFFFFFFF2U + 8U);
  EXPECT_EQ(load_u64(tables->lengths.data()), 0xFFFFFFF2U);
  EXPECT_EQ(load_u64(tables->lengths.data() + 8), 8U);
}

TEST(Rules, AnExtendedOffsetTableOfTheSourceGoesWithItsFragments) {
  const Outcome small = outcome_of(ImageObject(), "jpeg-ls");
  const auto file = small.file();
  const auto data = inspect::pixel_data_of(file);
  std::vector<manifest::Finding> none;
  const std::string stream(as_text(pixel::FrameReader::open(*data, none)->codestream(0)));
  ImageObject image;
  image.fragments(kJpegPrefix + "80", {"", stream});
  image.raw(tag(0x7FE0, 0x0001), "OV", std::string(8, '\0')).raw(tag(0x7FE0, 0x0002), "OV", le32({stream.size(), 0}));
  const Outcome got = outcome_of(image, "explicit-le");
  EXPECT_EQ(got.converted.outcome, "transcoded");
  EXPECT_EQ(got.failure, "");
  EXPECT_EQ(got.file().dataset.find(tag(0x7FE0, 0x0001)), nullptr);
  EXPECT_EQ(got.file().dataset.find(tag(0x7FE0, 0x0002)), nullptr);
}

TEST(Rules, FramesInPartsGiveTheSameBytesAsInOne) {
  ImageObject image;
  image.size(16, 16).frames("20").native(std::string(16 * 16 * 20, '\x21'));
  const std::string bytes = image.file();
  const auto source = dicom::parse_file(as_bytes(bytes));
  transcode::CodecsHere codecs;
  Bytes whole;
  for (const std::uint64_t apart : {std::uint64_t{1} << 30U, std::uint64_t{8} * 3 * 256, std::uint64_t{1}}) {
    const transcode::Converter converter(codecs, {}, apart);
    const auto converted = converter.convert(as_bytes(bytes), *source, {transcode::syntax_of("jpeg-ls")}, {});
    ASSERT_TRUE(converted);
    ASSERT_EQ(converted->outcome, "transcoded");
    EXPECT_TRUE(converter.prove(*source, converted->file, *converted));
    const Bytes file(converted->file.begin(), converted->file.end());
    if (whole.empty()) whole = file;
    EXPECT_EQ(file, whole) << apart;
  }
}

TEST(Rules, OneChangedSampleInOneOfManyFramesIsFound) {
  ImageObject image;
  image.size(16, 16).frames("50").native(std::string(16 * 16 * 50, '\x21'));
  const Outcome got = outcome_of(image, "rle");
  ASSERT_EQ(got.converted.outcome, "transcoded");
  std::string other(16 * 16 * 50, '\x21');
  other[16 * 16 * 37 + 5] = '\x20';
  const std::string changed = ImageObject(image).native(other).file();
  const auto source = dicom::parse_file(as_bytes(changed));
  transcode::CodecsHere codecs;
  const transcode::Converter converter(codecs, {}, 1);
  const auto proof = converter.prove(*source, got.converted.file, got.converted);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().fault, Fault::mismatch);
}

}  // namespace
}  // namespace waybill::test
