// SPDX-License-Identifier: Apache-2.0
// Attributes about pixels against each other and against what is there.
#include "core/text.hpp"
#include "inspect/pixel_parts.hpp"
#include "inspect/pixels.hpp"

#include <algorithm>
#include <array>

namespace waybill::inspect {

using dicom::Node;
using dicom::tag;
using dicom::Tag;
using manifest::Finding;
using manifest::Severity;

namespace {

/// SOP classes whose IOD demands pixel data, behind 1.2.840.10008.5.1.4.1.1. (PS3.4 B.5, PS3.3 A.1.4).
constexpr std::string_view kStorage = "1.2.840.10008.5.1.4.1.1.";
constexpr std::array<std::string_view, 66> kImages = {
    "1",        "1.1",      "1.1.1",    "1.2",      "1.2.1",    "1.3",      "1.3.1",  "2",      "2.1",      "2.2",
    "3",        "3.1",      "4",        "4.1",      "4.3",      "4.4",      "5",      "6",      "6.1",      "6.2",
    "6.3",      "7",        "7.1",      "7.2",      "7.3",      "7.4",      "12.1",   "12.1.1", "12.2",     "12.2.1",
    "12.3",     "13.1.1",   "13.1.2",   "13.1.3",   "13.1.4",   "13.1.5",   "14.1",   "14.2",   "20",       "30",
    "66.4",     "66.7",     "77.1.1",   "77.1.1.1", "77.1.2",   "77.1.2.1", "77.1.3", "77.1.4", "77.1.4.1", "77.1.5.1",
    "77.1.5.2", "77.1.5.4", "77.1.5.5", "77.1.5.6", "77.1.5.7", "77.1.5.8", "77.1.6", "77.1.7", "81.1",     "82.1",
    "128",      "128.1",    "130",      "481.1",    "601.1",    "601.2"};

bool is_image_class(std::string_view uid) {
  return uid.starts_with(kStorage) &&
         std::find(kImages.begin(), kImages.end(), uid.substr(kStorage.size())) != kImages.end();
}

template <typename F>
void each_top_level(const dicom::Dataset& set, F&& visit) {
  const auto& nodes = set.nodes();
  for (std::uint32_t i = 0; i < nodes.size() && nodes[i].next > i; i = nodes[i].next) visit(nodes[i]);
}

std::string_view class_of(const dicom::File& file) {
  const auto uid = file.dataset.raw_text(tag(0x0008, 0x0016));
  return uid && !uid->empty() ? trim(*uid) : std::string_view(file.meta.sop_class);
}

/// ENC-PMSCT: Elscint and Philips put PMSCT_RLE1 or PMSCT_RGB1 pixels into private elements.
void private_compression(const dicom::File& file, std::vector<Finding>& findings) {
  if (pixel::is_encapsulated(file.transfer_syntax)) return;
  each_top_level(file.dataset, [&](const Node& node) {
    const Tag group = node.tag >> 16U;
    if ((group != 0x07A1 && group != 0x70DF) || node.kind != dicom::NodeKind::element) return;
    const std::string_view value = as_text(file.dataset.value(node));
    if (value.starts_with("PMSCT_RLE1") || value.starts_with("PMSCT_RGB1")) {
      note(findings, "ENC-PMSCT", Severity::s3, file.dataset, node,
           "the pixels are compressed privately as " + std::string(value.substr(0, 10)) +
               "; no standard reader decodes them");
    }
  });
}

/// PIX-RESCALE: nothing is wrong with the bytes, but a viewer has to guess.
void presentation(const dicom::File& file, std::vector<Finding>& findings) {
  const dicom::Dataset& set = file.dataset;
  const auto absent = [&](std::uint16_t element) { return set.find(tag(0x0028, element)) == nullptr; };
  if (set.find(tag(0x5200, 0x9229)) != nullptr || !is_image_class(class_of(file))) return;
  const std::string_view photometric = trim(set.raw_text(tag(0x0028, 0x0004)).value_or(""));
  std::string why;
  if (class_of(file) == "1.2.840.10008.5.1.4.1.1.2" && (absent(0x1052) || absent(0x1053)))
    why = "CT without Rescale Intercept or Slope";
  if (photometric.starts_with("MONOCHROME") && set.integer(tag(0x0028, 0x0101)).value_or(0) > 8 && absent(0x1050) &&
      absent(0x3010))
    why += (why.empty() ? "" : "; ") + std::string("no window and no VOI LUT");
  if (!why.empty())
    note_absent(findings, "PIX-RESCALE", Severity::s0, tag(0x0028, absent(0x1052) ? 0x1052 : 0x1050), why);
}

void extended_offsets(const dicom::File& file, std::vector<Finding>& findings) {
  const dicom::Dataset& set = file.dataset;
  const Node* offsets = set.find(tag(0x7FE0, 0x0001));
  const Node* lengths = set.find(tag(0x7FE0, 0x0002));
  const Node* any = offsets != nullptr ? offsets : lengths;
  if (any == nullptr) return;
  std::string detail = "an extended offset table";
  const Node* pixels = pixel_node(set);
  if (pixels == nullptr || pixels->kind != dicom::NodeKind::fragments) {
    detail += " beside native pixel data";
  } else if (offsets == nullptr || lengths == nullptr) {
    detail += " of which one half is missing";
  } else {
    detail += pixel::extended_table_fits(set.value(*pixels), set.value(*offsets), set.value(*lengths))
                  ? " that fits the fragments"
                  : " that does not fit the fragments";
  }
  note(findings, "PIX-EOT", Severity::s1, set, *any, detail);
}

/// PIX-OVLBITS: retired overlays that live in unused bits of the pixels (PS3.3 2004 C.9.2).
void overlays(const dicom::Dataset& set, std::vector<Finding>& findings) {
  for (std::uint16_t group = 0x6000; group <= 0x601E; group = static_cast<std::uint16_t>(group + 2)) {
    const Node* position = set.find(tag(group, 0x0102));
    if (position == nullptr) continue;
    const auto bits = set.integer(tag(group, 0x0100));
    const bool apart = bits ? *bits == 1 : set.find(tag(group, 0x3000)) != nullptr;
    if (apart || set.integer(position->tag).value_or(0) == 0) continue;
    note(findings, "PIX-OVLBITS", Severity::s2, set, *position,
         "an overlay stands in bit " + std::to_string(*set.integer(position->tag)) +
             " of the pixels; a codec would drop it");
  }
}

/// PIX-PADOUT: Pixel Padding Value as the 16-bit pattern it is, whatever its VR says.
void padding(const dicom::Dataset& set, const pixel::ImageInfo& info, std::vector<Finding>& findings) {
  const Node* node = set.find(tag(0x0028, 0x0120));
  if (node == nullptr || node->length != 2 || info.bits_stored == 0 || info.bits_stored >= 16 || info.float_bits != 0)
    return;
  const std::uint16_t pattern = load_u16(set.value(*node).data(), set.encoding().big_endian);
  const unsigned bits = info.bits_stored;
  const int value = info.is_signed ? static_cast<std::int16_t>(pattern) : static_cast<int>(pattern);
  const bool within = (pattern >> bits) == 0 || (info.is_signed && value < 0 && value >= -(1 << (bits - 1)));
  if (!within)
    note(findings, "PIX-PADOUT", Severity::s2, set, *node,
         "Pixel Padding Value " + std::to_string(value) + " does not fit in " + std::to_string(bits) + " bits");
}

/// PIX-PALETTE: descriptors against the tables (PS3.3 C.7.6.3.1.5).
void palette(const dicom::Dataset& set, std::vector<Finding>& findings) {
  std::optional<std::uint64_t> first_entries;
  for (std::uint16_t colour = 1; colour <= 3; ++colour) {
    const Node* descriptor = set.find(tag(0x0028, static_cast<std::uint16_t>(0x1100 + colour)));
    const Node* table = set.find(tag(0x0028, static_cast<std::uint16_t>(0x1200 + colour)));
    const Node* segmented = set.find(tag(0x0028, static_cast<std::uint16_t>(0x1220 + colour)));
    if (descriptor == nullptr || descriptor->length < 6 || (table == nullptr && segmented == nullptr)) {
      note_absent(findings, "PIX-PALETTE", Severity::s3, tag(0x0028, static_cast<std::uint16_t>(0x1100 + colour)),
                  "PALETTE COLOR without the lookup table or its descriptor");
      return;
    }
    const ByteView d = set.value(*descriptor);
    const bool big = set.encoding().big_endian;
    const std::uint64_t stated = load_u16(d.data(), big);
    const std::uint64_t entries = stated == 0 ? 65536 : stated;
    const unsigned bits = load_u16(d.data() + 4, big);
    if (first_entries && *first_entries != entries) {
      note(findings, "PIX-PALETTE", Severity::s3, set, *descriptor, "the lookup tables have different lengths");
      return;
    }
    first_entries = entries;
    if (table == nullptr) continue;  // segmented: its length says nothing
    const std::uint64_t bytes = table->length;
    const bool narrow = bytes == entries + entries % 2 || bytes == entries;
    const bool wide = bytes == 2 * entries;
    if ((bits == 8 && narrow) || (bits == 16 && wide)) continue;
    const std::string said = std::to_string(entries) + " entries of " + std::to_string(bits) + " bits are described, " +
                             std::to_string(bytes) + " bytes are there";
    const bool certain = narrow || wide;
    note(findings, "PIX-PALETTE", certain ? Severity::s2 : Severity::s3, set, *descriptor,
         said + (certain ? ": entries of " + std::string(wide ? "16" : "8") + " bits" : ""));
    return;
  }
}

/// PIX-FRAMES: a Number of Frames that is none; how many there are has to be told by the pixels.
void frame_count(const dicom::Dataset& set, std::vector<Finding>& findings) {
  const Node* node = set.find(tag(0x0028, 0x0008));
  if (node == nullptr || trim(set.raw_text(node->tag).value_or("")).empty()) return;
  if (set.integer(node->tag).value_or(0) <= 0)
    note(findings, "PIX-FRAMES", Severity::s3, set, *node, "Number of Frames is no positive number");
}

/// PIX-LOSSYFLAG: the flag is not 01, but the object tells of a loss that once happened.
void cleared_flag(const dicom::Dataset& set, std::vector<Finding>& findings) {
  const Node* flag = set.find(tag(0x0028, 0x2110));
  if (trim(set.raw_text(tag(0x0028, 0x2110)).value_or("")) == "01") return;
  const auto told = [&]() -> std::string {
    if (!trim(set.raw_text(tag(0x0028, 0x2114)).value_or("")).empty()) return "Lossy Image Compression Method is there";
    const std::string ratio(trim(set.raw_text(tag(0x0028, 0x2112)).value_or("")));
    if (std::strtod(ratio.c_str(), nullptr) > 1) return "Lossy Image Compression Ratio is above 1";
    const Node* original = set.find(tag(0x0400, 0x0561));
    if (original == nullptr) return {};
    for (std::uint32_t i = set.index_of(*original); i < original->next; ++i) {
      const Node& node = set.nodes()[i];
      if (node.tag == tag(0x0028, 0x2110) && trim(as_text(set.value(node))) == "01")
        return "Original Attributes Sequence keeps 01";
    }
    return {};
  }();
  if (told.empty()) return;
  const std::string detail = told + " but Lossy Image Compression is not 01";
  if (flag != nullptr)
    note(findings, "PIX-LOSSYFLAG", Severity::s2, set, *flag, detail);
  else
    note_absent(findings, "PIX-LOSSYFLAG", Severity::s2, tag(0x0028, 0x2110), detail);
}

}  // namespace

void describe_object(const dicom::File& file, std::vector<Finding>& findings) {
  const dicom::Dataset& set = file.dataset;
  std::vector<const Node*> kinds;
  for (const Tag t : {tag(0x0028, 0x7FE0), tag(0x7FE0, 0x0008), tag(0x7FE0, 0x0009), tag(0x7FE0, 0x0010)}) {
    if (const Node* node = set.find(t)) kinds.push_back(node);
  }
  const Node* elsewhere = set.find(tag(0x0028, 0x7FE0));
  if (elsewhere != nullptr)
    note_absent(findings, "ENC-JPIP", Severity::s4, elsewhere->tag,
                "the pixels are at another place (JPIP); fetch them first");
  if (kinds.size() > 1)
    note(findings, "PIX-TWOPIX", Severity::s3, set, *kinds[1], "more than one kind of pixel data", Evidence::header);
  private_compression(file, findings);
  extended_offsets(file, findings);
  if (!kinds.empty()) {
    presentation(file, findings);
    return;
  }
  const bool described = set.find(tag(0x0028, 0x0010)) != nullptr && set.find(tag(0x0028, 0x0011)) != nullptr &&
                         set.find(tag(0x0028, 0x0100)) != nullptr;
  if ((described || is_image_class(class_of(file))) && !file.has("ENC-LENOVER") && !has_finding(findings, "ENC-PMSCT"))
    note_absent(findings, "PIX-NOPIX", Severity::s3, tag(0x7FE0, 0x0010),
                described ? "image attributes but no pixel data" : "an image class without pixel data");
}

void describe_pixels(const dicom::File& file, const pixel::PixelData& data, std::vector<Finding>& findings) {
  const dicom::Dataset& set = file.dataset;
  const pixel::ImageInfo& info = data.info;
  const bool sizeless = !data.encapsulated && (info.rows == 0 || info.columns == 0 || info.samples == 0);
  const bool bitless = info.float_bits == 0 && (info.bits_allocated == 0 || info.bits_stored == 0);
  if (sizeless || bitless) {
    note_absent(findings, "PIX-DIMS", Severity::s3, tag(0x0028, sizeless ? 0x0010 : 0x0100),
                std::string(sizeless ? "Rows, Columns or Samples per Pixel" : "Bits Allocated or Bits Stored") +
                    " are zero or missing");
  }
  if (info.float_bits == 0 && info.bits_stored > 0 && info.bits_allocated > 1) {
    std::string why;
    if (info.bits_allocated == 12) why = "Bits Allocated is 12: packed samples";
    if (info.high_bit + 1 != info.bits_stored) why = "High Bit is not Bits Stored - 1";
    if (info.bits_stored > info.bits_allocated) why = "Bits Stored exceeds Bits Allocated";
    const Node* node = set.find(tag(0x0028, 0x0102));
    if (!why.empty() && node != nullptr)
      note(findings, "PIX-HIGHBIT", Severity::s2, set, *node, why);
    else if (!why.empty())
      note_absent(findings, "PIX-HIGHBIT", Severity::s2, tag(0x0028, 0x0102), why);
  }
  overlays(set, findings);
  padding(set, info, findings);
  if (info.samples > 1 && set.find(tag(0x0028, 0x0006)) == nullptr) {
    const bool certain = data.encapsulated || info.photometric == "YBR_FULL_422";  // only one order is possible
    note_absent(findings, "PIX-PLANAR", certain ? Severity::s2 : Severity::s3, tag(0x0028, 0x0006),
                "Planar Configuration is missing");
  }
  if (trim(info.photometric) == "PALETTE COLOR") palette(set, findings);
  frame_count(set, findings);
  cleared_flag(set, findings);
}

}  // namespace waybill::inspect
