// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// The text of a top-level member of a record that this version does not model (manifest::Other); nullopt when there is
/// none or it is no text. Throws RunError(Exit::integrity) for what is no JSON object.
[[nodiscard]] std::optional<std::string> text_member(std::string_view json, std::string_view name);

/// The same for a whole number, exactly.
[[nodiscard]] std::optional<std::uint64_t> whole_member(std::string_view json, std::string_view name);

/// Whether there is a top-level member of this name, of any type. Throws as text_member does.
[[nodiscard]] bool has_member(std::string_view json, std::string_view name);

/// The number at a JSON pointer (RFC 6901, "/since/new") of an object such as the counts of an end line; nullopt when
/// there is none. Throws as text_member does.
[[nodiscard]] std::optional<double> number_at(std::string_view json, std::string_view pointer);

}  // namespace waybill::manifest
