// SPDX-License-Identifier: Apache-2.0
// Values against the rules of their VR (PS3.5 6.2), wherever they stand in the dataset.
#include "core/clock.hpp"
#include "core/text.hpp"
#include "dicom/dictionary.hpp"
#include "inspect/parts.hpp"

#include <algorithm>
#include <array>

namespace waybill::inspect {

using dicom::add_finding;
using dicom::Node;
using dicom::tag;
using dicom::Tag;
using dicom::vr;
using dicom::Vr;
using manifest::Severity;

namespace {

using Findings = std::vector<manifest::Finding>;

/// Most characters of one value, 0 where there is no such limit here.
std::size_t longest(Vr v) {
  switch (v) {
    case vr("AE"):
    case vr("CS"):
    case vr("DS"):
    case vr("SH"): return 16;
    case vr("IS"): return 12;
    case vr("LO"): return 64;
    default: return 0;
  }
}

bool is_code_string(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '_'; });
}

/// Characters, not bytes, of text that may be UTF-8; escape sequences make a value longer than it is.
std::size_t characters(std::string_view text) {
  if (text.find('\x1B') != std::string_view::npos) return 0;
  return is_utf8(text)
             ? static_cast<std::size_t>(std::count_if(
                   text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }))
             : text.size();
}

void check_length(const Node& node, std::string_view text, Findings& findings) {
  const std::size_t most = longest(node.vr);
  if (node.tag == tag(0x0008, 0x0005)) return;  // the CS- codes
  if (most == 0 || (text.size() <= most && node.vr != vr("CS"))) return;
  for (const std::string_view part : split(text, '\\')) {
    const std::string_view value = trim(part);
    if (value.size() > most && characters(value) > most) {
      add_finding(findings, "VAL-OVERLEN", Severity::s1, node.tag,
                  std::to_string(characters(value)) + " characters where " + std::to_string(most) +
                      " are allowed; carried as it is",
                  node.start);
    } else if (node.vr == vr("CS") && !is_code_string(value)) {
      add_finding(findings, "VAL-OVERLEN", Severity::s1, node.tag,
                  "characters that a code string may not have; carried as it is", node.start);
    }
  }
}

enum class Date { good, old_form, wrong };

/// A DA value (PS3.5 6.2): YYYYMMDD of the calendar; yyyy.mm.dd is its old form.
Date judge_date(std::string_view text) {
  std::string digits(text);
  const bool dotted = text.size() == 10 && text[4] == '.' && text[7] == '.';
  if (dotted) digits = std::string(text.substr(0, 4)).append(text.substr(5, 2)).append(text.substr(8));
  if (digits.size() != 8 || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return Date::wrong;
  const int year = std::stoi(digits.substr(0, 4));
  const int month = std::stoi(digits.substr(4, 2));
  const int day = std::stoi(digits.substr(6, 2));
  static constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return Date::wrong;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0)) return Date::wrong;
  return dotted ? Date::old_form : Date::good;
}

void check_date(const Node& node, std::string_view text, Findings& findings) {
  static const int kThisYear = std::stoi(utc_now().substr(0, 4));
  for (const std::string_view part : split(text, '\\')) {
    const std::string_view value = trim(part);
    if (value.empty()) continue;
    const Date date = judge_date(value);
    if (date == Date::wrong) {
      add_finding(findings, "VAL-DATE", Severity::s2, node.tag, "not a date of the calendar in YYYYMMDD", node.start);
      continue;
    }
    if (date == Date::old_form)
      add_finding(findings, "VAL-DATE", Severity::s1, node.tag, "the old form yyyy.mm.dd", node.start);
    const int year = std::stoi(std::string(value.substr(0, 4)));
    if (node.tag == tag(0x0010, 0x0030) && value == "19000101") {
      add_finding(findings, "VAL-DATE", Severity::s2, node.tag, "a placeholder birth date; missing for matching",
                  node.start);
    } else if (year < 1890 || year > kThisYear + 1) {
      add_finding(findings, "VAL-DATE", Severity::s2, node.tag, "a year before 1890 or in the future", node.start);
    }
  }
}

/// Type 2 attributes of the patient, study and series modules (PS3.3 C.7): empty is fine, absent is not.
void type_two(const dicom::Dataset& data, Findings& findings) {
  static constexpr std::array kTags = {
      tag(0x0008, 0x0020), tag(0x0008, 0x0030), tag(0x0008, 0x0050), tag(0x0008, 0x0090), tag(0x0010, 0x0010),
      tag(0x0010, 0x0020), tag(0x0010, 0x0030), tag(0x0010, 0x0040), tag(0x0020, 0x0010), tag(0x0020, 0x0011)};
  std::string missing;
  for (const Tag t : kTags) {
    if (data.find(t) == nullptr) missing += (missing.empty() ? "" : " ") + dicom::to_string(t);
  }
  if (!missing.empty())
    add_finding(findings, "VAL-TYPE2MISSING", Severity::s1, 0, "required elements are absent: " + missing);
}

/// Private creators under which vendors keep annotations that no other reader shows.
bool keeps_annotations(std::string_view creator) {
  std::string upper(creator);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  for (const std::string_view word : {"ANNOT", "MARKUP", "MITRA PRESENTATION", "GRAPHIC OBJECT"}) {
    if (upper.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

void values(const dicom::File& file, manifest::Object& object) {
  const dicom::Dataset& data = file.dataset;
  Findings& findings = object.findings;
  for (const Node& node : data.nodes()) {
    const std::uint32_t group = node.tag >> 16U;
    if (dicom::is_retired(node.tag) && (node.tag & 0xFFFFU) != 0 && node.tag != tag(0x0008, 0x0001))
      add_finding(findings, "VAL-RETIRED", Severity::s0, node.tag, "a retired attribute; carried as it is", node.start);
    if (node.kind != dicom::NodeKind::element || node.length == 0) continue;
    const std::string_view text = as_text(data.value(node));
    if ((group & 1U) != 0) {
      const std::uint32_t element = node.tag & 0xFFFFU;
      if (element >= 0x10 && element <= 0xFF && keeps_annotations(trim(text)))
        add_finding(findings, "PRIV-ANNOT", Severity::s3, node.tag,
                    "a vendor's own annotations; other readers do not show them", node.start);
      continue;
    }
    if (node.vr == vr("DA"))
      check_date(node, text, findings);
    else
      check_length(node, text, findings);
  }
  if (object.sop_class && has_place_in_study(file, object)) type_two(data, findings);
}

}  // namespace waybill::inspect
