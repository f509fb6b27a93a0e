// SPDX-License-Identifier: Apache-2.0
// The header walker: one forward pass that lays elements on a tape, without copies and without a tree. Recursion is
// bounded by Limits::depth, memory by Limits::nodes, so hostile nesting or lengths end in a Failure, never in a crash.
#include "dicom/dataset.hpp"

#include "core/text.hpp"
#include "dicom/dictionary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace waybill::dicom {

using manifest::Severity;

namespace {
constexpr Tag kItem = tag(0xFFFE, 0xE000);
constexpr Tag kItemEnd = tag(0xFFFE, 0xE00D);
constexpr Tag kSequenceEnd = tag(0xFFFE, 0xE0DD);
constexpr Tag kPixelData = tag(0x7FE0, 0x0010);
constexpr Tag kFloatPixels = tag(0x7FE0, 0x0008);
constexpr Tag kTrailingPadding = tag(0xFFFC, 0xFFFC);
constexpr Tag kLengthToEnd = tag(0x0008, 0x0001);
constexpr std::uint32_t kUndefined = 0xFFFFFFFFU;

bool is_capital(std::byte b) { return b >= std::byte{'A'} && b <= std::byte{'Z'}; }
}  // namespace

std::string to_string(Tag t) {
  char text[16];
  std::snprintf(text, sizeof text, "%04X,%04X", t >> 16U, t & 0xFFFFU);
  return text;
}

bool has_long_length(Vr v) noexcept {
  static constexpr std::array kLong = {vr("OB"), vr("OD"), vr("OF"), vr("OL"), vr("OV"), vr("OW"), vr("SQ"),
                                       vr("SV"), vr("UC"), vr("UN"), vr("UR"), vr("UT"), vr("UV")};
  return std::find(kLong.begin(), kLong.end(), v) != kLong.end();
}

bool is_known_vr(Vr v) noexcept {
  static constexpr std::array kShort = {vr("AE"), vr("AS"), vr("AT"), vr("CS"), vr("DA"), vr("DS"), vr("DT"),
                                        vr("FD"), vr("FL"), vr("IS"), vr("LO"), vr("LT"), vr("PN"), vr("SH"),
                                        vr("SL"), vr("SS"), vr("ST"), vr("TM"), vr("UI"), vr("UL"), vr("US")};
  return has_long_length(v) || std::find(kShort.begin(), kShort.end(), v) != kShort.end();
}

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

/// Lays one dataset on its tape.
class Parser {
 public:
  Parser(ByteView bytes, Encoding encoding, std::vector<manifest::Finding>& findings, const Limits& limits)
      : bytes_(bytes), findings_(findings), limits_(limits) {
    out_.bytes_ = bytes;
    out_.encoding_ = encoding;
    out_.nodes_.reserve(std::min<std::size_t>(256, bytes.size() / 8 + 1));
  }

  Result<Dataset> run() {
    std::uint64_t at = 0;
    elements(at, bytes_.size(), out_.encoding_, 0, false);
    if (!limit_.empty()) return Failure{Fault::limit, limit_};
    out_.end_ = at;
    return std::move(out_);
  }

 private:
  struct Header {
    Tag tag = 0;
    Vr vr = 0;
    std::uint32_t length = 0;
    std::uint64_t start = 0;
    std::uint64_t value = 0;
  };

  void note(std::string_view code, Severity severity, Tag t, std::string detail) {
    add_finding(findings_, code, severity, t, std::move(detail));
  }
  /// With the place of the element header and its bytes as evidence; headers hold no patient data.
  void note(std::string_view code, Severity severity, Tag t, std::string detail, std::uint64_t at) {
    add_finding(findings_, code, severity, t, std::move(detail), at,
                bytes_.subspan(at, std::min<std::uint64_t>(12, bytes_.size() - at)));
  }

  bool stopped() const noexcept { return stop_ || !limit_.empty(); }

