// SPDX-License-Identifier: Apache-2.0
#include "pixel/encapsulated.hpp"

#include <algorithm>
#include <string>

namespace waybill::pixel {
namespace {

using manifest::Finding;
using manifest::Severity;

struct Item {
  std::uint64_t start = 0;  // of the item tag, counted from the first item behind the offset table
  ByteView bytes;
};

void note(std::vector<Finding>& findings, std::string_view code, Severity severity, std::string detail) {
  const bool known = std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; });
  if (!known) findings.push_back({std::string(code), severity, "7FE0,0010", std::move(detail)});
}

bool starts_stream(ByteView b) {
  if (b.size() < 2) return false;
  const auto word = load_u16(b.data(), true);
  return word == 0xFFD8 || word == 0xFF4F || word == 0xFF0A || (b.size() >= 12 && as_text(b.subspan(4, 4)) == "jP  ");
}

bool ends_stream(ByteView b) {
  const ByteView trimmed = trim_codestream(b);
  return trimmed.size() >= 2 && load_u16(trimmed.data() + trimmed.size() - 2, true) == 0xFFD9;
}

/// An RLE header where the offset table is due: the table's first entry is 0, the header counts its segments.
bool starts_rle(ByteView b) {
  return b.size() >= 64 && load_u32(b.data()) >= 1 && load_u32(b.data()) <= 15 && load_u32(b.data() + 4) == 64;
}

Result<std::vector<Item>> items_of(ByteView value, bool rle, ByteView& table, std::vector<Finding>& findings) {
  std::vector<Item> out;
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
    if (first && !starts_stream(bytes) && !(rle && starts_rle(bytes))) {
      table = bytes;
      origin = at + 8 + length;
    } else {
      if (first) note(findings, "PIX-NOBOT", Severity::s2, "the offset table item is missing");
      if (length % 2 != 0) note(findings, "PIX-ODDFRAG", Severity::s1, "a fragment of odd length");
      if (length == 0)
        note(findings, "PIX-ZEROFRAG", Severity::s1, "an empty fragment");
      else
        out.push_back({at - origin, bytes});
    }
    first = false;
    at += 8 + length;
  }
  if (at < value.size()) return Failure{Fault::truncated, "the pixel data ends inside an item's header"};
  return out;
}

/// Frames by a well-formed offset table; empty when the table does not fit the fragments.
std::vector<std::vector<ByteView>> by_table(const std::vector<Item>& items, ByteView table, std::uint32_t frames) {
  std::vector<std::vector<ByteView>> out;
  if (table.size() != std::size_t{4} * frames) return out;
  std::size_t item = 0;
  for (std::uint32_t f = 0; f < frames; ++f) {
    const std::uint64_t begin = load_u32(table.data() + std::size_t{4} * f);
    const std::uint64_t end = f + 1 < frames ? load_u32(table.data() + std::size_t{4} * (f + 1)) : ~std::uint64_t{0};
    if (item >= items.size() || items[item].start != begin || end <= begin) return {};
    auto& frame = out.emplace_back();
    while (item < items.size() && items[item].start < end) frame.push_back(items[item++].bytes);
  }
  if (item != items.size()) return {};
  return out;
}

/// A frame begins where a start marker follows an end marker; either alone may be chance inside a small fragment.
std::vector<std::vector<ByteView>> by_markers(const std::vector<Item>& items) {
  std::vector<std::vector<ByteView>> out;
  for (const Item& item : items) {
    const bool starts = starts_stream(item.bytes);
    if (out.empty() && !starts) return {};
    if (out.empty() || (starts && ends_stream(out.back().back()))) out.emplace_back();
    out.back().push_back(item.bytes);
  }
  return out;
}

}  // namespace

Result<FrameIndex> index_frames(ByteView value, std::uint32_t frames, std::string_view transfer_syntax,
                                std::vector<Finding>& findings) {
  ByteView table;
  const bool rle = transfer_syntax == "1.2.840.10008.1.2.5";
  const auto items = items_of(value, rle, table, findings);
  if (!items) return items.error();
  if (items->empty()) return Failure{Fault::malformed, "encapsulated pixel data without a fragment"};
  FrameIndex index;
  if (!table.empty()) {
    index.frames = by_table(*items, table, frames);
    if (index.frames.size() == frames) return index;
    note(findings, "PIX-BOTBAD", Severity::s1, "the offset table does not fit the fragments; rebuilt from them");
  }
  index.frames.clear();
  const bool one_each = items->size() == frames;
  if (one_each || rle) {
    for (const Item& item : *items) index.frames.push_back({item.bytes});
  } else if (frames == 1) {
    auto& frame = index.frames.emplace_back();
    for (const Item& item : *items) frame.push_back(item.bytes);
  } else {
    index.frames = by_markers(*items);
  }
  if (index.frames.size() != frames) {
    note(findings, "PIX-FRAMES", Severity::s3,
         std::to_string(index.frames.size()) + " frames found, Number of Frames says " + std::to_string(frames));
    return Failure{Fault::mismatch, "the number of frames in the pixel data differs from Number of Frames"};
  }
  return index;
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

void write_encapsulated(const std::vector<Bytes>& frames, Bytes& out) {
  const auto item = [&](std::uint32_t length) {
    put_u16(out, 0xFFFE);
    put_u16(out, 0xE000);
    put_u32(out, length);
  };
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> offsets;
  for (const Bytes& frame : frames) {
    offsets.push_back(offset);
    offset += 8 + frame.size() + frame.size() % 2;
  }
  const bool fits = offsets.empty() || offsets.back() <= 0xFFFFFFFFU;
  item(fits ? static_cast<std::uint32_t>(4 * offsets.size()) : 0);
  if (fits) {
    for (const std::uint64_t o : offsets) put_u32(out, static_cast<std::uint32_t>(o));
  }
  for (const Bytes& frame : frames) {
    item(static_cast<std::uint32_t>(frame.size() + frame.size() % 2));
    put_bytes(out, frame);
    if (frame.size() % 2 != 0) out.push_back(std::byte{0});
  }
  put_u16(out, 0xFFFE);
  put_u16(out, 0xE0DD);
  put_u32(out, 0);
}

}  // namespace waybill::pixel
