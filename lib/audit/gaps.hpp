// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waybill::audit {

/// What the numbers of audit messages tell about a collector's files.
struct GapReport {
  std::uint64_t runs = 0, messages = 0;
  std::uint64_t repeated = 0;     ///< delivered twice after a lost connection
  std::uint64_t other_lines = 0;  ///< no messages of ours
  std::vector<std::string> gaps;  ///< "run RUN lacks messages 3 to 5"
  std::vector<std::string> open;  ///< runs without an Application Stop message, or that stop before their last
};

/// Reads files that hold one RFC 5424 message a line as it came. Memory: a few bytes a message. Throws RunError(input).
[[nodiscard]] GapReport find_gaps(const std::vector<std::string>& files);

}  // namespace waybill::audit
