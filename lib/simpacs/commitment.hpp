// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/command.hpp"
#include "simpacs/scenario.hpp"

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace waybill::simpacs {

struct Node;

inline constexpr std::string_view kCommitmentClass = "1.2.840.10008.1.20.1";
inline constexpr std::string_view kCommitmentInstance = "1.2.840.10008.1.20.1.1";

/// One object that commitment is asked for.
struct Reference {
  std::string sop_class, sop_instance;
};

/// A commitment asked for and not yet reported.
struct Transaction {
  std::string uid, calling;
  std::vector<Reference> references;
  std::chrono::system_clock::time_point due;
  std::uint64_t association = 0;  ///< the one it came on while that is open, else 0
  bool new_association = false;
  unsigned times = 1;
  const Rule* rule = nullptr;
  std::filesystem::path file;  ///< holds it for the next start
};

/// Events of storage commitment (PS3.4 J): on the association of the request while that is open; else on a new one when
/// the peer's address is known, else on the next one that peer opens. What is pending outlives the process. Any thread.
class Committer {
 public:
  /// Reads what is pending in `folder`, which is made. Starts its thread.
  Committer(Node& node, std::filesystem::path folder);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void add(Transaction transaction);
  /// Takes one event due on this association.
  [[nodiscard]] std::optional<Transaction> take_for(std::uint64_t association, const std::string& calling);
  /// The association is over: what came on it goes another way.
  void ended(std::uint64_t association);

  /// N-EVENT-REPORT for a transaction; the dataset in the given encoding.
  [[nodiscard]] net::Command event(const Transaction& transaction, bool explicit_vr, Bytes& dataset) const;

 private:
  void run();
  void deliver(Transaction transaction);
  void keep(Transaction& transaction);
  [[nodiscard]] bool goes_alone(const Transaction& transaction) const;

  Node& node_;
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<Transaction> pending_;
  std::uint64_t files_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace waybill::simpacs
