// SPDX-License-Identifier: Apache-2.0
#include "ris/traps.hpp"

#include "core/result.hpp"
#include "ris/read.hpp"
#include "support/folder.hpp"

#include <algorithm>

namespace waybill::ris {
namespace {

const std::string kHeader = "PATIENT_ID,LAST,FIRST,DOB,SEX,ACCESSION,MODALITY,STUDY_DATE,NUM_IMAGES\n";
const std::string kRow = "0017,Adler,Anna,19700203,F,A17,CT,20200304,3\n";

class RisTraps : public test::InFolder {
 protected:
  Mapping map(const std::string& text) {
    test::put(folder_ / "map.toml", text);
    return Mapping::read(folder_ / "map.toml");
  }
  static std::string refusal(const std::string& bytes, const Mapping& mapping = {}) {
    try {
      (void)read_exams(bytes, {}, mapping);
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::input);
      return error.what();
    }
    return {};
  }
  /// The reason of the only bad row of a table with this row and a good one before and behind it.
  static std::string reason(const std::string& row, const Mapping& mapping = {}) {
    const auto table = read_exams(kHeader + kRow + row + "0018,Ober,Ute,19710203,F,A18,CT,20200305,1\n", {}, mapping);
    EXPECT_EQ(table.exams.size(), 2U);
    if (table.bad.size() != 1) return std::to_string(table.bad.size()) + " bad rows";
    EXPECT_EQ(table.bad[0].line, 3U);
    EXPECT_EQ(table.rows, table.exams.size() + table.repeated + table.bad.size());
    return table.bad[0].reason;
  }
  static bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
};

TEST_F(RisTraps, WhatASpreadsheetDoesToNumbersIsTold) {
  for (const char* id : {"1.2E+11", "1,2e+11", "12E+09"}) EXPECT_TRUE(shortened_by_spreadsheet(id)) << id;
  for (const char* id : {"1E5", "E+12", "12E+", "AE+12"}) EXPECT_FALSE(shortened_by_spreadsheet(id)) << id;
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,F,1.2E+11,CT,20200304,1\n"), "ACCESSION was shortened by a spreadsheet"));
  EXPECT_TRUE(holds(reason("1.2E+11,B,C,19700203,F,A9,CT,20200304,1\n"), "PATIENT_ID was shortened by a spreadsheet"));
}

TEST_F(RisTraps, NumbersTakenForDatesAreTold) {
  for (const char* id : {"12-Jan", "Jan-12", "3. Mrz", "Dez 99", "01-MAY", "2020-Oct"})
    EXPECT_TRUE(turned_into_date(id)) << id;
  for (const char* id : {"12-JANE", "A-12", "12-12", "CT-2020", "123-Jan", "Jan", "MAY-17-3"})
    EXPECT_FALSE(turned_into_date(id)) << id;
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,F,12-Jan,CT,20200304,1\n"), "ACCESSION was turned into a date"));
}

TEST_F(RisTraps, LostZerosAreToldWhenTheNumberOfDigitsIsKnown) {
  const auto mapping = map("[digits]\nPATIENT_ID = 4\n");
  EXPECT_TRUE(holds(reason("19,B,C,19700203,F,A9,CT,20200304,1\n", mapping), "PATIENT_ID has 2 digits instead of 4"));
}

TEST_F(RisTraps, LostZerosAreGuessedFromTheWholeColumn) {
  const auto remarks = [](unsigned first, unsigned last, unsigned step) {
    std::string bytes = "PATIENT_ID,ACCESSION\n";
    for (unsigned n = first; n < last; n += step) bytes += std::to_string(n) + ",X" + std::to_string(n) + "\n";
    return read_exams(bytes).remarks;
  };
  const auto found = remarks(1000, 100000, 499);  // one in eleven has four digits
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(holds(found[0], "PATIENT_ID: 19 numbers have fewer than the 5 digits"));
  EXPECT_TRUE(remarks(10000, 100000, 499).empty());
  EXPECT_TRUE(remarks(1000, 20000, 99).empty()) << "a numbering that has just grown by a digit";
}

TEST_F(RisTraps, DatesAsDayNumbersAndTurnedDatesAreTold) {
  EXPECT_TRUE(holds(reason("0019,B,C,25569,F,A9,CT,20200304,1\n"), "DOB is a day number of a spreadsheet"));
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,F,A9,CT,43894.42,1\n"), "STUDY_DATE is a day number"));
  EXPECT_TRUE(holds(reason("0019,B,C,03/04/1970,F,A9,CT,20200304,1\n"), "DOB is no date"));
  const auto table = read_exams("PATIENT_ID,ACCESSION,STUDY_DATE\n1,A1,03/04/2020\n2,A2,04/25/2020\n3,A3,99/99/2020\n",
                                {}, map("[formats]\nSTUDY_DATE = \"DD/MM/YYYY\"\n"));
  ASSERT_EQ(table.bad.size(), 2U);
  EXPECT_TRUE(holds(table.bad[0].reason, "only with day and month exchanged"));
  EXPECT_TRUE(holds(table.bad[1].reason, "does not fit DD/MM/YYYY"));
  ASSERT_EQ(table.remarks.size(), 1U);
  EXPECT_TRUE(holds(table.remarks[0], "the others may be turned as well"));
}

TEST_F(RisTraps, LineBreaksAndSeparatorsInCellsAreTold) {
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,F,A9,CT,20200304,1,x\n"), "a separator may stand in a cell"));
  const auto table = read_exams(kHeader + kRow + "0019,B\nB,C,19700203,F,A9,CT,20200304,1\n" +
                                "0020,\"D\nD\",E,19700203,F,A10,CT,20200304,1\n");
  ASSERT_EQ(table.bad.size(), 3U);
  EXPECT_TRUE(holds(table.bad[0].reason, "a line break may stand in a cell without quotes"));
  EXPECT_EQ(table.bad[2].line, 5U);
  EXPECT_TRUE(holds(table.bad[2].reason, "LAST holds a backslash or control character"));
}

TEST_F(RisTraps, MixedColumnsAreTold) {
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,19700203,A9,CT,20200304,1\n"), "SEX holds what is no sex"));
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,F,A9,2020-03-04,20200304,1\n"), "MODALITY holds a date"));
  EXPECT_TRUE(holds(reason("0019,B,C,19700203,F,1.2.840.113619.2.55,CT,20200304,1\n"), "ACCESSION holds a UID"));
  EXPECT_TRUE(holds(reason("0019,1970-02-03,C,19700203,F,A9,CT,20200304,1\n"), "LAST holds a date"));
}

TEST_F(RisTraps, AHeaderThatComesAgainIsTold) {
  EXPECT_TRUE(holds(reason(kHeader), "the header line stands here again"));
  EXPECT_TRUE(refusal(kHeader + kRow + kHeader, map("[control]\nrows = 1\n")).empty()) << "it is no row of the promise";
}

TEST_F(RisTraps, TextsCutAtAColumnsWidthAreRemarked) {
  std::string bytes = kHeader;
  for (const char* n : {"1", "2", "3"})
    bytes += std::string("001") + n + ",Hohenlohe-Waldenburg,Anna,19700203,F,A" + n + ",CT,20200304,1\n";
  EXPECT_TRUE(read_exams(bytes).remarks.empty()) << "one long name of several exams is nothing";
  for (const char* name : {"Hohenlohe-Langenburg", "Hohenlohe-Öhringen-Si"})
    bytes += "0020," + std::string(name).substr(0, 20) + ",Anna,19700203,F,B" + name + ",CT,20200304,1\n";
  EXPECT_TRUE(read_exams(bytes).remarks.empty()) << "characters are counted, not bytes";
  bytes += "0021,Sayn-Wittgenstein-Be,Anna,19700203,F,B9,CT,20200304,1\n";
  const auto table = read_exams(bytes);
  ASSERT_EQ(table.remarks.size(), 1U);
  EXPECT_TRUE(holds(table.remarks[0], "LAST: several texts have exactly 20 characters"));
  EXPECT_TRUE(read_exams(bytes + "0019,Hohenlohe-Waldenburger,A,19700203,F,A9,CT,20200304,1\n").remarks.empty());
}

TEST_F(RisTraps, ATrailerIsNoRowAndItsCountIsCompared) {
  for (const char* trailer : {"TRAILER,1\n", "(1 row)\n", "1 rows selected.\n", "Total,,,,,,,,1\n", "\"Summe: 1\"\n"}) {
    const auto table = read_exams(kHeader + kRow + trailer);
    EXPECT_EQ(table.rows, 1U) << trailer;
    EXPECT_TRUE(table.bad.empty()) << trailer;
    EXPECT_TRUE(table.control) << trailer;
  }
  EXPECT_TRUE(holds(refusal(kHeader + kRow + "TRAILER,1.204\n"), "1 rows, 1204 by the control total"));
  EXPECT_EQ(count_of_trailer({"0017", "Total", "Anna", "19700203"}), std::nullopt) << "a person may be named so";
  EXPECT_FALSE(read_exams(kHeader + kRow).control);
}

TEST_F(RisTraps, WhatTheExporterPromisedIsCompared) {
  const std::string bytes = kHeader + kRow + "0018,Ober,Ute,19710203,F,A18,CT,20200305,1\n";
  const auto check = [&](const std::string& control) { return refusal(bytes, map("[control]\n" + control + "\n")); };
  EXPECT_EQ(check("rows = 2\nimages = 4\nfirst_date = \"2020-03-04\"\nlast_date = \"2020-03-05\"\nsha256 = \"" +
                  Sha256::of(bytes).hex() + "\""),
            "");
  EXPECT_TRUE(holds(check("rows = 3"), "2 rows, 3 by the control total"));
  EXPECT_TRUE(holds(check("images = 5"), "4 images in NUM_IMAGES, 5"));
  EXPECT_TRUE(holds(check("first_date = \"2020-03-03\""), "the first STUDY_DATE is 20200304"));
  EXPECT_TRUE(holds(check("last_date = \"2020-03-06\""), "the last STUDY_DATE is 20200305"));
  EXPECT_TRUE(holds(check("sha256 = \"" + std::string(64, '0') + "\""), "SHA-256 differs"));
  EXPECT_TRUE(holds(check("required = true"), "a control total is required"));
  EXPECT_EQ(check("required = true\nrows = 2"), "");
}

TEST_F(RisTraps, ATableThatEndsWhereSpreadsheetsCutIsRefused) {
  std::string bytes = "PATIENT_ID,ACCESSION\n";
  for (unsigned n = 1; n < 65536; ++n) bytes += "1," + std::to_string(n) + "\n";
  EXPECT_TRUE(holds(refusal(bytes), "ends in row 65536, where spreadsheets cut"));
  EXPECT_EQ(refusal(bytes, map("[control]\nrows = 65535\n")), "");
  EXPECT_EQ(refusal(bytes + "1,65536\n1,65537\n"), "");
}

}  // namespace
}  // namespace waybill::ris
