// SPDX-License-Identifier: Apache-2.0
#include "dicom/rewrite.hpp"

#include "core/text.hpp"
#include "core/version.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/uids.hpp"
#include "dicom/vr.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace waybill::dicom {
namespace {

constexpr Tag kCharacterSet = tag(0x0008, 0x0005);
constexpr Tag kOriginalAttributes = tag(0x0400, 0x0561);
constexpr std::uint32_t kUndefined = 0xFFFFFFFFU;

void put_tag(Bytes& out, Tag t) {
  put_u16(out, static_cast<std::uint16_t>(t >> 16U));
  put_u16(out, static_cast<std::uint16_t>(t & 0xFFFFU));
}

/// The element header; a VR with a short length that does not fit is written as UN (PS3.5 6.2.2).
void put_header(Bytes& out, Tag t, Vr v, std::uint32_t length, bool explicit_vr) {
  put_tag(out, t);
  if (!explicit_vr) {
    put_u32(out, length);
    return;
  }
  if (!has_long_length(v) && length > 0xFFFFU) v = vr("UN");
  out.push_back(static_cast<std::byte>(v >> 8U));
  out.push_back(static_cast<std::byte>(v & 0xFFU));
  if (has_long_length(v)) {
    put_u16(out, 0);
    put_u32(out, length);
  } else {
    put_u16(out, static_cast<std::uint16_t>(length));
  }
}

std::byte padding_of(Vr v) {
  return v == vr("UI") || v == vr("OB") || v == vr("UN") || v == vr("OW") ? std::byte{0} : std::byte{' '};
}

/// Carries elements over from one encoding to the target's.
class Serializer {
 public:
  Serializer(const File& source, const Rewrite& rewrite)
      : data_(source.dataset),
        rewrite_(rewrite),
        explicit_(rewrite.transfer_syntax != uid::kImplicitLittleEndian),
        signed_pixels_(source.dataset.integer(tag(0x0028, 0x0103)).value_or(0) == 1) {}

  Result<Done> run(Bytes& out) {
    const auto& nodes = data_.nodes();
    const Charset charset = Charset::from_terms(data_.raw_text(kCharacterSet).value_or(""));
    auto pending = rewrite_.elements.begin();
    const auto insert_before = [&](Tag t) {
      for (; pending != rewrite_.elements.end() && pending->first < t; ++pending) put_bytes(out, pending->second);
    };
    for (std::uint32_t i = 0; i < nodes.size(); i = nodes[i].next) {
      const Node& node = nodes[i];
      if (dropped(node.tag)) continue;
      insert_before(node.tag);
      if (const auto own = rewrite_.elements.find(node.tag); own != rewrite_.elements.end()) {
        if (pending != rewrite_.elements.end() && pending->first == node.tag) {
          put_bytes(out, own->second);
          ++pending;
        }
        continue;  // a second element of the same tag goes with the first
      }
      element(i, data_.encoding(), charset, out);
    }
    for (; pending != rewrite_.elements.end(); ++pending) put_bytes(out, pending->second);
    if (!failure_.empty()) return Failure{Fault::unsupported, failure_};
    return Done{};
  }

 private:
  static bool dropped(Tag t) {
    const std::uint32_t group = t >> 16U;
    return group == 0 || group == 2 || (t & 0xFFFFU) == 0 || t == tag(0x0008, 0x0001) || t == tag(0xFFFC, 0xFFFC);
  }

  Vr target_vr(const Node& node, Encoding encoding) const {
    Vr v = node.vr;
    if (!encoding.explicit_vr || v == vr("xs") || v == vr("ox") || !is_known_vr(v)) {
      const Vr known = dictionary_vr(node.tag);
      if (known == vr("xs")) return signed_pixels_ ? vr("SS") : vr("US");
      if (known == vr("ox")) return vr("OW");
      v = known != 0 ? known : vr("UN");
    }
    return v;
  }

  void element(std::uint32_t index, Encoding encoding, const Charset& charset, Bytes& out) {
    const Node& node = data_.nodes()[index];
    const bool verbatim = encoding == Encoding{explicit_, false} && !rewrite_.to_utf8;
    if (verbatim && node.length % 2 == 0 && is_known_vr(node.vr)) {
      put_bytes(out, data_.bytes().subspan(node.start, node.end - node.start));
      return;
    }
    if (node.kind == NodeKind::sequence) {
      sequence(index, encoding, charset, out);
    } else if (node.kind == NodeKind::fragments) {
      put_header(out, node.tag, vr("OB"), kUndefined, explicit_);
      put_bytes(out, data_.value(node));
      put_tag(out, tag(0xFFFE, 0xE0DD));
      put_u32(out, 0);
    } else {
      plain(node, encoding, charset, out);
    }
  }

