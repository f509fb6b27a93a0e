// SPDX-License-Identifier: Apache-2.0
// Our encoder of lossless JPEG-LS (ITU-T T.87), colour interleaved by line. As the samples are all known, contexts and
// predictions of a whole row are computed first, eight samples at a time where the compiler can; what is left to do one
// sample after the other is the adaptive part. Shares no line with the decoders; what it writes is proved by another's.
#include "pixel/codecs.hpp"
#include "pixel/samples.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

namespace waybill::pixel {
namespace {

constexpr std::int32_t kReset = 64;
/// Log2 of run lengths by run index (J of T.87 A.2.1).
constexpr std::array<std::uint8_t, 32> kRunBits = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
                                                   4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Default coding parameters of NEAR 0 (T.87 C.2.4.1.1).
struct Parameters {
  explicit Parameters(unsigned depth)
      : bits(depth), most((1 << depth) - 1), limit(2 * (std::max(2U, depth) + std::max(8U, depth))) {
    if (most >= 128) {
      const std::int32_t factor = (std::min(most, 4095) + 128) / 256;
      thresholds = {factor + 2, factor * 4 + 3, factor * 17 + 4};
    } else {
      const std::int32_t factor = 256 / (most + 1);
      thresholds = {std::max(2, 3 / factor), std::max(3, 7 / factor), std::max(4, 21 / factor)};
    }
    std::int32_t least = 1;
    for (auto& t : thresholds) least = t = t > most || t < least ? least : t;
  }
  unsigned bits;
  std::int32_t most;
  unsigned limit;
  std::array<std::int32_t, 3> thresholds{};
};

/// Bits from the most significant on; behind a byte FF comes one that begins with a zero bit (T.87 A.1).
class BitWriter {
 public:
  explicit BitWriter(std::byte* to) : at_(to) {}

  /// The low `count` bits of `value`, at most 32, with none above them.
  void put(std::uint32_t value, unsigned count) {
    word_ = word_ << count | value;
    held_ += count;
    if (held_ >= 32) drain();
  }
  /// Fills the last byte with zeros; a byte FF is not left at the end, where a marker follows.
  void finish() {
    while (held_ >= 8) byte(8);
    if (held_ > 0) byte(held_);
    if (after_ff_) *at_++ = std::byte{0};
  }
  void move_to(std::byte* to) { at_ = to; }
  [[nodiscard]] std::byte* at() const { return at_; }

 private:
  void drain() {
    const auto next = static_cast<std::uint32_t>(word_ >> (held_ - 32));
    const bool has_ff = ((~next - 0x01010101U) & next & 0x80808080U) != 0;
    if (has_ff || after_ff_) {
      while (held_ >= 8) byte(8);
      return;
    }
    const std::uint32_t swapped = __builtin_bswap32(next);
    std::memcpy(at_, &swapped, sizeof swapped);
    at_ += sizeof swapped;
    held_ -= 32;
  }
  /// One byte of the `most` bits held, one bit less behind FF.
  void byte(unsigned most) {
    const unsigned room = after_ff_ ? 7 : 8, taken = std::min(most, room);
    held_ -= taken;
    const auto bits = static_cast<std::uint32_t>(word_ >> held_) & ((1U << taken) - 1);
    const auto value = static_cast<std::uint8_t>(bits << (room - taken));
    *at_++ = static_cast<std::byte>(value);
    after_ff_ = value == 0xFF;
  }

  std::byte* at_;
  std::uint64_t word_ = 0;
  unsigned held_ = 0;
  bool after_ff_ = false;
};

/// The smallest k with n << k no less than a.
unsigned golomb_parameter(std::int32_t n, std::int32_t a) {
  const auto width = [](std::int32_t v) { return static_cast<int>(std::bit_width(static_cast<std::uint32_t>(v))); };
  const int difference = width(a) - width(n);
  const int k = std::max(difference, 0);
  return static_cast<unsigned>(k + ((n << k) < a ? 1 : 0));
}

/// One component's rows: the one above and the one at hand, with a sample before and behind each (T.87 A.2.1).
template <typename S>
struct Rows {
  explicit Rows(std::size_t width) : first(width + 2), second(width + 2), above(&first[1]), row(&second[1]) {}
  std::vector<S> first, second;
  S *above, *row;
  unsigned run_index = 0;
};

/// A scan. S holds a sample, and the sum of two less a third.
template <typename S>
class Scan {
 public:
  Scan(const Parameters& p, std::size_t width)
      : p_(p), width_(width), steps_(width + 1), context_(width), predicted_(width) {
    const std::int32_t a = std::max(2, (p.most + 1 + 32) / 64);
    for (auto& c : contexts_) c = {a, 0, 0, 1};
    for (auto& c : run_contexts_) c = {a, 1, 0};
  }

