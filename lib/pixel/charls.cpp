// SPDX-License-Identifier: Apache-2.0
// Only the charls_jpegls_* functions of CharLS 2: the older names are also exported by DCMTK's fork, with other
// structs.
#include "pixel/codecs.hpp"
#include "pixel/limits.hpp"
#include "pixel/opened_library.hpp"
#include "pixel/samples.hpp"

#include <charls/charls.h>
#include <cstring>
#include <memory>

namespace waybill::pixel {
namespace {

struct CharLs : OpenedLibrary {
  CharLs() : OpenedLibrary("libcharls.so.2") {}

  decltype(&::charls_jpegls_decoder_destroy) charls_jpegls_decoder_destroy = find("charls_jpegls_decoder_destroy");
  decltype(&::charls_get_error_message) charls_get_error_message = find("charls_get_error_message");
  decltype(&::charls_get_version_string) charls_get_version_string = find("charls_get_version_string");
  decltype(&::charls_jpegls_decoder_create) charls_jpegls_decoder_create = find("charls_jpegls_decoder_create");
  decltype(&::charls_jpegls_decoder_decode_to_buffer) charls_jpegls_decoder_decode_to_buffer =
      find("charls_jpegls_decoder_decode_to_buffer");
  decltype(&::charls_jpegls_decoder_get_frame_info) charls_jpegls_decoder_get_frame_info =
      find("charls_jpegls_decoder_get_frame_info");
  decltype(&::charls_jpegls_decoder_get_interleave_mode) charls_jpegls_decoder_get_interleave_mode =
      find("charls_jpegls_decoder_get_interleave_mode");
  decltype(&::charls_jpegls_decoder_read_header) charls_jpegls_decoder_read_header =
      find("charls_jpegls_decoder_read_header");
  decltype(&::charls_jpegls_decoder_set_source_buffer) charls_jpegls_decoder_set_source_buffer =
      find("charls_jpegls_decoder_set_source_buffer");
};

const CharLs& api() {
  static const CharLs instance;
  return instance;
}

const Failure kMissing{Fault::unsupported, "libcharls.so.2 cannot be opened; install the package libcharls2"};

using DecoderHandle = std::unique_ptr<charls_jpegls_decoder, void (*)(const charls_jpegls_decoder*)>;

Failure refused(charls_jpegls_errc code) {
  return {Fault::malformed, std::string("JPEG-LS: ") + api().charls_get_error_message(code)};
}

}  // namespace

std::string charls_version() {
  return api().usable() ? std::string("charls ") + api().charls_get_version_string() : std::string("charls missing");
}

namespace {

/// Zero bytes that an encoder set in front of the end marker to make the length even. Only FF may fill there (T.81
/// B.1.1.2), older decoders went over them and CharLS from 2.3 on refuses them. Such a byte may be data as well, so
/// they are taken away one by one, and only from a stream that does not decode with them.
constexpr std::size_t kMostPadding = 3;

Bytes without_padding(ByteView stream, std::size_t bytes) {
  Bytes out(stream.begin(), stream.end() - static_cast<std::ptrdiff_t>(2 + bytes));
  put_bytes(out, stream.last(2));
  return out;
}

std::size_t padding_of(ByteView stream) {
  std::size_t bytes = 0;
  while (bytes < kMostPadding && bytes + 2 < stream.size() && stream[stream.size() - 3 - bytes] == std::byte{0})
    ++bytes;
  return bytes;
}

/// The stream with the LSE segment that the JAI codec left out: its thresholds for samples beyond 12 bits, which do not
/// stop growing at 4095 as T.87 C.2.4.1.1 says.
Bytes with_jai_thresholds(ByteView stream, const Sniffed& seen) {
  const std::uint32_t most = (1U << static_cast<unsigned>(seen.precision)) - 1;
  const std::uint32_t factor = (most + 128) >> 8U;
  Bytes segment;
  const auto word = [&](std::uint32_t v) {
    segment.push_back(static_cast<std::byte>(v >> 8U));
    segment.push_back(static_cast<std::byte>(v & 0xFFU));
  };
  word(0xFFF8);
  word(13);
  segment.push_back(std::byte{1});
  for (const std::uint32_t v : {most, factor + 2, factor * 4 + 3, factor * 17 + 4, 64U}) word(v);
  const std::size_t behind = seen.header + 2 + load_u16(stream.data() + seen.header + 2, true);
  Bytes out(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(behind));
  put_bytes(out, segment);
  put_bytes(out, stream.subspan(behind));
  return out;
}

Result<Frame> decode_stream(const ImageInfo& info, ByteView stream) {
  const DecoderHandle decoder(api().charls_jpegls_decoder_create(), api().charls_jpegls_decoder_destroy);
  if (!decoder) return Failure{Fault::limit, "no memory for a JPEG-LS decoder"};
  auto code = api().charls_jpegls_decoder_set_source_buffer(decoder.get(), stream.data(), stream.size());
  if (code == charls::jpegls_errc::success) code = api().charls_jpegls_decoder_read_header(decoder.get());
  charls_frame_info header{};
  if (code == charls::jpegls_errc::success) code = api().charls_jpegls_decoder_get_frame_info(decoder.get(), &header);
  if (code != charls::jpegls_errc::success) return refused(code);
  const std::uint64_t width = header.bits_per_sample > 8 ? 2 : 1;
  const std::uint64_t size =
      std::uint64_t{header.width} * header.height * static_cast<std::uint64_t>(header.component_count) * width;
  if (auto why = out_of_proportion(
          info, {header.height, header.width, static_cast<std::uint64_t>(header.component_count), width},
          stream.size()))
    return *std::move(why);
  charls::interleave_mode mode = charls::interleave_mode::none;
  (void)api().charls_jpegls_decoder_get_interleave_mode(decoder.get(), &mode);
  Bytes data(size);
  code = api().charls_jpegls_decoder_decode_to_buffer(decoder.get(), data.data(), data.size(), 0);
  if (code != charls::jpegls_errc::success) return refused(code);
  Frame frame;
  frame.rows = header.height;
  frame.columns = header.width;
  frame.samples = static_cast<std::uint16_t>(header.component_count);
  frame.precision = static_cast<std::uint16_t>(header.bits_per_sample);
  frame.photometric = info.photometric;
  frame.bytes_per_sample = static_cast<std::uint16_t>(width);
  frame.data = mode == charls::interleave_mode::none && frame.samples > 1 ? interleave(data, frame.samples, width)
                                                                          : std::move(data);
  widen(frame, info.bits_allocated);
  return frame;
}

}  // namespace

Result<Frame> decode_charls(const ImageInfo& info, ByteView stream) {
  if (!api().usable()) return kMissing;
  // CharLS 2.4.1 can loop for ever in a scan that is cut, so a stream without its end marker is not given to it.
  const auto whole = up_to_end_marker(stream);
  if (!whole) return Failure{Fault::truncated, "JPEG-LS: the codestream has no end marker"};
  auto frame = decode_stream(info, *whole);
  if (frame) return frame;
  for (std::size_t bytes = 1; bytes <= padding_of(*whole); ++bytes) {
    auto unpadded = decode_stream(info, without_padding(*whole, bytes));
    if (!unpadded) continue;
    unpadded->quirk = Quirk::padded_end;
    return unpadded;
  }
  const Sniffed seen = sniff(*whole);
  if (seen.kind != "jpeg-ls" || seen.precision <= 12 || seen.precision > 16 || seen.presets || seen.near != 0)
    return frame;
  auto patched = decode_stream(info, with_jai_thresholds(*whole, seen));
  if (!patched) return frame;
  patched->quirk = Quirk::jai_thresholds;
  return patched;
}

}  // namespace waybill::pixel
