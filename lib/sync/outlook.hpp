// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/plan.hpp"

#include <cstdint>
#include <filesystem>

namespace waybill::sync {

/// What a run would meet, by names, sizes, times and inodes alone: no file is opened.
struct Outlook {
  std::uint64_t files = 0;
  std::uint64_t fresh = 0, fresh_bytes = 0;
  std::uint64_t changed = 0, changed_bytes = 0;
  std::uint64_t unchanged = 0, gone = 0;
};

/// Whether a scan by the plan may build on this inventory: the sources and settings are those of then.
[[nodiscard]] bool can_build_on(const Plan& plan, const std::filesystem::path& inventory);

/// Walks the plan's sources beside `inventory`, a complete scan, or none when it is empty. Throws RunError as the walk
/// and the reader do.
[[nodiscard]] Outlook look_ahead(const Plan& plan, const std::filesystem::path& inventory);

}  // namespace waybill::sync
