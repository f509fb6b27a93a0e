// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "io/descriptor.hpp"
#include "net/command.hpp"
#include "net/tls_stream.hpp"
#include "simpacs/pdu.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace waybill::simpacs {

/// Why an association cannot go on. Thrown and caught within simpacs.
struct Lost {
  std::string why;
};

/// One TCP connection, read through a buffer. One thread.
class Wire {
 public:
  /// Takes a connected socket. `idle` is how long it may be silent before it counts as lost.
  Wire(io::Descriptor socket, std::chrono::milliseconds idle);

  /// From here on by TLS; the handshake of a node that is called, or that calls `name`. Throws Lost.
  void accept_tls(const net::Tls& tls);
  void connect_tls(const net::Tls& tls, const std::string& name);

  /// Called about every 50 ms while nothing arrives; may throw Lost.
  std::function<void()> on_wait;

  /// Fills `into`; throws Lost. `first`: the end of the stream before the first byte gives false instead.
  bool read(std::span<std::byte> into, bool first = false);
  /// Passes over bytes without copying them out of the kernel; throws Lost.
  void skip(std::size_t count);
  void write(ByteView bytes);

  /// Reads at most so many bytes a second from now on, 0 without limit.
  void set_pace(std::uint64_t bytes_a_second);
  /// Ends with RST, so that the peer's next read or write fails.
  void reset();
  /// No more bytes from us; the peer may go on sending.
  void close_half();
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(socket_); }

 private:
  [[nodiscard]] bool is_plain() const noexcept { return !tls_; }
  std::size_t receive(std::span<std::byte> into, int flags);
  void spend(std::size_t count);
  bool fill();

  io::Descriptor socket_;
  std::optional<net::TlsStream> tls_;
  std::chrono::milliseconds idle_;
  Bytes buffer_;
  std::size_t from_ = 0, to_ = 0;
  std::uint64_t pace_ = 0;
};

/// What stands at the head of a PDV.
struct PdvHead {
  std::uint8_t context = 0;
  bool command = false, last = false;
  std::size_t length = 0;
};

/// The messages of one association. One thread.
class Messages {
 public:
  /// `max_pdu` is the longest P-DATA we said we take, 0 without limit; longer ones throw Lost.
  Messages(Wire& wire, std::uint32_t max_pdu) : wire_(wire), max_pdu_(max_pdu) {}

  enum class Event { message, release, abort, closed };
  /// The next command set.
  [[nodiscard]] Event next(net::Command& command, std::uint8_t& context);

  /// The dataset behind a command: its bytes go to `take`, or nowhere. `most` throws Lost when it is longer.
  std::uint64_t dataset(std::uint8_t context, Bytes* take, std::uint64_t most);
  /// Reads dataset bytes up to about `count` and leaves the rest where it is: for ends in the middle of a PDU.
  void part_of_dataset(std::uint64_t count);

  /// The longest P-DATA the peer takes.
  std::uint32_t peer_pdu = 0;
  /// Appends a message to `out`, or sends it.
  void put(Bytes& out, std::uint8_t context, const net::Command& command, ByteView dataset = {}) const;
  void send(std::uint8_t context, const net::Command& command, ByteView dataset = {});

 private:
  [[nodiscard]] Event next_pdu();
  [[nodiscard]] PdvHead next_pdv();

  Wire& wire_;
  std::uint32_t max_pdu_;
  std::size_t left_ = 0;  ///< bytes of the P-DATA that were not read
  Bytes command_;         ///< kept, so that its memory is used again
};

}  // namespace waybill::simpacs
