// SPDX-License-Identifier: Apache-2.0
#include "pixel/codecs.hpp"
#include "pixel/limits.hpp"

#include <openjpeg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <memory>

namespace waybill::pixel {
namespace {

struct Source {
  ByteView bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T read(void* to, OPJ_SIZE_T n, void* user) {
  auto& source = *static_cast<Source*>(user);
  const std::size_t left = source.bytes.size() - source.at;
  if (left == 0) return static_cast<OPJ_SIZE_T>(-1);
  const std::size_t now = std::min<std::size_t>(n, left);
  std::memcpy(to, source.bytes.data() + source.at, now);
  source.at += now;
  return now;
}

OPJ_OFF_T skip(OPJ_OFF_T n, void* user) {
  auto& source = *static_cast<Source*>(user);
  if (n < 0) return -1;
  const std::size_t now = std::min<std::size_t>(static_cast<std::size_t>(n), source.bytes.size() - source.at);
  source.at += now;
  return static_cast<OPJ_OFF_T>(now);
}

OPJ_BOOL seek(OPJ_OFF_T at, void* user) {
  auto& source = *static_cast<Source*>(user);
  if (at < 0 || static_cast<std::size_t>(at) > source.bytes.size()) return OPJ_FALSE;
  source.at = static_cast<std::size_t>(at);
  return OPJ_TRUE;
}

void silent(const char*, void*) {}

using Codec = std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)>;
using Stream = std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)>;
using Image = std::unique_ptr<opj_image_t, void (*)(opj_image_t*)>;

Failure bad(const char* why) { return {Fault::malformed, std::string("JPEG 2000: ") + why}; }

template <typename T>
void interleave_component(const OPJ_INT32* from, std::size_t component, std::size_t first, std::size_t last,
                          Frame& frame) {
  const std::size_t step = frame.samples * sizeof(T);
  std::byte* to = frame.data.data() + component * sizeof(T);
  for (std::size_t i = first; i < last; ++i) {
    const auto v = static_cast<T>(static_cast<std::uint32_t>(from[i]));
    std::memcpy(to + i * step, &v, sizeof(T));
  }
}

/// Gives the pages of samples that have been taken back to the system: two copies of a mammogram are 130 MB.
void let_go(OPJ_INT32* samples, std::size_t first, std::size_t last) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(samples + first) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(samples + last) / page * page;
  if (begin >= end) return;
  auto* const pages = reinterpret_cast<std::byte*>(samples) + (begin - reinterpret_cast<std::uintptr_t>(samples));
  (void)::madvise(pages, end - begin, MADV_DONTNEED);
}

/// The image's samples, which it then has no longer.
Result<Frame> samples_of(opj_image_t& image, const ImageInfo& info) {
  const opj_image_comp_t& first = image.comps[0];
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
    const opj_image_comp_t& comp = image.comps[c];
    if (comp.w != first.w || comp.h != first.h || comp.prec != first.prec || comp.sgnd != first.sgnd ||
        comp.data == nullptr)
      return bad("components differ in size or precision");
  }
  Frame frame;
  frame.rows = first.h;
  frame.columns = first.w;
  frame.samples = static_cast<std::uint16_t>(image.numcomps);
  frame.precision = static_cast<std::uint16_t>(first.prec);
  frame.stream_signed = first.sgnd != 0;
  frame.photometric = info.photometric == "YBR_RCT" || info.photometric == "YBR_ICT" ? "RGB" : info.photometric;
  const std::uint32_t bits = std::max<std::uint32_t>(first.prec, info.bits_allocated);
  frame.bytes_per_sample = static_cast<std::uint16_t>(bits <= 8 ? 1 : bits <= 16 ? 2 : 4);
  const std::size_t pixels = std::size_t{first.w} * first.h,
                    pixel = std::size_t{frame.samples} * frame.bytes_per_sample;
  constexpr std::size_t kStep = std::size_t{1} << 20U;
  frame.data.reserve(pixels * pixel);
  for (std::size_t done = 0; done < pixels; done += kStep) {
    const std::size_t end = std::min(pixels, done + kStep);
    frame.data.resize(end * pixel);
    for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
      if (bits <= 8)
        interleave_component<std::uint8_t>(image.comps[c].data, c, done, end, frame);
      else if (bits <= 16)
        interleave_component<std::uint16_t>(image.comps[c].data, c, done, end, frame);
      else
        interleave_component<std::uint32_t>(image.comps[c].data, c, done, end, frame);
      if (pixels > kStep) let_go(image.comps[c].data, done, end);
    }
  }
  return frame;
}

