// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/message.hpp"
#include "net/peer.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace waybill::audit {

/// Where a run's audit messages go.
struct Target {
  std::string url;              ///< "syslog+tls://host:port" or "file:///path"; empty: there is no audit trail
  net::Peer collector;          ///< of syslog+tls, with its TLS settings
  std::filesystem::path file;   ///< of file
  std::filesystem::path spool;  ///< of syslog+tls
};

/// Splits the address. Throws RunError(Exit::usage) for what is none.
[[nodiscard]] Target target_from(const std::string& url);

/// The audit trail of one run. Messages are kept in the spool first and delivered by a thread of their own in their
/// order, so that no collector holds the run up; what cannot be delivered stays there for the next run. A message is
/// removed from the spool when the connection it went over stood a moment longer, since syslog acknowledges nothing:
/// after a broken connection some may come twice, with the same number. Any thread.
class Trail {
 public:
  static constexpr std::chrono::milliseconds kSettled{250};  ///< so long the connection must stand after a message
  static constexpr std::chrono::seconds kLastTry{5};         ///< so long the end of the run waits for the collector

  /// `say` gets sentences for the person at the terminal: once when the collector is away, at the end what waits.
  Trail(Target target, std::function<void(const std::string&)> say);
  /// Like close().
  ~Trail();
  Trail(const Trail&) = delete;
  Trail& operator=(const Trail&) = delete;

  /// Never waits for the collector and never throws; what neither file nor spool takes is counted as lost.
  void record(const Message& message) noexcept;
  /// Tries for a last moment to deliver everything; returns how many messages wait in the spool.
  std::uint64_t close() noexcept;

  [[nodiscard]] std::uint64_t messages() const noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept;
  [[nodiscard]] const std::string& run() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Records in the trail of this process, if there is one: the stages need not know. Any thread.
void record(const Message& message) noexcept;
/// Whether there is one, for messages that cost something to make.
[[nodiscard]] bool is_recording() noexcept;
/// Sets the trail of this process; nullptr ends it. Before the first thread and after the last.
void set_trail(Trail* trail) noexcept;

}  // namespace waybill::audit
