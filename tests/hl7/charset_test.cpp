// SPDX-License-Identifier: Apache-2.0
#include "hl7/charset.hpp"
#include "hl7/message.hpp"

#include <gtest/gtest.h>
#include <iconv.h>

namespace waybill::hl7 {
namespace {

/// What another program would write: UTF-8 brought to a character set by iconv.
std::string encoded(const std::string& utf8, const char* charset) {
  const iconv_t cd = iconv_open(charset, "UTF-8");
  EXPECT_NE(cd, iconv_t(-1)) << charset;
  std::string in = utf8, out(utf8.size() * 4 + 16, '\0');
  char *from = in.data(), *to = out.data();
  std::size_t left = in.size(), room = out.size();
  EXPECT_EQ(iconv(cd, &from, &left, &to, &room), 0U) << charset;
  iconv(cd, nullptr, nullptr, &to, &room);
  iconv_close(cd);
  out.resize(out.size() - room);
  return out;
}

std::string message_with(const std::string& msh18, const std::string& name) {
  return "MSH|^~\\&|A|B|C|D|20240101||ADT^A08|1|P|2.5||||||" + msh18 + "\rPID|1||77||" + name + "^X\rPV1|1\r";
}

std::string name_of(const std::string& message, std::string* note = nullptr) {
  Decoder decoder;
  const Decoded decoded = decoder.decode(message);
  if (note != nullptr) *note = decoded.note;
  Message m;
  EXPECT_TRUE(m.parse(decoded.text));
  m.set_charset(decoded.charset);
  EXPECT_EQ(m.size(), 3U);
  EXPECT_EQ(m.component(m.field("PID", 5), 2), "X");
  return m.value(m.component(m.field("PID", 5), 1));
}

TEST(Hl7Charset, DoesNotCopyPlainAscii) {
  const std::string text = message_with("", "DOE");
  Decoder decoder;
  EXPECT_EQ(decoder.decode(text).text.data(), text.data());
}

TEST(Hl7Charset, ReadsEverySetThatMsh18Names) {
  const struct {
    const char *msh18, *charset, *name;
  } cases[] = {{"8859/1", "ISO-8859-1", "Müller"},
               {"8859/2", "ISO-8859-2", "Wałęsa"},
               {"8859/5", "ISO-8859-5", "Иванов"},
               {"8859/7", "ISO-8859-7", "Παπαδόπουλος"},
               {"8859/9", "ISO-8859-9", "Işık"},
               {"8859/15", "ISO-8859-15", "Lœb"},
               {"UNICODE UTF-8", "UTF-8", "Żółć"},
               {"GB 18030-2000", "GB18030", "诸葛亮"},
               {"BIG-5", "BIG5", "許功蓋"},
               {"KS X 1001", "EUC-KR", "김희중"},
               {"~ISO IR87", "ISO-2022-JP", "山田太郎"},
               {"~ISOIR87", "ISO-2022-JP", "ソ能表"}};
  for (const auto& c : cases) {
    std::string note;
    EXPECT_EQ(name_of(message_with(c.msh18, encoded(c.name, c.charset)), &note), c.name) << c.msh18;
    EXPECT_EQ(note, "") << c.msh18;
  }
}

TEST(Hl7Charset, FindsSeparatorBytesInsideCharacters) {
  // Each holds bytes of | ^ ~ \ & somewhere: that is the point of the test, so make sure of it.
  for (const auto& [msh18, charset, name] :
       {std::tuple{"BIG-5", "BIG5", "功蓋珮育"}, std::tuple{"GB 18030-2000", "GB18030", "亅亊亪"},
        std::tuple{"~ISO IR87", "ISO-2022-JP", "時寺滋治"}}) {
    const std::string bytes = encoded(name, charset);
    ASSERT_NE(bytes.find_first_of("|^~\\&"), std::string::npos) << charset;
    EXPECT_EQ(name_of(message_with(msh18, bytes)), name) << charset;
  }
}

TEST(Hl7Charset, BelievesTheBytesWhereMsh18Lies) {
  std::string note;
  EXPECT_EQ(name_of(message_with("8859/1", "Müller"), &note), "Müller");
  EXPECT_NE(note.find("the text is UTF-8"), std::string::npos);
  EXPECT_EQ(name_of(message_with("UNICODE UTF-8", "M\xFCller"), &note), "Müller");
  EXPECT_NE(note.find("CP1252"), std::string::npos);
  EXPECT_EQ(name_of(message_with("", "M\xFCller"), &note), "Müller");
  EXPECT_EQ(name_of(message_with("ISO IR 999", "M\xFCller"), &note), "Müller");
  EXPECT_NE(note.find("unknown"), std::string::npos);
}

TEST(Hl7Charset, FollowsTheSetsSwitchedByHl7Escapes) {
  // \M2442\ is ESC $ B, \C2842\ is ESC ( B, \C2D41\ is ESC - A; the bytes between are those of the set.
  const std::string jis = encoded("山田", "ISO-2022-JP");
  const std::string pairs = jis.substr(3, jis.size() - 6);
  EXPECT_EQ(name_of(message_with("", "\\M2442\\" + pairs + "\\C2842\\ Taro")), "山田 Taro");
  EXPECT_EQ(name_of(message_with("", "\\C2D41\\M\xFCller")), "Müller");
  EXPECT_EQ(name_of(message_with("", "\\C2D42\\Wa\xB3\xEAsa")), "Wałęsa");
  EXPECT_EQ(name_of(message_with("", "\\M242843\\" + std::string("\x31\x68") + "\\C2842\\")), "김");
}

TEST(Hl7Charset, ReadsHalfWidthKatakanaAndSupplementaryKanji) {
  EXPECT_EQ(name_of(message_with("~ISO IR13", "\x1B(I\x2C\x50\x1B(B")), "ｬﾐ");
  EXPECT_EQ(name_of(message_with("~ISO IR159", "\x1B$(D\x30\x21\x1B(B")), "丂");
}

TEST(Hl7Charset, ALineEndBringsBackAscii) {
  const std::string text = "MSH|^~\\&|A||||||||||||||||~ISO IR87\rNTE|1||\x1B$B;3ED\rPID|1||77||DOE^X\r";
  Decoder decoder;
  Message m;
  ASSERT_TRUE(m.parse(decoder.decode(text).text));
  EXPECT_EQ(m.field("NTE", 3), "山田");
  EXPECT_EQ(m.field("PID", 5), "DOE^X");
}

TEST(Hl7Charset, MarksWhatCannotBeRead) {
  std::string note;
  EXPECT_NE(name_of(message_with("GB 18030-2000", "A\xFF\xFFZ"), &note).find("\xEF\xBF\xBD"), std::string::npos);
  EXPECT_NE(note, "");
  EXPECT_NE(name_of(message_with("~ISO IR87", "A\x1B%0Z"), &note).find("\xEF\xBF\xBD"), std::string::npos);
  EXPECT_NE(note, "");
}

TEST(Hl7Charset, KnowsTheNamesThatSystemsWriteInPlaceOfTheTables) {
  const struct {
    const char *msh18, *charset, *name;
  } cases[] = {{"ISO 8859-5", "ISO-8859-5", "Иванов"},
               {"ISO_IR 144", "ISO-8859-5", "Иванов"},
               {"8859/16", "ISO-8859-16", "Țurcanu"},
               {"Windows-1251", "CP1251", "Иванов"},
               {"cp1250", "CP1250", "Wałęsa"},
               {"CP850", "CP850", "Müller"},
               {"KOI8-R", "KOI8-R", "Иванов"},
               {"TIS-620", "CP874", "สมชาย"},
               {"GBK", "GBK", "朱镕基"},
               {"GB2312", "EUC-CN", "王小东"},
               {"EUC-KR", "EUC-KR", "김희중"},
               {"ISO 2022 IR 149", "EUC-KR", "김희중"},
               {"KS X 1001", "CP949", "김똠방"},
               {"SJIS", "CP932", "ソ能表"},
               {"EUC-JP", "EUC-JP", "山田"},
               {"JAS2020", "ISO-2022-JP", "山田"},
               {"ISO IR14~ISO IR87", "ISO-2022-JP", "山"},
               {"ISO IR14", "CP932", "ﾔﾏﾀﾞ"}};
  for (const auto& c : cases) {
    std::string note;
    EXPECT_EQ(name_of(message_with(c.msh18, encoded(c.name, c.charset)), &note), c.name) << c.msh18;
    EXPECT_EQ(note, "") << c.msh18;
  }
}

TEST(Hl7Charset, LeavesTheSeparatorsOfAJapaneseMessageWhatTheyAre) {
  // Strict Shift JIS has a yen sign for the backslash and an overline for the tilde.
  Decoder decoder;
  Message m;
  ASSERT_TRUE(m.parse(decoder.decode(message_with("ISO IR14", "\xD4\xCF\xC0~A\\F\\B")).text));
  EXPECT_EQ(m.repetitions(m.field("PID", 5)).size(), 2U);
}

TEST(Hl7Charset, BelievesTheBytesWhereMsh18NamesASetThatIsEasilyTakenForAnother) {
  std::string note;
  EXPECT_EQ(name_of(message_with("~ISO IR87", encoded("山田表", "CP932")), &note), "山田表");
  EXPECT_NE(note.find("CP932"), std::string::npos);
  EXPECT_EQ(name_of(message_with("8859/1", encoded("O’Šea", "CP1252")), &note), "O’Šea");
  EXPECT_NE(note.find("CP1252"), std::string::npos);
  EXPECT_EQ(name_of(message_with("ASCII", "M\xFCller"), &note), "Müller");
  EXPECT_NE(note.find("ASCII"), std::string::npos);
}

TEST(Hl7Charset, ShortEastAsianTextThatLooksLikeUtf8IsWhatMsh18Says) {
  // In EUC-KR the one character is C3 B6, in UTF-8 these bytes are an o with diaeresis.
  EXPECT_EQ(name_of(message_with("KS X 1001", encoded("철", "EUC-KR"))), "철");
  EXPECT_EQ(name_of(message_with("GB 18030-2000", encoded("谭", "GB18030"))), "谭");
  EXPECT_EQ(name_of(message_with("GB 18030-2000", "谭")), "谭");
  EXPECT_EQ(name_of(message_with("8859/1", "ö")), "ö");
}

TEST(Hl7Charset, AValueThatIsCutWithinACharacterDoesNotMakeTheMessageLatin) {
  std::string note;
  EXPECT_EQ(name_of(message_with("UNICODE UTF-8", "Müller Łó\xC5"), &note), "Müller Łó\xEF\xBF\xBD");
  EXPECT_NE(note.find("not UTF-8"), std::string::npos);
}

TEST(Hl7Charset, FollowsShiftOutAndShiftIn) {
  EXPECT_EQ(name_of(message_with("ISO 2022 IR 149", "\x1B$)C\x0E\x31\x68\x48\x71\x0F")), "김희");
  EXPECT_EQ(name_of(message_with("", "A\x0EZ")), "A\x0EZ");
}

TEST(Hl7Charset, HalfACharacterDoesNotSwallowTheShiftBehindIt) {
  const std::string jis = encoded("山田", "ISO-2022-JP");
  const std::string pairs = jis.substr(3, jis.size() - 6);
  std::string note;
  EXPECT_EQ(name_of(message_with("", "\\M2442\\" + pairs + "C\\C2842\\ Taro"), &note), "山田\xEF\xBF\xBD Taro");
  EXPECT_FALSE(note.empty());
  EXPECT_EQ(name_of(message_with("", "\\M2442\\0\\\\C2842\\")), "移") << "its second byte is the escape character";
}

}  // namespace
}  // namespace waybill::hl7
