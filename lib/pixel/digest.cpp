// SPDX-License-Identifier: Apache-2.0
// PIX1 and CSTR (docs/digests.md), one decoded frame in memory at a time.
#include "pixel/digest.hpp"

#include "pixel/codecs.hpp"
#include "pixel/samples.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace waybill::pixel {
namespace {

using manifest::Finding;

bool subsampled(const ImageInfo& info) {
  return info.photometric == "YBR_FULL_422" && info.samples == 3 && info.bits_allocated == 8;
}

std::optional<std::uint64_t> checked_product(std::initializer_list<std::uint64_t> factors) {
  std::uint64_t out = 1;
  for (const std::uint64_t f : factors) {
    if (__builtin_mul_overflow(out, f, &out)) return std::nullopt;
  }
  return out;
}

/// Bytes of one native frame; for 1-bit data frames share bytes, so this is for whole-byte samples only.
std::optional<std::uint64_t> native_frame_bytes(const ImageInfo& info) {
  const auto bits = checked_product({info.rows, info.columns, info.samples, info.bits_allocated});
  if (!bits) return std::nullopt;
  return subsampled(info) ? *bits / 8 / 3 * 2 : *bits / 8;
}

void swap_words(Bytes& data, std::size_t word) {
  for (std::size_t i = 0; i + word <= data.size(); i += word)
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(i), data.begin() + static_cast<std::ptrdiff_t>(i + word));
}

Result<Frame> one_bit_frame(const PixelData& data, std::uint32_t i) {
  const ImageInfo& info = data.info;
  const auto pixels = checked_product({info.rows, info.columns, info.samples});
  if (!pixels || *pixels == 0 || *pixels > kMaxFrameBytes) return Failure{Fault::limit, "a frame beyond 2 GiB"};
  const std::uint64_t first = std::uint64_t{i} * *pixels;
  if ((first + *pixels + 7) / 8 > data.value.size())
    return Failure{Fault::truncated, "the pixel data ends before frame " + std::to_string(i + 1)};
  Frame frame{info.rows, info.columns, info.samples, 1, 0, false, info.photometric, Bytes(*pixels)};
  for (std::uint64_t k = 0; k < *pixels; ++k) {
    const std::uint64_t bit = first + k;
    std::uint64_t byte = bit / 8;
    if (data.big_endian) byte ^= 1U;  // 1-bit data in big-endian words
    if (byte < data.value.size()) frame.data[k] = (data.value[byte] >> (bit % 8)) & std::byte{1};
  }
  if (info.planar && info.samples > 1) frame.data = interleave(frame.data, info.samples, 1);
  return frame;
}

/// 12 bits allocated (before DICOM 3.0 ended it): samples packed low bits first, also across frames.
Result<Frame> twelve_bit_frame(const PixelData& data, std::uint32_t i) {
  const ImageInfo& info = data.info;
  const auto samples = checked_product({info.rows, info.columns, info.samples});
  if (!samples || *samples == 0 || *samples > kMaxFrameBytes / 2) return Failure{Fault::limit, "a frame beyond 2 GiB"};
  const std::uint64_t first = std::uint64_t{i} * *samples;
  if (((first + *samples) * 12 + 7) / 8 > data.value.size())
    return Failure{Fault::truncated, "the pixel data ends before frame " + std::to_string(i + 1)};
  Frame frame{info.rows, info.columns, info.samples, 2, 0, false, info.photometric, Bytes(*samples * 2)};
  const auto byte = [&](std::uint64_t at) {
    at = data.big_endian ? at ^ 1U : at;
    return at < data.value.size() ? std::to_integer<unsigned>(data.value[at]) : 0U;
  };
  for (std::uint64_t k = 0; k < *samples; ++k) {
    const std::uint64_t bit = (first + k) * 12;
    const unsigned word = byte(bit / 8) | (byte(bit / 8 + 1) << 8U);
    const unsigned v = (bit % 8 == 0 ? word : word >> 4U) & 0xFFFU;
    frame.data[2 * k] = static_cast<std::byte>(v & 0xFFU);
    frame.data[2 * k + 1] = static_cast<std::byte>(v >> 8U);
  }
  if (info.planar && info.samples > 1) frame.data = interleave(frame.data, info.samples, 2);
  return frame;
}

