// SPDX-License-Identifier: Apache-2.0
// Headers and sequences that break PS3.5 7.1 and 7.5 as writers of the field did: what stands behind them is read, and
// what is written anew is sound.
#include "dicom/header.hpp"

#include "dicom/digest.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"
#include "support/dicom_builder.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace waybill::dicom {
namespace {

using test::DicomBuilder;
using namespace std::string_literals;

constexpr const char* kExplicit = "1.2.840.10008.1.2.1";
constexpr Encoding kLittle{true, false};
constexpr Encoding kPlain{false, false};
constexpr Encoding kBig{true, true};

const char* syntax_of(Encoding encoding) {
  if (encoding == kPlain) return "1.2.840.10008.1.2";
  return encoding == kBig ? "1.2.840.10008.1.2.2" : kExplicit;
}

/// An image with `odd` between its group 0008 and its patient.
std::string image_with(const std::string& odd, Encoding encoding = kLittle, const std::string& behind = {}) {
  DicomBuilder front(encoding);
  front.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", "1.2.3.4");
  DicomBuilder b(encoding);
  b.text(tag(0x0010, 0x0020), "LO", "42").text(tag(0x0020, 0x000D), "UI", "1.2.3");
  b.u16(tag(0x0028, 0x0010), 2).u16(tag(0x0028, 0x0011), 2).u16(tag(0x0028, 0x0100), 16);
  b.words(tag(0x7FE0, 0x0010), {1, 2, 3, 4});
  return DicomBuilder::part10(front.str() + odd + b.str() + behind, syntax_of(encoding));
}

/// A header by hand, little endian: tag, `vr_and_length`, value.
std::string raw(Tag t, const std::string& vr_and_length, const std::string& value) {
  const auto byte = [](std::uint32_t n) { return static_cast<char>(n & 0xFFU); };
  return std::string{byte(t >> 16U), byte(t >> 24U), byte(t), byte(t >> 8U)} + vr_and_length + value;
}

constexpr Tag kMaker = tag(0x0008, 0x0070);
constexpr Tag kSeries = tag(0x0008, 0x1115);  // a sequence

std::string item_of(const std::string& content, Encoding encoding = kLittle) {
  const DicomBuilder none;
  std::string item = DicomBuilder::items_of({content});
  if (encoding.big_endian) {
    std::swap(item[0], item[1]);
    std::swap(item[2], item[3]);
    std::swap(item[4], item[7]);
    std::swap(item[5], item[6]);
  }
  return item;
}

std::string uid_in(Encoding encoding) { return DicomBuilder(encoding).text(tag(0x0020, 0x000E), "UI", "1.2.9").str(); }

struct Case {
  const char* what;
  std::string odd;
  const char* code;
};

/// The object behind the oddity is whole, the oddity named, and the file written anew has none and the same DS1.
void expect_read(const Case& c, Encoding encoding = kLittle) {
  const std::string bytes = image_with(c.odd, encoding);
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value()) << c.what;
  EXPECT_TRUE(file->has(c.code)) << c.what;
  EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42") << c.what;
  EXPECT_NE(file->dataset.find(tag(0x7FE0, 0x0010)), nullptr) << c.what;
  EXPECT_FALSE(file->has("ENC-LENOVER")) << c.what;
  EXPECT_FALSE(file->has("ENC-TRAILGARBAGE")) << c.what;
  const auto written = write_file(*file, Rewrite{kExplicit, {}, false});
  ASSERT_TRUE(written.has_value()) << c.what;
  const auto again = parse_file(*written);
  ASSERT_TRUE(again.has_value()) << c.what;
  EXPECT_TRUE(again->findings.empty()) << c.what << ": " << again->findings.front().code;
  EXPECT_EQ(dataset_digest(again->dataset), dataset_digest(file->dataset)) << c.what;
}

