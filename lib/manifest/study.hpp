// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

namespace waybill::manifest {

/// The record of a study as one object tells it: identifiers and dates, no counts, no modalities.
[[nodiscard]] Study study_of(const Object& object);

}  // namespace waybill::manifest
