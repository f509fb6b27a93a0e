// SPDX-License-Identifier: Apache-2.0
#include "manifest/exception.hpp"

#include <algorithm>

namespace waybill::manifest {

namespace {

bool has_severe_finding(const Object& object) noexcept {
  return std::any_of(object.findings.begin(), object.findings.end(),
                     [](const Finding& f) { return f.severity >= Severity::s3; });
}

}  // namespace

bool is_bad_verdict(std::string_view verdict) noexcept {
  return verdict == "METADATA-LOSS" || verdict == "PIXEL-DIFF" || verdict == "LOSSY-REDECODED" ||
         verdict == "TARGET-COERCED" || verdict == "MISSING" || verdict == "UNPROVEN" || verdict == "CHANGED" ||
         verdict == "UNCOMMITTED" || verdict == "UNREPORTED";
}

bool is_exception(const Object& object) noexcept {
  switch (object.bucket) {
    case Bucket::unreadable:
    case Bucket::duplicate_conflict:
    case Bucket::quarantined:
    case Bucket::failed:
    case Bucket::pending: return true;
    default: return has_severe_finding(object) || (object.verify && is_bad_verdict(object.verify->verdict));
  }
}

}  // namespace waybill::manifest