  /// The element header at `at`, or false when fewer bytes are left than it needs.
  bool read_header(std::uint64_t at, std::uint64_t end, Encoding encoding, Header& h) {
    if (end - at < 8) return false;
    const std::byte* p = bytes_.data() + at;
    const bool big = encoding.big_endian;
    h.start = at;
    h.tag = tag(load_u16(p, big), load_u16(p + 2, big));
    if (!encoding.explicit_vr || (h.tag >> 16U) == 0xFFFE) {
      h.vr = 0;
      h.length = load_u32(p + 4, big);
      h.value = at + 8;
      if ((h.tag >> 16U) != 0xFFFE) {
        h.vr = dictionary_vr(h.tag);
        if (h.vr == 0) h.vr = vr("UN");
      }
      return true;
    }
    h.vr = vr(static_cast<char>(p[4]), static_cast<char>(p[5]));
    if (is_known_vr(h.vr)) return read_length(at, end, big, h, has_long_length(h.vr));
    if (is_capital(p[4]) && is_capital(p[5])) {
      note("ENC-VRUNKNOWN", Severity::s1, h.tag,
           "VR " + std::string(as_text({p + 4, 2})) + " is not in PS3.5; read with a 32-bit length", at);
      return read_length(at, end, big, h, true);
    }
    if (p[4] == std::byte{' '} && p[5] == std::byte{' '}) {
      note("ENC-VRWRONG", Severity::s1, h.tag, "VR is two spaces; the dictionary's VR is used", at);
      h.vr = dictionary_vr(h.tag);
      return read_length(at, end, big, h, false);
    }
    note("ENC-VRUNKNOWN", Severity::s1, h.tag, "no VR (bytes " + to_hex({p + 4, 2}) + "); read as an implicit element",
         at);
    h.vr = dictionary_vr(h.tag);
    if (h.vr == 0) h.vr = vr("UN");
    h.length = load_u32(p + 4, big);
    h.value = at + 8;
    return true;
  }

  bool read_length(std::uint64_t at, std::uint64_t end, bool big, Header& h, bool long_form) const {
    const std::byte* p = bytes_.data() + at;
    if (!long_form) {
      h.length = load_u16(p + 6, big);
      h.value = at + 8;
      return true;
    }
    if (end - at < 12) return false;
    h.length = load_u32(p + 8, big);
    h.value = at + 12;
    return true;
  }

  Node& push(const Header& h, std::uint64_t start, NodeKind kind) {
    if (out_.nodes_.size() >= limits_.nodes) {
      limit_ = "more than " + std::to_string(limits_.nodes) + " elements; the object is refused as hostile";
    }
    Node node;
    node.tag = h.tag;
    node.vr = h.vr;
    node.kind = kind;
    node.undefined_length = h.length == kUndefined;
    node.start = start;
    node.value = h.value;
    node.length = 0;
    out_.nodes_.push_back(node);
    return out_.nodes_.back();
  }

  void close(std::uint32_t index, std::uint64_t value_end, std::uint64_t end) {
    Node& node = out_.nodes_[index];
    node.length = value_end - node.value;
    node.end = end;
    node.next = static_cast<std::uint32_t>(out_.nodes_.size());
  }

  void truncated(std::uint64_t at, Tag t, const std::string& what) {
    note("ENC-LENOVER", Severity::s3, t, what + " at offset " + std::to_string(at) + " of the dataset", at);
    stop_ = true;
  }

  /// Elements until `end`, or until an item delimiter when `delimited`. `at` moves behind the last whole element.
  void elements(std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth, bool delimited) {
    Tag previous = 0;
    while (at < end && !stopped()) {
      if (depth == 0 && previous != 0 && (is_padding(at, end) || !continues(at, end, encoding, previous))) return;
      Header h;
      if (!read_header(at, end, encoding, h)) {
        truncated(at, previous, "an element header is cut");
        return;
      }
      if (h.tag == kItemEnd || h.tag == kSequenceEnd) {
        if (delimited) {
          if (h.tag == kSequenceEnd) {
            note("ENC-SEQDELIM", Severity::s1, h.tag, "a sequence delimiter stands where an item delimiter is due", at);
            return;  // the sequence reads it again and ends too
          }
          at = h.value;
          closed_ = true;
          return;
        }
        note("ENC-SEQDELIM", Severity::s1, h.tag, "a delimiter stands outside of any item", at);
        at = h.value;
        continue;
      }
      if (limits_.stop_at_pixels && depth == 0 && h.tag >= kFloatPixels && h.tag <= kPixelData) {
        out_.pixel_header_ = PixelHeader{h.tag, h.value, h.length};
        return;
      }
      if (h.tag <= previous) {
        note("ENC-ORDER", Severity::s2, h.tag, h.tag == previous ? "the tag stands twice" : "tags do not ascend", at);
      }
      previous = h.tag;
      element(h, at, end, encoding, depth);
    }
  }

