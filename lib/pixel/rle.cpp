// SPDX-License-Identifier: Apache-2.0
#include "pixel/codecs.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace waybill::pixel {
namespace {

/// One PackBits segment (PS3.5 G.3) into every `step`-th byte from `out`, exactly `count` of them. `idle` is set when a
/// control byte asked for nothing.
bool unpack(ByteView in, std::byte* out, std::size_t count, std::size_t step, bool& idle) {
  std::size_t at = 0;
  std::size_t done = 0;
  while (done < count) {
    if (at >= in.size()) return false;
    const auto n = static_cast<std::int8_t>(std::to_integer<std::uint8_t>(in[at++]));
    if (n >= 0) {
      const std::size_t run = static_cast<std::size_t>(n) + 1;
      if (run > in.size() - at) return false;
      for (std::size_t i = 0; i < run && done < count; ++i) out[step * done++] = in[at + i];
      at += run;
    } else if (n != -128) {
      if (at >= in.size()) return false;
      const std::size_t run = static_cast<std::size_t>(1 - n);
      for (std::size_t i = 0; i < run && done < count; ++i) out[step * done++] = in[at];
      ++at;
    } else {
      idle = true;
    }
  }
  return true;
}

/// Bytes a segment unpacks to, or one more than `most` when it is more.
std::size_t unpacked_size(ByteView in, std::size_t most) {
  std::size_t total = 0;
  for (std::size_t at = 0; at < in.size() && total <= most;) {
    const auto n = static_cast<std::int8_t>(std::to_integer<std::uint8_t>(in[at++]));
    const std::size_t run = n >= 0 ? static_cast<std::size_t>(n) + 1 : n == -128 ? 0 : static_cast<std::size_t>(1 - n);
    const std::size_t taken = n >= 0 ? run : n == -128 ? 0 : 1;
    if (taken > in.size() - at) break;  // padding behind the last run
    at += taken;
    total += run;
  }
  return total;
}

/// Where from `i` on three bytes in a row are alike, or `n`: shorter runs cost less inside a literal. Eight at a time.
std::size_t next_run(const std::byte* row, std::size_t i, std::size_t n) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kTops = 0x8080808080808080U;
  const auto eight = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, row + at, sizeof word);
    return word;
  };
  for (; i + 10 <= n; i += 8) {
    const std::uint64_t second = eight(i + 1);
    const std::uint64_t differing = (eight(i) ^ second) | (second ^ eight(i + 2));
    const std::uint64_t alike = (differing - kOnes) & ~differing & kTops;  // its lowest bit is that of a zero byte
    if (alike != 0) return i + static_cast<std::size_t>(std::countr_zero(alike)) / 8;
  }
  for (; i + 3 <= n; ++i)
    if (row[i] == row[i + 1] && row[i] == row[i + 2]) return i;
  return n;
}

/// Where bytes stop being what row[i] is.
std::size_t end_of_run(const std::byte* row, std::size_t i, std::size_t n) {
  const std::uint64_t same = 0x0101010101010101U * std::to_integer<std::uint64_t>(row[i]);
  std::size_t end = i + 1;
  for (; end + 8 <= n; end += 8) {
    std::uint64_t word;
    std::memcpy(&word, row + end, sizeof word);
    if (word != same) return end + static_cast<std::size_t>(std::countr_zero(word ^ same)) / 8;
  }
  while (end < n && row[end] == row[i]) ++end;
  return end;
}

/// PackBits of one row, which no run may cross (PS3.5 G.3.1), to `out`; returns where it ends, at most n + n / 128 + 1
/// bytes on.
std::byte* pack_row(const std::byte* row, std::size_t n, std::byte* out) {
  constexpr std::size_t kMost = 128;
  for (std::size_t i = 0; i < n;) {
    const std::size_t run = next_run(row, i, n);
    while (i < run) {
      const std::size_t literal = std::min(run - i, kMost);
      *out++ = static_cast<std::byte>(literal - 1);
      std::memcpy(out, row + i, literal);
      out += literal;
      i += literal;
    }
    for (const std::size_t end = run < n ? end_of_run(row, run, n) : n; i < end;) {
      const std::size_t repeat = std::min(end - i, kMost);
      *out++ = static_cast<std::byte>(repeat == 1 ? 0 : 257 - repeat);  // one left over is a literal of one
      *out++ = row[i];
      i += repeat;
    }
  }
  return out;
}

