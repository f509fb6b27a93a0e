// SPDX-License-Identifier: Apache-2.0
// JPEG lossless, process 14 (ITU-T T.81 Annex H): Huffman-coded differences to one of seven predictors. The scan is
// tried the fast way (jpeg_lossless_scan.cpp); what is odd in it is read with care here, faults of known encoders
// included.
#include "pixel/jpeg_lossless.hpp"

#include "pixel/codecs.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace waybill::pixel {
namespace {

struct Huffman {
  std::array<int, 18> first_code{}, last_code{}, first_index{};
  std::array<std::uint8_t, 256> symbols{};
  int count = 0;
  bool defined = false;
};

/// Bits of the entropy-coded segment, stuffed zero bytes removed; stands still at a marker.
class BitReader {
 public:
  BitReader(ByteView in, std::size_t at) : in_(in), at_(at) {}

  bool bits(int n, std::uint32_t& out) {
    while (have_ < n) {
      if (at_ >= in_.size()) return false;
      const auto byte = std::to_integer<std::uint32_t>(in_[at_]);
      if (byte == 0xFF) {
        if (at_ + 1 >= in_.size() || in_[at_ + 1] != std::byte{0}) return false;
        ++at_;
      }
      ++at_;
      buffer_ = (buffer_ << 8U) | byte;
      have_ += 8;
    }
    have_ -= n;
    out = static_cast<std::uint32_t>((buffer_ >> static_cast<unsigned>(have_)) &
                                     ((std::uint64_t{1} << static_cast<unsigned>(n)) - 1));
    return true;
  }

  /// Whether all bits but the padding of the last byte are used up and a marker or the end follows.
  bool used_up() const {
    if (have_ >= 8) return false;
    return at_ >= in_.size() ||
           (in_[at_] == std::byte{0xFF} && (at_ + 1 >= in_.size() || in_[at_ + 1] != std::byte{0}));
  }

  /// Where the next marker other than a restart begins, or the end.
  std::size_t behind() const {
    for (std::size_t at = at_; at + 1 < in_.size(); ++at) {
      const auto next = std::to_integer<unsigned>(in_[at + 1]);
      if (in_[at] == std::byte{0xFF} && next != 0 && next != 0xFF && (next < 0xD0 || next > 0xD7)) return at;
    }
    return in_.size();
  }

  /// The next 16 bits, which stay to be read; nullopt when fewer are left.
  std::optional<std::uint32_t> peek16() const {
    BitReader ahead = *this;
    std::uint32_t out = 0;
    return ahead.bits(16, out) ? std::optional(out) : std::nullopt;
  }

  bool symbol(const Huffman& table, int& out) {
    int code = 0;
    for (int length = 1; length <= 16; ++length) {
      std::uint32_t bit = 0;
      if (!bits(1, bit)) return false;
      code = code * 2 + static_cast<int>(bit);
      const auto l = static_cast<std::size_t>(length);
      if (table.last_code[l] >= 0 && code <= table.last_code[l] && code >= table.first_code[l]) {
        out = table.symbols[static_cast<std::size_t>(table.first_index[l] + code - table.first_code[l])];
        return true;
      }
    }
    return false;
  }

  /// Steps over a restart marker.
  bool restart() {
    have_ = 0;
    while (at_ + 1 < in_.size() && in_[at_] == std::byte{0xFF} && in_[at_ + 1] == std::byte{0xFF}) ++at_;
    if (at_ + 1 >= in_.size() || in_[at_] != std::byte{0xFF}) return false;
    const auto marker = std::to_integer<unsigned>(in_[at_ + 1]);
    if (marker < 0xD0 || marker > 0xD7) return false;
    at_ += 2;
    return true;
  }

 private:
  ByteView in_;
  std::size_t at_;
  std::uint64_t buffer_ = 0;
  int have_ = 0;
};

/// Which of its known faulty encoders wrote a stream.
enum class Encoder { sound, cornell, overflowing };

class Decoder14 {
 public:
  Decoder14(const ImageInfo& info, ByteView in, Encoder encoder = Encoder::sound)
      : info_(info), in_(in), encoder_(encoder) {}

  int precision() const { return precision_; }
  /// Whether the scan held a difference of 32768, whose bits the Cornell encoder gets wrong.
  bool met_overflow() const { return met_overflow_; }
  /// Whether the scan was used up to its last byte.
  bool used_up() const { return used_up_; }
  /// Whether predictors computed in signed 16-bit words give other samples.
  bool two_readings() const { return two_readings_; }

