// SPDX-License-Identifier: Apache-2.0
// The registry: which code decodes and encodes each transfer syntax, and which proves what was written.
#include "pixel/codec.hpp"

#include "pixel/codecs.hpp"
#include "pixel/samples.hpp"

#include <zlib.h>
#include <algorithm>
#include <array>

namespace waybill::pixel {
namespace {

using Decode = Result<Done> (*)(std::string_view, const ImageInfo&, ByteView, const Bands&);
using Encode = Result<Bytes> (*)(const ImageInfo&, const Frame&);
using Name = std::string (*)();

Result<Done> hand_over(Result<Frame> frame, const Bands& bands) {
  if (!frame) return frame.error();
  (void)bands.take(*frame);
  return Done{};
}

template <Result<Frame> (*F)(const ImageInfo&, ByteView)>
Result<Done> plain(std::string_view, const ImageInfo& info, ByteView stream, const Bands& bands) {
  return hand_over(F(info, stream), bands);
}

template <Result<Done> (*F)(const ImageInfo&, ByteView, const Bands&)>
Result<Done> banded(std::string_view, const ImageInfo& info, ByteView stream, const Bands& bands) {
  return F(info, stream, bands);
}

Result<Done> dcmtk(std::string_view syntax, const ImageInfo& info, ByteView stream, const Bands& bands) {
  return hand_over(decode_dcmtk(syntax, info, stream), bands);
}

std::string own() { return "waybill"; }
std::string zlib_name() { return std::string("zlib ") + zlibVersion(); }

struct Entry {
  std::string_view syntax;
  Fidelity fidelity;
  Decode primary = nullptr;
  Name primary_name = nullptr;
  Decode independent = nullptr;
  Name independent_name = nullptr;
  Encode encode = nullptr;
  Name encoder_name = nullptr;
  Decoder verifier = Decoder::primary;  // the decoder that shares no code with the encoder
};

#define JPEG "1.2.840.10008.1.2.4."
constexpr std::array kEntries = {
    Entry{JPEG "50", Fidelity::lossy, dcmtk, dcmtk_version},
    Entry{JPEG "51", Fidelity::lossy, dcmtk, dcmtk_version},
    Entry{JPEG "52", Fidelity::lossy},
    Entry{JPEG "54", Fidelity::lossy},
    Entry{JPEG "56", Fidelity::lossy},
    Entry{JPEG "58", Fidelity::lossless},
    Entry{JPEG "59", Fidelity::lossy},
    Entry{JPEG "60", Fidelity::lossy},
    Entry{JPEG "61", Fidelity::lossy},
    Entry{JPEG "62", Fidelity::lossy},
    Entry{JPEG "63", Fidelity::lossy},
    Entry{JPEG "64", Fidelity::lossy},
    Entry{JPEG "65", Fidelity::lossless},
    Entry{JPEG "66", Fidelity::lossless},
    Entry{JPEG "92", Fidelity::lossless},
    Entry{JPEG "93", Fidelity::lossy},
    Entry{JPEG "53", Fidelity::lossy, dcmtk, dcmtk_version},
    Entry{JPEG "55", Fidelity::lossy, dcmtk, dcmtk_version},
    Entry{JPEG "57", Fidelity::lossless, plain<decode_jpeg_lossless>, own, dcmtk, dcmtk_version},
    Entry{JPEG "70", Fidelity::lossless, plain<decode_jpeg_lossless>, own, dcmtk, dcmtk_version, encode_jpeg_lossless,
          own, Decoder::independent},
    Entry{JPEG "80", Fidelity::lossless, plain<decode_charls>, charls_version, dcmtk, dcmtk_version, encode_jpeg_ls,
          own, Decoder::primary},
    Entry{JPEG "81", Fidelity::lossy, plain<decode_charls>, charls_version, dcmtk, dcmtk_version},
    Entry{JPEG "90", Fidelity::lossless, banded<decode_openjpeg>, openjpeg_version, nullptr, nullptr, encode_jpeg_2000,
          own, Decoder::primary},
    Entry{JPEG "91", Fidelity::lossy, banded<decode_openjpeg>, openjpeg_version},
    Entry{JPEG "201", Fidelity::lossless, banded<decode_openjpeg>, openjpeg_version, banded<decode_openjph>,
          openjph_version, encode_htj2k, own, Decoder::independent},
    Entry{JPEG "202", Fidelity::lossless, banded<decode_openjpeg>, openjpeg_version, banded<decode_openjph>,
          openjph_version, encode_htj2k_rpcl, own, Decoder::independent},
    Entry{JPEG "203", Fidelity::lossy, banded<decode_openjpeg>, openjpeg_version, banded<decode_openjph>,
          openjph_version},
    Entry{JPEG "110", Fidelity::lossless, plain<decode_jxl>, jxl_version, nullptr, nullptr, encode_jxl, jxl_version,
          Decoder::primary},
    Entry{JPEG "111", Fidelity::lossy, plain<decode_jxl>, jxl_version},
    Entry{JPEG "112", Fidelity::lossy, plain<decode_jxl>, jxl_version},
    Entry{"1.2.840.10008.1.2.5", Fidelity::lossless, plain<decode_rle>, own, dcmtk, dcmtk_version, encode_rle, own,
          Decoder::independent},
    Entry{"1.2.840.10008.1.2.8.1", Fidelity::lossless, plain<decode_deflated>, zlib_name},
};
#undef JPEG

constexpr std::array<std::string_view, 6> kNative = {"1.2.840.10008.1.2",      "1.2.840.10008.1.2.1",
                                                     "1.2.840.10008.1.2.2",    "1.2.840.10008.1.2.1.98",
                                                     "1.2.840.10008.1.2.1.99", "1.2.840.113619.5.2"};

bool is_native(std::string_view syntax) { return std::find(kNative.begin(), kNative.end(), syntax) != kNative.end(); }

const Entry* find(std::string_view syntax) {
  const auto* at = std::find_if(kEntries.begin(), kEntries.end(), [&](const Entry& e) { return e.syntax == syntax; });
  return at == kEntries.end() ? nullptr : at;
}

/// How a frame is described to its encoder. Up to 8 bits, JPEG lossless and JPEG-LS get whole samples, all bits as they
/// are, which is what DCMTK and GDCM write: JPEG-LS of 2 to 7 bits is refused by DCMTK, of 8 bits in samples of 16 by
/// both.
ImageInfo as_encoded(const Entry& entry, ImageInfo info) {
  const bool jpeg = entry.encode == encode_jpeg_lossless || entry.encode == encode_jpeg_ls;
  if (!jpeg || info.bits_stored > 8 || info.high_bit >= info.bits_allocated) return info;
  info.bits_stored = info.bits_allocated;
  info.high_bit = static_cast<std::uint16_t>(info.bits_allocated - 1U);
  info.is_signed = false;
  return info;
}

}  // namespace

Result<std::uint64_t> frame_bytes(const ImageInfo& info) {
  if (info.rows == 0 || info.columns == 0 || info.rows > 0xFFFFU || info.columns > 0xFFFFU || info.samples == 0 ||
      info.samples > 4)
    return Failure{Fault::malformed, "rows, columns or samples are zero or out of range"};
  if (info.bits_allocated != 8 && info.bits_allocated != 16 && info.bits_allocated != 32)
    return Failure{Fault::unsupported, "Bits Allocated " + std::to_string(info.bits_allocated)};
  const std::uint64_t size = std::uint64_t{info.rows} * info.columns * info.samples * (info.bits_allocated / 8U);
  if (size > kMaxFrameBytes) return Failure{Fault::limit, "a frame beyond 2 GiB"};
  return size;
}

Result<Frame> decode_deflated(const ImageInfo& info, ByteView stream) {
  const bool bits = info.bits_allocated == 1;
  if (info.rows > 0xFFFFU || info.columns > 0xFFFFU)
    return Failure{Fault::malformed, "rows or columns are out of range"};
  std::uint64_t size = (std::uint64_t{info.rows} * info.columns * info.samples + 7) / 8;
  if (!bits) {
    const auto whole = frame_bytes(info);
    if (!whole) return whole.error();
    size = *whole;
  }
  if (size == 0 || size > stream.size() * 1100 + 64)
    return Failure{Fault::truncated, "the deflated frame is too short for rows and columns"};
  Bytes raw(size);
  z_stream z{};
  if (inflateInit2(&z, -15) != Z_OK) return Failure{Fault::limit, "no memory to inflate a frame"};
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(stream.data()));
  z.avail_in = static_cast<uInt>(stream.size());
  z.next_out = reinterpret_cast<Bytef*>(raw.data());
  z.avail_out = static_cast<uInt>(raw.size());
  const int result = inflate(&z, Z_FINISH);
  const bool whole = z.avail_out == 0 && (result == Z_STREAM_END || result == Z_BUF_ERROR || result == Z_OK);
  inflateEnd(&z);
  if (!whole) return Failure{Fault::truncated, "the deflated frame is damaged or cut"};
  Frame frame{info.rows, info.columns, info.samples,     static_cast<std::uint16_t>(bits ? 1 : info.bits_allocated / 8),
              0,         false,        info.photometric, {}};
  if (!bits) {
    frame.data =
        info.planar && info.samples > 1 ? interleave(raw, info.samples, frame.bytes_per_sample) : std::move(raw);
    return frame;
  }
  frame.data.resize(std::size_t{info.rows} * info.columns * info.samples);
  for (std::size_t i = 0; i < frame.data.size(); ++i) frame.data[i] = (raw[i / 8] >> (i % 8)) & std::byte{1};
  if (info.planar && info.samples > 1) frame.data = interleave(frame.data, info.samples, 1);
  return frame;
}