/// Every `step`-th byte from `from`, `count` of them.
template <std::size_t kStep>
void gather(const std::byte* from, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i * kStep];
}

void gather(const std::byte* from, std::size_t count, std::size_t step, std::byte* to) {
  if (step == 1) return static_cast<void>(std::memcpy(to, from, count));
  if (step == 2) return gather<2>(from, count, to);
  if (step == 3) return gather<3>(from, count, to);
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i * step];
}

/// 1-bit pixels: PS3.5 G.2 pads each composite pixel code to a byte, so a segment has a byte for each pixel. Some
/// writers pack eight pixels into a byte (Quirk::packed_bits); the number of bytes in the segment tells which it is.
Result<Frame> decode_bits(const ImageInfo& info, ByteView stream) {
  const std::uint64_t pixels = std::uint64_t{info.rows} * info.columns;
  if (pixels == 0 || info.rows > 0xFFFFU || info.columns > 0xFFFFU || info.samples != 1)
    return Failure{Fault::malformed, "rows, columns or samples are out of range"};
  if (stream.size() < 64) return Failure{Fault::truncated, "an RLE frame without its header"};
  const std::uint32_t begin = load_u32(stream.data() + 4);
  if (load_u32(stream.data()) != 1 || begin < 64 || begin > stream.size())
    return Failure{Fault::malformed, "RLE of 1-bit pixels has one segment"};
  if (pixels > (std::uint64_t{stream.size()} * 64 + 128) * 8)
    return Failure{Fault::truncated, "the RLE frame is too short for rows and columns"};
  Frame out{info.rows, info.columns, 1, 1, 0, false, info.photometric, Bytes(pixels)};
  const ByteView segment = stream.subspan(begin);
  bool idle = false;
  if (unpack(segment, out.data.data(), pixels, 1, idle)) {
    for (std::byte& b : out.data) b = b == std::byte{0} ? b : std::byte{1};
    return out;
  }
  Bytes packed((pixels + 7) / 8);
  const std::size_t size = unpacked_size(segment, packed.size() + 1);
  if (size != packed.size() && size != packed.size() + 1)
    return Failure{Fault::truncated, "the RLE segment has neither a byte nor a bit for each pixel"};
  if (!unpack(segment, packed.data(), packed.size(), 1, idle))
    return Failure{Fault::truncated, "an RLE segment ends early"};
  for (std::uint64_t i = 0; i < pixels; ++i) out.data[i] = (packed[i / 8] >> (i % 8)) & std::byte{1};
  out.quirk = Quirk::packed_bits;
  return out;
}

}  // namespace

