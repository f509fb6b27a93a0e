// SPDX-License-Identifier: Apache-2.0
#include "pixel/encapsulated.hpp"

#include "pixel/codec.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace waybill::pixel {
namespace {

using manifest::Finding;
using manifest::Severity;

struct Item {
  std::uint64_t start = 0;  // of the item tag, counted from the first item behind the offset table
  ByteView bytes;
};

struct Items {
  ByteView table;
  std::vector<Item> fragments;  // those that hold bytes
  std::uint32_t empty = 0;
  std::uint64_t first_empty = 0;  // offset in the value
};

using Frames = std::vector<std::vector<ByteView>>;

void note(std::vector<Finding>& findings, std::string_view code, Severity severity, std::string detail,
          std::uint64_t offset, ByteView raw) {
  const bool known = std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; });
  if (known) return;
  findings.push_back({std::string(code), severity, "7FE0,0010", std::move(detail), offset,
                      to_hex(raw.first(std::min<std::size_t>(raw.size(), 32)))});
}

bool starts_stream(ByteView b) {
  if (b.size() < 2) return false;
  const auto word = load_u16(b.data(), true);
  return word == 0xFFD8 || word == 0xFF4F || word == 0xFF0A || (b.size() >= 12 && as_text(b.subspan(4, 4)) == "jP  ");
}

