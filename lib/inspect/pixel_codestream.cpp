// SPDX-License-Identifier: Apache-2.0
// Encapsulated pixel data: fragments, and the header of the first frame's codestream against label and attributes.
#include "core/text.hpp"
#include "inspect/pixel_parts.hpp"
#include "inspect/pixels.hpp"

#include <algorithm>
#include <array>

namespace waybill::inspect {

using dicom::tag;
using dicom::Tag;
using manifest::Finding;
using manifest::Severity;
using pixel::Fidelity;
using pixel::Sniffed;

namespace {

constexpr std::size_t kHead = std::size_t{64} << 10U;  // marker segments in front of the scan fit in it
constexpr Tag kLabel = tag(0x0002, 0x0010);

/// What each label asks of the codestream.
struct Demand {
  std::string_view syntax;
  std::string_view kind;
  std::string_view name;
};
#define JPEG "1.2.840.10008.1.2.4."
constexpr std::array kDemands = {
    Demand{JPEG "50", "jpeg-baseline", "JPEG baseline"},
    Demand{JPEG "51", "jpeg-extended", "JPEG extended"},
    Demand{JPEG "53", "jpeg-progressive", "JPEG progressive"},
    Demand{JPEG "55", "jpeg-progressive", "JPEG progressive"},
    Demand{JPEG "57", "jpeg-lossless", "JPEG lossless"},
    Demand{JPEG "70", "jpeg-lossless", "JPEG lossless, selection value 1"},
    Demand{JPEG "80", "jpeg-ls", "JPEG-LS lossless"},
    Demand{JPEG "81", "jpeg-ls", "JPEG-LS"},
    Demand{JPEG "90", "jpeg-2000", "JPEG 2000 lossless"},
    Demand{JPEG "91", "jpeg-2000", "JPEG 2000"},
    Demand{JPEG "201", "htj2k", "HTJ2K lossless"},
    Demand{JPEG "202", "htj2k", "HTJ2K lossless RPCL"},
    Demand{JPEG "203", "htj2k", "HTJ2K"},
    Demand{JPEG "110", "jxl", "JPEG XL lossless"},
    Demand{JPEG "111", "jxl", "JPEG XL"},
    Demand{JPEG "112", "jxl", "JPEG XL"},
    Demand{"1.2.840.10008.1.2.5", "rle", "RLE"},
};

/// How the codestream breaks its label; empty when it does not.
std::string breach(std::string_view label, const Demand& demand, const Sniffed& s) {
  if (s.kind != demand.kind) return "the codestream is " + s.kind;
  if (label == JPEG "70" && s.predictor != 1) return "the predictor is " + std::to_string(s.predictor);
  if (label == JPEG "80" && s.near > 0) return "NEAR is " + std::to_string(s.near);
  if (s.lossy && pixel::fidelity_of(label) == Fidelity::lossless)
    return "the codestream uses the irreversible transform";
  if (label == JPEG "202" && s.progression != 2)
    return "the progression order is " + std::to_string(s.progression) + ", not RPCL";
  return {};
}
#undef JPEG

/// The first frame's start: what was read of it, and where its bytes stand in the dataset.
struct First {
  const Sniffed& seen;
  ByteView fragment;
  std::uint64_t offset = 0;

