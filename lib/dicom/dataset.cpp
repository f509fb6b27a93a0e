// SPDX-License-Identifier: Apache-2.0
// The header walker: one forward pass that lays elements on a tape, without copies and without a tree. Recursion is
// bounded by Limits::depth, memory by Limits::nodes, so hostile nesting or lengths end in a Failure, never in a crash.
#include "dicom/dataset.hpp"

#include "dicom/dictionary.hpp"
#include "dicom/header.hpp"
#include "dicom/notes.hpp"

#include <algorithm>
#include <array>

namespace waybill::dicom {

using manifest::Severity;

namespace {
constexpr Tag kFloatPixels = tag(0x7FE0, 0x0008);
constexpr Tag kSecondBegins = tag(0x0009, 0x0000);
constexpr int kMostRepairs = 32;  // sequences of a wrong length that are read a second time
}  // namespace

/// Lays one dataset on its tape.
class Parser {
 public:
  Parser(ByteView bytes, Encoding encoding, std::vector<manifest::Finding>& findings, const Limits& limits)
      : bytes_(bytes), headers_(bytes), findings_(findings), notes_(bytes, findings), limits_(limits) {
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
  bool stopped() const noexcept { return stop_ || !limit_.empty(); }

  /// The element header at `at`, or false when fewer bytes are left than it needs.
  bool read_header(std::uint64_t at, std::uint64_t end, Encoding encoding, Header& h) {
    const auto read = headers_.read(at, end, encoding);
    if (!read) return false;
    h = *read;
    notes_.oddity(h);
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
    notes_.add("ENC-LENOVER", Severity::s3, t, what + " at offset " + std::to_string(at) + " of the dataset", at);
    stop_ = true;
  }

  /// Elements until `end`, or until an item delimiter when `delimited`. `at` moves behind the last whole element.
  void elements(std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth, bool delimited) {
    Tag previous = 0;
    while (at < end && !stopped()) {
      if (depth == 0 && previous != 0 && ends_here(at, end, encoding, previous)) return;
      const std::uint32_t before = notes_.irregular();
      Header h;
      if (!read_header(at, end, encoding, h)) {
        truncated(at, previous, "an element header is cut");
        return;
      }
      if (h.tag == kItemEnd || h.tag == kSequenceEnd) {
        if (delimiter(h, at, delimited)) return;
        continue;
      }
      if (h.tag == kItem) {
        if (stray_item(h, at, end, encoding, delimited)) return;
        continue;
      }
      if (limits_.stop_at_pixels && depth == 0 && h.tag >= kFloatPixels && h.tag <= kPixelData) {
        out_.pixel_header_ = PixelHeader{h.tag, h.value, h.length};
        return;
      }
      const bool disorder = h.tag <= previous;
      if (disorder)
        notes_.add("ENC-ORDER", Severity::s2, h.tag, h.tag == previous ? "the tag stands twice" : "tags do not ascend",
                   at);
      previous = h.tag;
      const std::size_t index = out_.nodes_.size();
      element(h, at, end, encoding, depth);
      if (index < out_.nodes_.size()) out_.nodes_[index].irregular = notes_.irregular() - before > (disorder ? 1U : 0U);
    }
  }

  /// A delimiter among elements. True when it ends them.
  bool delimiter(const Header& h, std::uint64_t& at, bool delimited) {
    if (!delimited) {
      notes_.add("ENC-SEQDELIM", Severity::s1, h.tag, "a delimiter stands outside of any item", at);
      at = h.value;
      return false;
    }
    if (h.tag == kSequenceEnd) {  // the sequence reads it again and ends too
      notes_.add("ENC-SEQDELIM", Severity::s1, h.tag, "a sequence delimiter stands where an item delimiter is due", at);
      return true;
    }
    at = h.value;
    closed_ = true;
    return true;
  }

  /// An item among elements. In an item that should end with a delimiter it is the next one, and the delimiter is
  /// missing: true. Elsewhere the header of its sequence is lost or says a wrong length: its bytes are passed over.
  bool stray_item(const Header& h, std::uint64_t& at, std::uint64_t end, Encoding encoding, bool delimited) {
    const bool whole = h.length != kUndefined && h.length <= end - h.value;
    const std::uint64_t behind = whole ? h.value + h.length : h.value;
    if (delimited && (h.length == kUndefined || (whole && headers_.begins_or_ends_item(behind, end, encoding)))) {
      notes_.add("ENC-SEQDELIM", Severity::s1, h.tag, "an item begins where the delimiter of the one before is due",
                 at);
      return true;
    }
    notes_.add("ENC-LENOVER", Severity::s3, h.tag,
               "an item stands outside of any sequence, whose header is lost or wrong; the item is not read", at);
    at = resumes(behind, end, encoding) ? behind : h.value;
    return false;
  }

  /// Whether elements go on at `at`, whatever stood before.
  bool resumes(std::uint64_t at, std::uint64_t end, Encoding encoding) const {
    return at < end && headers_.continues(at, end, encoding, 0);
  }

  /// Whether the dataset ends before `at`: what stands there is left to the caller (ENC-TRAILGARBAGE).
  bool ends_here(std::uint64_t at, std::uint64_t end, Encoding encoding, Tag previous) const {
    if (headers_.is_padding(at, end)) return true;
    if (!headers_.continues(at, end, encoding, previous))
      return previous >= kPixelData || !is_item_before_elements(at, end, encoding);
    if (previous < kPixelData || end - at < 8) return false;
    const std::byte* p = bytes_.data() + at;
    const Tag t = tag(load_u16(p, encoding.big_endian), load_u16(p + 2, encoding.big_endian));
    return t < kSecondBegins && out_.find(t) != nullptr;  // the beginning once more: a second dataset
  }

  /// An item outside of any sequence, behind or in which elements go on: no garbage (`stray_item`).
  bool is_item_before_elements(std::uint64_t at, std::uint64_t end, Encoding encoding) const {
    if (end - at < 8) return false;
    const auto h = headers_.read(at, end, encoding);
    if (!h || h->tag != kItem) return false;
    const bool whole = h->length != kUndefined && h->length <= end - h->value;
    return (whole && resumes(h->value + h->length, end, encoding)) || resumes(h->value, end, encoding);
  }

  /// Old writers declared 13 bytes for text of 10 (GDCM reads them so, too): the next header tells.
  bool has_thirteen_bug(const Header& h, std::uint64_t end, Encoding encoding) const {
    return h.length == 13 && h.value + 13 <= end && end - h.value > 18 &&
           !headers_.continues(h.value + 13, end, encoding, h.tag) &&
           headers_.continues(h.value + 10, end, encoding, h.tag);
  }

  void element(Header h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    notes_.retired(h);
    notes_.wrong_vr(h, encoding);
    if (h.length == kUndefined) {
      undefined(h, at, end, encoding, depth);
      return;
    }
    const std::uint64_t left = end - h.value;
    if (is_sequence(h, end, encoding)) {
      if (encoding.explicit_vr || h.length == 0 || h.length > left || headers_.holds_items(h)) {
        sequence(h, at, end, encoding, depth);
        return;
      }
      h.vr = vr("UN");  // the dictionary's SQ is a guess about an implicit element, and what is there refutes it
      notes_.add("ENC-VRWRONG", Severity::s1, h.tag, "a sequence by the dictionary, but no item begins; kept as bytes",
                 at);
    }
    if (h.length > left) {
      truncated(
          at, h.tag,
          "a value of " + std::to_string(h.length) + " bytes is declared but " + std::to_string(left) + " are left");
      return;
    }
    if (has_thirteen_bug(h, end, encoding)) {
      notes_.add("ENC-13BUG", Severity::s1, h.tag, "13 bytes are declared, the value has 10", at);
      h.length = 10;
    }
    if (h.length % 2 != 0) {
      const bool padded = !headers_.lands(h.value + h.length, end, encoding, h.tag) && h.length < left &&
                          headers_.lands(h.value + h.length + 1, end, encoding, h.tag);
      notes_.add(
          "ENC-ODDLEN", Severity::s1, h.tag,
          "odd value length " + std::to_string(h.length) + (padded ? "; its pad byte is there, but not counted" : ""),
          at);
      if (padded) ++h.length;
    }
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    push(h, at, NodeKind::element);
    close(index, h.value + h.length, h.value + h.length);
    at = h.value + h.length;
  }

  /// SQ, and a UN that holds items if it has a sequence's tag, from a gateway that did not know the attribute (PS3.5
  /// 6.2.2), or a length behind which nothing begins: a private sequence whose writer counted wrong.
  bool is_sequence(const Header& h, std::uint64_t end, Encoding encoding) const {
    if (h.vr == vr("SQ")) return true;
    if (h.vr != vr("UN") || !headers_.holds_items(h)) return false;
    return dictionary_vr(h.tag) == vr("SQ") ||
           (h.length <= end - h.value && !headers_.lands(h.value + h.length, end, encoding, h.tag));
  }

  /// A sequence of defined length. When its items and its length do not agree, the items count if an element can
  /// begin behind them; else the value is kept as bytes if one can begin behind its length. Either is ENC-LENOVER.
  void sequence(const Header& h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    const bool whole = h.length <= end - h.value;
    const std::uint64_t stop = whole ? h.value + h.length : end;
    if (whole && h.length % 2 != 0) notes_.add("ENC-ODDLEN", Severity::s1, h.tag, "odd length of a sequence", at);
    std::uint64_t inside = h.value;
    if (whole) {
      push_sequence(h, at, stop, encoding);
      items(inside, stop, encoding_inside(index), depth + 1, false);
      if (!stopped()) {
        close(index, stop, stop);
        at = stop;
        return;
      }
    }
    const std::uint64_t broken_at = inside;
    if (limit_.empty() && repairs_++ < kMostRepairs) {
      stop_ = false;
      out_.nodes_.resize(index);
      push_sequence(h, at, end, encoding);
      inside = h.value;
      items_alone(inside, end, encoding_inside(index), depth + 1);
      if (!stopped() && inside > h.value && headers_.lands(inside, end, encoding, h.tag)) {
        notes_.add("ENC-LENOVER", Severity::s3, h.tag,
                   "a sequence of " + std::to_string(h.length) + " bytes is declared, its items have " +
                       std::to_string(inside - h.value),
                   at);
        close(index, inside, inside);
        at = inside;
        return;
      }
      if (limit_.empty() && whole && headers_.lands(stop, end, encoding, h.tag)) {
        notes_.add("ENC-LENOVER", Severity::s3, h.tag, "the items of a sequence do not fit in it; kept as bytes", at);
        stop_ = false;
        out_.nodes_.resize(index);
        push(h, at, NodeKind::element);
        close(index, stop, stop);
        at = stop;
        return;
      }
    }
    if (index < out_.nodes_.size()) close(index, inside, inside);
    if (limit_.empty()) truncated(whole ? broken_at : at, h.tag, "a sequence is cut or damaged");
  }

  /// A sequence whose items run from the header's value to `stop` at most.
  void push_sequence(const Header& h, std::uint64_t start, std::uint64_t stop, Encoding encoding) {
    const bool unknown = h.vr == vr("UN");
    const Encoding due = unknown && encoding.explicit_vr ? Encoding{false, false} : encoding;
    const Encoding found = headers_.of_items(h.value, stop, due);
    push(h, start, NodeKind::sequence).content = found;
    if (found == due) return;
    std::string detail = "the items of the sequence are ";
    detail += found.explicit_vr == due.explicit_vr ? "in the other byte order"
              : found.explicit_vr                  ? "explicit where implicit ones are due"
                                                   : "implicit where explicit ones are due";
    notes_.add("ENC-SQENCODING", Severity::s1, h.tag, std::move(detail), start);
  }
  Encoding encoding_inside(std::uint32_t index) const { return out_.nodes_[index].content; }

  void undefined(const Header& h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    std::uint64_t inside = h.value;
    // An icon may be encapsulated like the image (PS3.5 A.4).
    const bool nested = encoding.explicit_vr && (h.vr == vr("OB") || h.vr == vr("OW"));
    if (h.tag == kPixelData && (depth == 0 || nested)) {
      push(h, at, NodeKind::fragments);
      if (!encoding.explicit_vr || encoding.big_endian)
        notes_.must_be_rewritten();  // PS3.5 A.4: explicit little endian
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
      notes_.add("ENC-UNDEFOBOW", Severity::s1, h.tag, "undefined length outside pixel data; read as a sequence",
                 h.start);
    if (unknown && encoding.explicit_vr)
      notes_.add("ENC-UNSQ", Severity::s0, h.tag, "UN of undefined length holds an implicit sequence", h.start);
    push_sequence(h, at, end, encoding);
    closed_ = false;
    items(inside, end, encoding_inside(index), depth + 1, true);
    const bool delimiter = closed_;
    closed_ = false;
    close(index, delimiter ? inside - 8 : inside, inside);
    if (!stopped()) at = inside;
  }

  /// Items one behind the other, however long the sequence is said to be.
  void items_alone(std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    while (end - at >= 8 && !stopped()) {
      Header h;
      if (!read_header(at, end, Encoding{false, encoding.big_endian}, h) || h.tag != kItem) return;
      item(h, at, end, encoding, depth);
    }
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
          notes_.add("ENC-SEQDELIM", Severity::s1, h.tag, "an item delimiter stands where a sequence delimiter is due");
        at = h.value;
        done = true;
        break;
      }
      if (h.tag != kItem) {
        if (delimited) {
          notes_.add("ENC-SEQDELIM", Severity::s1, h.tag, "a sequence delimiter is missing");
        } else {
          truncated(at, h.tag, "no item tag where one is due");
        }
        return;
      }
      item(h, at, end, encoding, depth);
    }
    if (delimited && !done && !stopped())
      notes_.add("ENC-SEQDELIM", Severity::s1, 0, "a sequence delimiter is missing at the end");
    closed_ = done;
  }

