// SPDX-License-Identifier: Apache-2.0
#include "sample/plan.hpp"

#include "core/bytes.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "manifest/id.hpp"
#include "manifest/member.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_set>

namespace waybill::sample {

using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::array<std::string_view, 7> kWhys{"",       "drawn",    "coerced", "transformed",
                                                "warned", "in-doubt", "repaired"};
constexpr std::uint8_t kByChance = 0, kDrawn = 1;

const std::string kOfPlan = "the manifest to draw from";  // in messages

std::string year_of(const Object& object) {
  const std::string year = object.study_date.value_or("").substr(0, 4);
  const bool digits = year.size() == 4 && std::ranges::all_of(year, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? year : "";
}

Stratum stratum_of(const Object& object) {
  Stratum stratum;
  stratum.modality = object.modality.value_or("");
  stratum.year = year_of(object);
  stratum.site = object.issuer.value_or("");
  stratum.sop_class = object.sop_class.value_or("");
  stratum.transfer_syntax = object.transfer_syntax.value_or("");
  return stratum;
}

bool is_coerced(const Object& object) {
  const auto& transcode = object.transcode;
  if (!transcode) return false;
  const bool other_dataset = object.dataset_sha256 && !transcode->dataset_sha256.empty() &&
                             transcode->dataset_sha256 != *object.dataset_sha256;
  return other_dataset || !transcode->uids.empty() || !transcode->undo.empty();
}

bool is_transformed(const Object& object) {
  const std::string outcome = object.transcode ? object.transcode->outcome : "";
  return outcome == "transcoded" || outcome == "rewritten" || outcome == "restored" ||
         (object.load && !object.load->transfer_syntax.empty());
}

bool is_warned(const Object& object) {
  return object.load && ((!object.load->status.empty() && object.load->status != "0000") ||
                         (!object.load->outcome.empty() && object.load->outcome != "sent"));
}

}  // namespace

void write(const Options& options, JsonWriter& json) {
  json.member("confidence", to_text(options.demand.confidence)).member("defect", to_text(options.demand.defect));
  if (options.demand.accepted > 0) json.member("accept", std::uint64_t{options.demand.accepted});
  json.member("seed", options.seed);
}

std::string_view why_always(const Object& object) {
  if (is_coerced(object)) return "coerced";
  if (is_transformed(object)) return "transformed";
  if (is_warned(object)) return "warned";
  Severity worst = Severity::s0;
  for (const auto& finding : object.findings) worst = std::max(worst, finding.severity);
  if (worst >= Severity::s3) return "in-doubt";
  return worst == Severity::s2 ? "repaired" : "";
}

bool Plan::is_drawn(const std::string& id) const {
  const auto place = places.find(id);
  return place != places.end() && choices[place->second].why == kWhys[kDrawn];
}

/// What an object is to the plan, in few bytes: there may be many millions.
struct Planner::State {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  struct Entry {
    std::uint64_t id, order;  ///< the first bytes of the digest that orders
    std::uint32_t group;
    std::uint8_t why;  ///< place in kWhys
  };

  Options options;
  std::string salt;
  std::map<Key, std::uint32_t> groups;  ///< sorted, so that the order of the objects changes nothing
  std::vector<Stratum> strata;          ///< by number of the group
  std::vector<Entry> entries;           ///< in the order of the objects

  [[nodiscard]] std::array<std::byte, 32> digest(std::uint64_t id) const {
    return Sha256::of(salt + manifest::id_text(id)).bytes;
  }
  [[nodiscard]] bool is_before(const Entry& a, const Entry& b) const {
    if (a.group != b.group) return a.group < b.group;
    return a.order != b.order ? a.order < b.order : digest(a.id) < digest(b.id);
  }
  void draw(const std::vector<std::uint64_t>& drawn);
  void draw_committed(const Committed& committed, Plan& plan);
};

Planner::Planner(const Options& options) : state_(std::make_unique<State>()) {
  state_->options = options;
  state_->salt = std::to_string(options.seed) + "\n";
}

Planner::~Planner() = default;

void Planner::add(const Object& object) {
  State& state = *state_;
  Stratum stratum = stratum_of(object);
  const State::Key key{stratum.modality, stratum.year, stratum.site, stratum.sop_class, stratum.transfer_syntax};
  const auto [group, added] = state.groups.try_emplace(key, static_cast<std::uint32_t>(state.strata.size()));
  if (added) state.strata.push_back(std::move(stratum));
  const std::string_view why = why_always(object);
  const std::uint64_t id = manifest::id_number(object.id, kOfPlan);
  const auto place = static_cast<std::uint8_t>(std::ranges::find(kWhys, why) - kWhys.begin());
  Stratum& of = state.strata[group->second];
  ++(why.empty() ? of.lot : of.always);
  state.entries.push_back({id, why.empty() ? load_u64(state.digest(id).data(), true) : 0, group->second, place});
}

/// Marks the first of each group's lot.
void Planner::State::draw(const std::vector<std::uint64_t>& drawn) {
  std::vector<std::uint32_t> lot;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].why == kByChance) lot.push_back(static_cast<std::uint32_t>(i));
  }
  std::ranges::sort(lot, [&](std::uint32_t a, std::uint32_t b) { return is_before(entries[a], entries[b]); });
  std::uint64_t taken = 0;
  for (std::size_t i = 0; i < lot.size(); ++i) {
    Entry& entry = entries[lot[i]];
    if (i == 0 || entries[lot[i - 1]].group != entry.group) taken = 0;
    if (taken++ < drawn[entry.group]) entry.why = kDrawn;
  }
}

