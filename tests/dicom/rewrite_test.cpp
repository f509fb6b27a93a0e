// SPDX-License-Identifier: Apache-2.0
#include "dicom/changes.hpp"

#include "dicom/digest.hpp"
#include "support/dicom_builder.hpp"

#include <gtest/gtest.h>

namespace waybill::dicom {
namespace {

using test::DicomBuilder;

std::string sample(Encoding encoding, const std::string& charset, const std::string& name) {
  DicomBuilder item(encoding);
  item.text(tag(0x0008, 0x1155), "UI", "1.2.9").text(tag(0x0008, 0x0104), "LO", name);
  DicomBuilder b(encoding);
  b.text(tag(0x0008, 0x0005), "CS", charset)
      .text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text(tag(0x0008, 0x0018), "UI", "1.2.3.4");
  b.sequence(tag(0x0008, 0x1115), {item.str()}, false);
  b.text(tag(0x0010, 0x0010), "PN", name).text(tag(0x0010, 0x0020), "LO", "42").u16(tag(0x0028, 0x0010), 513);
  b.words(tag(0x7FE0, 0x0010), {1, 2, 300});
  return b.str();
}

TEST(WriteFile, CarriesEveryValueFromAnyEncodingToExplicitLittleEndian) {
  const std::vector<std::pair<Encoding, std::string>> sources = {{{true, false}, "1.2.840.10008.1.2.1"},
                                                                 {{false, false}, "1.2.840.10008.1.2"},
                                                                 {{true, true}, "1.2.840.10008.1.2.2"}};
  const std::string reference =
      DicomBuilder::part10(sample({true, false}, "ISO_IR 100", "M\xFCller"), "1.2.840.10008.1.2.1");
  const auto expected = dataset_digest(parse_file(as_bytes(reference))->dataset);
  for (const auto& [encoding, syntax] : sources) {
    const std::string bytes = DicomBuilder::part10(sample(encoding, "ISO_IR 100", "M\xFCller"), syntax);
    const auto source = parse_file(as_bytes(bytes));
    const auto written = write_file(*source, Rewrite{"1.2.840.10008.1.2.1", {}, false});
    ASSERT_TRUE(written.has_value());
    const auto again = parse_file(*written);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(dataset_digest(again->dataset), expected) << syntax;
    const Node* pixels = again->dataset.find(tag(0x7FE0, 0x0010));
    ASSERT_NE(pixels, nullptr);
    EXPECT_EQ(load_u16(again->dataset.value(*pixels).data() + 4), 300);
  }
}

TEST(Edits, ChangeExactlyTheirAttributesAndKeepTheOldValues) {
  const std::string bytes =
      DicomBuilder::part10(sample({true, false}, "ISO_IR 100", "M\xFCller"), "1.2.840.10008.1.2.1");
  const auto source = parse_file(as_bytes(bytes));
  Rewrite rewrite{"1.2.840.10008.1.2.1", {}, false};
  const std::vector<manifest::Edit> edits = {{"0010,0020", "42", "NEW-42", "COERCE"},
                                             {"0010,0021", "", "HOSP", "COERCE"}};
  ASSERT_TRUE(
      add_changes(*source, {edits, {}, {}}, {"waybill test", "20260301120000.000000+0000"}, rewrite).has_value());
  const auto written = write_file(*source, rewrite);
  ASSERT_TRUE(written.has_value());
  const auto again = parse_file(*written);
  EXPECT_EQ(again->dataset.text(tag(0x0010, 0x0020)), "NEW-42");
  EXPECT_EQ(again->dataset.text(tag(0x0010, 0x0021)), "HOSP");
  const auto elements = canonical_elements(again->dataset, Profile::strict);
  const auto value = [&](const std::string& path) {
    for (const auto& e : elements) {
      if (e.path == path) return e.value;
    }
    return std::string("absent");
  };
  EXPECT_EQ(value("04000561[0].04000550[0].00100020"), "2:42 ");
  EXPECT_EQ(value("04000561[0].04000550[0].00100021"), "");
  EXPECT_EQ(value("04000561[0].04000565"), "6:COERCE ");
}

TEST(Edits, AppendToOriginalAttributesThatAreThere) {
  const std::string bytes = DicomBuilder::part10(sample({true, false}, "ISO_IR 100", "A"), "1.2.840.10008.1.2.1");
  Bytes current(as_bytes(bytes).begin(), as_bytes(bytes).end());
  for (const std::string id : {"first", "second"}) {
    const auto source = parse_file(current);
    Rewrite rewrite{"1.2.840.10008.1.2.1", {}, false};
    ASSERT_TRUE(
        add_changes(*source, {{{"0010,0020", "", id, "CORRECT"}}, {}, {}}, {"waybill test", "20260301"}, rewrite)
            .has_value());
    const auto written = write_file(*source, rewrite);
    ASSERT_TRUE(written.has_value());
    current = *written;
  }
  const auto last = parse_file(current);
  std::vector<std::string> olds;
  for (const auto& e : canonical_elements(last->dataset, Profile::strict)) {
    if (e.path.ends_with(".00100020")) olds.push_back(e.path + "=" + e.value);
  }
  const std::vector<std::string> expected = {"04000561[0].04000550[0].00100020=2:42 ",
                                             "04000561[1].04000550[0].00100020=5:first "};
  EXPECT_EQ(olds, expected);
}

TEST(Edits, ConvertAllTextWhenTheNewNameIsNotInTheCharacterSet) {
  const std::string bytes =
      DicomBuilder::part10(sample({false, false}, "ISO_IR 100", "M\xFCller"), "1.2.840.10008.1.2");
  const auto source = parse_file(as_bytes(bytes));
  Rewrite rewrite{"1.2.840.10008.1.2.1", {}, false};
  const std::string name = "\xC5\x81UKASZ";  // L with stroke is not in ISO 8859-1
  ASSERT_TRUE(
      add_changes(*source, {{{"0010,0010", "", name, "CORRECT"}}, {}, {}}, {"waybill test", "20260301"}, rewrite)
          .has_value());
  EXPECT_TRUE(rewrite.to_utf8);
  const auto written = write_file(*source, rewrite);
  ASSERT_TRUE(written.has_value());
  const auto again = parse_file(*written);
  EXPECT_EQ(again->dataset.text(tag(0x0008, 0x0005)), "ISO_IR 192");
  EXPECT_EQ(again->dataset.text(tag(0x0010, 0x0010)), name);
  for (const auto& d : compare(source->dataset, again->dataset, Profile::strict)) {
    EXPECT_TRUE(d.tag == "00100010" || d.tag.starts_with("04000561") || d.tag.starts_with("0018A001")) << d.tag;
  }
}

}  // namespace
}  // namespace waybill::dicom
