// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/listener.hpp"
#include "probe/profile.hpp"
#include "transfer/address.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace waybill::probe {

struct Options {
  transfer::Address peer;
  std::string calling = "WAYBILL";
  net::Timeouts timeouts;
  std::filesystem::path manifest;  ///< whose objects the peer is to take; empty: all classes and syntaxes are asked
  std::size_t most_listed = 1000;  ///< studies in a list; 0: nothing is asked about what the peer holds
  unsigned at_once = 8;            ///< connections to open at the same time, and to measure with
  bool write = false;              ///< store objects of a made-up patient
  std::size_t objects = 40;        ///< of each number of associations to measure; 0: nothing is measured
  std::optional<net::ListenAt> listen;  ///< where objects come to by C-MOVE; none: they are read back by C-GET
  std::shared_ptr<const net::Tls> listen_tls;
  std::function<void(const std::string&)> say;  ///< what a person should know meanwhile
};

/// Finds out what a peer takes, gives and does. Only reads unless `write` is set. What the peer fails at is a trouble
/// of the profile; throws net::PeerError when it cannot be reached or lets nobody in, RunError for a manifest that
/// cannot be read. Every question is bounded in answers, bytes and by the time-outs. Needs dicom::Toolkit alive.
[[nodiscard]] Profile run(const Options& options);

}  // namespace waybill::probe
