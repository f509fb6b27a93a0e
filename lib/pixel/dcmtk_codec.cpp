// SPDX-License-Identifier: Apache-2.0
// DCMTK's codecs for one frame.
#include "pixel/codecs.hpp"
#include "pixel/limits.hpp"
#include "pixel/register.hpp"
#include "pixel/samples.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdatset.h>
#include <dcmtk/dcmdata/dcdeftag.h>
#include <dcmtk/dcmdata/dcpixel.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledec.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>
#include <algorithm>
#include <memory>

namespace waybill::pixel {
namespace {

/// Tags come with their VR: the data dictionary, which takes longer to load than many objects take to decode, is not
/// asked for it.
void describe(DcmDataset& dataset, const ImageInfo& info, std::uint32_t rows, std::uint32_t columns,
              std::uint16_t samples) {
  const auto number = [&](const DcmTagKey& key, std::uint32_t value) {
    dataset.putAndInsertUint16(DcmTag(key, EVR_US), static_cast<Uint16>(value));
  };
  const auto text = [&](const DcmTagKey& key, DcmEVR vr, const char* value) {
    dataset.putAndInsertString(DcmTag(key, vr), value);
  };
  number(DCM_SamplesPerPixel, samples);
  text(DCM_PhotometricInterpretation, EVR_CS, info.photometric.empty() ? "MONOCHROME2" : info.photometric.c_str());
  if (samples > 1) number(DCM_PlanarConfiguration, 0);
  number(DCM_Rows, rows);
  number(DCM_Columns, columns);
  number(DCM_BitsAllocated, info.bits_allocated);
  number(DCM_BitsStored, info.bits_stored);
  number(DCM_HighBit, info.high_bit);
  number(DCM_PixelRepresentation, info.is_signed ? 1 : 0);
  text(DCM_SOPClassUID, EVR_UI, "1.2.840.10008.5.1.4.1.1.7");
  text(DCM_SOPInstanceUID, EVR_UI, "1.2.3");
}

/// The dataset's numbers with those of the codestream where it has them: DCMTK trusts the dataset.
ImageInfo fitted(ImageInfo info, const Sniffed& seen) {
  if (seen.rows == 0 || seen.columns == 0) return info;
  info.rows = seen.rows;
  info.columns = seen.columns;
  info.samples = static_cast<std::uint16_t>(seen.components);
  info.bits_allocated = seen.precision > 8 ? 16 : 8;
  info.bits_stored = static_cast<std::uint16_t>(seen.precision);
  info.high_bit = static_cast<std::uint16_t>(seen.precision - 1);
  if (info.samples == 1 && (info.photometric == "RGB" || info.photometric.starts_with("YBR")))
    info.photometric = "MONOCHROME2";
  return info;
}

/// The codestream, padded to an even length.
void put_even(DcmPixelItem& item, ByteView stream) {
  if (stream.size() % 2 == 0) {
    item.putUint8Array(reinterpret_cast<const Uint8*>(stream.data()), static_cast<unsigned long>(stream.size()));
    return;
  }
  Bytes even(stream.begin(), stream.end());
  even.push_back(std::byte{0});
  item.putUint8Array(reinterpret_cast<const Uint8*>(even.data()), static_cast<unsigned long>(even.size()));
}

/// JPEG by that of DCMTK's builds of the IJG library which it chooses itself for the precision. Its codec for datasets
/// would copy the stream first.
OFCondition decode_jpeg(const ImageInfo& info, unsigned precision, ByteView stream, Frame& frame) {
  static const DJCodecParameter kAsStored(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel);
  const OFBool ybr = info.photometric.starts_with("YBR");
  std::unique_ptr<DJDecoder> decoder;
  if (precision > 12)
    decoder = std::make_unique<DJDecompressIJG16Bit>(kAsStored, ybr);
  else if (precision > 8)
    decoder = std::make_unique<DJDecompressIJG12Bit>(kAsStored, ybr);
  else
    decoder = std::make_unique<DJDecompressIJG8Bit>(kAsStored, ybr);
  const OFCondition ready = decoder->init();
  if (ready.bad()) return ready;
  auto* const from = const_cast<Uint8*>(reinterpret_cast<const Uint8*>(stream.data()));  // it is only read
  return decoder->decode(from, static_cast<Uint32>(stream.size()), reinterpret_cast<Uint8*>(frame.data.data()),
                         static_cast<Uint32>(frame.data.size()), info.is_signed);
}

/// JPEG-LS by way of a dataset in memory: the frame's bytes as DCMTK's codec gives them.
OFCondition decode_jpeg_ls(const ImageInfo& info, std::string_view transfer_syntax, ByteView stream, Frame& frame) {
  DcmDataset dataset;
  describe(dataset, info, info.rows, info.columns, info.samples);
  const E_TransferSyntax xfer = DcmXfer(std::string(transfer_syntax).c_str()).getXfer();
  auto sequence = std::make_unique<DcmPixelSequence>(DCM_PixelSequenceTag);
  auto table = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
  sequence->insert(table.release());
  auto item = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
  put_even(*item, stream);
  sequence->insert(item.release());
  auto owned = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OW));
  DcmPixelData* const pixels = owned.get();
  pixels->putOriginalRepresentation(xfer, nullptr, sequence.release());
  dataset.insert(owned.release(), OFTrue);
  Uint32 fragment = 1;  // behind the offset table
  OFString model;
  return pixels->getUncompressedFrame(&dataset, 0, fragment, frame.data.data(), static_cast<Uint32>(frame.data.size()),
                                      model);
}