TEST(Headers, WithoutAValueRepresentationAreReadByWhereTheirValuesEnd) {
  const std::string maker = "ACME Inc";
  const std::string four = "\x08\0\0\0"s;
  for (const Case& c :
       {Case{"?? and 16 bits", raw(kMaker, "??\x08\0"s, maker), "ENC-VRUNKNOWN"},
        Case{"?? and 32 bits", raw(kMaker, "??\0\0"s + four, maker), "ENC-VRUNKNOWN"},
        Case{"small letters and 16 bits", raw(kMaker, "lo\x08\0"s, maker), "ENC-VRUNKNOWN"},
        Case{"NULs and 16 bits", raw(kMaker, "\0\0\x08\0"s, maker), "ENC-VRUNKNOWN"},
        Case{"NULs and 32 bits", raw(kMaker, "\0\0\0\0"s + four, maker), "ENC-VRUNKNOWN"},
        Case{"none, implicit", raw(kMaker, four, maker), "ENC-VRUNKNOWN"},
        Case{"spaces and 16 bits", raw(kMaker, "  \x08\0"s, maker), "ENC-VRWRONG"},
        Case{"spaces and 32 bits", raw(kMaker, "  \0\0"s + four, maker), "ENC-VRUNKNOWN"},
        Case{"capitals and 32 bits", raw(kMaker, "ZZ\0\0"s + four, maker), "ENC-VRUNKNOWN"},
        Case{"capitals and 16 bits", raw(kMaker, "ZZ\x08\0"s, maker), "ENC-VRUNKNOWN"},
        Case{"a small sequence", raw(kSeries, "sq\0\0\x16\0\0\0"s, item_of(uid_in(kLittle))), "ENC-VRUNKNOWN"}})
    expect_read(c);
}

TEST(Headers, OfPrivateElementsWithoutAValueRepresentationAreReadToo) {
  const std::string creator = DicomBuilder().text(tag(0x0009, 0x0010), "LO", "ACME").str();
  for (const Case& c :
       {Case{"implicit", creator + raw(tag(0x0009, 0x1001), "\x08\0\0\0"s, "ACME Inc"), "ENC-VRUNKNOWN"},
        Case{"16 bits", creator + raw(tag(0x0009, 0x1001), "??\x08\0"s, "ACME Inc"), "ENC-VRUNKNOWN"}})
    expect_read(c);
}

TEST(Headers, WithTheLengthFieldOfTheOtherFormAreReadByWhereTheirValuesEnd) {
  const std::string item = item_of(uid_in(kLittle));
  for (const Case& c : {Case{"16 bits for UC", raw(tag(0x0008, 0x0119), "UC\x08\0"s, "ACME Inc"), "ENC-VRWRONG"},
                        Case{"16 bits for SQ", raw(kSeries, "SQ\x16\0"s, item), "ENC-VRWRONG"},
                        Case{"32 bits for LO", raw(kMaker, "LO\0\0\x08\0\0\0"s, "ACME Inc"), "ENC-VRWRONG"}}) {
    const std::string bytes = image_with(c.odd);
    const auto file = parse_file(as_bytes(bytes));
    ASSERT_TRUE(file.has_value()) << c.what;
    EXPECT_TRUE(file->has(c.code)) << c.what;
    EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42") << c.what;
    EXPECT_FALSE(file->has("ENC-LENOVER")) << c.what;
  }
}

TEST(Headers, KeepANonZeroReservedFieldFromBeingTakenForALength) {
  const std::string bytes = image_with(raw(tag(0x0008, 0x0119), "UC\2\0\x08\0\0\0"s, "ACME Inc"));
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->dataset.raw_text(tag(0x0008, 0x0119)), "ACME Inc");
  EXPECT_FALSE(file->has("ENC-VRWRONG"));
}

TEST(Headers, CountAPadByteThatTheLengthForgot) {
  expect_read({"odd length, pad there", raw(kMaker, "LO\7\0"s, "ACME Co "), "ENC-ODDLEN"});
  expect_read({"odd length, no pad", raw(kMaker, "LO\7\0"s, "ACME Co"), "ENC-ODDLEN"});
}

