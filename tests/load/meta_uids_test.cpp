// SPDX-License-Identifier: Apache-2.0
// Objects whose SOP Class and Instance UID stand in the file meta information alone, which no network carries.
#include "dicom/changes.hpp"
#include "dicom/file.hpp"
#include "support/simpacs.hpp"
#include "support/steps.hpp"

namespace waybill {

namespace {

using dicom::tag;

const std::string kClass = "1.2.840.10008.5.1.4.1.1.7";

/// An image with these elements of its own in front.
std::string file_of(const std::string& uids, const std::string& instance) {
  test::DicomBuilder b;
  b.text(tag(0x0008, 0x0060), "CS", "OT").text(tag(0x0010, 0x0010), "PN", "TEST^META");
  b.text(tag(0x0010, 0x0020), "LO", "T1");
  b.text(tag(0x0020, 0x000D), "UI", "1.2.7").text(tag(0x0020, 0x000E), "UI", "1.2.7.1");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.u16(tag(0x0028, 0x0010), 2).u16(tag(0x0028, 0x0011), 2);
  b.u16(tag(0x0028, 0x0100), 8).u16(tag(0x0028, 0x0101), 8).u16(tag(0x0028, 0x0102), 7).u16(tag(0x0028, 0x0103), 0);
  b.raw(tag(0x7FE0, 0x0010), "OB", "1234");
  return test::DicomBuilder::part10(uids + b.str(), "1.2.840.10008.1.2.1", kClass, instance);
}

class MetaUids : public test::Steps {
 protected:
  void SetUp() override {
    file("none.dcm", file_of("", "1.2.7.1.1"));
    file("class.dcm", file_of(test::DicomBuilder().text(tag(0x0008, 0x0016), "UI", kClass).str(), "1.2.7.1.2"));
    file("empty.dcm",
         file_of(test::DicomBuilder().text(tag(0x0008, 0x0016), "UI", kClass).text(tag(0x0008, 0x0018), "UI", "").str(),
                 "1.2.7.1.3"));
  }
  /// Every object of the target has its UIDs in its dataset and says that it had none.
  void expect_whole_at_the_target() {
    for (const char* instance : {"1.2.7.1.1", "1.2.7.1.2", "1.2.7.1.3"}) {
      const std::string bytes = test::slurp(pacs_.object(instance));
      const auto kept = dicom::parse_file(as_bytes(bytes));
      ASSERT_TRUE(kept) << instance;
      EXPECT_EQ(kept->dataset.text(tag(0x0008, 0x0016)), kClass);
      EXPECT_EQ(kept->dataset.text(tag(0x0008, 0x0018)), instance);
      EXPECT_NE(kept->dataset.find(tag(0x0400, 0x0561)), nullptr);
      EXPECT_TRUE(dicom::uids_of_meta(*kept).empty());
    }
  }
  test::SimPacs pacs_;
};

}  // namespace

TEST_F(MetaUids, AreInTheDatasetThatLoadSendsAndVerifyExpectsThem) {
  ASSERT_EQ(step({"scan", at("in"), "--deep", "-o", at("scan.wb")}).exit, 0);
  const test::Ran loaded = step({"load", at("scan.wb"), "--to", pacs_.url(), "-o", at("load.wb")});
  EXPECT_EQ(loaded.exit, 0) << loaded.text;
  expect_whole_at_the_target();
  const test::Ran verified =
      step({"verify", at("load.wb"), "--against", pacs_.url(), "--level", "content", "-o", at("verify.wb")});
  EXPECT_EQ(verified.exit, 0) << verified.text;
  for (const auto& [uid, object] : test::objects_of(at("verify.wb")))
    EXPECT_EQ(object.verify.value().verdict, "EXPECTED-CHANGE") << uid;
}

TEST_F(MetaUids, AreExpectedByVerifyThoughTheLoadThatSentThemWasKilledBeforeTheAnswer) {
  ASSERT_EQ(step({"scan", at("in"), "--deep", "-o", at("scan.wb")}).exit, 0);
  ASSERT_EQ(pacs_.stop(), 0);
  pacs_.start("[[rule]]\non = \"store\"\ndelay = 30\n");
  const std::vector<std::string> words{test::tool("load"), at("scan.wb"), "--to",           pacs_.url(), "-o",
                                       at("load.wb"),      "--quiet",     "--associations", "1"};
  const pid_t child = test::spawn(words, folder_ / "killed.log");
  const auto any = [&] { return pacs_.holds("1.2.7.1.1") || pacs_.holds("1.2.7.1.2") || pacs_.holds("1.2.7.1.3"); };
  for (int i = 0; i < 2000 && !any(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(any());
  ::kill(child, SIGKILL);
  EXPECT_EQ(test::wait_for(child), 128 + SIGKILL);
  EXPECT_EQ(pacs_.stop(SIGKILL), 128 + SIGKILL);
  pacs_.start();
  const test::Ran loaded = step({"load", at("scan.wb"), "--to", pacs_.url(), "-o", at("load.wb")});
  EXPECT_EQ(loaded.exit, 0) << loaded.text;
  std::size_t found = 0;
  for (const auto& [uid, object] : test::objects_of(at("load.wb")))
    found += object.load.value().outcome == "found-after-interruption" ? 1 : 0;
  EXPECT_EQ(found, 1U);
  const test::Ran verified =
      step({"verify", at("load.wb"), "--against", pacs_.url(), "--level", "content", "-o", at("verify.wb")});
  EXPECT_EQ(verified.exit, 0) << verified.text;
  for (const auto& [uid, object] : test::objects_of(at("verify.wb")))
    EXPECT_EQ(object.verify.value().verdict, "EXPECTED-CHANGE") << uid;
}

TEST_F(MetaUids, AreInTheDatasetThatTranscodeStages) {
  ASSERT_EQ(step({"scan", at("in"), "-o", at("scan.wb")}).exit, 0);
  const test::Ran staged =
      step({"transcode", at("scan.wb"), "--to", "keep", "--out", at("staged"), "-o", at("transcode.wb")});
  EXPECT_EQ(staged.exit, 0) << staged.text;
  const test::Ran loaded = step({"load", at("transcode.wb"), "--to", pacs_.url(), "-o", at("load.wb")});
  EXPECT_EQ(loaded.exit, 0) << loaded.text;
  expect_whole_at_the_target();
}

}  // namespace waybill
