// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "net/association.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace waybill::load {

/// What one answer to C-STORE means (domain rule 9.2).
struct Meaning {
  enum class Next {
    done,   ///< the outcome stands
    retry,  ///< certainly not stored for lack of resources, may succeed later
    ask,    ///< stored or not: ask before sending again
    stop,   ///< not authorised: nothing else will be taken either
  };
  Next next = Next::done;
  manifest::Bucket bucket = manifest::Bucket::failed;  ///< when done, or when retries are used up
  std::string outcome;                                 ///< manifest::Load::outcome
  std::optional<manifest::Finding> finding;
};
[[nodiscard]] Meaning meaning_of(const net::StoreResult& result);

/// Whether the last answer was Cxxx, which may be about the transfer syntax.
[[nodiscard]] bool is_not_understood(const manifest::Load& load) noexcept;

/// "b000": four lower-case hex digits.
[[nodiscard]] std::string status_text(std::uint16_t status);

}  // namespace waybill::load
