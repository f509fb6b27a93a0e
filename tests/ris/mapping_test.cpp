// SPDX-License-Identifier: Apache-2.0
#include "ris/mapping.hpp"

#include "core/result.hpp"
#include "ris/read.hpp"
#include "support/folder.hpp"

#include <iconv.h>
#include <cstdlib>

namespace waybill::ris {
namespace {

class RisMapping : public test::InFolder {
 protected:
  Mapping map(const std::string& text) {
    test::put(folder_ / "map.toml", text);
    return Mapping::read(folder_ / "map.toml");
  }
  template <typename F>
  static RunError error_of(const F& act) {
    try {
      (void)act();
    } catch (const RunError& error) {
      return error;
    }
    return {Exit::ok, ""};
  }
  std::string refusal(const std::string& text) {
    const auto error = error_of([&] { return map(text); });
    EXPECT_EQ(error.exit(), Exit::usage) << text;
    return error.what();
  }
};

std::string in_code_page(const char* name, std::string text) {
  const iconv_t cd = iconv_open(name, "UTF-8");
  std::string out(text.size() * 4 + 4, '\0');
  char *in = text.data(), *to = out.data();
  std::size_t left = text.size(), room = out.size();
  EXPECT_NE(iconv(cd, &in, &left, &to, &room), static_cast<std::size_t>(-1)) << name;
  iconv_close(cd);
  out.resize(out.size() - room);
  return out;
}

TEST_F(RisMapping, TheShippedExampleReadsAnExportOfItsKind) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  if (source == nullptr) GTEST_SKIP() << "WAYBILL_SOURCE is not set";
  auto mapping = Mapping::read(std::filesystem::path(source) / "manifests/examples/ris-map.toml");
  EXPECT_TRUE(mapping.control.required);
  mapping.control.rows = 2;
  const auto table = read_exams(
      in_code_page(
          "CP1252",
          "PatNr;Mandant;Patient;Geburtsdatum;Geschlecht;Auftragsnr;Geraet;Untersuchung;Status;Bilder;Bemerkung\r\n"
          "00000017;HAUS;Müller, Änne;5.2.1970;w;0001234;CT;4.3.2020 9:05;durchgeführt;12;\r\n"
          "00000018;HAUS;Weiß, Jörg;6.2.1970;m;0001235;MR;4.3.2020 10:05;storniert;;x\r\n"),
      {}, mapping);
  ASSERT_EQ(table.exams.size(), 2U) << (table.bad.empty() ? "" : table.bad[0].reason);
  const match::Exam& e = table.exams[0];
  EXPECT_EQ(e.patient_id, "00000017");
  EXPECT_EQ(e.issuer, "HAUS");
  EXPECT_EQ(e.last, "Müller");
  EXPECT_EQ(e.first, "Änne");
  EXPECT_EQ(e.birth_date, "19700205");
  EXPECT_EQ(e.sex, "F");
  EXPECT_EQ(e.study_date, "20200304");
  EXPECT_EQ(e.study_time, "090500");
  EXPECT_EQ(e.images, 12U);
  EXPECT_EQ(e.state, match::ExamState::performed);
  EXPECT_EQ(table.exams[1].state, match::ExamState::cancelled);
  EXPECT_TRUE(table.control);
}

TEST_F(RisMapping, TheSameTableInEveryCodePageGivesTheSameExams) {
  const std::string text = "PATIENT_ID;LAST;ACCESSION\n17;Müller;A1\n";
  const auto last = [](const std::string& bytes, const Mapping& mapping) {
    const auto table = read_exams(bytes, {}, mapping);
    return table.exams.size() == 1 ? table.exams[0].last.str() : std::string("?");
  };
  EXPECT_EQ(last(text, {}), "Müller");
  EXPECT_EQ(last("\xEF\xBB\xBF" + text, {}), "Müller");
  EXPECT_EQ(last(in_code_page("CP1252", text), {}), "Müller") << "what is not UTF-8 is read as CP1252";
  for (const char* name :
       {"windows-1252", "windows-1250", "iso-8859-1", "iso-8859-15", "cp850", "cp437", "utf-8", "utf-16"}) {
    const std::string bytes = in_code_page(std::string(name) == "utf-16" ? "UTF-16LE" : name, text);
    EXPECT_EQ(last(bytes, map("code_page = \"" + std::string(name) + "\"\n")), "Müller") << name;
  }
  EXPECT_EQ(last("\xFF\xFE" + in_code_page("UTF-16LE", text), {}), "Müller");
  EXPECT_EQ(last("\xFE\xFF" + in_code_page("UTF-16BE", text), {}), "Müller");
  EXPECT_EQ(last(in_code_page("UTF-16LE", text), {}), "Müller") << "without a mark";
  EXPECT_EQ(last(in_code_page("UTF-16BE", text), {}), "Müller");
}

TEST_F(RisMapping, BytesThatTheNamedCodePageDoesNotHaveAreRefused) {
  const auto refused = [&](const std::string& page, const std::string& bytes) {
    const auto error = error_of([&] { return read_exams(bytes, {}, map("code_page = \"" + page + "\"\n")); });
    EXPECT_EQ(error.exit(), Exit::input);
    return std::string(error.what());
  };
  const std::string start = "PATIENT_ID;LAST;ACCESSION\n17;M";
  EXPECT_NE(refused("utf-8", start + "\xFCller;A1\n").find("UTF-8"), std::string::npos);
  EXPECT_NE(refused("windows-1252", start + "\x81ller;A1\n").find("CP1252"), std::string::npos);
  const auto marked = error_of([&] { return read_exams("\xEF\xBB\xBF" + start + "\xFCller;A1\n"); });
  EXPECT_EQ(marked.exit(), Exit::input) << "a mark says UTF-8, the bytes do not";
}

TEST_F(RisMapping, AColumnThatTheTableDoesNotHaveIsNamed) {
  const auto error = error_of([&] {
    return read_exams("PID,ACC\n1,2\n", {}, map("[columns]\nPATIENT_ID = \"PID\"\nACCESSION = \"ACCNO\"\n"));
  });
  EXPECT_EQ(error.exit(), Exit::input);
  EXPECT_NE(std::string(error.what()).find("'ACCNO'"), std::string::npos);
  const auto twice = error_of([&] {
    return read_exams("PID,ACC,pid\n1,2,3\n", {}, map("[columns]\nPATIENT_ID = \"PID\"\nACCESSION = \"ACC\"\n"));
  });
  EXPECT_NE(std::string(twice.what()).find("twice"), std::string::npos);
}

TEST_F(RisMapping, ASeparatorThatIsNamedIsUsed) {
  const auto table = read_exams("PATIENT_ID|LAST|ACCESSION\n1|a,b,c|X\n", {}, map("separator = \"|\"\n"));
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.exams[0].last, "a,b,c");
}

