// SPDX-License-Identifier: Apache-2.0
// JPEG XL by libjxl 0.7, the only implementation there is: it encodes, and it decodes what proves the encoding. The
// library takes and gives samples scaled to 8 or 16 bits; the scale is exact both ways up to 16 bits.
#include "pixel/codecs.hpp"
#include "pixel/limits.hpp"
#include "pixel/opened_library.hpp"
#include "pixel/samples.hpp"

#include <jxl/decode.h>
#include <jxl/encode.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

namespace waybill::pixel {
namespace {

/// libjxl, opened for the first frame that needs it: what it brings along, libhwy above all, which measures the clock
/// as it is loaded, would take a third of the start of every tool and codec process.
struct Library : OpenedLibrary {
  Library() : OpenedLibrary(WAYBILL_LIBJXL) {}

  decltype(&::JxlColorEncodingSetToSRGB) JxlColorEncodingSetToSRGB = find("JxlColorEncodingSetToSRGB");
  decltype(&::JxlDecoderCloseInput) JxlDecoderCloseInput = find("JxlDecoderCloseInput");
  decltype(&::JxlDecoderCreate) JxlDecoderCreate = find("JxlDecoderCreate");
  decltype(&::JxlDecoderDestroy) JxlDecoderDestroy = find("JxlDecoderDestroy");
  decltype(&::JxlDecoderGetBasicInfo) JxlDecoderGetBasicInfo = find("JxlDecoderGetBasicInfo");
  decltype(&::JxlDecoderImageOutBufferSize) JxlDecoderImageOutBufferSize = find("JxlDecoderImageOutBufferSize");
  decltype(&::JxlDecoderProcessInput) JxlDecoderProcessInput = find("JxlDecoderProcessInput");
  decltype(&::JxlDecoderReleaseJPEGBuffer) JxlDecoderReleaseJPEGBuffer = find("JxlDecoderReleaseJPEGBuffer");
  decltype(&::JxlDecoderSetImageOutBuffer) JxlDecoderSetImageOutBuffer = find("JxlDecoderSetImageOutBuffer");
  decltype(&::JxlDecoderSetInput) JxlDecoderSetInput = find("JxlDecoderSetInput");
  decltype(&::JxlDecoderSetJPEGBuffer) JxlDecoderSetJPEGBuffer = find("JxlDecoderSetJPEGBuffer");
  decltype(&::JxlDecoderSetKeepOrientation) JxlDecoderSetKeepOrientation = find("JxlDecoderSetKeepOrientation");
  decltype(&::JxlDecoderSubscribeEvents) JxlDecoderSubscribeEvents = find("JxlDecoderSubscribeEvents");
  decltype(&::JxlDecoderVersion) JxlDecoderVersion = find("JxlDecoderVersion");
  decltype(&::JxlEncoderAddImageFrame) JxlEncoderAddImageFrame = find("JxlEncoderAddImageFrame");
  decltype(&::JxlEncoderCloseInput) JxlEncoderCloseInput = find("JxlEncoderCloseInput");
  decltype(&::JxlEncoderCreate) JxlEncoderCreate = find("JxlEncoderCreate");
  decltype(&::JxlEncoderDestroy) JxlEncoderDestroy = find("JxlEncoderDestroy");
  decltype(&::JxlEncoderFrameSettingsCreate) JxlEncoderFrameSettingsCreate = find("JxlEncoderFrameSettingsCreate");
  decltype(&::JxlEncoderFrameSettingsSetOption) JxlEncoderFrameSettingsSetOption =
      find("JxlEncoderFrameSettingsSetOption");
  decltype(&::JxlEncoderInitBasicInfo) JxlEncoderInitBasicInfo = find("JxlEncoderInitBasicInfo");
  decltype(&::JxlEncoderProcessOutput) JxlEncoderProcessOutput = find("JxlEncoderProcessOutput");
  decltype(&::JxlEncoderSetBasicInfo) JxlEncoderSetBasicInfo = find("JxlEncoderSetBasicInfo");
  decltype(&::JxlEncoderSetColorEncoding) JxlEncoderSetColorEncoding = find("JxlEncoderSetColorEncoding");
  decltype(&::JxlEncoderSetFrameLossless) JxlEncoderSetFrameLossless = find("JxlEncoderSetFrameLossless");
  decltype(&::JxlEncoderUseContainer) JxlEncoderUseContainer = find("JxlEncoderUseContainer");
};

const Library& api() {
  static const Library instance;
  return instance;
}

const Failure kMissing{Fault::unsupported, WAYBILL_LIBJXL " cannot be opened; install the package of libjxl"};

using DecoderHandle = std::unique_ptr<JxlDecoder, void (*)(JxlDecoder*)>;
using EncoderHandle = std::unique_ptr<JxlEncoder, void (*)(JxlEncoder*)>;

Failure bad(const char* why) { return {Fault::malformed, std::string("JPEG XL: ") + why}; }

/// libjxl as Debian builds it tells stderr why it refuses a stream, in lines that begin with the place in its source.
/// Those are dropped; whatever else comes through the C stream goes to the descriptor as ever.
ssize_t without_jxl(void*, const char* text, std::size_t size) {
  const std::string_view all(text, size);
  for (std::size_t at = 0; at < size;) {
    const std::size_t end = std::min(all.find('\n', at), size - 1) + 1;
    const std::string_view line = all.substr(at, end - at);
    if (!line.starts_with("./lib/jxl/") && ::write(STDERR_FILENO, line.data(), line.size()) < 0) break;
    at = end;
  }
  return static_cast<ssize_t>(size);
}

void quiet_library() {
  static const bool once = [] {
    if (std::FILE* const filter = ::fopencookie(nullptr, "w", {nullptr, without_jxl, nullptr, nullptr})) {
      (void)std::setvbuf(filter, nullptr, _IOLBF, BUFSIZ);
      stderr = filter;
    }
    return true;
  }();
  (void)once;
}

/// v of `from` full scale to `to` full scale, rounded.
std::uint32_t rescale(std::uint32_t v, std::uint32_t from, std::uint32_t to) { return (v * to + from / 2) / from; }

template <typename T>
void rescale_all(Bytes& data, std::uint32_t from, std::uint32_t to) {
  if (from == to) return;
  for (std::size_t i = 0; i + sizeof(T) <= data.size(); i += sizeof(T)) {
    T v;
    std::memcpy(&v, data.data() + i, sizeof(T));
    v = static_cast<T>(rescale(v, from, to));
    std::memcpy(data.data() + i, &v, sizeof(T));
  }
}

void rescale_frame(Bytes& data, bool wide, std::uint32_t from, std::uint32_t to) {
  if (wide)
    rescale_all<std::uint16_t>(data, from, to);
  else
    rescale_all<std::uint8_t>(data, from, to);
}

/// The JPEG codestream that a recompressed frame was made of.
class Reconstruction {
 public:
  void begin(JxlDecoder* decoder) {
    bytes_.resize(1U << 16U);
    set(decoder, 0);
    active_ = true;
  }
  /// More room; false beyond what a JPEG of this frame can need.
  bool grow(JxlDecoder* decoder, std::size_t most) {
    const std::size_t done = bytes_.size() - api().JxlDecoderReleaseJPEGBuffer(decoder);
    if (bytes_.size() >= most) return false;
    bytes_.resize(bytes_.size() * 2);
    set(decoder, done);
    return true;
  }
  const Bytes& finish(JxlDecoder* decoder) {
    bytes_.resize(bytes_.size() - api().JxlDecoderReleaseJPEGBuffer(decoder));
    return bytes_;
  }
  bool active() const { return active_; }