  Result<Frame> run() {
    if (in_.size() < 4 || load_u16(in_.data(), true) != 0xFFD8) return bad("no SOI");
    std::size_t at = 2;
    while (at + 4 <= in_.size()) {
      if (in_[at] != std::byte{0xFF}) return bad("no marker where one is due");
      const auto marker = std::to_integer<unsigned>(in_[at + 1]);
      if (marker == 0xFF) {
        ++at;
        continue;
      }
      const std::size_t length = load_u16(in_.data() + at + 2, true);
      if (length < 2 || at + 2 + length > in_.size()) return bad("a marker segment runs past the end");
      const ByteView segment = in_.subspan(at + 4, length - 2);
      at += 2 + length;
      if (marker == 0xC3 && !frame_header(segment)) return bad("the frame header is not valid");
      if (marker == 0xC4 && !huffman_tables(segment)) return bad("a Huffman table is not valid");
      if (marker == 0xDD && segment.size() >= 2) restart_ = load_u16(segment.data(), true);
      if (marker == 0xDA) {
        if (auto done = scan(segment, at); !done) return done.error();
        if (missing_ == 0) return frame_of_plain_ ? *std::move(frame_of_plain_) : finish();
        continue;
      }
      if (marker == 0xD9) break;
      const bool other_frame =
          marker >= 0xC0 && marker <= 0xCF && marker != 0xC3 && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
      if (other_frame) return bad("not a Huffman-coded lossless frame");
    }
    return bad(samples_.empty() ? "no scan" : "a component has no scan");
  }

 private:
  static Failure bad(const std::string& why) { return {Fault::malformed, "JPEG lossless: " + why}; }

  bool frame_header(ByteView s) {
    if (s.size() < 6 || components_ != 0) return false;
    precision_ = std::to_integer<int>(s[0]);
    rows_ = load_u16(s.data() + 1, true);
    columns_ = load_u16(s.data() + 3, true);
    components_ = std::to_integer<unsigned>(s[5]);
    if (precision_ < 2 || precision_ > 16 || rows_ == 0 || columns_ == 0 || (components_ != 1 && components_ != 3))
      return false;
    if (s.size() < 6 + std::size_t{3} * components_) return false;
    for (unsigned i = 0; i < components_; ++i) {
      ids_[i] = s[6 + std::size_t{3} * i];
      if (components_ > 1 && s[7 + std::size_t{3} * i] != std::byte{0x11})
        return false;  // no subsampling in lossless medical images
    }
    missing_ = (1U << components_) - 1;
    return true;
  }

  bool huffman_tables(ByteView s) {
    while (s.size() >= 17) {
      const std::size_t which = std::to_integer<std::size_t>(s[0]) & 3U;
      Huffman& table = tables_[which];
      HuffmanSpec& spec = specs_[which];
      table = Huffman{};
      spec = HuffmanSpec{};
      int code = 0;
      int index = 0;
      for (std::size_t length = 1; length <= 16; ++length) {
        const int n = std::to_integer<int>(s[length]);
        spec.counts[length] = static_cast<std::uint8_t>(n);
        table.first_code[length] = code;
        table.first_index[length] = index;
        table.last_code[length] = n > 0 ? code + n - 1 : -1;
        code = (code + n) * 2;
        index += n;
      }
      if (index > 256 || s.size() < 17 + static_cast<std::size_t>(index)) return false;
      for (int i = 0; i < index; ++i)
        table.symbols[static_cast<std::size_t>(i)] = std::to_integer<std::uint8_t>(s[17 + static_cast<std::size_t>(i)]);
      table.defined = true;
      spec.symbols = table.symbols;
      s = s.subspan(17 + static_cast<std::size_t>(index));
    }
    return s.empty();
  }

  /// The components of a scan, in the order of the frame header (T.81 B.2.3); none when it is not valid.
  std::vector<unsigned> components_of(ByteView s) const {
    std::vector<unsigned> out;
    const std::size_t n = s.empty() ? 0 : std::to_integer<std::size_t>(s[0]);
    if (n == 0 || n > components_ || s.size() < 4 + 2 * n) return out;
    for (std::size_t i = 0; i < n; ++i) {
      // All in one scan are taken in their order whatever it calls them: some encoders number them anew.
      const std::size_t at =
          n == components_ ? i
                           : static_cast<std::size_t>(
                                 std::find(ids_.begin(), ids_.begin() + components_, s[1 + 2 * i]) - ids_.begin());
      if (at >= components_ || ((missing_ >> at) & 1U) == 0 || (!out.empty() && out.back() >= at)) return {};
      out.push_back(static_cast<unsigned>(at));
    }
    return out;
  }