Fidelity fidelity_of(std::string_view syntax) noexcept {
  if (is_native(syntax)) return Fidelity::native;
  if (const Entry* entry = find(syntax)) return entry->fidelity;
  constexpr std::string_view kJpeg = "1.2.840.10008.1.2.4.";
  if (!syntax.starts_with(kJpeg)) return Fidelity::unknown;
  const std::string_view rest = syntax.substr(kJpeg.size());
  if (rest.starts_with("10")) return Fidelity::video;
  if (rest == "94" || rest == "95" || rest == "204" || rest == "205") return Fidelity::reference;
  return Fidelity::unknown;
}

bool is_encapsulated(std::string_view syntax) noexcept {
  return (!is_native(syntax) && fidelity_of(syntax) != Fidelity::unknown &&
          fidelity_of(syntax) != Fidelity::reference) ||
         syntax == "1.2.840.10008.1.2.1.98";
}

bool can_decode(std::string_view syntax, Decoder which) noexcept {
  if (is_native(syntax)) return true;
  const Entry* entry = find(syntax);
  return entry != nullptr && (which == Decoder::primary ? entry->primary : entry->independent) != nullptr;
}

bool can_encode(std::string_view syntax) noexcept {
  const Entry* entry = find(syntax);
  return entry != nullptr && entry->encode != nullptr;
}

