// SPDX-License-Identifier: Apache-2.0
// Private to lib/commit: which objects wait, which are asked about, and what a report means. Not thread safe.
#pragma once

#include "commit/committer.hpp"

#include <deque>
#include <map>
#include <unordered_map>

namespace waybill::commit {

using Clock = std::chrono::steady_clock;

/// One transaction to ask for; its record is on disk.
struct Request {
  std::string transaction;
  std::vector<Item> items;
};

class Ledger {
 public:
  Ledger(const Options& options, Books books)
      : options_(options), books_(std::move(books)), limit_(options.references) {}

  void replay_item(Item item);
  void replay(const manifest::Commitment& step);
  /// Behind the replay: what was asked without an answer is asked again under another UID.
  void restart();

  void add(Item item);
  void flush(const std::string& study);
  void flush_all();

  /// Whether begin() has something to ask for.
  [[nodiscard]] bool has_request(Clock::time_point now);
  /// Takes the next transaction and commits its record.
  [[nodiscard]] Request begin();
  void accepted(const std::string& transaction);
  /// The archive did not begin it; smaller ones are tried.
  void refused(const std::string& transaction, std::uint16_t status);
  /// Nobody knows whether the archive began it.
  void abandon(const std::string& transaction);

  /// Status for the answer. What the report says is on disk then.
  [[nodiscard]] std::uint16_t take(const net::CommitmentReport& report);

  /// Every object that is open gets its verdict.
  void give_up();

  [[nodiscard]] bool is_done() const noexcept { return counts_.open == 0; }
  /// Whether reports are waited for.
  [[nodiscard]] bool awaits() const noexcept { return !open_.empty(); }
  [[nodiscard]] Clock::time_point last_accepted() const noexcept { return last_accepted_; }
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }

 private:
  struct Open {
    std::vector<Item> items;
    bool accepted = false;
  };
  struct Judged;
  struct Later {
    Clock::time_point due;
    Item item;
  };
  void append(const manifest::Commitment& step);
  void chunk(std::vector<Item> items);
  void burn(const std::string& transaction, manifest::Commitment step);
  [[nodiscard]] std::uint16_t take_again(const net::CommitmentReport& report);
  void settle(Item item, const std::string& reason, const std::string& transaction, bool replaying);
  void conclude(Item item, bool committed, const std::string& reason, const std::string& transaction);
  void say(const std::string& text) const;

  const Options& options_;
  Books books_;
  std::size_t limit_;                                      ///< references of a transaction that the archive takes
  std::unordered_map<std::string, Item> waiting_;          ///< of the replay, by SOP Instance UID
  std::map<std::string, std::vector<Item>> gathering_;     ///< by study
  std::deque<std::vector<Item>> ready_;                    ///< to be asked for
  std::deque<Later> later_;                                ///< to be asked for again
  std::map<std::string, Open> open_;                       ///< by Transaction UID
  std::map<std::string, std::vector<std::string>> ended_;  ///< with the UIDs reported as failed
  Clock::time_point last_accepted_ = Clock::now();
  Counts counts_;
};

/// A new UID under 2.25 (PS3.5 B.2).
[[nodiscard]] std::string new_transaction();

}  // namespace waybill::commit
