// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <algorithm>

namespace waybill::test {

/// Whether a record of a scan says what its bytes are, and where they are no sound instance, in which way: one of
/// scan's buckets, with a code for everything but sound instances and files of a known other type.
inline bool says_why(const manifest::Object& object) {
  using manifest::Bucket;
  const auto severe = [](const manifest::Finding& f) { return f.severity >= manifest::Severity::s3; };
  const auto& findings = object.findings;
  switch (object.bucket) {
    case Bucket::instance: return object.sop_class || object.sop_instance || !findings.empty();
    case Bucket::quarantined:
    case Bucket::unreadable: return std::any_of(findings.begin(), findings.end(), severe);
    case Bucket::non_instance: return object.dataset_sha256.has_value();
    case Bucket::dicomdir:
    case Bucket::empty: return !findings.empty();
    case Bucket::non_dicom:
      if (!object.content_type || object.content_type->empty()) return false;
      return (*object.content_type != "unknown" && *object.content_type != "zeros") || !findings.empty();
    default: return false;
  }
}

}  // namespace waybill::test