/// A frame of native `bytes`; they are borrowed when they need no change.
Result<Frame> native_frame(const PixelData& data, ByteView bytes) {
  const ImageInfo& info = data.info;
  if (info.bits_allocated == 0 || info.bits_allocated % 8 != 0)
    return Failure{Fault::unsupported, "Bits Allocated " + std::to_string(info.bits_allocated)};
  const std::uint16_t width = static_cast<std::uint16_t>(info.bits_allocated / 8);
  Frame frame;
  frame.rows = info.rows;
  frame.columns = info.columns;
  frame.samples = static_cast<std::uint16_t>(subsampled(info) ? 2 : info.samples);
  frame.bytes_per_sample = width;
  frame.photometric = info.photometric;
  const bool by_plane = info.planar && info.samples > 1 && !subsampled(info);
  const bool swapped = data.big_endian && width > 1;
  if (!swapped && !by_plane) {
    frame.borrowed = bytes;
    return frame;
  }
  frame.data.assign(bytes.begin(), bytes.end());
  if (swapped) swap_words(frame.data, width);
  if (by_plane) frame.data = interleave(frame.data, info.samples, width);
  return frame;
}

void own(Frame& frame) {
  if (!frame.borrowed.empty()) frame.data.assign(frame.borrowed.begin(), frame.borrowed.end());
  frame.borrowed = {};
}

Result<Frame> native_frame(const PixelData& data, std::uint32_t i) {
  const auto size = native_frame_bytes(data.info);
  if (size && *size == 0) return Failure{Fault::malformed, "a frame without pixels"};
  if (!size || *size > kMaxFrameBytes) return Failure{Fault::limit, "a frame beyond 2 GiB"};
  const std::uint64_t first = std::uint64_t{i} * *size;
  if (first + *size > data.value.size())
    return Failure{Fault::truncated, "the pixel data ends before frame " + std::to_string(i + 1)};
  if (!data.info.pixel_words) return native_frame(data, data.value.subspan(first, *size));
  Bytes swapped(*size);  // bytes of 8-bit samples stored in big-endian words
  for (std::uint64_t k = 0; k < *size; ++k) {
    const std::uint64_t at = (first + k) ^ 1U;
    if (at < data.value.size()) swapped[k] = data.value[at];
  }
  auto frame = native_frame(data, swapped);
  if (frame) own(*frame);
  return frame;
}

/// Whole samples of one width without a shift: one tight loop. Returns whether bits outside held information.
template <typename T>
bool canonical_words(const ImageInfo& info, ByteView in, Bytes& out) {
  const auto mask = static_cast<T>((1U << info.bits_stored) - 1);
  const auto sign = static_cast<T>(info.is_signed ? 1U << (info.bits_stored - 1) : 0U);
  const auto above = static_cast<T>(~mask);
  out.resize(in.size());
  T unused = 0;
  for (std::size_t at = 0; at + sizeof(T) <= in.size(); at += sizeof(T)) {
    T v;
    std::memcpy(&v, in.data() + at, sizeof(T));
    const auto kept = static_cast<T>(v & mask);
    const auto wide = static_cast<T>((kept & sign) != 0 ? kept | above : kept);
    unused = static_cast<T>(unused | (v == kept ? 0 : v ^ wide));
    std::memcpy(out.data() + at, &wide, sizeof(T));
  }
  return unused != 0;
}

/// Writes the canonical samples of one frame into `out`; returns whether bits outside Bits Stored held information.
bool canonical(const ImageInfo& info, const Frame& frame, Bytes& out) {
  const unsigned bits = info.bits_stored;
  const unsigned in_width = frame.bytes_per_sample;
  const unsigned out_width = bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
  const bool raw = frame.precision == 0 || frame.precision > info.high_bit;  // else the codec has taken the shift out
  const unsigned shift =
      raw && info.high_bit + 1U > bits && info.high_bit < in_width * 8U ? info.high_bit + 1U - bits : 0;
  const std::size_t count = frame.bytes().size() / in_width;
  const std::uint32_t mask = bits >= 32 ? 0xFFFFFFFFU : (1U << bits) - 1;
  const std::uint32_t full = in_width >= 4 ? 0xFFFFFFFFU : (1U << (8 * in_width)) - 1;
  const std::uint32_t sign = 1U << (bits - 1);
  if (in_width == out_width && bits == 8 * in_width && shift == 0) {
    out.assign(frame.bytes().begin(), frame.bytes().end());
    return false;
  }
  if (in_width == out_width && shift == 0 && in_width == 2)
    return canonical_words<std::uint16_t>(info, frame.bytes(), out);
  if (in_width == out_width && shift == 0 && in_width == 1)
    return canonical_words<std::uint8_t>(info, frame.bytes(), out);
  out.resize(count * out_width);
  std::uint32_t unused = 0;
  const std::byte* from = frame.bytes().data();
  std::byte* to = out.data();
  for (std::size_t i = 0; i < count; ++i, from += in_width, to += out_width) {
    std::uint32_t v = std::to_integer<std::uint32_t>(from[0]);
    if (in_width > 1) v |= std::to_integer<std::uint32_t>(from[1]) << 8U;
    if (in_width > 2) v |= std::to_integer<std::uint32_t>(from[2]) << 16U;
    if (in_width > 3) v |= std::to_integer<std::uint32_t>(from[3]) << 24U;
    const std::uint32_t kept = (v >> shift) & mask;
    const std::uint32_t wide = info.is_signed && (kept & sign) != 0 ? kept | ~mask : kept;
    // Plain zero and sign extension are both customary above the stored bits; anything else is information.
    unused |= shift == 0 ? std::min(v ^ kept, (v ^ wide) & full) : v & ~(mask << shift);
    to[0] = static_cast<std::byte>(wide & 0xFFU);
    if (out_width > 1) to[1] = static_cast<std::byte>((wide >> 8U) & 0xFFU);
    if (out_width > 2) {
      to[2] = static_cast<std::byte>((wide >> 16U) & 0xFFU);
      to[3] = static_cast<std::byte>(wide >> 24U);
    }
  }
  return unused != 0;
}