Result<Frame> decode_rle(const ImageInfo& info, ByteView stream) {
  if (info.bits_allocated == 1) return decode_bits(info, stream);
  const auto size = frame_bytes(info);
  if (!size) return size.error();
  if (stream.size() < 64) return Failure{Fault::truncated, "an RLE frame without its header"};
  const std::uint32_t segments = load_u32(stream.data());
  const std::uint32_t bytes_per_sample = info.bits_allocated / 8U;
  if (segments != info.samples * bytes_per_sample || segments == 0 || segments > 15)
    return Failure{Fault::malformed, std::to_string(segments) + " RLE segments do not fit samples and bits"};
  // A run of two bytes gives at most 128: what cannot fill the frame is refused before memory is taken.
  if (*size > stream.size() * 64 + std::uint64_t{128} * segments)
    return Failure{Fault::truncated, "the RLE frame is too short for rows and columns"};
  Frame out;
  out.rows = info.rows;
  out.columns = info.columns;
  out.samples = info.samples;
  out.bytes_per_sample = static_cast<std::uint16_t>(bytes_per_sample);
  out.photometric = info.photometric;
  out.data.resize(*size);
  const std::size_t pixels = std::size_t{info.rows} * info.columns;
  bool idle = false;
  for (std::uint32_t s = 0; s < segments; ++s) {
    const std::uint64_t begin = load_u32(stream.data() + 4 + std::size_t{4} * s);
    const std::uint64_t end = s + 1 < segments ? load_u32(stream.data() + 8 + std::size_t{4} * s) : stream.size();
    if (begin < 64 || begin > end || end > stream.size())
      return Failure{Fault::malformed, "RLE segment offsets are out of order or range"};
    const std::uint32_t sample = s / bytes_per_sample;
    const std::uint32_t byte =
        bytes_per_sample - 1 - s % bytes_per_sample;  // segments run from the most significant byte
    std::byte* to = out.data.data() + std::size_t{sample} * bytes_per_sample + byte;
    if (!unpack(stream.subspan(begin, end - begin), to, pixels, std::size_t{info.samples} * bytes_per_sample, idle))
      return Failure{Fault::truncated, "an RLE segment ends early"};
  }
  if (idle) out.quirk = Quirk::idle_runs;
  return out;
}

bool rle_goes_on(const ImageInfo& info, ByteView stream) noexcept {
  if (stream.size() < 64 || info.bits_allocated < 8) return false;
  const std::uint32_t segments = std::min(load_u32(stream.data()), std::uint32_t{15});
  const std::size_t pixels = std::size_t{info.rows} * info.columns;
  const std::size_t more = pixels + 3;  // a byte or two may be padding
  for (std::uint32_t s = 0; s < segments; ++s) {
    const std::uint64_t begin = load_u32(stream.data() + 4 + std::size_t{4} * s);
    const std::uint64_t end = s + 1 < segments ? load_u32(stream.data() + 8 + std::size_t{4} * s) : stream.size();
    if (begin > end || end > stream.size()) return false;
    if (unpacked_size(stream.subspan(begin, end - begin), more) >= more) return true;
  }
  return false;
}

Result<Bytes> encode_rle(const ImageInfo& info, const Frame& frame) {
  const std::uint32_t bytes_per_sample = info.bits_allocated / 8U;
  const std::uint32_t segments = info.samples * bytes_per_sample;
  if (segments == 0 || segments > 15) return Failure{Fault::unsupported, "RLE has no more than 15 segments"};
  const std::size_t columns = frame.columns;
  const std::size_t most_a_row = columns + columns / 128 + 1;
  const std::size_t room = 64 + segments * (frame.rows * most_a_row + 1);
  Bytes out;
  out.reserve(room);  // for the worst case, the end never touched
  out.resize(64);
  const auto set = [&](std::size_t at, std::size_t v) {
    for (unsigned i = 0; i < 4; ++i) out[at + i] = static_cast<std::byte>(v >> (8 * i));
  };
  set(0, segments);
  const std::size_t step = std::size_t{info.samples} * bytes_per_sample;
  Bytes row(columns), packed(most_a_row);
  for (std::uint32_t s = 0; s < segments; ++s) {
    set(4 + std::size_t{4} * s, out.size());
    const std::byte* from = frame.bytes().data() + std::size_t{s / bytes_per_sample} * bytes_per_sample +
                            (bytes_per_sample - 1 - s % bytes_per_sample);
    for (std::size_t r = 0; r < frame.rows; ++r) {
      gather(from + r * columns * step, columns, step, row.data());
      const std::byte* const end = pack_row(row.data(), columns, packed.data());
      put_bytes(out, {packed.data(), static_cast<std::size_t>(end - packed.data())});
    }
    if (out.size() % 2 != 0) out.push_back(std::byte{0});
  }
  return out;
}

}  // namespace waybill::pixel