TEST_F(RisMapping, WhatIsMisspeltIsRefusedWithItsLine) {
  EXPECT_NE(refusal("codepage = \"utf-8\"\n").find("line 1: unknown key"), std::string::npos);
  EXPECT_NE(refusal("code_page = \"ebcdic-at-es\"\n").find("not known"), std::string::npos);
  EXPECT_NE(refusal("separator = \":\"\n").find("line 1"), std::string::npos);
  EXPECT_NE(refusal("[columns]\nMRN = \"x\"\n").find("known are PATIENT_ID"), std::string::npos);
  EXPECT_NE(refusal("[columns]\nLAST = \"x\"\nFIRST = \"X\"\n").find("same column"), std::string::npos);
  EXPECT_NE(refusal("[columns]\nLAST = \" \"\n").find("names no column"), std::string::npos);
  EXPECT_NE(refusal("[formats]\nDOB = \"DD.MM.YY\"\n").find("is no format"), std::string::npos);
  EXPECT_NE(refusal("[formats]\nSTUDY_DATE = \"hh:mm\"\n").find("is no format"), std::string::npos);
  EXPECT_NE(refusal("[formats]\nLAST = \"x\"\n").find("unknown key"), std::string::npos);
  EXPECT_NE(refusal("[digits]\nACCESSION = 0\n").find("line 2"), std::string::npos);
  EXPECT_NE(refusal("[words]\nmale = [\"x\"]\nfemale = [\"X\"]\n").find("two lists"), std::string::npos);
  EXPECT_NE(refusal("[control]\nrows = -1\n").find("line 2"), std::string::npos);
  EXPECT_NE(refusal("[control]\nfirst_date = \"03/04/2020\"\n").find("no date"), std::string::npos);
  EXPECT_NE(refusal("[control]\nsha256 = \"abc\"\n").find("64 hex digits"), std::string::npos);
}

}  // namespace
}  // namespace waybill::ris
