// SPDX-License-Identifier: Apache-2.0
// DS1, the canonical dataset (docs/digests.md): elements in key order as lines, text as UTF-8, numbers little endian.
#include "dicom/digest.hpp"

#include "core/text.hpp"
#include "dicom/charset.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/vr.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

namespace waybill::dicom {
namespace {

constexpr Tag kCharacterSet = tag(0x0008, 0x0005);

bool is_text_vr(Vr v) {
  static constexpr std::array kText = {vr("AE"), vr("AS"), vr("CS"), vr("DA"), vr("DS"), vr("DT"),
                                       vr("IS"), vr("LO"), vr("LT"), vr("PN"), vr("SH"), vr("ST"),
                                       vr("TM"), vr("UC"), vr("UI"), vr("UR"), vr("UT")};
  return std::find(kText.begin(), kText.end(), v) != kText.end();
}

/// VR as DS1 has it: the dictionary's where the tag is known; undecided ones by their class.
std::string canonical_vr(Tag t, Vr stored) {
  Vr v = dictionary_vr(t);
  if (v == vr("xs") || (v == 0 && (stored == vr("US") || stored == vr("SS")))) return "X";
  if (v == vr("ox")) return "O";
  if (v == 0) {
    v = stored;
    if (v == vr("OB") || v == vr("OW") || v == vr("OL") || v == vr("OV") || v == vr("UN") || v == 0) return "O";
  }
  return {static_cast<char>(v >> 8U), static_cast<char>(v & 0xFFU)};
}

std::string little_endian(ByteView bytes, std::size_t word, bool big_endian) {
  std::string out(as_text(bytes));
  if (big_endian && word > 1) {
    for (std::size_t i = 0; i + word <= out.size(); i += word)
      std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(i + word));
  }
  return out;
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  return text;
}

/// One text value without insignificant padding (PS3.5 6.2; PN also loses empty trailing components and groups).
std::string canonical_text(std::string_view text, Vr v) {
  static constexpr std::array kBoth = {vr("AE"), vr("CS"), vr("DS"), vr("IS"), vr("LO"), vr("SH"), vr("PN")};
  if (std::find(kBoth.begin(), kBoth.end(), v) != kBoth.end()) {
    text = trim(text);
  } else {
    text = trim_end(text);
  }
  std::string out(text);
  if (v != vr("PN")) return out;
  std::string name;
  for (const std::string_view group : split(out, '=')) {
    std::string_view kept = trim_end(group);
    while (!kept.empty() && (kept.back() == '^' || kept.back() == ' ')) kept.remove_suffix(1);
    name += std::string(kept) + "=";
  }
  while (!name.empty() && name.back() == '=') name.pop_back();
  return name;
}

struct Line {
  std::string key;
  std::uint32_t node = 0;
};

class Canon {
 public:
  Canon(const Dataset& dataset, Profile profile) : dataset_(dataset), profile_(profile) {}

  void digest(Sha256& sha) {
    std::string out = "DS1\n";
    level(0, static_cast<std::uint32_t>(dataset_.nodes().size()), Charset::from_terms(""), true, dataset_.encoding(),
          out, &sha);
    sha.update(out);
  }

  void list(std::vector<CanonicalElement>& out) {
    list_level(0, static_cast<std::uint32_t>(dataset_.nodes().size()), Charset::from_terms(""), true,
               dataset_.encoding(), "", out);
  }

 private:
  bool excluded(Tag t, bool top) const {
    const std::uint32_t group = t >> 16U;
    if (group == 0 || group == 2 || (t & 0xFFFFU) == 0 || t == tag(0x0008, 0x0001) || t == tag(0xFFFC, 0xFFFC) ||
        t == kCharacterSet)
      return true;
    if (t == tag(0x0008, 0x0054) || t == tag(0x0008, 0x0056) || t == tag(0x0008, 0x1190)) return true;
    if (top && group == 0x7FE0 && (t & 0xFFFFU) <= 0x0010) return true;
    if (top && (t == tag(0x0028, 0x0006) || t == tag(0x0028, 0x0004))) return true;
    if (profile_ == Profile::strict) return false;
    return t == tag(0xFFFA, 0xFFFA) || t == tag(0x4FFE, 0x0001) || t == tag(0x0008, 0x0015) ||
           t == tag(0x0400, 0x0561) || t == tag(0x0018, 0xA001) || t == tag(0x0088, 0x0200);
  }

