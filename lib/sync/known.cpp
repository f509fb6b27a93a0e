// SPDX-License-Identifier: Apache-2.0
#include "sync/known.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "manifest/member.hpp"
#include "manifest/reader.hpp"

#include <vector>

// Keys of the store:
//   u SOP Instance UID   record of the object that the target has
//   i object id          record of an object with another outcome, or "@" and the UID of one at the target
//   x SOP Instance UID   number of the run that noticed that the archive has it no more
//   p SOP Instance UID   met in this run's scan, at its place
//   s object id          met in this run's scan
namespace waybill::sync {

using manifest::Bucket;
using manifest::Object;

namespace {

constexpr std::string_view kObjectMember = R"(,"object":)";

/// Buckets that a stage behind scan gives, or that scan's quarantine and load's have in common.
bool has_outcome(const Object& object) noexcept {
  switch (object.bucket) {
    case Bucket::quarantined:
    case Bucket::excluded:
    case Bucket::failed:
    case Bucket::pending: return true;
    default: return is_at_target(object);
  }
}

Object object_in(std::string_view line) {
  manifest::Record record = manifest::parse_record(line);
  auto* object = std::get_if<Object>(&record);
  if (object == nullptr)
    throw RunError(Exit::integrity, "a standing holds a line that is no object; restore standing.wb from a copy");
  return std::move(*object);
}

bool equal(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  return a && !a->empty() && a == b;
}

}  // namespace

bool is_at_target(const Object& object) noexcept {
  return object.bucket == Bucket::loaded || object.bucket == Bucket::verified;
}

bool same_content(const Object& a, const Object& b) {
  if (equal(a.file_sha256, b.file_sha256)) return true;
  if (!equal(a.dataset_sha256, b.dataset_sha256)) return false;
  if (a.pixel_sha256 && b.pixel_sha256) return equal(a.pixel_sha256, b.pixel_sha256);
  const bool no_pixels = !a.rows && !b.rows && !a.pixel_sha256 && !b.pixel_sha256;
  return no_pixels || (!a.pixel_sha256 && !b.pixel_sha256 && equal(a.codestream_sha256, b.codestream_sha256));
}

Known::Known(const std::filesystem::path& standing, index::Store& store) : store_(store) {
  if (standing.empty()) return;
  manifest::Reader reader(standing);
  while (const auto line = reader.next_line()) {
    if (line->starts_with(R"({"kind":"departed")")) {
      const std::size_t at = line->find(kObjectMember);
      if (at == std::string_view::npos) continue;
      const std::string_view inner =
          line->substr(at + kObjectMember.size(), line->size() - at - kObjectMember.size() - 1);
      const std::string uid = object_in(inner).sop_instance.value_or("");
      store_.put("u" + uid, inner);
      store_.put("x" + uid, std::to_string(static_cast<std::uint64_t>(manifest::number_at(*line, "/run").value_or(0))));
    } else if (line->starts_with(R"({"kind":"object")")) {
      const Object object = object_in(*line);
      if (!has_outcome(object)) continue;
      const bool there = is_at_target(object) && object.sop_instance;
      if (there) store_.put("u" + *object.sop_instance, *line);
      store_.put("i" + object.id, there ? "@" + *object.sop_instance : std::string(*line));
    }
  }
  if (!reader.end())
    throw RunError(Exit::integrity, standing.string() + " is not complete although its run is; restore it from a copy");
}

Known::Found Known::find(const Object& object) {
  Found found;
  meet(object.id);
  const auto before = store_.get("i" + object.id);
  const std::string uid = object.sop_instance.value_or("");
  if (auto there = at_target(object)) {
    const bool same = same_content(*there, object);
    const bool departed = store_.contains("x" + uid);
    const bool at_place = same && there->id == object.id && !departed;
    if (at_place) store_.put("p" + uid, "");
    found.place = at_place ? Place::there : same ? Place::moved : Place::conflict;
    found.object = std::move(there);
    return found;
  }
  if (!before || before->starts_with('@')) return found;
  Object earlier = object_in(*before);
  if (!same_content(earlier, object)) return found;
  found.place = Place::waiting;
  found.object = std::move(earlier);
  return found;
}

std::optional<Object> Known::at_target(const Object& object) const {
  if (!object.sop_instance) return std::nullopt;
  const auto line = store_.get("u" + *object.sop_instance);
  if (!line) return std::nullopt;
  return object_in(*line);
}

void Known::each_gone(const Departed& departed, const Lost& lost) const {
  store_.each("u", [&](std::string_view uid, std::string_view line) {
    if (in_place(std::string(uid))) return;
    const auto run = store_.get("x" + std::string(uid));
    const Object object = object_in(line);
    departed(object, run ? std::stoull(*run) : 0, store_.contains("s" + object.id));
  });
  store_.each("i", [&](std::string_view id, std::string_view line) {
    if (line.starts_with('@') || store_.contains("s" + std::string(id))) return;
    const Object object = object_in(line);
    if (object.bucket != Bucket::excluded) lost(object);
  });
}

std::string departed_line(const Object& object, std::uint64_t run) {
  JsonWriter w;
  w.begin_object().member("kind", "departed").member("run", run).key("object").raw(manifest::to_json(object));
  return std::move(w.end_object()).str();
}

}  // namespace waybill::sync