TEST(Headers, ReadFourSpacesInPlaceOfALengthAsEmpty) {
  expect_read({"blank length", raw(tag(0x0008, 0x0119), "UC\0\0    "s, ""), "ENC-13BUG"});
}

TEST(Dataset, KeepsWhatVendorsPutIntoGroupsBehindThePixels) {
  for (const Encoding encoding : {kLittle, kPlain, kBig}) {
    for (const std::uint16_t group : std::initializer_list<std::uint16_t>{0x7FE1, 0x7FE3, 0x8001, 0xFFEF}) {
      const auto with = [&](const char* value) {
        DicomBuilder b(encoding);
        b.text(tag(group, 0x0010), "LO", "ACME MOVIE").raw(tag(group, 0x1001), "OB", value);
        return image_with({}, encoding, b.str());
      };
      const std::string one = with("loop");
      const std::string other = with("pool");
      const auto file = parse_file(as_bytes(one));
      const auto changed = parse_file(as_bytes(other));
      ASSERT_TRUE(file && changed);
      EXPECT_FALSE(file->has("ENC-TRAILGARBAGE")) << group;
      EXPECT_NE(dataset_digest(file->dataset), dataset_digest(changed->dataset)) << group;
      const auto written = write_file(*file, Rewrite{kExplicit, {}, false});
      ASSERT_TRUE(written.has_value());
      EXPECT_EQ(dataset_digest(parse_file(*written)->dataset), dataset_digest(file->dataset)) << group;
    }
  }
}

TEST(Dataset, KeepsPrivateElementsThatStandOutOfOrder) {
  DicomBuilder late;
  late.text(tag(0x0009, 0x0010), "LO", "ACME").text(tag(0x0009, 0x1001), "LO", "late");
  const std::string bytes = image_with({}, kLittle, late.str());
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->dataset.raw_text(tag(0x0009, 0x1001)), "late");
  EXPECT_FALSE(file->has("ENC-TRAILGARBAGE"));
}

TEST(Dataset, EndsWhereASecondOneBegins) {
  const std::string bytes = image_with({});
  const auto once = parse_file(as_bytes(bytes));
  ASSERT_TRUE(once.has_value());
  const std::string twice = bytes + bytes.substr(once->meta.dataset_offset);
  const auto file = parse_file(as_bytes(twice));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->has("ENC-TRAILGARBAGE"));
  EXPECT_EQ(file->dataset.end(), once->dataset.end());
}

TEST(Dataset, IsWrittenInOrderAndWithEachTagOnceTheFirst) {
  const std::string bytes = image_with(DicomBuilder().text(kMaker, "LO", "first").text(kMaker, "LO", "second").str(),
                                       kLittle, DicomBuilder().text(tag(0x0008, 0x0060), "CS", "OT").str());
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  const auto written = write_file(*file, Rewrite{kExplicit, {}, false});
  ASSERT_TRUE(written.has_value());
  const auto again = parse_file(*written);
  EXPECT_FALSE(again->has("ENC-ORDER"));
  EXPECT_EQ(again->dataset.raw_text(kMaker), "first");
  EXPECT_EQ(again->dataset.raw_text(tag(0x0008, 0x0060)), "OT");
  EXPECT_EQ(dataset_digest(again->dataset), dataset_digest(file->dataset));
}

TEST(Dataset, DigestReadsTextByACharacterSetThatStandsTooLate) {
  const auto with = [](bool late) {
    const std::string set = DicomBuilder().text(tag(0x0008, 0x0005), "CS", "ISO_IR 144").str();
    const std::string name = DicomBuilder().text(tag(0x0008, 0x0080), "LO", "\xBB\xEE\xDA").str();
    return image_with(late ? name : set + name, kLittle, late ? set : "");
  };
  const std::string late = with(true);
  const std::string due = with(false);
  EXPECT_EQ(dataset_digest(parse_file(as_bytes(late))->dataset), dataset_digest(parse_file(as_bytes(due))->dataset));
}

