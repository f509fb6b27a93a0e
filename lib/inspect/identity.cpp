// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "dicom/sop_class.hpp"
#include "inspect/parts.hpp"
#include "inspect/pixels.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace waybill::inspect {

using dicom::add_finding;
using dicom::tag;
using dicom::Tag;
using manifest::Severity;

namespace {

using Findings = std::vector<manifest::Finding>;

/// PS3.5 9.1: digits and dots, at most 64, no empty component.
bool well_formed_uid(std::string_view uid) {
  if (uid.empty() || uid.size() > 64) return false;
  for (const std::string_view part : split(uid, '.')) {
    if (part.empty() || !std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  }
  return true;
}

bool has_leading_zero(std::string_view uid) {
  const auto parts = split(uid, '.');
  return std::any_of(parts.begin(), parts.end(),
                     [](std::string_view part) { return part.size() > 1 && part.front() == '0'; });
}

void check_uid(const dicom::Dataset& data, const std::optional<std::string>& uid, Tag t, const std::string& what,
               Findings& findings) {
  if (!uid || uid->empty()) {
    add_finding(findings, "UID-MISSING", Severity::s3, t, "no " + what);
  } else if (!well_formed_uid(*uid)) {
    add_finding(findings, "UID-SYNTAX", Severity::s3, t, what + " is not a valid UID");
  } else if (has_leading_zero(*uid)) {
    add_finding(findings, "UID-SYNTAX", Severity::s2, t,
                what + " has a component with a leading zero; kept as it is, others refer to it");
  } else if (const dicom::Node* node = data.find(t); node != nullptr) {
    const std::string_view raw = as_text(data.value(*node));
    if (!raw.empty() && (raw.back() == ' ' || raw.front() == ' '))
      add_finding(findings, "UID-SYNTAX", Severity::s1, t, what + " is padded with a space instead of NUL");
  }
}

void uids(const dicom::Dataset& data, const manifest::Object& object, Findings& findings) {
  check_uid(data, object.sop_instance, tag(0x0008, 0x0018), "SOP Instance UID", findings);
  check_uid(data, object.study, tag(0x0020, 0x000D), "Study Instance UID", findings);
  check_uid(data, object.series, tag(0x0020, 0x000E), "Series Instance UID", findings);
  check_uid(data, object.sop_class, tag(0x0008, 0x0016), "SOP Class UID", findings);
  const auto same = [](const auto& a, const auto& b) { return a && b && !a->empty() && *a == *b; };
  if (same(object.study, object.series) || same(object.study, object.sop_instance) ||
      same(object.series, object.sop_instance))
    add_finding(findings, "UID-LEVELREUSE", Severity::s2, tag(0x0020, 0x000D), "one UID is used on two levels");
}

/// An identifying attribute that stands twice with different values (ENC-ORDER): the first counts, a person decides.
void contradictions(const dicom::Dataset& data, Findings& findings) {
  static constexpr std::array kIdentifying = {tag(0x0008, 0x0016), tag(0x0008, 0x0018), tag(0x0008, 0x0050),
                                              tag(0x0010, 0x0010), tag(0x0010, 0x0020), tag(0x0010, 0x0021),
                                              tag(0x0010, 0x0030), tag(0x0020, 0x000D), tag(0x0020, 0x000E)};
  const auto& nodes = data.nodes();
  for (std::uint32_t i = 0; i < nodes.size() && nodes[i].next > i; i = nodes[i].next) {
    if (std::find(kIdentifying.begin(), kIdentifying.end(), nodes[i].tag) == kIdentifying.end()) continue;
    const dicom::Node* first = data.find(nodes[i].tag);
    if (trim(as_text(data.value(*first))) != trim(as_text(data.value(nodes[i])))) {
      add_finding(findings, "ENC-ORDER", Severity::s3, nodes[i].tag,
                  "an identifying attribute stands twice with different values; the first is used", nodes[i].start,
                  data.value(nodes[i]));
    }
  }
}

void sop_class(const manifest::Object& object, Findings& findings) {
  if (!object.sop_class || object.sop_class->empty()) return;
  constexpr Tag kClass = tag(0x0008, 0x0016);
  switch (dicom::sop_class_kind(*object.sop_class)) {
    case dicom::SopClassKind::private_:
      add_finding(findings, "SOP-PRIVATE", Severity::s2, kClass,
                  "a vendor's SOP Class; ask whether the target stores it");
      break;
    case dicom::SopClassKind::retired:
      add_finding(findings, "SOP-RETIRED", Severity::s2, kClass,
                  "a retired SOP Class; ask whether the target stores it");
      break;
    case dicom::SopClassKind::non_patient:
      add_finding(findings, "SOP-NONPATIENT", Severity::s3, kClass,
                  "a palette, protocol or template that belongs to no patient and no study; ask whether the target "
                  "takes the Non-Patient Object Storage class");
      break;
    case dicom::SopClassKind::not_storage:
      add_finding(findings, "SOP-STDPRINT", Severity::s0, kClass,
                  "print, worklist or procedure step data, no stored object");
      break;
    case dicom::SopClassKind::storage:
    case dicom::SopClassKind::unknown: break;
  }
}

/// Padding and control characters in an identifier (PID-SPACE). LO ignores outer spaces, old databases did not.
void patient_id_spaces(std::string_view raw, Findings& findings) {
  constexpr Tag kId = tag(0x0010, 0x0020);
  std::string_view text = raw;
  const bool padded = !text.empty() && text.size() % 2 == 0 && (text.back() == ' ' || text.back() == '\0');
  if (padded) text.remove_suffix(1);
  if (text.empty()) return;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\x1B'; };
  if (std::any_of(text.begin(), text.end(), control)) {
    add_finding(findings, "PID-SPACE", Severity::s2, kId, "the Patient ID has a NUL, tab or other control character");
  } else if (text.front() == ' ' || text.back() == ' ') {
    add_finding(findings, "PID-SPACE", Severity::s1, kId, "spaces around the Patient ID; compared without them");
  } else if (text.find("  ") != std::string_view::npos) {
    add_finding(findings, "PID-SPACE", Severity::s2, kId, "several spaces within the Patient ID");
  }
}

/// "hh:mm:ss" from `at`: part of the IDs that scanners make up for emergencies and phantoms.
bool is_time_of_day(std::string_view text, std::size_t at) {
  if (at + 8 > text.size()) return false;
  for (std::size_t i = 0; i < 8; ++i) {
    const char c = text[at + i];
    if (i % 3 == 2 ? c != ':' : c < '0' || c > '9') return false;
  }
  return true;
}

/// Forms in which systems paste an authority to the ID: HL7 CX and HD ("123^^^HOSP", "123&HOSP"), "123@HOSP",
/// "HOSP|123", "HOSP\\123", "HOSP:123", "2.16.840.1:123".
bool holds_authority(std::string_view id) {
  if (id.find_first_of("^&@|\\") != std::string_view::npos) return true;
  auto colon = id.find(':');
  while (colon != std::string_view::npos && colon >= 2 && is_time_of_day(id, colon - 2))
    colon = id.find(':', colon + 4);
  return colon != std::string_view::npos && colon > 0 && colon + 1 < id.size();
}

void patient(const dicom::Dataset& data, const manifest::Object& object, Findings& findings) {
  constexpr Tag kId = tag(0x0010, 0x0020);
  if (!object.patient_id || object.patient_id->empty()) {
    add_finding(findings, "PID-EMPTY", Severity::s3, kId, "no Patient ID; never matched by it, reconcile asks");
    return;
  }
  if (match::is_placeholder_id(*object.patient_id))
    add_finding(findings, "PID-EMPTY", Severity::s3, kId,
                "the Patient ID is a placeholder; never matched by it, reconcile asks");
  if (holds_authority(*object.patient_id))
    add_finding(findings, "PID-PREFIX", Severity::s2, kId, "an identifier with its authority stands in the Patient ID");
  if (const dicom::Node* node = data.find(kId); node != nullptr && node->kind == dicom::NodeKind::element)
    patient_id_spaces(as_text(data.value(*node)), findings);
}

/// "1.23E+10": what a spreadsheet makes of a long number.
bool is_scientific(std::string_view text) {
  const auto e = text.find_first_of("Ee");
  if (e == std::string_view::npos || e == 0 || e + 2 >= text.size() || (text[e + 1] != '+' && text[e + 1] != '-'))
    return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(e) + 2, text.end(), digit) &&
         std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(e),
                     [&](char c) { return digit(c) || c == '.' || c == ','; });
}

