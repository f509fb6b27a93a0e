// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

namespace waybill::manifest {

/// The names of the members in which two headers' options (JSON objects) differ, whatever their order and spacing.
[[nodiscard]] std::set<std::string> differing_options(const std::string& before, const std::string& now);

}  // namespace waybill::manifest
