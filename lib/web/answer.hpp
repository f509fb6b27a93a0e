// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/http.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::web {

/// What a service answered to a STOW-RS request (PS3.18 10.5.3, I).
struct StoreAnswer {
  Response response;
  bool readable = false;  ///< the body is a Store Instances Response in JSON or XML
  /// By SOP Instance UID, a status as of C-STORE: 0000 or the Warning Reason (0008,1196) of what was stored, the
  /// Failure Reason (0008,1197) of what was not. An instance that the answer does not name, or names as both, is not in
  /// it.
  std::map<std::string, std::uint16_t, std::less<>> instances;
  /// Reason of the Other Failures Sequence (0008,119A): something was not stored, and it does not say what.
  std::optional<std::uint16_t> other_failure;
};

/// Failure Reason C122: the service does not take the transfer syntax (PS3.18 I.2.2).
inline constexpr std::uint16_t kSyntaxRefused = 0xC122;

/// Reads the body by its Content-Type or, without one, by its first character. Never throws for what the service says.
[[nodiscard]] StoreAnswer parse_store_answer(Response response, std::string_view body);

}  // namespace waybill::web