  /// The elements of one level in key order; private ones by their creator, so that re-blocking changes nothing.
  std::vector<Line> lines(std::uint32_t first, std::uint32_t last, bool top) const {
    std::vector<Line> out;
    std::map<std::uint32_t, std::string> creators;  // (group << 8 | block) -> creator
    const auto& nodes = dataset_.nodes();
    for (std::uint32_t i = first; i < last; i = nodes[i].next) {
      const Node& node = nodes[i];
      const Tag t = node.tag;
      if (excluded(t, top) || (profile_ == Profile::lenient && node.length == 0)) continue;
      const bool is_private = ((t >> 16U) & 1U) != 0;
      if (is_private && (t & 0xFF00U) == 0 && (t & 0xFFU) >= 0x10) {
        creators[((t >> 16U) << 8U) | (t & 0xFFU)] = std::string(trim(as_text(dataset_.value(node))));
        continue;
      }
      char key[16];
      if (!is_private) {
        std::snprintf(key, sizeof key, "%08X", t);
        out.push_back({key, i});
        continue;
      }
      const auto creator = creators.find(((t >> 16U) << 8U) | ((t >> 8U) & 0xFFU));
      std::snprintf(key, sizeof key, "%04X\"", t >> 16U);
      std::string text = key + (creator == creators.end() ? std::string() : creator->second);
      std::snprintf(key, sizeof key, "\"%02X", creator == creators.end() ? t & 0xFFFFU : t & 0xFFU);
      out.push_back({text + key, i});
    }
    std::stable_sort(out.begin(), out.end(), [](const Line& a, const Line& b) { return a.key < b.key; });
    // Of elements with one tag the first counts, as for all readers that keep one (ENC-ORDER tells of the others).
    const auto same = [&](const Line& a, const Line& b) { return nodes[a.node].tag == nodes[b.node].tag; };
    out.erase(std::unique(out.begin(), out.end(), same), out.end());
    return out;
  }

  Charset charset_at(std::uint32_t first, std::uint32_t last, const Charset& inherited) const {
    const auto& nodes = dataset_.nodes();
    for (std::uint32_t i = first; i < last; i = nodes[i].next) {
      if (nodes[i].tag == kCharacterSet && nodes[i].kind == NodeKind::element)
        return Charset::from_terms(trim(as_text(dataset_.value(nodes[i]))));
    }
    return inherited;
  }

  std::vector<std::string> values(const Node& node, const std::string& name, const Charset& charset,
                                  Encoding encoding) const {
    const ByteView raw = dataset_.value(node);
    if (raw.empty()) return {};
    const Vr v = name.size() == 2 ? vr(name[0], name[1]) : Vr{0};
    if (!is_text_vr(v)) {
      std::string bytes = little_endian(raw, word_size(node.vr), encoding.big_endian);
      if (v != vr("AT")) {
        if (name == "O" && bytes.size() % 2 != 0) bytes += '\0';
        return {bytes};
      }
      std::vector<std::string> tags;
      for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
        char hex[16];
        const auto* p = reinterpret_cast<const std::byte*>(bytes.data() + i);
        std::snprintf(hex, sizeof hex, "%04X%04X", load_u16(p), load_u16(p + 2));
        tags.emplace_back(hex);
      }
      return tags;
    }
    bool ok = true;
    const std::string text = is_charset_vr(v) ? charset.decode(as_text(raw), ok) : std::string(as_text(raw));
    if (v == vr("ST") || v == vr("LT") || v == vr("UT") || v == vr("UR")) {
      std::string one = canonical_text(text, v);
      if (one.empty()) return {};
      return {one};
    }
    std::vector<std::string> out;
    for (const std::string_view part : split(text, '\\')) out.push_back(canonical_text(part, v));
    if (out.size() == 1 && out[0].empty()) return {};
    return out;
  }

  void level(std::uint32_t first, std::uint32_t last, const Charset& inherited, bool top, Encoding encoding,
             std::string& out, Sha256* sha) const {
    const Charset charset = charset_at(first, last, inherited);
    const auto& nodes = dataset_.nodes();
    for (const Line& line : lines(first, last, top)) {
      const Node& node = nodes[line.node];
      const bool sequence = node.kind == NodeKind::sequence;
      const std::string name = sequence ? "SQ" : canonical_vr(node.tag, node.vr);
      out += line.key + '\t' + name + '\t';
      if (sequence) {
        std::string items;
        std::uint32_t count = 0;
        for (std::uint32_t i = line.node + 1; i < node.next; i = nodes[i].next, ++count) {
          items += "(\n";
          level(i + 1, nodes[i].next, charset, false, node.content, items, nullptr);
          items += ")\n";
        }
        out += std::to_string(count) + '\n' + items;
      } else {
        const auto all = values(node, name, charset, encoding);
        out += std::to_string(all.size());
        for (const std::string& v : all) out += '\t' + std::to_string(v.size()) + ':' + v;
        out += '\n';
      }
      if (sha != nullptr && out.size() > 65536) {
        sha->update(out);
        out.clear();
      }
    }
  }

