// SPDX-License-Identifier: Apache-2.0
#include "assess/pilot.hpp"

#include "core/sha256.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace waybill::assess {
namespace {

std::uint64_t rank_of(std::uint64_t seed, const std::string& study) {
  const Digest digest = Sha256::of(std::to_string(seed) + "\n" + study);
  return load_u64(digest.bytes.data(), true);
}

}  // namespace

void Picker::keep(Best& best, std::uint64_t most, const Candidate& candidate, Shared& shared) {
  const auto worse = [](const Shared& a, const Shared& b) { return *a < *b; };
  if (most == 0 || (best.size() >= most && !(candidate < *best.front()))) return;
  if (!shared) shared = std::make_shared<const Candidate>(candidate);
  if (best.size() >= most) {
    std::pop_heap(best.begin(), best.end(), worse);
    best.pop_back();
  }
  best.push_back(shared);
  std::push_heap(best.begin(), best.end(), worse);
}

Picker::Best Picker::sorted(Best best) {
  std::sort(best.begin(), best.end(), [](const Shared& a, const Shared& b) { return *a < *b; });
  return best;
}

void Picker::offer(const StudySum& study) {
  const Candidate candidate{rank_of(seed_, study.uid), study};
  Shared shared;
  keep(drawn_, wanted_, candidate, shared);
  for (const std::uint32_t feature : study.features) {
    if (feature >= of_feature_.size()) of_feature_.resize(feature + 1);
    keep(of_feature_[feature], kOfEachFeature, candidate, shared);
  }
}

Pilot Picker::finish(const Studies& studies) const {
  const auto& features = studies.features();
  std::vector<std::uint32_t> rarest(of_feature_.size());
  std::iota(rarest.begin(), rarest.end(), 0U);
  std::sort(rarest.begin(), rarest.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto &have_a = studies.having()[a], &have_b = studies.having()[b];
    return have_a != have_b ? have_a < have_b : features[a] < features[b];
  });
  std::map<std::string, Chosen> chosen;
  std::vector<std::size_t> has(of_feature_.size());
  const auto take = [&](const Candidate& candidate) -> Chosen& {
    const StudySum& study = candidate.study;
    const auto [at, fresh] = chosen.try_emplace(study.uid, Chosen{study.uid, study.instances, study.bytes, {}});
    for (std::size_t i = 0; fresh && i < study.features.size(); ++i) ++has[study.features[i]];
    return at->second;
  };
  Pilot pilot;
  pilot.wanted = wanted_;
  pilot.seed = seed_;
  for (const std::uint32_t feature : rarest) {
    if (!of_feature_[feature].empty()) ++pilot.features;
    for (const Shared& candidate : sorted(of_feature_[feature])) {
      if (has[feature] >= kOfEachFeature) break;
      if (!chosen.contains(candidate->study.uid)) take(*candidate).why.push_back(features[feature]);
    }
  }
  pilot.for_features = chosen.size();
  for (const Shared& candidate : sorted(drawn_)) {
    if (chosen.size() >= wanted_) break;
    take(*candidate);
  }
  for (auto& [uid, study] : chosen) {
    pilot.instances += study.instances;
    pilot.bytes += study.bytes;
    pilot.studies.push_back(std::move(study));
  }
  return pilot;
}

}  // namespace waybill::assess
