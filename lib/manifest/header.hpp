// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/reader.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// The header line parsed. Throws RunError(Exit::input) when it is no header of a known format.
[[nodiscard]] Header parse_header(std::string_view line, const std::filesystem::path& path);

/// The header as its line, without line feed.
[[nodiscard]] std::string to_json(const Header& header);

/// What keeps a run with header `now` from continuing a manifest with header `before`: stage, the options that
/// differ by name, the inputs that differ; empty when nothing does. Run, tool and time of creation may differ.
[[nodiscard]] std::string header_difference(const Header& before, const Header& now);

/// The array of inputs of a header or end line; an empty head is left out.
void write_inputs(JsonWriter& w, const std::vector<Input>& inputs);
[[nodiscard]] std::vector<Input> read_inputs(const detail::JsonObject& line);

}  // namespace waybill::manifest