  void plain(const Node& node, Encoding encoding, const Charset& charset, Bytes& out) {
    const Vr v = target_vr(node, encoding);
    const ByteView raw = data_.value(node);
    if (rewrite_.to_utf8 && is_charset_vr(v)) {
      bool ok = true;
      const std::string text = charset.decode(as_text(raw), ok);
      if (!ok)
        failure_ = "text of " + to_string(node.tag) +
                   " is not in the declared character set and cannot be converted to ISO_IR 192";
      put_bytes(out, encode_element(node.tag, v, text, explicit_));
      return;
    }
    const std::size_t word = encoding.big_endian ? word_size(v) : 1;
    put_header(out, node.tag, v, static_cast<std::uint32_t>(raw.size() + raw.size() % 2), explicit_);
    const std::size_t from = out.size();
    put_bytes(out, raw);
    for (std::size_t i = from; word > 1 && i + word <= out.size(); i += word) {
      std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(i + word));
    }
    if (raw.size() % 2 != 0) out.push_back(padding_of(v));
  }

  /// Sequences are written with undefined lengths: no sizes to go wrong, and equal for DS1.
  void sequence(std::uint32_t index, Encoding encoding, const Charset& inherited, Bytes& out) {
    const auto& nodes = data_.nodes();
    const Node& node = nodes[index];
    if (node.vr == vr("UN") && node.undefined_length && !rewrite_.to_utf8) {
      // Its content is Implicit VR Little Endian whatever is around it (PS3.5 6.2.2), so it is carried as it is.
      put_header(out, node.tag, vr("UN"), kUndefined, explicit_);
      put_bytes(out, data_.value(node));
      put_tag(out, tag(0xFFFE, 0xE0DD));
      put_u32(out, 0);
      return;
    }
    const Encoding inner = node.implicit_content ? Encoding{false, false} : encoding;
    put_header(out, node.tag, vr("SQ"), kUndefined, explicit_);
    for (std::uint32_t i = index + 1; i < node.next; i = nodes[i].next) {
      put_tag(out, tag(0xFFFE, 0xE000));
      put_u32(out, kUndefined);
      Charset charset = inherited;
      for (std::uint32_t j = i + 1; j < nodes[i].next; j = nodes[j].next) {
        if (nodes[j].tag == kCharacterSet) charset = Charset::from_terms(trim(as_text(data_.value(nodes[j]))));
      }
      for (std::uint32_t j = i + 1; j < nodes[i].next; j = nodes[j].next) {
        if ((nodes[j].tag & 0xFFFFU) == 0 || nodes[j].tag == tag(0xFFFC, 0xFFFC)) continue;
        if (rewrite_.to_utf8 && nodes[j].tag == kCharacterSet) continue;
        element(j, inner, charset, out);
      }
      put_tag(out, tag(0xFFFE, 0xE00D));
      put_u32(out, 0);
    }
    put_tag(out, tag(0xFFFE, 0xE0DD));
    put_u32(out, 0);
  }

  const Dataset& data_;
  const Rewrite& rewrite_;
  bool explicit_;
  bool signed_pixels_;
  std::string failure_;
};

/// Preamble, DICM and file meta information (PS3.10 table 7.1-1).
Bytes meta_bytes(const File& source, std::string_view transfer_syntax) {
  const auto either = [&](Tag t, const std::string& meta) {
    const auto own = source.dataset.raw_text(t);
    return own && !own->empty() ? std::string(trim(*own)) : meta;
  };
  Bytes group;
  put_bytes(group, encode_element(tag(0x0002, 0x0001), vr("OB"), std::string_view("\0\1", 2)));
  put_bytes(group, encode_element(tag(0x0002, 0x0002), vr("UI"), either(tag(0x0008, 0x0016), source.meta.sop_class)));
  put_bytes(group,
            encode_element(tag(0x0002, 0x0003), vr("UI"), either(tag(0x0008, 0x0018), source.meta.sop_instance)));
  put_bytes(group, encode_element(tag(0x0002, 0x0010), vr("UI"), transfer_syntax));
  put_bytes(group, encode_element(tag(0x0002, 0x0012), vr("UI"), kImplementationClassUid));
  put_bytes(group, encode_element(tag(0x0002, 0x0013), vr("SH"), kImplementationVersion));
  Bytes out(128, std::byte{0});
  put_bytes(out, as_bytes("DICM"));
  Bytes length;
  put_u32(length, static_cast<std::uint32_t>(group.size()));
  put_bytes(out, encode_element(tag(0x0002, 0x0000), vr("UL"), as_text(length)));
  put_bytes(out, group);
  return out;
}

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

Bytes item_around(const Bytes& elements) {
  Bytes out;
  put_tag(out, tag(0xFFFE, 0xE000));
  put_u32(out, static_cast<std::uint32_t>(elements.size()));
  put_bytes(out, elements);
  return out;
}

Bytes sequence_around(Tag t, const Bytes& items, bool explicit_vr) {
  Bytes out;
  put_header(out, t, vr("SQ"), static_cast<std::uint32_t>(items.size()), explicit_vr);
  put_bytes(out, items);
  return out;
}

}  // namespace

