// SPDX-License-Identifier: Apache-2.0
#include "transcode/icons.hpp"

#include "core/text.hpp"
#include "dicom/rewrite.hpp"
#include "pixel/codec.hpp"

#include <algorithm>

namespace waybill::transcode {
namespace {

using dicom::Node;
using dicom::NodeKind;
using dicom::tag;
using dicom::Tag;

constexpr Tag kIcons = tag(0x0088, 0x0200);
constexpr Tag kPixelData = tag(0x7FE0, 0x0010);

std::vector<std::uint32_t> items_of(const dicom::Dataset& set) {
  std::vector<std::uint32_t> out;
  const Node* icons = set.find(kIcons);
  if (icons == nullptr || icons->kind != NodeKind::sequence) return out;
  for (std::uint32_t i = set.index_of(*icons) + 1; i < icons->next; i = set.nodes()[i].next) out.push_back(i);
  return out;
}

template <typename F>
void each_element(const dicom::Dataset& set, std::uint32_t item, F each) {
  const auto& nodes = set.nodes();
  for (std::uint32_t i = item + 1; i < nodes[item].next; i = nodes[i].next) each(nodes[i]);
}

/// The pixel data of one icon; nullopt when it has none.
std::optional<pixel::PixelData> pixels_of(const dicom::File& file, std::uint32_t item) {
  pixel::PixelData out;
  pixel::ImageInfo& info = out.info;
  info.frames = 1;
  bool found = false;
  each_element(file.dataset, item, [&](const Node& node) {
    const ByteView value = file.dataset.value(node);
    const auto number = [&] { return value.size() >= 2 ? load_u16(value.data()) : std::uint16_t{0}; };
    switch (node.tag) {
      case tag(0x0028, 0x0002): info.samples = number(); break;
      case tag(0x0028, 0x0004): info.photometric = trim(as_text(value)); break;
      case tag(0x0028, 0x0006): info.planar = number() == 1; break;
      case tag(0x0028, 0x0010): info.rows = number(); break;
      case tag(0x0028, 0x0011): info.columns = number(); break;
      case tag(0x0028, 0x0100): info.bits_allocated = number(); break;
      case tag(0x0028, 0x0101): info.bits_stored = number(); break;
      case tag(0x0028, 0x0102): info.high_bit = number(); break;
      case tag(0x0028, 0x0103): info.is_signed = number() == 1; break;
      case kPixelData:
        found = true;
        out.value = value;
        out.encapsulated = node.kind == NodeKind::fragments;
        break;
      default: break;
    }
  });
  out.transfer_syntax = out.encapsulated ? file.transfer_syntax : "1.2.840.10008.1.2.1";
  if (!found) return std::nullopt;
  if (out.encapsulated) {  // an icon is not always of the image's kind
    std::vector<manifest::Finding> ignored;
    const auto reader = pixel::FrameReader::open(out, ignored);
    const std::string truth = reader ? pixel::true_syntax(pixel::sniff(reader->codestream(0))) : std::string();
    if (!truth.empty()) out.transfer_syntax = truth;
  }
  return out;
}

}  // namespace

Result<std::optional<Bytes>> native_icons(const dicom::File& file, Codecs& codecs) {
  const dicom::Dataset& set = file.dataset;
  Bytes items;
  bool any = false;
  for (const std::uint32_t item : items_of(set)) {
    const auto data = pixels_of(file, item);
    Bytes content;
    Bytes decoded;
    const bool encapsulated = data && data->encapsulated;
    if (encapsulated) {
      if (data->info.samples != 1) return Failure{Fault::unsupported, "an encapsulated icon in colour"};
      auto frames = codecs.encode(*data, "1.2.840.10008.1.2.1");
      if (!frames) return Failure{frames.error().fault, "the icon: " + frames.error().what};
      decoded = dicom::encode_element(kPixelData, data->info.bits_allocated > 8 ? dicom::vr("OW") : dicom::vr("OB"),
                                      as_text(frames->frames.front()));
      any = true;
    }
    each_element(set, item, [&](const Node& node) {
      put_bytes(content, node.tag == kPixelData && encapsulated
                             ? ByteView(decoded)
                             : set.bytes().subspan(node.start, node.end - node.start));
    });
    put_u16(items, 0xFFFE);
    put_u16(items, 0xE000);
    put_u32(items, static_cast<std::uint32_t>(content.size()));
    put_bytes(items, content);
  }
  if (!any) return std::optional<Bytes>{};
  return std::optional(dicom::encode_element(kIcons, dicom::vr("SQ"), as_text(items)));
}

std::optional<dicom::Former> former_icons(const dicom::File& file, const dicom::Rewrite& rewrite) {
  constexpr std::size_t kMost = std::size_t{64} << 10U;
  constexpr std::size_t kHeader = 12;  // of a sequence in explicit VR, which all encapsulated syntaxes are in
  const auto element = dicom::carry_element(file, kIcons, {file.transfer_syntax, {}, rewrite.to_utf8});
  if (!element || element->size() < kHeader || element->size() > kMost) return std::nullopt;
  const std::size_t delimiter = load_u32(element->data() + 8) == 0xFFFFFFFFU ? 8 : 0;
  const ByteView items = ByteView(*element).subspan(kHeader, element->size() - kHeader - delimiter);
  return dicom::Former{kIcons, dicom::vr("SQ"), Bytes(items.begin(), items.end())};
}

bool has_encapsulated_icons(const dicom::File& file) {
  const auto items = items_of(file.dataset);
  return std::any_of(items.begin(), items.end(), [&](std::uint32_t item) {
    const auto data = pixels_of(file, item);
    return data && data->encapsulated;
  });
}

Result<Done> same_icons(const dicom::File& source, const dicom::File& written, Codecs& codecs) {
  const auto before = items_of(source.dataset);
  const auto after = items_of(written.dataset);
  if (before.size() != after.size()) return Failure{Fault::mismatch, "the number of icons differs"};
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto left = pixels_of(source, before[i]);
    const auto right = pixels_of(written, after[i]);
    if (left.has_value() != right.has_value()) return Failure{Fault::mismatch, "an icon has pixels only once"};
    if (!left || !left->encapsulated) continue;  // carried as it was: DS1 covers it
    const auto same = codecs.compare(*left, *right);
    if (!same) return Failure{same.error().fault, "the icon: " + same.error().what};
  }
  return Done{};
}

}  // namespace waybill::transcode