  /// Decodes one scan; `at` is where its entropy-coded bytes begin, and then where the next marker does.
  Result<Done> scan(ByteView s, std::size_t& at) {
    const std::vector<unsigned> parts = components_of(s);
    if (rows_ == 0 || parts.empty()) return bad("the scan header is not valid");
    const auto n = static_cast<unsigned>(parts.size());
    std::array<const Huffman*, 3> tables{};
    LosslessScan plain{rows_, columns_, n, precision_, 0, 0, restart_, {}};
    for (unsigned i = 0; i < n; ++i) {
      const std::size_t which = (std::to_integer<std::size_t>(s[2 + std::size_t{2} * i]) >> 4U) & 3U;
      tables[i] = &tables_[which];
      plain.tables[i] = &specs_[which];
      if (!tables[i]->defined) return bad("a Huffman table is missing");
    }
    const std::size_t tail = 1 + std::size_t{2} * n;
    predictor_ = std::to_integer<int>(s[tail]);
    shift_ = std::to_integer<int>(s[tail + 2]) & 15;
    if (predictor_ < 1 || predictor_ > 7 || shift_ >= precision_) return bad("the predictor is not valid");
    // A sample takes at least one bit: what cannot fill the frame is refused before memory is taken.
    const std::uint64_t pixels = std::uint64_t{rows_} * columns_;
    if (pixels * n > (in_.size() - at) * 8 || pixels * components_ * 2 > kMaxFrameBytes)
      return Failure{Fault::truncated, "JPEG lossless: the scan is too short for rows and columns"};
    plain.predictor = predictor_;
    plain.shift = shift_;
    if (n == components_ && encoder_ == Encoder::sound) {
      Frame frame = described();
      if (decode_plain_scan(plain, in_.subspan(at), frame.bytes_per_sample, frame.data)) {
        frame_of_plain_ = std::move(frame);
        missing_ = 0;
        return Done{};
      }
    }
    samples_.resize(std::size_t{rows_} * columns_ * components_);
    BitReader reader(in_, at);
    if (auto done = read_samples(reader, parts, tables); !done) return done;
    used_up_ = reader.used_up();
    at = reader.behind();
    for (const unsigned part : parts) missing_ &= ~(1U << part);
    return Done{};
  }

  Result<Done> read_samples(BitReader& reader, const std::vector<unsigned>& parts,
                            const std::array<const Huffman*, 3>& tables) {
    std::uint64_t units = 0;
    bool fresh = true;  // the first line of the image or after a restart predicts from the left alone
    std::uint32_t fresh_row = 0;
    for (std::uint32_t y = 0; y < rows_; ++y) {
      for (std::uint32_t x = 0; x < columns_; ++x, ++units) {
        if (restart_ != 0 && units != 0 && units % restart_ == 0) {
          if (!reader.restart()) return bad("a restart marker is missing");
          fresh = true;
        }
        const bool start = fresh;
        if (fresh) fresh_row = y;
        fresh = false;
        for (std::size_t c = 0; c < parts.size(); ++c) {
          int difference = 0;
          if (!read_difference(reader, *tables[c], difference))
            return Failure{Fault::truncated, "JPEG lossless: the scan ends early"};
          std::uint16_t* p = &samples_[(std::size_t{y} * columns_ + x) * components_ + parts[c]];
          *p = static_cast<std::uint16_t>(predict(p, x, y, start, y == fresh_row) + difference);
        }
      }
    }
    if (shift_ == 0) return Done{};
    for (const unsigned part : parts) {
      for (std::size_t i = part; i < samples_.size(); i += components_)
        samples_[i] = static_cast<std::uint16_t>(samples_[i] << static_cast<unsigned>(shift_));
    }
    return Done{};
  }

  bool read_difference(BitReader& reader, const Huffman& table, int& difference) {
    int category = 0;
    std::uint32_t overflow = 0;
    if (!reader.symbol(table, category)) {
      // The Cornell encoder gives category 16 a 17th bit when its table has no room for it.
      met_overflow_ = met_overflow_ || precision_ == 16;
      if (encoder_ != Encoder::cornell || !reader.bits(1, overflow)) return false;
      category = 16;
    }
    if (category > 16) return false;
    if (category == 0) {
      difference = 0;
      return true;
    }
    if (category == 16) {
      met_overflow_ = true;
      difference = 32768;
      if (encoder_ != Encoder::cornell) return true;
      const auto behind = reader.peek16();
      if (behind && (*behind == 0x8000U || *behind == 0x7FFFU)) (void)reader.bits(16, overflow);
      return true;
    }
    std::uint32_t bits = 0;
    if (!reader.bits(category, bits)) return false;
    const auto value = static_cast<int>(bits);
    difference = value < (1 << (category - 1)) ? value - (1 << category) + 1 : value;
    return true;
  }

