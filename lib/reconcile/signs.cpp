// SPDX-License-Identifier: Apache-2.0
#include "reconcile/signs.hpp"

#include "match/site_facts.hpp"

#include <algorithm>

namespace waybill::reconcile {
namespace {

using manifest::Bucket;
using manifest::Severity;

constexpr std::uint32_t bit(unsigned number) { return 1U << number; }
constexpr std::string_view kRetentionOver = "113039";

bool damaged(const manifest::Finding& f) {
  const bool serious = f.severity == Severity::s3 || f.severity == Severity::s4;
  return serious && (f.code.starts_with("ENC-") || f.code.starts_with("PIX-") || f.code.starts_with("SRC-"));
}

}  // namespace

std::uint32_t signs_of(const manifest::Object& object) {
  std::uint32_t signs = 0;
  if (object.rejection) signs |= bit(22);
  if (object.rejection == kRetentionOver) signs |= bit(29);
  if (object.bucket == Bucket::duplicate_identical || object.bucket == Bucket::duplicate_conflict) signs |= bit(25);
  const bool kept_back = object.bucket == Bucket::quarantined || object.bucket == Bucket::unreadable;
  if (kept_back && std::any_of(object.findings.begin(), object.findings.end(), damaged)) signs |= bit(26);
  for (const auto& f : object.findings) {
    if (f.code.starts_with("REJECTED-")) signs |= bit(22) | (f.code.ends_with(kRetentionOver) ? bit(29) : 0);
    if (f.code.starts_with("CS-") && f.severity >= Severity::s2) signs |= bit(23);
    if (f.code == "PRIV-ANNOT") signs |= bit(28);
    if (f.code == "KO-LEGALHOLD") signs |= match::kLegalHold;
  }
  return signs;
}

}  // namespace waybill::reconcile
