// SPDX-License-Identifier: Apache-2.0
#include "dicom/charset.hpp"

#include <gtest/gtest.h>

namespace waybill::dicom {
namespace {

std::string decode(std::string_view terms, std::string_view bytes) {
  bool ok = true;
  std::string text = Charset::from_terms(terms).decode(bytes, ok);
  return ok ? text : "undecodable";
}

TEST(Charset, DecodesTheExamplesOfTheStandard) {
  // PS3.5 H.3.1 (Japanese), I.2 (Korean), J.1 (Chinese)
  EXPECT_EQ(decode("\\ISO 2022 IR 87", "Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B"), "Yamada^Tarou=山田^太郎");
  EXPECT_EQ(decode("ISO 2022 IR 13\\ISO 2022 IR 87", "\xD4\xCF\xC0\xDE^\xC0\xDB\xB3"), "ﾔﾏﾀﾞ^ﾀﾛｳ");
  EXPECT_EQ(decode("\\ISO 2022 IR 149", "Hong^Gildong=\x1B$)C\xFB\xF3^\x1B$)C\xD1\xCE\xD4\xD7"),
            "Hong^Gildong=洪^吉洞");
  EXPECT_EQ(decode("ISO_IR 192", "Wang^XiaoDong=王^小東"), "Wang^XiaoDong=王^小東");
  EXPECT_EQ(decode("GB18030", "\xCD\xF5^\xD0\xA1\xB6\xAB"), "王^小东");
  EXPECT_EQ(decode("ISO_IR 100", "Buc^J\xE9r\xF4me"), "Buc^Jérôme");
  EXPECT_EQ(decode("ISO_IR 126", "\xC4\xE9\xEF\xED\xF5\xF3\xE9\xEF\xF2"), "Διονυσιος");
}

TEST(Charset, KnowsMisspeltTerms) {
  for (const char* term : {"ISO-IR 100", "ISO_IR_100", "ISO 8859-1", "LATIN1", "ISOIR100"}) {
    const Charset charset = Charset::from_terms(term);
    EXPECT_TRUE(charset.known()) << term;
    EXPECT_FALSE(charset.canonical()) << term;
    bool ok = true;
    EXPECT_EQ(charset.decode("\xE9", ok), "é") << term;
  }
  EXPECT_EQ(decode("ISO_IR 149", "\x1B$)C\xFB\xF3"), "洪");
  EXPECT_EQ(decode("ISO_IR 87", "\x1B$B;3ED\x1B(B"), "山田");
  EXPECT_EQ(decode("GB2312", "\xD5\xC5"), "张");
  EXPECT_FALSE(Charset::from_terms("KLINGON").known());
}

TEST(Charset, KeepsBytesItCannotDecodeAndSaysSo) {
  bool ok = true;
  EXPECT_EQ(Charset::from_terms("ISO_IR 192").decode("a\xFF", ok), "a\xFF");
  EXPECT_FALSE(ok);
}

TEST(Charset, ReadsUndeclaredBytesAsUtf8ElseLatin1ForDisplay) {
  EXPECT_EQ(Charset::from_terms("").decode_for_display("J\xC3\xB6rg"), "Jörg");
  EXPECT_EQ(Charset::from_terms("").decode_for_display("J\xF6rg"), "Jörg");
}

TEST(Charset, EncodesOnlyWhatItHolds) {
  EXPECT_EQ(Charset::from_terms("ISO_IR 100").encode("Jörg"), "J\xF6rg");
  EXPECT_EQ(Charset::from_terms("ISO_IR 100").encode("Łukasz"), std::nullopt);
  EXPECT_EQ(Charset::from_terms("").encode("Jörg"), std::nullopt);
  EXPECT_EQ(Charset::from_terms("\\ISO 2022 IR 87").encode("ASCII"), "ASCII");
}

}  // namespace
}  // namespace waybill::dicom