  void encode(Rows<S>& rows, BitWriter& out) {
    rows.row[-1] = rows.above[0];
    rows.above[width_] = rows.above[width_ - 1];
    model(rows.above, rows.row);
    for (std::size_t i = 0; i < width_;) {
      if (context_[i] == 0) {
        i = encode_run(rows, i, out);
      } else {
        encode_sample(rows.row[i], i, out);
        ++i;
      }
    }
    std::swap(rows.above, rows.row);
  }

 private:
  struct Context {
    std::int32_t a, b, c, n;
  };
  struct RunContext {
    std::int32_t a, n, negative;
  };

  [[nodiscard]] S quantized(S d) const {
    const auto t1 = static_cast<S>(p_.thresholds[0]), t2 = static_cast<S>(p_.thresholds[1]),
               t3 = static_cast<S>(p_.thresholds[2]);
    const auto above = static_cast<S>((d > 0) + (d >= t1) + (d >= t2) + (d >= t3));
    const auto below = static_cast<S>((d < 0) + (d <= -t1) + (d <= -t2) + (d <= -t3));
    return static_cast<S>(above - below);
  }

  /// Contexts, with the sign that is taken out of the error, and predictions by the median edge detector.
  void model(const S* above, const S* row) {
    for (std::size_t i = 0; i <= width_; ++i) steps_[i] = quantized(static_cast<S>(above[i] - *(above + i - 1)));
    for (std::size_t i = 0; i < width_; ++i) {
      const S third = quantized(static_cast<S>(*(above + i - 1) - *(row + i - 1)));
      context_[i] = static_cast<S>(81 * steps_[i + 1] + 9 * steps_[i] + third);
    }
    for (std::size_t i = 0; i < width_; ++i) {
      const S a = *(row + i - 1), b = above[i], c = *(above + i - 1);
      const S low = std::min(a, b), high = std::max(a, b);
      predicted_[i] = std::max(low, std::min(high, static_cast<S>(a + b - c)));
    }
  }

  /// The error within half the range of samples on either side of zero.
  [[nodiscard]] std::int32_t reduced(std::int32_t error) const {
    const unsigned unused = 32 - p_.bits;
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(error) << unused) >> unused;
  }

  void encode_sample(S sample, std::size_t i, BitWriter& out) {
    const std::int32_t q = context_[i], sign = q >> 31;
    Context& c = contexts_[static_cast<std::size_t>((q ^ sign) - sign)];
    const std::int32_t x = std::clamp(predicted_[i] + ((c.c ^ sign) - sign), 0, p_.most);
    const std::int32_t error = reduced(((sample - x) ^ sign) - sign);
    const unsigned k = golomb_parameter(c.n, c.a);
    auto mapped = static_cast<std::uint32_t>(error * 2 ^ (error >> 31));
    mapped ^= static_cast<std::uint32_t>(k == 0 && 2 * c.b <= -c.n);
    put_golomb(mapped, k, p_.limit, out);
    update(c, error);
  }

  static void update(Context& c, std::int32_t error) {
    c.b += error;
    c.a += error < 0 ? -error : error;
    if (c.n == kReset) {
      c.a >>= 1;
      c.b >>= 1;
      c.n >>= 1;
    }
    ++c.n;
    if (c.b <= -c.n) {
      c.b = std::max(c.b + c.n, 1 - c.n);
      c.c = std::max(c.c - 1, -128);
    } else if (c.b > 0) {
      c.b = std::min(c.b - c.n, 0);
      c.c = std::min(c.c + 1, 127);
    }
  }

  void put_golomb(std::uint32_t value, unsigned k, unsigned limit, BitWriter& out) const {
    const std::uint32_t zeros = value >> k, most = limit - p_.bits - 1;
    if (zeros < most && zeros + 1 + k <= 32) {
      out.put(1U << k | (value & ((1U << k) - 1)), zeros + 1 + k);
      return;
    }
    for (std::uint32_t left = std::min(zeros, most), n = 0; left > 0; left -= n) {
      n = std::min(left, 32U);
      out.put(0, n);
    }
    out.put(1, 1);
    if (zeros < most)
      out.put(value & ((1U << k) - 1), k);
    else
      out.put(value - 1, p_.bits);
  }

  /// A run of the sample before `i`, and the sample that ends it (T.87 A.7). Returns where to go on.
  std::size_t encode_run(Rows<S>& rows, std::size_t i, BitWriter& out) {
    const S a = *(rows.row + i - 1);
    const S* const end = std::find_if(rows.row + i, rows.row + width_, [a](S s) { return s != a; });
    auto left = static_cast<std::uint32_t>(end - rows.row - static_cast<std::ptrdiff_t>(i));
    while (left >= 1U << kRunBits[rows.run_index]) {
      left -= 1U << kRunBits[rows.run_index];
      out.put(1, 1);
      if (rows.run_index < 31) ++rows.run_index;
    }
    if (end == rows.row + width_) {
      if (left > 0) out.put(1, 1);
      return width_;
    }
    out.put(left, kRunBits[rows.run_index] + 1U);
    const auto at = static_cast<std::size_t>(end - rows.row);
    encode_interruption(a, rows.above[at], *end, p_.limit - kRunBits[rows.run_index] - 1U, out);
    if (rows.run_index > 0) --rows.run_index;
    return at + 1;
  }

