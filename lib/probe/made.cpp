// SPDX-License-Identifier: Apache-2.0
#include "probe/made.hpp"

#include "commit/ledger.hpp"
#include "core/clock.hpp"
#include "core/sha256.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"
#include "dicom/uids.hpp"

#include <algorithm>
#include <random>

namespace waybill::probe {

namespace {

using dicom::tag;
using dicom::vr;

constexpr dicom::Tag kPixels = tag(0x7FE0, 0x0010);

/// Grey values with so much noise that no codec of the peer's makes little of them.
std::string pixels_of(const Made& made) {
  std::minstd_rand chance(made.seed);
  std::string out;
  out.reserve(std::size_t{made.edge} * made.edge * 2);
  for (unsigned row = 0; row < made.edge; ++row) {
    for (unsigned column = 0; column < made.edge; ++column) {
      const auto grey = static_cast<unsigned>(4 * (std::uint64_t{row} + column) + chance() % 256) & 0x0FFFU;
      out += static_cast<char>(grey & 0xFFU);
      out += static_cast<char>(grey >> 8U);
    }
  }
  return out;
}

std::string number(std::uint16_t value) { return {static_cast<char>(value & 0xFFU), static_cast<char>(value >> 8U)}; }

/// Writes elements one behind the other.
class Elements {
 public:
  explicit Elements(bool explicit_vr) : explicit_vr_(explicit_vr) {}
  void put(dicom::Tag t, const char (&name)[3], std::string_view value) {
    put_bytes(out_, dicom::encode_element(t, vr(name), value, explicit_vr_));
  }
  /// A sequence of one item.
  void put(dicom::Tag t, Elements&& item) {
    Bytes content;
    put_u16(content, 0xFFFE);
    put_u16(content, 0xE000);
    put_u32(content, static_cast<std::uint32_t>(item.out_.size()));
    put_bytes(content, item.out_);
    put(t, "SQ", as_text(content));
  }
  [[nodiscard]] Elements item() const { return Elements(explicit_vr_); }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  bool explicit_vr_;
  Bytes out_;
};

void put_image(Elements& out, const Made& made) {
  out.put(tag(0x0020, 0x0020), "CS", "");
  out.put(tag(0x0028, 0x0002), "US", number(1));
  out.put(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  out.put(tag(0x0028, 0x0010), "US", number(made.edge));
  out.put(tag(0x0028, 0x0011), "US", number(made.edge));
  out.put(tag(0x0028, 0x0100), "US", number(16));
  out.put(tag(0x0028, 0x0101), "US", number(12));
  out.put(tag(0x0028, 0x0102), "US", number(11));
  out.put(tag(0x0028, 0x0103), "US", number(0));
  out.put(kPixels, "OW", pixels_of(made));
}

/// "Rejected for Quality Reasons" (PS3.3 C.17, PS3.16 CID 7011) of one image.
void put_rejection(Elements& out, const Made& made) {
  const auto reference = [&] {
    Elements one = out.item();
    one.put(tag(0x0008, 0x1150), "UI", kMadeClass);
    one.put(tag(0x0008, 0x1155), "UI", made.rejects);
    return one;
  };
  Elements title = out.item();
  title.put(tag(0x0008, 0x0100), "SH", "113001");
  title.put(tag(0x0008, 0x0102), "SH", "DCM");
  title.put(tag(0x0008, 0x0104), "LO", "Rejected for Quality Reasons");
  Elements series = out.item();
  series.put(tag(0x0008, 0x1199), reference());
  series.put(tag(0x0020, 0x000E), "UI", made.series_of_rejected);
  Elements study = out.item();
  study.put(tag(0x0008, 0x1115), std::move(series));
  study.put(tag(0x0020, 0x000D), "UI", made.study);
  Elements content_template = out.item();
  content_template.put(tag(0x0008, 0x0105), "CS", "DCMR");
  content_template.put(tag(0x0040, 0xDB00), "CS", "2010");
  Elements content = out.item();
  content.put(tag(0x0008, 0x1199), reference());
  content.put(tag(0x0040, 0xA010), "CS", "CONTAINS");
  content.put(tag(0x0040, 0xA040), "CS", "IMAGE");
  out.put(tag(0x0040, 0xA040), "CS", "CONTAINER");
  out.put(tag(0x0040, 0xA043), std::move(title));
  out.put(tag(0x0040, 0xA050), "CS", "SEPARATE");
  out.put(tag(0x0040, 0xA375), std::move(study));
  out.put(tag(0x0040, 0xA504), std::move(content_template));
  out.put(tag(0x0040, 0xA730), std::move(content));
}

Bytes dataset_of(const Made& made, bool explicit_vr) {
  const std::string now = utc_now();
  const std::string day = now.substr(0, 4) + now.substr(5, 2) + now.substr(8, 2);
  const bool is_note = !made.rejects.empty();
  Elements out(explicit_vr);
  out.put(tag(0x0008, 0x0016), "UI", class_of(made));
  out.put(tag(0x0008, 0x0018), "UI", made.instance);
  out.put(tag(0x0008, 0x0020), "DA", day);
  out.put(tag(0x0008, 0x0023), "DA", day);
  out.put(tag(0x0008, 0x0030), "TM", "000000");
  out.put(tag(0x0008, 0x0033), "TM", "000000");
  out.put(tag(0x0008, 0x0050), "SH", "");
  out.put(tag(0x0008, 0x0060), "CS", is_note ? "KO" : "OT");
  if (!is_note) out.put(tag(0x0008, 0x0064), "CS", "WSD");
  out.put(tag(0x0008, 0x0070), "LO", "Waybill");
  out.put(tag(0x0008, 0x0090), "PN", "");
  out.put(tag(0x0008, 0x1030), "LO", "Test of waybill probe, may be deleted");
  if (is_note) out.put(tag(0x0008, 0x1111), "SQ", "");
  out.put(tag(0x0010, 0x0010), "PN", made.patient_name);
  out.put(tag(0x0010, 0x0020), "LO", made.patient_id);
  out.put(tag(0x0010, 0x0030), "DA", "");
  out.put(tag(0x0010, 0x0040), "CS", "");
  out.put(tag(0x0020, 0x000D), "UI", made.study);
  out.put(tag(0x0020, 0x000E), "UI", made.series);
  out.put(tag(0x0020, 0x0010), "SH", "PROBE");
  out.put(tag(0x0020, 0x0011), "IS", "1");
  out.put(tag(0x0020, 0x0013), "IS", std::to_string(made.number));
  is_note ? put_rejection(out, made) : put_image(out, made);
  return out.take();
}

}  // namespace

std::string_view class_of(const Made& made) noexcept {
  return made.rejects.empty() ? kMadeClass : dicom::uid::kKeyObjectSelection;
}

std::string new_uid() { return commit::new_transaction(); }

load::Outgoing outgoing(const Made& made, const net::Context& context) {
  load::Outgoing out;
  out.object.sop_class = context.sop_class;
  out.object.sop_instance = made.instance;
  out.object.study = made.study;
  out.object.series = made.series;
  out.object.transfer_syntax = context.transfer_syntax;
  out.prepared.context = context;
  out.prepared.changed = dataset_of(made, context.transfer_syntax != dicom::uid::kImplicitLittleEndian);
  out.prepared.dataset = out.prepared.changed;
  return out;
}

Seen seen_of(const Made& made) {
  return {made.patient_name, made.patient_id, made.study, made.series, Sha256::of(pixels_of(made)).hex()};
}

Result<Seen> seen_in(const net::Received& received) {
  const auto file = dicom::parse_network_dataset(received.dataset, received.transfer_syntax);
  if (!file) return file.error();
  const auto text = [&](std::uint16_t group, std::uint16_t element) {
    return file->dataset.text(tag(group, element)).value_or("");
  };
  Seen seen{text(0x0010, 0x0010), text(0x0010, 0x0020), text(0x0020, 0x000D), text(0x0020, 0x000E), {}};
  const dicom::Node* pixels = file->dataset.find(kPixels);
  const bool little = !file->dataset.encoding().big_endian;
  if (pixels != nullptr && pixels->kind == dicom::NodeKind::element && little)
    seen.pixels = Sha256::of(file->dataset.value(*pixels)).hex();
  return seen;
}

std::optional<bool> Sight::present(const Made& made) const {
  if (seen.empty()) return listed;
  return std::ranges::any_of(seen,
                             [&](const Seen& one) { return one.study == made.study && one.series == made.series; });
}

}  // namespace waybill::probe
