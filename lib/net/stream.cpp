// SPDX-License-Identifier: Apache-2.0
#include "net/stream.hpp"

#include "net/wire.hpp"

namespace waybill::net {

struct Stream::State {
  std::string name;
  std::chrono::milliseconds timeout;
  Wire wire;
};

Stream::Stream(const Peer& peer, std::string name, std::chrono::milliseconds timeout)
    : state_(new State{std::move(name), timeout, Wire::connect(peer, Clock::now() + timeout)}) {}

Stream::~Stream() { state_->wire.close(); }

void Stream::write(ByteView bytes) {
  iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};
  try {
    state_->wire.write({&piece, 1}, state_->timeout, Clock::now() + state_->timeout);
  } catch (const WireError& error) {
    throw PeerError(PeerError::Kind::unreachable, state_->name + " was lost: " + error.what());
  }
}

bool Stream::stands() { return state_->wire.quiet(); }

}  // namespace waybill::net
