// SPDX-License-Identifier: Apache-2.0
#include "sample/result.hpp"

#include "manifest/exception.hpp"
#include "page/escape.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace waybill::sample {

using page::grouped;

namespace {

const std::string kWhatToDo =
    " Find the cause, mend it, compare every object of the affected class, then draw a new sample with a new seed.";

std::string objects(std::uint64_t n) { return grouped(n) + (n == 1 ? " object" : " objects"); }

}  // namespace

bool is_critical(const manifest::Object& object) {
  if (!object.verify || object.bucket != manifest::Bucket::failed) return false;
  if (object.verify->verdict == "PIXEL-DIFF") return true;
  // name, ID and its issuer, birth date, sex
  constexpr std::array<std::string_view, 5> kPatient{"00100010", "00100020", "00100021", "00100030", "00100040"};
  return std::ranges::any_of(object.verify->differences, [&](const manifest::Difference& d) {
    return !manifest::means_the_same(d) &&
           std::ranges::any_of(kPatient, [&](auto tag) { return d.tag.starts_with(tag); });
  });
}

void Outcome::add(const manifest::Object& object) {
  if (!object.verify || object.verify->verdict.empty()) return;
  const bool defect = object.bucket == manifest::Bucket::failed;
  if (!plan_->has(object.id)) {
    elsewhere_ += defect ? 1 : 0;
    return;
  }
  if (object.verify->verdict == "PRESENT") return;
  Counts& counts = plan_->is_drawn(object.id) ? drawn_ : always_;
  ++counts.compared;
  counts.defects += defect ? 1 : 0;
  critical_ += is_critical(object) ? 1 : 0;
}

const char* Outcome::state() const {
  if (compared() < plan_->drawn + plan_->always) return critical_ > 0 ? "stopped" : "open";
  return fails() ? "failed" : "passed";
}

std::string Outcome::always_sentence() const {
  if (plan_->always == 0) return "";
  return " All " + objects(plan_->always) +
         " that were transformed, coerced, warned about, repaired or in doubt were compared as well: " +
         (always_.defects == 0
              ? "each is what was sent."
              : grouped(always_.defects) + (always_.defects == 1 ? " is" : " are") + " not what was sent.");
}

/// Of the objects left to chance: what is proved, or that nothing is.
std::string Outcome::drawn_sentence(const std::string& seed) const {
  const Demand& demand = plan_->options.demand;
  const std::uint64_t bad = drawn_.defects;
  const std::string found = grouped(bad) + (bad == 1 ? " is" : " are") + " not what was sent";
  const std::string accepts = grouped(demand.accepted);
  if (bad > demand.accepted) {
    return "The sample failed: " + grouped(bad) + " of " + objects(plan_->drawn) + " drawn" + seed + " from " +
           grouped(plan_->lot) + (bad == 1 ? " is" : " are") + " not what was sent, " +
           (demand.accepted > 0 ? "more than the " + accepts + " that it accepts, " : "") + "so the bound of " +
           to_text(demand.defect) + " is not proved.";
  }
  const std::string of_them =
      bad == 0 ? "each is what was sent" : found + ", no more than the " + accepts + " that the sample accepts";
  if (plan_->drawn < plan_->lot) {
    return "With " + to_text(demand.confidence) + " confidence at most " + to_text(demand.defect) + " of " +
           objects(plan_->lot) + " at the target are not what was sent: " + grouped(plan_->drawn) + " were drawn" +
           seed + " and " + of_them + ".";
  }
  if (plan_->lot > 0)
    return "All " + objects(plan_->lot) + " left to chance were drawn" + seed + ", for the lot is small, and " +
           of_them + ".";
  return "No object was left to chance" + seed + ".";
}

std::string Outcome::committed_sentence() const {
  std::string text = " The list was on disk before the load began";
  if (plan_->absent > 0)
    text += "; " + objects(plan_->absent) + " of it " + (plan_->absent == 1 ? "was" : "were") + " not loaded";
  return text + ".";
}

std::string Outcome::statement() const {
  const std::string_view state = this->state();
  const std::string seed = " (seed " + std::to_string(plan_->options.seed) + ")";
  const std::uint64_t planned = plan_->drawn + plan_->always;
  if (state == "open") return "The sample is open: " + grouped(compared()) + " of " + objects(planned) + " compared.";
  if (state == "stopped")
    return "The sample" + seed + " stopped at a critical defect, another patient or other pixels, after " +
           grouped(compared()) + " of " + objects(planned) + ": it proves nothing about the rest." + kWhatToDo;
  std::string text = drawn_sentence(seed);
  text += always_sentence();
  if (elsewhere_ > 0)
    text += " Besides, " + objects(elsewhere_) + " not drawn " + (elsewhere_ == 1 ? "is" : "are") +
            " missing at the target.";
  if (!plan_->committed.empty()) text += committed_sentence();
  return fails() ? text + kWhatToDo : text;
}

void Outcome::write(JsonWriter& json) const {
  json.member("seed", plan_->options.seed)
      .member("confidence", to_text(plan_->options.demand.confidence))
      .member("defect", to_text(plan_->options.demand.defect))
      .member("accept", std::uint64_t{plan_->options.demand.accepted})
      .member("state", state())
      .member("lot", plan_->lot)
      .member("drawn", plan_->drawn)
      .member("drawn_compared", drawn_.compared)
      .member("drawn_defects", drawn_.defects)
      .member("always", plan_->always)
      .member("always_compared", always_.compared)
      .member("always_defects", always_.defects)
      .member("missing_elsewhere", elsewhere_)
      .member("critical", critical_)
      .member("statement", statement());
}

std::string Outcome::line() const {
  JsonWriter json;
  json.begin_object().member("kind", "sample-result");
  write(json);
  return std::move(json.end_object()).str();
}

}  // namespace waybill::sample
