// SPDX-License-Identifier: Apache-2.0
#include "scan/dicomdir.hpp"

#include "support/scanning.hpp"

namespace waybill {

namespace fs = std::filesystem;

namespace {

using manifest::Bucket;

/// A file-set of six images in two folders, its DICOMDIR made by DCMTK.
class FileSet : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 6; ++i) {
      const std::string name = "IMAGES/S" + std::to_string(i / 3) + "/IM" + std::to_string(i);
      test::write(folder_ / "cd" / name, image(i));
    }
    test::write(folder_ / "cd/README.TXT", "the viewer's notes");
    test::shell(folder_ / "cd", "dcmmkdir --general-purpose --invent --no-consistency-check +r IMAGES 2>&1");
  }
  static std::string image(int i) {
    using dicom::tag;
    const std::string uid = "1.2.7.1." + std::to_string(i);
    test::DicomBuilder b;
    b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", uid);
    b.text(tag(0x0008, 0x0020), "DA", "20200101").text(tag(0x0008, 0x0030), "TM", "120000");
    b.text(tag(0x0008, 0x0060), "CS", "OT")
        .text(tag(0x0010, 0x0010), "PN", "TEST")
        .text(tag(0x0010, 0x0020), "LO", "T1");
    b.text(tag(0x0020, 0x000D), "UI", "1.2.7").text(tag(0x0020, 0x000E), "UI", "1.2.7.1");
    b.text(tag(0x0020, 0x0010), "SH", "1").text(tag(0x0020, 0x0011), "IS", "1");
    b.text(tag(0x0020, 0x0013), "IS", std::to_string(i));
    return test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", uid);
  }
  [[nodiscard]] manifest::Object directory() const {
    for (const auto& object : test::scan_folder(folder_ / "cd").objects) {
      if (object.bucket == Bucket::dicomdir) return object;
    }
    ADD_FAILURE() << "no DICOMDIR";
    return {};
  }
  test::TempFolder folder_;
};

std::string detail(const manifest::Object& object, const std::string& code) {
  const auto* finding = test::finding(object, code);
  return finding == nullptr ? "" : finding->detail;
}

/// Nothing is said of the DICOMDIR but what it is.
bool is_in_order(const manifest::Object& object) {
  return object.findings.size() == 1 && object.findings[0].code == "ENC-DICOMDIR" &&
         object.findings[0].severity == manifest::Severity::s0;
}

}  // namespace

TEST_F(FileSet, ThatIsCompleteHasNoFindingButWhatItIs) {
  const auto record = directory();
  EXPECT_TRUE(is_in_order(record)) << to_json(record);
}

TEST_F(FileSet, NamesTheFilesThatAreMissing) {
  fs::remove(folder_ / "cd/IMAGES/S0/IM1");
  fs::remove_all(folder_ / "cd/IMAGES/S1");
  const auto record = directory();
  EXPECT_EQ(detail(record, "DIR-MISSING"),
            "4 of 6 referenced files are not there: IMAGES/S0/IM1, IMAGES/S1/IM3, IMAGES/S1/IM4, …");
  EXPECT_EQ(test::finding(record, "DIR-MISSING")->severity, manifest::Severity::s3);
  EXPECT_FALSE(test::finding(record, "DIR-EXTRA"));
}

TEST_F(FileSet, NamesDicomFilesThatAreNotListedAndNoOthers) {
  test::write(folder_ / "cd/IMAGES/S1/NEW", image(7));
  test::write(folder_ / "cd/OTHER/DEEP/NEW2", image(8));
  test::write(folder_ / "cd/IMAGES/S1/VIEWER.EXE", "MZ");
  const auto record = directory();
  EXPECT_EQ(detail(record, "DIR-EXTRA"), "2 DICOM files are not in the directory: IMAGES/S1/NEW, OTHER/DEEP/NEW2");
  EXPECT_FALSE(test::finding(record, "DIR-MISSING"));
}

TEST_F(FileSet, IsFoundUnderTheNamesThatCopiesOfDiscsHave) {
  test::shell(folder_ / "cd",
              "mv IMAGES images; mv images/S0/IM0 'images/S0/im0;1'; mv images/S0/IM1 'images/S0/IM1.'; "
              "mv images/S0/IM2 'images/S0/im2.;1'; mv images/S1 images/s1");
  const auto record = directory();
  EXPECT_TRUE(is_in_order(record)) << to_json(record);
}

TEST_F(FileSet, BelowAnotherIsLeftToItsOwnDirectory) {
  fs::copy(folder_ / "cd", folder_ / "copy", fs::copy_options::recursive);
  fs::rename(folder_ / "copy", folder_ / "cd/SECOND");
  const auto scanned = test::scan_folder(folder_ / "cd");
  EXPECT_EQ(scanned.tally.buckets.at("dicomdir"), 2U);
  for (const auto& object : scanned.objects) {
    EXPECT_TRUE(object.bucket != Bucket::dicomdir || is_in_order(object)) << to_json(object);
  }
}

TEST_F(FileSet, InAContainerIsComparedWithTheMembers) {
  test::write(folder_ / "cd/IMAGES/S1/NEW", image(7));
  fs::remove(folder_ / "cd/IMAGES/S0/IM2");
  test::shell(folder_.path(), "mkdir out; zip -q -r out/z cd; tar czf out/t -C cd .");
  const auto scanned = test::scan_folder(folder_ / "out");
  int directories = 0;
  for (const auto& object : scanned.objects) {
    if (object.bucket != Bucket::dicomdir) continue;
    ++directories;
    EXPECT_EQ(detail(object, "DIR-MISSING"), "1 of 6 referenced files are not there: IMAGES/S0/IM2");
    EXPECT_EQ(detail(object, "DIR-EXTRA"), "1 DICOM files are not in the directory: IMAGES/S1/NEW");
  }
  EXPECT_EQ(directories, 2);
}

