// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "core/bytes.hpp"

#include <gtest/gtest.h>

namespace waybill {
namespace {

TEST(Utf8, AcceptsTheFirstAndLastCharacterOfEveryLength) {
  for (const char* good : {"", "\x01", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << to_hex(as_bytes(good));
    EXPECT_EQ(repair_utf8(good), good);
  }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesCutSequencesAndWhatIsBeyondUnicode) {
  for (const char* bad :
       {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    EXPECT_FALSE(is_utf8(bad)) << to_hex(as_bytes(bad));
    EXPECT_TRUE(is_utf8(repair_utf8(bad))) << to_hex(as_bytes(bad));
  }
}

TEST(Utf8, RepairReplacesOnlyTheBytesThatAreWrong) {
  EXPECT_EQ(repair_utf8("a\xC2z\xE2\x82\xACq\xFF"), "a\xEF\xBF\xBDz\xE2\x82\xACq\xEF\xBF\xBD");
}

TEST(PathText, GivesEveryByteStringBack) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& path : {all, std::string("/a/b.dcm"), std::string("%41"), std::string("%"), std::string("%2"),
                                  std::string("/caf\xC3\xA9/caf\xE9"), std::string("a\nb%0A")}) {
    const std::string text = path_to_text(path);
    EXPECT_EQ(path_from_text(text), path) << text;
    EXPECT_TRUE(is_utf8(text));
    for (const char c : text) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F) << text;
  }
}

TEST(PathText, KeepsReadableNamesAsTheyAre) {
  EXPECT_EQ(path_to_text("/archive/Müller/image 1.dcm"), "/archive/Müller/image 1.dcm");
  EXPECT_EQ(path_to_text("a%b\xFF\x1B"), "a%25b%FF%1B");
}

TEST(PathText, TwoNamesNeverShareAText) { EXPECT_NE(path_to_text("a%FF"), path_to_text("a\xFF")); }

TEST(Trim, TakesSpacesAndNulsFromBothEndsOnly) {
  using namespace std::string_view_literals;
  EXPECT_EQ(trim(" \0 a b\0 "sv), "a b");
  EXPECT_EQ(trim("\ta"), "\ta");
  EXPECT_EQ(trim(" \0"sv), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Split, GivesOnePartMoreThanThereAreSeparators) {
  EXPECT_EQ(split("a\\b", '\\'), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(split("\\", '\\'), (std::vector<std::string_view>{"", ""}));
  EXPECT_EQ(split("", '\\'), (std::vector<std::string_view>{""}));
}

TEST(Hex, RoundTripsAndRefusesWhatIsNoHex) {
  Bytes all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<std::byte>(c));
  EXPECT_EQ(from_hex(to_hex(all)), all);
  EXPECT_EQ(to_hex(as_bytes("\x0f\xa0")), "0fa0");
  EXPECT_EQ(from_hex("0FA0"), from_hex("0fa0"));
  EXPECT_TRUE(from_hex("abc").empty());
  EXPECT_TRUE(from_hex("zz").empty());
}

TEST(Integers, AreReadInBothByteOrders) {
  const Bytes b = from_hex("0102030405060708");
  EXPECT_EQ(load_u16(b.data()), 0x0201U);
  EXPECT_EQ(load_u16(b.data(), true), 0x0102U);
  EXPECT_EQ(load_u32(b.data()), 0x04030201U);
  EXPECT_EQ(load_u32(b.data(), true), 0x01020304U);
  EXPECT_EQ(load_u64(b.data()), 0x0807060504030201U);
  EXPECT_EQ(load_u64(b.data(), true), 0x0102030405060708U);
  Bytes out;
  put_u64(out, 0x0807060504030201U);
  EXPECT_EQ(out, b);
}

}  // namespace
}  // namespace waybill
