// SPDX-License-Identifier: Apache-2.0
// Published HL7 files of other projects (WAYBILL_CORPUS names the folder that holds hl7/): every one is read, and
// python-hl7 finds the same in the same fields. Skips where the files are not.
#include "core/text.hpp"
#include "hl7/intake.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

namespace waybill::hl7 {
namespace {

namespace fs = std::filesystem;

/// A field as the referee's table writes it.
std::string in_table_form(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 || u == 0x7F) {
      out += "\\x";
      out += kHex[u >> 4U];
      out += kHex[u & 15U];
    } else {
      out += c;
    }
  }
  return out;
}

/// A field as python-hl7 sees it: it knows names of segments in capitals only, and a line that begins no segment is
/// nothing to it, where for us the field goes on.
std::string as_python_sees_it(const Message& m, std::size_t segment, std::size_t n) {
  const std::string_view field = m.field(segment, n);
  const auto at = [&](std::string_view part) { return static_cast<std::size_t>(part.data() - m.text().data()); };
  const std::size_t line_end = std::min(m.text().find_first_of("\r\n", at(m.name(segment))), m.text().size());
  if (field.empty() || at(field) > line_end) return {};
  return in_table_form(trim(m.text().substr(at(field), std::min(field.size(), line_end - at(field)))));
}

std::string joined(const Message& m, std::string_view segment, std::size_t field) {
  std::string out;
  bool first = true;
  for (auto at = m.find(segment); at; at = m.find(segment, *at + 1)) {
    if (m.name(*at) != segment) continue;
    if (!first) out += " ;; ";
    first = false;
    out += as_python_sees_it(m, *at, field);
  }
  return out;
}

using Row = std::vector<std::string>;  // MSH-9, MSH-10, PID-3, PID-5, PID-7, MRG-1, PV1-19, OBR-3, OBR-18

Row row_of(const Message& m) {
  return {joined(m, "MSH", 9), joined(m, "MSH", 10), joined(m, "PID", 3), joined(m, "PID", 5), joined(m, "PID", 7),
          joined(m, "MRG", 1), joined(m, "PV1", 19), joined(m, "OBR", 3), joined(m, "OBR", 18)};
}

/// The referee's answers, file by file. Left out are what it could not read and headers that are cut or bare, which it
/// counts as messages.
std::map<std::string, std::set<Row>> referee_rows(const fs::path& file) {
  std::ifstream table(file);
  std::map<std::string, std::set<Row>> out;
  std::string line;
  while (std::getline(table, line)) {
    const auto cells = split(line, '\t');
    if (line.starts_with('#') || cells[0] == "file" || cells.size() < 11) continue;
    if (cells.size() > 11 && !cells[11].empty()) continue;
    Row row;
    for (std::size_t i = 2; i < 11; ++i) row.emplace_back(trim(cells[i]));
    if (std::all_of(row.begin(), row.end(), [](const auto& cell) { return cell.empty(); })) continue;
    out[std::string(cells[0])].insert(std::move(row));
  }
  return out;
}

class Hl7Corpus : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* corpus = std::getenv("WAYBILL_CORPUS");
    if (corpus == nullptr || !fs::exists(fs::path(corpus) / "hl7")) GTEST_SKIP() << "WAYBILL_CORPUS names no corpus";
    folder_ = fs::path(corpus) / "hl7";
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_))
      if (entry.is_regular_file() && entry.path().parent_path() != folder_) out.push_back(entry.path());
    std::sort(out.begin(), out.end());
    return out;
  }
  fs::path folder_;
};

TEST_F(Hl7Corpus, EveryFileGivesMessagesOrAReason) {
  std::map<std::string, int> kinds;
  ASSERT_FALSE(files().empty());
  for (const auto& file : files()) {
    std::size_t messages = 0;
    Intake intake([&](Message& m, const Origin&) {
      ++messages;
      EXPECT_TRUE(is_utf8(m.text())) << file;
      const Type type = type_of(m);
      ++kinds[type.code + "^" + type.trigger];
    });
    intake.read({file.string()});
    EXPECT_TRUE(messages > 0 || !intake.problems().empty()) << file;
    const auto& c = intake.counts();
    EXPECT_EQ(c.pieces, c.messages + c.duplicates + c.bad) << file;
  }
  for (const auto& [kind, n] : kinds) std::cout << kind << "\t" << n << "\n";
}

TEST_F(Hl7Corpus, FindsWhatPythonHl7Finds) {
  const auto expected = referee_rows(folder_ / "referee-python-hl7.tsv");
  ASSERT_FALSE(expected.empty());
  for (const auto& file : files()) {
    const std::string name = fs::relative(file, folder_).string();
    std::set<Row> ours;
    Intake intake([&](Message& m, const Origin&) { ours.insert(row_of(m)); });
    intake.read({file.string()});
    if (expected.count(name) == 0) continue;
    for (const Row& row : expected.at(name))
      EXPECT_EQ(ours.count(row), 1U) << name << " lacks " << testing::PrintToString(row) << ", has "
                                     << testing::PrintToString(ours);
  }
}

}  // namespace
}  // namespace waybill::hl7