TEST_F(FileSet, WhoseDirectoryIsCutSaysSo) {
  const std::string whole = test::slurp(folder_ / "cd/DICOMDIR");
  test::write(folder_ / "cd/DICOMDIR", whole.substr(0, whole.size() - 40));
  const auto record = directory();
  EXPECT_TRUE(test::finding(record, "ENC-LENOVER")) << to_json(record);
  EXPECT_TRUE(test::finding(record, "ENC-DICOMDIR")) << to_json(record);
}

TEST(Dicomdir, CannotReferOutOfItsFolder) {
  const test::TempFolder folder;
  test::write(folder / "secret", "x");
  using dicom::tag;
  std::vector<std::string> items;
  for (const std::string& id :
       {std::string("..\\secret"), "\\" + folder.path().string() + "/secret", std::string("C:\\secret"),
        std::string("../secret"), std::string("SUB\\..\\..\\SECRET")}) {
    test::DicomBuilder item;
    item.text(tag(0x0004, 0x1430), "CS", "IMAGE").text(tag(0x0004, 0x1500), "CS", id);
    items.push_back(item.str());
  }
  test::DicomBuilder b;
  b.sequence(tag(0x0004, 0x1220), items, false);
  test::write(folder / "cd/SUB/x", "x");
  test::write(folder / "cd/DICOMDIR",
              test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.1.3.10"));
  const auto scanned = test::scan_folder(folder / "cd");
  ASSERT_EQ(scanned.objects[0].bucket, Bucket::dicomdir);
  EXPECT_TRUE(detail(scanned.objects[0], "DIR-MISSING").starts_with("4 of 4 "));
}

TEST(Dicomdir, NamesStudiesWithoutAnyObject) {
  const test::TempFolder folder;
  using dicom::tag;
  const auto record = [](const char* type, const char* study, const char* file, std::uint8_t lower) {
    test::DicomBuilder item;
    item.u16(tag(0x0004, 0x1410), 0xFFFF);
    item.raw(tag(0x0004, 0x1420), "UL", std::string{static_cast<char>(lower), '\0', '\0', '\0'});
    item.text(tag(0x0004, 0x1430), "CS", type);
    if (file != nullptr) item.text(tag(0x0004, 0x1500), "CS", file);
    if (study != nullptr) item.text(tag(0x0020, 0x000D), "UI", study);
    return item.str();
  };
  test::DicomBuilder b;
  b.sequence(
      tag(0x0004, 0x1220),
      {record("PATIENT", nullptr, nullptr, 1), record("STUDY", "1.2.1", nullptr, 0),
       record("STUDY", "1.2.2", nullptr, 9), record("SERIES", nullptr, nullptr, 9), record("IMAGE", nullptr, "IM1", 0),
       record("STUDY", "1.2.3", nullptr, 0), record("SERIES", nullptr, nullptr, 0), record("IMAGE", nullptr, "IM2", 0),
       record("STUDY", "1.2.4", nullptr, 0)},
      true);
  test::write(folder / "cd/DICOMDIR",
              test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.1.3.10"));
  const auto scanned = test::scan_folder(folder / "cd");
  EXPECT_EQ(detail(scanned.objects[0], "STU-EMPTY"), "2 studies of the directory have no object: 1.2.1, 1.2.4");
}

TEST(Dicomdir, WithLoopsAndOffsetsToAnywhereIsReadByItsItemsAlone) {
  const test::TempFolder folder;
  using dicom::tag;
  std::vector<std::string> items;
  for (const char* offset : {"\0\0\0\0", "\x90\1\0\0", "\xFF\xFF\xFF\xFF", "\1\0\0\x80"}) {
    test::DicomBuilder item;
    item.raw(tag(0x0004, 0x1400), "UL", std::string(offset, 4)).u16(tag(0x0004, 0x1410), 0xFFFF);
    item.raw(tag(0x0004, 0x1420), "UL", std::string(offset, 4)).text(tag(0x0004, 0x1430), "CS", "IMAGE");
    item.text(tag(0x0004, 0x1500), "CS", "IM" + std::to_string(items.size()));
    items.push_back(item.str());
  }
  test::DicomBuilder b;
  b.raw(tag(0x0004, 0x1200), "UL", std::string("\x90\1\0\0", 4)).sequence(tag(0x0004, 0x1220), items, true);
  test::write(folder / "cd/DICOMDIR",
              test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.1.3.10"));
  const auto scanned = test::scan_folder(folder / "cd");
  ASSERT_EQ(scanned.objects[0].bucket, Bucket::dicomdir);
  EXPECT_EQ(detail(scanned.objects[0], "DIR-MISSING"), "4 of 4 referenced files are not there: IM0, IM1, IM2, …");
}

TEST(Dicomdir, ComparesNamesWithoutCaseVersionAndTrailingDot) {
  for (const char* name : {"im1", "IM1", "IM1;1", "Im1.", "im1.;1"}) EXPECT_EQ(scan::comparable(name), "IM1") << name;
  EXPECT_EQ(scan::comparable("a.b;x"), "A.B;X");
  EXPECT_EQ(scan::comparable("."), ".");
  EXPECT_EQ(scan::comparable(".."), "..");
}

}  // namespace waybill
