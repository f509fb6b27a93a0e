// SPDX-License-Identifier: Apache-2.0
// Each code of domain rule 2.2: one object that triggers exactly it; the sound object without any stands beside it.
#include "inspect/elements.hpp"
#include "support/deflate.hpp"

namespace waybill::test {
namespace {

constexpr dicom::Encoding kLittle{true, false};
constexpr dicom::Encoding kPlain{false, false};
constexpr dicom::Encoding kBig{true, true};

struct Case {
  const char* codes;
  std::string bytes;
};

std::string part10(const std::string& data, const char* syntax = kExplicit) {
  return DicomBuilder::part10(data, syntax, kCapture, "1.2.3.4");
}

/// An explicit little endian element by hand, for headers that no writer makes.
std::string element(std::uint16_t group, std::uint16_t number, const std::string& vr_and_length,
                    const std::string& value) {
  const auto two = [](std::uint16_t n) {
    return std::string{static_cast<char>(n & 0xFFU), static_cast<char>(n >> 8U)};
  };
  return two(group) + two(number) + vr_and_length + value;
}

/// The sound dataset with `extra` standing before the first element of group `before`.
std::string with(const std::string& extra, std::uint16_t before) {
  const std::string data = sound().write();
  std::size_t at = 0;
  while (at + 8 <= data.size()) {
    const auto group = static_cast<std::uint16_t>(static_cast<unsigned char>(data[at]) |
                                                  static_cast<unsigned char>(data[at + 1]) << 8U);
    if (group >= before) break;
    at += 8 + (static_cast<unsigned char>(data[at + 6]) | static_cast<unsigned char>(data[at + 7]) << 8U);
  }
  return data.substr(0, at) + extra + data.substr(at);
}

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(codes(look(c.bytes)), c.codes);
}

TEST(EncodingCodes, AreSilentOnASoundObjectInEveryPlainEncoding) {
  expect({{"", sound().file()},
          {"", sound().file(kImplicit, kPlain)},
          {"ENC-BE S1", sound().file("1.2.840.10008.1.2.2", kBig)}});
}

TEST(EncodingCodes, NameAMissingOrContradictingMetaGroup) {
  const std::string whole = sound().file();
  expect({{"ENC-NOMETA S1", sound().write()},
          {"ENC-NOMETA S1", sound().write(kPlain)},
          {"ENC-NOPREAMBLE S1", whole.substr(128)},
          {"ENC-NOPREAMBLE S1", whole.substr(132)},
          {"ENC-METAMISMATCH S2", DicomBuilder::part10(sound().write(), kExplicit, kCapture, "9.9.9")},
          {"ENC-PREAMBLE S0", "II*" + whole.substr(3)},
          {"SEC-PREAMBLE S3", "MZ" + whole.substr(2)},
          {"SEC-PREAMBLE S3", "\xCF\xFA\xED\xFE" + whole.substr(4)},
          {"SEC-PREAMBLE S3", "\xCA\xFE\xBA\xBE" + whole.substr(4)},
          {"SEC-PREAMBLE S3",
           "\x7F"
           "ELF" +
               whole.substr(4)}});
}

TEST(EncodingCodes, SayThatOnlyTheMetaGroupNamesTheObject) {
  const std::string data = sound().without(tag(0x0008, 0x0018)).write();
  const auto object = look(DicomBuilder::part10(data, kExplicit, kCapture, "1.2.3.4"));
  EXPECT_EQ(codes(object), "ENC-METAMISMATCH S2");
  EXPECT_EQ(object.sop_instance, "1.2.3.4");
}

TEST(EncodingCodes, FindTheDatasetBehindAMetaGroupOfAnyLength) {
  const std::string whole = sound().file();
  const std::size_t data = whole.size() - sound().write().size();
  const auto length = static_cast<unsigned char>(whole[140]);
  const auto with_length = [&](int more, const std::string& between) {
    std::string out = whole.substr(0, data) + between + whole.substr(data);
    out[140] = static_cast<char>(length + more);
    return out;
  };
  for (const std::string& bytes :
       {with_length(8, {}), with_length(-8, {}), with_length(6, "\1\2\3\4\5\6"), with_length(0, std::string(1, '\0')),
        with_length(0, std::string(16, '\0')), whole.substr(0, 132) + whole.substr(144)}) {
    const auto object = look(bytes);
    EXPECT_EQ(codes(object), "ENC-METALEN S1");
    EXPECT_EQ(object.patient_id, "P-42");
    const auto meta = dicom::read_meta(as_bytes(bytes));
    ASSERT_TRUE(meta.has_value());
    EXPECT_EQ(bytes.substr(meta->dataset_offset), sound().write());
  }
}

TEST(EncodingCodes, RecogniseDatasetsThatBeginWithPrivateGroupsOrABlankPreamble) {
  Elements e = sound();
  e.set(tag(0x0003, 0x0010), "LO", "ACME").set(tag(0x0003, 0x1001), "LO", "x");
  expect({{"ENC-NOMETA S1", e.write()},
          {"ENC-NOMETA S1", e.write(kPlain)},
          {"ENC-NOMETA S1, ENC-NOPREAMBLE S1", std::string(128, '\0') + sound().write()}});
}

TEST(EncodingCodes, NameALabelThatTheBytesContradict) {
  const std::string data = sound().write();
  expect({{"ENC-TSLABEL S2", part10(sound().write(kPlain))},
          {"ENC-TSLABEL S2", part10(data, kImplicit)},
          {"ENC-BE S1, ENC-TSLABEL S2", part10(sound().write(kBig))},
          {"ENC-TSLABEL S2", part10(data, "1.2.840.10008.1.2.1.99")},
          {"ENC-DEFLATED S1, ENC-TSLABEL S2", part10(deflated(data, -15))},
          {"ENC-TSLABEL S2", part10(data, "1.2.840.10008.1.2.4.90")}});
}

TEST(EncodingCodes, ReadDeflatedDatasetsWithAndWithoutZlibHeader) {
  const std::string data = sound().write();
  expect({{"ENC-DEFLATED S1", part10(deflated(data, -15), "1.2.840.10008.1.2.1.99")},
          {"ENC-DEFLATED S1", part10(deflated(data, 15), "1.2.840.10008.1.2.1.99")}});
}

TEST(EncodingCodes, TellKnownPrivateSyntaxesFromUnknownOnes) {
  expect({{"ENC-PRIVTS S2", part10(sound().write(), "1.3.46.670589.33.1.4.1")},
          {"ENC-PRIVTS S3", part10(sound().write(), "1.2.276.0.99.1")},
          {"ENC-PRIVTS S3", part10(sound().write(), "1.2.840.10008.1.2.1.77")},
          {"ENC-BE S1, ENC-NOMETA S1, ENC-PRIVTS S3", sound().write({false, true})}});
}

TEST(EncodingCodes, KeepAcrNemaObjectsForADecision) {
  Elements e = sound();
  e.without(tag(0x0008, 0x0016)).without(tag(0x0008, 0x0018)).set(tag(0x0008, 0x0010), "SH", "ACR-NEMA 2.0");
  for (const bool big : {false, true}) {
    const auto file = dicom::parse_file(as_bytes(e.write({false, big})));
    ASSERT_TRUE(file.has_value());
    EXPECT_TRUE(file->has("ENC-ACRNEMA"));
  }
  e.set(tag(0x0008, 0x0010), "SH", "ACRNEMA LIBIDO 1.1");
  EXPECT_TRUE(dicom::parse_file(as_bytes(e.write(kPlain)))->has("ENC-ACRNEMA"));
  e.without(tag(0x0008, 0x0010));
  EXPECT_TRUE(dicom::parse_file(as_bytes(e.write(kPlain)))->has("ENC-ACRNEMA"));
  EXPECT_FALSE(dicom::parse_file(as_bytes(sound().write(kPlain)))->has("ENC-ACRNEMA"));
}

TEST(EncodingCodes, NameUnknownAndWrongValueRepresentations) {
  Elements wrong = sound();
  wrong.set(tag(0x0020, 0x0010), "LO", "1");
  Elements unknown = sound();
  unknown.set(tag(0x0020, 0x0010), "UN", "1 ");
  Elements blank = sound();
  blank.set(tag(0x0020, 0x0010), "  ", "1");
  expect({{"ENC-VRWRONG S1", wrong.file()},
          {"ENC-VRWRONG S1", unknown.file()},
          {"ENC-VRWRONG S1", blank.file()},
          {"ENC-VRUNKNOWN S1", part10(with(element(0x0019, 0x1001, std::string("ZZ\0\0\2\0\0\0", 8), "ab"), 0x0020))},
          {"ENC-VRUNKNOWN S1", part10(with(element(0x0018, 0x1030, std::string("\2\0\0\0", 4), "ab"), 0x0020))}});
}

TEST(EncodingCodes, NameValuesTooLongForTheExplicitForm) {
  Elements e = sound();
  e.set(tag(0x0018, 0x1030), "UN", std::string(70000, 'A'));
  const auto object = look(e.file());
  EXPECT_EQ(codes(object), "ENC-UN64K S1");
}

TEST(EncodingCodes, NameUnknownSequencesAndUndefinedLengths) {
  const std::string item = std::string("\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF", 8) +
                           std::string(
                               "\x08\0\x55\x11\4\0\0\0"
                               "1.2\0",
                               12) +
                           std::string("\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0", 16);
  const std::string explicit_item = std::string("\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF", 8) +
                                    std::string(
                                        "\x08\0\x55\x11UI\4\0"
                                        "1.2\0",
                                        12) +
                                    std::string("\xFE\xFF\x0D\xE0\0\0\0\0\xFE\xFF\xDD\xE0\0\0\0\0", 16);
  expect(
      {{"ENC-UNSQ S0", part10(with(element(0x0019, 0x1001, std::string("UN\0\0\xFF\xFF\xFF\xFF", 8), item), 0x0020))},
       {"ENC-UNDEFOBOW S1",
        part10(with(element(0x0019, 0x1001, std::string("OB\0\0\xFF\xFF\xFF\xFF", 8), explicit_item), 0x0020))}});
}

TEST(EncodingCodes, NameDelimitersOfTheWrongKind) {
  const std::string head = std::string("\x08\0\x15\x11SQ\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF", 20) +
                           std::string(
                               "\x08\0\x50\x11UI\4\0"
                               "1.2\0",
                               12);
  const std::string item_end("\xFE\xFF\x0D\xE0\0\0\0\0", 8);
  const std::string sequence_end("\xFE\xFF\xDD\xE0\0\0\0\0", 8);
  expect({{"", part10(with(head + item_end + sequence_end, 0x0010))},
          {"ENC-SEQDELIM S1", part10(with(head + sequence_end, 0x0010))},
          {"ENC-SEQDELIM S1", part10(with(head + item_end + item_end, 0x0010))}});
}

TEST(EncodingCodes, NameOddAndOverlongLengths) {
  Elements odd = sound();
  odd.exact(tag(0x0010, 0x0010), "PN", "Muster^Ev");
  const std::string whole = sound().file();
  expect({{"ENC-ODDLEN S1", odd.file()}, {"ENC-LENOVER S3", whole.substr(0, whole.size() - 2)}});
  // Thirteen bytes declared, ten written: the next header stands three bytes early.
  const std::string thirteen = element(0x0008, 0x1090, std::string("LO\x0D\0", 4), "MODEL 1234");
  EXPECT_EQ(codes(look(part10(with(thirteen, 0x0010)))), "ENC-13BUG S1");
  const std::string ten = element(0x0008, 0x1090, std::string("LO\x0A\0", 4), "MODEL 1234");
  EXPECT_EQ(codes(look(part10(with(ten, 0x0010)))), "");
}

TEST(EncodingCodes, NameDisorderAndRetiredStructure) {
  const std::string data = sound().write();
  const std::string length = element(0x0010, 0x0000, std::string("UL\4\0", 4), std::string("\4\0\0\0", 4));
  const std::string to_end = element(0x0008, 0x0001, std::string("UL\4\0", 4), std::string("\4\0\0\0", 4));
  const std::string command = element(0x0000, 0x0002, std::string("UI\2\0", 4), "1.");
  const std::string pad = element(0xFFFC, 0xFFFC, std::string("OB\0\0\2\0\0\0", 8), std::string(2, '\0'));
  expect({{"ENC-ORDER S2", part10(with(element(0x0008, 0x0008, std::string("CS\2\0", 4), "A "), 0x0010))},
          {"ENC-ORDER S2", part10(with(element(0x0010, 0x0020, std::string("LO\4\0", 4), "P-42"), 0x0020))},
          {"ENC-ORDER S3", part10(with(element(0x0010, 0x0020, std::string("LO\4\0", 4), "P-43"), 0x0020))},
          {"ENC-GROUPLEN S1", part10(with(length, 0x0010))},
          {"ENC-GROUPLEN S1", part10(to_end + data)},
          {"ENC-CMDGROUP S1", part10(command + data)},
          {"ENC-TRAILPAD S1", part10(data + pad)}});
}

TEST(EncodingCodes, TellPaddingFromForeignBytesBehindTheDataset) {
  const std::string whole = sound().file();
  expect({{"ENC-BLOCKPAD S1", whole + std::string(1024 - whole.size(), '\0')},
          {"ENC-TRAILGARBAGE S1", whole + std::string(100, '\0')},
          {"ENC-TRAILGARBAGE S2", whole + "vendor annotation blob"},
          {"ENC-TRAILGARBAGE S3", whole + whole}});
}

TEST(EncodingCodes, SayThatPixelsAreElsewhere) {
  Elements e = sound();
  e.without(tag(0x7FE0, 0x0010)).set(tag(0x0028, 0x7FE0), "UR", "http://pacs/jpip");
  EXPECT_EQ(codes(look(e.file("1.2.840.10008.1.2.4.94"))), "ENC-JPIP S4");
}

TEST(EncodingCodes, KeepTheOffsetAndTheBytesAsEvidence) {
  Elements wrong = sound();
  wrong.set(tag(0x0020, 0x0010), "LO", "1");
  const std::string data = wrong.write();
  const auto object = look(part10(data));
  ASSERT_EQ(object.findings.size(), 1U);
  const manifest::Finding& finding = object.findings.front();
  EXPECT_EQ(finding.tag, "0020,0010");
  ASSERT_TRUE(finding.offset);
  EXPECT_EQ(data.substr(*finding.offset, 6), std::string("\x20\0\x10\0LO", 6));
  EXPECT_EQ(finding.raw.substr(0, 12), "200010004c4f");
}

}  // namespace
}  // namespace waybill::test
