// SPDX-License-Identifier: Apache-2.0
#include "hl7/message.hpp"
#include "hl7/escape.hpp"
#include "hl7/time.hpp"

#include <gtest/gtest.h>

namespace waybill::hl7 {
namespace {

Message parsed(std::string_view text) {
  Message m;
  const auto done = m.parse(text);
  EXPECT_TRUE(done) << (done ? "" : done.error().what);
  return m;
}

TEST(Hl7Message, NumbersFieldsAsHl7DoesAlsoInMsh) {
  const Message m = parsed("MSH|^~\\&|APP|FAC|||20240102||ADT^A08|17|P|2.5\rPID|1||4711^^^HOSP&1.2.3&ISO^MR");

  EXPECT_EQ(m.field("MSH", 1), "|");
  EXPECT_EQ(m.field("MSH", 2), "^~\\&");
  EXPECT_EQ(m.field("MSH", 3), "APP");
  EXPECT_EQ(m.field("MSH", 10), "17");
  EXPECT_EQ(m.field("MSH", 12), "2.5");
  EXPECT_EQ(m.field("MSH", 13), "");
  EXPECT_EQ(m.subcomponent(m.component(m.field("PID", 3), 4), 2), "1.2.3");
  EXPECT_EQ(m.field("PV1", 2), "");
}

TEST(Hl7Message, TakesCrLfAndCrLfMixedAndBlankLinesAndIndentation) {
  const Message m = parsed("MSH|^~\\&|A\r\nPID|1\n\n  PV1|2\rZZ1|x");

  ASSERT_EQ(m.size(), 4U);
  EXPECT_EQ(m.field("PID", 1), "1");
  EXPECT_EQ(m.field("PV1", 1), "2");
  EXPECT_EQ(m.field("ZZ1", 1), "x");
}

TEST(Hl7Message, GivesALineThatBeginsNoSegmentToTheFieldBeforeIt) {
  const Message m = parsed("MSH|^~\\&|A\rOBX|1|TX|N||first line\nsecond line, with | in it\nThe end|F\rNTE|1");

  ASSERT_EQ(m.size(), 3U);
  EXPECT_EQ(m.field("OBX", 5), "first line\nsecond line, with ");
  EXPECT_EQ(m.field("OBX", 7), "F");
  EXPECT_EQ(m.field("NTE", 1), "1");
}

TEST(Hl7Message, FollowsTheSeparatorsOfMsh) {
  const Message m = parsed("MSH@~&#\\@APP@FAC@@@2024@@ADT~A01@9\rPID@1@@4711~~~HOSP\\1.2~MR&8@@Do#F#e~J");

  EXPECT_EQ(m.component(m.field("PID", 3), 1), "4711");
  EXPECT_EQ(m.subcomponent(m.component(m.repetitions(m.field("PID", 3))[0], 4), 2), "1.2");
  EXPECT_EQ(m.repetitions(m.field("PID", 3)).size(), 2U);
  EXPECT_EQ(m.value(m.component(m.field("PID", 5), 1)), "Do@e");
}

TEST(Hl7Message, TakesAShortAnEmptyAndALongMsh2) {
  EXPECT_EQ(parsed("MSH|^~|A\rPID|1||x^y&z").component("x^y&z", 2), "y&z");
  EXPECT_EQ(parsed("MSH|^~|A\rPID|1").delimiters().escape, '\0');
  EXPECT_EQ(parsed("MSH|^~\\&#|A\rPID|1").delimiters().subcomponent, '&');
  EXPECT_EQ(parsed("MSH||A\rPID|1").delimiters().component, '^');
  EXPECT_EQ(parsed("MSH|^~\\\\&|A\rPID|1").delimiters().subcomponent, '&');
}

TEST(Hl7Message, RefusesSeparatorsWithTwoMeaningsAndAHeaderWithoutAny) {
  Message m;
  EXPECT_FALSE(m.parse("MSH|&&&&|A|B\rPID|1"));
  EXPECT_FALSE(m.parse("MSH"));
  EXPECT_FALSE(m.parse("MSH|^~"));
  EXPECT_FALSE(m.parse("MSH|^~\\&"));
  EXPECT_FALSE(m.parse("MSHA^~\\&AxA"));
  EXPECT_FALSE(m.parse("PID|1"));
  EXPECT_FALSE(m.parse(""));
}

TEST(Hl7Message, TellsTheNullValueFromAnEmptyField) {
  const Message m = parsed("MSH|^~\\&|A\rPID|\"\"||x");

  EXPECT_TRUE(is_null(m.field("PID", 1)));
  EXPECT_FALSE(is_null(m.field("PID", 2)));
  EXPECT_EQ(m.value(m.field("PID", 1)), "");
}

TEST(Hl7Message, FindsSegmentsInLowerCase) {
  const Message m = parsed("MSH|^~\\&|A\rpid|1||77\rPID|2||88");

  EXPECT_EQ(m.field("PID", 3), "77");
  EXPECT_EQ(m.find("PID", 2), 2U);
  EXPECT_EQ(m.find("MRG"), std::nullopt);
}

TEST(Hl7Message, ResolvesEscapesAfterSplitting) {
  const Delimiters d;
  EXPECT_EQ(unescape("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", d, "UTF-8"), "a|b^c&d~e\\f");
  EXPECT_EQ(unescape("x\\X0D\\y\\X0D0A\\z", d, "UTF-8"), "x\ry\r\nz");
  EXPECT_EQ(unescape("\\H\\bold\\N\\ and\\.br\\new\\.sp2\\two\\.in+4\\", d, "UTF-8"), "bold and\nnew\n\ntwo");
  EXPECT_EQ(unescape("OPERA\\XC7\\\\XC3\\O", d, "ISO-8859-1"), "OPERA\xC3\x87\xC3\x83O");
  EXPECT_EQ(unescape("M\\XC3BC\\ller", d, "ISO-8859-1"), "M\xC3\xBCller");
}

TEST(Hl7Message, LeavesUnknownAndUnterminatedSequencesAsTheyAre) {
  const Delimiters d;
  EXPECT_EQ(unescape("50\\% of C:\\temp", d, "UTF-8"), "50\\% of C:\\temp");
  EXPECT_EQ(unescape("a\\Zmine\\b", d, "UTF-8"), "a\\Zmine\\b");
  EXPECT_EQ(unescape("open\\F", d, "UTF-8"), "open\\F");
  EXPECT_EQ(unescape("\\X0\\\\XZZ\\\\", d, "UTF-8"), "\\X0\\\\XZZ\\\\");
  EXPECT_EQ(unescape("a\\b\\F\\c", d, "UTF-8"), "a\\b|c");
}

TEST(Hl7Message, WritesWhatItReads) {
  const Delimiters d;
  const std::string text = "a|b^c~d\\e&f\r\ng";
  EXPECT_EQ(unescape(escape(text, d), d, "UTF-8"), text);
  EXPECT_EQ(escape(text, d).find_first_of("|^~&\r\n"), std::string::npos);
}

TEST(Hl7Message, SurvivesAHundredThousandRepetitions) {
  std::string text = "MSH|^~\\&|A\rPID|1||";
  for (int i = 0; i < 100000; ++i) text += "x~";
  const Message m = parsed(text);

  EXPECT_EQ(m.repetitions(m.field("PID", 3)).size(), 100001U);
}

TEST(Hl7Time, ReadsEveryPrecisionAndZone) {
  EXPECT_EQ(parse_time("19700101"), 0);
  EXPECT_EQ(parse_time("1970"), 0);
  EXPECT_EQ(parse_time("19700101000001.5"), 1500000);
  EXPECT_EQ(parse_time("19700101000001500"), 1500000);
  EXPECT_EQ(parse_time("197001010200+0200"), 0);
  EXPECT_EQ(parse_time("19691231190000-0500"), 0);
  EXPECT_EQ(parse_time("2025-01-15T14:30:00"), parse_time("20250115143000"));
  EXPECT_EQ(parse_time("2025-01-15T14:30:00-05:00"), parse_time("20250115193000"));
  EXPECT_EQ(parse_time("20250115 14:30"), parse_time("20250115143000"));
  EXPECT_EQ(parse_time("20250115T143000Z"), parse_time("20250115143000"));
  EXPECT_EQ(parse_time("20250115143000+02"), parse_time("20250115123000"));
  EXPECT_EQ(parse_time("20250115240000"), parse_time("20250116"));
  EXPECT_LT(*parse_time("20250115"), *parse_time("20250115000001"));
}

TEST(Hl7Time, RefusesWhatIsNoDate) {
  for (const char* text : {"", "soon", "20251340", "20250230", "202501151", "20250115+99", "20250115143000+9900",
                           "20250115240001", "20250115256000", "15.01.2025"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  EXPECT_EQ(date_and_time("20250115143059.123+0100").date, "20250115");
  EXPECT_EQ(date_and_time("20250115143059.123+0100").time, "143059");
  EXPECT_EQ(date_and_time("202501151430").time, "143000");
  EXPECT_EQ(date_and_time("2025").date, "");
}

TEST(Hl7Message, AValueIsOneLineWhateverStandsBehindTheLastSegment) {
  const std::string text = "MSH|^~\\&|A\rMRG|77^^^H^MR\n# end of file\n\x1A";
  Message m;
  ASSERT_TRUE(m.parse(text));
  EXPECT_EQ(m.value(m.component(m.field("MRG", 1), 5)), "MR");
  EXPECT_EQ(m.value("\t 77\x01\t"), "77");
}

TEST(Hl7Message, TellsTypeAndTriggerHoweverTheyAreWritten) {
  const auto type = [](const std::string& msh9, const std::string& more = "") {
    const std::string text = "MSH|^~\\&|A|F|||2024||" + msh9 + "|1|P|2.5\r" + more;
    Message m;
    EXPECT_TRUE(m.parse(text));
    const Type t = type_of(m);
    return t.code + " " + t.trigger;
  };
  EXPECT_EQ(type("ADT^A40^ADT_A39"), "ADT A40");
  EXPECT_EQ(type(" adt ^a40"), "ADT A40");
  EXPECT_EQ(type("ADT_A40"), "ADT A40");
  EXPECT_EQ(type("ADT", "EVN|A40|2024\r"), "ADT A40");
  EXPECT_EQ(type("ADT^^ADT_A39", "EVN|A40|2024\r"), "ADT A40");
  EXPECT_EQ(type(""), " ");
}

TEST(Hl7Message, ReadsAMessageInLowerCaseAndSegmentsBehindControlCharacters) {
  const std::string text = std::string("msh|^~\\&|A\r") + '\0' + "pid|1||77\r\fpv1|1\r";
  Message m;
  ASSERT_TRUE(m.parse(text));
  ASSERT_EQ(m.size(), 3U);
  EXPECT_EQ(m.field("PID", 3), "77");
  EXPECT_EQ(m.field("MSH", 3), "A");
}

}  // namespace
}  // namespace waybill::hl7
