// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waybill {

/// The name that somebody most likely meant by `typed`: the one to be made of it by the fewest changes of a letter, if
/// at most half of the letters change; else empty.
[[nodiscard]] std::string nearest(std::string_view typed, const std::vector<std::string>& names);

}  // namespace waybill