  /// Evidence from `at` on; a header that only a later fragment holds is shown by the start of the first.
  void note(std::vector<Finding>& findings, std::string_view code, Severity severity, Tag t, std::string detail,
            std::size_t at) const {
    if (at >= fragment.size()) at = 0;
    const ByteView from = fragment.subspan(at);
    inspect::note(findings, code, severity, t, std::move(detail), offset + at,
                  from.first(std::min<std::size_t>(48, from.size())));
  }
};

/// ENC-TSCODESTREAM; returns the syntax to decode by.
std::string check_label(const std::string& label, const First& first, std::vector<Finding>& findings) {
  const auto* demand =
      std::find_if(kDemands.begin(), kDemands.end(), [&](const Demand& d) { return d.syntax == label; });
  if (demand == kDemands.end()) return label;
  const Sniffed& s = first.seen;
  const std::string why = breach(label, *demand, s);
  if (why.empty()) return label;
  const bool hidden_loss = s.lossy && pixel::fidelity_of(label) == Fidelity::lossless;
  const std::string truth = pixel::true_syntax(s);
  const bool certain = !hidden_loss && (!truth.empty() || s.kind == "jxl");
  first.note(findings, "ENC-TSCODESTREAM", certain ? Severity::s2 : Severity::s3, kLabel,
             "labelled " + std::string(demand->name) + "; " + why, s.header);
  return truth.empty() ? label : truth;
}

std::string by(std::uint64_t columns, std::uint64_t rows) {
  return std::to_string(columns) + "x" + std::to_string(rows);
}

/// PIX-DIMS. For decoding the codestream rules (PS3.5 8.2.1, 8.2.4).
void check_size(const pixel::ImageInfo& info, const First& first, std::vector<Finding>& findings) {
  const Sniffed& s = first.seen;
  if (s.header == 0) return;
  std::string why;
  const auto add = [&](const std::string& text) { why += (why.empty() ? "" : "; ") + text; };
  Severity severity = Severity::s2;
  if (s.rows == 0 || s.columns == 0 || s.rows > 0xFFFFU || s.columns > 0xFFFFU) {
    severity = Severity::s3;
    add("the codestream's header says " + by(s.columns, s.rows) + ", which no image has");
  } else if (s.rows != info.rows || s.columns != info.columns) {
    add("the codestream is " + by(s.columns, s.rows) + ", the header says " + by(info.columns, info.rows));
  }
  if (s.components != info.samples)
    add(std::to_string(s.components) + " components, Samples per Pixel is " + std::to_string(info.samples));
  const bool narrow = s.precision < info.bits_stored;
  const bool wide = s.precision > info.bits_allocated;
  if (narrow || wide)
    add(std::to_string(s.precision) + " bits in the codestream, " + std::to_string(info.bits_stored) + " stored in " +
        std::to_string(info.bits_allocated) + " by the header");
  const bool j2k = s.kind == "jpeg-2000" || s.kind == "htj2k";
  if (j2k && s.is_signed != info.is_signed)
    add(std::string("the codestream's samples are ") + (s.is_signed ? "signed" : "unsigned") +
        ", Pixel Representation says otherwise");
  if (why.empty()) {
    if (s.precision == info.bits_stored) return;
    severity = Severity::s0;  // customary: DCMTK, GDCM and GE write 16-bit streams of 12-bit images
    add("the codestream has " + std::to_string(s.precision) + " bits, Bits Stored is " +
        std::to_string(info.bits_stored));
  }
  first.note(findings, "PIX-DIMS", severity, tag(0x0028, 0x0010), why, s.header);
}

/// PIX-JP2BOX, PIX-JFIF, PIX-PHOTO: what the stream says of colour and its wrapping.
void check_colour(const pixel::ImageInfo& info, const First& first, std::vector<Finding>& findings) {
  const Sniffed& s = first.seen;
  const std::string_view photometric = trim(info.photometric);
  if (s.boxed)
    first.note(findings, "PIX-JP2BOX", Severity::s2, tag(0x7FE0, 0x0010),
               "the codestream stands in the boxes of a JP2 file", 0);
  std::string photo;
  const bool colour = s.components == 3;
  if (colour && photometric == "RGB" && s.subsampled) photo = "labelled RGB, but subsampled components are YCbCr";
  if (colour && photometric == "RGB" && s.adobe_transform == 1)
    photo = "labelled RGB, but the Adobe segment says YCbCr";
  if (colour && photometric.starts_with("YBR") && s.adobe_transform == 0)
    photo = "labelled " + std::string(photometric) + ", but the Adobe segment says no colour transform";
  if (s.jfif || s.adobe) {
    first.note(findings, "PIX-JFIF", photo.empty() ? Severity::s0 : Severity::s2, tag(0x7FE0, 0x0010),
               std::string(s.jfif ? "a JFIF" : "an Adobe") + " segment in the codestream; " +
                   (photo.empty() ? "Photometric Interpretation rules" : photo),
               0);
  }
  const bool j2k = s.components >= 3 && (s.kind == "jpeg-2000" || s.kind == "htj2k");
  const std::string_view wanted = s.lossy ? "YBR_ICT" : "YBR_RCT";
  if (j2k && s.multi_component && photometric != wanted)
    photo = "the codestream uses the multiple component transform; the label must be " + std::string(wanted);
  if (j2k && !s.multi_component && (photometric == "YBR_RCT" || photometric == "YBR_ICT"))
    photo = "labelled " + std::string(photometric) + ", but the codestream has no multiple component transform";
  if (!photo.empty()) first.note(findings, "PIX-PHOTO", Severity::s2, tag(0x0028, 0x0004), photo, s.header);
}

/// PIX-TRUNC: frames of the JPEG family without their end marker.
void check_ends(const pixel::FrameIndex& index, const pixel::PixelData& data, std::uint64_t base,
                std::vector<Finding>& findings) {
  std::size_t cut = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < index.frames.size(); ++i) {
    const auto& fragments = index.frames[i];
    ByteView tail = fragments.back();
    Bytes joined;
    if (tail.size() < 64 && fragments.size() > 1) tail = joined = pixel::join(fragments);
    if (!pixel::up_to_end_marker(tail) && cut++ == 0) first = i;
  }
  if (cut == 0) return;
  const ByteView last = index.frames[first].back();
  const auto offset = static_cast<std::uint64_t>(last.data() + last.size() - data.value.data());
  const std::size_t shown = std::min<std::size_t>(16, last.size());
  note(findings, "PIX-TRUNC", Severity::s3, tag(0x7FE0, 0x0010),
       "no end marker in " + std::to_string(cut) + " of " + std::to_string(index.frames.size()) +
           " frames, first in frame " + std::to_string(first + 1),
       base + offset - shown, last.last(shown));
}

/// The start of the first frame, without a copy when it is one fragment.
ByteView head_of(const std::vector<ByteView>& fragments, Bytes& joined) {
  if (fragments.size() == 1) return fragments.front();
  for (const ByteView f : fragments) {
    if (joined.size() >= kHead) break;
    put_bytes(joined, f.first(std::min(f.size(), kHead - joined.size())));
  }
  return joined;
}

}  // namespace