TEST(Dataset, OfImplicitElementsUnderAnEncapsulatedLabelKeepsTheLabelOfItsPixels) {
  const std::string jpeg = "1.2.840.10008.1.2.4.50";
  DicomBuilder b(kPlain);
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", "1.2.3.4");
  b.text(tag(0x0010, 0x0020), "LO", "42").u16(tag(0x0028, 0x0010), 2);
  const std::string items = item_of("") + item_of("\xFF\xD8\xFF\xC0\0\x0B\x08\0\x02\0\x02\x01\x01\x11\0\xFF\xD9\0"s) +
                            "\xFE\xFF\xDD\xE0\0\0\0\0"s;
  const std::string data = b.str() + raw(tag(0x7FE0, 0x0010), "\xFF\xFF\xFF\xFF"s, items);
  for (const std::string& label : {jpeg, "1.2.840.10008.1.2"s}) {
    const std::string bytes = DicomBuilder::part10(data, label);
    const auto file = parse_file(as_bytes(bytes));
    ASSERT_TRUE(file.has_value()) << label;
    EXPECT_EQ(file->transfer_syntax, jpeg) << label;
    EXPECT_TRUE(file->has("ENC-TSLABEL")) << label;
    EXPECT_TRUE(file->dataset.is_irregular()) << label;  // no syntax has both
    const auto written = write_file(*file, Rewrite{jpeg, {}, false});
    ASSERT_TRUE(written.has_value()) << label << written.error().what;
    const auto again = parse_file(*written);
    ASSERT_TRUE(again.has_value()) << label;
    EXPECT_FALSE(again->has("ENC-TSLABEL")) << label;
    EXPECT_TRUE(again->dataset.encoding().explicit_vr) << label;
    EXPECT_EQ(again->dataset.text(tag(0x0010, 0x0020)), "42") << label;
  }
}

TEST(Sequences, AreReadInTheEncodingTheirItemsAreIn) {
  const std::string end("\xFE\xFF\xDD\xE0\0\0\0\0"s);
  const std::string undefined("\0\0\xFF\xFF\xFF\xFF"s);
  const std::string creator = DicomBuilder().text(tag(0x0009, 0x0010), "LO", "ACME").str();
  const auto sq = [](const std::string& items) {
    return raw(kSeries, "SQ\0\0"s + static_cast<char>(items.size()) + "\0\0\0"s, items);
  };
  for (const Case& c :
       {Case{"implicit", sq(item_of(uid_in(kPlain))), "ENC-SQENCODING"},
        Case{"big endian", sq(item_of(uid_in(kBig), kBig)), "ENC-SQENCODING"},
        Case{"implicit big endian", sq(item_of(uid_in({false, true}), kBig)), "ENC-SQENCODING"},
        Case{"explicit in UN", raw(kSeries, "UN" + undefined, item_of(uid_in(kLittle)) + end), "ENC-SQENCODING"},
        Case{"explicit in private UN",
             creator + raw(tag(0x0009, 0x1001), "UN" + undefined, item_of(uid_in(kLittle)) + end), "ENC-SQENCODING"}}) {
    expect_read(c);
    const std::string bytes = image_with(c.odd);
    const auto file = parse_file(as_bytes(bytes));
    const auto at = std::ranges::find(file->dataset.nodes(), tag(0x0020, 0x000E), &Node::tag);
    ASSERT_NE(at, file->dataset.nodes().end()) << c.what;
    EXPECT_EQ(as_text(file->dataset.value(*at)).substr(0, 5), "1.2.9") << c.what;
  }
  expect_read({"explicit in implicit", DicomBuilder(kPlain).raw(kSeries, "SQ", item_of(uid_in(kLittle))).str(),
               "ENC-SQENCODING"},
              kPlain);
}

