// SPDX-License-Identifier: Apache-2.0
// Damaged tables: whatever the bytes, a row is an exam, a repetition or a bad row, or the run ends with a sentence.
#include "core/result.hpp"
#include "core/text.hpp"
#include "ris/read.hpp"
#include "ris/traps.hpp"

#include <gtest/gtest.h>
#include <random>

namespace waybill::ris {
namespace {

std::string wide(const std::string& text) {
  std::string out = "\xFF\xFE";
  for (const char c : text) (out += c) += '\0';
  return out;
}

std::vector<std::string> seeds() {
  const std::string table =
      "PATIENT_ID;NAME;DOB;SEX;ACCESSION;MODALITY;STUDY_DATE;STUDY_TIME;STATUS;OTHER_IDS;NUM_IMAGES\r\n"
      "0017;\"Adler, \"\"Anna\"\"\";1970-02-03;F;A-17;CT;2020-03-04;10:15;COMPLETED;12;3\r\n"
      "0018;Ober^Ute^M;05.02.1970;W;A-18;PT/CT;20200305;0915;CANCELLED;;\r\n"
      "0018;\"Ober\r\nUte\";05.02.1970;W;A-18;MR;20200305;0915;;;2\r\n"
      "(3 rows)\r\n";
  std::string latin = table;
  latin.insert(latin.find("Ober"), "M\xFCller ");
  return {table, latin, wide(table), "sep=|\n" + table, "\xEF\xBB\xBF" + table};
}

void mutate(std::string& bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  static const std::string kSigns = "\";,|\t\r\n'0-./^\\=E+\xFF";
  for (std::size_t n = 1 + below(6); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = below(bytes.size());
    switch (below(5)) {
      case 0: bytes[at] = static_cast<char>(below(256)); break;
      case 1: bytes.insert(at, 1, kSigns[below(kSigns.size())]); break;
      case 2: bytes.erase(at, 1 + below(20)); break;
      case 3: bytes.insert(at, bytes.substr(below(bytes.size()), below(60))); break;
      default: bytes.resize(at); break;
    }
  }
}

TEST(RisMutations, EveryRowIsAccountedForOrTheRunEndsWithASentence) {
  std::mt19937 random(20);
  std::size_t read = 0, refused = 0;
  Mapping mapped;
  mapped.formats[kDob] = Pattern::parse("DD.MM.YYYY");
  mapped.formats[kStudyTime] = Pattern::parse("hhmm");
  mapped.digits[kPatientId] = 4;
  for (const auto& seed : seeds()) {
    for (int round = 0; round < 1500; ++round) {
      std::string bytes = seed;
      mutate(bytes, random);
      try {
        const auto table = read_exams(bytes, {}, round % 2 == 0 ? Mapping{} : mapped);
        ASSERT_EQ(table.rows, table.exams.size() + table.repeated + table.bad.size());
        for (const auto& exam : table.exams) {
          ASSERT_FALSE(std::string(exam.key).empty());
          ASSERT_TRUE(is_utf8(exam.last) && is_utf8(exam.patient_id) && is_utf8(exam.accession));
        }
        ++read;
      } catch (const RunError& error) {
        ASSERT_TRUE(error.exit() == Exit::input || error.exit() == Exit::usage) << error.what();
        ASSERT_TRUE(is_utf8(error.what())) << "a message is text, whatever the table is";
        ++refused;
      }
    }
  }
  EXPECT_GT(read, 1000U);
  EXPECT_GT(refused, 100U);
}

}  // namespace
}  // namespace waybill::ris
