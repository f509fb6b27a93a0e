// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace waybill::audit {

/// Messages that wait for the collector, a file each, in a folder (0700) that runs of all tools share. The name orders
/// them: time, run, number in the run. What one run leaves the next one delivers. Any thread and any process; one at a
/// time delivers. Failures throw RunError.
class Spool {
 public:
  /// Makes the folder when there is none. Throws RunError(Exit::usage) for one that others may enter.
  explicit Spool(std::filesystem::path folder);

  /// Keeps a message; it is there for others when the call returns, and survives the end of the process.
  void put(std::uint64_t microseconds, const std::string& run, std::uint64_t sequence, const std::string& message);
  /// Names of what waits, oldest first.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::string read(const std::string& name) const;
  void remove(const std::string& name);
  /// Tries to become the one that delivers, until the object ends.
  [[nodiscard]] bool lock();
  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

  /// Numbers that are missing between two that wait of one run: "run RUN lacks message 3". They were delivered in
  /// order, so somebody or something removed them.
  [[nodiscard]] static std::vector<std::string> gaps(const std::vector<std::string>& names);

 private:
  std::filesystem::path folder_;
  io::Descriptor lock_;
};

}  // namespace waybill::audit