TEST(Sequences, OfAKnownTagUnderUnHaveTheDigestOfTheSequence) {
  const std::string as_un = image_with(DicomBuilder().raw(kSeries, "UN", item_of(uid_in(kPlain))).str());
  const std::string as_sq = image_with(DicomBuilder().sequence(kSeries, {uid_in(kLittle)}, true).str());
  EXPECT_EQ(dataset_digest(parse_file(as_bytes(as_un))->dataset), dataset_digest(parse_file(as_bytes(as_sq))->dataset));
}

TEST(Sequences, OfAWrongLengthDoNotHideWhatStandsBehindThem) {
  const std::string item = item_of(uid_in(kLittle));  // 22 bytes
  std::string long_item = item;
  long_item[4] = 20;
  std::string short_item = item;
  short_item[4] = 10;
  const auto sq = [](char length, const std::string& value) {
    return raw(kSeries, "SQ\0\0"s + length + "\0\0\0"s, value);
  };
  for (const Case& c : {Case{"sequence too long", sq(30, item), ""}, Case{"sequence too short", sq(18, item), ""},
                        Case{"sequence odd", sq(13, item), ""}, Case{"item too long", sq(22, long_item), ""},
                        Case{"item too short", sq(22, short_item), ""},
                        Case{"no items", sq(14, "no items at all"s.substr(0, 14)), ""}}) {
    const std::string bytes = image_with(c.odd);
    const auto file = parse_file(as_bytes(bytes));
    ASSERT_TRUE(file.has_value()) << c.what;
    EXPECT_TRUE(file->has("ENC-LENOVER")) << c.what;
    EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42") << c.what;
    EXPECT_NE(file->dataset.find(tag(0x7FE0, 0x0010)), nullptr) << c.what;
  }
}

TEST(Sequences, ThatOnlyTheDictionarySeesInImplicitTextAreKeptAsBytes) {
  const std::string once = raw(tag(0x0040, 0xA170), "\4\0\0\0"s, "GOOD") + raw(tag(0x0040, 0xA171), "\2\0\0\0"s, "1.");
  std::string inside;
  for (int i = 0; i < 100; ++i) inside += item_of(once, kPlain);
  const std::string bytes = image_with(DicomBuilder(kPlain).raw(kSeries, "SQ", inside).str(), kPlain);
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->has("ENC-VRWRONG"));
  EXPECT_FALSE(file->has("ENC-LENOVER"));
  EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42");
  const auto written = write_file(*file, Rewrite{kExplicit, {}, false});
  ASSERT_TRUE(written.has_value()) << written.error().what;
  const auto again = parse_file(*written);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(dataset_digest(again->dataset), dataset_digest(file->dataset));
  EXPECT_NE(as_text(*written).find("GOOD"), std::string_view::npos);
}

TEST(Sequences, OfPrivateTagsWhoseLengthLeavesOutTheirEndDoNotHideWhatStandsBehindThem) {
  const std::string item = "\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF"s + uid_in(kLittle) + "\xFE\xFF\x0D\xE0\0\0\0\0"s;
  const auto size = static_cast<char>(item.size());
  for (const char counted : {size, static_cast<char>(size - 4)}) {
    const std::string odd = DicomBuilder(kPlain).text(tag(0x0009, 0x0010), "LO", "MAKER").str() +
                            raw(tag(0x0009, 0x100F), std::string(1, counted) + "\0\0\0"s, item);
    const std::string bytes = image_with(odd, kPlain);
    const auto file = parse_file(as_bytes(bytes));
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->has("ENC-LENOVER"), counted != size);
    EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42");
    EXPECT_NE(file->dataset.find(tag(0x7FE0, 0x0010)), nullptr);
  }
}

