// SPDX-License-Identifier: Apache-2.0
#include "dicom/digest.hpp"

#include "dicom/file.hpp"
#include "support/deflate.hpp"
#include "support/dicom_builder.hpp"

#include <gtest/gtest.h>

namespace waybill::dicom {
namespace {

using test::DicomBuilder;

constexpr const char* kVector = "484d4420173eafef6d0a4ea084def368f45a0fa97643b162d6c8974f9a40e457";

/// The five elements of the published test vector; `name` in the bytes of `charset`.
std::string five_elements(Encoding encoding, bool undefined, const std::string& charset, const std::string& name) {
  DicomBuilder item(encoding);
  item.text(tag(0x0020, 0x000E), "UI", "1.2.3");
  DicomBuilder all(encoding);
  all.text(tag(0x0008, 0x0005), "CS", charset);
  all.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7");
  all.text(tag(0x0008, 0x0018), "UI", "1.2.3.4");
  all.sequence(tag(0x0008, 0x1115), {item.str()}, undefined);
  all.text(tag(0x0010, 0x0010), "PN", name);
  all.text(tag(0x0010, 0x0020), "LO", "0012345");
  return all.str();
}

const std::string kLatin1 = "M\xDCLLER^J\xD6RG";
const std::string kUtf8 = "M\xC3\x9CLLER^J\xC3\x96RG";

std::string digest_of(const std::string& dataset, Encoding encoding) {
  std::vector<manifest::Finding> findings;
  const auto parsed = parse_dataset(as_bytes(dataset), encoding, findings);
  return parsed ? dataset_digest(*parsed).hex() : parsed.error().what;
}

TEST(DatasetDigest, EqualsThePublishedVectorInEveryEncodingLengthFormAndCharacterSet) {
  for (const bool undefined : {false, true}) {
    for (const Encoding encoding : {Encoding{true, false}, Encoding{false, false}, Encoding{true, true}}) {
      EXPECT_EQ(digest_of(five_elements(encoding, undefined, "ISO_IR 100", kLatin1), encoding), kVector);
      EXPECT_EQ(digest_of(five_elements(encoding, undefined, "ISO_IR 192", kUtf8), encoding), kVector);
    }
  }
}

TEST(DatasetDigest, EqualsThePublishedVectorForEveryDressOfTheFile) {
  const std::string explicit_le = five_elements({true, false}, true, "ISO_IR 100", kLatin1);
  const std::string implicit = five_elements({false, false}, false, "ISO_IR 100", kLatin1);
  const std::string whole = DicomBuilder::part10(explicit_le, "1.2.840.10008.1.2.1");
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"part 10", whole},
      {"no preamble", whole.substr(128)},
      {"preamble and magic missing", whole.substr(132)},
      {"no meta", explicit_le},
      {"implicit without meta", implicit},
      {"explicit label on implicit bytes", DicomBuilder::part10(implicit, "1.2.840.10008.1.2.1")},
      {"implicit label on explicit bytes", DicomBuilder::part10(explicit_le, "1.2.840.10008.1.2")},
      {"big endian",
       DicomBuilder::part10(five_elements({true, true}, false, "ISO_IR 100", kLatin1), "1.2.840.10008.1.2.2")},
      {"deflated", DicomBuilder::part10(test::deflated(explicit_le, -15), "1.2.840.10008.1.2.1.99")},
      {"deflated with zlib header", DicomBuilder::part10(test::deflated(explicit_le, 15), "1.2.840.10008.1.2.1.99")},
      {"deflated label on plain bytes", DicomBuilder::part10(explicit_le, "1.2.840.10008.1.2.1.99")},
      {"padded to a tape block", whole + std::string(512 - whole.size() % 512, '\0')},
  };
  for (const auto& [name, bytes] : forms) {
    const auto file = parse_file(as_bytes(bytes));
    ASSERT_TRUE(file.has_value()) << name << ": " << file.error().what;
    EXPECT_EQ(dataset_digest(file->dataset).hex(), kVector) << name;
  }
}

