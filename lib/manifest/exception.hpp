// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <string_view>

namespace waybill::manifest {

/// Whether a person has to look at the object: it is unreadable, in conflict, quarantined, failed or without an outcome
/// (pending), or it carries a finding of S3 or S4, or a verification found it lost or changed. Every stage ends with
/// exit code 1 for such objects and the report lists them. What needs no transfer (identical duplicates, DICOMDIRs,
/// empty files, files that are not DICOM or no instance, what was excluded) is none.
[[nodiscard]] bool is_exception(const Object& object) noexcept;

/// A verdict of verify that means a lost or changed object.
[[nodiscard]] bool is_bad_verdict(std::string_view verdict) noexcept;

/// Whether a difference leaves the meaning as it was: numbers in another writing, a VR that one side did not know.
[[nodiscard]] inline bool means_the_same(const Difference& difference) noexcept {
  return difference.kind == "num-eq" || difference.kind == "vr-known";
}

}  // namespace waybill::manifest
