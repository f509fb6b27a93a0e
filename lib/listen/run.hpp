// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/writer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>

/// Takes HL7 messages over by MLLP. A message is on disk before it is acknowledged; what is not taken over is refused
/// in words, recorded, and stays with its sender.
namespace waybill::listen {

struct Options {
  std::filesystem::path output;  ///< journal, or a folder for journals
  manifest::Restart restart = manifest::Restart::no;
  int port = 0;  ///< 0: a free one
  std::string bind = "127.0.0.1";
  std::filesystem::path tls_certificate, tls_key, tls_authority;
  std::set<std::string> processing = {"P"};      ///< MSH-11 that are taken
  std::size_t largest = std::size_t{16} << 20U;  ///< bytes of a message; at most kMostLargest
  std::size_t connections = 64;
  std::chrono::seconds idle{3600};                                     ///< a connection without a message is closed
  std::chrono::seconds message_time{300};                              ///< from the first byte of a message to its end
  static constexpr std::size_t kMostLargest = std::size_t{22} << 20U;  // its record is one line of a manifest
};

/// frames == stored + duplicates + refused + replies
struct Counts {
  std::uint64_t connections = 0, frames = 0, stored = 0, duplicates = 0, refused = 0, replies = 0, bytes = 0;
  std::uint64_t reused_ids = 0;  ///< stored under a control ID that had another content before
  std::uint64_t broken = 0;      ///< bytes outside frames, frames without an end, connections that failed
  std::uint64_t disk_failures = 0;
  std::uint64_t journal_stored = 0, journal_refused = 0;  ///< in the journal, earlier runs included
  std::filesystem::path journal;

  [[nodiscard]] std::uint64_t exceptions() const noexcept { return refused + broken; }
};
[[nodiscard]] std::string to_json(const Counts& counts);

/// What happens, one sentence for the log; no patient's data.
using Log = std::function<void(const std::string& sentence)>;
/// Every message and refusal.
using Tick = std::function<void(std::uint64_t messages, std::uint64_t bytes, std::uint64_t exceptions)>;

/// Listens until stop_requested(), then closes the journal. Throws RunError for what keeps it from beginning and for a
/// journal that cannot be closed.
Counts run(const Options& options, const Log& log, const Tick& tick);

}  // namespace waybill::listen
