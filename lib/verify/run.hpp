// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commit/committer.hpp"
#include "sample/result.hpp"
#include "transfer/address.hpp"
#include "transfer/control.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"
#include "verify/source.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::verify {

enum class Level {
  commitment,  ///< the peer commits itself to every object (storage commitment, grade E2)
  exists,      ///< the UID sets of every study are equal (grade E3)
  content,     ///< and every object is fetched and compared (grade E4)
};

/// A sample to compare: drawn with these options, or, without, the one that the load committed to.
struct Sampling {
  std::optional<sample::Options> options;
};

struct Options : transfer::Options, transfer::Pace {
  std::optional<transfer::Address> against;  ///< without: fixity of the source and staged files
  Level level = Level::exists;
  Retrieve retrieve = Retrieve::get;
  std::optional<net::ListenAt> listen;         ///< where objects come to, for Retrieve::move
  std::shared_ptr<const net::Tls> listen_tls;  ///< of Tls::make_server; none: in the clear
  bool finish_uncommitted = false;  ///< at Level::commitment, at the end of the wait: lists what has no report
  commit::Options commitment;       ///< at that level; peer, titles and time-outs are those above
  std::optional<Sampling> sample;   ///< at Level::content: compare a sample; presence is asked of all the same
};

struct Tally : transfer::Ledger {
  transfer::Counts verdicts;
  std::uint64_t wrong = 0;                   ///< objects that are missing or different
  std::uint64_t extra = 0;                   ///< objects at the peer that no record of these studies explains
  std::uint64_t not_loaded = 0;              ///< objects at the peer that were not loaded: held back, excluded, failed
  std::vector<std::string> named;            ///< some of both, in words
  std::shared_ptr<const sample::Plan> plan;  ///< of a sample
  std::optional<sample::Outcome> sample;
  void add(const manifest::Object& object);
  /// Keeps the sentence, unless there are enough already.
  void name(std::string what) {
    if (constexpr std::size_t kMostNamed = 20; named.size() < kMostNamed) named.push_back(std::move(what));
  }
  /// Defects that a sample accepts are exceptions, not integrity, and so is what the peer has beyond what was loaded:
  /// whether it was there before, or came by another run, the report knows.
  [[nodiscard]] Exit exit() const {
    const Exit exit = exit_with(wrong - (sample ? sample->accepted() : 0));
    return exit == Exit::ok && extra + not_loaded > 0 ? Exit::exceptions : exit;
  }
  [[nodiscard]] std::string counts_json() const;
};

/// Verifies every loaded object (and, for manifests of earlier stages, every instance) and writes verify.wb; continues
/// an interrupted one. A sample's plan is on disk before anything is fetched, and one critical defect ends the run:
/// what is left keeps its bucket. Needs dicom::Toolkit alive. Throws net::PeerError when the peer does not work.
[[nodiscard]] Tally run(const Options& options);

/// Whether the object is to be verified.
[[nodiscard]] bool is_checked(const manifest::Object& object) noexcept;

}  // namespace waybill::verify
