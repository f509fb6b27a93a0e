// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "manifest/place.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

namespace waybill::pack {

/// Where the contents are that have been written, on disk, so that memory does not grow with their number. Any thread.
class Contents {
 public:
  explicit Contents(const std::filesystem::path& folder) : store_(folder) {}

  [[nodiscard]] std::optional<manifest::Place> find(const std::string& sha256) const;
  /// Whether it was new.
  bool put(const manifest::Place& place);

 private:
  mutable std::mutex mutex_;
  index::Store store_;
};

}  // namespace waybill::pack
