// SPDX-License-Identifier: Apache-2.0
// What is taken back gets its samples and overlays in the bits where they stood: attributes alone would say that they
// lie where a codestream does not have them.
#include "dicom/digest.hpp"
#include "inspect/pixels.hpp"
#include "inspect/support.hpp"
#include "transcode/support.hpp"

namespace waybill::transcode {
namespace {

using dicom::tag;

constexpr unsigned kPixels = 16 * 16;

/// 16-bit words of a slope of `stored` bits, shifted up by `shift`; `is_signed` extends the sign.
std::string words(unsigned stored, unsigned shift, bool is_signed = false) {
  std::string out;
  for (unsigned i = 0; i < kPixels; ++i) {
    unsigned v = (i * 37) & ((1U << stored) - 1);
    if (is_signed && (v >> (stored - 1)) != 0) v |= ~0U << stored;
    out += le16({(v << shift) & 0xFFFFU});
  }
  return out;
}

std::string packed(unsigned frames) {
  std::string out;
  for (unsigned i = 0; i < kPixels * frames; i += 2) {
    const unsigned a = (i * 19) & 0xFFFU;
    const unsigned b = (i * 23 + 5) & 0xFFFU;
    out += static_cast<char>(a & 0xFFU);
    out += static_cast<char>((a >> 8U) | ((b & 15U) << 4U));
    out += static_cast<char>(b >> 4U);
  }
  return out;
}

ImageObject with_overlay(std::uint16_t group, std::uint16_t bit, ImageObject image) {
  image.u16(tag(group, 0x0010), 16).u16(tag(group, 0x0011), 16).text(tag(group, 0x0040), "CS", "G");
  return image.raw(tag(group, 0x0050), "SS", le16({1, 1})).u16(tag(group, 0x0100), 16).u16(tag(group, 0x0102), bit);
}

ImageObject two_overlays() {
  std::string pixels;
  for (unsigned i = 0; i < kPixels; ++i)
    pixels += le16({(i * 11 & 0xFFFU) | (i % 3 == 0 ? 0x1000U : 0U) | (i % 7 == 0 ? 0x8000U : 0U)});
  ImageObject image;
  image.bits(16, 12, 11, 1).native(pixels);
  return with_overlay(0x6002, 15, with_overlay(0x6000, 12, image));
}

ImageObject overlay_below_shifted_samples() {
  std::string pixels;
  for (unsigned i = 0; i < kPixels; ++i) pixels += le16({((i * 11 & 0xFFFU) << 4U) | (i % 5 == 0 ? 2U : 0U)});
  ImageObject image;
  image.bits(16, 12, 15).native(pixels);
  return with_overlay(0x6000, 1, image);
}

std::map<std::string, ImageObject> kinds() {
  std::map<std::string, ImageObject> out;
  out["12 bits at the top of 16"].bits(16, 12, 15).native(words(12, 4));
  out["10 signed bits amid 16"].bits(16, 10, 12, 1).native(words(10, 3, true));
  out["12 packed bits"].frames("3").bits(12, 12, 11).raw(tag(0x7FE0, 0x0010), "OW", packed(3));
  out["12 packed signed bits"].bits(12, 12, 11, 1).raw(tag(0x7FE0, 0x0010), "OW", packed(1));
  std::string bytes;
  for (unsigned i = 0; i < kPixels; ++i) bytes += static_cast<char>((i & 0x7FU) << 1U);
  out["7 bits at the top of 8"].bits(8, 7, 7).native(bytes);
  out["two overlays"] = two_overlays();
  out["an overlay below shifted samples"] = overlay_below_shifted_samples();
  return out;
}

class UndoneBits : public Transcode {
 protected:
  /// Stages the object in `to` and takes that back: the source's pixel bytes are there again.
  void expect_undone(const std::string& kind, const std::string& to) {
    const std::string source = get(folder_ / "archive/A");
    const auto before = dicom::parse_file(as_bytes(source));
    Options o = options(to, 1);
    o.keep_larger = true;
    const Object staged = transcode(o).at(0);
    ASSERT_EQ(staged.transcode->outcome, "transcoded") << kind << ' ' << to << ": " << staged.transcode->reason;
    const Object back = undone();
    ASSERT_EQ(back.bucket, Bucket::instance) << kind << ' ' << to << ": " << back.findings.back().detail;
    const std::string bytes = get(back.transcode->path);
    const auto file = dicom::parse_file(as_bytes(bytes));
    EXPECT_EQ(dicom::dataset_digest(file->dataset).hex(), dicom::dataset_digest(before->dataset).hex()) << kind;
    const auto restored = inspect::pixel_data_of(*file);
    EXPECT_FALSE(restored->encapsulated) << kind << ' ' << to;
    EXPECT_TRUE(std::ranges::equal(restored->value, inspect::pixel_data_of(*before)->value)) << kind << ' ' << to;
    EXPECT_NE(back.transcode->verified_by, "none");
  }
  void archive(const ImageObject& image) {
    fs::remove_all(folder_ / "archive");
    fs::create_directories(folder_ / "archive");
    add("A", image.file());
    scan();
  }
};

TEST_F(UndoneBits, AreThoseOfTheSourceUnderEveryTarget) {
  for (const auto& [kind, image] : kinds()) {
    archive(image);
    for (const char* const to : {"jpeg-ls", "jpeg-2000"}) expect_undone(kind, to);
  }
}

TEST_F(UndoneBits, GetTheirOverlaysBackWhereSamplesLieAsTheyDid) {
  archive(overlay_below_shifted_samples());
  expect_undone("an overlay below shifted samples", "rle");
}

}  // namespace
}  // namespace waybill::transcode