std::string syntax_of_codestreams(const pixel::PixelData& data) {
  const std::string& label = data.transfer_syntax;
  const auto* demand =
      std::find_if(kDemands.begin(), kDemands.end(), [&](const Demand& d) { return d.syntax == label; });
  if (!data.encapsulated || demand == kDemands.end()) return label;
  std::vector<Finding> ignored;
  const auto index = pixel::index_frames(data.value, data.info.frames, label, ignored);
  if (!index) return label;
  Bytes joined;
  const Sniffed seen = pixel::sniff(head_of(index->frames.front(), joined));
  std::string truth = pixel::true_syntax(seen);
  const bool hidden_loss = seen.lossy && pixel::fidelity_of(label) == Fidelity::lossless;
  const auto is_dct = [](std::string_view kind) {
    return kind == "jpeg-baseline" || kind == "jpeg-extended" || kind == "jpeg-progressive";
  };
  const bool read_all_the_same =
      is_dct(demand->kind) && is_dct(seen.kind);  // one decoder for all; see also PS3.5 A.4.1
  if (truth.empty() || hidden_loss || read_all_the_same || breach(label, *demand, seen).empty()) return label;
  // Whether a wavelet stream was cut cannot be seen: under a label that promises nothing it proves nothing.
  const bool doubtful = pixel::fidelity_of(label) == Fidelity::lossy;
  if (doubtful && seen.kind == "jpeg-2000") return "1.2.840.10008.1.2.4.91";
  if (doubtful && seen.kind == "htj2k") return "1.2.840.10008.1.2.4.203";
  return truth;
}

std::string codestream(const dicom::File& file, const pixel::PixelData& data, std::vector<Finding>& findings) {
  const std::string& label = data.transfer_syntax;
  const std::uint64_t base = pixel_node(file.dataset)->value;
  const bool video = pixel::fidelity_of(label) == Fidelity::video;
  std::vector<Finding> own;
  const auto index = pixel::index_frames(data.value, video ? 1 : data.info.frames, label, own);
  for (const Finding& f : own)
    note(findings, f.code, f.severity, tag(0x7FE0, 0x0010), f.detail, base + f.offset.value_or(0), from_hex(f.raw));
  if (!index) {
    for (Finding& f : findings) {  // without the delimiter nobody knows what is missing
      if (f.code == "PIX-ZEROFRAG") f.severity = Severity::s3;
    }
    if (!has_finding(findings, "PIX-FRAMES") && !has_finding(findings, "PIX-ZEROFRAG"))
      note_absent(findings, "PIX-TRUNC", Severity::s3, tag(0x7FE0, 0x0010), index.error().what);
    return label;
  }
  if (video || pixel::fidelity_of(label) == Fidelity::native) return label;
  Bytes joined;
  const ByteView head = head_of(index->frames.front(), joined);
  const Sniffed seen = pixel::sniff(head);
  const auto offset = static_cast<std::uint64_t>(index->frames.front().front().data() - data.value.data());
  const First first{seen, index->frames.front().front(), base + offset};
  std::string syntax = check_label(label, first, findings);
  check_size(data.info, first, findings);
  check_colour(data.info, first, findings);
  const bool marked = seen.kind.starts_with("jpeg") || seen.kind == "htj2k";
  if (marked) check_ends(*index, data, base, findings);
  const dicom::Node* flag = file.dataset.find(tag(0x0028, 0x2110));
  const auto set = file.dataset.raw_text(tag(0x0028, 0x2110));
  if (seen.lossy && (!set || trim(*set) != "01")) {
    const std::string why = "the codestream is lossy but Lossy Image Compression is " +
                            (set ? "\"" + std::string(trim(*set)).substr(0, 16) + "\"" : std::string("absent"));
    if (flag != nullptr)
      note(findings, "PIX-LOSSYFLAG", Severity::s2, file.dataset, *flag, why);
    else
      note_absent(findings, "PIX-LOSSYFLAG", Severity::s2, tag(0x0028, 0x2110), why);
  }
  return syntax;
}

}  // namespace waybill::inspect
