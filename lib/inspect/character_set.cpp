// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "dicom/charset.hpp"
#include "inspect/parts.hpp"

namespace waybill::inspect {

using dicom::add_finding;
using dicom::tag;
using dicom::Tag;
using manifest::Severity;

/// Character set against bytes, on the attributes that identify (CS-MISSING8, CS-WRONG, CS-BADTERM).
void character_set(const dicom::File& file, manifest::Object& object) {
  const dicom::Dataset& data = file.dataset;
  std::vector<manifest::Finding>& findings = object.findings;
  constexpr Tag kSet = tag(0x0008, 0x0005);
  const auto charset = dicom::Charset::from_terms(data.raw_text(kSet).value_or(""));
  if (!charset.known())
    add_finding(findings, "CS-UNKNOWN", Severity::s2, kSet, "the Specific Character Set is not known");
  else if (!charset.canonical())
    add_finding(findings, "CS-BADTERM", Severity::s1, kSet, "the Specific Character Set is misspelt");
  for (const Tag t : {tag(0x0010, 0x0010), tag(0x0010, 0x0020), tag(0x0008, 0x0080), tag(0x0008, 0x0090),
                      tag(0x0008, 0x1030), tag(0x0008, 0x103E), tag(0x0008, 0x0050)}) {
    const auto raw = data.raw_text(t);
    if (!raw) continue;
    bool ok = true;
    (void)charset.decode(*raw, ok);
    if (ok) continue;
    const std::string hex = to_hex(as_bytes(raw->substr(0, 64)));
    if (charset.is_default()) {
      add_finding(findings, "CS-MISSING8", Severity::s2, t,
                  std::string("8-bit text without a character set; read as ") +
                      (is_utf8(*raw) ? "ISO_IR 192" : "ISO_IR 100") + "; raw bytes of the value in hex: " + hex);
    } else {
      add_finding(findings, "CS-WRONG", Severity::s2, t,
                  "text is not in the declared character set; raw bytes of the value in hex: " + hex);
    }
  }
}

}  // namespace waybill::inspect
