// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/association.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace waybill::transfer {

/// Associations with one peer: idle ones are used again while their contexts fit. Any thread.
class Peers {
 public:
  Peers(net::Peer peer, std::string calling, net::Timeouts timeouts);

  /// One association and a C-ECHO where granted; throws net::PeerError. Gives what the peer says it does with objects
  /// of the classes of `sent`, which are proposed with it as far as there is room; most say nothing.
  std::map<std::string, net::StorageLevel> check(const std::vector<net::Context>& sent = {});

  /// An association that proposed all `contexts`, preferably the one that last carried `study`. Throws net::PeerError.
  /// A transient refusal is tried again: while others of ours are at work, as their number may be the reason, without
  /// end, else three times.
  [[nodiscard]] net::Association acquire(const std::vector<net::Context>& contexts, const std::string& study);
  /// A new association of the caller's own, tried once. Throws net::PeerError.
  [[nodiscard]] net::Association open(const std::vector<net::Context>& contexts, net::AskLevel ask = net::AskLevel::no);
  /// The same, but a transient refusal is tried again three times.
  [[nodiscard]] net::Association request(const std::vector<net::Context>& contexts,
                                         net::AskLevel ask = net::AskLevel::no);
  void give_back(net::Association association, const std::string& study);
  /// An association of ours is at work.
  void touch() noexcept { last_work_ = std::chrono::steady_clock::now(); }

  /// SOP Instance UIDs of a series at the peer, or of it only the instance asked for; nullopt when it grants no C-FIND.
  /// Throws net::PeerError when it is down.
  [[nodiscard]] std::optional<std::set<std::string>> instances(const std::string& study, const std::string& series,
                                                               const std::string& instance = "");

 private:
  struct Idle {
    net::Association association;
    std::string study;
  };
  [[nodiscard]] std::optional<net::Association> take_idle(const std::vector<net::Context>& contexts,
                                                          const std::string& study);

  net::Peer peer_;
  std::string calling_;
  net::Timeouts timeouts_;
  std::atomic<std::chrono::steady_clock::time_point> last_work_{};
  std::mutex idle_mutex_;
  std::vector<Idle> idle_;
  std::mutex find_mutex_;
  std::optional<net::Association> find_;
};

}  // namespace waybill::transfer
