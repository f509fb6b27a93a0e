// SPDX-License-Identifier: Apache-2.0
#include "manifest/derive.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/nearest.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "manifest/derived.hpp"
#include "manifest/finding_codes.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/mark.hpp"
#include "manifest/sorter.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_set>

namespace waybill::manifest {

using detail::throw_if_stopped;

namespace {

/// The input's header with what was done to it among the options.
Header derived_header(const Header& input, std::string_view name, std::string_view what, Input link) {
  Header header = input;
  header.run = random_uuid();
  header.tool = std::string(kToolName);
  detail::Members options{{std::string(name), std::string(what)}};
  for (auto& member : detail::members_of(input.options)) {
    if (!detail::is_of_its_making(member.first)) options.push_back(std::move(member));
  }
  header.options = detail::json_of(options);
  header.inputs = {std::move(link)};
  return header;
}

/// Refuses an output that must not be overwritten, before any work.
void check_output(const std::filesystem::path& input, const std::filesystem::path& output, Restart restart) {
  if (output == "-") return;
  detail::refuse_same_file(input, output);
  std::error_code error;
  const bool holds_something = std::filesystem::exists(output, error) && std::filesystem::file_size(output, error) != 0;
  if (restart == Restart::no && holds_something && !read_mark(output))
    throw RunError(Exit::usage, path_to_text(output.native()) +
                                    " exists already; name another output, or replace it with --restart");
}

std::string quoted(std::string_view text) {
  JsonWriter w;
  w.value(text);
  return std::move(w).str();
}

std::string selection_json(const Selection& selection) {
  JsonWriter w;
  w.begin_object();
  const auto list = [&](const char* name, std::vector<std::string> values) {
    if (values.empty()) return;
    std::sort(values.begin(), values.end());
    w.key(name).begin_array();
    for (const auto& value : values) w.value(value);
    w.end_array();
  };
  list("buckets", selection.buckets);
  list("codes", selection.codes);
  list("studies", selection.studies);
  if (!selection.loaded_by.empty()) w.member("loaded_by", selection.loaded_by);
  return std::move(w.end_object()).str();
}

bool among(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

/// The objects that fit, their studies and whether late findings of theirs matter.
class Chosen {
 public:
  Chosen(const std::filesystem::path& input, const Selection& selection)
      : selection_(selection), studies_(selection.studies.begin(), selection.studies.end()) {
    if (!selection.codes.empty()) {
      check_codes(input);
      read_late(input);
    }
    if (!selection.loaded_by.empty()) check_run(input);
  }
  [[nodiscard]] bool fits(const Object& object) const {
    if (!among(selection_.buckets, to_string(object.bucket))) return false;
    if (!studies_.empty() && !studies_.contains(object.study.value_or(""))) return false;
    if (!selection_.loaded_by.empty() && !was_put_there(object)) return false;
    if (selection_.codes.empty() || late_.contains(object.id)) return true;
    return std::any_of(object.findings.begin(), object.findings.end(),
                       [&](const Finding& f) { return among(selection_.codes, f.code); });
  }

 private:
  /// By the run that is asked for.
  [[nodiscard]] bool was_put_there(const Object& object) const {
    return object.load && object.load->run == selection_.loaded_by &&
           (object.load->outcome == "sent" || object.load->outcome == "found-after-interruption");
  }
  void read_late(const std::filesystem::path& input) {
    Reader reader(input);
    while (const auto line = reader.next_line()) {
      if (!line->starts_with(R"({"kind":"finding")")) continue;
      const Record record = parse_record(*line);
      const auto* late = std::get_if<LateFinding>(&record);
      if (late != nullptr && among(selection_.codes, late->finding.code)) late_.insert(late->id);
    }
  }
  /// A mistyped code must not look like one that no object has. One that another version wrote is in the manifest.
  void check_codes(const std::filesystem::path& input) const {
    std::set<std::string> unknown(selection_.codes.begin(), selection_.codes.end());
    for (const std::string_view code : kFindingCodes) unknown.erase(std::string(code));
    if (unknown.empty()) return;
    std::vector<std::string> names(kFindingCodes.begin(), kFindingCodes.end());
    const auto see = [&](const Finding& finding) {
      unknown.erase(finding.code);
      if (std::find(names.begin(), names.end(), finding.code) == names.end()) names.push_back(finding.code);
    };
    Reader reader(input);
    while (const auto record = reader.next()) {
      throw_if_stopped();
      if (const auto* object = std::get_if<Object>(&*record))
        std::for_each(object->findings.begin(), object->findings.end(), see);
      else if (const auto* late = std::get_if<LateFinding>(&*record))
        see(late->finding);
    }
    if (unknown.empty()) return;
    const std::string near = nearest(*unknown.begin(), names);
    throw RunError(Exit::usage, "there is no finding code " + path_to_text(*unknown.begin()) +
                                    (near.empty() ? "; docs/findings.md lists them" : "; the nearest is " + near));
  }
  /// A run of another manifest, or a mistyped one, must not look like a run that put nothing there.
  void check_run(const std::filesystem::path& input) const {
    Reader reader(input);
    std::set<std::string> runs;
    if (reader.header().stage == "load") runs.insert(reader.header().run);
    while (const auto line = reader.next_line()) {
      if (kind_of(*line) != "object") continue;
      const Record record = parse_record(*line);
      const auto& load = std::get<Object>(record).load;
      if (load && !load->run.empty()) runs.insert(load->run);
    }
    if (runs.contains(selection_.loaded_by)) return;
    std::string known;
    for (const std::string& run : runs) known += (known.empty() ? "" : ", ") + run;
    throw RunError(Exit::usage, "run " + selection_.loaded_by + " has no part in " + reader.name() +
                                    (known.empty() ? "; it has no objects of any run of load, name a manifest of load"
                                                   : "; its runs of load are " + known));
  }
  const Selection selection_;
  const std::unordered_set<std::string> studies_;  // a pilot names hundreds
  std::unordered_set<std::string> late_;
};

constexpr const char* kReadTwice = "filter reads its manifest twice, so it takes a file; save standard input first";

}  // namespace

std::function<bool(const Object&)> chooser(const std::filesystem::path& input, const Selection& selection) {
  if (input == "-") throw RunError(Exit::usage, kReadTwice);
  return [chosen = std::make_shared<Chosen>(input, selection)](const Object& object) { return chosen->fits(object); };
}

void Derived::add(const Record& record) {
  ++records;
  if (const auto* object = std::get_if<Object>(&record)) {
    ++objects;
    ++buckets[std::string(to_string(object->bucket))];
  }
  if (std::holds_alternative<Study>(record)) ++studies;
}

void Derived::add(std::string_view line, bool with_bucket) {
  const std::string_view kind = kind_of(line);
  if (with_bucket && kind == "object") return add(parse_record(line));
  ++records;
  if (kind == "object") ++objects;
  if (kind == "study") ++studies;
}

std::string Derived::json() const {
  JsonWriter w;
  w.begin_object().member("objects", objects).member("studies", studies).key("buckets").begin_object();
  for (const auto& [bucket, count] : buckets) w.member(bucket, count);
  return std::move(w.end_object().end_object()).str();
}

std::string study_order(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  const auto kind = kind_of(line);
  if (kind == "finding") return "0";
  if (kind != "study" && kind != "object") return "1";
  const detail::JsonObject j = detail::parse_object(parser, line);
  const auto text = [&](std::string_view name) { return detail::find<std::string>(j, name).value_or(""); };
  std::string study = text("study");
  std::string key(1, kind == "object" && study.empty() ? '3' : '2');
  key.append(study).append(1, '\0');
  if (kind == "study") return key + '0';
  return key + '1' + text("series") + '\0' + text("sop_instance") + '\0' + text("id");
}

Derived sort_by_study(const std::filesystem::path& input, const std::filesystem::path& output, Restart restart) {
  check_output(input, output, restart);
  Sorter sorter(scratch_beside(output));
  Reader reader(input);
  Derived derived;
  while (const auto line = reader.next_line()) {
    throw_if_stopped();
    sorter.add(study_order(*line), *line);
  }
  derived.input_complete = reader.end().has_value();
  Writer writer(output, derived_header(reader.header(), "sorted_by", quoted("study"), {reader.name(), reader.head()}),
                Restart::yes);
  while (const auto line = sorter.next()) {
    throw_if_stopped();
    writer.append(*line);
    derived.add(*line, !derived.input_complete);  // a complete input has its counts
  }
  writer.finish(reader.end() ? reader.end()->counts : derived.json());
  return derived;
}

Derived filter(const std::filesystem::path& input, const std::filesystem::path& output, const Selection& selection,
               Restart restart) {
  if (input == "-") throw RunError(Exit::usage, kReadTwice);
  check_output(input, output, restart);
  const Chosen chosen(input, selection);
  std::unordered_set<std::string> ids, studies;
  Input link;
  Derived derived;
  {
    Reader reader(input);
    while (const auto record = reader.next()) {
      throw_if_stopped();
      const auto* object = std::get_if<Object>(&*record);
      if (object == nullptr || !chosen.fits(*object)) continue;
      ids.insert(object->id);
      if (object->study) studies.insert(*object->study);
    }
    link = {reader.name(), reader.head()};
    derived.input_complete = reader.end().has_value();
  }
  Reader reader(input);
  Writer writer(output, derived_header(reader.header(), "filter", selection_json(selection), std::move(link)),
                Restart::yes);
  const auto kept = [&](const Record& record) {
    if (const auto* object = std::get_if<Object>(&record)) return ids.contains(object->id);
    if (const auto* study = std::get_if<Study>(&record)) return studies.contains(study->study);
    if (const auto* late = std::get_if<LateFinding>(&record)) return ids.contains(late->id);
    if (const auto* intent = std::get_if<Intent>(&record)) return ids.contains(intent->id);
    return false;
  };
  while (const auto line = reader.next_line()) {
    throw_if_stopped();
    const Record record = parse_record(*line);
    if (!kept(record)) continue;
    writer.append(*line);
    derived.add(record);
  }
  writer.finish(derived.json());
  return derived;
}

}  // namespace waybill::manifest