 private:
  void set(JxlDecoder* decoder, std::size_t from) {
    (void)api().JxlDecoderSetJPEGBuffer(decoder, reinterpret_cast<std::uint8_t*>(bytes_.data()) + from,
                                        bytes_.size() - from);
  }
  Bytes bytes_;
  bool active_ = false;
};

}  // namespace

std::string jxl_version() {
  if (!api().usable()) return "libjxl missing";
  const std::uint32_t v = api().JxlDecoderVersion();
  return "libjxl " + std::to_string(v / 1000000) + '.' + std::to_string(v / 1000 % 1000) + '.' +
         std::to_string(v % 1000);
}

Result<Frame> decode_jxl(const ImageInfo& info, ByteView stream) {
  if (!api().usable()) return kMissing;
  quiet_library();
  const DecoderHandle decoder(api().JxlDecoderCreate(nullptr), api().JxlDecoderDestroy);
  if (!decoder) return Failure{Fault::limit, "no memory for a JPEG XL decoder"};
  JxlDecoder* const d = decoder.get();
  if (api().JxlDecoderSubscribeEvents(d, JXL_DEC_BASIC_INFO | JXL_DEC_JPEG_RECONSTRUCTION | JXL_DEC_FULL_IMAGE) !=
          JXL_DEC_SUCCESS ||
      api().JxlDecoderSetKeepOrientation(d, JXL_TRUE) != JXL_DEC_SUCCESS ||
      api().JxlDecoderSetInput(d, reinterpret_cast<const std::uint8_t*>(stream.data()), stream.size()) !=
          JXL_DEC_SUCCESS)
    return bad("the decoder cannot be set up");
  api().JxlDecoderCloseInput(d);
  Frame frame;
  Reconstruction jpeg;
  JxlPixelFormat format{};
  for (;;) {
    const JxlDecoderStatus status = api().JxlDecoderProcessInput(d);
    if (status == JXL_DEC_BASIC_INFO) {
      JxlBasicInfo basic;
      if (api().JxlDecoderGetBasicInfo(d, &basic) != JXL_DEC_SUCCESS) return bad("no header");
      if (basic.bits_per_sample > 16 || basic.bits_per_sample == 0 || basic.exponent_bits_per_sample != 0)
        return Failure{Fault::unsupported, "JPEG XL: samples that are not integers of up to 16 bits"};
      const std::uint32_t bits = std::max<std::uint32_t>(basic.bits_per_sample, info.bits_allocated > 8 ? 9 : 1);
      frame.rows = basic.ysize;
      frame.columns = basic.xsize;
      frame.samples = static_cast<std::uint16_t>(basic.num_color_channels);
      frame.precision = static_cast<std::uint16_t>(basic.bits_per_sample);
      frame.bytes_per_sample = static_cast<std::uint16_t>(bits > 8 ? 2 : 1);
      frame.photometric = info.photometric;
      if (auto why = out_of_proportion(info, {basic.ysize, basic.xsize, basic.num_color_channels, 4}, stream.size()))
        return *std::move(why);
      if (basic.num_extra_channels > 4) return bad("more channels than an image has");
      format = {basic.num_color_channels, bits > 8 ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8, JXL_LITTLE_ENDIAN, 0};
    } else if (status == JXL_DEC_JPEG_RECONSTRUCTION) {
      jpeg.begin(d);
    } else if (status == JXL_DEC_JPEG_NEED_MORE_OUTPUT) {
      if (!jpeg.grow(d, std::size_t{frame.rows} * frame.columns * 8 + (1U << 20U))) return bad("a JPEG without an end");
    } else if (status == JXL_DEC_NEED_IMAGE_OUT_BUFFER) {
      std::size_t size = 0;
      if (api().JxlDecoderImageOutBufferSize(d, &format, &size) != JXL_DEC_SUCCESS ||
          size != std::size_t{frame.rows} * frame.columns * frame.samples * frame.bytes_per_sample)
        return bad("the samples do not fit the header");
      frame.data.resize(size);
      if (api().JxlDecoderSetImageOutBuffer(d, &format, frame.data.data(), size) != JXL_DEC_SUCCESS)
        return bad("the decoder takes no buffer");
    } else if (status == JXL_DEC_FULL_IMAGE) {
      break;
    } else {
      return Failure{Fault::truncated, "JPEG XL: the codestream is damaged or cut"};
    }
  }
  if (jpeg.active()) {
    const Bytes& inner = jpeg.finish(d);
    const std::string syntax = true_syntax(sniff(inner));
    if (syntax.empty()) return bad("the recompressed JPEG is of no known kind");
    return decode_dcmtk(syntax, info, inner);
  }
  const bool wide = frame.bytes_per_sample == 2;
  rescale_frame(frame.data, wide, wide ? 0xFFFFU : 0xFFU, (1U << frame.precision) - 1);
  return frame;
}

Result<Bytes> encode_jxl(const ImageInfo& info, const Frame& frame) {
  if (frame.samples != 1 && frame.samples != 3) return bad("one or three samples a pixel are encoded");
  auto masked = masked_samples(info, frame);
  if (!masked) return masked.error();
  const bool wide = info.bits_stored > 8;
  Bytes& samples = masked->own;
  if (samples.empty()) samples.assign(masked->view.begin(), masked->view.end());
  rescale_frame(samples, wide, (1U << info.bits_stored) - 1, wide ? 0xFFFFU : 0xFFU);
  if (!api().usable()) return kMissing;
  const EncoderHandle encoder(api().JxlEncoderCreate(nullptr), api().JxlEncoderDestroy);
  if (!encoder) return Failure{Fault::limit, "no memory for a JPEG XL encoder"};
  JxlEncoder* const e = encoder.get();
  JxlBasicInfo basic;
  api().JxlEncoderInitBasicInfo(&basic);
  basic.xsize = frame.columns;
  basic.ysize = frame.rows;
  basic.bits_per_sample = info.bits_stored;
  basic.num_color_channels = frame.samples;
  basic.uses_original_profile = JXL_TRUE;  // no XYB: the samples as they are
  JxlColorEncoding colour;
  api().JxlColorEncodingSetToSRGB(&colour, frame.samples == 1 ? JXL_TRUE : JXL_FALSE);
  JxlEncoderFrameSettings* const settings = api().JxlEncoderFrameSettingsCreate(e, nullptr);
  const JxlPixelFormat format{frame.samples, wide ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8, JXL_LITTLE_ENDIAN, 0};
  constexpr int kEffort = 3;
  if (api().JxlEncoderUseContainer(e, JXL_FALSE) != JXL_ENC_SUCCESS ||
      api().JxlEncoderSetBasicInfo(e, &basic) != JXL_ENC_SUCCESS ||
      api().JxlEncoderSetColorEncoding(e, &colour) != JXL_ENC_SUCCESS ||
      api().JxlEncoderSetFrameLossless(settings, JXL_TRUE) != JXL_ENC_SUCCESS ||
      api().JxlEncoderFrameSettingsSetOption(settings, JXL_ENC_FRAME_SETTING_EFFORT, kEffort) != JXL_ENC_SUCCESS ||
      api().JxlEncoderAddImageFrame(settings, &format, samples.data(), samples.size()) != JXL_ENC_SUCCESS)
    return bad("the encoder refuses the frame");
  api().JxlEncoderCloseInput(e);
  Bytes out(samples.size() / 2 + 4096);
  auto* next = reinterpret_cast<std::uint8_t*>(out.data());
  std::size_t room = out.size();
  for (;;) {
    const JxlEncoderStatus status = api().JxlEncoderProcessOutput(e, &next, &room);
    if (status == JXL_ENC_SUCCESS) break;
    if (status != JXL_ENC_NEED_MORE_OUTPUT) return bad("the encoder failed");
    const std::size_t done = out.size() - room;
    out.resize(out.size() * 2);
    next = reinterpret_cast<std::uint8_t*>(out.data()) + done;
    room = out.size() - done;
  }
  out.resize(out.size() - room);
  return out;
}

}  // namespace waybill::pixel
