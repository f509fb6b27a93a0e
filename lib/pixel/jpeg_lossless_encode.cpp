// SPDX-License-Identifier: Apache-2.0
// Our encoder of JPEG lossless SV1 (ITU-T T.81 Annex H): differences to the left neighbour, Huffman codes made for the
// frame (T.81 K.2), a table a component. It shares no line with the decoders; what it writes is proved by DCMTK.
#include "pixel/codecs.hpp"
#include "pixel/samples.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace waybill::pixel {
namespace {

constexpr unsigned kCategories = 17;
using Counts = std::array<std::uint64_t, kCategories>;

/// Codes of one component: for each category code, length and, for DHT, counts by length and categories in order.
struct Codes {
  std::array<std::uint32_t, kCategories> code{};
  std::array<std::uint8_t, kCategories> length{};
  std::array<std::uint8_t, 17> counts{};
  std::array<std::uint8_t, kCategories> symbols{};
  unsigned used = 0;
};

/// How long each code is, by T.81 figure K.1: the two rarest are joined until one is left. The last of the list is a
/// reserve, so that no code is all ones.
std::array<unsigned, kCategories + 1> code_sizes(const Counts& counts) {
  std::array<std::uint64_t, kCategories + 1> frequency{};
  std::copy(counts.begin(), counts.end(), frequency.begin());
  frequency[kCategories] = 1;
  std::array<unsigned, kCategories + 1> size{};
  std::array<int, kCategories + 1> next;
  next.fill(-1);
  for (;;) {
    int rarest = -1, second = -1;
    for (int i = 0; i <= static_cast<int>(kCategories); ++i) {
      const auto f = frequency[static_cast<std::size_t>(i)];
      if (f == 0) continue;
      if (rarest < 0 || f <= frequency[static_cast<std::size_t>(rarest)]) {
        second = rarest;
        rarest = i;
      } else if (second < 0 || f <= frequency[static_cast<std::size_t>(second)]) {
        second = i;
      }
    }
    if (second < 0) return size;
    frequency[static_cast<std::size_t>(second)] += frequency[static_cast<std::size_t>(rarest)];
    frequency[static_cast<std::size_t>(rarest)] = 0;
    int last = second;
    for (int i = second; i >= 0; i = next[static_cast<std::size_t>(i)]) {
      ++size[static_cast<std::size_t>(i)];
      last = i;
    }
    next[static_cast<std::size_t>(last)] = rarest;
    for (int i = rarest; i >= 0; i = next[static_cast<std::size_t>(i)]) ++size[static_cast<std::size_t>(i)];
  }
}

/// Codes of at most 16 bits, shorter for what is more frequent (T.81 figures K.2 to K.4, C.1 to C.3).
Codes codes_for(const Counts& counts) {
  const auto sizes = code_sizes(counts);
  std::array<int, 33> bits{};
  for (const unsigned size : sizes) {
    if (size > 0) ++bits[std::min(size, 32U)];
  }
  for (std::size_t i = 32; i > 16; --i) {
    while (bits[i] > 0) {
      std::size_t j = i - 2;
      while (bits[j] == 0) --j;
      bits[i] -= 2;
      ++bits[i - 1];
      bits[j + 1] += 2;
      --bits[j];
    }
  }
  std::size_t longest = 16;
  while (bits[longest] == 0) --longest;
  --bits[longest];  // the reserve
  Codes out;
  for (unsigned size = 1; size <= 32; ++size) {
    for (unsigned category = 0; category < kCategories; ++category) {
      if (sizes[category] == size) out.symbols[out.used++] = static_cast<std::uint8_t>(category);
    }
  }
  std::uint32_t code = 0;
  unsigned at = 0;
  for (unsigned length = 1; length <= 16; ++length, code <<= 1U) {
    out.counts[length] = static_cast<std::uint8_t>(bits[length]);
    for (int i = 0; i < bits[length]; ++i, ++code, ++at) {
      out.code[out.symbols[at]] = code;
      out.length[out.symbols[at]] = static_cast<std::uint8_t>(length);
    }
  }
  return out;
}

unsigned category_of(std::uint16_t difference) {
  const auto value = static_cast<std::int16_t>(difference);
  return static_cast<unsigned>(std::bit_width(static_cast<std::uint32_t>(value < 0 ? -value : value)));
}

/// Differences of samples, modulo 2^16: to the left, in the first column to the sample above. A row at a time, which
/// stays in the processor's cache: to make them twice takes less than to keep those of a whole frame.
class Differences {
 public:
  Differences(const Frame& frame, ByteView samples, unsigned precision)
      : samples_(samples),
        wide_(precision > 8),
        middle_(static_cast<std::uint16_t>(1U << (precision - 1))),
        step_(frame.samples),
        row_(std::size_t{frame.columns} * frame.samples) {}

