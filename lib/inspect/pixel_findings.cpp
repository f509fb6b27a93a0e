// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "dicom/uids.hpp"
#include "inspect/parts.hpp"
#include "inspect/pixels.hpp"
#include "pixel/codec.hpp"

#include <algorithm>

namespace waybill::inspect {

using dicom::add_finding;
using dicom::tag;
using dicom::Tag;
using manifest::Severity;

namespace {

void native_length(const pixel::PixelData& data, std::vector<manifest::Finding>& findings) {
  const auto expected = pixel::native_length(data.info);
  constexpr Tag kPixels = tag(0x7FE0, 0x0010);
  if (!expected) {
    add_finding(findings, "PIX-DIMS", Severity::s3, tag(0x0028, 0x0010),
                "rows, columns and frames give a size beyond 64 bits");
    return;
  }
  const std::uint64_t have = data.value.size();
  const std::string sizes = std::to_string(have) + " bytes of pixel data, " + std::to_string(*expected) + " expected";
  if (have < *expected) {
    add_finding(findings, "PIX-SHORT", Severity::s3, kPixels, sizes);
  } else if (have == *expected + 1) {
    if (*expected % 2 == 0) add_finding(findings, "PIX-LONG1", Severity::s0, kPixels, sizes);
  } else if (have > *expected + 1) {
    const bool frames =
        *expected > 0 &&
        (have - *expected) % (*expected / data.info.frames == 0 ? 1 : *expected / data.info.frames) == 0;
    add_finding(findings, frames ? "PIX-FRAMES" : "PIX-LONG", frames ? Severity::s3 : Severity::s1, kPixels, sizes);
  }
}

/// Codestream against label, flags and header (ENC-TSCODESTREAM, PIX-DIMS, PIX-LOSSYFLAG).
void codestream(const dicom::File& file, const pixel::PixelData& data, std::vector<manifest::Finding>& findings) {
  std::vector<manifest::Finding> own;
  const auto index = pixel::index_frames(data.value, data.info.frames, data.transfer_syntax, own);
  if (!index || index->frames.empty()) return;
  const Bytes first = pixel::join(index->frames.front());
  const pixel::Sniffed s = pixel::sniff(first);
  const std::string_view ts = data.transfer_syntax;
  const auto is = [&](std::string_view end) { return ts == "1.2.840.10008.1.2.4." + std::string(end); };
  std::string why;
  if ((is("70") || is("57")) && s.kind != "jpeg-lossless") why = "labelled JPEG lossless";
  if (is("70") && s.kind == "jpeg-lossless" && s.predictor != 1)
    why = "labelled selection value 1 but the predictor is " + std::to_string(s.predictor);
  if ((is("80") || is("81")) && s.kind != "jpeg-ls") why = "labelled JPEG-LS";
  if (is("80") && s.kind == "jpeg-ls" && s.near > 0) why = "labelled lossless but NEAR is " + std::to_string(s.near);
  if (is("50") && s.kind != "jpeg-baseline") why = "labelled JPEG baseline";
  if ((is("90") || is("91")) && s.kind != "jpeg-2000" && s.kind != "jp2") why = "labelled JPEG 2000";
  if (is("90") && s.lossy) why = "labelled lossless but the codestream uses the irreversible transform";
  const bool hidden_loss = s.lossy && pixel::fidelity_of(ts) == pixel::Fidelity::lossless;
  if (!why.empty())
    add_finding(findings, "ENC-TSCODESTREAM", hidden_loss ? Severity::s3 : Severity::s2, tag(0x0002, 0x0010),
                why + "; the codestream is " + s.kind);
  if (s.rows != 0 && (s.rows != data.info.rows || s.columns != data.info.columns)) {
    add_finding(findings, "PIX-DIMS", Severity::s2, tag(0x0028, 0x0010),
                "the codestream is " + std::to_string(s.columns) + "x" + std::to_string(s.rows) + ", the header says " +
                    std::to_string(data.info.columns) + "x" + std::to_string(data.info.rows));
  }
  const auto flag = file.dataset.raw_text(tag(0x0028, 0x2110));
  if (s.lossy && (!flag || trim(*flag) != "01"))
    add_finding(findings, "PIX-LOSSYFLAG", Severity::s2, tag(0x0028, 0x2110),
                "the codestream is lossy but Lossy Image Compression is not 01");
}

}  // namespace

void pixels(const dicom::File& file, Depth depth, manifest::Object& object) {
  const auto data = pixel_data_of(file);
  const dicom::Dataset& set = file.dataset;
  if (set.find(tag(0x0028, 0x7FE0)) != nullptr)
    add_finding(object.findings, "ENC-JPIP", Severity::s4, tag(0x0028, 0x7FE0),
                "the pixels are at another place (JPIP); fetch them first");
  if (!data) {
    const bool image = set.find(tag(0x0028, 0x0010)) != nullptr && set.find(tag(0x0028, 0x0011)) != nullptr &&
                       set.find(tag(0x0028, 0x0100)) != nullptr;
    if (image && !file.has("ENC-LENOVER") && !file.has("ENC-JPIP") && set.find(tag(0x0028, 0x7FE0)) == nullptr)
      add_finding(object.findings, "PIX-NOPIX", Severity::s3, tag(0x7FE0, 0x0010),
                  "image attributes but no pixel data");
    return;
  }
  int kinds = 0;
  for (const Tag t : {tag(0x7FE0, 0x0008), tag(0x7FE0, 0x0009), tag(0x7FE0, 0x0010)})
    kinds += set.find(t) != nullptr ? 1 : 0;
  if (kinds > 1)
    add_finding(object.findings, "PIX-TWOPIX", Severity::s3, tag(0x7FE0, 0x0010), "more than one kind of pixel data");
  const auto& info = data->info;
  if (info.bits_stored > 0 && info.float_bits == 0 && info.bits_allocated > 1 &&
      (info.high_bit + 1 != info.bits_stored || info.bits_stored > info.bits_allocated)) {
    add_finding(object.findings, "PIX-HIGHBIT", Severity::s2, tag(0x0028, 0x0102),
                "HighBit is not BitsStored - 1, or BitsStored exceeds BitsAllocated");
  }
  if (data->encapsulated)
    codestream(file, *data, object.findings);
  else
    native_length(*data, object.findings);
  if (depth != Depth::pixels) return;
  const auto fidelity = pixel::fidelity_of(data->transfer_syntax);
  if (data->encapsulated) {
    const auto streams = pixel::digest_codestreams(*data, object.findings);
    if (streams) object.codestream_sha256 = streams->hex();
  }
  const bool short_pixels = std::any_of(object.findings.begin(), object.findings.end(),
                                        [](const manifest::Finding& f) { return f.code == "PIX-SHORT"; });
  if (short_pixels) return;
  if (!pixel::can_decode(data->transfer_syntax, pixel::Decoder::primary)) {
    if (fidelity != pixel::Fidelity::video)
      add_finding(object.findings, "PIX-NODECODER", Severity::s1, tag(0x0002, 0x0010),
                  "no decoder for this transfer syntax; the codestream is carried byte for byte");
    return;
  }
  const auto digests = pixel::digest_pixels(*data, object.findings);
  if (!digests) {
    add_finding(object.findings, "PIX-TRUNC", Severity::s3, tag(0x7FE0, 0x0010),
                "a frame cannot be decoded: " + digests.error().what);
    return;
  }
  object.pixel_sha256 = digests->pixel.hex();
  if (digests->unused_bits)
    add_finding(object.findings, "PIX-UNUSEDBITS", Severity::s1, tag(0x7FE0, 0x0010),
                "bits outside Bits Stored are set");
}

}  // namespace waybill::inspect
