// SPDX-License-Identifier: Apache-2.0
#include "sample/result.hpp"

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
    return d.kind != "num-eq" && std::ranges::any_of(kPatient, [&](auto tag) { return d.tag.starts_with(tag); });
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
  return defects() > 0 ? "failed" : "passed";
}

std::string Outcome::always_sentence() const {
  if (plan_->always == 0) return "";
  return " All " + objects(plan_->always) +
         " that were transformed, coerced, warned about, repaired or in doubt were compared as well: " +
         (always_.defects == 0
              ? "each is what was sent."
              : grouped(always_.defects) + (always_.defects == 1 ? " is" : " are") + " not what was sent.");
}

std::string Outcome::statement() const {
  const std::string_view state = this->state();
  const std::string seed = " (seed " + std::to_string(plan_->options.seed) + ")";
  const std::uint64_t planned = plan_->drawn + plan_->always;
  if (state == "open") return "The sample is open: " + grouped(compared()) + " of " + objects(planned) + " compared.";
  if (state == "stopped")
    return "The sample" + seed + " stopped at a critical defect, another patient or other pixels, after " +
           grouped(compared()) + " of " + objects(planned) + ": it proves nothing about the rest." + kWhatToDo;
  std::string text;
  if (drawn_.defects > 0) {
    text = "The sample failed: " + grouped(drawn_.defects) + " of " + objects(plan_->drawn) + " drawn" + seed +
           " from " + grouped(plan_->lot) + (drawn_.defects == 1 ? " is" : " are") +
           " not what was sent, so the bound of " + to_text(plan_->options.demand.defect) + " is not proved.";
  } else if (plan_->drawn < plan_->lot) {
    text = "With " + to_text(plan_->options.demand.confidence) + " confidence at most " +
           to_text(plan_->options.demand.defect) + " of " + objects(plan_->lot) +
           " at the target are not what was sent: " + grouped(plan_->drawn) + " were drawn" + seed +
           " and each is what was sent.";
  } else if (plan_->lot > 0) {
    text = "All " + objects(plan_->lot) + " left to chance were drawn" + seed +
           ", for the lot is small, and each is what was sent.";
  } else {
    text = "No object was left to chance" + seed + ".";
  }
  text += always_sentence();
  if (elsewhere_ > 0)
    text += " Besides, " + objects(elsewhere_) + " not drawn " + (elsewhere_ == 1 ? "is" : "are") +
            " missing at the target.";
  return defects() > 0 ? text + kWhatToDo : text;
}

void Outcome::write(JsonWriter& json) const {
  json.member("seed", plan_->options.seed)
      .member("confidence", to_text(plan_->options.demand.confidence))
      .member("defect", to_text(plan_->options.demand.defect))
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
