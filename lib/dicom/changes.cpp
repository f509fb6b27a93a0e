// SPDX-License-Identifier: Apache-2.0
#include "dicom/changes.hpp"

#include "core/text.hpp"
#include "core/version.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/uids.hpp"
#include "dicom/vr.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::dicom {
namespace {

constexpr Tag kCharacterSet = tag(0x0008, 0x0005);
constexpr Tag kOriginalAttributes = tag(0x0400, 0x0561);
constexpr Tag kContributingEquipment = tag(0x0018, 0xA001);
constexpr Tag kPatientId = tag(0x0010, 0x0020);
constexpr Tag kIssuer = tag(0x0010, 0x0021);
constexpr Tag kLossy = tag(0x0028, 0x2110);

using Uids = std::map<std::string, std::string, std::less<>>;

Result<Tag> parse_tag(std::string_view text) {
  std::uint32_t group = 0;
  std::uint32_t element = 0;
  if (text.size() == 9 && text[4] == ',') {
    const auto a = std::from_chars(text.data(), text.data() + 4, group, 16);
    const auto b = std::from_chars(text.data() + 5, text.data() + 9, element, 16);
    if (a.ptr == text.data() + 4 && b.ptr == text.data() + 9)
      return tag(static_cast<std::uint16_t>(group), static_cast<std::uint16_t>(element));
  }
  return Failure{Fault::malformed, "an edit's tag is not of the form gggg,eeee"};
}

bool names_any(const Dataset& data, std::uint32_t index, const Uids& uids, bool of_private) {
  const auto& nodes = data.nodes();
  for (std::uint32_t i = index; i < std::max(nodes[index].next, index + 1); ++i) {
    const bool is_private = ((nodes[i].tag >> 16U) & 1U) != 0;
    if (nodes[i].kind != NodeKind::element || nodes[i].vr != vr("UI")) continue;
    if (of_private ? !is_private : !is_reference(nodes[i].tag)) continue;
    for (const std::string_view value : split(as_text(data.value(nodes[i])), '\\'))
      if (uids.contains(trim(value))) return true;
  }
  return false;
}

std::vector<Tag> tags_naming(const Dataset& data, const Uids& uids, bool of_private) {
  std::vector<Tag> out;
  if (uids.empty()) return out;
  const auto& nodes = data.nodes();
  for (std::uint32_t i = 0; i < nodes.size(); i = std::max(nodes[i].next, i + 1)) {
    const bool twice = !out.empty() && out.back() == nodes[i].tag;
    if (!twice && names_any(data, i, uids, of_private)) out.push_back(nodes[i].tag);
  }
  return out;
}

Bytes item_around(const Bytes& elements) {
  Bytes out;
  put_u16(out, 0xFFFE);
  put_u16(out, 0xE000);
  put_u32(out, static_cast<std::uint32_t>(elements.size()));
  put_bytes(out, elements);
  return out;
}

/// Values a receiver may refuse for their VR (PS3.5 6.2): kept aside byte by byte in the nonconforming sequence.
bool conforms(Vr v, std::string_view value) {
  const auto longer = [&](std::size_t most) {
    for (const std::string_view part : split(value, '\\'))
      if (part.size() > most) return true;
    return false;
  };
  if (v == vr("DA"))
    return value.empty() ||
           (value.size() == 8 && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (v == vr("CS") || v == vr("SH") || v == vr("AE") || v == vr("DS")) return !longer(16);
  if (v == vr("LO") || v == vr("UI")) return !longer(64);
  return true;
}

/// Encodes one run's changes for one file.
class Recorder {
 public:
  Recorder(const File& source, const Changes& changes, Rewrite& rewrite)
      : source_(source),
        changes_(changes),
        rewrite_(rewrite),
        explicit_(rewrite.transfer_syntax != uid::kImplicitLittleEndian),
        charset_(Charset::from_terms(source.dataset.raw_text(kCharacterSet).value_or(""))) {}

  Result<std::vector<Former>> run(const Provenance& provenance) {
    for (const manifest::Edit& edit : changes_.edits)
      if (edit.tag == "0008,0005") charset_ = Charset::from_terms(edit.new_value);  // a wrong label is corrected first
    for (const manifest::Edit& edit : changes_.edits)
      if (!charset_.encode(edit.new_value)) rewrite_.to_utf8 = true;
    if (rewrite_.to_utf8) {  // housekeeping, no change of a value: the text stays in ISO_IR 192 when changes are undone
      rewrite_.elements[kCharacterSet] = encode_element(kCharacterSet, vr("CS"), "ISO_IR 192", explicit_);
    }
    for (const manifest::Edit& edit : changes_.edits)
      if (auto done = text(edit); !done) return done.error();
    for (const Change& change : changes_.values) {
      if (auto done = old_of(change.tag); !done) return done.error();
      const bool absent = source_.dataset.find(change.tag) == nullptr;
      former_.push_back({change.tag, change.vr, absent ? std::nullopt : value_of(change.tag)});
      rewrite_.elements[change.tag] =
          change.value ? encode_element(change.tag, change.vr, as_text(*change.value), explicit_) : Bytes{};
    }
    for (const Tag t : naming(source_.dataset, changes_.uids)) {
      if (rewrite_.elements.contains(t)) continue;  // an edit or change of its own
      if (auto done = old_of(t); !done) return done.error();
      former_.push_back({t, source_.dataset.find(t)->kind == NodeKind::sequence ? vr("SQ") : vr("UI"), value_of(t)});
    }
    if (old_values_.empty()) return std::move(former_);
    rewrite_.uids = changes_.uids;
    if (old_values_.contains(kPatientId) && !old_values_.contains(kIssuer)) {
      if (auto done = old_of(kIssuer); !done) return done.error();
    }
    if (auto done = append(kOriginalAttributes, original_attributes(provenance)); !done) return done.error();
    if (auto done = append(kContributingEquipment, equipment(provenance)); !done) return done.error();
    return std::move(former_);
  }

 private:
  /// The old element goes into the item of Original Attributes, with zero length when there was none.
  Result<Done> old_of(Tag t) {
    auto element = carry_element(source_, t, Rewrite{rewrite_.transfer_syntax, {}, rewrite_.to_utf8, {}});
    if (!element) return element.error();
    const Vr known = dictionary_vr(t);
    old_values_[t] = element->empty()
                         ? encode_element(t, known != 0 && known != vr("ox") ? known : vr("UN"), "", explicit_)
                         : *std::move(element);
    return Done{};
  }

  /// The value of an old element, encoded as it is written.
  std::optional<Bytes> value_of(Tag t) const {
    const Bytes& element = old_values_.at(t);
    const bool sequence = source_.dataset.find(t)->kind == NodeKind::sequence;
    const bool wide = explicit_ && load_u16(element.data() + 6) + std::size_t{8} != element.size();  // a 32-bit length
    const std::size_t header = wide ? 12 : 8;
    const bool undefined = sequence && load_u32(element.data() + header - 4) == 0xFFFFFFFFU;
    return Bytes(element.begin() + static_cast<std::ptrdiff_t>(header), element.end() - (undefined ? 8 : 0));
  }

  Result<Done> text(const manifest::Edit& edit) {
    const auto t = parse_tag(edit.tag);
    if (!t) return t.error();
    const Vr v = dictionary_vr(*t);
    if (v == 0 || v == vr("SQ") || v == vr("OB") || v == vr("UN") || word_size(v) != 1)
      return Failure{Fault::unsupported, "attribute " + edit.tag + " cannot be edited as text"};
    if (*t == kLossy && source_.dataset.raw_text(kLossy).value_or("") == "01" && edit.new_value != "01")
      return Failure{Fault::refused, "once 01, Lossy Image Compression stays 01"};
    coerce_ = coerce_ || edit.reason == "COERCE";
    bool ok = true;
    std::string old(source_.dataset.raw_text(*t).value_or(""));
    if (rewrite_.to_utf8) old = charset_.decode(old, ok);
    if (!ok)
      return Failure{Fault::unsupported, "the old value of " + edit.tag + " is not in the declared character set"};
    if (conforms(v, old)) {
      old_values_[*t] = encode_element(*t, v, old, explicit_);
    } else {
      old_values_[*t] = encode_element(*t, v, "", explicit_);
      nonconforming_[*t] = old;
    }
    const bool absent = source_.dataset.find(*t) == nullptr;
    former_.push_back(
        {*t, v, absent ? std::nullopt : std::optional(Bytes(as_bytes(old).begin(), as_bytes(old).end()))});
    const std::string value = rewrite_.to_utf8 ? edit.new_value : *charset_.encode(edit.new_value);
    rewrite_.elements[*t] = encode_element(*t, v, value, explicit_);
    return Done{};
  }

  Bytes sequence(Tag t, const Bytes& items) const { return encode_element(t, vr("SQ"), as_text(items), explicit_); }
  Bytes element(Tag t, const char (&v)[3], std::string_view value) const {
    return encode_element(t, vr(v), value, explicit_);
  }

  Bytes original_attributes(const Provenance& provenance) const {
    Bytes modified;
    for (const auto& [t, bytes] : old_values_) put_bytes(modified, bytes);
    Bytes item = sequence(tag(0x0400, 0x0550), item_around(modified));
    if (!nonconforming_.empty()) {
      Bytes items;
      for (const auto& [t, value] : nonconforming_) {
        Bytes which;
        put_u16(which, static_cast<std::uint16_t>(t >> 16U));
        put_u16(which, static_cast<std::uint16_t>(t & 0xFFFFU));
        Bytes selector = element(tag(0x0072, 0x0026), "AT", as_text(which));
        put_bytes(selector, element(tag(0x0072, 0x0028), "US", std::string_view("\1\0", 2)));
        put_bytes(selector, element(tag(0x0400, 0x0552), "OB", value));
        put_bytes(items, item_around(selector));
      }
      put_bytes(item, sequence(tag(0x0400, 0x0551), items));
    }
    put_bytes(item, element(tag(0x0400, 0x0562), "DT", provenance.date_time));
    put_bytes(item, element(tag(0x0400, 0x0563), "LO", provenance.modifying_system));
    put_bytes(item, element(tag(0x0400, 0x0564), "LO", ""));
    const bool coerce = coerce_ || (changes_.edits.empty() && !changes_.uids.empty());
    put_bytes(item, element(tag(0x0400, 0x0565), "CS", coerce ? "COERCE" : "CORRECT"));
    return item_around(item);
  }

  Bytes equipment(const Provenance& provenance) const {
    Bytes code = element(tag(0x0008, 0x0100), "SH", "109103");
    put_bytes(code, element(tag(0x0008, 0x0102), "SH", "DCM"));
    put_bytes(code, element(tag(0x0008, 0x0104), "LO", "Modifying Equipment"));
    Bytes item = element(tag(0x0008, 0x0070), "LO", "Waybill");
    put_bytes(item, element(tag(0x0008, 0x1090), "LO", "waybill transcode"));
    put_bytes(item, element(tag(0x0018, 0x1020), "LO", kVersion));
    put_bytes(item, element(tag(0x0018, 0xA002), "DT", provenance.date_time));
    put_bytes(item, element(tag(0x0018, 0xA003), "ST", "Attributes changed while the archive was migrated"));
    put_bytes(item, sequence(tag(0x0040, 0xA170), item_around(code)));
    return item_around(item);
  }

  /// Existing items stay; ours is appended.
  Result<Done> append(Tag t, const Bytes& item) {
    auto items = items_of(source_, t, rewrite_, explicit_);
    if (!items) return items.error();
    put_bytes(*items, item);
    rewrite_.elements[t] = sequence(t, *items);
    return Done{};
  }

 public:
  /// The items of a top-level sequence as they are carried over.
  static Result<Bytes> items_of(const File& source, Tag t, const Rewrite& rewrite, bool explicit_vr) {
    const Node* existing = source.dataset.find(t);
    if (existing == nullptr || existing->kind != NodeKind::sequence || existing->length == 0) return Bytes{};
    auto encoded = carry_element(source, t, Rewrite{rewrite.transfer_syntax, {}, rewrite.to_utf8, {}});
    if (!encoded) return encoded.error();
    const std::size_t header = explicit_vr ? 12 : 8;
    const bool undefined = load_u32(encoded->data() + header - 4) == 0xFFFFFFFFU;
    return Bytes(encoded->begin() + static_cast<std::ptrdiff_t>(header), encoded->end() - (undefined ? 8 : 0));
  }

 private:
  const File& source_;
  const Changes& changes_;
  Rewrite& rewrite_;
  bool explicit_;
  Charset charset_;
  std::map<Tag, Bytes> old_values_;
  std::map<Tag, std::string> nonconforming_;
  std::vector<Former> former_;
  bool coerce_ = false;
};

/// The sequence without its last item; an empty element when that was the only one.
Result<Bytes> without_last_item(const File& written, Tag t, const Rewrite& rewrite) {
  const Dataset& data = written.dataset;
  const Node* node = data.find(t);
  if (node == nullptr || node->kind != NodeKind::sequence)
    return Failure{Fault::mismatch, "the sequence " + to_string(t) + " that holds the change is not there"};
  std::vector<std::uint32_t> items;
  const std::uint32_t index = data.index_of(*node);
  for (std::uint32_t i = index + 1; i < node->next; i = data.nodes()[i].next) items.push_back(i);
  if (items.empty()) return Failure{Fault::mismatch, "the sequence " + to_string(t) + " is empty"};
  if (items.size() == 1) return Bytes{};
  const bool explicit_vr = rewrite.transfer_syntax != uid::kImplicitLittleEndian;
  const auto& last = data.nodes()[items.back()];
  const ByteView kept = data.bytes().subspan(node->value, last.start - node->value);  // written by us: same encoding
  return encode_element(t, vr("SQ"), as_text(kept), explicit_vr);
}

}  // namespace

std::vector<manifest::Edit> uids_of_meta(const File& source) {
  std::vector<manifest::Edit> edits;
  const auto add = [&](Tag t, const std::string& meta) {
    if (!meta.empty() && trim(source.dataset.raw_text(t).value_or("")).empty())
      edits.push_back({to_string(t), "", meta, "CORRECT"});
  };
  add(tag(0x0008, 0x0016), source.meta.sop_class);
  add(tag(0x0008, 0x0018), source.meta.sop_instance);
  return edits;
}

std::vector<Tag> naming(const Dataset& data, const Uids& uids) { return tags_naming(data, uids, false); }
std::vector<Tag> private_naming(const Dataset& data, const Uids& uids) { return tags_naming(data, uids, true); }

Uids named(const Dataset& data, const Uids& uids) {
  Uids out;
  if (uids.empty()) return out;
  for (const Node& node : data.nodes()) {
    if (node.kind != NodeKind::element || node.vr != vr("UI") || !is_reference(node.tag)) continue;
    for (const std::string_view value : split(as_text(data.value(node)), '\\')) {
      if (const auto at = uids.find(trim(value)); at != uids.end()) out.insert(*at);
    }
  }
  return out;
}

Result<std::vector<Former>> add_changes(const File& source, const Changes& changes, const Provenance& provenance,
                                        Rewrite& rewrite) {
  return Recorder(source, changes, rewrite).run(provenance);
}

Result<Done> revert_changes(const File& written, const std::vector<Former>& former, bool provenance, Rewrite& rewrite) {
  const bool explicit_vr = rewrite.transfer_syntax != uid::kImplicitLittleEndian;
  for (const Tag t : {kOriginalAttributes, kContributingEquipment}) {
    if (!provenance) break;
    auto shorter = without_last_item(written, t, rewrite);
    if (!shorter) return shorter.error();
    rewrite.elements[t] = *std::move(shorter);
  }
  for (const Former& f : former)
    rewrite.elements[f.tag] = f.value ? encode_element(f.tag, f.vr, as_text(*f.value), explicit_vr) : Bytes{};
  return Done{};
}

}  // namespace waybill::dicom
