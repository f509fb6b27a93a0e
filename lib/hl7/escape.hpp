// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hl7/delimiters.hpp"

#include <string>
#include <string_view>

namespace waybill::hl7 {

/// The text with its escape sequences resolved: \F\ \S\ \T\ \R\ \E\ \P\ as their characters, \Xhh..\ as the bytes in
/// `charset` (as UTF-8 where they are), line and paragraph formatting as line feeds or spaces, highlighting as nothing.
/// Sequences of character sets are gone before (decode.hpp). An unknown or unterminated sequence stays as it is.
/// To be called behind splitting, never before it.
[[nodiscard]] std::string unescape(std::string_view text, const Delimiters& delimiters, const std::string& charset);

/// The inverse for what we write: separators, the escape character, CR and LF.
[[nodiscard]] std::string escape(std::string_view text, const Delimiters& delimiters);

}  // namespace waybill::hl7
