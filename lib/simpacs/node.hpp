// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/tls.hpp"
#include "simpacs/commitment.hpp"
#include "simpacs/dice.hpp"
#include "simpacs/journal.hpp"
#include "simpacs/shelf.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

namespace waybill::simpacs {

/// Counts objects that are not kept, and how many UIDs they have. Any thread.
class Tallies {
 public:
  std::atomic<std::uint64_t> associations{0}, objects{0}, bytes{0};
  void add(const std::string& sop_instance, std::uint64_t size) {
    ++objects;
    bytes += size;
    Shard& shard = shards_[std::hash<std::string>()(sop_instance) % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    shard.uids.insert(sop_instance);
  }
  [[nodiscard]] std::uint64_t instances() {
    std::uint64_t all = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      all += shard.uids.size();
    }
    return all;
  }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_set<std::string> uids;
  };
  std::array<Shard, 64> shards_;
};

/// What all associations of a simulator share.
struct Node {
  Scenario scenario;
  Dice dice;
  Journal journal;
  std::optional<Shelf> shelf;  ///< none: objects are counted and dropped
  std::optional<Committer> committer;
  std::shared_ptr<const net::Tls> tls;         ///< of those who call us; none: in the clear
  std::shared_ptr<const net::Tls> caller_tls;  ///< of peers that we call by TLS
  Tallies tallies;
  std::atomic<std::size_t> open{0};  ///< associations at this moment

  Node(Scenario s, const std::optional<std::filesystem::path>& log)
      : scenario(std::move(s)), dice(scenario), journal(log) {}
};

}  // namespace waybill::simpacs
