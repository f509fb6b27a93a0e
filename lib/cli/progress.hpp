// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace waybill::cli {

/// Progress on stderr: a bar on a terminal (objects/s, MB/s, ETA, exceptions), one line a minute elsewhere.
/// add() may be called from any thread and costs an atomic addition.
class Progress {
 public:
  /// `total` objects, 0 when unknown. Shows nothing when `quiet`.
  Progress(std::string label, std::uint64_t total, bool quiet);
  ~Progress();  // ends the display with one final line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions = 0) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill::cli