  int predict(const std::uint16_t* p, std::uint32_t x, std::uint32_t y, bool start, bool first_row) {
    const auto n = static_cast<std::ptrdiff_t>(components_);
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(columns_) * n;
    if (start) return 1 << (precision_ - shift_ - 1);
    if (first_row || y == 0) return x == 0 ? p[-row] : p[-n];
    if (x == 0) return p[-row];
    const int a = p[-n];
    const int b = p[-row];
    const int c = p[-row - n];
    if (predictor_ < 5) return combine(a, b, c);
    if (precision_ < 16 || ((a | b | c) & 0x8000) == 0) return combine(a, b, c);
    const int sound = combine(a, b, c);
    const auto word = [](int v) { return static_cast<int>(static_cast<std::int16_t>(v)); };
    const int overflowing = combine(word(a), word(b), word(c));
    two_readings_ = two_readings_ || ((sound ^ overflowing) & 0xFFFF) != 0;
    return encoder_ == Encoder::overflowing ? overflowing : sound;
  }

  int combine(int a, int b, int c) const {
    switch (predictor_) {
      case 1: return a;
      case 2: return b;
      case 3: return c;
      case 4: return a + b - c;
      case 5: return a + ((b - c) >> 1);
      case 6: return b + ((a - c) >> 1);
      default: return (a + b) >> 1;
    }
  }

  Frame described() const {
    Frame frame;
    frame.rows = rows_;
    frame.columns = columns_;
    frame.samples = static_cast<std::uint16_t>(components_);
    frame.precision = static_cast<std::uint16_t>(precision_);
    frame.photometric = info_.photometric;
    frame.bytes_per_sample = static_cast<std::uint16_t>(info_.bits_allocated > 8 || precision_ > 8 ? 2 : 1);
    return frame;
  }

  Frame finish() const {
    Frame frame = described();
    frame.data.resize(samples_.size() * frame.bytes_per_sample);
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      frame.data[i * frame.bytes_per_sample] = static_cast<std::byte>(samples_[i] & 0xFFU);
      if (frame.bytes_per_sample == 2) frame.data[i * 2 + 1] = static_cast<std::byte>(samples_[i] >> 8U);
    }
    return frame;
  }

  const ImageInfo& info_;
  ByteView in_;
  std::array<Huffman, 4> tables_{};
  std::array<HuffmanSpec, 4> specs_{};
  std::array<std::byte, 3> ids_{};
  std::uint32_t rows_ = 0, columns_ = 0, restart_ = 0;
  unsigned components_ = 0;
  unsigned missing_ = 0;  ///< components without a scan yet, a bit each
  std::vector<std::uint16_t> samples_;
  std::optional<Frame> frame_of_plain_;
  int precision_ = 0, predictor_ = 1, shift_ = 0;
  Encoder encoder_;
  bool met_overflow_ = false, used_up_ = false, two_readings_ = false;
};

/// Sum of the steps between neighbours in a row and in a column, counted modulo 2^16: a wrong reading jumps by 32768.
std::uint64_t roughness(const Frame& frame) {
  const std::size_t row = std::size_t{frame.columns} * frame.samples;
  const auto sample = [&](std::size_t i) { return load_u16(frame.data.data() + 2 * i); };
  const auto step = [](std::uint16_t a, std::uint16_t b) {
    const auto up = static_cast<std::uint16_t>(a - b);
    return std::min<std::uint32_t>(up, 0x10000U - up);
  };
  std::uint64_t sum = 0;
  for (std::size_t i = row; i < frame.data.size() / 2; ++i) {
    sum += step(sample(i), sample(i - row));
    if (i % row >= frame.samples) sum += step(sample(i), sample(i - frame.samples));
  }
  return sum;
}

}  // namespace

Result<Frame> decode_jpeg_lossless(const ImageInfo& info, ByteView stream) {
  Decoder14 sound(info, stream);
  auto frame = sound.run();
  if (sound.precision() != 16) return frame;
  if (sound.met_overflow() && (!frame || !sound.used_up())) {
    Decoder14 cornell(info, stream, Encoder::cornell);
    auto mended = cornell.run();
    if (mended && cornell.used_up()) {
      mended->quirk = Quirk::cornell_overflow;
      return mended;
    }
  }
  if (frame && sound.two_readings()) {
    auto mended = Decoder14(info, stream, Encoder::overflowing).run();
    if (mended && roughness(*mended) < roughness(*frame) / 2) {
      mended->quirk = Quirk::predictor_overflow;
      return mended;
    }
  }
  return frame;
}

}  // namespace waybill::pixel
