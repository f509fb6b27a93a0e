// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commit/committer.hpp"
#include "sample/plan.hpp"
#include "transfer/address.hpp"
#include "transfer/control.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace waybill::load {

enum class Order { manifest, newest, oldest };  ///< of studies

/// How long is waited for a peer that has no room.
struct Waits {
  std::chrono::milliseconds first{30'000};       ///< before it is tried again; doubles
  std::chrono::milliseconds longest{900'000};    ///< but no longer than this
  std::chrono::milliseconds patience{3600'000};  ///< after so much of it the run ends, resumable
};

struct Options : transfer::Options, transfer::Pace {
  transfer::Address target;
  std::uint64_t batch_bytes = 32'000'000;  ///< of one STOW-RS request; a larger object travels alone
  bool find_associations = false;   ///< `associations` is the most, the peer's best number is found while sending
  bool release_each_study = false;  ///< peers that begin their work at the release of an association
  unsigned retries = 3;             ///< rounds after the first, for objects the peer refused for the moment
  Waits waits;                      ///< rounds come after 2, 10, 60, 60 … times the first wait
  std::chrono::milliseconds ask_again{2000};  ///< a peer may still be storing what it was sent without an answer

  Order order = Order::manifest;
  std::filesystem::path priority;       ///< CSV of what goes first, or empty
  std::vector<std::string> priors_for;  ///< HL7 orders and appointments: their patients' studies go next
  bool retry_failed = false;            ///< send what an earlier load could not

  std::filesystem::path edits;     ///< manifest of reconcile, applied while sending; or empty
  bool send_unmatched = false;     ///< studies that reconcile did not decide are sent as they are
  std::string to_syntax = "keep";  ///< what lossless objects are sent in, one of transcode::target_names()
  bool ladder = true;              ///< an object whose syntax the peer refuses is sent in another lossless one

  bool commit = false;              ///< ask for storage commitment of what was sent
  bool await_commit = false;        ///< with it: send nothing, only wait for reports
  bool finish_uncommitted = false;  ///< objects without a report at the end of the wait are exceptions
  commit::Options commitment;       ///< peer, titles and time-outs are those above

  std::optional<sample::Options> sample;  ///< drawn, and on disk before anything is sent, for verify to compare
};

struct Tally : transfer::Ledger {
  transfer::Counts outcomes;  ///< of objects that were to be sent
  std::uint64_t fixity = 0;   ///< files that no longer have their bytes
  bool closed = false;        ///< the window closed before the end
  std::string run;            ///< id that the records carry
  std::optional<commit::Counts> commitment;
  void add(const manifest::Object& object);
  [[nodiscard]] Exit exit() const { return exit_with(fixity); }
  [[nodiscard]] std::string counts_json() const;
};

/// Sends what the manifest has to the target and writes load.wb; continues an interrupted one without sending anything
/// twice. Needs dicom::Toolkit alive. Throws net::PeerError when the peer as a whole does not work; what was answered
/// until then is in the output.
[[nodiscard]] Tally run(const Options& options);

/// What run() would send; no peer is asked and nothing is written.
struct Survey {
  std::uint64_t input = 0, objects = 0, bytes = 0, studies = 0;
  struct Need {
    std::uint64_t objects = 0, bytes = 0;
  };
  /// By what an object may travel in: its own context first, then those of the ladder, best first. Empty for objects
  /// that cannot be sent at all.
  std::map<std::vector<net::Context>, Need> needs;
  transfer::Counts held_back;  ///< objects that are not sent, by the bucket they would get
};
[[nodiscard]] Survey survey(const Options& options);

/// The same, and which presentation contexts the peer grants; sends nothing and writes nothing.
struct Preview : Survey {
  std::uint64_t refused = 0;  ///< objects that the peer takes in none of their syntaxes
  struct Line {
    net::Context context;
    std::uint64_t objects = 0;                     ///< that are in this syntax now
    std::optional<bool> granted;                   ///< nullopt: a DICOMweb service is not asked beforehand
    std::optional<unsigned> level = std::nullopt;  ///< of storage, where the peer says so (PS3.4 B.3.1)
  };
  std::vector<Line> contexts;
};
[[nodiscard]] Preview preview(const Options& options);

}  // namespace waybill::load
