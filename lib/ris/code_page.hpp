// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waybill::ris {

/// iconv's name of a code page an export may be in: "windows-1252", "ISO-8859-15", "cp850", "utf-16" …; nullopt for
/// names nobody exports in.
[[nodiscard]] std::optional<std::string> code_page_named(std::string_view name);

/// The bytes of a table as UTF-8. A byte order mark says more than `code_page`; without either, bytes that look like
/// UTF-16 are read as that and all others are given back as they are (CsvReader reads what is not UTF-8 as CP1252).
/// Throws RunError(Exit::input) when the bytes are not in the code page that is named.
[[nodiscard]] std::string table_text(std::string bytes, const std::string& code_page);

}  // namespace waybill::ris
