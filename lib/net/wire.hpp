// SPDX-License-Identifier: Apache-2.0
// Private to lib/net: a TCP connection, with TLS when the peer's address asks for it.
#pragma once

#include "core/bytes.hpp"
#include "io/descriptor.hpp"
#include "net/peer.hpp"

#include <sys/uio.h>
#include <chrono>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

struct ssl_st;

namespace waybill::net {

/// The connection does not work any more; the text says why.
struct WireError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

/// A connection without Nagle's algorithm and without delayed acknowledgements in the middle of a PDU: either costs
/// 40 ms an object with a peer that writes a PDU in two pieces, as those built with DCMTK do. Every call has a total
/// time-out. One thread at a time.
class Wire {
 public:
  /// Connects to the first of the host's addresses that takes us and makes the TLS handshake. Throws PeerError.
  static Wire connect(const Peer& peer, Deadline until);
  /// A connection that a peer made to us; with `tls` (of Tls::make_server) after its handshake. Throws WireError.
  static Wire accept(io::Descriptor socket, const Tls* tls, Deadline until);
  ~Wire();
  Wire(Wire&&) noexcept;
  Wire& operator=(Wire&&) noexcept;

  /// Writes all pieces, as few system calls as possible. `stall` is how long the peer may take nothing at all.
  void write(std::span<iovec> pieces, std::chrono::milliseconds stall, Deadline until);
  /// The next `size` bytes, without a copy where they fit into what is read ahead, else in `room`. Valid until the next
  /// call that reads.
  [[nodiscard]] ByteView take(std::size_t size, Bytes& room, Deadline until);
  /// The next bytes, where they are to stay; what is not read ahead goes there from the socket. A little of what comes
  /// behind them is read ahead with the same system call.
  void read_into(std::span<std::byte> into, Deadline until);
  /// Whether nothing has come and the connection stands.
  [[nodiscard]] bool quiet();
  /// Waits until something has come or the connection has ended; false when neither happens in time.
  [[nodiscard]] bool await(Deadline until);
  /// Ends the connection; the kernel still delivers what was written.
  void close() noexcept;
  /// The socket, for those that end a connection from another thread by shutdown(2).
  [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }

 private:
  struct FreeTls {
    void operator()(ssl_st* tls) const noexcept;
  };
  Wire();
  void shake_hands(const Peer& peer, Deadline until);
  void wait(short events, Deadline until) const;
  [[nodiscard]] std::size_t some_from_peer(std::span<std::byte> into, Deadline until, std::span<std::byte> more = {});
  void read_ahead(std::size_t least, Deadline until);
  void write_plain(std::span<iovec> pieces, std::chrono::milliseconds stall, Deadline until);
  void write_tls(ByteView bytes, std::chrono::milliseconds stall, Deadline until);

  io::Descriptor fd_;
  std::unique_ptr<ssl_st, FreeTls> tls_;
  Bytes ahead_;  // read, not yet asked for
  std::size_t begin_ = 0, end_ = 0;
  std::size_t reach_;  // how far to read ahead: behind large pieces not far, since what was is copied once more
  Bytes small_;        // small pieces put together for one TLS record
};

}  // namespace waybill::net
