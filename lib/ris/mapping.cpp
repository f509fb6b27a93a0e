// SPDX-License-Identifier: Apache-2.0
#include "ris/mapping.hpp"

#include "config/table.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "match/normal.hpp"
#include "ris/code_page.hpp"

#include <algorithm>
#include <limits>

namespace waybill::ris {
namespace {

std::optional<Column> column_named(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  return at == kNames.end() ? std::nullopt : std::optional(static_cast<Column>(at - kNames.begin()));
}

Column column_of(const config::Table& table, const std::string& key) {
  const auto column = column_named(key);
  if (!column) table.refuse(key, "there is no column `" + path_to_text(key) + "`; known are " + known_columns());
  return *column;
}

void read_columns(const config::Table& table, Mapping& out) {
  for (const auto& key : table.keys()) {
    const Column column = column_of(table, key);
    const std::string theirs = match::id_key(table.text(key).value_or(""));
    if (theirs.empty()) table.refuse(key, "`" + key + "` names no column of the table");
    // A column with date and time may serve both; any other has one meaning.
    const auto [at, fresh] = out.columns.emplace(theirs, column);
    const bool moment = (at->second == kStudyDate && column == kStudyTime);
    if (fresh) continue;
    if (!moment) table.refuse(key, "two of our columns take the same column of the table");
    out.time_beside_date = true;
  }
}

void read_formats(const config::Table& table, Mapping& out) {
  table.only({kNames[kDob], kNames[kDeathDate], kNames[kStudyDate], kNames[kStudyTime]});
  for (const Column column : {kDob, kDeathDate, kStudyDate, kStudyTime}) {
    const auto text = table.text(kNames[column]);
    if (!text) continue;
    auto pattern = Pattern::parse(*text);
    const bool fits = pattern && (column == kStudyTime ? pattern->has_time() : pattern->has_date());
    if (!fits) {
      table.refuse(kNames[column], "`" + std::string(kNames[column]) +
                                       "` is no format; it is written with YYYY, MM or MON, DD, hh, mm, "
                                       "ss, AM and separators, e.g. DD.MM.YYYY or YYYY-MM-DD hh:mm:ss");
    }
    out.formats[column] = std::move(pattern);
  }
}

void read_digits(const config::Table& table, Mapping& out) {
  table.only({kNames[kPatientId], kNames[kAccession]});
  for (const Column column : {kPatientId, kAccession})
    out.digits[column] = static_cast<std::size_t>(table.number(kNames[column], 1, 64).value_or(0));
}

void read_words(const config::Table& table, Mapping& out) {
  table.only({"performed", "planned", "cancelled", "male", "female", "other", "unknown"});
  const auto take = [&](const char* key, std::map<std::string, std::string>& into, const char* meaning) {
    for (const auto& word : table.texts(key))
      if (!into.emplace(match::id_key(word), meaning).second) table.refuse(key, "a word stands in two lists");
  };
  for (const char* state : {"performed", "planned", "cancelled"}) take(state, out.status, state);
  take("male", out.sex, "M");
  take("female", out.sex, "F");
  take("other", out.sex, "O");
  take("unknown", out.sex, "");
}

Control control_of(const config::Table& table) {
  table.only({"rows", "images", "first_date", "last_date", "sha256", "required"});
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  Control out;
  const auto count = [&](const char* key, std::optional<std::uint64_t>& into) {
    if (const auto n = table.number(key, 0, kMost)) into = static_cast<std::uint64_t>(*n);
  };
  count("rows", out.rows);
  count("images", out.images);
  const auto date = [&](const char* key, std::string& into) {
    const auto text = table.text(key);
    if (!text) return;
    const auto day = match::date_normal(*text);
    if (!day) table.refuse(key, "`" + std::string(key) + "` is no date; write \"YYYY-MM-DD\"");
    into = *day;
  };
  date("first_date", out.first_date);
  date("last_date", out.last_date);
  out.sha256 = table.text("sha256").value_or("");
  std::transform(out.sha256.begin(), out.sha256.end(), out.sha256.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!out.sha256.empty() &&
      (out.sha256.size() != 64 || out.sha256.find_first_not_of("0123456789abcdef") != std::string::npos))
    table.refuse("sha256", "`sha256` is no digest of 64 hex digits");
  out.required = table.flag("required").value_or(false);
  return out;
}

}  // namespace

std::string known_columns() {
  std::string text;
  for (const auto name : kNames) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

Mapping Mapping::read(const std::filesystem::path& file) {
  const auto top = config::Table::read(file);
  top.only({"code_page", "separator", "columns", "formats", "digits", "words", "control"});
  Mapping out;
  if (const auto bytes = io::read_file(file)) out.digest = Sha256::of(*bytes);
  if (const auto name = top.text("code_page")) {
    const auto known = code_page_named(*name);
    if (!known)
      top.refuse("code_page", "`code_page` is not known; write utf-8, utf-16, windows-1252, iso-8859-15, cp850, …");
    out.code_page = *known;
  }
  if (const auto separator = top.text("separator")) {
    if (*separator != "," && *separator != ";" && *separator != "\t" && *separator != "|")
      top.refuse("separator", "`separator` is \",\", \";\", \"|\" or \"\\t\"");
    out.separator = separator->front();
  }
  if (const auto table = top.table("columns")) read_columns(*table, out);
  if (const auto table = top.table("formats")) read_formats(*table, out);
  if (const auto table = top.table("digits")) read_digits(*table, out);
  if (const auto table = top.table("words")) read_words(*table, out);
  if (const auto table = top.table("control")) out.control = control_of(*table);
  if (out.time_beside_date && out.formats[kStudyDate] && !out.formats[kStudyTime] &&
      out.formats[kStudyDate]->has_time())
    out.formats[kStudyTime] = out.formats[kStudyDate];
  return out;
}

Control read_control(const std::filesystem::path& file) { return control_of(config::Table::read(file)); }

}  // namespace waybill::ris
