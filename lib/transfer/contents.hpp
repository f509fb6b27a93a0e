// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"
#include "sample/plan.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace waybill::transfer {

/// A whole manifest in memory: its objects with late findings added, in manifest order.
struct Contents {
  manifest::Input input;  ///< name and head, for the output's header
  std::string stage;      ///< stage that wrote it
  std::vector<manifest::Object> objects;
  std::vector<manifest::Study> studies;
  sample::PlanLines sample;  ///< of a load: the sample that it committed to before it began
};

/// Reads a complete manifest. Throws RunError: Exit::input for one whose stage was interrupted, Exit::integrity for one
/// that is damaged or lists an object twice.
[[nodiscard]] Contents read_manifest(const std::filesystem::path& path);

}  // namespace waybill::transfer
