// SPDX-License-Identifier: Apache-2.0
#include "manifest/derived.hpp"

#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "manifest/header.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/options.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace waybill::manifest::detail {

namespace fs = std::filesystem;

void throw_if_stopped() {
  if (stop_requested()) throw RunError(Exit::interrupted, "stopped; run the same command again, it starts over");
}

void refuse_same_file(const fs::path& input, const fs::path& output) {
  std::error_code error;
  if (output != "-" && fs::equivalent(input, output, error))
    throw RunError(Exit::usage, "input and output are the same manifest; name another output");
}

Members members_of(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  Members out;
  for (const auto& [name, value] : parse_object(parser, padded))
    out.emplace_back(std::string(name), simdjson::minify(value));
  return out;
}

std::string json_of(const Members& members) {
  JsonWriter w;
  w.begin_object();
  for (const auto& [name, value] : members) w.key(name).raw(value);
  return std::move(w.end_object()).str();
}

const std::string* value_of(const Members& members, std::string_view name) {
  const auto at = std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == name; });
  return at == members.end() ? nullptr : &at->second;
}

bool is_of_its_making(std::string_view option) { return option == "merge" || option == "split"; }

std::string later(const std::string& created, std::uint64_t microseconds) {
  std::tm tm{};
  unsigned fraction = 0;
  int used = 0;
  const int read = std::sscanf(created.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%6uZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fraction, &used);
  if (read != 7 || static_cast<std::size_t>(used) != created.size() || used != 27) return created;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  const std::uint64_t total = fraction + microseconds;
  const std::time_t seconds = ::timegm(&tm) + static_cast<std::time_t>(total / 1'000'000);
  if (::gmtime_r(&seconds, &tm) == nullptr) return created;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06uZ", tm.tm_year + 1900, tm.tm_mon + 1,
                tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, static_cast<unsigned>(total % 1'000'000));
  return text.data();
}

void check_existing(const fs::path& output, const Header& header, Restart restart) {
  std::error_code error;
  if (output == "-" || restart == Restart::yes || !fs::exists(output, error)) return;
  std::optional<Header> there;
  try {
    there = Reader(output).header();
  } catch (const RunError& problem) {
    if (problem.exit() == Exit::usage) throw;  // encrypted to another key
    return;                                    // cut off at once, or damaged: the writer says which
  }
  Header now = header;
  now.inputs = there->inputs;  // their heads are not known yet
  if (const std::string why = header_difference(*there, now); !why.empty())
    throw RunError(Exit::usage, path_to_text(output.native()) + " exists already and is another manifest (" + why +
                                    "); name another output, or replace it with --restart");
}

namespace {

/// Whether the file is an interrupted manifest of this very header.
bool is_begun(const fs::path& output, const Header& header) {
  try {
    Reader reader(output);
    if (!header_difference(reader.header(), header).empty()) return false;
    while (reader.next_line()) {
    }
    return !reader.end();
  } catch (const RunError& problem) {
    if (problem.exit() != Exit::input) throw;
    return false;  // no first frame: the writer knows what to do with it
  }
}

}  // namespace

std::optional<Writer> begin_or_keep(const fs::path& output, const Header& header, Restart restart) {
  std::error_code error;
  const bool kept = output != "-" && restart == Restart::no && fs::exists(output, error);
  Writer writer(output, header, kept && is_begun(output, header) ? Restart::yes : restart);
  if (writer.already_complete()) return std::nullopt;
  return writer;
}

void require_end(const Reader& reader) {
  if (reader.end()) return;
  throw RunError(Exit::input, reader.name() + " is not complete (its " + reader.header().stage +
                                  " was interrupted); run that again to its end first");
}

std::string place_key(std::string_view path_text, bool inside) {
  std::string key = path_from_text(path_text);
  std::replace(key.begin(), key.end(), '/', '\0');
  key += '\0';
  key += inside ? '\1' : '\0';
  return key;
}

namespace {

/// A record in a message: its kind and what it is of.
std::string told(std::string_view line) {
  simdjson::dom::parser parser;
  const JsonObject record = parse_object(parser, line);
  std::string out = find<std::string>(record, "kind").value_or("record");
  for (const char* name : {"id", "study", "transaction"}) {
    if (const auto text = find<std::string>(record, name)) return out + " " + path_to_text(*text);
  }
  return out;
}

}  // namespace

void Expected::begin(const Header& header) {
  const std::string why = header_difference(reader_.header(), header);
  if (!why.empty()) difference_ = "its header is not that of these manifests (" + why + ")";
}

void Expected::line(std::string_view line) {
  if (differs()) return;
  ++records_;
  const auto there = reader_.next_line();
  if (there == line) return;
  difference_ = "record " + std::to_string(records_) + ": ";
  if (!there)
    difference_ += "it ends where " + told(line) + " has to stand";
  else if (told(*there) == told(line))
    difference_ += told(line) + " is not as these manifests have it";
  else
    difference_ += told(*there) + " stands where " + told(line) + " has to";
}

std::string Expected::finish() {
  if (differs()) return difference_;
  if (const auto more = reader_.next_line())
    difference_ = "record " + std::to_string(records_ + 1) + ": " + told(*more) + " is in none of these manifests";
  return difference_;
}

}  // namespace waybill::manifest::detail
