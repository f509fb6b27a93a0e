// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// The id of an object as a number, and the number as an id: 16 hex digits, for tables of many millions. The first
/// throws RunError(Exit::integrity), with the name of the manifest, for a text that is no id.
[[nodiscard]] std::uint64_t id_number(std::string_view id, const std::string& manifest);
[[nodiscard]] std::string id_text(std::uint64_t id);

}  // namespace waybill::manifest
