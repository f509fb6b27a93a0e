// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/run.hpp"
#include "transfer/peers.hpp"

#include <set>

namespace waybill::probe {

/// What a peer answers to proposals, and nothing else: no message is sent. One thread.
class Negotiator {
 public:
  explicit Negotiator(const Options& options);

  /// Whether it is there, whose code it is and which services it offers, with an association that is used for C-ECHO.
  /// Throws net::PeerError.
  void services(Profile& profile);
  /// Which of the contexts it grants, one transfer syntax a context, in as many associations as it takes. What a peer
  /// leaves out for want of room is asked for again, and a proposal at which it breaks off twice in halves. Throws
  /// net::PeerError.
  void storage(const std::set<net::Context>& contexts, Profile& profile);
  /// How many associations it lets us have at the same time.
  [[nodiscard]] AtOnce at_once();

 private:
  void ask(std::vector<net::Context> contexts, Profile& profile);
  void ask_or_halve(const std::vector<net::Context>& contexts, Profile& profile);
  const Options& options_;
  const net::Peer& peer_;
  transfer::Peers peers_;
  unsigned asked_ = 0;  // associations of storage()
};

/// Every Storage SOP Class in every transfer syntax that objects are kept in.
[[nodiscard]] std::set<net::Context> all_storage();

}  // namespace waybill::probe
