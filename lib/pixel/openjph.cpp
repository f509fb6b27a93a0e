// SPDX-License-Identifier: Apache-2.0
#include "pixel/codecs.hpp"
#include "pixel/limits.hpp"

#include <openjph/ojph_arch.h>
#include <openjph/ojph_base.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_message.h>
#include <openjph/ojph_params.h>
#include <openjph/ojph_version.h>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace waybill::pixel {
namespace {

/// Message streams and function tables of the library are process-wide: set once, before the first thread needs them.
/// Version 0.9 throws behind an error only when it has a stream to print it to, and configure_error() does nothing.
void prepare() {
  static const bool done = [] {
    static std::FILE* const nowhere = std::fopen("/dev/null", "w");
    ojph::set_error_stream(nowhere);
    ojph::set_warning_stream(nullptr);
    ojph::set_info_stream(nullptr);
    const ojph::codestream tables;
    return nowhere != nullptr;
  }();
  if (!done) throw std::runtime_error("/dev/null cannot be opened for the messages of OpenJPH");
}

Failure bad(const char* why) { return {Fault::malformed, std::string("HTJ2K: ") + why}; }

template <typename T>
void put_row(const ojph::si32* from, const Frame& frame, unsigned component, std::size_t row, Bytes& out) {
  const std::size_t step = frame.samples * sizeof(T);
  std::byte* to = out.data() + row * frame.columns * step + component * sizeof(T);
  for (std::size_t i = 0; i < frame.columns; ++i) {
    const auto v = static_cast<T>(static_cast<std::uint32_t>(from[i]));
    std::memcpy(to + i * step, &v, sizeof(T));
  }
}

}  // namespace

std::string openjph_version() {
  return "openjph " + std::to_string(OPENJPH_VERSION_MAJOR) + '.' + std::to_string(OPENJPH_VERSION_MINOR) + '.' +
         std::to_string(OPENJPH_VERSION_PATCH);
}

namespace {

/// What the header says of every band; its rows are those of the whole image.
Result<Frame> described(const ImageInfo& info, const ojph::param_siz& siz) {
  Frame frame;
  frame.samples = static_cast<std::uint16_t>(siz.get_num_components());
  frame.columns = siz.get_recon_width(0);
  frame.rows = siz.get_recon_height(0);
  frame.precision = static_cast<std::uint16_t>(siz.get_bit_depth(0));
  frame.stream_signed = siz.is_signed(0);
  for (unsigned c = 1; c < frame.samples; ++c) {
    if (siz.get_recon_width(c) != frame.columns || siz.get_recon_height(c) != frame.rows ||
        siz.get_bit_depth(c) != frame.precision || siz.is_signed(c) != frame.stream_signed)
      return bad("components differ in size or precision");
  }
  frame.photometric = info.photometric == "YBR_RCT" || info.photometric == "YBR_ICT" ? "RGB" : info.photometric;
  const unsigned bits = std::max<unsigned>(frame.precision, info.bits_allocated);
  frame.bytes_per_sample = static_cast<std::uint16_t>(bits <= 8 ? 1 : bits <= 16 ? 2 : 4);
  return frame;
}

/// Pulls as many rows as the band has room for; false when a line is missing.
bool pull_rows(ojph::codestream& stream, Frame& band) {
  for (std::size_t row = 0; row < band.rows; ++row) {
    for (unsigned c = 0; c < band.samples; ++c) {
      ojph::ui32 component = 0;
      const ojph::line_buf* line = stream.pull(component);
      if (line == nullptr || component >= band.samples) return false;
      if (band.bytes_per_sample == 1)
        put_row<std::uint8_t>(line->i32, band, component, row, band.data);
      else if (band.bytes_per_sample == 2)
        put_row<std::uint16_t>(line->i32, band, component, row, band.data);
      else
        put_row<std::uint32_t>(line->i32, band, component, row, band.data);
    }
  }
  return true;
}

}  // namespace

Result<Done> decode_openjph(const ImageInfo& info, ByteView boxed, const Bands& bands) {
  const ByteView bytes = j2k_codestream(boxed);
  if (auto why = j2k_out_of_proportion(info, bytes)) return *std::move(why);
  if (sniff(bytes).kind != "htj2k") return bad("the codestream has no CAP segment");
  prepare();
  ojph::mem_infile in;
  in.open(reinterpret_cast<const ojph::ui8*>(bytes.data()), bytes.size());
  ojph::codestream stream;
  stream.read_headers(&in);
  const auto whole = described(info, stream.access_siz());
  if (!whole) return whole.error();
  stream.set_planar(false);
  stream.create();
  const std::uint64_t row = std::uint64_t{whole->columns} * whole->samples;
  constexpr std::uint64_t kCached = std::uint64_t{1} << 16U;  // what a processor's cache holds
  const std::uint64_t samples = bands.samples == Bands::kWhole ? Bands::kWhole : std::min(bands.samples, kCached);
  const auto step = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(samples / row, 1, whole->rows));
  Frame band = *whole;
  for (std::uint32_t done = 0; done < whole->rows; done += band.rows) {
    band.rows = std::min(step, whole->rows - done);
    band.data.resize(band.rows * row * band.bytes_per_sample);
    if (!pull_rows(stream, band)) return bad("a line is missing");
    if (!bands.take(band)) return Done{};
  }
  stream.close();
  return Done{};
}

}  // namespace waybill::pixel
