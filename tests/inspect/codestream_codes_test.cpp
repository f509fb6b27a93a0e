// SPDX-License-Identifier: Apache-2.0
// Encapsulated pixel data without decoding: fragments and offset tables, and the codestream's header against its label.
#include "inspect/streams.hpp"
#include "inspect/support.hpp"

namespace waybill::test {
namespace {

using dicom::tag;
using inspect::Depth;

const std::string kBaseline = kJpegPrefix + "50";
const std::string kVideo = kJpegPrefix + "102";

ImageObject lossy(const Jpeg& stream, const std::string& syntax = kBaseline) {
  return ImageObject().lossy().fragments(syntax, {"", stream.bytes()});
}

ImageObject colour(const Jpeg& stream, const std::string& photometric, const std::string& syntax = kBaseline) {
  return lossy(stream, syntax).samples(3, photometric);
}

ImageObject j2k(const J2k& stream, const std::string& suffix, const std::string& photometric = "MONOCHROME2") {
  ImageObject image;
  image.samples(static_cast<std::uint16_t>(stream.components), photometric);
  if (!stream.reversible) image.lossy();
  return image.fragments(kJpegPrefix + suffix, {"", stream.bytes()});
}

ImageObject frames(const std::vector<std::string>& items, bool delimiter = true) {
  return ImageObject().lossy().frames("2").fragments(kBaseline, items, delimiter);
}

TEST(FragmentCodes, AreFoundInTheDefectAndNotInItsTwin) {
  const std::string one = Jpeg().bytes();
  const std::string unended = Jpeg{.ended = false}.bytes();
  const std::string half = one.substr(0, 20);
  const std::string rest = one.substr(20);
  const std::uint64_t second = one.size() + 8;
  const ImageObject clean = frames({le32({0, second}), one, one});
  const ImageObject single = ImageObject().lossy().fragments(kBaseline, {"", one});
  ImageObject bare = single;
  bare.raw(tag(0x7FE0, 0x0010), "OB", one);
  ImageObject items = single;
  items.raw(tag(0x7FE0, 0x0010), "OB", DicomBuilder::items_of({"", one}));
  const ImageObject split = frames({"", half, rest, half, rest});
  expect_found_only_in_the_bad_twin({
      {"a bare codestream of defined length", {"PIX-EXPLLENENC S2"}, bare, single},
      {"items of defined length", {"PIX-EXPLLENENC S2"}, items, single},
      {"no offset table item", {"PIX-NOBOT S2"}, frames({one, one}), clean},
      {"no offset table item before RLE",
       {"PIX-NOBOT S2"},
       ImageObject().fragments(kRleSyntax, {rle(1)}),
       ImageObject().fragments(kRleSyntax, {"", rle(1)})},
      {"a table of one entry", {"PIX-BOTBAD S1"}, frames({le32({0}), one, one}), clean},
      {"a table that descends", {"PIX-BOTBAD S1"}, frames({le32({second, 0}), one, one}), clean},
      {"a table into the middle of an item", {"PIX-BOTBAD S1"}, frames({le32({0, second + 2}), one, one}), clean},
      {"a table counted from elsewhere", {"PIX-BOTBAD S1"}, frames({le32({16, second + 16}), half, rest, one}), split},
      {"a table wrong beyond repair",
       {"PIX-BOTBAD S3", "PIX-FRAMES S3"},
       frames({le32({0, 1}), half, rest, "more"}),
       split},
      {"an odd fragment", {"PIX-ODDFRAG S1"}, frames({"", one + '\0', one}), clean},
      {"an empty fragment", {"PIX-ZEROFRAG S1"}, frames({"", one, one, ""}), clean},
      {"an empty fragment for a frame", {"PIX-ZEROFRAG S3", "PIX-FRAMES S3"}, frames({"", one, ""}), clean},
      {"no fragment at all", {"PIX-ZEROFRAG S3"}, frames({""}), clean},
      {"no delimiter", {"PIX-ZEROFRAG S1"}, frames({"", one, one}, false), clean},
      {"no delimiter and a frame missing", {"PIX-ZEROFRAG S3", "PIX-FRAMES S3"}, frames({"", one}, false), clean},
      {"three frames for two", {"PIX-FRAMES S3"}, frames({"", one, one, one}), clean},
      {"two whole images for one frame",
       {"PIX-FRAMES S3"},
       ImageObject().lossy().fragments(kBaseline, {"", one, one}),
       ImageObject().lossy().fragments(kBaseline, {"", half, rest})},
      {"no end marker in the last frame", {"PIX-TRUNC S3"}, frames({"", one, unended}), clean},
      {"no end marker in a frame of fragments",
       {"PIX-TRUNC S3"},
       ImageObject().lossy().fragments(kBaseline, {"", half, rest.substr(0, rest.size() - 2)}),
       ImageObject().lossy().fragments(kBaseline, {"", one.substr(0, one.size() - 2), "\xFF\xD9"})},
  });
}

TEST(FragmentCodes, SayWhatIsWrongWithAnOffsetTable) {
  const std::string one = Jpeg().bytes();
  const auto detail = [&](const std::string& table) {
    return inspected(frames({table, one, one}), Depth::datasets).findings.at(0).detail;
  };
  EXPECT_NE(detail(le32({0})).find("1 entries for 2 frames"), std::string::npos);
  EXPECT_NE(detail(le32({8, 4})).find("entry 1 points at no item"), std::string::npos);
  EXPECT_NE(detail(le32({0, 0})).find("entry 2 does not ascend"), std::string::npos);
  EXPECT_NE(detail(std::string(6, '\0')).find("no multiple of 4"), std::string::npos);
}

TEST(FragmentCodes, CompareAnExtendedOffsetTableWithTheFragments) {
  const std::string one = Jpeg().bytes();
  const auto object = [&](std::uint64_t length) {
    return frames({"", one, one})
        .raw(tag(0x7FE0, 0x0001), "OV", le32({0, 0, one.size() + 8, 0}))
        .raw(tag(0x7FE0, 0x0002), "OV", le32({length, 0, one.size(), 0}));
  };
  const auto fits = inspected(object(one.size()), Depth::datasets);
  const auto unpadded = inspected(object(one.size() - 1), Depth::datasets);
  ASSERT_EQ(fits.findings.size(), 1U);
  EXPECT_EQ(fits.findings[0].code, "PIX-EOT");
  EXPECT_NE(fits.findings[0].detail.find("that fits"), std::string::npos);
  EXPECT_NE(unpadded.findings.at(0).detail.find("does not fit"), std::string::npos);
}

TEST(FragmentCodes, DoNotCountTheFramesOfAVideo) {
  EXPECT_TRUE(
      findings(ImageObject().lossy().samples(3, "YBR_PARTIAL_420").frames("250").fragments(kVideo, {"", "\1\2\3\4"}))
          .empty());
}

TEST(FragmentCodes, StepOverDelimiterBytesInsideACodestream) {
  Jpeg stream;
  stream.before = segment(0xFFFE, hex("feffdde000000000"));
  EXPECT_TRUE(findings(lossy(stream)).empty());
}

TEST(FragmentCodes, AcceptPaddingOfAnyKindBehindTheEndMarker) {
  for (const std::string& padding : {std::string(1, '\xFF'), std::string(1, '\0'), std::string(30, '\0')}) {
    std::string stream = Jpeg{.before = segment(0xFFFE, "c")}.bytes();
    stream = stream.substr(0, stream.find("\xFF\xD9") + 2) + padding;
    if (stream.size() % 2 != 0) stream += padding[0];
    EXPECT_TRUE(findings(ImageObject().lossy().fragments(kBaseline, {"", stream})).empty()) << padding.size();
  }
}

TEST(LabelCodes, AreFoundInTheDefectAndNotInItsTwin) {
  const auto under = [](const Jpeg& stream, const std::string& suffix) {
    ImageObject image;
    if (stream.sof != 0xFFC3 && (stream.sof != 0xFFF7 || stream.selector > 0)) image.lossy();
    return image.fragments(kJpegPrefix + suffix, {"", stream.bytes()});
  };
  const Jpeg baseline;
  const Jpeg extended{.sof = 0xFFC1};
  const Jpeg progressive{.sof = 0xFFC2};
  const Jpeg sv1{.sof = 0xFFC3, .selector = 1};
  const Jpeg sv6{.sof = 0xFFC3, .selector = 6};
  const Jpeg ls{.sof = 0xFFF7};
  const Jpeg near{.sof = 0xFFF7, .selector = 3};
  const J2k reversible;
  const J2k irreversible{.reversible = false};
  const J2k ht{.high_throughput = true};
  const J2k rpcl{.high_throughput = true, .progression = 2};
  const std::vector<std::string> s2 = {"ENC-TSCODESTREAM S2"};
  const std::vector<std::string> s3 = {"ENC-TSCODESTREAM S3"};
  expect_found_only_in_the_bad_twin({
      {"baseline under extended", s2, under(baseline, "51"), under(extended, "51")},
      {"progressive under baseline", s2, under(progressive, "50"), under(progressive, "55")},
      {"lossless under baseline", s2, under(sv1, "50"), under(baseline, "50")},
      {"predictor 6 under SV1", s2, under(sv6, "70"), under(sv6, "57")},
      {"baseline hidden under lossless", s3, under(baseline, "70"), under(sv1, "70")},
      {"NEAR 3 hidden under JPEG-LS lossless", s3, under(near, "80"), under(near, "81")},
      {"JPEG-LS under JPEG lossless", s2, under(ls, "57"), under(ls, "81")},
      {"9-7 hidden under JPEG 2000 lossless", s3, j2k(irreversible, "90"), j2k(irreversible, "91")},
      {"HTJ2K under JPEG 2000", s2, j2k(ht, "90"), j2k(ht, "201")},
      {"JPEG 2000 under HTJ2K", s2, j2k(reversible, "201"), j2k(reversible, "90")},
      {"LRCP under RPCL", s2, j2k(ht, "202"), j2k(rpcl, "202")},
      {"JPEG under RLE", s2, ImageObject().fragments(kRleSyntax, {"", sv1.bytes()}),
       ImageObject().fragments(kRleSyntax, {"", rle(1)})},
      {"bytes of no codestream", s3, ImageObject().fragments(kJpegPrefix + "90", {"", "nothing!"}),
       j2k(reversible, "90")},
  });
}

TEST(LabelCodes, OfAMislabelledLosslessStreamLetItBeDecodedByWhatItIs) {
  ImageObject image;
  image.fragments(kJpegPrefix + "70", {"", rle(1)});
  const auto object = inspected(image, Depth::pixels);
  const auto native = inspected(ImageObject().native(std::string(256, '\x22')), Depth::pixels);
  ASSERT_TRUE(object.pixel_sha256);
  EXPECT_EQ(object.pixel_sha256, native.pixel_sha256);
}

TEST(SizeCodes, AreFoundInTheDefectAndNotInItsTwin) {
  const std::vector<std::string> dims = {"PIX-DIMS S2"};
  const auto sixteen = [](unsigned precision, std::uint16_t stored, bool is_signed = false) {
    ImageObject image;
    const J2k stream{.precision = precision, .is_signed = is_signed};
    return image.bits(16, stored, static_cast<std::uint16_t>(stored - 1))
        .fragments(kJpegPrefix + "90", {"", stream.bytes()});
  };
  expect_found_only_in_the_bad_twin({
      {"rows", dims, lossy(Jpeg{.rows = 20}), lossy(Jpeg())},
      {"columns", dims, lossy(Jpeg{.columns = 20}), lossy(Jpeg())},
      {"components", dims, lossy(Jpeg{.sampling = {0x11, 0x11, 0x11}}), lossy(Jpeg())},
      {"fewer bits than stored", dims, sixteen(9, 12), sixteen(12, 12)},
      {"more bits than allocated", dims, j2k(J2k{.precision = 12}, "90"), j2k(J2k(), "90")},
      {"16 bits of 12 stored", {"PIX-DIMS S0"}, sixteen(16, 12), sixteen(12, 12)},
      {"a signed stream of unsigned pixels", dims, sixteen(12, 12, true), sixteen(12, 12)},
      {"a size no image has", {"PIX-DIMS S3"}, j2k(J2k{.columns = 0xDDE00100U}, "90"), j2k(J2k(), "90")},
  });
}

TEST(ColourCodes, AreFoundInTheDefectAndNotInItsTwin) {
  const std::vector<unsigned> full = {0x11, 0x11, 0x11};
  const std::vector<unsigned> half = {0x21, 0x11, 0x11};
  const std::vector<std::string> photo = {"PIX-PHOTO S2"};
  const ImageObject clean = colour(Jpeg{.sampling = half}, "YBR_FULL_422");
  const J2k rct{.components = 3, .multi_component = true};
  const J2k ict{.components = 3, .multi_component = true, .reversible = false};
  const J2k plain{.components = 3};
  ImageObject boxed;
  boxed.fragments(kJpegPrefix + "90", {"", J2k().boxed()});
  expect_found_only_in_the_bad_twin({
      {"JFIF in a grey image", {"PIX-JFIF S0"}, lossy(Jpeg().jfif()), lossy(Jpeg())},
      {"JFIF and a fitting label", {"PIX-JFIF S0"}, colour(Jpeg{.sampling = half}.jfif(), "YBR_FULL_422"), clean},
      {"JFIF, subsampled, labelled RGB",
       {"PIX-JFIF S2", "PIX-PHOTO S2"},
       colour(Jpeg{.sampling = half}.jfif(), "RGB"),
       clean},
      {"Adobe says YCbCr, the label RGB",
       {"PIX-JFIF S2", "PIX-PHOTO S2"},
       colour(Jpeg{.sampling = full}.adobe(1), "RGB"),
       clean},
      {"Adobe says RGB, the label YBR",
       {"PIX-JFIF S2", "PIX-PHOTO S2"},
       colour(Jpeg{.sampling = full}.adobe(0), "YBR_FULL"),
       clean},
      {"Adobe and the label say RGB", {"PIX-JFIF S0"}, colour(Jpeg{.sampling = full}.adobe(0), "RGB"), clean},
      {"subsampled, labelled RGB", photo, colour(Jpeg{.sampling = half}, "RGB"), clean},
      {"RCT labelled RGB", photo, j2k(rct, "90", "RGB"), j2k(rct, "90", "YBR_RCT")},
      {"ICT labelled YBR_FULL", photo, j2k(ict, "91", "YBR_FULL"), j2k(ict, "91", "YBR_ICT")},
      {"no transform labelled YBR_RCT", photo, j2k(plain, "90", "YBR_RCT"), j2k(plain, "90", "RGB")},
      {"JP2 boxes", {"PIX-JP2BOX S2"}, boxed, j2k(J2k(), "90")},
  });
}

TEST(LossyFlag, IsAskedOfEveryKindOfLoss) {
  const auto without = [](ImageObject image) { return image.erase(tag(0x0028, 0x2110)); };
  const auto zero = [](ImageObject image) { return image.text(tag(0x0028, 0x2110), "CS", "00"); };
  const J2k irreversible{.reversible = false};
  const Jpeg near{.sof = 0xFFF7, .selector = 2};
  const std::vector<std::string> flag = {"PIX-LOSSYFLAG S2"};
  const ImageObject jpeg_ls = lossy(near, kJpegPrefix + "81");
  expect_found_only_in_the_bad_twin({
      {"baseline, no flag", flag, without(lossy(Jpeg())), lossy(Jpeg())},
      {"baseline, flag 00", flag, zero(lossy(Jpeg())), lossy(Jpeg())},
      {"9-7", flag, without(j2k(irreversible, "91")), j2k(irreversible, "91")},
      {"9-7 in HTJ2K", flag, without(j2k(J2k{.reversible = false, .high_throughput = true}, "203")),
       j2k(J2k{.reversible = false, .high_throughput = true}, "203")},
      {"NEAR above 0", flag, zero(jpeg_ls), jpeg_ls},
  });
  EXPECT_TRUE(findings(j2k(J2k(), "91")).empty());  // 5-3: nothing is certain
}

}  // namespace
}  // namespace waybill::test
