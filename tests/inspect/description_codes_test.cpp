// SPDX-License-Identifier: Apache-2.0
// What the attributes say of the pixels, against each other and against what is there.
#include "inspect/support.hpp"

namespace waybill::test {
namespace {

using dicom::tag;
using inspect::Depth;

const std::string kCt = "1.2.840.10008.5.1.4.1.1.2";

ImageObject ct() {
  return ImageObject()
      .sop_class(kCt)
      .text(tag(0x0028, 0x1052), "DS", "-1024")
      .text(tag(0x0028, 0x1053), "DS", "1")
      .bits(16, 12, 11, 1)
      .native(std::string(512, '\0'));
}

ImageObject palette(unsigned entries, unsigned bits, std::size_t bytes) {
  ImageObject image;
  image.samples(1, "PALETTE COLOR");
  for (std::uint16_t c = 1; c <= 3; ++c) {
    image.raw(tag(0x0028, static_cast<std::uint16_t>(0x1100 + c)), "US", le16({entries, 0, bits}));
    image.raw(tag(0x0028, static_cast<std::uint16_t>(0x1200 + c)), "OW", std::string(bytes, '\x11'));
  }
  return image;
}

ImageObject twelve(std::uint16_t stored, std::uint16_t high, std::uint16_t is_signed = 0) {
  return ImageObject().bits(16, stored, high, is_signed).native(std::string(512, '\0'));
}

ImageObject overlay(std::uint16_t bits, std::uint16_t position) {
  return twelve(12, 11)
      .u16(tag(0x6000, 0x0010), 16)
      .u16(tag(0x6000, 0x0011), 16)
      .text(tag(0x6000, 0x0040), "CS", "G")
      .raw(tag(0x6000, 0x0050), "SS", le16({1, 1}))
      .u16(tag(0x6000, 0x0100), bits)
      .u16(tag(0x6000, 0x0102), position);
}

ImageObject padded(std::uint16_t is_signed, unsigned pattern) {
  return twelve(12, 11, is_signed).raw(tag(0x0028, 0x0120), is_signed != 0 ? "SS" : "US", le16({pattern}));
}

ImageObject elscint(const std::string& compression) {
  return ImageObject()
      .text(tag(0x07A1, 0x0010), "LO", "ELSCINT1")
      .raw(tag(0x07A1, 0x100A), "OW", std::string(64, '\x22'))
      .text(tag(0x07A1, 0x1011), "CS", compression);
}

TEST(DescriptionCodes, AreFoundInTheDefectAndNotInItsTwin) {
  const ImageObject clean;
  expect_found_only_in_the_bad_twin({
      {"an image class without pixels", {"PIX-NOPIX S3"}, ImageObject().erase(tag(0x7FE0, 0x0010)), clean},
      {"a stub without any image attribute",
       {"PIX-NOPIX S3"},
       ImageObject().erase(tag(0x7FE0, 0x0010)).erase(tag(0x0028, 0x0010)).erase(tag(0x0028, 0x0100)),
       ImageObject()
           .sop_class("1.2.840.10008.5.1.4.1.1.88.11")
           .erase(tag(0x7FE0, 0x0010))
           .erase(tag(0x0028, 0x0010))
           .erase(tag(0x0028, 0x0100))},
      {"integer and float pixels",
       {"PIX-TWOPIX S3"},
       ImageObject().raw(tag(0x7FE0, 0x0008), "OF", std::string(1024, '\0')),
       clean},
      {"High Bit of 15 for 12 bits", {"PIX-HIGHBIT S2"}, twelve(12, 15), twelve(12, 11)},
      {"more bits stored than allocated", {"PIX-HIGHBIT S2"}, ImageObject().bits(8, 12, 11), clean},
      {"12 bits allocated, packed",
       {"PIX-HIGHBIT S2"},
       ImageObject().bits(12, 12, 11).native(std::string(384, '\0')),
       twelve(12, 11)},
      {"an overlay in the pixels",
       {"PIX-OVLBITS S2"},
       overlay(16, 12),
       overlay(1, 0).raw(tag(0x6000, 0x3000), "OW", std::string(32, '\0'))},
      {"padding of -2000 in 12 unsigned bits", {"PIX-PADOUT S2"}, padded(0, 0xF830), padded(0, 0x0FFF)},
      {"padding of -32768 in 12 signed bits", {"PIX-PADOUT S2"}, padded(1, 0x8000), padded(1, 0xF830)},
      {"no Planar Configuration",
       {"PIX-PLANAR S3"},
       ImageObject().samples(3, "RGB").erase(tag(0x0028, 0x0006)).native(std::string(768, '\0')),
       ImageObject().samples(3, "RGB").native(std::string(768, '\0'))},
      {"8-bit entries in 16-bit words", {"PIX-PALETTE S2"}, palette(256, 8, 512), palette(256, 8, 256)},
      {"16-bit entries in bytes", {"PIX-PALETTE S2"}, palette(256, 16, 256), palette(256, 16, 512)},
      {"a palette cut short", {"PIX-PALETTE S3"}, palette(256, 16, 300), palette(256, 16, 512)},
      {"65536 entries of which half are there", {"PIX-PALETTE S2"}, palette(0, 16, 65536), palette(0, 8, 65536)},
      {"no palette", {"PIX-PALETTE S3"}, palette(256, 16, 512).erase(tag(0x0028, 0x1202)), palette(256, 16, 512)},
      {"a loss forgotten: ratio",
       {"PIX-LOSSYFLAG S2"},
       ImageObject().text(tag(0x0028, 0x2110), "CS", "00").text(tag(0x0028, 0x2112), "DS", "12.5"),
       ImageObject().text(tag(0x0028, 0x2110), "CS", "01").text(tag(0x0028, 0x2112), "DS", "12.5")},
      {"a loss forgotten: method",
       {"PIX-LOSSYFLAG S2"},
       ImageObject().text(tag(0x0028, 0x2114), "CS", "ISO_10918_1"),
       ImageObject().text(tag(0x0028, 0x2112), "DS", "1")},
      {"CT without rescale", {"PIX-RESCALE S0"}, ct().erase(tag(0x0028, 0x1052)), ct()},
      {"no window", {"PIX-RESCALE S0"}, ct().erase(tag(0x0028, 0x1050)), ct()},
      {"private RLE in a native object", {"ENC-PMSCT S3"}, elscint("PMSCT_RLE1"), elscint("NONE")},
      {"private RGB without Pixel Data",
       {"ENC-PMSCT S3"},
       elscint("PMSCT_RGB1").erase(tag(0x7FE0, 0x0010)),
       elscint("NONE")},
      {"an extended offset table beside native pixels",
       {"PIX-EOT S1"},
       ImageObject().raw(tag(0x7FE0, 0x0001), "OV", le32({0, 0})),
       clean},
  });
}

TEST(DescriptionCodes, TakeALossThatOriginalAttributesRemember) {
  const auto item =
      DicomBuilder()
          .sequence(tag(0x0400, 0x0550), {DicomBuilder().text(tag(0x0028, 0x2110), "CS", "01").str()}, false)
          .str();
  const std::string whole = DicomBuilder().sequence(tag(0x0400, 0x0561), {item}, false).str();
  const std::string content = whole.substr(12);
  EXPECT_EQ(findings(ImageObject().raw(tag(0x0400, 0x0561), "SQ", content)),
            std::vector<std::string>{"PIX-LOSSYFLAG S2"});
  EXPECT_TRUE(findings(ImageObject().lossy().raw(tag(0x0400, 0x0561), "SQ", content)).empty());
}

TEST(DescriptionCodes, CallPixelsElsewhereTwoKindsWhenBothAreThere) {
  EXPECT_EQ(findings(ImageObject().text(tag(0x0028, 0x7FE0), "UR", "http://x/y")),
            (std::vector<std::string>{"ENC-JPIP S4", "PIX-TWOPIX S3"}));
}

TEST(DescriptionCodes, UnpackTwelveBitsToTheSamplesTheyHold) {
  ImageObject packed;
  packed.size(1, 4).bits(12, 12, 11).native(hex("214365a9cb0d"));  // 0x321 0x654 0xBA9... low bits first
  ImageObject words;
  words.size(1, 4).bits(16, 12, 11).native(le16({0x321, 0x654, 0xBA9, 0x0DC}));
  const auto a = inspected(packed, Depth::pixels);
  const auto b = inspected(words, Depth::pixels);
  ASSERT_TRUE(a.pixel_sha256);
  EXPECT_EQ(a.pixel_sha256, b.pixel_sha256);
}

TEST(DescriptionCodes, LeaveSegmentedPalettesAndFloatPixelsAlone) {
  ImageObject segmented = palette(256, 16, 512);
  for (std::uint16_t c = 1; c <= 3; ++c) {
    segmented.erase(tag(0x0028, static_cast<std::uint16_t>(0x1200 + c)));
    segmented.raw(tag(0x0028, static_cast<std::uint16_t>(0x1220 + c)), "OW", std::string(20, '\1'));
  }
  EXPECT_TRUE(findings(segmented).empty());
  ImageObject floats;
  floats.erase(tag(0x7FE0, 0x0010)).erase(tag(0x0028, 0x0101)).erase(tag(0x0028, 0x0102)).u16(tag(0x0028, 0x0100), 32);
  floats.raw(tag(0x7FE0, 0x0008), "OF", std::string(1024, '\0'));
  EXPECT_TRUE(findings(floats, Depth::pixels).empty());
}

}  // namespace
}  // namespace waybill::test
