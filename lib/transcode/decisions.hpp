// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/changes.hpp"
#include "manifest/record.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>

namespace waybill::transcode {

/// What becomes of studies that reconcile did not match by itself.
enum class Unmatched { quarantine, stage };

/// Decisions of reconcile, by study. Immutable once read; safe to share.
struct Decisions {
  bool given = false;
  std::string created;  ///< of the manifest, RFC 3339
  std::unordered_map<std::string, manifest::Study> studies;
};

/// Reads a manifest of reconcile; none when the path is empty. Throws RunError when it is of another stage or
/// incomplete.
[[nodiscard]] Decisions read_decisions(const std::filesystem::path& manifest);

/// The edits of the object's study; nullopt after the object was put into quarantine.
[[nodiscard]] std::optional<std::vector<manifest::Edit>> edits_of(const Decisions& decisions, Unmatched unmatched,
                                                                  manifest::Object& object);

/// Puts the object into another bucket, with the finding that says why and an outcome "not-staged".
void exclude(manifest::Object& object, manifest::Bucket bucket, std::string code, manifest::Severity severity,
             std::string why);

/// Our name and the time `rfc3339` as Original Attributes hold them: one value a run, so that results repeat.
[[nodiscard]] dicom::Provenance provenance_at(std::string_view rfc3339);

}  // namespace waybill::transcode
