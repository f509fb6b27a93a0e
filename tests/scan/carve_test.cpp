// SPDX-License-Identifier: Apache-2.0
#include "archive/carve.hpp"

#include "archive/source.hpp"
#include "support/scanning.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

std::string object(int n, std::size_t pixels = 4) {
  using dicom::tag;
  const std::string uid = "1.2.5.1." + std::to_string(n);
  test::DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", uid);
  b.text(tag(0x0020, 0x000D), "UI", "1.2.5").text(tag(0x0020, 0x000E), "UI", "1.2.5.1");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2").u16(tag(0x0028, 0x0010), 1);
  b.u16(tag(0x0028, 0x0011), static_cast<std::uint16_t>(pixels)).u16(tag(0x0028, 0x0100), 16);
  b.u16(tag(0x0028, 0x0101), 16).u16(tag(0x0028, 0x0102), 15).u16(tag(0x0028, 0x0103), 0);
  b.words(tag(0x7FE0, 0x0010), std::vector<std::uint16_t>(pixels, static_cast<std::uint16_t>(n + 1)));
  return test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", uid);
}

/// Offset and size of every carved object against the truth, and its bytes through its locator.
void expect_carved(const std::vector<const manifest::Object*>& records, std::size_t first, const std::string& file,
                   const std::vector<std::pair<std::size_t, std::string>>& truth) {
  ASSERT_EQ(records.size(), first + truth.size());
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const manifest::Object& record = *records[first + i];
    EXPECT_EQ(record.source.offset, truth[i].first);
    EXPECT_EQ(record.source.size, truth[i].second.size());
    EXPECT_EQ(file.substr(truth[i].first, truth[i].second.size()), truth[i].second) << "the test's own truth";
    EXPECT_EQ(*record.file_sha256, Sha256::of(as_bytes(truth[i].second)).hex());
    EXPECT_EQ(record.bucket, Bucket::quarantined);
    ASSERT_TRUE(test::finding(record, "ENC-VENDORWRAP"));
    EXPECT_EQ(test::finding(record, "ENC-VENDORWRAP")->severity, manifest::Severity::s3);
    EXPECT_FALSE(test::finding(record, "ENC-LENOVER"));
    EXPECT_FALSE(test::finding(record, "ENC-TRAILGARBAGE"));
    EXPECT_TRUE(record.dataset_sha256);
    const auto bytes = archive::read_source(record.source);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(as_text(*bytes), truth[i].second);
  }
}

}  // namespace

TEST(Carve, FindsObjectsInAVendorPackageAtTheirTrueOffsets) {
  const test::TempFolder folder;
  std::string file = "VENDOR-PACKAGE 1.0\n" + test::noise(1000, 1);
  std::vector<std::pair<std::size_t, std::string>> truth;
  for (int i = 0; i < 20; ++i) {
    truth.emplace_back(file.size(), object(i, static_cast<std::size_t>(i) * 50 + 4));
    file +=
        truth.back().second + "<trailer " + std::to_string(i) + ">" + test::noise(static_cast<std::size_t>(i) * 7, 2);
  }
  test::write(folder / "package", file);
  const auto scanned = test::scan_folder(folder.path());
  EXPECT_EQ(scanned.objects[0].bucket, Bucket::non_dicom);
  EXPECT_EQ(scanned.objects[0].content_type, "vendor-container");
  expect_carved(scanned.of(folder / "package"), 1, file, truth);
}

TEST(Carve, FindsWhatStandsBehindAnObjectAtTheStart) {
  const test::TempFolder folder;
  for (const std::string& between :
       {std::string(), std::string(512, '\0'), std::string("\x01\x02 vendor notes here")}) {
    SCOPED_TRACE(between.size());
    std::string file = object(0);
    std::vector<std::pair<std::size_t, std::string>> truth;
    for (int i = 1; i < 5; ++i) {
      file += between;
      truth.emplace_back(file.size(), object(i, 100));
      file += truth.back().second;
    }
    test::write(folder / "tape", file);
    const auto scanned = test::scan_folder(folder.path());
    const auto records = scanned.of(folder / "tape");
    expect_carved(records, 1, file, truth);
    EXPECT_EQ(records[0]->sop_instance, "1.2.5.1.0");
    EXPECT_EQ(records[0]->source.offset, 0U);
    EXPECT_EQ(records[0]->source.size, file.size());
    EXPECT_EQ(records[0]->bucket, Bucket::quarantined);
    EXPECT_EQ(test::finding(*records[0], "ENC-VENDORWRAP")->detail,
              "4 further objects stand behind this one in the file");
  }
}

