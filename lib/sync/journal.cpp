// SPDX-License-Identifier: Apache-2.0
#include "sync/journal.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "manifest/begun.hpp"
#include "manifest/member.hpp"

namespace waybill::sync {
namespace {

using Figure = std::uint64_t Counts::*;
constexpr std::pair<std::string_view, Figure> kFigures[] = {
    {"run", &Counts::run},
    {"idle", &Counts::idle},
    {"accepted", &Counts::accepted},
    {"inventory", &Counts::inventory},
    {"standing", &Counts::standing},
    {"entries", &Counts::entries},
    {"new", &Counts::fresh},
    {"changed", &Counts::changed},
    {"unchanged", &Counts::unchanged},
    {"gone", &Counts::gone},
    {"read_bytes", &Counts::read_bytes},
    {"handled", &Counts::handled},
    {"handled_bytes", &Counts::handled_bytes},
    {"loaded", &Counts::loaded},
    {"loaded_bytes", &Counts::loaded_bytes},
    {"conflicts", &Counts::conflicts},
    {"moved", &Counts::moved},
    {"departed", &Counts::departed},
    {"lost", &Counts::lost},
    {"late", &Counts::late},
    {"retry", &Counts::retry},
    {"extra", &Counts::extra},
    {"corrections", &Counts::corrections},
    {"corrections_open", &Counts::corrections_open},
    {"at_target", &Counts::at_target},
    {"exceptions", &Counts::exceptions},
    {"report", &Counts::report},
    {"total_loaded", &Counts::total_loaded},
    {"total_loaded_bytes", &Counts::total_loaded_bytes},
    {"milliseconds", &Counts::milliseconds},
};

std::uint64_t whole_number(std::string_view json, const std::string& pointer) {
  const double value = manifest::number_at(json, pointer).value_or(0);
  return value > 0 ? static_cast<std::uint64_t>(value) : 0;
}

StageEnd end_from(const std::string& json) {
  StageEnd end;
  end.stage = manifest::text_member(json, "stage").value_or("");
  end.exit = static_cast<Exit>(whole_number(json, "/exit"));
  end.seconds = manifest::number_at(json, "/seconds").value_or(0);
  end.objects = whole_number(json, "/objects");
  end.bytes = whole_number(json, "/bytes");
  end.whole = whole_number(json, "/whole") == 1;
  end.head = manifest::text_member(json, "head").value_or("");
  return end;
}

void take(const manifest::Other& line, RunRecord& record) {
  const auto text = [&](const char* name) { return manifest::text_member(line.json, name).value_or(""); };
  if (line.kind == "stage-begin") {
    ++record.begun[text("stage")];
  } else if (line.kind == "stage-end") {
    StageEnd end = end_from(line.json);
    record.ends.insert_or_assign(end.stage, end);
  } else if (line.kind == "note") {
    record.notes.insert_or_assign(text("name"), text("value"));
  }
}

/// The header of a new run; one that is continued keeps its own.
manifest::Header header_of(const RunRecord& record, const std::string& before) {
  if (!record.header.stage.empty()) return record.header;
  manifest::Header header = manifest::begun("sync");
  JsonWriter w;
  w.begin_object().member("number", record.number).member("base", record.base);
  if (!record.freeze.empty()) w.member("freeze", record.freeze);
  header.options = std::move(w.end_object()).str();
  if (!before.empty()) header.inputs.push_back({"sync.wb of the run before", before});
  return header;
}

}  // namespace

std::vector<std::pair<std::string_view, std::uint64_t>> Counts::figures() const {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (const auto& [name, member] : kFigures) out.emplace_back(name, this->*member);
  return out;
}

std::string Counts::json() const {
  JsonWriter w;
  w.begin_object().member("exit", static_cast<int>(exit)).member("identity", identity);
  for (const auto& [name, value] : figures()) w.member(name, value);
  return std::move(w.end_object()).str();
}

Counts Counts::from(std::string_view json) {
  Counts counts;
  counts.exit = static_cast<Exit>(whole_number(json, "/exit"));
  counts.identity = manifest::text_member(json, "identity").value_or("");
  for (const auto& [name, member] : kFigures) counts.*member = whole_number(json, "/" + std::string(name));
  return counts;
}

RunRecord read_run(const fs::path& journal) {
  RunRecord record;
  manifest::Reader reader(journal);
  record.header = reader.header();
  if (record.header.stage != "sync")
    throw RunError(Exit::usage, journal.string() + " is no journal of sync; move it out of the project's folder");
  record.number = whole_number(record.header.options, "/number");
  record.base = whole_number(record.header.options, "/base");
  record.freeze = manifest::text_member(record.header.options, "freeze").value_or("");
  while (const auto line = reader.next()) {
    if (const auto* other = std::get_if<manifest::Other>(&*line)) take(*other, record);
  }
  if (!reader.end()) return record;
  record.complete = true;
  record.counts = Counts::from(reader.end()->counts);
  record.head = reader.head();
  return record;
}

Journal::Journal(const fs::path& file, const RunRecord& record, const std::string& before)
    : record_(record), writer_(file, header_of(record, before)) {
  writer_.commit();
}

const StageEnd* Journal::end_of(const std::string& stage) const {
  const auto at = record_.ends.find(stage);
  return at == record_.ends.end() ? nullptr : &at->second;
}

std::string Journal::note(const std::string& name) const {
  const auto at = record_.notes.find(name);
  return at == record_.notes.end() ? "" : at->second;
}

void Journal::append(const std::string& line) {
  writer_.append(line);
  writer_.commit();
}

void Journal::begin(const std::string& stage) {
  JsonWriter w;
  w.begin_object().member("kind", "stage-begin").member("stage", stage).member("at", utc_now()).end_object();
  append(std::move(w).str());
  ++record_.begun[stage];
}

void Journal::end(StageEnd end) {
  end.whole = record_.begun[end.stage] == 1;
  JsonWriter w;
  w.begin_object().member("kind", "stage-end").member("stage", end.stage).member("exit", static_cast<int>(end.exit));
  w.member("seconds", end.seconds).member("objects", end.objects).member("bytes", end.bytes);
  w.member("whole", end.whole ? 1 : 0).member("head", end.head).member("at", utc_now()).end_object();
  append(std::move(w).str());
  record_.ends.insert_or_assign(end.stage, std::move(end));
}

void Journal::set_note(const std::string& name, const std::string& value) {
  if (record_.notes.contains(name) && note(name) == value) return;
  JsonWriter w;
  w.begin_object().member("kind", "note").member("name", name).member("value", value).end_object();
  writer_.append(w.str());
  record_.notes.insert_or_assign(name, value);
}

void Journal::finish(const Counts& counts) {
  writer_.finish(counts.json());
  record_.complete = true;
  record_.counts = counts;
}

}  // namespace waybill::sync