  void list_level(std::uint32_t first, std::uint32_t last, const Charset& inherited, bool top, Encoding encoding,
                  const std::string& path, std::vector<CanonicalElement>& out) const {
    const Charset charset = charset_at(first, last, inherited);
    const auto& nodes = dataset_.nodes();
    for (const Line& line : lines(first, last, top)) {
      const Node& node = nodes[line.node];
      const std::string here = path + line.key;
      if (node.kind == NodeKind::sequence) {
        std::uint32_t count = 0;
        for (std::uint32_t i = line.node + 1; i < node.next; i = nodes[i].next, ++count) {
          list_level(i + 1, nodes[i].next, charset, false, node.content, here + '[' + std::to_string(count) + "].",
                     out);
        }
        out.push_back({here, "SQ", std::to_string(count), {}});
        continue;
      }
      const std::string name = canonical_vr(node.tag, node.vr);
      std::string joined;
      for (const std::string& v : values(node, name, charset, encoding))
        joined += std::to_string(v.size()) + ':' + v + ' ';
      out.push_back({here, name, joined, dataset_.value(node)});
    }
  }

  const Dataset& dataset_;
  Profile profile_;
};

std::string describe(const CanonicalElement& e) {
  return e.vr + " " + std::to_string(e.value.size()) + " bytes sha256 " + Sha256::of(e.value).hex().substr(0, 16);
}

/// "1.0", "1.00" and "+1" mean the same (PS3.5 6.2, DS and IS).
bool numerically_equal(const CanonicalElement& a, const CanonicalElement& b) {
  if (a.vr != b.vr || (a.vr != "DS" && a.vr != "IS")) return false;
  const auto numbers = [](const std::string& text) {
    std::vector<double> out;
    for (const std::string_view part : split(text, ' ')) {
      const std::size_t colon = part.find(':');
      if (colon == std::string_view::npos) continue;
      const std::string digits(part.substr(colon + 1));
      char* end = nullptr;
      out.push_back(std::strtod(digits.c_str(), &end));
      if (end == digits.c_str()) return std::vector<double>{};
    }
    return out;
  };
  const auto left = numbers(a.value);
  return !left.empty() && left == numbers(b.value);
}

/// The same bytes, but for a byte of padding, under a VR that one of the two does not know.
bool differ_in_known_vr(const CanonicalElement& a, const CanonicalElement& b) {
  if ((a.vr == "O") == (b.vr == "O") || a.vr == "SQ" || b.vr == "SQ") return false;
  const auto unpadded = [](ByteView value) {
    const bool padded = !value.empty() && (value.back() == std::byte{0} || value.back() == std::byte{' '});
    return value.size() % 2 == 0 && padded ? value.first(value.size() - 1) : value;
  };
  return std::ranges::equal(unpadded(a.stored), unpadded(b.stored));
}

std::string_view kind_of_change(const CanonicalElement& a, const CanonicalElement& b) {
  if (numerically_equal(a, b)) return "num-eq";
  return differ_in_known_vr(a, b) ? "vr-known" : "changed";
}

}  // namespace

Digest dataset_digest(const Dataset& dataset, Profile profile) {
  Sha256 sha;
  Canon(dataset, profile).digest(sha);
  return sha.finish();
}

std::vector<CanonicalElement> canonical_elements(const Dataset& dataset, Profile profile) {
  std::vector<CanonicalElement> out;
  Canon(dataset, profile).list(out);
  return out;
}

std::vector<manifest::Difference> compare(const Dataset& expected, const Dataset& actual, Profile profile) {
  std::vector<manifest::Difference> out;
  auto left = canonical_elements(expected, profile);
  auto right = canonical_elements(actual, profile);
  const auto by_path = [](const CanonicalElement& a, const CanonicalElement& b) { return a.path < b.path; };
  std::stable_sort(left.begin(), left.end(), by_path);
  std::stable_sort(right.begin(), right.end(), by_path);
  auto l = left.begin();
  auto r = right.begin();
  while (l != left.end() || r != right.end()) {
    if (r == right.end() || (l != left.end() && l->path < r->path)) {
      out.push_back({l->path, "missing", describe(*l)});
      ++l;
    } else if (l == left.end() || r->path < l->path) {
      out.push_back({r->path, "added", describe(*r)});
      ++r;
    } else {
      if (l->vr != r->vr || l->value != r->value) {
        out.push_back({l->path, std::string(kind_of_change(*l, *r)), describe(*l) + " -> " + describe(*r)});
      }
      ++l;
      ++r;
    }
  }
  return out;
}

}  // namespace waybill::dicom
