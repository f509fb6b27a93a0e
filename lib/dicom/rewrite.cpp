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

namespace waybill::dicom {
namespace {

constexpr Tag kCharacterSet = tag(0x0008, 0x0005);
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

/// Whether a UI element at or below the node names a UID that `wanted` takes.
template <typename F>
bool holds_reference(const Dataset& data, std::uint32_t index, const F& wanted) {
  const auto& nodes = data.nodes();
  for (std::uint32_t i = index; i < std::max(nodes[index].next, index + 1); ++i) {
    if (nodes[i].kind != NodeKind::element || nodes[i].vr != vr("UI") || !is_reference(nodes[i].tag)) continue;
    for (const std::string_view value : split(as_text(data.value(nodes[i])), '\\')) {
      if (wanted(trim(value))) return true;
    }
  }
  return false;
}

/// Carries elements over from one encoding to the target's.
class Serializer {
 public:
  Serializer(const File& source, const Rewrite& rewrite)
      : data_(source.dataset),
        rewrite_(rewrite),
        explicit_(rewrite.transfer_syntax != uid::kImplicitLittleEndian),
        signed_pixels_(source.dataset.integer(tag(0x0028, 0x0103)).value_or(0) == 1) {}

  Result<Bytes> one(Tag t) {
    Bytes out;
    const Node* node = data_.find(t);
    if (node == nullptr) return out;
    element(data_.index_of(*node), data_.encoding(), Charset::from_terms(data_.raw_text(kCharacterSet).value_or("")),
            out);
    if (!failure_.empty()) return Failure{Fault::unsupported, failure_};
    return out;
  }

  /// The dataset behind what is in `out`; where `apart` is or would be is put into `at`.
  Result<Done> run(Bytes& out, Tag apart, std::size_t& at) {
    const auto& nodes = data_.nodes();
    const Charset charset = Charset::from_terms(data_.raw_text(kCharacterSet).value_or(""));
    std::vector<std::uint32_t> places;
    for (std::uint32_t i = 0; i < nodes.size(); i = nodes[i].next) places.push_back(i);
    put_in_order(places);
    auto pending = rewrite_.elements.begin();
    const auto insert = [&] {
      if (pending->first == apart) at = out.size();
      put_bytes(out, pending->second);
      ++pending;
    };
    const auto insert_before = [&](Tag t) {
      while (pending != rewrite_.elements.end() && pending->first < t) insert();
    };
    for (const std::uint32_t i : places) {
      const Node& node = nodes[i];
      if (dropped(node.tag)) continue;
      insert_before(node.tag);
      if (const auto own = rewrite_.elements.find(node.tag); own != rewrite_.elements.end()) {
        insert();
        continue;
      }
      element(i, data_.encoding(), charset, out);
    }
    while (pending != rewrite_.elements.end()) insert();
    if (!failure_.empty()) return Failure{Fault::unsupported, failure_};
    return Done{};
  }

 private:
  /// Elements by ascending tag, of those with one tag the first (ENC-ORDER).
  void put_in_order(std::vector<std::uint32_t>& places) const {
    const auto& nodes = data_.nodes();
    const auto by_tag = [&](std::uint32_t a, std::uint32_t b) { return nodes[a].tag < nodes[b].tag; };
    const auto not_below = [&](std::uint32_t a, std::uint32_t b) { return nodes[a].tag >= nodes[b].tag; };
    if (std::adjacent_find(places.begin(), places.end(), not_below) == places.end()) return;
    std::stable_sort(places.begin(), places.end(), by_tag);
    const auto same = [&](std::uint32_t a, std::uint32_t b) { return nodes[a].tag == nodes[b].tag; };
    places.erase(std::unique(places.begin(), places.end(), same), places.end());
  }

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
      if (known == vr("SQ") && v == vr("UN")) return v;  // no items in it (ENC-VRWRONG)
      v = known != 0 ? known : vr("UN");
    }
    return v;
  }