  /// Of row `y`, until the next call.
  std::span<const std::uint16_t> row(std::uint32_t y) {
    if (wide_)
      fill<std::uint16_t>(y);
    else
      fill<std::uint8_t>(y);
    return row_;
  }

 private:
  template <typename T>
  void fill(std::uint32_t y) {
    // A frame may begin at any address, in a message between processes as in a file with an element of odd length.
    const auto sample = [](const std::byte* from, std::size_t i) {
      T value;
      std::memcpy(&value, from + i * sizeof(T), sizeof(T));
      return value;
    };
    const std::byte* const in = samples_.data() + y * row_.size() * sizeof(T);
    const std::byte* const above = y == 0 ? nullptr : in - row_.size() * sizeof(T);
    for (std::size_t c = 0; c < step_; ++c)
      row_[c] = static_cast<std::uint16_t>(sample(in, c) - (above == nullptr ? middle_ : sample(above, c)));
    std::uint16_t* const to = row_.data();
    const std::size_t step = step_, size = row_.size();
    for (std::size_t i = step; i < size; ++i) to[i] = static_cast<std::uint16_t>(sample(in, i) - sample(in, i - step));
  }

  ByteView samples_;
  bool wide_;
  std::uint16_t middle_;
  std::size_t step_;
  std::vector<std::uint16_t> row_;
};

/// How often each category occurs in one component.
class Counter {
 public:
  void add(std::span<const std::uint16_t> differences, std::size_t component, std::size_t step) {
    std::size_t i = component;
    for (; i + step < differences.size(); i += 2 * step) {
      ++even_odd_[0][category_of(differences[i])];
      ++even_odd_[1][category_of(differences[i + step])];
    }
    if (i < differences.size()) ++even_odd_[0][category_of(differences[i])];
  }
  [[nodiscard]] Counts counts() const {
    Counts out{};
    for (unsigned c = 0; c < kCategories; ++c) out[c] = std::uint64_t{even_odd_[0][c]} + even_odd_[1][c];
    return out;
  }

 private:
  std::array<std::array<std::uint32_t, 32>, 2> even_odd_{};  // two, so that equal neighbours do not wait for each other
};

/// Bits with the zero byte that follows each FF (T.81 F.1.2.3). `out` has room for the worst case.
class BitWriter {
 public:
  explicit BitWriter(std::byte* out) : out_(out) {}

  /// Goes on from `out`; gives where the bytes so far end. Bits that make no whole word yet are kept.
  std::byte* go_on_at(std::byte* out) { return std::exchange(out_, out); }

  void put(std::uint32_t bits, unsigned n) {  // n up to 32
    buffer_ = (buffer_ << n) | bits;
    have_ += n;
    if (have_ >= 32) flush();
  }

  /// Pads with ones; where the bytes end.
  std::byte* finish() {
    while (have_ % 8 != 0) put(1, 1);
    while (have_ > 0) {
      have_ -= 8;
      byte(static_cast<std::uint32_t>(buffer_ >> have_) & 0xFFU);
    }
    return out_;
  }

 private:
  void flush() {
    have_ -= 32;
    const auto word = static_cast<std::uint32_t>(buffer_ >> have_);
    if (((~word - 0x01010101U) & word & 0x80808080U) == 0) {  // no byte is FF
      const std::uint32_t big = __builtin_bswap32(word);
      std::memcpy(out_, &big, 4);
      out_ += 4;
      return;
    }
    for (int shift = 24; shift >= 0; shift -= 8) byte((word >> static_cast<unsigned>(shift)) & 0xFFU);
  }
  void byte(std::uint32_t v) {
    *out_++ = static_cast<std::byte>(v);
    if (v == 0xFF) *out_++ = std::byte{0};
  }

