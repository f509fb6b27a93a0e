// SPDX-License-Identifier: Apache-2.0
#include "dicom/notes.hpp"

#include "core/text.hpp"
#include "dicom/dictionary.hpp"

#include <algorithm>

namespace waybill::dicom {

using manifest::Severity;

namespace {

constexpr Tag kLengthToEnd = tag(0x0008, 0x0001);

/// Whether the bytes cannot be copied as they stand: all that is noted here but what other readers cope with.
bool is_irregular(std::string_view code) noexcept {
  return code != "ENC-UNSQ" && code != "ENC-UN64K" && code != "ENC-VRWRONG";
}

}  // namespace

void add_finding(std::vector<manifest::Finding>& findings, std::string_view code, Severity severity, Tag t,
                 std::string detail, std::optional<std::uint64_t> offset, ByteView raw) {
  manifest::Finding fresh{std::string(code), severity, t == 0 ? std::string() : to_string(t),
                          std::move(detail), offset,   to_hex(raw.first(std::min<std::size_t>(raw.size(), 64)))};
  const auto at = std::find_if(findings.begin(), findings.end(),
                               [&](const manifest::Finding& finding) { return finding.code == code; });
  if (at == findings.end()) {
    findings.push_back(std::move(fresh));
  } else if (at->severity < severity) {
    *at = std::move(fresh);
  }
}

void Notes::add(std::string_view code, Severity severity, Tag t, std::string detail) {
  irregular_ += is_irregular(code);
  add_finding(findings_, code, severity, t, std::move(detail));
}

void Notes::add(std::string_view code, Severity severity, Tag t, std::string detail, std::uint64_t at) {
  irregular_ += is_irregular(code);
  add_finding(findings_, code, severity, t, std::move(detail), at,
              bytes_.subspan(at, std::min<std::uint64_t>(12, bytes_.size() - at)));
}

void Notes::oddity(const Header& h) {
  if (h.oddity == Oddity::none) return;
  ++irregular_;
  const ByteView letters{bytes_.data() + h.start + 4, 2};
  const std::string no_vr = "no VR (bytes " + to_hex(letters) + "); read ";
  const auto say = [&](std::string_view code, std::string detail) {
    add(code, Severity::s1, h.tag, std::move(detail), h.start);
  };
  switch (h.oddity) {
    case Oddity::none: break;
    case Oddity::future_vr:
      say("ENC-VRUNKNOWN", "VR " + std::string(as_text(letters)) + " is not in PS3.5; read with a 32-bit length");
      break;
    case Oddity::no_vr_implicit: say("ENC-VRUNKNOWN", no_vr + "as an implicit element"); break;
    case Oddity::no_vr_short: say("ENC-VRUNKNOWN", no_vr + "with a 16-bit length"); break;
    case Oddity::no_vr_long: say("ENC-VRUNKNOWN", no_vr + "with a 32-bit length"); break;
    case Oddity::blank_vr: say("ENC-VRWRONG", "VR is two spaces; the dictionary's VR is used"); break;
    case Oddity::other_form:
      say("ENC-VRWRONG",
          has_long_length(h.vr) ? "a 16-bit length where this VR has 32 bits" : "a 32-bit length where it has 16");
      break;
    case Oddity::blank_length: say("ENC-13BUG", "the length is four spaces; read as empty"); break;
  }
}

void Notes::retired(const Header& h) {
  const std::uint32_t group = h.tag >> 16U;
  if ((h.tag & 0xFFFFU) == 0 && group != 0x0002) {
    add(group == 0 ? "ENC-CMDGROUP" : "ENC-GROUPLEN", Severity::s1, h.tag,
        group == 0 ? "a command group is stored in the file" : "retired group length", h.start);
  } else if (group == 0) {
    add("ENC-CMDGROUP", Severity::s1, h.tag, "a command group is stored in the file", h.start);
  } else if (h.tag == kLengthToEnd) {
    add("ENC-GROUPLEN", Severity::s1, h.tag, "retired Length to End", h.start);
  } else if (h.tag == kTrailingPadding) {
    add("ENC-TRAILPAD", Severity::s1, h.tag, "Data Set Trailing Padding", h.start);
  }
}

void Notes::wrong_vr(const Header& h, Encoding encoding) {
  const bool too_long = h.length > 65534 && h.length != kUndefined;
  if (!encoding.explicit_vr) {
    if (too_long && h.vr != vr("SQ") && h.vr != vr("ox") && !has_long_length(h.vr))
      add("ENC-UN64K", Severity::s1, h.tag, "a value too long for its VR's explicit form; written as UN", h.start);
    return;
  }
  if ((h.tag & 0x10000U) != 0 || h.vr == 0) return;
  const Vr known = dictionary_vr(h.tag);
  if (known == 0 || known == h.vr || (known == vr("ox") && (h.vr == vr("OB") || h.vr == vr("OW")))) return;
  if (known == vr("xs") && (h.vr == vr("US") || h.vr == vr("SS") || h.vr == vr("OW"))) return;
  if (known == vr("OW") && (h.tag & 0xFFFF0000U) == 0x00280000U && (h.vr == vr("US") || h.vr == vr("SS"))) return;
  if (h.vr == vr("UN") && h.length == kUndefined) return;  // ENC-UNSQ
  const std::string names = {static_cast<char>(known >> 8U), static_cast<char>(known & 0xFFU)};
  if (h.vr == vr("UN") && too_long && !has_long_length(known))
    add("ENC-UN64K", Severity::s1, h.tag, "UN carries a value too long for the explicit form of " + names, h.start);
  else
    add("ENC-VRWRONG", Severity::s1, h.tag, "the VR is not the dictionary's " + names, h.start);
}

}  // namespace waybill::dicom
