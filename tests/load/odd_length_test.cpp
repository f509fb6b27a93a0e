// SPDX-License-Identifier: Apache-2.0
#include "support/steps.hpp"

namespace waybill {

namespace {

using dicom::tag;
using manifest::Bucket;

/// An 8-bit image of 3 x 3 samples; with `odd`, its pixel data has 9 bytes and not the 10 it should have.
std::string dataset(const std::string& instance, bool odd) {
  test::DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", instance);
  b.text(tag(0x0008, 0x0060), "CS", "OT")
      .text(tag(0x0010, 0x0010), "PN", "TEST^ODD")
      .text(tag(0x0010, 0x0020), "LO", "T1");
  b.text(tag(0x0020, 0x000D), "UI", "1.2.7").text(tag(0x0020, 0x000E), "UI", "1.2.7.1");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.u16(tag(0x0028, 0x0010), 3).u16(tag(0x0028, 0x0011), 3);
  b.u16(tag(0x0028, 0x0100), 8).u16(tag(0x0028, 0x0101), 8).u16(tag(0x0028, 0x0102), 7).u16(tag(0x0028, 0x0103), 0);
  b.raw(tag(0x7FE0, 0x0010), "OB", odd ? std::string_view("123456789") : std::string_view("123456789\0", 10));
  return b.str();
}

/// A deflate stream (RFC 1951) of one stored block: five bytes longer than the data, so odd for a dataset.
std::string deflated(const std::string& data) {
  const auto low = [](std::size_t n) { return static_cast<char>(n & 0xFFU); };
  const auto high = [](std::size_t n) { return static_cast<char>(n >> 8U & 0xFFU); };
  const std::size_t n = data.size();
  return std::string{'\1', low(n), high(n), low(~n), high(~n)} + data;
}

class OddLength : public test::Steps {
 protected:
  test::Orthanc orthanc_;
};

}  // namespace

TEST_F(OddLength, ADeflatedDatasetIsPaddedAndComesBackEqual) {
  const std::string stream = deflated(dataset("1.2.7.1.1", false));
  ASSERT_EQ(stream.size() % 2, 1U);
  file("a.dcm", test::DicomBuilder::part10(stream, "1.2.840.10008.1.2.1.99", "1.2.840.10008.5.1.4.1.1.7", "1.2.7.1.1"));
  ASSERT_EQ(step({"scan", at("in"), "--deep", "-o", at("scan.wb")}).exit, 0);
  const test::Ran loaded = step({"load", at("scan.wb"), "--to", orthanc_.url(), "-o", at("load.wb")});
  EXPECT_EQ(loaded.exit, 0) << loaded.text;
  const test::Ran verified =
      step({"verify", at("load.wb"), "--against", orthanc_.url(), "--level", "content", "-o", at("verify.wb")});
  EXPECT_EQ(verified.exit, 0) << verified.text;
  EXPECT_EQ(test::objects_of(at("verify.wb")).at("1.2.7.1.1").verify.value().verdict, "EQUIVALENT");  // a byte more
}

TEST_F(OddLength, AnotherDatasetIsNotSentUntilTranscodeWroteItAnew) {
  file("odd.dcm", test::DicomBuilder::part10(dataset("1.2.7.1.1", true), "1.2.840.10008.1.2.1",
                                             "1.2.840.10008.5.1.4.1.1.7", "1.2.7.1.1"));
  file("even.dcm", test::DicomBuilder::part10(dataset("1.2.7.1.2", false), "1.2.840.10008.1.2.1",
                                              "1.2.840.10008.5.1.4.1.1.7", "1.2.7.1.2"));
  ASSERT_EQ(step({"scan", at("in"), "--deep", "-o", at("scan.wb")}).exit, 0);
  const test::Ran refused = step({"load", at("scan.wb"), "--to", orthanc_.url(), "-o", at("first.wb")});
  EXPECT_EQ(refused.exit, 1) << refused.text;
  EXPECT_EQ(orthanc_.stores(), 1U) << "an odd message went out";
  const auto first = test::objects_of(at("first.wb"));
  EXPECT_EQ(first.at("1.2.7.1.1").bucket, Bucket::failed);
  EXPECT_EQ(first.at("1.2.7.1.1").findings.back().code, "LOAD-ODDLENGTH");
  EXPECT_EQ(first.at("1.2.7.1.2").bucket, Bucket::loaded);

  const test::Ran staged =
      step({"transcode", at("scan.wb"), "--to", "keep", "--out", at("staged"), "-o", at("transcode.wb")});
  ASSERT_EQ(staged.exit, 0) << staged.text;
  const test::Ran loaded = step({"load", at("transcode.wb"), "--to", orthanc_.url(), "-o", at("load.wb")});
  EXPECT_EQ(loaded.exit, 0) << loaded.text;
  const test::Ran verified =
      step({"verify", at("load.wb"), "--against", orthanc_.url(), "--level", "content", "-o", at("verify.wb")});
  EXPECT_EQ(verified.exit, 0) << verified.text;
  EXPECT_EQ(test::objects_of(at("verify.wb")).at("1.2.7.1.1").verify.value().verdict, "IDENTICAL");
}

}  // namespace waybill
