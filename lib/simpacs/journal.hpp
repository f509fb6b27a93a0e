// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.hpp"
#include "io/descriptor.hpp"

#include <filesystem>
#include <mutex>
#include <optional>

namespace waybill::simpacs {

/// The log of everything that was asked and answered: JSON Lines, appended to, one write a line, so that it can be read
/// while the simulator runs and holds every line it gave after a kill. Names and dates never appear. Any thread.
class Journal {
 public:
  /// Without a file nothing is written. Throws RunError.
  explicit Journal(const std::optional<std::filesystem::path>& file);

  /// A line that has its event and time; add members and give it to `write`.
  [[nodiscard]] static JsonWriter line(std::string_view event, std::uint64_t association);
  void write(JsonWriter line);
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(file_); }

 private:
  std::filesystem::path name_;
  std::mutex mutex_;
  io::Descriptor file_;
};

}  // namespace waybill::simpacs