TEST(Carve, LeavesAFileEmbeddedInAnElementWhereItIs) {
  const test::TempFolder folder;
  const std::string inner = object(1);
  test::DicomBuilder b;
  using dicom::tag;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.104.1").text(tag(0x0008, 0x0018), "UI", "1.2.6");
  b.text(tag(0x0020, 0x000D), "UI", "1.2.5").text(tag(0x0020, 0x000E), "UI", "1.2.5.2");
  b.raw(tag(0x0042, 0x0011), "OB", inner);
  const std::string outer = test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1");
  test::write(folder / "alone", outer);
  const std::string wrapped = "HEADER" + outer + "TRAILER!";
  test::write(folder / "wrapped", wrapped);
  const auto scanned = test::scan_folder(folder.path());
  EXPECT_EQ(scanned.of(folder / "alone").size(), 1U);
  EXPECT_EQ(scanned.of(folder / "alone")[0]->bucket, Bucket::instance);
  const auto records = scanned.of(folder / "wrapped");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1]->source.offset, 6U);
  EXPECT_EQ(records[1]->sop_instance, "1.2.6");
}

TEST(Carve, WorksInsideMembersOfContainersToo) {
  const test::TempFolder folder;
  const std::string file = "HEADER" + object(1);
  test::write(folder / "in/blob", file);
  test::shell(folder / "in", "mkdir ../out; tar czf ../out/t blob");
  const auto scanned = test::scan_folder(folder / "out");
  ASSERT_EQ(scanned.objects.size(), 3U);
  EXPECT_EQ(scanned.objects[1].content_type, "vendor-container");
  EXPECT_EQ(scanned.objects[2].source.member, "blob");
  EXPECT_EQ(scanned.objects[2].source.offset, 6U);
  const auto bytes = archive::read_source(scanned.objects[2].source);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(as_text(*bytes), object(1));
}

TEST(Carve, IsNotFooledByTheWordHoweverOften) {
  const test::TempFolder folder;
  std::string words = "Words: ";
  for (int i = 0; i < 200'000; ++i) words += "DICM is a word. ";
  test::write(folder / "words", words);
  std::string marks(130, 'x');
  for (int i = 0; i < 400'000; ++i) marks += std::string("DICM\2\0\0\0UL\4\0", 12);
  test::write(folder / "marks", marks);
  const auto scanned = test::scan_folder(folder.path());
  EXPECT_EQ(scanned.of(folder / "words").size(), 1U);
  EXPECT_EQ(scanned.of(folder / "words")[0]->content_type, "text");
  EXPECT_TRUE(archive::find_part10(as_bytes(words), 0, 10).empty());
  EXPECT_EQ(archive::find_part10(as_bytes(marks), 0, 10).size(), 10U);
}

TEST(TiffPreamble, LeavesAnInstanceAnInstanceAndIsSaid) {
  const test::TempFolder folder;
  for (const std::string& magic : {std::string("II*\0", 4), std::string("MM\0*", 4)}) {
    std::string bytes = object(magic[0]);
    bytes.replace(0, 4, magic);
    test::write(folder / magic.substr(0, 1), bytes);
  }
  const auto scanned = test::scan_folder(folder.path());
  ASSERT_EQ(scanned.objects.size(), 2U);
  for (const auto& record : scanned.objects) {
    EXPECT_EQ(record.bucket, Bucket::instance);
    ASSERT_TRUE(test::finding(record, "ENC-PREAMBLE"));
    EXPECT_EQ(test::finding(record, "ENC-PREAMBLE")->severity, manifest::Severity::s0);
    EXPECT_NE(test::finding(record, "ENC-PREAMBLE")->detail.find("TIFF"), std::string::npos);
  }
}

}  // namespace waybill
