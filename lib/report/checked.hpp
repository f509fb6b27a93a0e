// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

/// Several verifications of one object, and which of them stands. A later one that looks less closely neither takes
/// away what an earlier one proved nor settles what an earlier one found: pixels found different are not equal because
/// somebody asked afterwards whether the object is there.
namespace waybill::report {

/// What a verification looked at, the closest last. `files` is about source and staged files, the others about the
/// target.
enum class Checked : std::uint8_t { nothing, files, commitment, presence, content };
inline constexpr std::size_t kCheckedLevels = 5;

struct Outcome {
  Checked level = Checked::nothing;
  bool good = true;
};

/// What the record of a verification says of its object; nothing when it was only carried on.
[[nodiscard]] inline Outcome outcome_of(const manifest::Object& object) {
  const bool good = object.bucket == manifest::Bucket::verified;
  if (!object.verify || object.verify->verdict.empty() || (!good && object.bucket != manifest::Bucket::failed))
    return {};
  const auto& [grade, verdict, differences] = *object.verify;
  if (verdict == "CHANGED") return {Checked::files, good};
  if (verdict == "COMMITTED" || verdict == "UNCOMMITTED") return {Checked::commitment, good};
  if (verdict == "PRESENT" || (verdict == "MISSING" && grade == "E0")) return {Checked::presence, good};
  return {grade == "E0" ? Checked::files : Checked::content, good};
}

/// Defects of one object that no check as close has settled since.
class Defects {
 public:
  void found(Checked level) noexcept { open_[static_cast<std::size_t>(level)] = true; }
  /// A check found the object good: settles what is not closer, except that a target proves nothing about files.
  void settled(Checked level) noexcept {
    if (level == Checked::files) open_[static_cast<std::size_t>(level)] = false;
    for (auto i = static_cast<std::size_t>(Checked::commitment); i <= static_cast<std::size_t>(level); ++i)
      open_[i] = false;
  }
  /// The closest check whose defect is open, `nothing` when none is.
  [[nodiscard]] Checked closest() const noexcept {
    for (std::size_t i = kCheckedLevels; i-- > 1;) {
      if (open_[i]) return static_cast<Checked>(i);
    }
    return Checked::nothing;
  }

 private:
  std::array<bool, kCheckedLevels> open_{};
};

}  // namespace waybill::report