std::size_t sample_width(const ImageInfo& info) {
  if (info.float_bits != 0) return info.float_bits / 8U;
  return info.bits_stored <= 8 ? 1 : info.bits_stored <= 16 ? 2 : 4;
}

/// Whether every `width` bytes equal `first`, which the first call fills.
bool all_equal(ByteView bytes, std::size_t width, Bytes& first) {
  if (bytes.size() < width) return true;
  if (first.empty()) first.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(width));
  return std::memcmp(bytes.data(), first.data(), width) == 0 &&
         std::memcmp(bytes.data(), bytes.data() + width, bytes.size() - width) == 0;
}

/// Most pixels are off mid-grey in the first sample and at 128 in the other two: grey as YCbCr. No RGB image has most
/// of its pixels in that one shade of cyan or red.
bool has_neutral_chroma(const Frame& frame) {
  if (frame.samples != 3 || frame.bytes_per_sample != 1) return false;
  std::size_t neutral = 0;
  const std::size_t pixels = frame.bytes().size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const auto at = [&](std::size_t s) { return std::to_integer<int>(frame.bytes()[3 * i + s]); };
    neutral += std::abs(at(0) - 128) > 24 && std::abs(at(1) - 128) <= 2 && std::abs(at(2) - 128) <= 2 ? 1 : 0;
  }
  return pixels > 0 && neutral * 2 > pixels;
}

}  // namespace

std::optional<std::uint64_t> native_length(const ImageInfo& info) noexcept {
  auto bits = checked_product({info.rows, info.columns, info.samples, info.frames, info.bits_allocated});
  if (!bits) return std::nullopt;
  if (subsampled(info)) return *bits / 8 / 3 * 2;
  return *bits / 8 + (*bits % 8 != 0 ? 1 : 0);
}

Result<FrameReader> FrameReader::open(const PixelData& data, std::vector<Finding>& findings) {
  FrameReader reader;
  reader.data_ = &data;
  if (!data.encapsulated) return reader;
  auto index = index_frames(data.value, data.info.frames, data.transfer_syntax, findings);
  if (!index) return index.error();
  reader.index_ = *std::move(index);
  return reader;
}

std::uint32_t FrameReader::count() const noexcept {
  return data_->encapsulated ? static_cast<std::uint32_t>(index_.frames.size()) : data_->info.frames;
}

Bytes FrameReader::codestream(std::uint32_t i) const { return join(index_.frames[i]); }

Result<Frame> FrameReader::read(std::uint32_t i, Decoder which) const {
  auto frame = borrow(i, which);
  if (frame) own(*frame);
  return frame;
}

Result<Frame> FrameReader::borrow(std::uint32_t i, Decoder which) const {
  const PixelData& data = *data_;
  if (!data.encapsulated) {
    if (data.info.bits_allocated == 1) return one_bit_frame(data, i);
    return data.info.bits_allocated == 12 ? twelve_bit_frame(data, i) : native_frame(data, i);
  }
  const auto& fragments = index_.frames[i];
  Bytes joined;
  ByteView stream = fragments.size() == 1 ? fragments[0] : ByteView(joined = join(fragments));
  if (fidelity_of(data.transfer_syntax) == Fidelity::native) {  // Encapsulated Uncompressed: native bytes in a fragment
    PixelData alone = data;
    alone.value = stream;
    if (data.info.bits_allocated == 1) return one_bit_frame(alone, 0);
    if (data.info.bits_allocated == 12) return twelve_bit_frame(alone, 0);
    const auto size = native_frame_bytes(data.info);
    if (!size || *size > stream.size()) return Failure{Fault::truncated, "an uncompressed fragment is too short"};
    auto frame = native_frame(data, stream.first(*size));
    if (frame && fragments.size() != 1) own(*frame);
    return frame;
  }
  return decode_frame(data.transfer_syntax, data.info, stream, which);
}

