// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/association.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace waybill::net {

/// An address to listen on.
struct ListenAt {
  std::string address = "0.0.0.0";  ///< IPv4 or IPv6, of one interface or of all
  std::uint16_t port = 0;           ///< 0: the system chooses
};

/// From "PORT", "ADDRESS:PORT" or "[ADDRESS]:PORT". Throws RunError(Exit::usage) otherwise.
[[nodiscard]] ListenAt parse_listen(std::string_view text);

/// What we do for peers that call us; the functions are called by any thread, several at a time.
struct Services {
  std::string title;              ///< ours: who calls another is rejected
  std::set<std::string> callers;  ///< AE titles that may call us; others are rejected
  TakeReport take_report;         ///< storage commitment; empty: not offered
  /// Storage: the transfer syntax to grant of those proposed, "" for none. Empty: not offered.
  std::function<std::string(const std::string& sop_class, const std::vector<std::string>& syntaxes)> choose;
  std::function<std::uint16_t(Received)> store;  ///< gives the status of the answer
  /// Who was turned away, as a sentence; each caller once. May be empty.
  std::function<void(const std::string&)> say;
};

/// Takes associations that peers ask for, for reports of storage commitment and the objects of a C-MOVE: a thread each,
/// sixteen at most, more are turned away. Peers are held to the time-outs, PDUs to 1 MiB, datasets to
/// Association::kMostBytes. A service that throws ends its association, and rethrow() throws it again.
class Listener {
 public:
  /// Listens at once. `tls` (of Tls::make_server): no connection in the clear. Throws RunError(Exit::usage) when the
  /// address cannot be had.
  Listener(const ListenAt& at, Services services, const Timeouts& timeouts, std::shared_ptr<const Tls> tls);
  /// Ends what is under way.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Throws what a service threw, once.
  void rethrow();

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace waybill::net