/// The end of the runs from `at` on that unpack to `most` bytes or fewer. A run that is cut by the end counts as well.
std::size_t end_of_runs(ByteView segment, std::size_t at, std::size_t most) {
  std::size_t size = 0;
  while (at < segment.size()) {
    const auto control = std::to_integer<std::size_t>(segment[at]);
    const bool replicates = (control & 0x80U) != 0;
    size += replicates ? 257 - control : control + 1;
    if (size > most) break;
    at += std::min(replicates ? 2 : control + 2, segment.size() - at);
  }
  return at;
}

/// One segment by DCMTK's decoder into every `step`-th byte from `out`, exactly `count` of them. A piece at a time that
/// stays in the processor's cache, where DCMTK's codec has buffers for the whole frame.
bool unpack_segment(ByteView segment, std::byte* out, std::size_t count, std::size_t step) {
  constexpr std::size_t kPiece = std::size_t{1} << 15U;
  DcmRLEDecoder decoder(kPiece);
  std::size_t done = 0;
  for (std::size_t at = 0; done < count && at < segment.size();) {
    const std::size_t end = end_of_runs(segment, at, kPiece);
    decoder.clear();
    (void)decoder.decompress(const_cast<std::byte*>(segment.data() + at),
                             end - at);  // reports a cut run, as size() does
    const std::size_t size = std::min(decoder.size(), count - done);
    const auto* from = static_cast<const std::byte*>(decoder.getOutputBuffer());
    for (std::size_t i = 0; i < size; ++i) out[(done + i) * step] = from[i];
    done += size;
    at = end;
  }
  return done == count;
}

/// RLE (PS3.5 Annex G) with DCMTK's decoder of segments. Its codec is not asked: the decoder of frames of DCMTK 3.6.7
/// writes past the buffer when a stream is damaged, and the one of whole objects holds three copies of the frame.
Result<Frame> decode_dcmtk_rle(const ImageInfo& info, ByteView stream, std::uint64_t size) {
  const std::uint32_t width = info.bits_allocated / 8U;
  const std::uint32_t segments = info.samples * width;
  if (stream.size() < 64 || load_u32(stream.data()) != segments || segments > 15)
    return Failure{Fault::malformed, "DCMTK: the RLE segments do not fit samples and bits"};
  Frame frame{info.rows, info.columns, info.samples,     static_cast<std::uint16_t>(width),
              0,         false,        info.photometric, Bytes(size)};
  const auto offset = [&](std::uint32_t s) -> std::size_t {
    return s < segments ? load_u32(stream.data() + 4 + std::size_t{4} * s) : stream.size();
  };
  for (std::uint32_t s = 0; s < segments; ++s) {
    if (offset(s) < 64 || offset(s) > offset(s + 1) || offset(s + 1) > stream.size())
      return Failure{Fault::malformed, "DCMTK: RLE segment offsets are out of order or range"};
    const ByteView segment = stream.subspan(offset(s), offset(s + 1) - offset(s));
    const std::size_t first = std::size_t{s / width} * width + (width - 1 - s % width);  // most significant byte first
    if (!unpack_segment(segment, frame.data.data() + first, size / segments, segments))
      return Failure{Fault::truncated, "DCMTK: an RLE segment ends early"};
  }
  return frame;
}

Failure failed(const OFCondition& condition) { return {Fault::malformed, std::string("DCMTK: ") + condition.text()}; }

}  // namespace

void register_codecs() {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);  // DCMTK's lines may hold patient values
  DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
}

void unregister_codecs() { DJLSDecoderRegistration::cleanup(); }

std::string dcmtk_version() { return "dcmtk " PACKAGE_VERSION; }

Result<Frame> decode_dcmtk(std::string_view transfer_syntax, const ImageInfo& declared, ByteView stream) {
  const Sniffed seen = sniff(stream);
  const bool rle = transfer_syntax == "1.2.840.10008.1.2.5";
  if (!rle) {
    if (auto why = jpeg_header_unsound(stream)) return *std::move(why);
  }
  const ImageInfo info = fitted(declared, seen);
  const auto size = frame_bytes(info);
  if (!size) return size.error();
  const std::uint64_t width = info.bits_allocated / 8U;
  if (auto why = out_of_proportion(declared, {info.rows, info.columns, info.samples, width}, stream.size()))
    return *std::move(why);
  if (rle && *size > stream.size() * 64 + 1024)  // two bytes give 128 at most
    return Failure{Fault::truncated, "the RLE frame is too short for rows and columns"};
  try {
    if (rle) return decode_dcmtk_rle(info, stream, *size);
    Frame frame;
    frame.rows = info.rows;
    frame.columns = info.columns;
    frame.samples = info.samples;
    frame.bytes_per_sample = static_cast<std::uint16_t>(info.bits_allocated / 8);
    frame.photometric = info.photometric;
    frame.data.resize(*size + *size % 2);
    const bool jpeg_ls = transfer_syntax.ends_with(".80") || transfer_syntax.ends_with(".81");
    const OFCondition result = jpeg_ls ? decode_jpeg_ls(info, transfer_syntax, stream, frame)
                                       : decode_jpeg(info, static_cast<unsigned>(seen.precision), stream, frame);
    if (result.bad()) return failed(result);
    frame.data.resize(*size);
    frame.photometric = declared.photometric;
    frame.precision = static_cast<std::uint16_t>(seen.precision);
    widen(frame, declared.bits_allocated);
    return frame;
  } catch (const std::exception& e) {
    return Failure{Fault::malformed, std::string("DCMTK: ") + e.what()};
  }
}

}  // namespace waybill::pixel