  /// Only NULs or spaces up to the end: a tape block's padding, no elements.
  bool is_padding(std::uint64_t at, std::uint64_t end) const {
    if (bytes_[at] != std::byte{0} && bytes_[at] != std::byte{' '}) return false;
    const std::byte fill = bytes_[at];
    return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                       bytes_.begin() + static_cast<std::ptrdiff_t>(end), [fill](std::byte b) { return b == fill; });
  }

  /// Whether the bytes at `at` can be the next top-level element. What cannot stands behind the dataset and is left to
  /// the caller (ENC-TRAILGARBAGE): a second object, a vendor's blob.
  bool continues(std::uint64_t at, std::uint64_t end, Encoding encoding, Tag previous) const {
    if (end - at < 8) return previous < kPixelData;  // a cut header, unless the pixel data stood last
    const std::byte* p = bytes_.data() + at;
    const Tag t = tag(load_u16(p, encoding.big_endian), load_u16(p + 2, encoding.big_endian));
    const std::uint32_t group = t >> 16U;
    if (group == 0 && (previous >> 16U) != 0) return false;
    if (group == 0xFFFE) return t == kItemEnd || t == kSequenceEnd;
    const bool ascends = t > previous && (group <= 0x7FE0 || group == 0xFFFA || group == 0xFFFC);
    const bool fits = load_u32(p + 4, encoding.big_endian) <= end - at - 8;
    // Private groups behind the pixels are vendors', whole loops of GE in 7FE1 among them.
    const bool private_behind = t > previous && group > 0x7FE0 && group < 0xFFFF && (group & 1U) != 0;
    if (encoding.explicit_vr) {
      const Vr v = vr(static_cast<char>(p[4]), static_cast<char>(p[5]));
      if (private_behind && is_known_vr(v)) return true;
      if (ascends && (is_known_vr(v) || (is_capital(p[4]) && is_capital(p[5])) || v == vr("  "))) return true;
      if (is_known_vr(v)) return load_u16(p + 6, encoding.big_endian) <= end - at - 8 && dictionary_vr(t) != 0;
      return fits && dictionary_vr(t) != 0;
    }
    if (private_behind) return fits || load_u32(p + 4, encoding.big_endian) == kUndefined;
    return ascends ? fits || dictionary_vr(t) != 0 || ((group & 1U) != 0 && previous < kPixelData)
                   : fits && dictionary_vr(t) != 0;
  }

  /// Old writers declared 13 bytes for text of 10 (GDCM reads them so, too): the next header tells.
  bool has_thirteen_bug(const Header& h, std::uint64_t end, Encoding encoding) const {
    return h.length == 13 && h.value + 13 <= end && end - h.value > 18 &&
           !continues(h.value + 13, end, encoding, h.tag) && continues(h.value + 10, end, encoding, h.tag);
  }

  void element(Header h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    check_retired(h);
    check_vr(h, encoding);
    if (h.length == kUndefined) {
      undefined(h, at, end, encoding, depth);
      return;
    }
    const bool sequence = h.vr == vr("SQ");
    if (h.length > end - h.value) {
      truncated(at, h.tag,
                "a value of " + std::to_string(h.length) + " bytes is declared but " + std::to_string(end - h.value) +
                    " are left");
      return;
    }
    if (has_thirteen_bug(h, end, encoding)) {
      note("ENC-13BUG", Severity::s1, h.tag, "13 bytes are declared, the value has 10", at);
      h.length = 10;
    }
    if (h.length % 2 != 0) note("ENC-ODDLEN", Severity::s1, h.tag, "odd value length " + std::to_string(h.length), at);
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    push(h, at, sequence ? NodeKind::sequence : NodeKind::element);
    const std::uint64_t stop = h.value + h.length;
    if (sequence) {
      std::uint64_t inside = h.value;
      items(inside, stop, encoding, depth + 1, false);
    }
    close(index, stop, stop);
    if (!stopped()) at = stop;
  }

  void check_retired(const Header& h) {
    const std::uint32_t group = h.tag >> 16U;
    if ((h.tag & 0xFFFFU) == 0 && group != 0x0002) {
      note(group == 0 ? "ENC-CMDGROUP" : "ENC-GROUPLEN", Severity::s1, h.tag,
           group == 0 ? "a command group is stored in the file" : "retired group length", h.start);
    } else if (group == 0) {
      note("ENC-CMDGROUP", Severity::s1, h.tag, "a command group is stored in the file", h.start);
    } else if (h.tag == kLengthToEnd) {
      note("ENC-GROUPLEN", Severity::s1, h.tag, "retired Length to End", h.start);
    } else if (h.tag == kTrailingPadding) {
      note("ENC-TRAILPAD", Severity::s1, h.tag, "Data Set Trailing Padding", h.start);
    }
  }

  /// The stored VR against the dictionary's, for standard tags (ENC-VRWRONG, ENC-UN64K).
  void check_vr(const Header& h, Encoding encoding) {
    const bool too_long = h.length > 65534 && h.length != kUndefined;
    if (!encoding.explicit_vr) {
      if (too_long && h.vr != vr("SQ") && h.vr != vr("ox") && !has_long_length(h.vr))
        note("ENC-UN64K", Severity::s1, h.tag, "a value too long for its VR's explicit form; written as UN", h.start);
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
      note("ENC-UN64K", Severity::s1, h.tag, "UN carries a value too long for the explicit form of " + names, h.start);
    else
      note("ENC-VRWRONG", Severity::s1, h.tag, "the VR is not the dictionary's " + names, h.start);
  }

  void undefined(const Header& h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    std::uint64_t inside = h.value;
    // An icon may be encapsulated like the image (PS3.5 A.4).
    const bool nested = encoding.explicit_vr && (h.vr == vr("OB") || h.vr == vr("OW"));
    if (h.tag == kPixelData && (depth == 0 || nested)) {
      push(h, at, NodeKind::fragments);
      const std::uint64_t value_end = fragments(inside, end, encoding);
      if (stopped()) {
        out_.nodes_.resize(index);
        return;
      }
      close(index, value_end, inside);
      at = inside;
      return;
    }
    const bool unknown = h.vr == vr("UN");
    if (!unknown && h.vr != vr("SQ") && h.vr != 0)
      note("ENC-UNDEFOBOW", Severity::s1, h.tag, "undefined length outside pixel data; read as a sequence", h.start);
    Node& node = push(h, at, NodeKind::sequence);
    node.implicit_content = unknown && encoding.explicit_vr;
    if (unknown && encoding.explicit_vr) {
      note("ENC-UNSQ", Severity::s0, h.tag, "UN of undefined length holds an implicit sequence", h.start);
      encoding = Encoding{false, false};
    }
    closed_ = false;
    items(inside, end, encoding, depth + 1, true);
    const bool delimiter = closed_;
    closed_ = false;
    close(index, delimiter ? inside - 8 : inside, inside);
    if (!stopped()) at = inside;
  }

  /// Items until `end` or a sequence delimiter; sets closed_ when the delimiter was read.
  void items(std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth, bool delimited) {
    if (depth > limits_.depth) {
      limit_ =
          "sequences are nested deeper than " + std::to_string(limits_.depth) + "; the object is refused as hostile";
      return;
    }
    bool done = false;
    while (at < end && !stopped()) {
      Header h;
      if (!read_header(at, end, Encoding{false, encoding.big_endian}, h)) {
        truncated(at, 0, "an item header is cut");
        return;
      }
      if (h.tag == kSequenceEnd || h.tag == kItemEnd) {
        if (h.tag == kItemEnd)
          note("ENC-SEQDELIM", Severity::s1, h.tag, "an item delimiter stands where a sequence delimiter is due");
        at = h.value;
        done = true;
        break;
      }
      if (h.tag != kItem) {
        if (delimited) {
          note("ENC-SEQDELIM", Severity::s1, h.tag, "a sequence delimiter is missing");
        } else {
          truncated(at, h.tag, "no item tag where one is due");
        }
        return;
      }
      item(h, at, end, encoding, depth);
    }
    if (delimited && !done && !stopped())
      note("ENC-SEQDELIM", Severity::s1, 0, "a sequence delimiter is missing at the end");
    closed_ = done;
  }

  void item(const Header& h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    const bool undefined_length = h.length == kUndefined;
    if (!undefined_length && h.length > end - h.value) {
      truncated(at, h.tag,
                "an item of " + std::to_string(h.length) + " bytes is declared but " + std::to_string(end - h.value) +
                    " are left");
      return;
    }
    push(h, at, NodeKind::item);
    std::uint64_t inside = h.value;
    const std::uint64_t stop = undefined_length ? end : h.value + h.length;
    closed_ = false;
    elements(inside, stop, encoding, depth, undefined_length);
    const bool delimiter = closed_;
    closed_ = false;
    const std::uint64_t item_end = undefined_length ? inside : stop;
    close(index, delimiter ? inside - 8 : item_end, item_end);
    if (!stopped()) at = item_end;
  }

  /// Fragments of encapsulated pixel data (PS3.5 A.4); returns the end of the last item, `at` moves behind the
  /// delimiter. Items are stepped over by their lengths, so bytes of a delimiter inside a codestream mean nothing.
  std::uint64_t fragments(std::uint64_t& at, std::uint64_t end, Encoding encoding) {
    const auto evidence = [&](std::string_view code, std::string detail) {
      const bool known = std::any_of(findings_.begin(), findings_.end(), [&](const auto& f) { return f.code == code; });
      const ByteView raw = bytes_.subspan(at, std::min<std::uint64_t>(16, end - at));
      if (!known)
        findings_.push_back(
            {std::string(code), Severity::s1, to_string(kPixelData), std::move(detail), at, to_hex(raw)});
    };
    for (;;) {
      Header h;
      if (at == end || !read_header(at, end, Encoding{false, encoding.big_endian}, h)) {
        if (at == end) {
          evidence("PIX-ZEROFRAG", "the sequence delimiter of the pixel data is missing");
        } else {
          truncated(at, kPixelData, "a fragment header is cut");
        }
        return at;
      }
      if (h.tag == kSequenceEnd || h.tag == kItemEnd) {
        const std::uint64_t value_end = at;
        at = h.value;
        return value_end;
      }
      if (h.tag != kItem && (h.tag == kTrailingPadding || is_padding(at, end))) {
        evidence("PIX-ZEROFRAG", "the sequence delimiter of the pixel data is missing");
        return at;
      }
      if (h.tag != kItem) {
        truncated(at, kPixelData, "no fragment where one is due");
        return at;
      }
      if (h.length > end - h.value) {
        truncated(at, kPixelData,
                  "a fragment of " + std::to_string(h.length) + " bytes is declared but " +
                      std::to_string(end - h.value) + " are left");
        return at;
      }
      if (h.length % 2 != 0) evidence("PIX-ODDFRAG", "a fragment of " + std::to_string(h.length) + " bytes");
      at = h.value + h.length;
    }
  }

  ByteView bytes_;
  std::vector<manifest::Finding>& findings_;
  Limits limits_;
  Dataset out_;
  std::string limit_;    // why a bound ended the parse
  bool stop_ = false;    // truncated: what was whole stays
  bool closed_ = false;  // the innermost item or sequence ended with its delimiter
};

Result<Dataset> parse_dataset(ByteView bytes, Encoding encoding, std::vector<manifest::Finding>& findings,
                              const Limits& limits) {
  return Parser(bytes, encoding, findings, limits).run();
}

}  // namespace waybill::dicom