  /// Each value of a UI element, or what stands for it now.
  std::string remapped(std::string_view values) const {
    std::string out;
    for (const std::string_view value : split(values, '\\')) {
      if (!out.empty()) out += '\\';
      const auto at = rewrite_.uids.find(trim(value));
      out += at == rewrite_.uids.end() ? trim(value) : at->second;
    }
    return out;
  }

  /// A reference in the node or below it is remapped.
  bool touched(std::uint32_t index) const {
    return !rewrite_.uids.empty() && holds_reference(data_, index, [&](std::string_view uid) {
      return rewrite_.uids.find(uid) != rewrite_.uids.end();
    });
  }

  void element(std::uint32_t index, Encoding encoding, const Charset& charset, Bytes& out) {
    const Node& node = data_.nodes()[index];
    const bool verbatim = encoding == Encoding{explicit_, false} && !rewrite_.to_utf8 && !touched(index);
    if (verbatim && !node.irregular && node.length % 2 == 0 && is_known_vr(node.vr)) {
      put_bytes(out, data_.bytes().subspan(node.start, node.end - node.start));
      return;
    }
    if (node.kind == NodeKind::sequence) {
      sequence(index, charset, out);
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
    if (v == vr("SQ") && !raw.empty()) {
      failure_ = "the items of sequence " + to_string(node.tag) + " are damaged";
      return;
    }
    if (rewrite_.to_utf8 && is_charset_vr(v)) {
      bool ok = true;
      const std::string text = charset.decode(as_text(raw), ok);
      if (!ok)
        failure_ = "text of " + to_string(node.tag) +
                   " is not in the declared character set and cannot be converted to ISO_IR 192";
      put_bytes(out, encode_element(node.tag, v, text, explicit_));
      return;
    }
    if (v == vr("UI") && !rewrite_.uids.empty() && is_reference(node.tag)) {
      put_bytes(out, encode_element(node.tag, v, remapped(as_text(raw)), explicit_));
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
  void sequence(std::uint32_t index, const Charset& inherited, Bytes& out) {
    const auto& nodes = data_.nodes();
    const Node& node = nodes[index];
    const bool standard = node.content == Encoding{false, false} && !node.irregular;
    if (node.vr == vr("UN") && node.undefined_length && standard && !rewrite_.to_utf8 && !touched(index)) {
      // Its content is Implicit VR Little Endian whatever is around it (PS3.5 6.2.2), so it is carried as it is.
      put_header(out, node.tag, vr("UN"), kUndefined, explicit_);
      put_bytes(out, data_.value(node));
      put_tag(out, tag(0xFFFE, 0xE0DD));
      put_u32(out, 0);
      return;
    }
    put_header(out, node.tag, vr("SQ"), kUndefined, explicit_);
    for (std::uint32_t i = index + 1; i < node.next; i = nodes[i].next) {
      put_tag(out, tag(0xFFFE, 0xE000));
      put_u32(out, kUndefined);
      Charset charset = inherited;
      for (std::uint32_t j = i + 1; j < nodes[i].next; j = nodes[j].next) {
        if (nodes[j].tag == kCharacterSet) charset = Charset::from_terms(trim(as_text(data_.value(nodes[j]))));
      }
      std::vector<std::uint32_t> places;
      for (std::uint32_t j = i + 1; j < nodes[i].next; j = nodes[j].next) {
        if ((nodes[j].tag & 0xFFFFU) == 0 || nodes[j].tag == tag(0xFFFC, 0xFFFC)) continue;
        if (rewrite_.to_utf8 && nodes[j].tag == kCharacterSet) continue;
        places.push_back(j);
      }
      put_in_order(places);
      for (const std::uint32_t j : places) element(j, node.content, charset, out);
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

/// The head of the file that `source` becomes.
Bytes meta_bytes(const File& source, std::string_view transfer_syntax, const Rewrite& rewrite) {
  /// The UID that will stand in the dataset: replaced, remapped or as it was.
  const auto now = [&](Tag t, const std::string& uid) {
    const auto own = rewrite.elements.find(t);
    if (own != rewrite.elements.end() && own->second.size() > 8)
      return std::string(trim(as_text(own->second).substr(8)));  // tag, VR and length take 8 bytes in either form
    const auto at = rewrite.uids.find(uid);
    return at == rewrite.uids.end() || !is_reference(t) ? uid : at->second;
  };
  const auto either = [&](Tag t, const std::string& meta) {
    const auto own = source.dataset.raw_text(t);
    return own && !own->empty() ? std::string(trim(*own)) : meta;
  };
  return file_head(now(tag(0x0008, 0x0016), either(tag(0x0008, 0x0016), source.meta.sop_class)),
                   now(tag(0x0008, 0x0018), either(tag(0x0008, 0x0018), source.meta.sop_instance)), transfer_syntax);
}

}  // namespace

Bytes file_head(std::string_view sop_class, std::string_view sop_instance, std::string_view transfer_syntax) {
  Bytes group;
  put_bytes(group, encode_element(tag(0x0002, 0x0001), vr("OB"), std::string_view("\0\1", 2)));
  put_bytes(group, encode_element(tag(0x0002, 0x0002), vr("UI"), sop_class));
  put_bytes(group, encode_element(tag(0x0002, 0x0003), vr("UI"), sop_instance));
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

Bytes encode_element(Tag t, Vr v, std::string_view value, bool explicit_vr) {
  Bytes out;
  put_header(out, t, v, static_cast<std::uint32_t>(value.size() + value.size() % 2), explicit_vr);
  put_bytes(out, as_bytes(value));
  if (value.size() % 2 != 0) out.push_back(padding_of(v));
  return out;
}

Bytes element_header(Tag t, Vr v, std::uint32_t length) {
  Bytes out;
  put_header(out, t, v, length, true);
  return out;
}

namespace {

/// The file, and where `apart` begins in it or would.
Result<Around> written(const File& source, const Rewrite& rewrite, Tag apart) {
  Around out{meta_bytes(source, rewrite.transfer_syntax, rewrite), 0};
  std::size_t replaced = 0;
  std::size_t by = 0;
  for (const auto& [t, element] : rewrite.elements) {
    by += element.size();
    if (const Node* node = source.dataset.find(t)) replaced += node->length;
  }
  const std::size_t all = source.dataset.bytes().size();
  out.bytes.reserve(out.bytes.size() + all - std::min(all, replaced) + by + 4096);
  auto done = Serializer(source, rewrite).run(out.bytes, apart, out.at);
  if (!done) return done.error();
  return out;
}

}  // namespace

Result<Bytes> write_file(const File& source, const Rewrite& rewrite) {
  auto out = written(source, rewrite, 0);
  if (!out) return out.error();
  return std::move(out->bytes);
}

Result<Around> write_around(const File& source, Rewrite rewrite, Tag element) {
  rewrite.elements[element] = {};  // dropped
  return written(source, rewrite, element);
}

Bytes wrap_dataset(const File& source) {
  Bytes out = meta_bytes(source, source.transfer_syntax, Rewrite{source.transfer_syntax, {}, false});
  put_bytes(out, source.dataset.bytes().first(source.dataset.end()));
  return out;
}

Result<Bytes> carry_element(const File& source, Tag t, const Rewrite& rewrite) {
  return Serializer(source, rewrite).one(t);
}

bool is_reference(Tag t) noexcept {
  static constexpr std::array kNot = {tag(0x0008, 0x0016), tag(0x0008, 0x0062), tag(0x0008, 0x1150),
                                      tag(0x0008, 0x1195), tag(0x0008, 0x3010), tag(0x0020, 0x0052),
                                      tag(0x3006, 0x00C2)};
  return ((t >> 16U) & 1U) == 0 && std::find(kNot.begin(), kNot.end(), t) == kNot.end();
}

}  // namespace waybill::dicom
