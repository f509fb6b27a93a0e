// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace waybill::assess {

/// What docs/findings.md says of a code, as plain text; empty parts where the page has no column for them.
struct Meaning {
  std::string meaning, tools, person;
};

/// Of a code that no version writes: all parts empty. Any thread.
[[nodiscard]] const Meaning& meaning_of(std::string_view code);

}  // namespace waybill::assess