Bytes encode_element(Tag t, Vr v, std::string_view value, bool explicit_vr) {
  Bytes out;
  put_header(out, t, v, static_cast<std::uint32_t>(value.size() + value.size() % 2), explicit_vr);
  put_bytes(out, as_bytes(value));
  if (value.size() % 2 != 0) out.push_back(padding_of(v));
  return out;
}

Bytes encode_fragments(ByteView items_with_delimiter) {
  Bytes out;
  put_header(out, tag(0x7FE0, 0x0010), vr("OB"), kUndefined, true);
  put_bytes(out, items_with_delimiter);
  return out;
}

Result<Bytes> write_file(const File& source, const Rewrite& rewrite) {
  Bytes out = meta_bytes(source, rewrite.transfer_syntax);
  out.reserve(out.size() + source.dataset.bytes().size() + 4096);
  auto written = Serializer(source, rewrite).run(out);
  if (!written) return written.error();
  return out;
}

Bytes wrap_dataset(const File& source) {
  Bytes out = meta_bytes(source, source.transfer_syntax);
  put_bytes(out, source.dataset.bytes().first(source.dataset.end()));
  return out;
}

Result<Done> add_edits(const File& source, const std::vector<manifest::Edit>& edits, const Provenance& provenance,
                       Rewrite& rewrite) {
  const bool explicit_vr = rewrite.transfer_syntax != uid::kImplicitLittleEndian;
  const Charset charset = Charset::from_terms(source.dataset.raw_text(kCharacterSet).value_or(""));
  for (const manifest::Edit& edit : edits) {
    if (!charset.encode(edit.new_value)) rewrite.to_utf8 = true;
  }
  std::map<Tag, Bytes> old_values;
  bool coerce = false;
  for (const manifest::Edit& edit : edits) {
    const auto t = parse_tag(edit.tag);
    if (!t) return t.error();
    const Vr v = dictionary_vr(*t);
    if (v == 0 || v == vr("SQ") || v == vr("xs") || v == vr("ox"))
      return Failure{Fault::unsupported, "attribute " + edit.tag + " cannot be edited as text"};
    coerce = coerce || edit.reason == "COERCE";
    bool ok = true;
    std::string old(source.dataset.raw_text(*t).value_or(""));
    if (rewrite.to_utf8) old = charset.decode(old, ok);
    if (!ok)
      return Failure{Fault::unsupported, "the old value of " + edit.tag + " is not in the declared character set"};
    old_values[*t] = encode_element(*t, v, old, explicit_vr);
    const std::string value = rewrite.to_utf8 ? edit.new_value : *charset.encode(edit.new_value);
    rewrite.elements[*t] = encode_element(*t, v, value, explicit_vr);
  }
  if (rewrite.to_utf8)
    rewrite.elements[kCharacterSet] = encode_element(kCharacterSet, vr("CS"), "ISO_IR 192", explicit_vr);

  Bytes modified;
  for (const auto& [t, bytes] : old_values) put_bytes(modified, bytes);
  Bytes item;
  put_bytes(item, sequence_around(tag(0x0400, 0x0550), item_around(modified), explicit_vr));
  put_bytes(item, encode_element(tag(0x0400, 0x0562), vr("DT"), provenance.date_time, explicit_vr));
  put_bytes(item, encode_element(tag(0x0400, 0x0563), vr("LO"), provenance.modifying_system, explicit_vr));
  put_bytes(item, encode_element(tag(0x0400, 0x0564), vr("LO"), "", explicit_vr));
  put_bytes(item, encode_element(tag(0x0400, 0x0565), vr("CS"), coerce ? "COERCE" : "CORRECT", explicit_vr));

  // Existing items stay; ours is appended (PS3.3 C.12.1).
  Bytes items;
  if (const Node* existing = source.dataset.find(kOriginalAttributes);
      existing != nullptr && existing->kind == NodeKind::sequence && existing->length > 0) {
    Rewrite plain{rewrite.transfer_syntax, {}, rewrite.to_utf8};
    for (const Node& node : source.dataset.nodes()) {
      if (&node != existing) plain.elements[node.tag] = {};
    }
    plain.elements.erase(kOriginalAttributes);
    Bytes encoded;
    Serializer serializer(source, plain);
    auto done = serializer.run(encoded);
    if (!done) return done.error();
    const std::size_t header = explicit_vr ? 12 : 8;
    const bool undefined = load_u32(encoded.data() + header - 4) == kUndefined;
    items.assign(encoded.begin() + static_cast<std::ptrdiff_t>(header), encoded.end() - (undefined ? 8 : 0));
  }
  put_bytes(items, item_around(item));
  rewrite.elements[kOriginalAttributes] = sequence_around(kOriginalAttributes, items, explicit_vr);
  return Done{};
}

}  // namespace waybill::dicom
