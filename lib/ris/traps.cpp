// SPDX-License-Identifier: Apache-2.0
#include "ris/traps.hpp"

#include "core/text.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace waybill::ris {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/// Three-letter months of English, German, French, Spanish and Italian spreadsheets, as far as they are ASCII.
constexpr std::array<std::string_view, 25> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP",
                                                      "OCT", "NOV", "DEC", "MRZ", "MAI", "OKT", "DEZ", "AVR", "ENE",
                                                      "ABR", "AGO", "DIC", "GEN", "MAG", "GIU", "LUG"};
constexpr std::array<std::string_view, 12> kTrailerWords = {"TRAILER", "TOTAL", "TOTALS",   "SUM",     "SUMME",  "EOF",
                                                            "END",     "COUNT", "ROWCOUNT", "RECORDS", "ANZAHL", "TRL"};
constexpr std::array<std::string_view, 8> kRowWords = {"ROW",   "ROWS",   "RECORD",     "RECORDS",
                                                       "LINES", "ZEILEN", "DATENSATZE", "LIGNES"};

/// Words of letters in upper case and numbers (groups of three joined) of all cells.
struct Words {
  std::vector<std::string> words;
  std::vector<std::uint64_t> numbers;
};

std::optional<std::uint64_t> number_from(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

bool gather(std::string_view text, Words& out) {
  for (std::size_t i = 0; i < text.size();) {
    if (is_digit(text[i])) {
      std::string digits;
      std::size_t n = i;
      while (n < text.size() && is_digit(text[n])) digits += text[n++];
      const auto group = [&] {
        return n + 3 < text.size() && (text[n] == ',' || text[n] == '.' || text[n] == '\'') &&
               all_digits(text.substr(n + 1, 3)) && (n + 4 >= text.size() || !is_digit(text[n + 4]));
      };
      while (group()) {
        digits += text.substr(n + 1, 3);
        n += 4;
      }
      const auto number = number_from(digits);
      if (!number) return false;
      out.numbers.push_back(*number);
      i = n;
    } else if (is_letter(text[i])) {
      std::size_t n = i;
      while (n < text.size() && is_letter(text[n])) ++n;
      out.words.push_back(match::id_key(text.substr(i, n - i)));
      i = n;
    } else {
      ++i;
    }
  }
  return true;
}

}  // namespace

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }
bool holds_digit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_digit); }

bool shortened_by_spreadsheet(std::string_view id) {
  const std::size_t e = id.find_first_of("eE");
  if (e == std::string_view::npos || e == 0 || e + 2 >= id.size() || id[e + 1] != '+') return false;
  return id.substr(0, e).find_first_not_of("0123456789.,") == std::string_view::npos &&
         id.substr(e + 2).find_first_not_of("0123456789") == std::string_view::npos;
}

bool turned_into_date(std::string_view id) {
  const std::size_t cut = id.find_first_of("-. ");
  if (cut == std::string_view::npos) return false;
  std::string_view left = id.substr(0, cut), right = id.substr(cut);
  right.remove_prefix(std::min(right.find_first_not_of("-. "), right.size()));
  if (!all_digits(left)) std::swap(left, right);
  if (!all_digits(left) || left.size() > 4 || left.size() == 3) return false;
  const std::string month = match::id_key(right);
  return std::find(kMonths.begin(), kMonths.end(), month) != kMonths.end();
}

bool is_day_number(std::string_view text) {
  const std::string_view whole = text.substr(0, text.find_first_of(".,"));
  const std::string_view rest = text.substr(whole.size());
  return all_digits(whole) && whole.size() >= 4 && whole.size() <= 5 && (rest.empty() || all_digits(rest.substr(1)));
}

bool is_whole_date(std::string_view text) {
  return text.find_first_of("-/.") != std::string_view::npos && match::date_normal(text).has_value();
}

bool was_misread(std::string_view text, bool name) {
  if (text.find("\uFFFD") != std::string_view::npos) return true;
  if (!name || is_ascii(text) || text.find("\u201C") != std::string_view::npos) return false;
  static constexpr std::array<std::string_view, 9> kSigns = {"\u201E", "\u201D", "\u201A", "\u2122", "\u2020",
                                                             "\u203A", "\u0192", "\u02C6", "\u2030"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

bool looks_like_uid(std::string_view text) {
  return text.size() > 16 && std::count(text.begin(), text.end(), '.') >= 4 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<std::uint64_t> count_of_trailer(const std::vector<std::string>& cells) {
  Words found;
  std::size_t filled = 0;
  for (const auto& cell : cells) {
    if (trim(cell).empty()) continue;
    if (++filled > 3 || !gather(cell, found)) return std::nullopt;
  }
  if (found.numbers.size() != 1 || found.words.size() > 4) return std::nullopt;
  const auto any = [&](const auto& list) {
    return std::any_of(found.words.begin(), found.words.end(),
                       [&](const std::string& w) { return std::find(list.begin(), list.end(), w) != list.end(); });
  };
  return any(kTrailerWords) || any(kRowWords) ? std::optional(found.numbers.front()) : std::nullopt;
}

}  // namespace waybill::ris