void quiet(opj_codec_t* codec) {
  opj_set_info_handler(codec, silent, nullptr);
  opj_set_warning_handler(codec, silent, nullptr);
  opj_set_error_handler(codec, silent, nullptr);
}

}  // namespace

std::string openjpeg_version() { return std::string("openjpeg ") + opj_version(); }

namespace {

/// Rows that are decoded at a time; all unless the image is one tile without subsampling. OpenJPEG goes through the
/// packets once for each band, so a band has more rows than a code-block. What OpenJPEG 2.5 makes of areas of HTJ2K is
/// wrong.
std::uint32_t rows_at_once(opj_codec_t* codec, const opj_image_t& image, ByteView stream, std::uint64_t samples) {
  const std::uint32_t all = image.y1 - image.y0;
  const std::uint64_t row = std::uint64_t{image.x1 - image.x0} * image.numcomps;
  const auto rows = std::max<std::uint64_t>(128, row == 0 ? all : samples / row);
  if (rows >= all || sniff(stream).kind == "htj2k") return all;
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c)
    if (image.comps[c].dx != 1 || image.comps[c].dy != 1) return all;
  opj_codestream_info_v2_t* info = opj_get_cstr_info(codec);
  const bool one_tile = info != nullptr && info->tw == 1 && info->th == 1;
  opj_destroy_cstr_info(&info);
  return one_tile ? static_cast<std::uint32_t>(rows) : all;
}

}  // namespace

Result<Done> decode_openjpeg(const ImageInfo& info, ByteView boxed, const Bands& bands) {
  const ByteView stream = j2k_codestream(boxed);  // boxes say nothing that DICOM heeds (PS3.5 A.4.4)
  if (auto why = j2k_out_of_proportion(info, stream)) return *std::move(why);
  const Codec codec(opj_create_decompress(OPJ_CODEC_J2K), opj_destroy_codec);
  quiet(codec.get());
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  if (!opj_setup_decoder(codec.get(), &parameters) || !opj_decoder_set_strict_mode(codec.get(), OPJ_TRUE))
    return bad("the decoder cannot be set up");
  Source source{stream};
  const Stream input(
      opj_stream_create(std::min<std::size_t>(std::max<std::size_t>(stream.size(), 1024), 1U << 20U), OPJ_TRUE),
      opj_stream_destroy);
  opj_stream_set_user_data(input.get(), &source, nullptr);
  opj_stream_set_user_data_length(input.get(), stream.size());
  opj_stream_set_read_function(input.get(), read);
  opj_stream_set_skip_function(input.get(), skip);
  opj_stream_set_seek_function(input.get(), seek);
  opj_image_t* raw = nullptr;
  const bool header = opj_read_header(input.get(), codec.get(), &raw) != 0;
  const Image image(raw, opj_image_destroy);
  if (!header || !image || image->numcomps == 0 || image->numcomps > 4) return bad("the header is not valid");
  const OPJ_UINT32 left = image->x0, top = image->y0, right = image->x1, bottom = image->y1;
  const std::uint32_t rows = rows_at_once(codec.get(), *image, stream, bands.samples);
  const Failure damaged{Fault::truncated, "JPEG 2000: the codestream is damaged or cut"};
  for (OPJ_UINT32 y = top, end = top; y < bottom; y = end) {
    end = y + std::min(rows, bottom - y);
    const auto at = [](OPJ_UINT32 v) { return static_cast<OPJ_INT32>(v); };
    if (rows < bottom - top && !opj_set_decode_area(codec.get(), image.get(), at(left), at(y), at(right), at(end)))
      return damaged;
    if (!opj_decode(codec.get(), input.get(), image.get())) return damaged;
    auto band = samples_of(*image, info);
    if (!band) return band.error();
    if (!bands.take(*band)) return Done{};
  }
  if (!opj_end_decompress(codec.get(), input.get())) return damaged;
  return Done{};
}

}  // namespace waybill::pixel
