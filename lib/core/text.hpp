// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// Whether all bytes are below 0x80.
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;

/// Whether the text is well-formed UTF-8 (RFC 3629: no surrogates, no over-long forms).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// The text with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string repair_utf8(std::string_view text);

/// A file name as manifest text: bytes that are not UTF-8, control characters and '%' itself become
/// %XX, so that any name survives JSON and a terminal; path_from_text gives the same bytes back.
[[nodiscard]] std::string path_to_text(std::string_view path);
[[nodiscard]] std::string path_from_text(std::string_view text);

/// Without leading and trailing spaces and NULs.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// The parts between separators; one empty part for an empty text.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace waybill
