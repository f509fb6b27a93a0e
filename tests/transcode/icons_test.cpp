// SPDX-License-Identifier: Apache-2.0
// Icons that are codestreams: decoded when the image gets another encoding, and given back as they were.
#include "dicom/digest.hpp"
#include "inspect/pixels.hpp"
#include "inspect/support.hpp"
#include "pixel/codec.hpp"
#include "transcode/outcome.hpp"
#include "transcode/support.hpp"

namespace waybill::transcode {
namespace {

using dicom::tag;

const std::string kJpegLsSyntax = kJpegPrefix + "80";

/// An icon of `side` x `side` as an item, with `pixels` as its last element.
std::string icon(std::uint16_t side, const std::string& pixels) {
  DicomBuilder b;
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2").u16(tag(0x0028, 0x0010), side);
  b.u16(tag(0x0028, 0x0011), side).u16(tag(0x0028, 0x0100), 8).u16(tag(0x0028, 0x0101), 8).u16(tag(0x0028, 0x0102), 7);
  return b.u16(tag(0x0028, 0x0103), 0).str() + pixels;
}

std::string samples_of(std::uint16_t side) {
  std::string out;
  std::uint32_t v = 7;
  for (unsigned i = 0; i < unsigned{side} * side; ++i)
    out += static_cast<char>((v = v * 1664525U + 1013904223U) >> 24U);
  return out;
}

std::string encoded(const std::string& syntax, std::uint16_t side, const std::string& samples) {
  pixel::ImageInfo info;
  info.rows = info.columns = side;
  info.bits_allocated = info.bits_stored = 8;
  info.high_bit = 7;
  info.photometric = "MONOCHROME2";
  const Bytes data(as_bytes(samples).begin(), as_bytes(samples).end());
  const auto stream = pixel::encode_frame(syntax, info, {side, side, 1, 1, 0, false, "MONOCHROME2", data});
  EXPECT_TRUE(stream);
  std::string even(as_text(*stream));
  if (even.size() % 2 != 0) even += '\0';
  return even;
}

/// An image labelled `syntax`, of a codestream of `codec`, with an icon of another.
ImageObject with_icon(const std::string& syntax, const std::string& codec, const std::string& icon_codec,
                      std::uint16_t side = 8) {
  ImageObject image;
  image.fragments(syntax, {"", encoded(codec, 16, std::string(256, '\x40'))});
  const std::string pixels = DicomBuilder().fragments({"", encoded(icon_codec, side, samples_of(side))}).str();
  const std::string sequence = DicomBuilder().sequence(tag(0x0088, 0x0200), {icon(side, pixels)}, true).str();
  image.raw(tag(0x0088, 0x0200), "SQ", sequence.substr(12, sequence.size() - 12 - 8));
  return image;
}

TEST(Icon, IsDecodedForWhatItIsWhenTheImageGetsAnotherEncoding) {
  for (const char* const codec : {"70", "80", "90"}) {
    const Outcome got = outcome_of(with_icon(kJpegLsSyntax, kJpegLsSyntax, kJpegPrefix + codec), "explicit-le");
    EXPECT_EQ(got.failure, "");
    ASSERT_EQ(got.converted.outcome, "transcoded") << got.converted.reason;
    const auto file = got.file();
    const dicom::Node* icons = file.dataset.find(tag(0x0088, 0x0200));
    ASSERT_NE(icons, nullptr);
    const std::string expected = DicomBuilder().raw(tag(0x7FE0, 0x0010), "OB", samples_of(8)).str();
    EXPECT_NE(as_text(file.dataset.value(*icons)).find(expected), std::string::npos);
  }
}

TEST(Icon, ThatIsNativeStaysAsItIs) {
  ImageObject image;
  const std::string item = icon(8, DicomBuilder().raw(tag(0x7FE0, 0x0010), "OB", samples_of(8)).str());
  const std::string sequence = DicomBuilder().sequence(tag(0x0088, 0x0200), {item}, false).str();
  image.raw(tag(0x0088, 0x0200), "SQ", sequence.substr(12));
  const Outcome got = outcome_of(image, "jpeg-ls");
  EXPECT_EQ(got.converted.outcome, "transcoded");
  EXPECT_EQ(got.failure, "");
  const auto source = dicom::parse_file(as_bytes(got.source));
  EXPECT_EQ(dicom::dataset_digest(got.file().dataset), dicom::dataset_digest(source->dataset));
}

class IconArchive : public Transcode {
 protected:
  [[nodiscard]] Object scanned() const { return objects_of(folder_ / "scan.wb").at(0); }
};

TEST_F(IconArchive, IsGivenBackByUndoInTheSyntaxThatTheIconMayStandIn) {
  add("A", with_icon(kJpegLsSyntax, kJpegLsSyntax, kJpegLsSyntax).file());
  write_decisions(folder_ / "reconcile.wb", scan(),
                  {decided("1.2.3.5", "auto", {{"0010,0020", "P1", "P-900", "CORRECT"}})});
  for (const char* const to : {"explicit-le", "jpeg-lossless", "rle"}) {
    for (const bool edited : {false, true}) {
      Options o = options(to, 1);
      o.keep_larger = true;
      if (edited) o.edits = folder_ / "reconcile.wb";
      const Object staged = transcode(o).at(0);
      ASSERT_EQ(staged.transcode->outcome, "transcoded") << staged.transcode->reason;
      EXPECT_EQ(staged.transcode->undo.provenance, edited);
      const Object back = undone();
      ASSERT_EQ(back.bucket, Bucket::instance) << to << ": " << back.findings.back().detail;
      EXPECT_EQ(back.transcode->outcome, "restored");
      EXPECT_EQ(back.transcode->to, kJpegLsSyntax);
      EXPECT_NE(back.transcode->verified_by, "none");
      const std::string bytes = get(back.transcode->path);
      const auto file = dicom::parse_file(as_bytes(bytes));
      EXPECT_EQ(file->transfer_syntax, kJpegLsSyntax);
      EXPECT_EQ(dicom::dataset_digest(file->dataset).hex(), *scanned().dataset_sha256);
      std::vector<manifest::Finding> none;
      EXPECT_EQ(pixel::digest_pixels(*inspect::pixel_data_of(*file), none)->pixel.hex(), scanned().pixel_sha256);
    }
  }
}

TEST_F(IconArchive, OfALargeIconIsStagedButNotGivenBack) {
  add("A", with_icon(kJpegLsSyntax, kJpegLsSyntax, kJpegLsSyntax, 300).file());
  scan();
  const Object staged = transcode(options("explicit-le", 1)).at(0);
  ASSERT_EQ(staged.transcode->outcome, "transcoded") << staged.transcode->reason;
  EXPECT_TRUE(staged.transcode->undo.empty());
  const Object back = undone();
  EXPECT_EQ(back.bucket, Bucket::failed);
  EXPECT_TRUE(has_finding(back, "TX-UNDO"));
}

TEST_F(IconArchive, OfASyntaxThatIsNotWrittenIsNotGivenBack) {
  add("A", with_icon(kJpegPrefix + "57", kJpegPrefix + "70", kJpegPrefix + "70").file());
  scan();
  const Object staged = transcode(options("explicit-le", 1)).at(0);
  ASSERT_EQ(staged.transcode->outcome, "transcoded") << staged.transcode->reason;
  const Object back = undone();
  ASSERT_TRUE(has_finding(back, "TX-UNDO"));
  EXPECT_NE(back.findings.back().detail.find("1.2.840.10008.1.2.4.57"), std::string::npos)
      << back.findings.back().detail;
}

}  // namespace
}  // namespace waybill::transcode
