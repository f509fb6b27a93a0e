// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "core/version.hpp"
#include "manifest/header.hpp"

#include <string_view>

namespace waybill::manifest {

/// The header of a run of `stage` that begins now by this tool; options and inputs are still to be said.
[[nodiscard]] inline Header begun(std::string_view stage) {
  Header header;
  header.stage = stage;
  header.run = random_uuid();
  header.tool = kToolName;
  header.created = utc_now();
  return header;
}

}  // namespace waybill::manifest
