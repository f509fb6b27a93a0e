// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

namespace waybill::verify {

/// Takes what a peer sends us after a C-MOVE, on associations of its own, and hands each object to the study that waits
/// for it. Any thread.
class Receiver {
 public:
  /// `peer` is the AE title that may call.
  Receiver(const net::ListenAt& at, const std::string& title, const std::string& peer, const net::Timeouts& timeouts,
           std::shared_ptr<const net::Tls> tls, std::function<void(const std::string&)> say);

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  /// Throws what a comparison threw.
  void rethrow() { listener_.rethrow(); }

  using Take = std::function<void(const net::Received&, manifest::Object&)>;

  /// Objects of one study that are waited for, while it lives. What `take` is given it has for itself; several objects
  /// at a time. The answer to the peer waits for it, so that no more arrives than is compared.
  class Expectation {
   public:
    /// The objects must outlive it; `syntaxes` are those each class is best given in.
    Expectation(Receiver& receiver, std::map<std::string, manifest::Object*> objects,
                const std::set<std::pair<std::string, std::string>>& syntaxes, Take take);
    ~Expectation();
    Expectation(const Expectation&) = delete;
    Expectation& operator=(const Expectation&) = delete;

    /// Whether an object is still to come.
    [[nodiscard]] bool is_open() const;
    /// Time since the peer last sent anything to us, or since this began.
    [[nodiscard]] std::chrono::milliseconds quiet_for() const;
    /// Returns when all came or the peer was quiet for so long; then what did not come.
    [[nodiscard]] std::map<std::string, manifest::Object*> wait(std::chrono::milliseconds quiet);

   private:
    friend class Receiver;
    Receiver& receiver_;
    std::map<std::string, manifest::Object*> open_;  // under the receiver's mutex, as is the next
    std::size_t at_work_ = 0;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    Take take_;
  };

 private:
  [[nodiscard]] std::string choose(const std::string& sop_class, const std::vector<std::string>& syntaxes);
  [[nodiscard]] std::uint16_t store(const net::Received& received);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, Expectation*> expected_;  // by SOP Instance UID
  std::set<std::pair<std::string, std::string>> syntaxes_;  // by class
  std::chrono::steady_clock::time_point last_{};
  net::Listener listener_;  // last: its threads use the others
};

}  // namespace waybill::verify