Result<Done> FrameReader::rows(std::uint32_t i, Decoder which, const TakeRows& take) const {
  if (!data_->encapsulated || fidelity_of(data_->transfer_syntax) == Fidelity::native) {
    const auto frame = borrow(i, which);
    if (!frame) return frame.error();
    (void)take(*frame);
    return Done{};
  }
  const auto& fragments = index_.frames[i];
  Bytes joined;
  const ByteView stream = fragments.size() == 1 ? fragments[0] : ByteView(joined = join(fragments));
  return decode_rows(data_->transfer_syntax, data_->info, stream, which, take);
}

Result<PixelDigests> digest_pixels(const PixelData& data, std::vector<Finding>& findings, Decoder which,
                                   std::vector<Digest>* each) {
  const ImageInfo& info = data.info;
  if (info.float_bits == 0 &&
      (info.bits_stored == 0 || info.bits_stored > 32 || info.bits_allocated == 0 ||
       (info.bits_allocated != 1 && info.bits_allocated != 12 && info.bits_allocated % 8 != 0) ||
       info.bits_allocated > 32)) {
    return Failure{Fault::malformed, "Bits Allocated or Bits Stored are out of range"};
  }
  const auto reader = FrameReader::open(data, findings);
  if (!reader) return reader.error();
  PixelDigests out;
  out.frames = reader->count();
  if (out.frames == 0) return Failure{Fault::malformed, "pixel data without a frame"};
  Sha256 pixels;
  Sha256 streams;
  Bytes samples;
  Bytes first;
  std::uint32_t rows = 0, columns = 0;
  std::uint16_t per_pixel = 0;
  for (std::uint32_t i = 0; i < out.frames; ++i) {
    if (data.encapsulated) streams.update(trim_codestream(reader->codestream(i)));
    const auto frame = reader->borrow(i, which);
    if (!frame) return Failure{frame.error().fault, "frame " + std::to_string(i + 1) + ": " + frame.error().what};
    if (frame->quirk != Quirk::none && out.quirk == Quirk::none) {
      out.quirk = frame->quirk;
      out.quirk_frame = i + 1;
    }
    if (i == 0) {
      out.neutral_chroma = has_neutral_chroma(*frame);
      rows = frame->rows;
      columns = frame->columns;
      per_pixel = frame->samples;
      const std::string model = frame->photometric == "YBR_RCT" ? "RGB" : frame->photometric;
      const std::string sign = info.float_bits != 0 ? "F" : info.is_signed ? "1" : "0";
      const unsigned bits = info.float_bits != 0 ? info.float_bits : info.bits_stored;
      pixels.update("PIX1\n" + std::to_string(rows) + '\n' + std::to_string(columns) + '\n' +
                    std::to_string(out.frames) + '\n' +
                    std::to_string(subsampled(info) && !data.encapsulated ? 3 : per_pixel) + '\n' +
                    std::to_string(bits) + '\n' + sign + '\n' + model + '\n');
    } else if (frame->rows != rows || frame->columns != columns || frame->samples != per_pixel) {
      return Failure{Fault::mismatch, "frames differ in size"};
    }
    if (info.float_bits != 0) {
      samples.assign(frame->bytes().begin(), frame->bytes().end());
    } else {
      out.unused_bits = canonical(info, *frame, samples) || out.unused_bits;
    }
    out.constant = out.constant && all_equal(samples, sample_width(info), first);
    pixels.update(samples);
    if (each != nullptr) each->push_back(Sha256::of(samples));
  }
  out.pixel = pixels.finish();
  out.codestream = streams.finish();
  return out;
}

Result<Digest> digest_codestreams(const PixelData& data, std::vector<Finding>& findings) {
  if (!data.encapsulated) return Failure{Fault::unsupported, "native pixel data has no codestream"};
  // Video is one stream over all fragments, whatever Number of Frames says (PS3.5 8.2.5).
  const bool video = fidelity_of(data.transfer_syntax) == Fidelity::video;
  const auto index = index_frames(data.value, video ? 1 : data.info.frames, data.transfer_syntax, findings);
  if (!index) return index.error();
  Sha256 sha;
  for (const auto& frame : index->frames) sha.update(trim_codestream(join(frame)));
  return sha.finish();
}

}  // namespace waybill::pixel
