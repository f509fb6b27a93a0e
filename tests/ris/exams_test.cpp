// SPDX-License-Identifier: Apache-2.0
#include "ris/read.hpp"

#include "core/result.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <random>

namespace waybill::ris {
namespace {

const std::string kHeader =
    "PATIENT_ID,ISSUER,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_UID,STUDY_DATE,STATUS,OTHER_IDS\n";

RunError error_of(const std::string& bytes, const std::vector<std::string>& ignored = {}) {
  try {
    static_cast<void>(read_exams(bytes, ignored));
  } catch (const RunError& error) {
    return error;
  }
  return {Exit::ok, ""};
}

TEST(ReadExams, TakesEveryColumn) {
  const auto table = read_exams(
      "patient_id;Issuer;LAST;FIRST;MIDDLE;DOB;SEX;ACCESSION;MODALITY;STUDY_UID;STUDY_DATE;STUDY_TIME;STATUS;OTHER_IDS;"
      "PROC_DESC;NUM_IMAGES\n"
      "0012;HOSP;Müller;Anna;M;05.02.1970;female;A-1;PT/CT;1.2.3;2020-03-04 10:00;9:05;COMPLETED;\"b2; a1\";Head;12\n");
  ASSERT_EQ(table.exams.size(), 1U);
  const match::Exam& e = table.exams[0];
  EXPECT_EQ(e.patient_id, "0012");
  EXPECT_EQ(e.birth_date, "19700205");
  EXPECT_EQ(e.sex, "F");
  EXPECT_EQ(e.classes, (std::vector<std::string>{"CT", "PT"}));
  EXPECT_EQ(e.study_date, "20200304");
  EXPECT_EQ(e.study_time, "090500");
  EXPECT_EQ(e.other_ids, (std::vector<std::string>{"A1", "B2"}));
  EXPECT_EQ(e.images, 12U);
  EXPECT_EQ(e.key, "A-1");
}

TEST(ReadExams, AnUnknownColumnIsNamedTogetherWithTheKnownOnes) {
  const auto error = error_of("PATIENT_ID,ACCESSION,FOO_BAR\n");
  EXPECT_EQ(error.exit(), Exit::usage);
  const std::string what = error.what();
  EXPECT_NE(what.find("FOO_BAR"), std::string::npos);
  EXPECT_NE(what.find("STUDY_UID"), std::string::npos);
  EXPECT_NE(what.find("--ignore-columns"), std::string::npos);
  EXPECT_EQ(read_exams("PATIENT_ID,ACCESSION,FOO_BAR\n1,2,3\n", {"foo_bar"}).exams.size(), 1U);
}

TEST(ReadExams, DataInPlaceOfAHeaderEndsTheRunAndIsNotShown) {
  const auto error = error_of("4711,SECRET,NAME1,19700203\n4712,OTHER,NAME2,19700203\n");
  EXPECT_EQ(error.exit(), Exit::input);
  const std::string what = error.what();
  EXPECT_NE(what.find("line of headings"), std::string::npos);
  for (const char* value : {"4711", "SECRET", "NAME1"}) EXPECT_EQ(what.find(value), std::string::npos) << what;
}

TEST(ReadExams, NamesInACodePageThatNobodyNamedAreBadRowsNotGarbledNames) {
  const auto table = read_exams(
      "PATIENT_ID,LAST,FIRST,ACCESSION\n1,Schr\x94"
      "der,Anna,A1\n2,Roe,J\x81rgen,A2\n3,O\x92"
      "Brien,Robert \x93"
      "Bob\x94,A3\n");
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.exams[0].last, "O\u2019Brien");
  ASSERT_EQ(table.bad.size(), 2U);
  for (const auto& row : table.bad) EXPECT_NE(row.reason.find("code page"), std::string::npos) << row.reason;
}

TEST(ReadExams, ARepeatedOrMissingColumnEndsTheRun) {
  EXPECT_NE(std::string(error_of("PATIENT_ID,DOB,ACCESSION,dob\n").what()).find("DOB twice"), std::string::npos);
  EXPECT_NE(std::string(error_of("ACCESSION\n").what()).find("PATIENT_ID"), std::string::npos);
  EXPECT_EQ(error_of("PATIENT_ID,DOB\n").exit(), Exit::input);
  EXPECT_EQ(error_of("").exit(), Exit::input);
}

TEST(ReadExams, EachBadRowIsAnExceptionWithItsLine) {
  const auto table = read_exams(kHeader +
                                "1,,A,B,19700101,M,X1,CT,,20200101,,\n"
                                ",,A,B,19700101,M,X2,CT,,20200101,,\n"            // 3: no patient
                                "1,,A,B,03/04/1970,M,X3,CT,,20200101,,\n"         // 4: day or month?
                                "1.2E+11,,A,B,19700101,M,X4,CT,,20200101,,\n"     // 5: a spreadsheet was here
                                "1,,A,B,19700101,M,,CT,,20200101,,\n"             // 6: neither accession nor UID
                                "1,,A,B,19700101,M,X6,CT,not-a-uid,20200101,,\n"  // 7
                                "1,,A,B,19700230,M,X7,CT,,20200101,,\n"           // 8: 30 February
                                "1,,A,B,19700101,M,X8\n"                          // 9: too few cells
                                "1,,A^C,B,19700101,M,X9,CT,,20200101,,\n"         // 10: would break a person name
                                "1,,A,B,19700101,M,X\\9,CT,,20200101,,\n"         // 11: would be two values
                                "2,,A,B,25569,M,X10,CT,,20200101,,\n"             // 12: a date turned into a number
                                "1,,A,B,19700101,M,X11,CT,,20200101,,\n");
  std::vector<std::size_t> lines;
  for (const auto& row : table.bad) lines.push_back(row.line);
  EXPECT_EQ(lines, (std::vector<std::size_t>{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(table.exams.size(), 2U);
  EXPECT_EQ(table.rows, table.exams.size() + table.repeated + table.bad.size());
}

TEST(ReadExams, ReasonsHoldNoValues) {
  const auto table = read_exams(kHeader + "SECRET^1,,A,B,DOB1970,M,X1,CT,,20200101,,\n");
  ASSERT_EQ(table.bad.size(), 1U);
  EXPECT_EQ(table.bad[0].reason.find("1970"), std::string::npos);
}

TEST(ReadExams, RowsOfOneExamAreOneExam) {
  const auto table = read_exams(kHeader +
                                "1,,A,B,19700101,M,X1,CT,,20200101,CANCELLED,\n"
                                "1,,A,B,19700101,M,x-1,PT,,20200101,COMPLETED,77\n");
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_EQ(table.repeated, 1U);
  EXPECT_EQ(table.exams[0].classes, (std::vector<std::string>{"CT", "PT"}));
  EXPECT_EQ(table.exams[0].state, match::ExamState::performed);
  EXPECT_FALSE(table.exams[0].disputed);
}

TEST(ReadExams, RowsThatContradictEachOtherAreDisputed) {
  const auto table = read_exams(kHeader + "1,,A,B,19700101,M,X1,CT,,,,\n1,,A,B,19800101,M,X1,CT,,,,\n");
  ASSERT_EQ(table.exams.size(), 1U);
  EXPECT_TRUE(table.exams[0].disputed);
}

TEST(ReadExams, LeadingZerosAreKept) {
  const auto table = read_exams(kHeader + "0012,,A,B,,M,X1,CT,,,,\n12,,A,B,,M,X1,CT,,,,\n");
  EXPECT_EQ(table.exams.size(), 2U);
}

TEST(ReadExams, TheOrderOfTheRowsDoesNotMatter) {
  std::vector<std::string> rows;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i % 25);
    rows.push_back(n + ",,L" + n + ",F,19700101,M,A" + std::to_string(i % 7) + ",CT,,2020010" +
                   std::to_string(i % 9 + 1) + ",,\n");
  }
  const auto keys = [&] {
    std::string bytes = kHeader, out;
    for (const auto& row : rows) bytes += row;
    for (const auto& e : read_exams(bytes).exams) out += e.key + "/" + e.patient_id + "/" + e.study_date + "|";
    return out;
  };
  const std::string expected = keys();
  std::mt19937 random(7);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(rows.begin(), rows.end(), random);
    EXPECT_EQ(keys(), expected);
  }
}

}  // namespace
}  // namespace waybill::ris
