// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "load/plan.hpp"
#include "net/association.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

namespace waybill::load {

struct Options {
  std::filesystem::path manifest;  ///< what to load; "-" is standard input
  std::filesystem::path output;    ///< load.wb
  net::Peer target;
  std::string calling = "WAYBILL";
  unsigned associations = 4;
  bool restart = false;
  std::string tool = "waybill 0.1.0";  ///< for the header
  net::Timeouts timeouts;
  unsigned retries = 3;                       ///< after the first try
  std::chrono::milliseconds back_off{1000};   ///< before the first retry; doubles
  std::chrono::milliseconds ask_again{2000};  ///< a peer may still be storing what it was sent before a crash
  std::function<void(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions)> progress;  ///< any thread
};

/// The ledger of a load: every object of the input stands in exactly one bucket of the output.
struct Tally {
  std::uint64_t input = 0;   ///< objects of the input manifest
  std::uint64_t output = 0;  ///< object records of the output
  Buckets buckets;
  Buckets outcomes;               ///< of objects that were to be sent
  std::uint64_t fixity = 0;       ///< files that no longer have their bytes
  bool already_complete = false;  ///< the output was finished by an earlier run; nothing was sent
  bool interrupted = false;       ///< stopped by a signal, the same command continues
  void add(const manifest::Object& object);
  [[nodiscard]] bool closes() const noexcept { return input == output; }
  /// 6 interrupted; 5 a fixity failure or an open ledger; 1 failed, pending or quarantined objects; else 0.
  [[nodiscard]] Exit exit() const;
  [[nodiscard]] std::string counts_json() const;
};

/// Sends what the manifest has to the target and writes load.wb; continues an interrupted one without sending anything
/// twice. Needs dicom::Toolkit alive. Throws net::PeerError when the peer as a whole does not work; what was answered
/// until then is in the output.
[[nodiscard]] Tally run(const Options& options);

}  // namespace waybill::load
