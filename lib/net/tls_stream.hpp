// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace waybill::net {

class Tls;

/// TLS over a blocking socket that has time-outs (SO_RCVTIMEO, SO_SNDTIMEO), read and written as recv(2) and send(2)
/// are. The socket stays the caller's. One thread.
class TlsStream {
 public:
  /// Makes the handshake; throws std::runtime_error with its reason when that fails or is not done in time.
  static TlsStream accept(int socket, const Tls& tls, std::chrono::milliseconds patience);
  /// The same as client; the peer's certificate must be for `name`.
  static TlsStream connect(int socket, const Tls& tls, const std::string& name, std::chrono::milliseconds patience);
  ~TlsStream();
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;

  /// Bytes, 0 at the end of the stream, or -1 with errno EAGAIN (nothing in time) or EIO.
  [[nodiscard]] std::ptrdiff_t read(std::span<std::byte> into);
  [[nodiscard]] std::ptrdiff_t write(ByteView bytes);

 private:
  struct State;
  explicit TlsStream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace waybill::net
