// SPDX-License-Identifier: Apache-2.0
// Answers to STOW-RS as services write them, and as they should not.
#include "web/answer.hpp"

#include <gtest/gtest.h>

namespace waybill::web {

namespace {

StoreAnswer answer(const std::string& body, const std::string& encoding = "") {
  Response response;
  response.status = 200;
  response.content_encoding = encoding;
  return parse_store_answer(response, body);
}

std::string json_item(const std::string& uid, const std::string& more = "") {
  return R"({"00081155": {"vr": "UI", "Value": [")" + uid + R"("]})" + more + "}";
}

std::string json(const std::string& stored, const std::string& failed) {
  return R"({"00081198": {"vr": "SQ", "Value": [)" + failed + R"(]}, "00081199": {"vr": "SQ", "Value": [)" + stored +
         "]}}";
}

}  // namespace

TEST(StoreAnswer, NamesStoredWarnedAndFailedInstances) {
  const auto said =
      answer(json(json_item("1.1") + "," + json_item("1.2", R"(,"00081196":{"vr":"US","Value":[45062]})"),
                  json_item("1.3", R"(,"00081197":{"vr":"US","Value":[49442]})") + "," + json_item("1.4")));
  ASSERT_TRUE(said.readable);
  const std::map<std::string, std::uint16_t, std::less<>> wanted{
      {"1.1", 0}, {"1.2", 0xB006}, {"1.3", 0xC122}, {"1.4", 0x0110}};
  EXPECT_EQ(said.instances, wanted);
}

TEST(StoreAnswer, ReadsTheNativeModelAsWell) {
  // As Orthanc writes it, with an empty value behind each item.
  const auto said = answer(R"(<?xml version="1.0" encoding="utf-8"?>
<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
  <DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence">
    <Item number="1"><DicomAttribute tag="00081155" vr="UI"><Value number="1">1.9</Value></DicomAttribute>
      <DicomAttribute tag="00081197" vr="US"><Value number="1">272</Value></DicomAttribute></Item>
  </DicomAttribute>
  <DicomAttribute tag="00081199" vr="SQ"><Item number="1">
    <DicomAttribute tag="00081155" vr="UI"><Value number="1"> 1.8 </Value></DicomAttribute>
    <DicomAttribute tag="00081196" vr="US"><Value number="1">45056</Value></DicomAttribute>
  </Item><Value number="1" /></DicomAttribute>
</NativeDicomModel>)");
  ASSERT_TRUE(said.readable);
  const std::map<std::string, std::uint16_t, std::less<>> wanted{{"1.8", 0xB000}, {"1.9", 0x0110}};
  EXPECT_EQ(said.instances, wanted);
}

TEST(StoreAnswer, SaysNothingOfAnInstanceThatIsStoredAndFailed) {
  EXPECT_TRUE(answer(json(json_item("1.1"), json_item("1.1"))).instances.empty());
}

TEST(StoreAnswer, IsNotReadableWhereItIsSomethingElse) {
  std::string deep = "{\"00081199\":{\"vr\":\"SQ\",\"Value\":[";
  std::string sequence = R"(<NativeDicomModel>)";
  for (int i = 0; i < 200; ++i) {
    deep += "{\"00081199\":{\"vr\":\"SQ\",\"Value\":[";
    sequence += R"(<DicomAttribute tag="00081199" vr="SQ"><Item number="1">)";
  }
  for (int i = 0; i < 200; ++i) {
    deep += "]}}";
    sequence += "</Item></DicomAttribute>";
  }
  const std::string bomb =
      R"(<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;">]><NativeDicomModel>&c;</NativeDicomModel>)";
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("[{},{}]"), std::string("7"), std::string("{\"00081199\": 7}"),
        std::string("<html></html>"), std::string("<NativeDicomModel>"), deep + "]}}", sequence + "</NativeDicomModel>",
        bomb, std::string(R"({"00081199":{"vr":"SQ","Value":["no item"]}})"), std::string("\0\0\0", 3)}) {
    EXPECT_FALSE(answer(body).readable) << body.substr(0, 80);
  }
  EXPECT_FALSE(answer(json(json_item("1.1"), ""), "gzip").readable);
}

}  // namespace waybill::web
