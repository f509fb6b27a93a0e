// SPDX-License-Identifier: Apache-2.0
// DCMTK's codecs for one frame: the frame is put into a small dataset in memory and the representation changed.
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
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>
#include <cstring>

namespace waybill::pixel {
namespace {

void describe(DcmDataset& dataset, const ImageInfo& info, std::uint32_t rows, std::uint32_t columns,
              std::uint16_t samples) {
  dataset.putAndInsertUint16(DCM_SamplesPerPixel, samples);
  dataset.putAndInsertString(DCM_PhotometricInterpretation,
                             info.photometric.empty() ? "MONOCHROME2" : info.photometric.c_str());
  if (samples > 1) dataset.putAndInsertUint16(DCM_PlanarConfiguration, 0);
  dataset.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(rows));
  dataset.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(columns));
  dataset.putAndInsertUint16(DCM_BitsAllocated, info.bits_allocated);
  dataset.putAndInsertUint16(DCM_BitsStored, info.bits_stored);
  dataset.putAndInsertUint16(DCM_HighBit, info.high_bit);
  dataset.putAndInsertUint16(DCM_PixelRepresentation, info.is_signed ? 1 : 0);
  dataset.putAndInsertString(DCM_SOPClassUID, "1.2.840.10008.5.1.4.1.1.7");
  dataset.putAndInsertString(DCM_SOPInstanceUID, "1.2.3");
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

/// The first frame straight into `frame`.
OFCondition decode_into(DcmPixelData& pixels, DcmDataset& dataset, Frame& frame) {
  Uint32 fragment = 1;  // behind the offset table
  OFString model;
  return pixels.getUncompressedFrame(&dataset, 0, fragment, frame.data.data(), static_cast<Uint32>(frame.data.size()),
                                     model);
}

/// By way of the whole uncompressed element: the frame decoder for RLE of DCMTK 3.6.7 writes past the buffer when a
/// stream is damaged.
OFCondition decode_whole(DcmDataset& dataset, Frame& frame) {
  OFCondition result = dataset.chooseRepresentation(EXS_LittleEndianExplicit, nullptr);
  DcmElement* element = nullptr;
  if (result.good()) result = dataset.findAndGetElement(DCM_PixelData, element);
  if (result.bad()) return result;
  const void* samples = nullptr;
  Uint16* words = nullptr;
  Uint8* bytes = nullptr;
  if (frame.bytes_per_sample > 1) {
    result = element->getUint16Array(words);
    samples = words;
  } else {
    result = element->getUint8Array(bytes);
    samples = bytes;
  }
  if (result.bad()) return result;
  if (samples == nullptr || element->getLength() < frame.data.size()) return EC_CorruptedData;
  std::memcpy(frame.data.data(), samples, frame.data.size());
  // RLE comes out by plane when the dataset says so; we said by pixel, it keeps the stream's planes.
  Uint16 planar = 0;
  if (frame.samples > 1 && dataset.findAndGetUint16(DCM_PlanarConfiguration, planar).good() && planar == 1)
    frame.data = interleave(frame.data, frame.samples, frame.bytes_per_sample);
  return result;
}

Failure failed(const OFCondition& condition) { return {Fault::malformed, std::string("DCMTK: ") + condition.text()}; }

}  // namespace

void register_codecs() {
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);  // DCMTK's lines may hold patient values
  DJDecoderRegistration::registerCodecs(EDC_never, EUC_never, EPC_colorByPixel);
  DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
  DcmRLEDecoderRegistration::registerCodecs();
}

void unregister_codecs() {
  DcmRLEDecoderRegistration::cleanup();
  DJLSDecoderRegistration::cleanup();
  DJDecoderRegistration::cleanup();
}

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
    DcmDataset dataset;
    describe(dataset, info, info.rows, info.columns, info.samples);
    const E_TransferSyntax xfer = DcmXfer(std::string(transfer_syntax).c_str()).getXfer();
    auto sequence = std::make_unique<DcmPixelSequence>(DCM_PixelSequenceTag);
    auto table = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
    sequence->insert(table.release());
    auto item = std::make_unique<DcmPixelItem>(DCM_PixelItemTag);
    put_even(*item, stream);
    sequence->insert(item.release());
    auto owned = std::make_unique<DcmPixelData>(DCM_PixelData);
    DcmPixelData* const pixels = owned.get();
    pixels->putOriginalRepresentation(xfer, nullptr, sequence.release());
    dataset.insert(owned.release(), OFTrue);
    Frame frame;
    frame.rows = info.rows;
    frame.columns = info.columns;
    frame.samples = info.samples;
    frame.bytes_per_sample = static_cast<std::uint16_t>(info.bits_allocated / 8);
    frame.photometric = info.photometric;
    frame.data.resize(*size + *size % 2);
    const OFCondition result = rle ? decode_whole(dataset, frame) : decode_into(*pixels, dataset, frame);
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
