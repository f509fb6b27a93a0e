// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::manifest {

/// A step of a storage commitment transaction (PS3.4 J), kind "commitment". `requested` is on disk before the archive
/// is asked, and names the objects; all later ones have only the transaction. A Transaction UID is used once, so
/// whatever ends without a report is asked for again under another.
struct Commitment {
  struct Asked {
    std::string id, sop_class, sop_instance;
  };
  std::string transaction;
  std::string state;              ///< requested, accepted, refused, abandoned, reported, contradicted
  std::string at;                 ///< RFC 3339 UTC
  std::string study;              ///< of requested
  std::vector<Asked> objects;     ///< of requested
  std::string status;             ///< of refused: four hex digits of the answer to N-ACTION
  std::uint64_t committed = 0;    ///< of reported
  std::uint64_t unrequested = 0;  ///< of reported: references that nobody asked about, or twice
  /// SOP Instance UID and reason of what the archive does not commit itself to; of reported and contradicted.
  std::vector<std::pair<std::string, std::string>> failed;
};

[[nodiscard]] std::string to_json(const Commitment& step);
/// Throws RunError(Exit::integrity) for a line that is none.
[[nodiscard]] Commitment commitment_from(std::string_view line);

}  // namespace waybill::manifest