  void item(const Header& h, std::uint64_t& at, std::uint64_t end, Encoding encoding, std::uint32_t depth) {
    const auto index = static_cast<std::uint32_t>(out_.nodes_.size());
    const bool undefined_length = h.length == kUndefined;
    const bool cut = !undefined_length && h.length > end - h.value;
    if (cut) {
      const std::string detail = "an item of " + std::to_string(h.length) + " bytes is declared but " +
                                 std::to_string(end - h.value) + " are left";
      if (end == bytes_.size()) {
        truncated(at, h.tag, detail);
        return;
      }
      notes_.add("ENC-LENOVER", Severity::s3, h.tag, detail, at);  // the sequence around it says where it ends
    }
    push(h, at, NodeKind::item);
    std::uint64_t inside = h.value;
    const std::uint64_t stop = undefined_length || cut ? end : h.value + h.length;
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
      if (h.tag != kItem && (h.tag == kTrailingPadding || headers_.is_padding(at, end))) {
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
  Headers headers_;
  std::vector<manifest::Finding>& findings_;
  Notes notes_;
  Limits limits_;
  Dataset out_;
  std::string limit_;  // why a bound ended the parse
  int repairs_ = 0;
  bool stop_ = false;    // truncated: what was whole stays
  bool closed_ = false;  // the innermost item or sequence ended with its delimiter
};

Result<Dataset> parse_dataset(ByteView bytes, Encoding encoding, std::vector<manifest::Finding>& findings,
                              const Limits& limits) {
  return Parser(bytes, encoding, findings, limits).run();
}

}  // namespace waybill::dicom
