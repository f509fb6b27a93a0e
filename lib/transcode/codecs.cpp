// SPDX-License-Identifier: Apache-2.0
#include "transcode/codecs.hpp"

#include "io/scratch.hpp"
#include "pixel/codec.hpp"
#include "pixel/encapsulated.hpp"

#include <algorithm>

namespace waybill::transcode {
namespace {

using pixel::Decoder;
using pixel::Frame;
using pixel::PixelData;

bool is_native(std::string_view syntax) { return pixel::fidelity_of(syntax) == pixel::Fidelity::native; }

Result<Frame> fitting(Result<Frame> frame, const pixel::ImageInfo& info) {
  if (!frame) return frame;
  if (frame->rows != info.rows || frame->columns != info.columns || frame->samples != info.samples)
    return Failure{Fault::mismatch, "the codestream's rows, columns or components differ from the header's"};
  if (frame->bytes_per_sample * 8 != info.bits_allocated && (info.bits_allocated != 1 || frame->bytes_per_sample != 1))
    return Failure{Fault::unsupported, "the decoded sample size differs from Bits Allocated"};
  return frame;
}

/// Appends samples of one bit, a byte each, to `out`, which holds `at` bits: low bits first and on across frames (PS3.5
/// 8.1.1).
void append_bits(const Frame& frame, std::uint64_t at, Bytes& out) {
  out.resize((at + frame.bytes().size() + 7) / 8);
  for (const std::byte bit : frame.bytes()) {
    out[at / 8] |= (bit & std::byte{1}) << (at % 8);
    ++at;
  }
}

std::string_view model_of(const Frame& frame) {
  return frame.photometric == "YBR_RCT" ? std::string_view("RGB") : frame.photometric;
}

/// The rows of `frame` from `row` on are `rows`, without a look at which bits count.
bool holds_rows(const Frame& frame, std::uint32_t row, const Frame& rows) {
  if (frame.columns != rows.columns || frame.samples != rows.samples ||
      frame.bytes_per_sample != rows.bytes_per_sample || model_of(frame) != model_of(rows) ||
      rows.rows > frame.rows - row)
    return false;
  const std::size_t one = frame.bytes().size() / std::max<std::uint32_t>(1, frame.rows);
  return as_text(frame.bytes().subspan(row * one, rows.rows * one)) == as_text(rows.bytes());
}

bool same_header(const pixel::ImageInfo& a, const pixel::ImageInfo& b) {
  return a.bits_stored == b.bits_stored && a.high_bit == b.high_bit && a.is_signed == b.is_signed &&
         a.float_bits == b.float_bits && a.bits_allocated == b.bits_allocated && a.high_bit + 1 == a.bits_stored;
}

/// Frame by frame; what differs in bits that do not count is settled by PIX1.
Result<Done> same_frames(const PixelData& source, Decoder by, const PixelData& written, Decoder verifier) {
  std::vector<manifest::Finding> findings;
  const auto left = pixel::FrameReader::open(source, findings);
  const auto right = pixel::FrameReader::open(written, findings);
  if (!left) return left.error();
  if (!right) return right.error();
  bool same = left->count() == right->count() && same_header(source.info, written.info);
  for (std::uint32_t i = 0; same && i < left->count(); ++i) {
    // One is held, native samples where there are some; the other goes by.
    const bool hold_left = !source.encapsulated || written.encapsulated;
    const auto frame = hold_left ? left->borrow(i, by) : right->borrow(i, verifier);
    if (!frame) return frame.error();
    same = frame->quirk == pixel::Quirk::none;
    std::uint32_t row = 0;
    const auto goes_by = [&](const Frame& rows) {
      same = same && rows.quirk == pixel::Quirk::none && holds_rows(*frame, row, rows);
      row += rows.rows;
      return same;
    };
    const auto done = hold_left ? right->rows(i, verifier, goes_by) : left->rows(i, by, goes_by);
    if (!done) return done.error();
    same = same && row == frame->rows;
  }
  if (same) return Done{};
  const auto a = pixel::digest_pixels(source, findings, by);
  if (!a) return a.error();
  const auto b = pixel::digest_pixels(written, findings, verifier);
  if (!b) return b.error();
  if (a->pixel == b->pixel) return Done{};
  return Failure{Fault::mismatch, "PIX1 of the written file differs from the source's"};
}

bool has_quirk(const PixelData& data) {
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  for (std::uint32_t i = 0; reader && i < reader->count(); ++i) {
    const auto frame = reader->read(i);
    if (frame && frame->quirk != pixel::Quirk::none) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Buffer> CodecsHere::buffer() {
  class Plain : public Buffer {
   public:
    std::span<std::byte> room(std::size_t size) override { return scratch_.room(size); }

   private:
    io::Scratch scratch_;
  };
  return std::make_unique<Plain>();
}

Result<Encoded> CodecsHere::encode(const PixelData& data, const std::string& syntax) {
  std::vector<manifest::Finding> findings;
  const auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return reader.error();
  Encoded out;
  const auto streams = std::make_shared<std::vector<Bytes>>();
  streams->reserve(reader->count());
  out.memory = streams;
  out.photometric = data.info.photometric;
  const bool packed = is_native(syntax) && data.info.bits_allocated == 1;
  Bytes bits;  // of all frames; they stand in the first, the others are empty
  if (!packed) out.frames.reserve(reader->count());
  for (std::uint32_t i = 0; i < reader->count(); ++i) {
    auto frame = fitting(reader->borrow(i), data.info);
    if (!frame) return frame.error();
    out.photometric = frame->photometric;
    out.samples = frame->samples;
    if (packed) {
      append_bits(*frame, i * std::uint64_t{frame->bytes().size()}, bits);
      continue;
    }
    if (is_native(syntax)) {
      const ByteView borrowed = frame->borrowed;
      out.frames.push_back(borrowed.empty() ? ByteView(streams->emplace_back(std::move(frame->data))) : borrowed);
      continue;
    }
    out.photometric = pixel::stored_photometric(syntax, *frame);
    auto stream = pixel::encode_frame(syntax, data.info, *frame);
    if (!stream) return stream.error();
    out.frames.emplace_back(streams->emplace_back(*std::move(stream)));
  }
  if (packed) {
    out.frames.resize(reader->count());
    out.frames.front() = streams->emplace_back(std::move(bits));
  }
  return out;
}

Result<std::string> CodecsHere::compare(const PixelData& source, const PixelData& written) {
  const std::string& from = source.transfer_syntax;
  const std::string& to = written.transfer_syntax;
  const Decoder verifier = pixel::verifier_of(to);
  if (!pixel::can_decode(to, verifier)) return Failure{Fault::unsupported, "no decoder for what was written"};
  // encode() read the source with the primary decoder, so the other one is asked whether that was right.
  const bool second = source.encapsulated && !is_native(from) && pixel::can_decode(from, Decoder::independent);
  const auto named = [&](Decoder by) {
    return is_native(to) ? pixel::decoder_name(from, by) : pixel::decoder_name(to, verifier);
  };
  if (second) {
    const auto same = same_frames(source, Decoder::independent, written, verifier);
    if (same) return named(Decoder::independent);
    if (same.error().fault == Fault::mismatch && !has_quirk(source)) return same.error();
  }
  const auto same = same_frames(source, Decoder::primary, written, verifier);
  if (!same) return same.error();
  return named(Decoder::primary);
}

std::uint64_t frame_size(const pixel::ImageInfo& info) noexcept {
  pixel::ImageInfo one = info;
  one.frames = 1;
  return pixel::native_length(one).value_or(0);
}

Result<Parts> Parts::of(const PixelData& data) {
  std::vector<manifest::Finding> findings;
  auto reader = pixel::FrameReader::open(data, findings);
  if (!reader) return reader.error();
  Parts parts;
  parts.data_ = &data;
  parts.reader_ = *std::move(reader);
  if (parts.frames() == 0) return Failure{Fault::malformed, "pixel data without a frame"};
  return parts;
}

std::uint32_t Parts::frames_a_part(std::uint64_t bytes) const noexcept {
  const std::uint64_t one = frame_size(data_->info);
  // Frames of bits share bytes, on whichever side of a comparison they are native.
  if (data_->info.bits_allocated % 8 != 0 || (!data_->encapsulated && data_->info.pixel_words)) return frames();
  if (one == 0 || one > bytes) return 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes / one, frames()));
}

Part Parts::part(std::uint32_t first, std::uint32_t count) const {
  Part out{*data_, {}};
  if (first == 0 && count == frames()) return out;
  out.data.info.frames = count;
  if (!data_->encapsulated) {
    const std::uint64_t one = frame_size(data_->info);
    const std::uint64_t begin = std::min<std::uint64_t>(first * one, data_->value.size());
    out.data.value = data_->value.subspan(begin, std::min<std::uint64_t>(count * one, data_->value.size() - begin));
    return out;
  }
  std::vector<Bytes> streams;
  for (std::uint32_t i = first; i < first + count; ++i) streams.push_back(reader_.codestream(i));
  pixel::write_encapsulated(streams, out.held);
  out.data.value = out.held;
  return out;
}

}  // namespace waybill::transcode
