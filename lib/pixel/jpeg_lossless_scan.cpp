// SPDX-License-Identifier: Apache-2.0
// The fast way through a sound JPEG lossless scan. A table over the next 12 bits gives the difference itself where its
// code and its bits fit in (nearly always), and the bit buffer is filled by four bytes unless one of them is FF.
#include "pixel/jpeg_lossless.hpp"

#include <cstring>
#include <memory>

namespace waybill::pixel {
namespace {

constexpr unsigned kLookBits = 12;

struct Entry {
  std::int16_t difference = 0;
  std::uint8_t bits = 0;      ///< to take from the stream: code and difference, or the code alone
  std::uint8_t category = 0;  ///< 0xFF: `difference` is ready; 0xFE: the code is longer than 12 bits
};
constexpr std::uint8_t kReady = 0xFF;
constexpr std::uint8_t kLong = 0xFE;

int extended(std::uint32_t bits, unsigned category) {
  const auto value = static_cast<int>(bits);
  return category != 0 && (bits >> (category - 1)) == 0 ? value - (1 << category) + 1 : value;
}

/// Codes of a table: for each length the first code and where its symbols begin.
struct Table {
  std::array<Entry, 1U << kLookBits> look{};
  std::array<std::uint32_t, 18> first_code{}, first_index{}, end_code{};
  std::array<std::uint8_t, 256> symbols{};

  /// False when a code does not fit or a category is not one that a plain scan has.
  bool build(const HuffmanSpec& spec) {
    symbols = spec.symbols;
    look.fill(Entry{0, 0, kLong});
    std::uint32_t code = 0, index = 0;
    for (unsigned length = 1; length <= 16; ++length) {
      first_code[length] = code;
      first_index[length] = index;
      for (unsigned i = 0; i < spec.counts[length]; ++i, ++code, ++index) {
        if (code >> length != 0 || index >= 256) return false;
        if (length <= kLookBits) fill(code, length, symbols[index]);
      }
      end_code[length] = code;
      code <<= 1U;
    }
    return true;
  }

 private:
  void fill(std::uint32_t code, unsigned length, unsigned category) {
    const unsigned rest = kLookBits - length;
    for (std::uint32_t tail = 0; tail < (1U << rest); ++tail) {
      Entry& entry = look[(code << rest) | tail];
      entry = {0, static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(category)};
      if (category > rest || category > 15) continue;
      entry.bits = static_cast<std::uint8_t>(length + category);
      entry.difference = static_cast<std::int16_t>(extended(category == 0 ? 0 : tail >> (rest - category), category));
      entry.category = kReady;
    }
  }
};

class Reader {
 public:
  explicit Reader(ByteView in) : at_(in.data()), end_(in.data() + in.size()) {}

  /// The next difference. Behind the end of the stream the bits are 0 and ended() tells.
  bool next(const Table& table, int& difference) {
    fill();
    const Entry entry = table.look[buffer_ >> (64 - kLookBits)];
    if (entry.category == kReady) [[likely]] {
      take(entry.bits);
      difference = entry.difference;
      return true;
    }
    unsigned category = entry.category;
    if (category == kLong) {
      unsigned length = kLookBits + 1;
      while (length <= 16 && (buffer_ >> (64 - length)) >= table.end_code[length]) ++length;
      if (length > 16) return false;
      const auto code = static_cast<std::uint32_t>(buffer_ >> (64 - length));
      if (code < table.first_code[length]) return false;
      category = table.symbols[(table.first_index[length] + code - table.first_code[length]) & 0xFFU];
      take(length);
    } else {
      take(entry.bits);
    }
    if (category > 15) return false;
    if (category == 0) {
      difference = 0;
      return true;
    }
    difference = extended(static_cast<std::uint32_t>(buffer_ >> (64 - category)), category);
    take(category);
    return true;
  }

  bool ended() const { return have_ < 0; }

 private:
  void take(unsigned bits) {
    buffer_ <<= bits;
    have_ -= static_cast<int>(bits);
  }

  void fill() {
    if (have_ > 32) return;
    if (end_ - at_ >= 4) {
      std::uint32_t word;
      std::memcpy(&word, at_, 4);
      const std::uint32_t none = ~word;  // a byte FF is a byte 0 here
      if (((none - 0x01010101U) & word & 0x80808080U) == 0 && have_ >= 0) {
        buffer_ |= std::uint64_t{__builtin_bswap32(word)} << (32 - have_);
        have_ += 32;
        at_ += 4;
        return;
      }
    }
    fill_by_byte();
  }

