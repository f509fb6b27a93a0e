// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/breaker.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

#include <chrono>
#include <string>

namespace waybill::load {

struct Options : transfer::Options {
  net::Peer target;
  unsigned retries = 3;                       ///< rounds after the first, for objects the peer refused for the moment
  Waits waits;                                ///< rounds come after 2, 10, 60, 60 … times the first wait
  std::chrono::milliseconds ask_again{2000};  ///< a peer may still be storing what it was sent without an answer
};

struct Tally : transfer::Ledger {
  transfer::Counts outcomes;  ///< of objects that were to be sent
  std::uint64_t fixity = 0;   ///< files that no longer have their bytes
  void add(const manifest::Object& object);
  [[nodiscard]] Exit exit() const { return exit_with(fixity); }
  [[nodiscard]] std::string counts_json() const;
};

/// Sends what the manifest has to the target and writes load.wb; continues an interrupted one without sending anything
/// twice. Needs dicom::Toolkit alive. Throws net::PeerError when the peer as a whole does not work; what was answered
/// until then is in the output.
[[nodiscard]] Tally run(const Options& options);

}  // namespace waybill::load
