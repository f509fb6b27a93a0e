// SPDX-License-Identifier: Apache-2.0
#include "assess/meaning.hpp"

#include "assess/findings_page.hpp"
#include "core/text.hpp"

#include <map>
#include <vector>

namespace waybill::assess {
namespace {

/// The cells of a row of a Markdown table, as text. A bar behind a backslash is one of the text.
std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> cells(1);
  for (std::size_t i = 1; i < row.size(); ++i) {  // behind the first bar
    if (row[i] == '|') {
      cells.emplace_back();
    } else if (row[i] == '\\' && i + 1 < row.size() && row[i + 1] == '|') {
      cells.back() += row[++i];
    } else if (row[i] != '*') {
      cells.back() += row[i];
    }
  }
  for (std::string& cell : cells) cell = trim(cell);
  return cells;
}

/// What stands between backticks.
std::vector<std::string> codes_in(std::string_view cell) {
  std::vector<std::string> codes;
  const auto parts = split(cell, '`');
  for (std::size_t i = 1; i < parts.size(); i += 2) codes.emplace_back(parts[i]);
  return codes;
}

std::string plain(std::string text) {
  std::erase(text, '`');
  return text;
}

std::map<std::string, Meaning, std::less<>> read_page(std::string_view page) {
  std::map<std::string, Meaning, std::less<>> out;
  std::vector<std::string> heading;
  for (const std::string_view line : split(page, '\n')) {
    if (!line.starts_with("| ")) continue;
    const std::vector<std::string> cells = cells_of(line);
    if (cells.front() == "code") heading = cells;
    Meaning meaning;
    for (std::size_t i = 0; i < std::min(cells.size(), heading.size()); ++i) {
      if (heading[i].starts_with("meaning")) meaning.meaning = plain(cells[i]);
      if (heading[i] == "what the tools do") meaning.tools = plain(cells[i]);
      if (heading[i] == "what a person can do") meaning.person = plain(cells[i]);
    }
    for (const std::string& code : codes_in(cells.front())) out.emplace(code, meaning);
  }
  return out;
}

}  // namespace

const Meaning& meaning_of(std::string_view code) {
  static const auto kMeanings = read_page(kFindingsPage);
  static const Meaning kNothing;
  const auto at = kMeanings.find(code);
  return at == kMeanings.end() ? kNothing : at->second;
}

}  // namespace waybill::assess
