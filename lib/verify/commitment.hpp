// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/commitment.hpp"
#include "transfer/output.hpp"
#include "verify/studies.hpp"

#include <vector>

namespace waybill::verify {

/// Asks the peer for storage commitment of all objects and records each when its verdict is there: COMMITTED (E2),
/// UNCOMMITTED, or UNREPORTED where the wait is over and options say so. `steps` are those of the output that is
/// continued; `store` keeps the objects that wait, under keys of its own. False when objects are left without a
/// verdict. Throws net::PeerError.
[[nodiscard]] bool check_commitment(const Options& options, Studies& studies,
                                    const std::vector<manifest::Commitment>& steps, index::Store& store,
                                    transfer::Output& output);

}  // namespace waybill::verify