Decoder verifier_of(std::string_view syntax) noexcept {
  const Entry* entry = find(syntax);
  return entry == nullptr ? Decoder::primary : entry->verifier;
}

std::string decoder_name(std::string_view syntax, Decoder which) {
  const Entry* entry = find(syntax);
  if (entry == nullptr) return "native";
  const Name name = which == Decoder::primary ? entry->primary_name : entry->independent_name;
  return name == nullptr ? "none" : name();
}

std::string encoder_name(std::string_view syntax) {
  const Entry* entry = find(syntax);
  return entry == nullptr || entry->encoder_name == nullptr ? "none" : entry->encoder_name();
}

std::string stored_photometric(std::string_view syntax, const Frame& frame) {
  const Entry* entry = find(syntax);
  const bool wavelet = entry != nullptr && (entry->encode == encode_jpeg_2000 || entry->encode == encode_htj2k ||
                                            entry->encode == encode_htj2k_rpcl);
  return wavelet && has_colour_transform(frame) ? "YBR_RCT" : frame.photometric;
}

namespace {

Result<Done> decode(std::string_view syntax, const ImageInfo& info, ByteView codestream, Decoder which,
                    const Bands& bands) {
  const Entry* entry = find(syntax);
  const Decode with = entry == nullptr ? nullptr : which == Decoder::primary ? entry->primary : entry->independent;
  if (with == nullptr) return Failure{Fault::unsupported, "no decoder for transfer syntax " + std::string(syntax)};
  try {
    return with(syntax, info, codestream, bands);
  } catch (const std::exception& e) {
    return Failure{Fault::malformed, std::string("a decoder gave up: ") + e.what()};
  } catch (const char* what) {  // OpenJPH, of memory that it does not get
    return Failure{Fault::limit, std::string("a decoder gave up: ") + what};
  }
}

}  // namespace

Result<Frame> decode_frame(std::string_view syntax, const ImageInfo& info, ByteView codestream, Decoder which) {
  Frame frame;
  const auto done = decode(syntax, info, codestream, which, {Bands::kWhole, [&](Frame& whole) {
                                                               frame = std::move(whole);
                                                               return true;
                                                             }});
  if (!done) return done.error();
  extend_sign(info, frame);
  return frame;
}

Result<Done> decode_rows(std::string_view syntax, const ImageInfo& info, ByteView codestream, Decoder which,
                         const TakeRows& take) {
  constexpr std::uint64_t kSamples = std::uint64_t{1} << 19U;
  return decode(syntax, info, codestream, which, {kSamples, [&](Frame& rows) {
                                                    extend_sign(info, rows);
                                                    return take(rows);
                                                  }});
}

Result<Bytes> encode_frame(std::string_view syntax, const ImageInfo& info, const Frame& frame) {
  const Entry* entry = find(syntax);
  if (entry == nullptr || entry->encode == nullptr)
    return Failure{Fault::unsupported, "no encoder for transfer syntax " + std::string(syntax)};
  if (info.float_bits != 0 || info.bits_stored == 0 || (info.bits_allocated != 8 && info.bits_allocated != 16)) {
    return Failure{Fault::unsupported, "only integer samples in 8 or 16 bits are encoded"};
  }
  if (frame.bytes_per_sample * 8U != info.bits_allocated)
    return Failure{Fault::unsupported, "the sample size differs from Bits Allocated"};
  const std::uint64_t pixels = std::uint64_t{frame.rows} * frame.columns;
  const bool sized = frame.rows > 0 && frame.columns > 0 && frame.rows <= 0xFFFFU && frame.columns <= 0xFFFFU &&
                     frame.samples == info.samples;
  if (!sized || frame.bytes().size() != pixels * frame.samples * frame.bytes_per_sample) {
    return Failure{Fault::malformed, "the frame's bytes do not fit its rows, columns and samples"};
  }
  try {
    return entry->encode(as_encoded(*entry, info), frame);
  } catch (const std::exception& e) {
    return Failure{Fault::unsupported, std::string("an encoder gave up: ") + e.what()};
  }
}

}  // namespace waybill::pixel
