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
  /// What is there. Looks twice, as a peer may answer before it lists what it took. Throws net::PeerError when the peer
  /// is lost; what it does not offer is unknown.
  [[nodiscard]] Sight look(const Made& made, const net::Context& context);

 private:
  [[nodiscard]] Sight look_once(const Made& made, const net::Context& context);
  void fetch(verify::Session& session, const Made& made, const net::Context& context, Sight& sight);
  const Options& options_;
  std::unique_ptr<verify::Source> source_;
  std::optional<verify::Receiver> receiver_;
};

}  // namespace waybill::probe