void Planner::State::draw_committed(const Committed& committed, Plan& plan) {
  std::unordered_set<std::uint64_t> wanted;
  for (const std::string& id : committed.drawn) wanted.insert(manifest::id_number(id, kOfPlan));
  for (Entry& entry : entries) {
    if (wanted.erase(entry.id) == 0 || entry.why != kByChance) continue;
    entry.why = kDrawn;
    ++strata[entry.group].drawn;
  }
  plan.absent = wanted.size();
  plan.committed = committed.list_sha256;
}

Plan Planner::finish(const Committed* committed) {
  State& state = *state_;
  Plan plan;
  plan.options = state.options;
  std::vector<std::uint64_t> sizes;  // in the order of the keys
  for (const auto& [key, number] : state.groups) {
    sizes.push_back(state.strata[number].lot);
    plan.lot += state.strata[number].lot;
  }
  Demand& demand = plan.options.demand;
  while (!can_be_proved(plan.lot, demand)) --demand.accepted;  // one that accepts none always can
  const auto share = allocate(sizes, demand);
  std::vector<std::uint64_t> drawn(sizes.size());
  std::vector<std::uint32_t> place(sizes.size());
  for (std::uint32_t n = 0; const auto& [key, number] : state.groups) {
    drawn[number] = state.strata[number].drawn = share[n];
    place[number] = n++;
  }
  state.draw(drawn);
  if (committed != nullptr) state.draw_committed(*committed, plan);
  for (const auto& [key, number] : state.groups) {
    const Stratum& stratum = plan.strata.emplace_back(state.strata[number]);
    plan.drawn += stratum.drawn;
    plan.always += stratum.always;
  }
  for (const State::Entry& entry : state.entries) {
    if (entry.why == kByChance) continue;
    std::string id = manifest::id_text(entry.id);
    plan.places.emplace(id, plan.choices.size());
    plan.choices.push_back({std::move(id), place[entry.group], kWhys[entry.why]});
  }
  state.entries = {};
  return plan;
}

namespace {

std::string digest_of(const std::vector<std::string>& ids) {
  Sha256 list;
  for (const std::string& id : ids) list.update(id + "\n");
  return list.finish().hex();
}

}  // namespace

std::vector<std::string> Plan::lines() const {
  std::vector<std::string> ids;
  ids.reserve(choices.size());
  for (const Choice& choice : choices) ids.push_back(choice.id);
  std::vector<std::string> out;
  out.reserve(1 + strata.size() + choices.size());
  JsonWriter head;
  head.begin_object().member("kind", "sample");
  write(options, head);
  head.member("unit", "object")
      .member("order", "SHA-256 of seed LF id, smallest first")
      .member("lot", lot)
      .member("drawn", drawn)
      .member("always", always)
      .member("strata", strata.size())
      .member("list_sha256", digest_of(ids));
  if (!committed.empty()) head.member("committed", committed).member("absent", absent);
  out.push_back(std::move(head.end_object()).str());
  for (std::size_t i = 0; i < strata.size(); ++i) {
    const Stratum& s = strata[i];
    JsonWriter line;
    line.begin_object().member("kind", "sample-stratum").member("n", i).member("modality", s.modality);
    line.member("year", s.year).member("site", s.site).member("sop_class", s.sop_class);
    line.member("transfer_syntax", s.transfer_syntax).member("lot", s.lot).member("drawn", s.drawn);
    out.push_back(std::move(line.member("always", s.always).end_object()).str());
  }
  for (const Choice& choice : choices) {
    JsonWriter line;
    line.begin_object().member("kind", "sample-object").member("id", choice.id).member("stratum", choice.stratum);
    out.push_back(std::move(line.member("why", choice.why).end_object()).str());
  }
  return out;
}

void PlanLines::see(const manifest::Record& record) {
  const auto* other = std::get_if<manifest::Other>(&record);
  if (other == nullptr) return;
  if (other->kind == "sample" || other->kind == "sample-stratum" || other->kind == "sample-object")
    lines_.push_back(other->json);
}

std::vector<std::string> PlanLines::missing(const Plan& plan) const {
  auto lines = plan.lines();
  if (lines_.size() > lines.size() || !std::equal(lines_.begin(), lines_.end(), lines.begin())) {
    throw RunError(Exit::integrity,
                   "the interrupted output has another sample than this version draws; keep it, and "
                   "write the new one to another file");
  }
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(lines_.size()));
  return lines;
}

Committed PlanLines::committed() const {
  const auto text = [](const std::string& line, const char* name) {
    return manifest::text_member(line, name).value_or("");
  };
  Committed out;
  std::vector<std::string> ids;
  for (const std::string& line : lines_) {
    const std::string kind = text(line, "kind");
    if (kind == "sample") {
      const auto seed = manifest::whole_member(line, "seed");
      const auto accepted = manifest::whole_member(line, "accept").value_or(0);
      const auto demand =
          parse_demand(text(line, "confidence") + "," + text(line, "defect") + "," + std::to_string(accepted));
      if (!demand || !seed)
        throw RunError(Exit::integrity, "the sample that was committed before the load cannot be read");
      out.options.seed = *seed;
      out.options.demand = *demand;
      out.list_sha256 = text(line, "list_sha256");
    } else if (kind == "sample-object") {
      ids.push_back(text(line, "id"));
      if (text(line, "why") == kWhys[kDrawn]) out.drawn.push_back(ids.back());
    }
  }
  if (digest_of(ids) != out.list_sha256)
    throw RunError(Exit::integrity,
                   "the list of the sample that was committed before the load is not the one of its digest");
  return out;
}

}  // namespace waybill::sample
