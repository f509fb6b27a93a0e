// SPDX-License-Identifier: Apache-2.0
// Specific Character Set against the bytes it speaks of, in the dataset and its items (domain rule 2.4, CS-*).
#include "core/text.hpp"
#include "dicom/charset.hpp"
#include "dicom/vr.hpp"
#include "inspect/parts.hpp"

#include <algorithm>
#include <array>

namespace waybill::inspect {

using dicom::add_finding;
using dicom::Charset;
using dicom::Node;
using dicom::tag;
using dicom::Tag;
using manifest::Severity;

namespace {

constexpr Tag kSet = tag(0x0008, 0x0005);

bool is_plain(std::string_view text) { return is_ascii(text) && text.find('\x1B') == std::string_view::npos; }

bool has_c1_control(std::string_view utf8) {
  for (std::size_t i = 0; i + 1 < utf8.size(); ++i) {
    if (utf8[i] == '\xC2' && static_cast<unsigned char>(utf8[i + 1]) < 0xA0) return true;
  }
  return false;
}

/// The character sets that read all of the bytes without a fault or control character, the likeliest first.
std::string candidates(std::string_view bytes) {
  static constexpr std::array<const char*, 12> kSets = {
      "ISO_IR 192", "ISO_IR 100", "ISO_IR 101", "ISO_IR 144", "ISO_IR 126", "ISO_IR 148",
      "ISO_IR 138", "ISO_IR 127", "ISO_IR 166", "ISO_IR 13",  "GB18030",    "ISO 2022 IR 6\\ISO 2022 IR 149"};
  std::string out;
  for (const char* set : kSets) {
    bool ok = true;
    const std::string text = Charset::from_terms(set).decode(bytes, ok);
    if (ok && !has_c1_control(text)) out += (out.empty() ? "" : ", ") + std::string(set);
  }
  return out.empty() ? "none of the usual ones" : out;
}

class Walker {
 public:
  Walker(const dicom::Dataset& data, std::vector<manifest::Finding>& findings) : data_(data), findings_(findings) {}

  /// Elements of one dataset or item. An item without a set of its own has its parent's (PS3.3 C.12.1.1.2).
  void walk(std::uint32_t from, std::uint32_t to, const Charset& parent, bool nested) {
    const auto& nodes = data_.nodes();
    const Charset* set = &parent;
    std::optional<Charset> own;
    for (std::uint32_t i = from; i < to && i < nodes.size() && !own; i = nodes[i].next) {
      if (nodes[i].next <= i) return;
      if (nodes[i].tag == kSet && nodes[i].kind == dicom::NodeKind::element) own = declared(nodes[i]);
    }
    if (own) set = &*own;
    for (std::uint32_t i = from; i < to && i < nodes.size();) {
      const Node& node = nodes[i];
      if (node.kind == dicom::NodeKind::sequence) {
        for (std::uint32_t k = i + 1; k < node.next && k < nodes.size() && nodes[k].next > k; k = nodes[k].next)
          walk(k + 1, nodes[k].next, *set, true);
      } else if (node.kind == dicom::NodeKind::element && dicom::is_charset_vr(node.vr)) {
        check(node, *set, nested && !own);
      }
      if (node.next <= i) return;
      i = node.next;
    }
  }

 private:
  Charset declared(const Node& node) {
    std::string_view terms = as_text(data_.value(node));
    while (!terms.empty() && (terms.back() == ' ' || terms.back() == '\0')) terms.remove_suffix(1);
    Charset charset = Charset::from_terms(terms);
    if (!charset.known()) {
      add_finding(findings_, "CS-UNKNOWN", Severity::s2, kSet, "the Specific Character Set is not known", node.start,
                  data_.value(node));
    } else if (!charset.canonical()) {
      add_finding(findings_, "CS-BADTERM", Severity::s1, kSet, "the Specific Character Set is misspelt", node.start,
                  data_.value(node));
    }
    return charset;
  }

  void note(const char* code, Severity severity, const Node& node, std::string detail) {
    add_finding(findings_, code, severity, node.tag, std::move(detail), node.start, data_.value(node));
  }

  void check(const Node& node, const Charset& set, bool inherited) {
    std::string_view raw = as_text(data_.value(node));
    while (!raw.empty() && (raw.back() == ' ' || raw.back() == '\0')) raw.remove_suffix(1);
    if (is_plain(raw)) return;
    if (inherited && !set.is_default())
      note("CS-NESTED", Severity::s0, node, "text in an item that has its character set from the dataset around it");
    bool ok = true;
    const std::string text = set.decode(raw, ok);
    if (set.is_default()) {
      const bool escapes =
          std::none_of(raw.begin(), raw.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
      if (escapes && ok) return;
      note("CS-MISSING8", Severity::s2, node,
           std::string(escapes ? "ISO 2022 escapes" : "8-bit text") + " without a character set; read as " +
               (is_utf8(raw) ? "ISO_IR 192" : "ISO_IR 100") + "; these would read it: " + candidates(raw));
    } else if (!ok) {
      note("CS-WRONG", Severity::s2, node,
           "text is not in the declared character set; these would read it: " + candidates(raw));
    } else if (set.is_single_byte() && is_utf8(raw)) {
      note("CS-WRONG", Severity::s2, node, "UTF-8 bytes under a single-byte character set");
    } else if (has_c1_control(text)) {
      note("CS-WRONG", Severity::s2, node, "the declared character set makes control characters of the text");
    } else if (set.leaves_open(raw)) {
      note("CS-2022", Severity::s2, node,
           "no return to the initial character set before a delimiter or the end; or a backslash within a character");
    }
  }

  const dicom::Dataset& data_;
  std::vector<manifest::Finding>& findings_;
};

}  // namespace

void character_set(const dicom::File& file, manifest::Object& object) {
  const auto& nodes = file.dataset.nodes();
  Walker(file.dataset, object.findings)
      .walk(0, static_cast<std::uint32_t>(nodes.size()), Charset::from_terms(""), false);
}

}  // namespace waybill::inspect
