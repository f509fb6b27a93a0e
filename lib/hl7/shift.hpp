// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace waybill::hl7 {

/// Whether a character set is switched by HL7's own escapes \Cxxyy\ or \Mxxyyzz\.
[[nodiscard]] bool has_shift_escape(std::string_view text, char escape) noexcept;

/// Text with ISO 2022 shifts (ESC sequences, or the same given as \C..\ and \M..\) as UTF-8 without them. `high_set` is
/// what bytes of 0x80 and above are in while no shift says otherwise. A line end brings back ASCII. Gives the number of
/// places that could not be read, which are U+FFFD in the result.
std::size_t decode_shifts(std::string_view text, char escape, const std::string& high_set, std::string& out);

}  // namespace waybill::hl7
