// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/commitment.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Storage commitment (PS3.4 J): an archive is asked to take responsibility for objects, and says so when it has.
namespace waybill::commit {

struct Options {
  net::Peer peer;
  std::string calling;
  net::Timeouts timeouts;
  std::optional<net::ListenAt> listen;          ///< where reports may come to, besides our own association
  std::shared_ptr<const net::Tls> listen_tls;   ///< of Tls::make_server; none: in the clear
  std::size_t references = 200;                 ///< of one transaction at most; many archives ignore larger ones
  std::chrono::milliseconds wait{3'600'000};    ///< for reports, after the last request was accepted
  std::chrono::milliseconds pause{10'000};      ///< before an object is asked for again
  unsigned requests = 2;                        ///< of one object
  std::function<void(const std::string&)> say;  ///< what a person should know meanwhile; any thread
};

/// An object whose commitment is asked for.
struct Item {
  std::string id, study, sop_class, sop_instance;
  unsigned requests = 0;  ///< made so far
};

/// Reason of a verdict where nothing was said.
inline constexpr std::string_view kNoReport = "no report came in time";

/// What the archive finally said of an object.
struct Verdict {
  Item item;
  bool committed = false;
  std::string reason;       ///< when not: "0112 no such object instance", "in neither list", …
  std::string transaction;  ///< that decided
};

/// How a Committer keeps its books. Called under its lock, one at a time, from several threads.
struct Books {
  std::function<void(std::string_view line)> append;
  std::function<void()> commit;  ///< what was appended is on disk when it returns
  std::function<void(const Verdict&)> verdict;
};

struct Counts {
  std::uint64_t committed = 0, failed = 0;  ///< objects with their verdict, those of earlier runs included
  std::uint64_t open = 0;                   ///< objects without
  std::uint64_t contradictions = 0;         ///< reports that took back what an earlier one said
};

/// Asks for commitment of objects in transactions of one study each and takes the reports, in threads of its own.
///
/// Every step is in the manifest: the Transaction UID is on disk before the archive is asked (PS3.4 J.3.2), a report
/// before it is answered. A report may come on our association, before the answer to the request too, on one that the
/// archive opens to our listener, or on the next one that we open; late, twice, or for a transaction that is not
/// ours, which is answered with 0115 so that its owner gets it. Each object must stand in exactly one of the lists of a
/// report. What failed for a reason that may pass is asked for once more under a new transaction; what the archive
/// refused to begin, in halves.
///
/// About 300 bytes of memory for each object without a verdict.
class Committer {
 public:
  Committer(Options options, Books books);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Whether the archive offers it. Throws net::PeerError when not.
  static void check(const Options& options);

  // What an earlier run wrote, in its order, before start().
  void replay_item(Item item);  ///< an object that is to be committed
  void replay(const manifest::Commitment& step);

  void start();
  /// An object that the archive has now. Any thread.
  void add(Item item);
  /// No more of that study will come soon: asks for what there is. Any thread.
  void flush(const std::string& study);

  /// Asks for all that is left and waits until every object has its verdict, a stop is asked for or the wait ends;
  /// true when none is open. Throws what stopped the threads: net::PeerError, RunError.
  [[nodiscard]] bool finish();
  /// Behind finish(): what is open gets its verdict, that no report came.
  void give_up();
  [[nodiscard]] Counts counts() const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace waybill::commit
