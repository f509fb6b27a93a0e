// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "inspect/parts.hpp"

#include <algorithm>

namespace waybill::inspect {

using dicom::add_finding;
using dicom::tag;
using dicom::Tag;
using manifest::Severity;

namespace {

/// PS3.5 9.1: digits and dots, at most 64, no empty component.
bool well_formed_uid(std::string_view uid) {
  if (uid.empty() || uid.size() > 64) return false;
  for (const std::string_view part : split(uid, '.')) {
    if (part.empty() || !std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  }
  return true;
}

}  // namespace

void identity(const dicom::File&, manifest::Object& object) {
  std::vector<manifest::Finding>& findings = object.findings;
  const auto check = [&](const std::optional<std::string>& uid, Tag t, std::string_view what) {
    if (!uid || uid->empty()) {
      add_finding(findings, "UID-MISSING", Severity::s3, t, "no " + std::string(what));
    } else if (!well_formed_uid(*uid)) {
      add_finding(findings, "UID-SYNTAX", Severity::s3, t, std::string(what) + " is not a valid UID");
    } else {
      for (const std::string_view part : split(*uid, '.')) {
        if (part.size() > 1 && part.front() == '0')
          add_finding(findings, "UID-LEADINGZERO", Severity::s1, t,
                      std::string(what) + " has a component with a leading zero; kept as it is");
      }
    }
  };
  check(object.sop_instance, tag(0x0008, 0x0018), "SOP Instance UID");
  check(object.study, tag(0x0020, 0x000D), "Study Instance UID");
  check(object.series, tag(0x0020, 0x000E), "Series Instance UID");
  check(object.sop_class, tag(0x0008, 0x0016), "SOP Class UID");
  if (object.study && (object.study == object.series || object.study == object.sop_instance)) {
    add_finding(findings, "UID-LEVELREUSE", Severity::s2, tag(0x0020, 0x000D), "one UID is used on two levels");
  }
  if (!object.patient_id || object.patient_id->empty())
    add_finding(findings, "PID-EMPTY", Severity::s1, tag(0x0010, 0x0020), "no Patient ID; reconcile decides");
  if (!object.study_date || object.study_date->empty())
    add_finding(findings, "VAL-NOSTUDYDATE", Severity::s1, tag(0x0008, 0x0020),
                "no Study Date; queries by date do not find the study");
  if (object.accession && object.accession->size() > 16)
    add_finding(findings, "ACC-LEN", Severity::s1, tag(0x0008, 0x0050),
                "Accession Number is longer than 16 characters");
}

}  // namespace waybill::inspect
