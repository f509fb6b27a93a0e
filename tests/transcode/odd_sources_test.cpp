// SPDX-License-Identifier: Apache-2.0
// Sources that few encoders write: labels of another codec, encapsulated bits, 32 bits, big endian where it is rare,
// samples that leave half their bytes empty.
#include "inspect/pixels.hpp"
#include "inspect/streams.hpp"
#include "pixel/codec.hpp"
#include "support/folder.hpp"
#include "transcode/outcome.hpp"

#include <zlib.h>
#include <cstring>

namespace waybill::test {
namespace {

using dicom::tag;

std::string slope_bytes(unsigned mask = 0xFF) {
  std::string out;
  for (unsigned i = 0; i < 256; ++i) out += static_cast<char>((i * 7 + i / 16) & mask);
  return out;
}

/// 16 x 16 pixels of 8 bits as one codestream of `syntax`.
std::string stream_of(const std::string& syntax, const std::string& pixels) {
  pixel::ImageInfo info;
  info.rows = info.columns = 16;
  info.bits_allocated = info.bits_stored = 8;
  info.high_bit = 7;
  info.photometric = "MONOCHROME2";
  pixel::Frame frame;
  frame.rows = frame.columns = 16;
  frame.photometric = info.photometric;
  frame.data.assign(as_bytes(pixels).begin(), as_bytes(pixels).end());
  const std::string stream(as_text(*pixel::encode_frame(syntax, info, frame)));
  return stream.size() % 2 == 0 ? stream : stream + '\0';
}

std::string native_value(const dicom::File& file, dicom::Tag t = tag(0x7FE0, 0x0010)) {
  const dicom::Node* node = file.dataset.find(t);
  return node == nullptr ? std::string() : std::string(as_text(file.dataset.value(*node)));
}

struct Label {
  std::string label, truth;
};
const std::vector<Label> kWrong = {{kJpegPrefix + "80", kJpegPrefix + "70"}, {kJpegPrefix + "90", kJpegPrefix + "80"},
                                   {kRleSyntax, kJpegPrefix + "70"},         {kJpegPrefix + "70", kRleSyntax},
                                   {kJpegPrefix + "50", kJpegPrefix + "70"}, {kJpegPrefix + "91", kJpegPrefix + "80"}};

TEST(OddSources, ALosslessCodestreamUnderTheLabelOfAnotherCodecIsConvertedForWhatItIs) {
  for (const Label& wrong : kWrong) {
    ImageObject image;
    image.fragments(wrong.label, {"", stream_of(wrong.truth, slope_bytes())});
    for (const char* to : {"explicit-le", "jpeg-2000"}) {
      const Outcome got = outcome_of(image, to, {{}, true});
      EXPECT_EQ(got.failure, "") << wrong.label << ' ' << to;
      EXPECT_EQ(got.converted.outcome, "transcoded") << wrong.label << ' ' << to << got.converted.reason;
      if (std::string_view(to) == "explicit-le") {
        EXPECT_EQ(native_value(got.file()), slope_bytes()) << wrong.label;
      }
    }
  }
}

TEST(OddSources, ALosslessCodestreamUnderTheLabelOfAnotherCodecIsCarriedUnderItsOwn) {
  for (const Label& wrong : kWrong) {
    const std::string stream = stream_of(wrong.truth, slope_bytes());
    ImageObject image;
    image.fragments(wrong.label, {"", stream});
    const Outcome got = outcome_of(image, "keep");
    EXPECT_EQ(got.failure, "") << wrong.label;
    EXPECT_EQ(got.converted.outcome, "rewritten") << wrong.label;
    EXPECT_EQ(got.file().meta.transfer_syntax, wrong.truth);
    EXPECT_NE(as_text(got.converted.file).find(stream), std::string_view::npos) << "the codestream stays";
    const Outcome again = outcome_of_bytes(std::string(as_text(got.converted.file)), "keep");
    EXPECT_EQ(again.converted.outcome, "copied");
  }
}

TEST(OddSources, AStreamThatCannotBeDecodedKeepsItsLabelAndItsBytes) {
  std::string stream = stream_of(kJpegPrefix + "70", slope_bytes());
  stream.replace(stream.size() / 2, 20, std::string(20, '\xFF'));
  ImageObject image;
  image.fragments(kJpegPrefix + "80", {"", stream});
  for (const char* to : {"keep", "explicit-le"}) {
    const Outcome got = outcome_of(image, to);
    EXPECT_EQ(got.failure, "") << to;
    EXPECT_TRUE(got.same_bytes()) << to;
  }
}

TEST(OddSources, LossyJpegKeepsTheLabelOfItsFamily) {
  Jpeg progressive;
  progressive.sof = 0xFFC2;
  ImageObject image;
  image.lossy().fragments(kJpegPrefix + "50", {"", progressive.bytes()});
  const Outcome got = outcome_of(image, "keep");
  EXPECT_EQ(got.converted.outcome, "copied");
  EXPECT_TRUE(got.same_bytes());
}

TEST(OddSources, ACodestreamUnderANativeLabelIsTakenForWhatItIs) {
  for (const std::string& truth : {kJpegPrefix + "70", kJpegPrefix + "80", kRleSyntax}) {
    ImageObject image;
    image.fragments(kNative, {"", stream_of(truth, slope_bytes())});
    EXPECT_EQ(findings(image, inspect::Depth::pixels), std::vector<std::string>{"ENC-TSLABEL S2"});
    const Outcome native = outcome_of(image, "explicit-le");
    EXPECT_EQ(native.failure, "") << truth;
    EXPECT_EQ(native_value(native.file()), slope_bytes()) << truth;
    const Outcome kept = outcome_of(image, "keep");
    EXPECT_EQ(kept.failure, "") << truth;
    EXPECT_EQ(kept.file().meta.transfer_syntax, truth);
  }
  ImageObject unknown;
  unknown.fragments(kNative, {"", "no codestream at all"});
  EXPECT_EQ(findings(unknown, inspect::Depth::datasets).front(), "ENC-TSLABEL S3");
}

TEST(OddSources, AWaveletStreamUnderALossyLabelIsNotTakenForLossless) {
  ImageObject image;
  image.fragments(kJpegPrefix + "50", {"", stream_of(kJpegPrefix + "90", slope_bytes())});
  const Outcome got = outcome_of(image, "explicit-le");
  EXPECT_EQ(got.failure, "");
  EXPECT_NE(got.converted.reason.find("not lossless at the source"), std::string::npos) << got.converted.reason;
  EXPECT_EQ(got.file().meta.transfer_syntax, kJpegPrefix + "91");
}

/// Three frames of 5 x 7 bits, and the same packed on across frames.
struct Bits {
  std::vector<std::string> frames;
  std::string packed;
  Bits() : frames(3, std::string(35, '\0')), packed(14, '\0') {
    for (unsigned i = 0; i < 105; ++i) {
      if (i * i % 7 > 2) continue;
      frames[i / 35][i % 35] = '\1';
      packed[i / 8] = static_cast<char>(static_cast<unsigned char>(packed[i / 8]) | 1U << (i % 8));
    }
  }
};

std::string deflated_bits(const std::string& samples) {
  std::string raw((samples.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < samples.size(); ++i) raw[i / 8] = static_cast<char>(raw[i / 8] | samples[i] << (i % 8));
  z_stream z{};
  (void)deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(256, '\0');
  z.next_in = reinterpret_cast<Bytef*>(raw.data());
  z.avail_in = static_cast<uInt>(raw.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  (void)deflate(&z, Z_FINISH);
  out.resize(out.size() - z.avail_out);
  (void)deflateEnd(&z);
  return out.size() % 2 == 0 ? out : out + '\0';
}

/// One segment of literals: RLE of any bytes.
std::string rle_segments(const std::vector<std::string>& planes) {
  std::string head = le32({planes.size()});
  std::string body;
  for (const std::string& plane : planes) {
    head += le32({64 + body.size()});
    for (std::size_t at = 0; at < plane.size(); at += 128) {
      const std::string literal = plane.substr(at, 128);
      body += static_cast<char>(literal.size() - 1) + literal;
    }
    if (body.size() % 2 != 0) body += '\0';
  }
  head.resize(64, '\0');
  return head + body;
}

TEST(OddSources, EncapsulatedPixelsOfOneBitBecomeNativeBitsPackedOnAcrossFrames) {
  const Bits bits;
  std::vector<std::string> deflated = {""}, runs = {""};
  for (const std::string& frame : bits.frames) {
    deflated.push_back(deflated_bits(frame));
    runs.push_back(rle_segments({frame}));
  }
  for (const auto& [syntax, items] : {std::pair{std::string("1.2.840.10008.1.2.8.1"), deflated}, {kRleSyntax, runs}}) {
    ImageObject image;
    image.size(5, 7).frames("3").bits(1, 1, 0).fragments(syntax, items);
    const Outcome got = outcome_of(image, "explicit-le");
    EXPECT_EQ(got.failure, "") << syntax;
    EXPECT_EQ(got.converted.outcome, "transcoded") << syntax << got.converted.reason;
    EXPECT_EQ(native_value(got.file()), bits.packed) << syntax;
    expect_kept(image, "jpeg-ls", "1-bit");
  }
}

TEST(OddSources, RunLengthsOfThirtyTwoBitsBecomeNative) {
  std::string native;
  std::vector<std::string> planes(4);
  for (std::uint32_t i = 0; i < 256; ++i) {
    const std::uint32_t v = i * 2654435761U;
    native += le32({v});
    for (unsigned p = 0; p < 4; ++p) planes[p] += static_cast<char>(v >> (24 - 8 * p) & 0xFFU);
  }
  ImageObject image;
  image.bits(32, 32, 31).fragments(kRleSyntax, {"", rle_segments(planes)});
  const Outcome got = outcome_of(image, "explicit-le");
  EXPECT_EQ(got.failure, "");
  EXPECT_EQ(got.converted.outcome, "transcoded") << got.converted.reason;
  EXPECT_EQ(native_value(got.file()), native);
  expect_kept(image, "jpeg-ls", "32 bits");
}

TEST(OddSources, RunLengthsWithControlBytesThatAskForNothingAreProvedAllTheSame) {
  std::string stream = rle_segments({slope_bytes()});
  stream.insert(64, "\x80\x80");
  ImageObject image;
  image.fragments(kRleSyntax, {"", stream});
  const Outcome got = outcome_of(image, "explicit-le");
  EXPECT_EQ(got.failure, "");
  EXPECT_EQ(got.converted.outcome, "transcoded") << got.converted.reason;
  EXPECT_EQ(native_value(got.file()), slope_bytes());
}

TEST(OddSources, RunLengthsThatBeginBehindAGapAreDecodedWhereTheHeaderSays) {
  std::string stream = rle_segments({slope_bytes()});
  stream.insert(64, "gap.");
  stream[4] = 68;
  ImageObject image;
  image.fragments(kRleSyntax, {"", stream});
  EXPECT_TRUE(findings(image, inspect::Depth::pixels).empty());
  const Outcome got = outcome_of(image, "explicit-le");
  EXPECT_EQ(got.failure, "");
  EXPECT_EQ(got.converted.outcome, "transcoded") << got.converted.reason;
  EXPECT_EQ(native_value(got.file()), slope_bytes());
}

TEST(OddSources, RunLengthsThatGoOnBehindTheImageAreCarried) {
  ImageObject image;
  image.fragments(kRleSyntax, {"", rle_segments({slope_bytes() + std::string(16, '\7')})});
  for (const char* to : {"explicit-le", "jpeg-ls"}) expect_kept(image, to, "bytes behind the pixels");
  image.fragments(kRleSyntax, {"", rle_segments({slope_bytes() + '\7'})});  // an encoder's padding
  EXPECT_EQ(outcome_of(image, "explicit-le").converted.outcome, "transcoded");
}

/// 16 x 16 samples of 12 bits in a JPEG of 16 bits, shifted up by `shift`, or of 12.
std::string twelve_bits(unsigned precision, unsigned shift, std::string& native) {
  pixel::ImageInfo info;
  info.rows = info.columns = 16;
  info.bits_allocated = 16;
  info.bits_stored = static_cast<std::uint16_t>(precision);
  info.high_bit = static_cast<std::uint16_t>(precision - 1);
  info.photometric = "MONOCHROME2";
  pixel::Frame frame;
  frame.rows = frame.columns = 16;
  frame.bytes_per_sample = 2;
  frame.photometric = info.photometric;
  native.clear();
  for (unsigned i = 0; i < 256; ++i) native += le16({(i * 13) & 0xFFFU});
  for (unsigned i = 0; i < 256; ++i) put_u16(frame.data, static_cast<std::uint16_t>((i * 13 & 0xFFFU) << shift));
  const std::string stream(as_text(*pixel::encode_frame(kJpegPrefix + "70", info, frame)));
  return stream.size() % 2 == 0 ? stream : stream + '\0';
}

TEST(OddSources, CompressedSamplesWhoseHighBitIsElsewhereAreMovedForCodecs) {
  for (const auto& [precision, shift] : {std::pair{16U, 4U}, {12U, 0U}}) {
    std::string plain;
    ImageObject image;
    image.bits(16, 12, 15).fragments(kJpegPrefix + "70", {"", twelve_bits(precision, shift, plain)});
    for (const char* to : {"jpeg-ls", "jpeg-2000", "rle", "explicit-le"}) {
      const Outcome got = outcome_of(image, to, {{}, true});
      EXPECT_EQ(got.failure, "") << to;
      ASSERT_EQ(got.converted.outcome, "transcoded") << precision << ' ' << to << got.converted.reason;
      const bool stays = precision == 16 && (std::string_view(to) == "rle" || std::string_view(to) == "explicit-le");
      EXPECT_EQ(got.file().dataset.integer(tag(0x0028, 0x0102)), stays ? 15 : 11) << precision << ' ' << to;
      const Outcome back = outcome_of_bytes(std::string(as_text(got.converted.file)), "explicit-le");
      EXPECT_EQ(back.failure, "") << to;
      if (!stays) {
        EXPECT_EQ(native_value(back.file()), plain) << precision << ' ' << to;
      }
    }
  }
}

/// A file that DCMTK has written in big endian.
class OddBigEndian : public InFolder {
 protected:
  std::string big_endian(const ImageObject& image) const {
    put(folder_ / "le.dcm", image.file());
    const Ran ran = shell("cd " + folder_.string() + " && dcmconv +tb le.dcm be.dcm 2>&1");
    EXPECT_EQ(ran.exit, 0) << ran.out;
    return get(folder_ / "be.dcm");
  }
};

TEST_F(OddBigEndian, BitsPackedSamplesAndFloatsBecomeLittleEndian) {
  ImageObject bits;
  bits.size(5, 7).frames("3").bits(1, 1, 0).raw(tag(0x7FE0, 0x0010), "OW", Bits().packed);
  std::string reals;
  for (unsigned i = 0; i < 256; ++i) {
    const float v = 1.5F / static_cast<float>(i + 1);
    std::uint32_t pattern = 0;
    std::memcpy(&pattern, &v, sizeof v);
    reals += le32({pattern});
  }
  std::string twelve;
  for (unsigned i = 0; i < 384; ++i) twelve += static_cast<char>(i * 29);
  ImageObject packed;
  packed.bits(12, 12, 11).raw(tag(0x7FE0, 0x0010), "OW", twelve);
  ImageObject real;
  real.bits(32, 32, 31).erase(tag(0x7FE0, 0x0010)).raw(tag(0x7FE0, 0x0008), "OF", reals);
  for (const auto& [image, t, value] :
       {std::tuple{bits, tag(0x7FE0, 0x0010), Bits().packed}, std::tuple{packed, tag(0x7FE0, 0x0010), twelve},
        std::tuple{real, tag(0x7FE0, 0x0008), reals}}) {
    const std::string source = big_endian(image);
    const Outcome got = outcome_of_bytes(source, "explicit-le");
    EXPECT_EQ(got.failure, "");
    EXPECT_EQ(got.converted.reason, "");
    EXPECT_EQ(got.file().transfer_syntax, kNative);
    EXPECT_EQ(native_value(got.file(), t), value) << dicom::to_string(t);
    EXPECT_EQ(outcome_of_bytes(source, "jpeg-ls").converted.outcome, "kept-source");
  }
}

TEST_F(OddBigEndian, OverlaysInUnusedBitsAreTakenOut) {
  std::string words, plain, plane(32, '\0');
  for (unsigned i = 0; i < 256; ++i) {
    const bool set = i % 3 == 0;
    words += le16({(i * 11 & 0xFFFU) | (set ? 0x4000U : 0U)});
    plain += le16({i * 11 & 0xFFFU});
    if (set) plane[i / 8] = static_cast<char>(static_cast<unsigned char>(plane[i / 8]) | 1U << (i % 8));
  }
  ImageObject image;
  image.bits(16, 12, 11).native(words);
  image.u16(tag(0x6000, 0x0010), 16).u16(tag(0x6000, 0x0011), 16).text(tag(0x6000, 0x0040), "CS", "G");
  image.raw(tag(0x6000, 0x0050), "SS", le16({1, 1})).u16(tag(0x6000, 0x0100), 16).u16(tag(0x6000, 0x0102), 14);
  for (const char* to : {"rle", "jpeg-ls"}) {
    const Outcome got = outcome_of_bytes(big_endian(image), to);
    EXPECT_EQ(got.failure, "") << to;
    ASSERT_EQ(got.converted.outcome, "transcoded") << to << got.converted.reason;
    EXPECT_EQ(native_value(got.file(), tag(0x6000, 0x3000)), plane) << to;
    const Outcome back = outcome_of_bytes(std::string(as_text(got.converted.file)), "explicit-le");
    EXPECT_EQ(back.failure, "") << to;
    EXPECT_EQ(native_value(back.file()), plain) << to;
  }
}

/// What other programs make of samples that leave some of their bits empty.
class OddPrecision : public InFolder {};

TEST_F(OddPrecision, OfFewerThanEightBitsOrEightInSixteenIsReadByDcmtkAndGdcm) {
  const bool gdcm = shell("command -v gdcmconv > /dev/null").exit == 0;
  for (const auto& [allocated, stored] : {std::pair<std::uint16_t, std::uint16_t>{8, 2}, {8, 7}, {16, 8}, {16, 5}}) {
    for (const std::uint16_t is_signed : {std::uint16_t{0}, std::uint16_t{1}}) {
      std::string pixels;
      for (const char c : slope_bytes((1U << stored) - 1)) {
        unsigned v = static_cast<unsigned char>(c);
        if (is_signed == 1 && (v >> (stored - 1U)) != 0) v |= 0xFFFFU << stored;
        pixels += allocated == 8 ? std::string(1, static_cast<char>(v & 0xFFU)) : le16({v});
      }
      ImageObject image;
      image.bits(allocated, stored, static_cast<std::uint16_t>(stored - 1), is_signed).native(pixels);
      for (const auto& [to, decoder] : {std::pair{"jpeg-ls", "dcmdjpls"}, {"jpeg-lossless", "dcmdjpeg"}}) {
        const Outcome got = outcome_of(image, to, {{}, true});
        ASSERT_EQ(got.converted.outcome, "transcoded") << to << got.converted.reason;
        EXPECT_EQ(got.failure, "") << to;
        put(folder_ / "in.dcm", std::string(as_text(got.converted.file)));
        // GDCM stops at an assertion at every JPEG lossless image of fewer than 8 bits, its own too.
        const bool by_gdcm = gdcm && (allocated == 16 || std::string_view(to) == "jpeg-ls");
        for (const std::string& program : {std::string(decoder), std::string(by_gdcm ? "gdcmconv --raw" : "")}) {
          if (program.empty()) continue;
          const Ran ran = shell("cd " + folder_.string() + " && rm -f out.dcm && " + program + " in.dcm out.dcm 2>&1");
          ASSERT_EQ(ran.exit, 0) << program << ' ' << stored << " in " << allocated << ran.out;
          EXPECT_TRUE(get(folder_ / "out.dcm").ends_with(pixels)) << program << ' ' << stored << " in " << allocated;
        }
      }
    }
  }
}

/// Headers that break the rules and can be read in spite of it.
class OddHeaders : public InFolder {};

TEST_F(OddHeaders, AreWrittenAnewSoThatOthersReadThemToo) {
  const std::string whole = ImageObject().native(slope_bytes()).file();
  const std::string header("\x28\0\x02\0US\x02\0", 8);  // Samples per Pixel
  ASSERT_NE(whole.find(header), std::string::npos);
  const std::string small("\x28\0\x02\0us\x02\0", 8), none("\x28\0\x02\0\x02\0\0\0", 8);
  for (const std::string& odd : {small, none}) {
    std::string bytes = whole;
    bytes.replace(bytes.find(header), header.size(), odd);
    put(folder_ / "odd.dcm", bytes);
    EXPECT_NE(shell("cd " + folder_.string() + " && dcmdump odd.dcm 2>&1 | grep -E '^[EW]:'").out, "");
    const Outcome got = outcome_of_bytes(bytes, "keep");
    EXPECT_EQ(got.failure, "");
    EXPECT_EQ(got.converted.outcome, "rewritten");
    put(folder_ / "written.dcm", std::string(as_text(got.converted.file)));
    EXPECT_EQ(shell("cd " + folder_.string() + " && dcmdump written.dcm 2>&1 | grep -E '^[EW]:'").out, "");
    EXPECT_NE(shell("cd " + folder_.string() + " && dcmdump +P 0028,0002 written.dcm").out.find("US 1"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace waybill::test