TEST(DatasetDigest, ChangesWhenAnyValueByteChanges) {
  const std::string original = five_elements({true, false}, false, "ISO_IR 100", kLatin1);
  for (std::size_t i = original.find("1.2.840.10008.5"); i < original.find("1.2.840.10008.5") + 25; ++i) {
    std::string changed = original;
    changed[i] = changed[i] == '9' ? '8' : '9';
    EXPECT_NE(digest_of(changed, {true, false}), kVector) << i;
  }
}

TEST(DatasetDigest, TellsUndecodableBytesApart) {
  const std::string a = five_elements({true, false}, false, "ISO_IR 192", "M\xDC");
  const std::string b = five_elements({true, false}, false, "ISO_IR 192", "M\xDD");
  EXPECT_NE(digest_of(a, {true, false}), digest_of(b, {true, false}));
}

TEST(DatasetDigest, DoesNotDependOnTheBlockOfAPrivateCreator) {
  const auto with_block = [](std::uint16_t block) {
    DicomBuilder b;
    b.text(tag(0x0008, 0x0018), "UI", "1.2.3.4");
    b.text(tag(0x0009, block), "LO", "WAYBILL TEST");
    b.text(tag(0x0009, static_cast<std::uint16_t>(block * 256 + 1)), "LO", "value");
    return b.str();
  };
  EXPECT_EQ(digest_of(with_block(0x10), {true, false}), digest_of(with_block(0x42), {true, false}));
}

TEST(Comparison, NamesTheChangedTheMissingAndTheAddedElementAndNoValue) {
  DicomBuilder left;
  left.text(tag(0x0008, 0x0018), "UI", "1.2.3.4")
      .text(tag(0x0010, 0x0010), "PN", "OLD^NAME")
      .text(tag(0x0010, 0x0020), "LO", "77");
  DicomBuilder right;
  right.text(tag(0x0008, 0x0018), "UI", "1.2.3.4")
      .text(tag(0x0010, 0x0010), "PN", "NEW^NAME")
      .text(tag(0x0010, 0x0040), "CS", "F");
  std::vector<manifest::Finding> findings;
  const auto a = parse_dataset(as_bytes(left.str()), {true, false}, findings);
  const auto b = parse_dataset(as_bytes(right.str()), {true, false}, findings);
  const auto differences = compare(*a, *b, Profile::strict);
  ASSERT_EQ(differences.size(), 3U);
  EXPECT_EQ(differences[0].tag + differences[0].kind, "00100010changed");
  EXPECT_EQ(differences[1].tag + differences[1].kind, "00100020missing");
  EXPECT_EQ(differences[2].tag + differences[2].kind, "00100040added");
  for (const auto& d : differences) EXPECT_EQ(d.detail.find("NAME"), std::string::npos);
}

TEST(Comparison, TellsAVrThatOneSideDidNotKnowFromAnotherValue) {
  const auto with = [](const char(&vr)[3], std::string_view value) {
    DicomBuilder b;
    b.text(tag(0x0008, 0x0018), "UI", "1.2.3.4");
    b.raw(tag(0x2001, 0x1032), vr, value);
    return b.str();
  };
  const auto kind = [](const std::string& left, const std::string& right) -> std::string {
    std::vector<manifest::Finding> findings;
    const auto a = parse_dataset(as_bytes(left), {true, false}, findings);
    const auto b = parse_dataset(as_bytes(right), {true, false}, findings);
    const auto differences = compare(*a, *b, Profile::lenient);
    return differences.empty() ? "" : differences.at(0).kind;
  };
  EXPECT_EQ(kind(with("UN", "ROW "), with("CS", "ROW ")), "vr-known");
  EXPECT_EQ(kind(with("FL", "abcd"), with("UN", "abcd")), "vr-known");
  EXPECT_EQ(kind(with("UN", "ROW "), with("CS", "COL ")), "changed");
  EXPECT_EQ(kind(with("SL", "abcd"), with("FL", "abcd")), "changed");
  EXPECT_EQ(kind(with("UN", "abcd"), with("OB", "abcd")), "");
}

}  // namespace
}  // namespace waybill::dicom
