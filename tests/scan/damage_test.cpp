// SPDX-License-Identifier: Apache-2.0
// Objects cut at every byte and published damaged files: always a bucket and a code, never a sound instance.
#include "pixel/codec.hpp"
#include "scan/examine.hpp"
#include "support/deflate.hpp"
#include "support/scanning.hpp"
#include "support/verdict.hpp"

#include <set>

namespace waybill {

namespace fs = std::filesystem;

namespace {

using dicom::tag;
using manifest::Bucket;

const dicom::Toolkit kToolkit;

/// Some 4 KB: nested sequences of both lengths, private elements, text with escapes, pixels at the end.
std::string dataset(dicom::Encoding encoding, const std::string& pixels) {
  test::DicomBuilder b(encoding);
  b.text(tag(0x0008, 0x0005), "CS", "\\ISO 2022 IR 87").text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7");
  b.text(tag(0x0008, 0x0018), "UI", "1.2.3.4").text(tag(0x0008, 0x0020), "DA", "20190502");
  b.text(tag(0x0008, 0x0030), "TM", "101500")
      .text(tag(0x0008, 0x0050), "SH", "A17")
      .text(tag(0x0008, 0x0090), "PN", "");
  test::DicomBuilder inner(encoding);
  inner.text(tag(0x0008, 0x1150), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x1155), "UI", "1.2.3.5");
  test::DicomBuilder outer(encoding);
  outer.sequence(tag(0x0008, 0x1199), {inner.str(), inner.str()}, false);
  b.sequence(tag(0x0008, 0x1115), {outer.str(), outer.str()}, true);
  b.text(tag(0x0010, 0x0010), "PN", "Yamada^Tarou=\x1B$B;3ED\x1B(B").text(tag(0x0010, 0x0020), "LO", "P-42");
  b.text(tag(0x0010, 0x0030), "DA", "19560417").text(tag(0x0010, 0x0040), "CS", "F");
  b.text(tag(0x0019, 0x0010), "LO", "VENDOR").raw(tag(0x0019, 0x1001), "UN", std::string(700, '\x5A'));
  b.text(tag(0x0020, 0x000D), "UI", "1.2.3").text(tag(0x0020, 0x000E), "UI", "1.2.3.1");
  b.text(tag(0x0020, 0x0010), "SH", "1").text(tag(0x0020, 0x0011), "IS", "1");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.u16(tag(0x0028, 0x0010), 48).u16(tag(0x0028, 0x0011), 48).u16(tag(0x0028, 0x0100), 8);
  b.u16(tag(0x0028, 0x0101), 8).u16(tag(0x0028, 0x0102), 7).u16(tag(0x0028, 0x0103), 0);
  return pixels.empty() ? b.raw(tag(0x7FE0, 0x0010), "OW", test::noise(48 * 48, 5)).str()
                        : b.fragments({"", pixels}).str();
}

std::string rle() {
  pixel::ImageInfo info;
  info.rows = info.columns = 48;
  info.bits_allocated = info.bits_stored = 8;
  info.high_bit = 7;
  info.photometric = "MONOCHROME2";
  pixel::Frame frame;
  frame.rows = frame.columns = 48;
  frame.bytes_per_sample = 1;
  frame.photometric = info.photometric;
  const std::string raw = test::noise(48 * 48, 5);
  frame.data.assign(as_bytes(raw).begin(), as_bytes(raw).end());
  const auto stream = pixel::encode_frame("1.2.840.10008.1.2.5", info, frame);
  return stream ? std::string(as_text(*stream)) : std::string();
}

using test::examined;

std::string described(const std::vector<manifest::Object>& objects) {
  std::string out;
  for (const auto& object : objects) out += manifest::to_json(object) + "\n";
  return out;
}

TEST(CutObject, HasABucketAndACodeAtEveryByteAndIsSoundOnlyAsAWhole) {
  const std::string plain = dataset({true, false}, {});
  const std::map<std::string, std::string> wholes = {
      {"explicit", test::DicomBuilder::part10(plain, "1.2.840.10008.1.2.1")},
      {"implicit", test::DicomBuilder::part10(dataset({false, false}, {}), "1.2.840.10008.1.2")},
      {"big endian", test::DicomBuilder::part10(dataset({true, true}, {}), "1.2.840.10008.1.2.2")},
      {"deflated", test::DicomBuilder::part10(test::deflated(plain, -15), "1.2.840.10008.1.2.1.99")},
      {"RLE", test::DicomBuilder::part10(dataset({true, false}, rle()), "1.2.840.10008.1.2.5")}};
  for (const auto& [name, whole] : wholes) {
    ASSERT_GT(whole.size(), 2900U) << name;
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const auto objects = examined(whole.substr(0, n));
      ASSERT_EQ(objects.size(), 1U) << name << " cut at " << n << "\n" << described(objects);
      const manifest::Object& object = objects[0];
      EXPECT_TRUE(test::says_why(object) && !object.findings.empty()) << name << " cut at " << n << described(objects);
      // Without the delimiter alone the pixels are whole (PIX-ZEROFRAG S1).
      const bool whole_pixels = name == "RLE" && n == whole.size() - 8;
      const Bucket expected = n == 0         ? Bucket::empty
                              : n < 132      ? Bucket::non_dicom
                              : whole_pixels ? Bucket::instance
                                             : Bucket::quarantined;
      EXPECT_EQ(object.bucket, expected) << name << " cut at " << n << described(objects);
    }
    const auto sound = examined(whole);
    ASSERT_EQ(sound.size(), 1U);
    EXPECT_EQ(sound[0].bucket, Bucket::instance) << name << described(sound);
  }
}

TEST(CutObject, WithoutMetaGroupHasABucketAndACodeAtEveryByte) {
  for (const dicom::Encoding encoding : {dicom::Encoding{true, false}, dicom::Encoding{false, false}}) {
    const std::string whole = dataset(encoding, {});
    for (std::size_t n = 0; n < whole.size(); ++n) {
      const auto objects = examined(whole.substr(0, n));
      ASSERT_EQ(objects.size(), 1U) << n << "\n" << described(objects);
      EXPECT_TRUE(test::says_why(objects[0]) && !objects[0].findings.empty()) << n << described(objects);
      EXPECT_NE(objects[0].bucket, Bucket::instance) << n << described(objects);
    }
  }
}

TEST(PublishedDamagedFiles, EachHaveABucketAndACode) {
  const std::string root = test::environment("WAYBILL_CORPUS");
  if (root.empty()) GTEST_SKIP() << "WAYBILL_CORPUS is not set";
  std::size_t met = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || entry.path().parent_path().filename() != "malformed") continue;
    const auto objects = examined(test::slurp(entry.path()));
    ASSERT_FALSE(objects.empty());
    for (const auto& object : objects) EXPECT_TRUE(test::says_why(object)) << entry.path() << described(objects);
    const bool dicom = entry.path().string().find("/dicom/") != std::string::npos;
    EXPECT_TRUE(!dicom || !objects[0].findings.empty()) << entry.path() << described(objects);
    ++met;
  }
  EXPECT_GT(met, 5U);
}

}  // namespace
}  // namespace waybill
