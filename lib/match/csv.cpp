// SPDX-License-Identifier: Apache-2.0
#include "match/csv.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>

namespace waybill::match {
namespace {

/// A quoted cell with more lines than this is a quote that nobody closed. It also bounds the work of the recovery.
constexpr std::size_t kMaxLinesInRow = 200;

/// CP1252 0x80 to 0x9F; the five bytes without a meaning become U+FFFD.
constexpr std::array<char32_t, 32> kCp1252 = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178,
};

void put_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else {
    out += static_cast<char>(0xE0U | (c >> 12U));
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  }
}

std::string from_cp1252(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto u = static_cast<unsigned char>(c);
    put_utf8(out, u >= 0x80 && u < 0xA0 ? kCp1252[u - 0x80U] : char32_t{u});
  }
  return out;
}

/// The separator that stands most often outside quotes in the first line; a comma when there is none.
char detect_separator(std::string_view text) {
  std::size_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    commas += c == ',';
    semicolons += c == ';';
    tabs += c == '\t';
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

}  // namespace

CsvReader::CsvReader(std::string bytes, char separator) : text_(std::move(bytes)) {
  if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF"))
    throw RunError(Exit::input, "the RIS table is UTF-16; save it as UTF-8 text and run again");
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  if (!is_utf8(text_)) {
    text_ = from_cp1252(std::string_view(text_).substr(at_));
    at_ = 0;
    cp1252_ = true;
  }
  const std::string_view rest = std::string_view(text_).substr(at_);
  if (rest.size() > 5 && rest.starts_with("sep=") && (rest[5] == '\n' || rest[5] == '\r')) {
    separator_ = rest[4];
    at_ += 5;
    skip_line_end();
  } else {
    separator_ = separator != 0 ? separator : detect_separator(rest);
  }
}

bool CsvReader::at_line_end() const noexcept { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }

void CsvReader::skip_line_end() noexcept {
  if (at_ >= text_.size()) return;
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++line_;
}

void CsvReader::give_up(CsvRow& row, std::size_t start, std::string reason) {
  row.cells.clear();
  row.error = std::move(reason);
  line_ = row.line;
  at_ = start;
  while (!at_line_end()) ++at_;
  skip_line_end();
}

bool CsvReader::read_quoted(CsvRow& row, std::string& cell) {
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell += '"';
        at_ += 2;
        continue;
      }
      ++at_;
      if (at_line_end() || text_[at_] == separator_) return true;
      row.error = "text follows a closing quote";
      return false;
    }
    if (c == '\n' || c == '\r') {
      if (line_ - row.line >= kMaxLinesInRow) break;
      const std::size_t from = at_;
      skip_line_end();
      cell.append(text_, from, at_ - from);
      continue;
    }
    cell += c;
    ++at_;
  }
  row.error = "a quote is opened and never closed";
  return false;
}

bool CsvReader::read_cell(CsvRow& row) {
  std::string cell;
  if (at_ < text_.size() && text_[at_] == '"') {
    if (!read_quoted(row, cell)) return false;
  } else {
    const std::size_t from = at_;
    while (!at_line_end() && text_[at_] != separator_) ++at_;
    cell.assign(text_, from, at_ - from);
  }
  if (cell.find('\0') != std::string::npos) {
    row.error = "a cell holds a NUL byte";
    return false;
  }
  row.cells.push_back(std::move(cell));
  return true;
}

bool CsvReader::next(CsvRow& row) {
  while (at_ < text_.size() && at_line_end()) skip_line_end();
  row.cells.clear();
  row.error.clear();
  row.line = line_;
  if (at_ >= text_.size()) return false;
  const std::size_t start = at_;
  for (;;) {
    if (!read_cell(row)) {
      give_up(row, start, std::move(row.error));
      return true;
    }
    if (at_line_end()) break;
    ++at_;  // the separator
  }
  skip_line_end();
  return true;
}

}  // namespace waybill::match
