// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <stdexcept>
#include <thread>

namespace waybill::test {

/// What befalls the bytes that go through a FaultProxy.
struct NetworkFault {
  enum class Kind {
    none,
    cut,         ///< both ends are closed
    reset,       ///< both ends get a RST
    half_close,  ///< nothing more goes that way, and its reader sees the end of the stream
    stall,       ///< nothing more goes that way, and nobody is told
    flip,        ///< one bit of one byte
  };
  enum class Way { to_node, to_client };
  Kind kind = Kind::none;
  Way way = Way::to_node;
  std::uint64_t at = 0;                  ///< bytes that pass before
  std::uint64_t connection = 0;          ///< which one from 0
  std::chrono::milliseconds latency{0};  ///< of each piece, either way
  bool dribble = false;                  ///< one byte a write, either way
};

/// Stands between a client and a node on loopback and does what a NetworkFault says. A thread for each direction.
class FaultProxy {
 public:
  FaultProxy(int node_port, const NetworkFault& fault) : node_port_(node_port), fault_(fault) {
    listener_ = make_socket();
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no port for a proxy");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~FaultProxy() {
    ending_ = true;
    thread_.join();
    for (Pair& pair : pairs_) {
      pair.there.join();
      pair.back.join();
      ::close(pair.client);
      ::close(pair.node);
    }
    ::close(listener_);
  }
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// Whether the fault has befallen something.
  [[nodiscard]] bool struck() const { return struck_; }
  [[nodiscard]] std::uint64_t connections() const { return connections_; }

 private:
  using Kind = NetworkFault::Kind;
  struct Pair {
    int client = -1, node = -1;
    std::uint64_t number = 0;
    std::atomic<bool> over{false};
    std::thread there, back;
  };
  static constexpr int kTick = 2;  // milliseconds between looks at the end

  static int make_socket() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void run() {
    while (!ending_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, kTick) <= 0) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      const int node = make_socket();
      const sockaddr_in address = loopback(node_port_);
      if (::connect(node, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(node);
        continue;
      }
      const int on = 1;
      (void)::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      Pair& pair = pairs_.emplace_back();
      pair.client = client;
      pair.node = node;
      pair.number = connections_++;
      pair.there = std::thread([this, &pair] { pump(pair, NetworkFault::Way::to_node); });
      pair.back = std::thread([this, &pair] { pump(pair, NetworkFault::Way::to_client); });
    }
  }

  void pump(Pair& pair, NetworkFault::Way way) {
    const int from = way == NetworkFault::Way::to_node ? pair.client : pair.node;
    const int to = way == NetworkFault::Way::to_node ? pair.node : pair.client;
    const bool mine = fault_.kind != Kind::none && fault_.way == way && fault_.connection == pair.number;
    std::array<char, 65536> bytes{};
    std::uint64_t passed = 0;
    while (!ending_ && !pair.over) {
      pollfd waiting{from, POLLIN, 0};
      if (::poll(&waiting, 1, kTick) <= 0) continue;
      const ssize_t got = ::recv(from, bytes.data(), bytes.size(), 0);
      if (got <= 0) break;
      auto count = static_cast<std::uint64_t>(got);
      std::this_thread::sleep_for(fault_.latency);
      const bool here = mine && fault_.at >= passed && fault_.at < passed + count;
      if (here && fault_.kind == Kind::flip) {
        char& byte = bytes.at(fault_.at - passed);
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ 0x10U);
        struck_ = true;
      } else if (here) {
        forward(to, bytes.data(), fault_.at - passed);
        struck_ = true;
        return strike(pair, to);
      }
      if (!forward(to, bytes.data(), count)) break;
      passed += count;
    }
    if (pair.over.exchange(true)) return;
    (void)::shutdown(pair.client, SHUT_RDWR);
    (void)::shutdown(pair.node, SHUT_RDWR);
  }

  bool forward(int to, const char* bytes, std::uint64_t count) const {
    const std::uint64_t piece = fault_.dribble ? 1 : std::numeric_limits<std::uint64_t>::max();
    while (count > 0) {
      const ssize_t sent = ::send(to, bytes, std::min(count, piece), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes += sent;
      count -= static_cast<std::uint64_t>(sent);
    }
    return true;
  }

  void strike(Pair& pair, int to) {
    if (fault_.kind == Kind::half_close) (void)::shutdown(to, SHUT_WR);
    if (fault_.kind == Kind::half_close || fault_.kind == Kind::stall) {  // the other way goes on
      while (!ending_ && !pair.over) std::this_thread::sleep_for(std::chrono::milliseconds(kTick));
      return;
    }
    pair.over = true;
    if (fault_.kind == Kind::reset) {
      const sockaddr unspecified{AF_UNSPEC, {}};  // connect(2) to nowhere drops a TCP connection with RST
      (void)::connect(pair.client, &unspecified, sizeof unspecified);
      (void)::connect(pair.node, &unspecified, sizeof unspecified);
      return;
    }
    (void)::shutdown(pair.client, SHUT_RDWR);
    (void)::shutdown(pair.node, SHUT_RDWR);
  }

  int node_port_ = 0, port_ = 0, listener_ = -1;
  const NetworkFault fault_;
  std::atomic<bool> ending_{false}, struck_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::list<Pair> pairs_;  // of the accepting thread
  std::thread thread_;
};

}  // namespace waybill::test