  std::byte* out_;
  std::uint64_t buffer_ = 0;
  unsigned have_ = 0;
};

template <std::size_t N>
void put_differences(std::span<const std::uint16_t> differences, const std::array<Codes, 3>& codes, BitWriter& writer) {
  for (std::size_t i = 0; i < differences.size(); i += N) {
    for (std::size_t c = 0; c < N; ++c) {
      const std::uint16_t d = differences[i + c];
      const unsigned category = category_of(d);
      const unsigned extra = category & 15U;  // category 16 has no bits behind its code
      const std::uint32_t low = (d - (d >> 15U)) & ((1U << extra) - 1);
      writer.put((codes[c].code[category] << extra) | low, codes[c].length[category] + extra);
    }
  }
}

void put_big(Bytes& out, unsigned v) {
  out.push_back(static_cast<std::byte>(v >> 8U));
  out.push_back(static_cast<std::byte>(v & 0xFFU));
}

void put_byte(Bytes& out, unsigned v) { out.push_back(static_cast<std::byte>(v)); }

Bytes headers(const Frame& frame, unsigned precision, const std::array<Codes, 3>& codes) {
  Bytes out;
  const unsigned n = frame.samples;
  put_big(out, 0xFFD8);
  put_big(out, 0xFFC3);
  put_big(out, 8 + 3 * n);
  put_byte(out, precision);
  put_big(out, frame.rows);
  put_big(out, frame.columns);
  put_byte(out, n);
  for (unsigned c = 0; c < n; ++c) {
    put_byte(out, c + 1);
    put_byte(out, 0x11);
    put_byte(out, 0);
  }
  for (unsigned c = 0; c < n; ++c) {
    put_big(out, 0xFFC4);
    put_big(out, 19 + codes[c].used);
    put_byte(out, c);
    for (unsigned length = 1; length <= 16; ++length) put_byte(out, codes[c].counts[length]);
    for (unsigned i = 0; i < codes[c].used; ++i) put_byte(out, codes[c].symbols[i]);
  }
  put_big(out, 0xFFDA);
  put_big(out, 6 + 2 * n);
  put_byte(out, n);
  for (unsigned c = 0; c < n; ++c) {
    put_byte(out, c + 1);
    put_byte(out, c << 4U);
  }
  put_byte(out, 1);  // selection value: the left neighbour
  put_byte(out, 0);
  put_byte(out, 0);
  return out;
}

}  // namespace

Result<Bytes> encode_jpeg_lossless(const ImageInfo& info, const Frame& frame) {
  if (frame.samples != 1 && frame.samples != 3)
    return Failure{Fault::unsupported, "JPEG lossless takes one or three samples a pixel"};
  const auto samples = masked_samples(info, frame);
  if (!samples) return samples.error();
  const unsigned precision = info.bits_stored;
  Differences differences(frame, samples->view, precision);
  std::array<Counter, 3> counters{};
  for (std::uint32_t y = 0; y < frame.rows; ++y) {
    const auto row = differences.row(y);
    for (std::size_t c = 0; c < frame.samples; ++c) counters[c].add(row, c, frame.samples);
  }
  std::array<Codes, 3> codes{};
  std::uint64_t bits = 0;
  for (std::size_t c = 0; c < frame.samples; ++c) {
    const Counts counts = counters[c].counts();
    codes[c] = codes_for(counts);
    for (unsigned k = 0; k < kCategories; ++k) bits += counts[k] * (codes[c].length[k] + (k & 15U));
  }
  Bytes out = headers(frame, precision, codes);
  out.reserve(out.size() + bits / 8 + bits / 512 + 64);               // one byte in a few hundred is FF and takes two
  Bytes packed(std::size_t{8} * frame.columns * frame.samples + 64);  // of a row: four bytes a sample, each may be FF
  BitWriter writer(packed.data());
  const auto take = [&](const std::byte* end) {
    put_bytes(out, {packed.data(), static_cast<std::size_t>(end - packed.data())});
  };
  for (std::uint32_t y = 0; y < frame.rows; ++y) {
    const auto row = differences.row(y);
    if (frame.samples == 1)
      put_differences<1>(row, codes, writer);
    else
      put_differences<3>(row, codes, writer);
    take(writer.go_on_at(packed.data()));
  }
  take(writer.finish());
  put_big(out, 0xFFD9);
  return out;
}

}  // namespace waybill::pixel
