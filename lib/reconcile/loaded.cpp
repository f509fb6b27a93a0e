// SPDX-License-Identifier: Apache-2.0
#include "reconcile/loaded.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace waybill::reconcile {
namespace {

namespace fs = std::filesystem;
using manifest::Bucket;
using manifest::Object;

using Text = std::optional<std::string>;
constexpr std::array<std::pair<std::string_view, Text Object::*>, 6> kAttributes = {
    {{"0008,0050", &Object::accession},
     {"0010,0010", &Object::patient_name},
     {"0010,0020", &Object::patient_id},
     {"0010,0021", &Object::issuer},
     {"0010,0030", &Object::birth_date},
     {"0010,0040", &Object::sex}}};

bool identifies(std::string_view tag) {
  return std::any_of(kAttributes.begin(), kAttributes.end(), [&](const auto& a) { return a.first == tag; });
}

bool stored(const Object& object) { return object.bucket == Bucket::loaded || object.bucket == Bucket::verified; }

/// Objects of a load that are stored, in order.
void each_stored(const fs::path& path, const std::function<void(const Object&)>& take) {
  manifest::Reader reader(path);
  while (const auto record = reader.next())
    if (const auto* object = std::get_if<Object>(&*record); object != nullptr && stored(*object)) take(*object);
}

/// The file that has this digest: beside the manifest that names it, or among the given ones.
fs::path find_input(const manifest::Input& input, const fs::path& beside, const std::vector<fs::path>& others) {
  std::vector<fs::path> candidates = others;
  candidates.insert(candidates.begin(), beside.parent_path() / input.name);
  for (const auto& path : candidates) {
    if (!fs::is_regular_file(path)) continue;
    try {
      if (manifest::input_of(path).head == input.head) return path;
    } catch (const RunError&) {  // no manifest, or damaged: not the one that was used
    }
  }
  return {};
}

/// The manifest of edits behind a load: load < transcode < reconcile, with any verify between.
fs::path find_edits(const fs::path& manifest, const std::vector<fs::path>& others, int depth = 0) {
  manifest::Reader reader(manifest);
  if (reader.header().stage == "reconcile") return manifest;
  if (depth > 8 || reader.header().stage == "scan") return {};
  while (reader.next_line()) {
  }
  for (const auto& input : manifest::resolved_inputs(reader.header(), reader.end())) {
    const fs::path path = find_input(input, manifest, others);
    if (path.empty()) continue;
    if (auto found = find_edits(path, others, depth + 1); !found.empty()) return found;
  }
  return {};
}

std::unordered_map<std::string, manifest::Study> edits_in(const fs::path& path) {
  std::unordered_map<std::string, manifest::Study> studies;
  if (path.empty()) return studies;
  manifest::Reader reader(path);
  while (auto record = reader.next()) {
    auto* study = std::get_if<manifest::Study>(&*record);
    if (study == nullptr || (study->decision != "auto" && study->decision != "person")) continue;
    if (!study->edits.empty()) studies.emplace(study->study, std::move(*study));
  }
  return studies;
}

bool was_edited(const Object& object) {
  return object.transcode && std::any_of(object.transcode->undo.elements.begin(), object.transcode->undo.elements.end(),
                                         [](const auto& element) { return identifies(element.tag); });
}

}  // namespace

bool set_attribute(Object& object, std::string_view tag, const std::string& value) {
  for (const auto& [name, member] : kAttributes) {
    if (name != tag) continue;
    object.*member = value;
    return true;
  }
  return false;
}

std::string attribute(const Object& object, std::string_view tag) {
  for (const auto& [name, member] : kAttributes)
    if (name == tag) return std::string(trim((object.*member).value_or("")));
  return {};
}

Loaded::Loaded(const std::vector<fs::path>& loads, const std::vector<fs::path>& others) {
  for (const auto& path : loads) {
    manifest::Reader reader(path);
    const std::string stage = reader.header().stage;
    if (stage != "load" && stage != "verify")
      throw RunError(Exit::usage, "--loaded takes manifests of load or verify, " + reader.name() + " is one of stage " +
                                      path_to_text(stage));
    while (reader.next_line()) {
    }
    inputs_.push_back({reader.name(), reader.head()});
    const fs::path edits = find_edits(path, others);
    if (!edits.empty()) inputs_.push_back(manifest::input_of(edits));
    const std::size_t n = parts_.size();
    parts_.push_back({path, edits_in(edits)});
    each_stored(path, [&](const Object& object) {
      if (edits.empty() && was_edited(object)) {
        throw RunError(Exit::usage, "objects of " + path.filename().string() +
                                        " were changed before they were loaded, and the manifest of these edits is not "
                                        "beside it; name it and that of transcode with --applied");
      }
      if (loads.size() > 1) last_[object.id] = n;
      last_of_study_[object.study.value_or("")] = n;
    });
  }
}

const std::vector<manifest::Edit>& Loaded::applied(const std::string& study) const {
  static const std::vector<manifest::Edit> kNone;
  const auto part = last_of_study_.find(study);
  if (part == last_of_study_.end()) return kNone;
  const auto at = parts_[part->second].applied.find(study);
  return at == parts_[part->second].applied.end() ? kNone : at->second.edits;
}

void Loaded::for_each(const Take& take) const {
  for (std::size_t n = 0; n < parts_.size(); ++n) {
    each_stored(parts_[n].path, [&](const Object& object) {
      if (const auto last = last_.find(object.id); last != last_.end() && last->second != n) return;
      Object there = object;
      const auto study = parts_[n].applied.find(object.study.value_or(""));
      if (study != parts_[n].applied.end() && object.transcode && object.transcode->outcome != "not-staged")
        for (const auto& edit : study->second.edits) (void)set_attribute(there, edit.tag, edit.new_value);
      take(object, there);
    });
  }
}

}  // namespace waybill::reconcile