/// Whether the fragments of a frame end as a codestream does; the end marker may be cut in two by a border of theirs.
bool ends_stream(const std::vector<ByteView>& frame) {
  const ByteView last = frame.back();
  if (up_to_end_marker(last)) return true;
  return frame.size() > 1 && last.front() == std::byte{0xD9} && frame[frame.size() - 2].back() == std::byte{0xFF} &&
         std::all_of(last.begin() + 1, last.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// An RLE header where the offset table is due: the table's first entry is 0, the header counts its segments.
bool starts_rle(ByteView b) {
  return b.size() >= 64 && load_u32(b.data()) >= 1 && load_u32(b.data()) <= 15 && load_u32(b.data() + 4) == 64;
}

Result<Items> items_of(ByteView value, bool rle, std::vector<Finding>& findings) {
  Items out;
  if (starts_stream(value) || (rle && starts_rle(value))) {  // a bare codestream of defined length (PIX-EXPLLENENC)
    out.fragments.push_back({0, value});
    return out;
  }
  std::uint64_t at = 0;
  std::uint64_t origin = 0;
  bool first = true;
  while (at + 8 <= value.size()) {
    const std::byte* p = value.data() + at;
    if (load_u16(p) == 0xFFFE && load_u16(p + 2) == 0xE0DD) return out;
    if (load_u16(p) != 0xFFFE || load_u16(p + 2) != 0xE000)
      return Failure{Fault::malformed, "no item where a fragment is due"};
    const std::uint64_t length = load_u32(p + 4);
    if (length > value.size() - at - 8)
      return Failure{Fault::truncated, "a fragment runs past the end of the pixel data"};
    const ByteView bytes = value.subspan(at + 8, length);
    const ByteView item = value.subspan(at, 8 + length);
    if (first && !starts_stream(bytes) && !(rle && starts_rle(bytes))) {
      out.table = bytes;
      origin = at + 8 + length;
    } else {
      if (first) note(findings, "PIX-NOBOT", Severity::s2, "the offset table item is missing", at, item);
      if (length % 2 != 0)
        note(findings, "PIX-ODDFRAG", Severity::s1, "a fragment of " + std::to_string(length) + " bytes", at, item);
      if (length == 0) {
        if (out.empty++ == 0) out.first_empty = at;
      } else {
        out.fragments.push_back({at - origin, bytes});
      }
    }
    first = false;
    at += 8 + length;
  }
  if (at < value.size()) return Failure{Fault::truncated, "the pixel data ends inside an item's header"};
  return out;
}

/// Frames by an offset table whose entries count from `origin`; empty when it does not fit the fragments.
Frames by_table(const std::vector<Item>& items, ByteView table, std::uint32_t frames, std::uint64_t origin) {
  Frames out;
  if (table.size() != std::size_t{4} * frames) return out;
  std::size_t item = 0;
  const auto entry = [&](std::uint32_t f) { return load_u32(table.data() + std::size_t{4} * f) - origin; };
  for (std::uint32_t f = 0; f < frames; ++f) {
    const std::uint64_t begin = entry(f);
    const std::uint64_t end = f + 1 < frames ? entry(f + 1) : ~std::uint64_t{0};
    if (item >= items.size() || items[item].start != begin || end <= begin) return {};
    auto& frame = out.emplace_back();
    while (item < items.size() && items[item].start < end) frame.push_back(items[item++].bytes);
  }
  if (item != items.size()) return {};
  return out;
}

/// RLE has no end marker: a frame begins where a fragment has the header of one. PS3.5 A.4.2 asks for one fragment a
/// frame, which not all writers gave.
Frames by_rle_headers(const std::vector<Item>& items) {
  Frames out;
  for (const Item& item : items) {
    if (out.empty() || sniff(item.bytes).kind == "rle") out.emplace_back();
    out.back().push_back(item.bytes);
  }
  return out;
}

/// A frame begins where a start marker follows an end marker; either alone may be chance inside a small fragment.
Frames by_markers(const std::vector<Item>& items) {
  Frames out;
  for (const Item& item : items) {
    const bool starts = starts_stream(item.bytes);
    if (out.empty() && !starts) return {};
    if (out.empty() || (starts && ends_stream(out.back()))) out.emplace_back();
    out.back().push_back(item.bytes);
  }
  return out;
}

Frames one_each(const std::vector<Item>& items) {
  Frames out;
  for (const Item& item : items) out.push_back({item.bytes});
  return out;
}

/// Frames without an offset table (domain rule PIX-BOTBAD): one fragment each, else by markers; one frame takes all
/// fragments unless the markers tell of several whole images.
Frames by_fragments(const std::vector<Item>& items, std::uint32_t frames, bool rle) {
  if (items.size() == frames) return one_each(items);
  if (rle) {
    Frames told = by_rle_headers(items);
    return told.size() == frames ? told : one_each(items);
  }
  Frames marked = by_markers(items);
  if (frames != 1 || marked.size() > 1) return marked;
  Frames whole(1);
  for (const Item& item : items) whole.front().push_back(item.bytes);
  return whole;
}

/// What is wrong with an offset table that does not fit.
std::string table_fault(const std::vector<Item>& items, ByteView table, std::uint32_t frames) {
  if (table.size() % 4 != 0) return "its length is no multiple of 4";
  const std::size_t entries = table.size() / 4;
  if (entries != frames)
    return "it has " + std::to_string(entries) + " entries for " + std::to_string(frames) + " frames";
  std::uint64_t previous = 0;
  for (std::size_t i = 0; i < entries; ++i) {
    const std::uint64_t offset = load_u32(table.data() + 4 * i);
    if (i > 0 && offset <= previous) return "entry " + std::to_string(i + 1) + " does not ascend";
    if (!std::ranges::binary_search(items, offset, {}, &Item::start))
      return "entry " + std::to_string(i + 1) + " points at no item";
    previous = offset;
  }
  return "it leaves fragments in front of the first frame";
}

}  // namespace

Result<FrameIndex> index_frames(ByteView value, std::uint32_t frames, std::string_view transfer_syntax,
                                std::vector<Finding>& findings) {
  const bool rle = transfer_syntax == "1.2.840.10008.1.2.5";
  const auto items = items_of(value, rle, findings);
  if (!items) return items.error();
  const auto& fragments = items->fragments;
  const auto empty_at = value.subspan(std::min<std::uint64_t>(items->first_empty, value.size()));
  if (fragments.empty()) {
    note(findings, "PIX-ZEROFRAG", Severity::s3, "no fragment holds a byte", items->first_empty, empty_at.first(0));
    return Failure{Fault::malformed, "encapsulated pixel data without a fragment"};
  }
  FrameIndex index;
  if (!items->table.empty()) index.frames = by_table(fragments, items->table, frames, 0);
  if (index.frames.size() != frames) {
    index.frames = by_fragments(fragments, frames, rle);
    if (index.frames.size() != frames && items->table.size() >= 4) {
      Frames shifted = by_table(fragments, items->table, frames, load_u32(items->table.data()));
      if (!shifted.empty()) index.frames = std::move(shifted);
    }
    if (!items->table.empty()) {
      const bool rebuilt = index.frames.size() == frames;
      note(findings, "PIX-BOTBAD", rebuilt ? Severity::s1 : Severity::s3,
           "the offset table does not fit the fragments: " + table_fault(fragments, items->table, frames) +
               (rebuilt ? "; rebuilt from them" : "; they do not tell the frames apart either"),
           8, items->table);
    }
  }
  if (rle && index.frames.size() == frames && fragments.size() > frames)
    note(findings, "PIX-FRAMES", Severity::s1,
         "RLE in " + std::to_string(fragments.size()) + " fragments for " + std::to_string(frames) +
             " frames; the standard gives a frame one",
         8 + items->table.size(), ByteView());
  if (items->empty > 0) {
    const bool place_of_frame = fragments.size() < frames && fragments.size() + items->empty >= frames;
    note(findings, "PIX-ZEROFRAG", place_of_frame ? Severity::s3 : Severity::s1,
         place_of_frame ? "an empty fragment stands where a frame is due" : "an empty fragment", items->first_empty,
         empty_at.first(8));
  }
  if (index.frames.size() != frames) {
    note(findings, "PIX-FRAMES", Severity::s3,
         std::to_string(index.frames.size()) + " frames found in " + std::to_string(fragments.size()) +
             " fragments, Number of Frames says " + std::to_string(frames),
         8 + items->table.size(), ByteView());
    return Failure{Fault::mismatch, "the number of frames in the pixel data differs from Number of Frames"};
  }
  return index;
}

bool extended_table_fits(ByteView value, ByteView offsets, ByteView lengths) noexcept {
  std::vector<Finding> ignored;
  const auto items = items_of(value, false, ignored);
  if (!items || offsets.size() != lengths.size() || offsets.size() != 8 * items->fragments.size()) return false;
  const auto wide = [](ByteView table, std::size_t i) {
    return load_u32(table.data() + 8 * i) | (std::uint64_t{load_u32(table.data() + 8 * i + 4)} << 32U);
  };
  for (std::size_t i = 0; i < items->fragments.size(); ++i) {
    if (wide(offsets, i) != items->fragments[i].start || wide(lengths, i) != items->fragments[i].bytes.size())
      return false;
  }
  return true;
}

Bytes join(const std::vector<ByteView>& fragments) {
  Bytes out;
  std::size_t total = 0;
  for (const ByteView f : fragments) total += f.size();
  out.reserve(total);
  for (const ByteView f : fragments) put_bytes(out, f);
  return out;
}

ByteView trim_codestream(ByteView codestream) noexcept {
  std::size_t size = codestream.size();
  while (size > 0 && codestream[size - 1] == std::byte{0}) --size;
  const bool ended = size >= 2 && load_u16(codestream.data() + size - 2, true) == 0xFFD9;
  return ended ? codestream.first(size) : codestream;  // without an end marker, zeros may be data
}

namespace {

/// Where each frame's item begins behind the table; the last entry is where the delimiter does.
std::vector<std::uint64_t> offsets_of(std::span<const ByteView> frames) {
  std::vector<std::uint64_t> out{0};
  for (const ByteView frame : frames) out.push_back(out.back() + 8 + frame.size() + frame.size() % 2);
  return out;
}

/// Entries the offset table has for that: one a frame, or none when an offset needs more than 32 bits.
std::size_t table_entries(const std::vector<std::uint64_t>& offsets) {
  const std::size_t frames = offsets.size() - 1;
  return frames == 0 || offsets[frames - 1] <= 0xFFFFFFFFU ? frames : 0;
}

}  // namespace

std::uint64_t encapsulated_size(std::span<const ByteView> frames) {
  const auto offsets = offsets_of(frames);
  return 8 + 4 * table_entries(offsets) + offsets.back() + 8;
}

void write_encapsulated(std::span<const ByteView> frames, std::span<std::byte> out) {
  const auto offsets = offsets_of(frames);
  const std::size_t entries = table_entries(offsets);
  std::byte* to = out.data();
  const auto put = [&](ByteView bytes) {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    to += bytes.size();
  };
  const auto number = [&](std::uint64_t v) {
    for (unsigned i = 0; i < 4; ++i) *to++ = static_cast<std::byte>(v >> (8 * i));
  };
  const auto item = [&](std::uint32_t tag, std::uint64_t length) {
    number(tag >> 16U | tag << 16U);
    number(length);
  };
  item(0xFFFEE000, 4 * entries);
  for (std::size_t i = 0; i < entries; ++i) number(offsets[i]);
  for (const ByteView frame : frames) {
    item(0xFFFEE000, frame.size() + frame.size() % 2);
    put(frame);
    if (frame.size() % 2 != 0) *to++ = std::byte{0};
  }
  item(0xFFFEE0DD, 0);
}

void write_encapsulated(const std::vector<Bytes>& frames, Bytes& out) {
  const std::vector<ByteView> views(frames.begin(), frames.end());
  const std::size_t before = out.size();
  out.resize(before + encapsulated_size(views));
  write_encapsulated(views, std::span(out).subspan(before));
}

}  // namespace waybill::pixel