  void fill_by_byte() {
    while (have_ >= 0 && have_ <= 56 && at_ < end_) {
      const auto byte = std::to_integer<std::uint64_t>(*at_);
      if (byte == 0xFF) {
        if (end_ - at_ < 2 || at_[1] != std::byte{0}) return;  // a marker: the scan's end
        ++at_;
      }
      ++at_;
      buffer_ |= byte << (56 - have_);
      have_ += 8;
    }
  }

  const std::byte* at_;
  const std::byte* end_;
  std::uint64_t buffer_ = 0;
  int have_ = 0;
};

template <int Predictor>
int predicted(int a, int b, int c) {
  if constexpr (Predictor == 1) return a;
  if constexpr (Predictor == 2) return b;
  if constexpr (Predictor == 3) return c;
  if constexpr (Predictor == 4) return a + b - c;
  if constexpr (Predictor == 5) return a + ((b - c) >> 1);
  if constexpr (Predictor == 6) return b + ((a - c) >> 1);
  return (a + b) >> 1;
}

using Tables = std::array<Table, 3>;

template <typename T, int N, int Predictor>
bool decode_rows(const LosslessScan& scan, const Tables& tables, Reader& reader, T* out) {
  const std::size_t row = std::size_t{scan.columns} * N;
  int difference = 0;
  for (std::uint32_t y = 0; y < scan.rows; ++y, out += row) {
    for (std::size_t c = 0; c < N; ++c) {  // the first pixel of a row is predicted from above
      if (!reader.next(tables[c], difference)) return false;
      const int above = y == 0 ? 1 << (scan.precision - 1) : (out - row)[c];
      out[c] = static_cast<T>(above + difference);
    }
    const T* const up = out - row;
    for (std::size_t i = N; i < row; i += N) {
      for (std::size_t c = 0; c < N; ++c) {
        if (!reader.next(tables[c], difference)) return false;
        const int a = out[i + c - N];
        int prediction = a;
        if constexpr (Predictor != 1) {
          if (y > 0) prediction = predicted<Predictor>(a, up[i + c], up[i + c - N]);
        }
        out[i + c] = static_cast<T>(prediction + difference);
      }
    }
    if (reader.ended()) return false;
  }
  return true;
}

template <typename T, int N>
bool decode_by_predictor(const LosslessScan& scan, const Tables& tables, Reader& reader, T* out) {
  switch (scan.predictor) {
    case 1: return decode_rows<T, N, 1>(scan, tables, reader, out);
    case 2: return decode_rows<T, N, 2>(scan, tables, reader, out);
    case 3: return decode_rows<T, N, 3>(scan, tables, reader, out);
    case 4: return decode_rows<T, N, 4>(scan, tables, reader, out);
    case 5: return decode_rows<T, N, 5>(scan, tables, reader, out);
    case 6: return decode_rows<T, N, 6>(scan, tables, reader, out);
    case 7: return decode_rows<T, N, 7>(scan, tables, reader, out);
    default: return false;
  }
}

}  // namespace

bool decode_plain_scan(const LosslessScan& scan, ByteView entropy_coded, unsigned bytes_per_sample, Bytes& out) {
  // With 16 bits and predictors 5 to 7 there are encoders whose predictor overflowed: the careful decoder tells them.
  if (scan.restart != 0 || scan.shift != 0 || (scan.precision == 16 && scan.predictor > 4)) return false;
  const auto tables = std::make_unique<Tables>();
  for (unsigned c = 0; c < scan.components; ++c) {
    if (!(*tables)[c].build(*scan.tables[c])) return false;
  }
  out.resize(std::size_t{scan.rows} * scan.columns * scan.components * bytes_per_sample);
  Reader reader(entropy_coded);
  if (bytes_per_sample == 1) {
    auto* const to = reinterpret_cast<std::uint8_t*>(out.data());
    return scan.components == 1 ? decode_by_predictor<std::uint8_t, 1>(scan, *tables, reader, to)
                                : decode_by_predictor<std::uint8_t, 3>(scan, *tables, reader, to);
  }
  auto* const to = reinterpret_cast<std::uint16_t*>(out.data());
  return scan.components == 1 ? decode_by_predictor<std::uint16_t, 1>(scan, *tables, reader, to)
                              : decode_by_predictor<std::uint16_t, 3>(scan, *tables, reader, to);
}

}  // namespace waybill::pixel
