// SPDX-License-Identifier: Apache-2.0
#include "match/normal.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace waybill::match {
namespace {

bool is_small(char c) noexcept { return c >= 'a' && c <= 'z'; }
char upper(char c) noexcept { return is_small(c) ? static_cast<char>(c - 'a' + 'A') : c; }
/// What an accession number is compared without.
bool is_left_out(char c) noexcept { return c == ' ' || c == '-' || c == '/' || c == '.' || c == '_'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// "1970-3-4" in the given order of its parts; separators are checked by the caller.
std::optional<std::string> from_parts(std::string_view year, std::string_view month, std::string_view day) {
  if (!all_digits(year) || !all_digits(month) || !all_digits(day)) return std::nullopt;
  if (year.size() != 4 || month.size() > 2 || day.size() > 2) return std::nullopt;
  std::string date(year);
  date += month.size() == 1 ? "0" : "";
  date += month;
  date += day.size() == 1 ? "0" : "";
  date += day;
  return day_number(date) ? std::optional(date) : std::nullopt;
}

}  // namespace

std::string id_key(std::string_view id) {
  std::string key(trim(id));
  std::transform(key.begin(), key.end(), key.begin(), upper);
  return key;
}

bool is_writable(std::string_view text) noexcept {
  return text.find("\uFFFD") == std::string_view::npos && std::none_of(text.begin(), text.end(), [](char c) {
           return c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

bool is_id_key(std::string_view text) noexcept {
  return trim(text).size() == text.size() && std::none_of(text.begin(), text.end(), is_small);
}

std::string accession_key(std::string_view accession) {
  std::string key = id_key(accession);
  std::erase_if(key, is_left_out);
  return key;
}

bool is_accession_key(std::string_view text) noexcept {
  return is_id_key(text) && std::none_of(text.begin(), text.end(), is_left_out);
}

std::optional<std::int64_t> day_number(std::string_view date) {
  if (date.size() != 8 || !all_digits(date)) return std::nullopt;
  const int year = number(date.substr(0, 4)), month = number(date.substr(4, 2)), day = number(date.substr(6, 2));
  static constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return std::nullopt;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (day > kDays[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0)) return std::nullopt;
  // Days from the civil calendar, counting years from March so that the leap day is the last one.
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = y / 400, year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

std::optional<std::string> date_normal(std::string_view text) {
  text = trim(text);
  text = text.substr(0, text.find_first_of(" T"));
  if (all_digits(text)) return day_number(text) ? std::optional(std::string(text)) : std::nullopt;
  for (const char separator : {'-', '/', '.'}) {
    const auto parts = split(text, separator);
    if (parts.size() != 3) continue;
    if (parts[0].size() == 4) return from_parts(parts[0], parts[1], parts[2]);
    if (separator == '.') return from_parts(parts[2], parts[1], parts[0]);
  }
  return std::nullopt;
}

std::optional<std::string> time_normal(std::string_view text) {
  text = trim(text);
  text = text.substr(0, text.find('.'));
  std::string digits;
  std::size_t colons = 0;
  for (const char c : text) {
    if (is_digit(c)) {
      digits += c;
    } else if (c == ':') {
      ++colons;
    } else {
      return std::nullopt;
    }
  }
  if (colons > 0 && text.find(':') == 1) digits.insert(digits.begin(), '0');  // "9:30"
  if (digits.size() == 4) digits += "00";
  if (digits.size() != 6 || colons > 2) return std::nullopt;
  const bool valid =
      number(digits.substr(0, 2)) < 24 && number(digits.substr(2, 2)) < 60 && number(digits.substr(4)) < 61;
  return valid ? std::optional(digits) : std::nullopt;
}

bool is_birth_date(std::string_view date) {
  if (!day_number(date)) return false;
  const std::string_view year = date.substr(0, 4);
  return year != "9999" && year > "1800" && date != "19000101" && date != "18500101";
}

Same compare_birth_dates(std::string_view a, std::string_view b) {
  if (!is_birth_date(a) || !is_birth_date(b)) return Same::unknown;
  if (a == b) return Same::equal;
  const bool same_year = a.substr(0, 4) == b.substr(0, 4);
  if (same_year && a.substr(4, 2) == b.substr(6, 2) && a.substr(6, 2) == b.substr(4, 2)) return Same::near;
  if (same_year && (a.ends_with("0101") || b.ends_with("0101"))) return Same::near;
  if (a.substr(2) == b.substr(2)) return Same::near;  // another century
  return one_step_apart(a, b) ? Same::near : Same::differs;
}

std::string sex_normal(std::string_view sex) {
  const std::string word = id_key(sex);
  if (word == "M" || word == "MALE") return "M";
  if (word == "F" || word == "FEMALE" || word == "W") return "F";
  if (word == "O" || word == "OTHER" || word == "D") return "O";
  return {};
}

Same compare_sexes(std::string_view a, std::string_view b) {
  if (a == b && (a == "M" || a == "F")) return Same::equal;
  const std::string x = sex_normal(a), y = sex_normal(b);
  if (x.empty() || y.empty()) return Same::unknown;
  if (x == y) return Same::equal;
  return x == "O" || y == "O" ? Same::unknown : Same::differs;
}

std::vector<std::string> modality_classes(std::string_view modality) {
  // DICOM's terms, what RIS write in their place, and the services of HL7's table 0074 that OBR-24 may hold instead.
  static const std::map<std::string, std::string, std::less<>> kClass = {
      {"CR", "XR"},   {"DX", "XR"},     {"RG", "XR"},   {"XR", "XR"},  {"DR", "XR"},  {"PT", "PT"},  {"PET", "PT"},
      {"US", "US"},   {"EC", "US"},     {"IVUS", "US"}, {"DD", "US"},  {"MR", "MR"},  {"MRI", "MR"}, {"CT", "CT"},
      {"CAT", "CT"},  {"MG", "MG"},     {"MAM", "MG"},  {"NM", "NM"},  {"NUC", "NM"}, {"ST", "NM"},  {"XA", "XA"},
      {"RF", "XA"},   {"AN", "XA"},     {"DSA", "XA"},  {"OT", ""},    {"SC", ""},    {"SR", ""},    {"PR", ""},
      {"KO", ""},     {"DOC", ""},      {"REG", ""},    {"SEG", ""},   {"AU", ""},    {"FID", ""},   {"PLAN", ""},
      {"RTDOSE", ""}, {"RTSTRUCT", ""}, {"RTPLAN", ""}, {"RAD", ""},   {"OTH", ""},   {"RX", "XR"},  {"NMR", "MR"},
      {"NMS", "NM"},  {"RUS", "US"},    {"CUS", "US"},  {"OUS", "US"}, {"VUS", "US"}, {"XRC", "XA"}, {"CTH", "XA"}};
  std::vector<std::string> classes;
  std::string word;
  const auto add = [&] {
    if (word.empty()) return;
    const auto known = kClass.find(word);
    if (known == kClass.end())
      classes.push_back(word);
    else if (!known->second.empty())
      classes.push_back(known->second);
    word.clear();
  };
  for (const char c : modality) {
    if (c == '/' || c == '\\' || c == ',' || c == ';' || c == '+' || c == ' ')
      add();
    else
      word += upper(c);
  }
  add();
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return classes;
}

Same compare_classes(InternedList a, InternedList b) {
  if (a.empty() || b.empty()) return Same::unknown;
  if (a == b) return Same::equal;
  return std::any_of(a.begin(), a.end(), [&](Interned c) { return b.contains(c); }) ? Same::equal : Same::differs;
}

bool one_step_apart(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (a == b || b.size() - a.size() > 1) return false;
  std::size_t i = 0;
  while (i < a.size() && a[i] == b[i]) ++i;
  if (a.size() < b.size()) return a.substr(i) == b.substr(i + 1);
  if (a.substr(i + 1) == b.substr(i + 1)) return true;
  return i + 1 < a.size() && a[i] == b[i + 1] && a[i + 1] == b[i] && a.substr(i + 2) == b.substr(i + 2);
}

bool is_placeholder_id(std::string_view id) {
  const std::string key = id_key(id);
  if (key.empty()) return false;
  static constexpr std::array<std::string_view, 12> kWords = {"UNKNOWN", "TEST", "NONE",  "NULL", "NA",    "N/A",
                                                              "NN",      "TEMP", "DUMMY", "NOID", "NO ID", "PATIENT"};
  if (std::find(kWords.begin(), kWords.end(), key) != kWords.end() || key.starts_with("ANON")) return true;
  const bool one_sign = key.find_first_not_of(key.front()) == std::string::npos;
  return one_sign && (key.front() == '0' || key.front() == 'X' || (key.front() == '9' && key.size() >= 4));
}

}  // namespace waybill::match