  void encode_interruption(S a, S b, S sample, unsigned limit, BitWriter& out) {
    const std::int32_t type = a == b ? 1 : 0;
    RunContext& c = run_contexts_[static_cast<std::size_t>(type)];
    std::int32_t error = sample - (type == 1 ? a : b);
    if (type == 0 && a > b) error = -error;
    error = reduced(error);
    const unsigned k = golomb_parameter(c.n, c.a + (type == 1 ? c.n >> 1 : 0));
    const bool mostly_negative = 2 * c.negative >= c.n;
    const bool map = error < 0 ? mostly_negative || k != 0 : error > 0 && k == 0 && !mostly_negative;
    const std::int32_t size = error < 0 ? -error : error;
    const auto mapped = static_cast<std::uint32_t>(2 * size - type - (map ? 1 : 0));
    put_golomb(mapped, k, limit, out);
    if (error < 0) ++c.negative;
    c.a += (static_cast<std::int32_t>(mapped) + 1 - type) >> 1;
    if (c.n == kReset) {
      c.a >>= 1;
      c.n >>= 1;
      c.negative >>= 1;
    }
    ++c.n;
  }

  const Parameters p_;
  std::size_t width_;
  std::vector<S> steps_, context_, predicted_;
  std::array<Context, 365> contexts_{};
  std::array<RunContext, 2> run_contexts_{};
};

Bytes header(const Frame& frame, const Parameters& p) {
  Bytes out;
  const auto byte = [&](std::uint32_t v) { out.push_back(static_cast<std::byte>(v)); };
  const auto word = [&](std::uint32_t v) {
    byte(v >> 8U);
    byte(v & 0xFFU);
  };
  const std::uint32_t n = frame.samples;
  word(0xFFD8);
  word(0xFFF7);
  word(8 + 3 * n);
  byte(p.bits);
  word(frame.rows);
  word(frame.columns);
  byte(n);
  for (std::uint32_t c = 1; c <= n; ++c) {
    byte(c);
    word(0x1100);
  }
  if (p.bits > 12) {  // the defaults in words, for decoders that have others beyond 12 bits (PIX-JLSJAI)
    word(0xFFF8);
    word(13);
    byte(1);
    word(static_cast<std::uint32_t>(p.most));
    for (const std::int32_t t : p.thresholds) word(static_cast<std::uint32_t>(t));
    word(kReset);
  }
  word(0xFFDA);
  word(6 + 2 * n);
  byte(n);
  for (std::uint32_t c = 1; c <= n; ++c) word(c << 8U);
  byte(0);              // NEAR
  byte(n > 1 ? 1 : 0);  // by line
  byte(0);
  return out;
}

template <typename S, typename T>
Bytes encode_as(const Frame& frame, ByteView samples, const Parameters& p) {
  const std::size_t n = frame.samples, width = frame.columns;
  const std::size_t longest_row = n * width * (p.limit / 8 + 1) * 8 / 7 + 64;
  Bytes stream = header(frame, p);
  stream.reserve(stream.size() + samples.size() + longest_row);  // what is not needed is never touched
  Bytes packed(longest_row);
  BitWriter out(packed.data());
  const auto take = [&] {
    put_bytes(stream, {packed.data(), static_cast<std::size_t>(out.at() - packed.data())});
    out.move_to(packed.data());
  };
  std::vector<Rows<S>> rows;
  rows.reserve(n);
  for (std::size_t c = 0; c < n; ++c) rows.emplace_back(width);
  Scan<S> scan(p, width);
  const std::byte* in = samples.data();
  for (std::uint32_t y = 0; y < frame.rows; ++y, in += width * n * sizeof(T)) {
    for (std::size_t c = 0; c < n; ++c) {
      for (std::size_t i = 0; i < width; ++i) {
        T sample;
        std::memcpy(&sample, in + (i * n + c) * sizeof(T), sizeof sample);
        rows[c].row[i] = static_cast<S>(sample);
      }
      scan.encode(rows[c], out);
    }
    take();
  }
  out.finish();
  take();
  stream.push_back(std::byte{0xFF});
  stream.push_back(std::byte{0xD9});
  return stream;
}

}  // namespace

Result<Bytes> encode_jpeg_ls(const ImageInfo& info, const Frame& frame) {
  const auto samples = masked_samples(info, frame);
  if (!samples) return samples.error();
  const Parameters p(info.bits_stored);
  if (info.bits_stored <= 8) return encode_as<std::int16_t, std::uint8_t>(frame, samples->view, p);
  if (info.bits_stored <= 14) return encode_as<std::int16_t, std::uint16_t>(frame, samples->view, p);
  return encode_as<std::int32_t, std::uint16_t>(frame, samples->view, p);
}

}  // namespace waybill::pixel
