// SPDX-License-Identifier: Apache-2.0
#include "pixel/by_library.hpp"

#include <charls/charls.h>
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dcrlerp.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpeg/djrplol.h>
#include <dlfcn.h>
#include <openjpeg.h>
#include <openjph/ojph_arch.h>
#include <openjph/ojph_base.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_params.h>
#include <algorithm>
#include <array>
#include <memory>

namespace waybill::pixel::test {
namespace {

/// The image of DCMTK's encoders, which take a dataset and leave the codestream of its frame in it.
Bytes by_dcmtk(const ImageInfo& info, ByteView samples, E_TransferSyntax syntax,
               const DcmRepresentationParameter& way) {
  DcmDataset set;
  set.putAndInsertUint16(DCM_SamplesPerPixel, info.samples);
  set.putAndInsertString(DCM_PhotometricInterpretation, info.photometric.c_str());
  if (info.samples > 1) set.putAndInsertUint16(DCM_PlanarConfiguration, 0);
  set.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(info.rows));
  set.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(info.columns));
  set.putAndInsertUint16(DCM_BitsAllocated, info.bits_allocated);
  set.putAndInsertUint16(DCM_BitsStored, info.bits_stored);
  set.putAndInsertUint16(DCM_HighBit, info.high_bit);
  set.putAndInsertUint16(DCM_PixelRepresentation, info.is_signed ? 1 : 0);
  Bytes data(samples.begin(), samples.end());
  if (data.size() % 2 != 0) data.push_back(std::byte{0});
  if (info.bits_allocated == 16)
    set.putAndInsertUint16Array(DCM_PixelData, reinterpret_cast<const Uint16*>(data.data()), data.size() / 2);
  else
    set.putAndInsertUint8Array(DCM_PixelData, reinterpret_cast<const Uint8*>(data.data()), data.size());
  DcmElement* element = nullptr;
  DcmPixelSequence* sequence = nullptr;
  DcmPixelItem* item = nullptr;
  Uint8* bytes = nullptr;
  if (set.chooseRepresentation(syntax, &way).bad() || set.findAndGetElement(DCM_PixelData, element).bad()) return {};
  auto* pixels = dynamic_cast<DcmPixelData*>(element);
  if (pixels == nullptr || pixels->getEncapsulatedRepresentation(syntax, &way, sequence).bad() ||
      sequence->getItem(item, 1).bad() || item->getUint8Array(bytes).bad())
    return {};
  const auto* from = reinterpret_cast<const std::byte*>(bytes);
  return {from, from + item->getLength()};
}

/// Sample `component` of `count` pixels from pixel `first` on.
void take(const ImageInfo& info, ByteView samples, unsigned component, std::size_t first, std::size_t count,
          std::int32_t* to) {
  const std::size_t width = info.bits_allocated / 8U;
  const std::size_t step = width * info.samples;
  const std::byte* from = samples.data() + first * step + component * width;
  for (std::size_t i = 0; i < count; ++i, from += step)
    to[i] = std::to_integer<std::int32_t>(from[0]) | (width == 2 ? std::to_integer<std::int32_t>(from[1]) << 8 : 0);
}

OPJ_SIZE_T append(void* bytes, OPJ_SIZE_T n, void* user) {
  put_bytes(*static_cast<Bytes*>(user), ByteView(static_cast<const std::byte*>(bytes), n));
  return n;
}

}  // namespace

DcmtkEncoders::DcmtkEncoders() {
  DJEncoderRegistration::registerCodecs();
  DcmRLEEncoderRegistration::registerCodecs();
}

DcmtkEncoders::~DcmtkEncoders() {
  DcmRLEEncoderRegistration::cleanup();
  DJEncoderRegistration::cleanup();
}

