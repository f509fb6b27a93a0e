// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace waybill::load {

/// A whole manifest in memory: its objects with late findings added, in manifest order.
struct Contents {
  manifest::Input input;  ///< name and head, for the output's header
  std::string stage;      ///< stage that wrote it
  std::vector<manifest::Object> objects;
  std::vector<manifest::Study> studies;
};

/// Reads a complete manifest. Throws RunError(Exit::input) for one whose stage was interrupted.
[[nodiscard]] Contents read_manifest(const std::filesystem::path& path);

/// Objects of one study that travel together, as indices into Contents::objects.
struct Batch {
  std::string study;
  std::vector<std::size_t> objects;
};

/// What happens to each object: sent in batches, or carried into the output as it is.
struct Plan {
  std::vector<std::size_t> carried;
  std::vector<Batch> batches;
};

inline constexpr std::size_t kBatchObjects = 50;

/// Decides. Objects in bucket instance or pending are sent, unless a finding of S3 or S4 or a second object of the
/// same SOP Instance UID quarantines them (the bucket in `contents` changes). Studies stand in manifest order; in a
/// study images come first, then presentation states, key objects and structured reports (domain rule 8.2).
[[nodiscard]] Plan make_plan(Contents& contents);

/// 0 images, 1 presentation states, 2 key objects, 3 structured reports.
[[nodiscard]] int load_rank(std::string_view sop_class) noexcept;

using Buckets = std::map<std::string, std::uint64_t>;
[[nodiscard]] Buckets count_buckets(const std::vector<manifest::Object>& objects);

}  // namespace waybill::load
