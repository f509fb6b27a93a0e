// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "net/peer.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace waybill::net {

/// A byte stream to a peer that never answers, such as a syslog collector; TLS when the peer has it. Failures throw
/// PeerError. One thread at a time.
class Stream {
 public:
  /// `name` stands for the peer in messages.
  Stream(const Peer& peer, std::string name, std::chrono::milliseconds timeout);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void write(ByteView bytes);
  /// Whether the connection still stands: what was written earlier than a round trip ago has arrived at the peer's
  /// host.
  [[nodiscard]] bool stands();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill::net
