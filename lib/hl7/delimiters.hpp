// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <string_view>

namespace waybill::hl7 {

/// The separators a message announces in MSH-1 and MSH-2. '\0' stands for one it does not have.
struct Delimiters {
  char field = '|', component = '^', repetition = '~', escape = '\\', subcomponent = '&';
};

/// From the first bytes of a message ("MSH|^~\&|…"). An MSH-2 that is short leaves the further separators out, an empty
/// one means the customary ones; more characters than known ones (2.7 has `#`) are ignored, a doubled escape character
/// counts once. Fault::malformed when there is no MSH-1, or when two separators are the same character.
[[nodiscard]] Result<Delimiters> read_delimiters(std::string_view message);

}  // namespace waybill::hl7
