// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/run.hpp"
#include "transfer/output.hpp"
#include "transfer/peers.hpp"

#include <string>
#include <unordered_set>

namespace waybill::load {

/// Asks the peer about every object that has an intent (its id in `intents`) and no record, and writes the records of
/// those whose outcome is now known; those the peer certainly lacks (asked twice) stay to be sent. Throws
/// net::PeerError.
void settle_doubts(const Options& options, const transfer::Contents& contents,
                   const std::unordered_set<std::string>& intents, transfer::Peers& peers, transfer::Output& output);

}  // namespace waybill::load
