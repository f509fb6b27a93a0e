// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace waybill::listen {

/// Key and certificates of a TLS server; at least TLS 1.2. With `authority` only clients with a certificate that it
/// signed are let in.
class TlsContext {
 public:
  /// Throws RunError(Exit::usage) that names the file that cannot be used.
  TlsContext(const std::filesystem::path& certificate, const std::filesystem::path& key,
             const std::filesystem::path& authority);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class Channel;
  struct State;
  std::unique_ptr<State> state_;
};

/// What one attempt to read or write gave.
struct Moved {
  enum class State { some, wait_readable, wait_writable, closed, failed };
  State state = State::some;
  std::size_t bytes = 0;
  std::string error;  ///< of `failed`
};

/// One connection, plain or TLS; never blocks.
class Channel {
 public:
  Channel(io::Descriptor socket, const TlsContext* tls);
  ~Channel();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] Moved read(std::span<char> into);
  [[nodiscard]] Moved write(std::string_view bytes);
  /// Tells the peer that nothing more comes; it may still be read.
  void end_output();

 private:
  struct Tls;
  io::Descriptor socket_;
  std::unique_ptr<Tls> tls_;
};

/// A listening socket on a numeric address; port 0 takes a free one. Throws RunError(Exit::usage) when it cannot.
[[nodiscard]] io::Descriptor listen_on(const std::string& address, int port);
/// "127.0.0.1:2575" of a listening socket, or of the other side of a connection.
[[nodiscard]] std::string local_name(int fd);
[[nodiscard]] std::string peer_name(int fd);
[[nodiscard]] bool is_loopback(const std::string& address);

}  // namespace waybill::listen
