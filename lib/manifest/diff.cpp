// SPDX-License-Identifier: Apache-2.0
// Both manifests are sorted by kind and id on disk, then read side by side: memory does not grow with the objects.
#include "manifest/diff.hpp"

#include "core/result.hpp"
#include "manifest/derived.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/reader.hpp"
#include "manifest/sorter.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace waybill::manifest {
namespace {

constexpr std::size_t kSortMemory = std::size_t{32} << 20U;
constexpr char kObject = 'o';  // keys: the kind's letter and the id
constexpr char kStudy = 's';

/// The key of a record that is compared; empty for others. Late findings stand with their object.
std::string key_of(std::string_view line, simdjson::dom::parser& parser) {
  const auto object = detail::parse_object(parser, line);
  const auto kind = detail::find<std::string>(object, "kind").value_or("");
  if (kind == "object" || kind == "finding") return kObject + detail::need<std::string>(object, "id");
  if (kind == "study") return kStudy + detail::find<std::string>(object, "study").value_or("");
  return {};
}

/// An object with its late findings, or a study: its members as JSON.
struct Entity {
  std::string key;
  std::string path;
  std::map<std::string, std::string> members;
};

std::string place_of(const detail::JsonObject& source) {
  std::string place = detail::find<std::string>(source, "path").value_or("");
  if (const auto member = detail::find<std::string>(source, "member")) place += "%/" + *member;
  if (const auto offset = detail::find<std::uint64_t>(source, "offset"); offset && *offset > 0)
    place += "%/at-" + std::to_string(*offset);
  return place;
}

/// One manifest, its entities by kind and id.
class Side {
 public:
  explicit Side(const std::filesystem::path& path) : sorter_(scratch_beside("-"), kSortMemory) {
    Reader reader(path);
    while (const auto line = reader.next_line()) {
      detail::throw_if_stopped();
      const std::string key = key_of(*line, parser_);
      // The key stands in front of the line: the sorter hands out lines alone.
      if (!key.empty()) sorter_.add(key, key + '\n' + std::string(*line));
    }
    complete_ = reader.end().has_value();
    advance();
  }

  [[nodiscard]] bool complete() const noexcept { return complete_; }

  /// The next entity; nullopt behind the last one.
  std::optional<Entity> next() {
    detail::throw_if_stopped();
    if (!pending_) return std::nullopt;
    Entity entity;
    entity.key = pending_->substr(0, pending_->find('\n'));
    std::set<std::string> findings;
    bool whole = false;  // a late finding may speak of an object that `filter` left out
    while (pending_ && pending_->starts_with(entity.key + "\n")) {
      whole = take(std::string_view(*pending_).substr(entity.key.size() + 1), entity, findings) || whole;
      advance();
    }
    if (!whole) return next();
    std::string all;
    for (const std::string& finding : findings) all += (all.empty() ? "" : ",") + finding;
    if (!all.empty()) entity.members["findings"] = "[" + all + "]";
    return entity;
  }

 private:
  void advance() {
    const auto line = sorter_.next();
    pending_ = line ? std::optional<std::string>(*line) : std::nullopt;
  }

  /// Adds a line to the entity; whether it is the entity's own record.
  bool take(std::string_view line, Entity& entity, std::set<std::string>& findings) {
    const auto object = detail::parse_object(parser_, line);
    if (detail::find<std::string>(object, "kind") == "finding") {
      findings.insert(finding_text(object));
      return false;
    }
    for (const auto& [name, value] : object) {
      if (name == "kind" || name == "id" || name == "since") continue;
      if (name == "findings") {
        detail::each_object(object, "findings", [&](const auto& finding) { findings.insert(finding_text(finding)); });
        continue;
      }
      detail::JsonObject inner;
      if (value.get(inner) != simdjson::SUCCESS) {
        entity.members[std::string(name)] = simdjson::minify(value);
        continue;
      }
      if (name == "source") entity.path = place_of(inner);
      for (const auto& [part, content] : inner)
        entity.members[std::string(name) + "." + std::string(part)] = simdjson::minify(content);
    }
    return true;
  }

  /// What is compared of a finding, as a JSON object.
  static std::string finding_text(const detail::JsonObject& finding) {
    std::string text;
    for (const char* name : {"code", "severity", "tag", "detail"}) {
      simdjson::dom::element value;
      if (finding.at_key(name).get(value) != simdjson::SUCCESS) continue;
      text += (text.empty() ? "\"" : ",\"") + std::string(name) + "\":" + std::string(simdjson::minify(value));
    }
    return "{" + text + "}";
  }

  simdjson::dom::parser parser_;
  Sorter sorter_;
  std::optional<std::string> pending_;
  bool complete_ = false;
};

/// Whether a member counts: all do without `only`.
bool counts(const std::string& member, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& name) {
           return member == name || member.starts_with(name + ".");
         });
}

std::vector<Change> changes_of(const Entity& before, const Entity& after, const std::vector<std::string>& only) {
  std::set<std::string> names;
  for (const auto* side : {&before.members, &after.members})
    for (const auto& [name, value] : *side) names.insert(name);
  const auto value = [](const Entity& entity, const std::string& name) {
    const auto at = entity.members.find(name);
    return at == entity.members.end() ? std::string() : at->second;
  };
  std::vector<Change> changes;
  for (const std::string& name : names) {
    if (!counts(name, only)) continue;
    Change change{name, value(before, name), value(after, name)};
    if (change.before != change.after) changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace

bool DiffCounts::equal() const {
  return std::all_of(kinds.begin(), kinds.end(), [](const auto& kind) {
    return kind.second.changed == 0 && kind.second.only_before == 0 && kind.second.only_after == 0;
  });
}

DiffCounts diff(const std::filesystem::path& before, const std::filesystem::path& after,
                const std::vector<std::string>& only, const std::function<void(const Mismatch&)>& each) {
  if (before == "-" && after == "-")
    throw RunError(Exit::usage, "standard input can be one of the two manifests; name a file for the other");
  Side left(before), right(after);
  DiffCounts found;
  found.before_complete = left.complete();
  found.after_complete = right.complete();
  found.kinds = {{"object", {}}, {"study", {}}};
  const auto tell = [&](Mismatch::What what, const Entity& entity, std::vector<Change> changes) {
    const std::string kind = entity.key[0] == kObject ? "object" : "study";
    auto& count = found.kinds[kind];
    ++(what == Mismatch::What::changed       ? count.changed
       : what == Mismatch::What::only_before ? count.only_before
                                             : count.only_after);
    for (const Change& change : changes) ++found.members[change.member];
    each({what, kind, entity.key.substr(1), entity.path, std::move(changes)});
  };
  auto old = left.next(), now = right.next();
  while (old || now) {
    if (!now || (old && old->key < now->key)) {
      tell(Mismatch::What::only_before, *old, {});
      old = left.next();
    } else if (!old || now->key < old->key) {
      tell(Mismatch::What::only_after, *now, {});
      now = right.next();
    } else {
      auto changes = changes_of(*old, *now, only);
      if (changes.empty())
        ++found.kinds[old->key[0] == kObject ? "object" : "study"].same;
      else
        tell(Mismatch::What::changed, *now, std::move(changes));
      old = left.next();
      now = right.next();
    }
  }
  return found;
}

}  // namespace waybill::manifest
