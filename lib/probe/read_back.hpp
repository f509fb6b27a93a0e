// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/made.hpp"
#include "probe/run.hpp"
#include "verify/receive.hpp"
#include "verify/source.hpp"

namespace waybill::probe {

/// Looks for made objects at the peer, by the connections that verify has: C-FIND and C-GET, or C-MOVE to a listener of
/// ours, or QIDO-RS and WADO-RS. One thread.
class Reader {
 public:
  explicit Reader(const Options& options);
  /// What is there of an object that was just taken: waits for it for some seconds, since a peer may answer before it
  /// lists, and remembers how long that took. Throws net::PeerError when the peer is lost; what it does not offer is
  /// unknown.
  [[nodiscard]] Sight await(const Made& made, const net::Context& context);
  /// What is there in the end, which may be nothing: behind twice the time that await() needed, and looked for twice.
  [[nodiscard]] Sight look(const Made& made, const net::Context& context);
  /// From the answer until the object was found; nullopt when it was not.
  [[nodiscard]] std::optional<std::chrono::milliseconds> lag() const noexcept { return lag_; }

 private:
  [[nodiscard]] Sight look_once(const Made& made, const net::Context& context);
  void fetch(verify::Session& session, const Made& made, const net::Context& context, Sight& sight);
  const Options& options_;
  std::unique_ptr<verify::Source> source_;
  std::optional<verify::Receiver> receiver_;
  std::optional<std::chrono::milliseconds> lag_;
};

}  // namespace waybill::probe
