// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/peers.hpp"
#include "load/run.hpp"
#include "manifest/writer.hpp"

#include <unordered_set>

namespace waybill::load {

/// What an earlier run left in the output.
struct Past {
  std::unordered_set<std::string> done;      ///< ids with an object record
  std::unordered_set<std::string> in_doubt;  ///< ids with an intent and no record: the peer is asked
  std::unordered_set<std::string> studies;   ///< study records written
};
/// Reads the output; its object records are added to `tally`.
[[nodiscard]] Past read_past(const std::filesystem::path& output, Tally& tally);

/// Asks the peer about every object in doubt and writes the records of those whose outcome is now known; those the peer
/// certainly lacks (asked twice) stay to be sent. Throws net::PeerError.
void settle_doubts(const Options& options, const Contents& contents, Peers& peers, Past& past, manifest::Writer& writer,
                   Tally& tally);

}  // namespace waybill::load