TEST(Sequences, OfExplicitItemsAreNotReadAsImplicitOnesWithALengthIntoTheBlankPixels) {
  const std::string lettered = raw(tag(0x0018, 0x9036), "CS\0\0"s, "") + uid_in(kLittle);
  const std::string odd =
      raw(kSeries, "\xFF\xFF\xFF\xFF"s,
          "\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF"s + lettered + "\xFE\xFF\x0D\xE0\0\0\0\0"s + "\xFE\xFF\xDD\xE0\0\0\0\0"s);
  const std::string blank = raw(tag(0x7FE1, 0x0010), std::string("\0\0\1\0", 4), std::string(65536, '\0'));
  const std::string bytes = image_with(odd, kPlain, blank);
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->has("ENC-SQENCODING"));
  EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42");
}

TEST(Sequences, WhoseHeaderIsLostAreTold) {
  const std::string content = DicomBuilder().text(tag(0x0018, 0x1030), "LO", "inside").str();
  const std::string open_item = "\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF"s;
  const std::string item_end = "\xFE\xFF\x0D\xE0\0\0\0\0"s;
  for (const Case& c : {Case{"an item of defined length", item_of(content), ""},
                        Case{"an item of undefined length", open_item + content + item_end, ""},
                        Case{"an empty item behind a sequence of no length",
                             raw(kSeries, "SQ\0\0\0\0\0\0"s, "") + item_of("") + content, ""}}) {
    const std::string bytes = image_with(c.odd);
    const auto file = parse_file(as_bytes(bytes));
    ASSERT_TRUE(file.has_value()) << c.what;
    EXPECT_TRUE(file->has("ENC-LENOVER")) << c.what;
    EXPECT_FALSE(file->has("ENC-TRAILGARBAGE")) << c.what;
    EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42") << c.what;
    EXPECT_NE(file->dataset.find(tag(0x7FE0, 0x0010)), nullptr) << c.what;
  }
}

TEST(Sequences, GoOnWhereTheDelimiterOfAnItemIsMissing) {
  const std::string open_item = "\xFE\xFF\x00\xE0\xFF\xFF\xFF\xFF"s;
  const std::string end = "\xFE\xFF\xDD\xE0\0\0\0\0"s;
  const std::string uid = uid_in(kLittle);
  const std::string bytes =
      image_with(raw(kSeries, "SQ\0\0\xFF\xFF\xFF\xFF"s, open_item + uid + open_item + uid + item_of(uid) + end));
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->has("ENC-SEQDELIM"));
  EXPECT_FALSE(file->has("ENC-LENOVER"));
  const auto elements = canonical_elements(file->dataset, Profile::strict);
  const auto sequence = std::ranges::find(elements, std::string("00081115"), &CanonicalElement::path);
  ASSERT_NE(sequence, elements.end());
  EXPECT_EQ(sequence->value, "3");
  EXPECT_EQ(file->dataset.text(tag(0x0010, 0x0020)), "42");
}

TEST(Sequences, DamagedAtEveryLevelAreGivenUpInBoundedTime) {
  std::string inner = "no items";
  for (int i = 0; i < 60; ++i) {
    const auto size = static_cast<std::uint32_t>(inner.size());
    std::string length;
    for (int k = 0; k < 4; ++k) length += static_cast<char>((size >> (8 * k)) & 0xFFU);
    inner = item_of(raw(kSeries, "SQ\0\0"s + length, inner));
  }
  const std::string bytes = image_with(DicomBuilder().raw(kSeries, "SQ", inner).str());
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  EXPECT_TRUE(file->has("ENC-LENOVER"));
}

TEST(Sequences, ThatCannotBeTakenApartAreNotWrittenInAnotherEncoding) {
  const std::string bytes = image_with(raw(kSeries, "SQ\0\0\x0E\0\0\0"s, "no items at al"));
  const auto file = parse_file(as_bytes(bytes));
  ASSERT_TRUE(file.has_value());
  const auto written = write_file(*file, Rewrite{"1.2.840.10008.1.2", {}, false});
  ASSERT_FALSE(written.has_value());
  EXPECT_NE(written.error().what.find("0008,1115"), std::string::npos);
}

}  // namespace
}  // namespace waybill::dicom
