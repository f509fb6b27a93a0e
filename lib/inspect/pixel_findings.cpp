// SPDX-License-Identifier: Apache-2.0
// The order of the pixel checks, and those that need decoded samples.
#include "dicom/uids.hpp"
#include "inspect/parts.hpp"
#include "inspect/pixel_parts.hpp"
#include "inspect/pixels.hpp"

#include <algorithm>
#include <utility>

namespace waybill::inspect {

using dicom::tag;
using dicom::Tag;
using manifest::Finding;
using manifest::Severity;

namespace {

constexpr Tag kPixelData = tag(0x7FE0, 0x0010);

std::string hex_start(ByteView raw) { return to_hex(raw.first(std::min<std::size_t>(raw.size(), 64))); }

/// Encoder faults that the decoder undid.
void quirks(const pixel::PixelDigests& digests, std::vector<Finding>& findings) {
  const std::string frame = "frame " + std::to_string(digests.quirk_frame);
  switch (digests.quirk) {
    case pixel::Quirk::none:
    case pixel::Quirk::idle_runs: break;  // sound by the standard
    case pixel::Quirk::jai_thresholds:
      note_absent(findings, "PIX-JLSJAI", Severity::s2, kPixelData,
                  frame + ": JPEG-LS with the thresholds of the JAI codec and without the LSE segment that says so");
      break;
    case pixel::Quirk::cornell_overflow:
      note_absent(findings, "PIX-JPLCORNELL", Severity::s2, kPixelData,
                  frame + ": JPEG lossless with superfluous bits behind differences of 32768 (Cornell encoder)");
      break;
    case pixel::Quirk::predictor_overflow:
      note_absent(findings, "PIX-PRED6", Severity::s2, kPixelData,
                  frame + ": JPEG lossless whose predictor overflowed 16 bits in the encoder");
      break;
    case pixel::Quirk::padded_end:
      note_absent(findings, "PIX-ODDFRAG", Severity::s1, kPixelData,
                  frame + ": JPEG-LS with a zero byte in front of the end marker, which some decoders refuse");
      break;
    case pixel::Quirk::packed_bits:
      note_absent(findings, "ENC-TSCODESTREAM", Severity::s2, tag(0x0002, 0x0010),
                  frame + ": RLE with eight 1-bit pixels in a byte; PS3.5 G.2 gives each pixel a byte");
      break;
  }
}

/// PIX1, CSTR and what only decoded samples tell.
void decode(const dicom::File& file, pixel::PixelData data, const std::string& syntax, manifest::Object& object) {
  std::vector<Finding>& findings = object.findings;
  const std::string label = std::exchange(data.transfer_syntax, syntax);
  const bool decodable = pixel::can_decode(syntax, pixel::Decoder::primary);
  const bool impossible = std::any_of(findings.begin(), findings.end(), [](const Finding& f) {
    return f.code == "PIX-DIMS" && f.severity == Severity::s3;
  });
  const bool whole = !impossible && !has_finding(findings, "PIX-SHORT") && !has_finding(findings, "ENC-PMSCT");
  std::optional<pixel::PixelDigests> digests;
  if (whole && decodable) {
    const auto result = pixel::digest_pixels(data, findings);
    if (result) {
      digests = *result;
    } else if (result.error().fault == Fault::mismatch && !has_finding(findings, "PIX-FRAMES")) {
      note_absent(findings, "PIX-DIMS", Severity::s3, tag(0x0028, 0x0010),
                  "the frames cannot be one image: " + result.error().what);
    } else {
      note_absent(findings, "PIX-TRUNC", Severity::s3, kPixelData, "a frame cannot be decoded: " + result.error().what);
    }
  } else if (!decodable && pixel::fidelity_of(label) != pixel::Fidelity::video) {
    note_absent(findings, "PIX-NODECODER", Severity::s1, tag(0x0002, 0x0010),
                "no decoder for this transfer syntax; the codestream is carried byte for byte");
  }
  if (data.encapsulated) {
    data.transfer_syntax = label;
    if (digests) {
      object.codestream_sha256 = digests->codestream.hex();
    } else if (const auto streams = pixel::digest_codestreams(data, findings)) {
      object.codestream_sha256 = streams->hex();
    }
  }
  if (!digests) return;
  object.pixel_sha256 = digests->pixel.hex();
  quirks(*digests, findings);
  const std::string_view photometric = data.info.photometric;
  if (photometric == "RGB" && digests->neutral_chroma &&
      (syntax == "1.2.840.10008.1.2.4.57" || syntax == "1.2.840.10008.1.2.4.70"))
    note_absent(findings, "PIX-PHOTO", Severity::s2, tag(0x0028, 0x0004),
                "labelled RGB but the second and third sample stand at 128 as Cb and Cr do: YBR_FULL");
  if (digests->unused_bits && !has_finding(findings, "PIX-OVLBITS")) {
    std::string detail = "bits outside Bits Stored are set; PIX1 leaves them out";
    if (!data.encapsulated) detail += "; SHA-256 of the pixel data as stored: " + Sha256::of(data.value).hex();
    note_absent(findings, "PIX-UNUSEDBITS", Severity::s1, kPixelData, std::move(detail));
  }
  if (!data.encapsulated && contradicts_planar(data)) {
    note(findings, "PIX-PLANAR", Severity::s3, file.dataset, *pixel_node(file.dataset),
         std::string("the samples lie ") + (data.info.planar ? "by pixel" : "by plane") +
             ", Planar Configuration says otherwise",
         Evidence::header);
  }
}

}  // namespace

bool has_finding(const std::vector<Finding>& findings, std::string_view code) noexcept {
  return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; });
}

void note(std::vector<Finding>& findings, std::string_view code, Severity severity, Tag t, std::string detail,
          std::uint64_t offset, ByteView raw) {
  const auto known = std::find_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == code; });
  if (known == findings.end()) {
    findings.push_back({std::string(code), severity, dicom::to_string(t), std::move(detail), offset, hex_start(raw)});
  } else if (!known->offset) {
    *known = {known->code, std::max(known->severity, severity), known->tag, std::move(detail), offset, hex_start(raw)};
  }
}

void note(std::vector<Finding>& findings, std::string_view code, Severity severity, const dicom::Dataset& set,
          const dicom::Node& node, std::string detail, Evidence evidence) {
  const ByteView raw =
      evidence == Evidence::value ? set.value(node) : set.bytes().subspan(node.start, node.value - node.start);
  note(findings, code, severity, node.tag, std::move(detail), evidence == Evidence::value ? node.value : node.start,
       raw);
}

void note_absent(std::vector<Finding>& findings, std::string_view code, Severity severity, Tag t, std::string detail) {
  dicom::add_finding(findings, code, severity, t, std::move(detail));
}

void pixels(const dicom::File& file, Depth depth, manifest::Object& object) {
  describe_object(file, object.findings);
  const auto data = pixel_data_of(file);
  if (!data) return;
  describe_pixels(file, *data, object.findings);
  std::string syntax = data->transfer_syntax;
  if (data->encapsulated)
    syntax = codestream(file, *data, object.findings);
  else if (!has_finding(object.findings, "PIX-DIMS") && !has_finding(object.findings, "ENC-PMSCT"))
    native_length(file, *data, object.findings);
  if (depth == Depth::pixels) decode(file, *data, syntax, object);
}

}  // namespace waybill::inspect