void accession(const manifest::Object& object, Findings& findings) {
  if (!object.accession || object.accession->empty()) return;
  constexpr Tag kAccession = tag(0x0008, 0x0050);
  const std::string& text = *object.accession;
  if (text.size() > 16)
    add_finding(findings, "ACC-LEN", Severity::s3, kAccession,
                "the Accession Number is longer than 16 characters; never cut, the RIS may have a short form");
  const bool odd = std::any_of(text.begin(), text.end(), [](char c) { return c == ' ' || (c >= 'a' && c <= 'z'); });
  if (is_scientific(text) || odd) {
    add_finding(findings, "ACC-CHARS", Severity::s2, kAccession,
                is_scientific(text) ? "a spreadsheet made the Accession Number a power of ten; digits are lost"
                                    : "spaces or lower case in the Accession Number; compared without them");
  }
}

/// An entry of a worklist that a server keeps as a file: no class of its own and the step that was scheduled. (Their
/// meta groups name classes that no standard knows.)
bool is_worklist_entry(const dicom::Dataset& data) {
  return trim(data.raw_text(tag(0x0008, 0x0016)).value_or("")).empty() && data.find(tag(0x0040, 0x0100)) != nullptr &&
         data.find(tag(0x0020, 0x000E)) == nullptr && pixel_node(data) == nullptr && !data.pixel_header();
}

}  // namespace

bool has_place_in_study(const dicom::File& file, const manifest::Object& object) {
  if (is_worklist_entry(file.dataset)) return false;
  if (!object.sop_class || object.sop_class->empty()) return true;
  const auto kind = dicom::sop_class_kind(*object.sop_class);
  return kind != dicom::SopClassKind::not_storage && kind != dicom::SopClassKind::non_patient;
}

void identity(const dicom::File& file, manifest::Object& object) {
  if (is_worklist_entry(file.dataset)) {
    add_finding(object.findings, "SOP-STDPRINT", Severity::s0, tag(0x0040, 0x0100),
                "an entry of a worklist, no stored object");
    return;
  }
  if (!has_place_in_study(file, object)) return sop_class(object, object.findings);
  uids(file.dataset, object, object.findings);
  if (file.has("ENC-ORDER")) contradictions(file.dataset, object.findings);
  sop_class(object, object.findings);
  patient(file.dataset, object, object.findings);
  accession(object, object.findings);
  if (!object.study_date || object.study_date->empty())
    add_finding(object.findings, "VAL-NOSTUDYDATE", Severity::s2, tag(0x0008, 0x0020),
                "no Study Date; queries by date do not find the study");
}

}  // namespace waybill::inspect