Bytes by_charls(const ImageInfo& info, ByteView samples) {
  // Not linked: CharLS and DCMTK's fork of it export the same names.
  static void* const library = dlopen("libcharls.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {};
#define CALL(name, ...) reinterpret_cast<decltype(&::name)>(dlsym(library, #name))(__VA_ARGS__)
  charls_jpegls_encoder* encoder = CALL(charls_jpegls_encoder_create);
  const charls_frame_info header{info.columns, info.rows, info.bits_stored, info.samples};
  (void)CALL(charls_jpegls_encoder_set_frame_info, encoder, &header);
  if (info.samples > 1) (void)CALL(charls_jpegls_encoder_set_interleave_mode, encoder, charls::interleave_mode::line);
  Bytes out(samples.size() * 8 + 4096);
  (void)CALL(charls_jpegls_encoder_set_destination_buffer, encoder, out.data(), out.size());
  const auto code = CALL(charls_jpegls_encoder_encode_from_buffer, encoder, samples.data(), samples.size(), 0);
  std::size_t written = 0;
  (void)CALL(charls_jpegls_encoder_get_bytes_written, encoder, &written);
  CALL(charls_jpegls_encoder_destroy, encoder);
#undef CALL
  out.resize(code == charls::jpegls_errc::success ? written : 0);
  return out;
}

Bytes jpeg_by_dcmtk(const ImageInfo& info, ByteView samples, int predictor) {
  return by_dcmtk(info, samples, predictor == 1 ? EXS_JPEGProcess14SV1 : EXS_JPEGProcess14,
                  DJ_RPLossless(predictor, 0));
}

Bytes rle_by_dcmtk(const ImageInfo& info, ByteView samples) {
  return by_dcmtk(info, samples, EXS_RLELossless, DcmRLERepresentationParameter());
}

Bytes by_openjpeg(const ImageInfo& info, ByteView samples) {
  std::array<opj_image_cmptparm_t, 3> components{};
  for (auto& c : components) c = {1, 1, info.columns, info.rows, 0, 0, info.bits_stored, 0, 0};
  const std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image(
      opj_image_create(info.samples, components.data(), OPJ_CLRSPC_UNSPECIFIED), opj_image_destroy);
  if (!image) return {};
  image->x1 = info.columns;
  image->y1 = info.rows;
  for (unsigned c = 0; c < info.samples; ++c)
    take(info, samples, c, 0, std::size_t{info.rows} * info.columns, image->comps[c].data);
  opj_cparameters_t parameters;
  opj_set_default_encoder_parameters(&parameters);
  parameters.tcp_numlayers = 1;
  parameters.cp_disto_alloc = 1;
  parameters.tcp_mct = info.samples == 3 ? 1 : 0;
  const std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec(opj_create_compress(OPJ_CODEC_J2K),
                                                                   opj_destroy_codec);
  if (!opj_setup_encoder(codec.get(), &parameters, image.get())) return {};
  Bytes out;
  const std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> stream(opj_stream_create(1U << 20U, OPJ_FALSE),
                                                                      opj_stream_destroy);
  opj_stream_set_user_data(stream.get(), &out, nullptr);
  opj_stream_set_write_function(stream.get(), append);
  if (!opj_start_compress(codec.get(), image.get(), stream.get()) || !opj_encode(codec.get(), stream.get()) ||
      !opj_end_compress(codec.get(), stream.get()))
    return {};
  return out;
}

Bytes by_openjph(const ImageInfo& info, ByteView samples) {
  static const ojph::codestream tables;  // its function tables are set by whoever is first, so by one thread
  ojph::codestream stream;
  ojph::param_siz siz = stream.access_siz();
  siz.set_image_extent(ojph::point(info.columns, info.rows));
  siz.set_num_components(info.samples);
  for (unsigned c = 0; c < info.samples; ++c) siz.set_component(c, ojph::point(1, 1), info.bits_stored, false);
  ojph::param_cod cod = stream.access_cod();
  cod.set_num_decomposition(5);
  cod.set_block_dims(64, 64);
  cod.set_progression_order("RPCL");
  cod.set_color_transform(info.samples == 3);
  cod.set_reversible(true);
  stream.set_planar(false);
  ojph::mem_outfile out;
  out.open(samples.size() / 2 + 4096);
  stream.write_headers(&out);
  ojph::ui32 component = 0;
  ojph::line_buf* line = stream.exchange(nullptr, component);
  for (std::size_t row = 0; row < info.rows; ++row) {
    for (unsigned c = 0; c < info.samples; ++c) {
      take(info, samples, component, row * info.columns, info.columns, line->i32);
      line = stream.exchange(line, component);
    }
  }
  stream.flush();
  const auto* data = reinterpret_cast<const std::byte*>(out.get_data());
  Bytes bytes(data, data + out.tell());
  stream.close();
  return bytes;
}

namespace {

struct Library {
  std::string_view syntax, name;
  Bytes (*encode)(const ImageInfo& info, ByteView samples);
};

constexpr std::array kLibraries = {
    Library{"1.2.840.10008.1.2.5", "dcmtk", rle_by_dcmtk},
    Library{"1.2.840.10008.1.2.4.70", "dcmtk",
            [](const ImageInfo& info, ByteView samples) { return jpeg_by_dcmtk(info, samples, 1); }},
    Library{"1.2.840.10008.1.2.4.80", "charls", by_charls},
    Library{"1.2.840.10008.1.2.4.90", "openjpeg", by_openjpeg},
    Library{"1.2.840.10008.1.2.4.201", "openjph", by_openjph},
};

const Library* library_of(std::string_view syntax) {
  const auto* const at = std::ranges::find(kLibraries, syntax, &Library::syntax);
  return at == kLibraries.end() ? nullptr : at;
}

}  // namespace

Bytes by_library(std::string_view transfer_syntax, const ImageInfo& info, ByteView samples) {
  const Library* library = library_of(transfer_syntax);
  return library == nullptr ? Bytes{} : library->encode(info, samples);
}

Decoder beside_library(std::string_view transfer_syntax) {
  const Library* library = library_of(transfer_syntax);
  const bool other = library != nullptr && can_decode(transfer_syntax, Decoder::independent) &&
                     decoder_name(transfer_syntax, Decoder::primary).starts_with(library->name);
  return other ? Decoder::independent : Decoder::primary;
}

}  // namespace waybill::pixel::test
