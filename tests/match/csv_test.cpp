// SPDX-License-Identifier: Apache-2.0
#include "match/csv.hpp"

#include "core/csv.hpp"

#include "core/result.hpp"

#include <gtest/gtest.h>

namespace waybill::match {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows good_rows(const std::string& bytes) {
  CsvReader reader(bytes);
  Rows rows;
  for (CsvRow row; reader.next(row);)
    if (row.error.empty()) rows.push_back(row.cells);
  return rows;
}

TEST(CsvReader, ReadsQuotesCommasAndLineBreaksInsideQuotes) {
  EXPECT_EQ(good_rows("A,B\r\n\"x,1\",\"say \"\"hi\"\"\"\r\n\"two\nlines\",z\r\n"),
            (Rows{{"A", "B"}, {"x,1", "say \"hi\""}, {"two\nlines", "z"}}));
}

TEST(CsvReader, AcceptsEveryKindOfLineEndAndSkipsBlankLines) {
  const Rows expected = {{"A", "B"}, {"1", "2"}, {"3", ""}};
  EXPECT_EQ(good_rows("A,B\n1,2\n\n3,"), expected);
  EXPECT_EQ(good_rows("A,B\r\n1,2\r\n\r\n3,\r\n"), expected);
  EXPECT_EQ(good_rows("A,B\r1,2\r\r3,\r"), expected);
}

TEST(CsvReader, FindsTheSeparatorInTheFirstLine) {
  EXPECT_EQ(CsvReader("A;B;C,D\n").separator(), ';');
  EXPECT_EQ(CsvReader("A\tB\tC\n").separator(), '\t');
  EXPECT_EQ(CsvReader("\"A;B;C\",D\n").separator(), ',');
  EXPECT_EQ(good_rows("sep=;\nA;B\n1;2,5\n"), (Rows{{"A", "B"}, {"1", "2,5"}}));
}

TEST(CsvReader, DropsTheByteOrderMark) {
  EXPECT_EQ(good_rows("\xEF\xBB\xBF"
                      "A,B\n"),
            (Rows{{"A", "B"}}));
}

TEST(CsvReader, ReadsWhatIsNoUtf8AsCp1252) {
  CsvReader reader("NAME\nM\xFCller \x80\n");
  CsvRow row;
  ASSERT_TRUE(reader.next(row));
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.cells, std::vector<std::string>{"Müller €"});
  EXPECT_TRUE(reader.was_cp1252());
  EXPECT_FALSE(CsvReader("NAME\nMüller\n").was_cp1252());
}

TEST(CsvReader, RefusesUtf16) {
  EXPECT_THROW(CsvReader(std::string("\xFF\xFE"
                                     "A\0",
                                     4)),
               RunError);
}

TEST(CsvReader, AnUnclosedQuoteCostsItsOwnLineOnly) {
  CsvReader reader("A,B\n1,\"open\n2,x\n3,y\n");
  std::vector<std::size_t> bad;
  Rows good;
  for (CsvRow row; reader.next(row);) {
    if (row.error.empty())
      good.push_back(row.cells);
    else
      bad.push_back(row.line);
  }
  EXPECT_EQ(bad, std::vector<std::size_t>{2});
  EXPECT_EQ(good, (Rows{{"A", "B"}, {"2", "x"}, {"3", "y"}}));
}

TEST(CsvReader, TextBehindAClosingQuoteIsAnErrorOfThatRow) {
  CsvReader reader("A,B\n\"x\"y,1\n2,3\n");
  CsvRow row;
  ASSERT_TRUE(reader.next(row));
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.error, "text follows a closing quote");
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 3U);
  EXPECT_EQ(row.cells, (std::vector<std::string>{"2", "3"}));
}

TEST(CsvReader, CountsLinesThroughQuotedLineBreaks) {
  CsvReader reader("A\n\"1\n2\n3\"\nlast\n");
  CsvRow row;
  while (reader.next(row) && row.cells[0] != "last") {
  }
  EXPECT_EQ(row.line, 5U);
}

TEST(CsvReader, ANulByteIsAnErrorOfItsRow) {
  CsvReader reader(std::string("A\nx\0y\nz\n", 8));
  CsvRow row;
  ASSERT_TRUE(reader.next(row));
  ASSERT_TRUE(reader.next(row));
  EXPECT_FALSE(row.error.empty());
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.cells[0], "z");
}

TEST(CsvReader, ReadsBackWhatOurWriterWrites) {
  const std::vector<std::string> cells = {"A,1", "B\"2\"", "C\r\n3", " padded ", "", "a;b\tc"};
  EXPECT_EQ(good_rows(csv_row(cells)), Rows{cells});
}

}  // namespace
}  // namespace waybill::match
