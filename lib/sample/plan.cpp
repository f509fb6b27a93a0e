// SPDX-License-Identifier: Apache-2.0
#include "sample/plan.hpp"

#include "core/json.hpp"
#include "core/sha256.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace waybill::sample {

using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::string_view kDrawn = "drawn";

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

struct Group {
  Stratum stratum;
  std::vector<std::pair<std::array<std::byte, 32>, std::size_t>> lot;  ///< left to chance, by the digest that orders
  std::uint32_t number = 0;
};

}  // namespace

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
  return place != places.end() && choices[place->second].why == kDrawn;
}

Plan make_plan(const Options& options, std::span<const Object> objects,
               const std::function<bool(const Object&)>& is_wanted) {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  std::map<Key, Group> groups;  // sorted, so that the order of the objects changes nothing
  std::vector<std::string_view> why(objects.size());
  std::vector<const Group*> group_of(objects.size());
  const std::string salt = std::to_string(options.seed) + "\n";
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (!is_wanted(objects[i])) continue;
    Stratum key = stratum_of(objects[i]);
    Group& group = groups[{key.modality, key.year, key.site, key.sop_class, key.transfer_syntax}];
    if (group.stratum.lot + group.stratum.always == 0) group.stratum = std::move(key);
    group_of[i] = &group;
    why[i] = why_always(objects[i]);
    ++(why[i].empty() ? group.stratum.lot : group.stratum.always);
    if (why[i].empty()) group.lot.emplace_back(Sha256::of(salt + objects[i].id).bytes, i);
  }

  Plan plan;
  plan.options = options;
  std::vector<std::uint64_t> sizes;
  sizes.reserve(groups.size());
  for (const auto& [key, group] : groups) sizes.push_back(group.stratum.lot);
  const auto drawn = allocate(sizes, options.demand);
  for (auto& [key, group] : groups) {
    group.number = static_cast<std::uint32_t>(plan.strata.size());
    group.stratum.drawn = drawn[group.number];
    std::ranges::sort(group.lot);
    for (std::size_t i = 0; i < group.stratum.drawn; ++i) why[group.lot[i].second] = kDrawn;
    plan.lot += group.stratum.lot;
    plan.drawn += group.stratum.drawn;
    plan.always += group.stratum.always;
    plan.strata.push_back(group.stratum);
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (why[i].empty()) continue;
    plan.places.emplace(objects[i].id, plan.choices.size());
    plan.choices.push_back({objects[i].id, group_of[i]->number, why[i]});
  }
  return plan;
}

std::vector<std::string> Plan::lines() const {
  Sha256 list;
  for (const Choice& choice : choices) list.update(choice.id + "\n");
  std::vector<std::string> out;
  out.reserve(1 + strata.size() + choices.size());
  JsonWriter head;
  head.begin_object()
      .member("kind", "sample")
      .member("confidence", to_text(options.demand.confidence))
      .member("defect", to_text(options.demand.defect))
      .member("seed", options.seed)
      .member("unit", "object")
      .member("order", "SHA-256 of seed LF id, smallest first")
      .member("lot", lot)
      .member("drawn", drawn)
      .member("always", always)
      .member("strata", strata.size())
      .member("list_sha256", list.finish().hex())
      .end_object();
  out.push_back(std::move(head).str());
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

}  // namespace waybill::sample
