// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.hpp"
#include "sample/plan.hpp"

#include <string>

namespace waybill::sample {

/// Whether the defect alone stops the verification: another patient or other pixels.
[[nodiscard]] bool is_critical(const manifest::Object& object);

/// What the comparison of a plan's objects came to. Single-threaded; the plan must outlive it.
class Outcome {
 public:
  explicit Outcome(const Plan& plan) : plan_(&plan) {}

  /// A record of the output, whether the plan has it or not.
  void add(const manifest::Object& object);

  [[nodiscard]] std::uint64_t compared() const noexcept { return drawn_.compared + always_.compared; }
  [[nodiscard]] std::uint64_t critical() const noexcept { return critical_; }
  /// Defects that chance drew, where the plan accepts as many and nothing else is wrong.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return fails() ? 0 : drawn_.defects; }
  /// "passed"; "failed": a defect, or more of those drawn than are accepted; "stopped": objects of the plan were left
  /// because of a critical one; "open": the run was interrupted.
  [[nodiscard]] const char* state() const;
  /// The result for people: what is proved, with its bound, or that nothing is and what to do.
  [[nodiscard]] std::string statement() const;
  /// The members of an open JSON object that say the same.
  void write(JsonWriter& json) const;
  /// The line `sample-result` of the manifest.
  [[nodiscard]] std::string line() const;

 private:
  [[nodiscard]] bool fails() const noexcept {
    return drawn_.defects > plan_->options.demand.accepted || always_.defects + elsewhere_ + critical_ > 0;
  }
  struct Counts {
    std::uint64_t compared = 0, defects = 0;
  };
  [[nodiscard]] std::string drawn_sentence(const std::string& seed) const;
  [[nodiscard]] std::string always_sentence() const;
  [[nodiscard]] std::string committed_sentence() const;

  const Plan* plan_;
  Counts drawn_, always_;
  std::uint64_t elsewhere_ = 0;  ///< missing at the target and in no plan
  std::uint64_t critical_ = 0;
};

}  // namespace waybill::sample
