// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>

namespace waybill::reconcile {

/// The discrepancies that an object shows by itself, as match::StudyFacts::signs has them: rejected (D22, and D29 when
/// its retention is over), character set (D23), a second instance of its UID (D25), corrupt (D26), annotations that no
/// other system reads (D28).
[[nodiscard]] std::uint32_t signs_of(const manifest::Object& object);

}  // namespace waybill::reconcile
