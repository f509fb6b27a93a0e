// SPDX-License-Identifier: Apache-2.0
#include "assess/matching.hpp"

#include "assess/volumes.hpp"

#include <variant>

namespace waybill::assess {
namespace {

/// One more of a name; names that a hostile manifest makes up end at so many rows.
void count(std::map<std::string, std::uint64_t>& counts, const std::string& name) {
  ++counts[counts.size() < kMostRows || counts.contains(name) ? name : std::string(kOther)];
}

}  // namespace

void Matching::add(const manifest::Record& record) {
  if (const auto* other = std::get_if<manifest::Other>(&record)) {
    if (other->kind == "exam") ++exams_without_images;
    return;
  }
  const auto* study = std::get_if<manifest::Study>(&record);
  if (study == nullptr) return;
  const std::string rule = study->rule.value_or("R10");
  Decided& decided = rules[rules.size() < kMostRows || rules.contains(rule) ? rule : std::string(kOther)];
  const std::string decision = study->decision.value_or("unmatched");
  ++(decision == "auto"     ? decided.automatic
     : decision == "person" ? decided.person
     : decision == "review" ? decided.review
                            : decided.unmatched);
  for (const auto& veto : study->vetoes) count(vetoes, veto);
  for (const auto& code : study->discrepancies) count(discrepancies, code);
}

Matching::Decided Matching::all() const {
  Decided sum;
  for (const auto& [rule, decided] : rules) {
    sum.automatic += decided.automatic;
    sum.person += decided.person;
    sum.review += decided.review;
    sum.unmatched += decided.unmatched;
  }
  return sum;
}

}  // namespace waybill::assess
