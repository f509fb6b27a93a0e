// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/way.hpp"
#include "manifest/record.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace waybill::load {

/// What one answer means (domain rule 9.2), whether it came by C-STORE or STOW-RS.
struct Meaning {
  enum class Next {
    done,    ///< the outcome stands
    retry,   ///< certainly not stored for lack of resources, may succeed later
    ask,     ///< stored or not: ask before sending again
    syntax,  ///< certainly not stored: the target wants another transfer syntax
    stop,    ///< not authorised: nothing else will be taken either
  };
  Next next = Next::done;
  manifest::Bucket bucket = manifest::Bucket::failed;  ///< when done, or when retries are used up
  std::string outcome;                                 ///< manifest::Load::outcome
  std::optional<manifest::Finding> finding;
  bool scarce = false;  ///< the target lacks resources
};
[[nodiscard]] Meaning meaning_of(const Answer& answer);

/// Whether the answer is Cxxx, which may be about the transfer syntax.
[[nodiscard]] bool is_not_understood(const Answer& answer) noexcept;

/// "b000": four lower-case hex digits.
[[nodiscard]] std::string status_text(std::uint16_t status);

}  // namespace waybill::load
