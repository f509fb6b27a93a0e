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
  out.reserve(std::size_t{2} * made.edge * made.edge);
  for (unsigned row = 0; row < made.edge; ++row) {
    for (unsigned column = 0; column < made.edge; ++column) {
      const auto grey = static_cast<unsigned>((row + column) * 4U + chance() % 256U) & 0x0FFFU;
      out += static_cast<char>(grey & 0xFFU);
      out += static_cast<char>(grey >> 8U);
    }
  }
  return out;
}

std::string number(std::uint16_t value) { return {static_cast<char>(value & 0xFFU), static_cast<char>(value >> 8U)}; }

Bytes dataset_of(const Made& made, bool explicit_vr) {
  const std::string now = utc_now();
  const std::string day = now.substr(0, 4) + now.substr(5, 2) + now.substr(8, 2);
  Bytes out;
  const auto put = [&](dicom::Tag t, const char(&name)[3], std::string_view value) {
    put_bytes(out, dicom::encode_element(t, vr(name), value, explicit_vr));
  };
  put(tag(0x0008, 0x0016), "UI", kMadeClass);
  put(tag(0x0008, 0x0018), "UI", made.instance);
  put(tag(0x0008, 0x0020), "DA", day);
  put(tag(0x0008, 0x0030), "TM", "000000");
  put(tag(0x0008, 0x0050), "SH", "");
  put(tag(0x0008, 0x0060), "CS", "OT");
  put(tag(0x0008, 0x0064), "CS", "WSD");
  put(tag(0x0008, 0x0090), "PN", "");
  put(tag(0x0008, 0x1030), "LO", "Test of waybill probe, may be deleted");
  put(tag(0x0010, 0x0010), "PN", made.patient_name);
  put(tag(0x0010, 0x0020), "LO", made.patient_id);
  put(tag(0x0010, 0x0030), "DA", "");
  put(tag(0x0010, 0x0040), "CS", "");
  put(tag(0x0020, 0x000D), "UI", made.study);
  put(tag(0x0020, 0x000E), "UI", made.series);
  put(tag(0x0020, 0x0010), "SH", "PROBE");
  put(tag(0x0020, 0x0011), "IS", "1");
  put(tag(0x0020, 0x0013), "IS", std::to_string(made.number));
  put(tag(0x0020, 0x0020), "CS", "");
  put(tag(0x0028, 0x0002), "US", number(1));
  put(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  put(tag(0x0028, 0x0010), "US", number(made.edge));
  put(tag(0x0028, 0x0011), "US", number(made.edge));
  put(tag(0x0028, 0x0100), "US", number(16));
  put(tag(0x0028, 0x0101), "US", number(12));
  put(tag(0x0028, 0x0102), "US", number(11));
  put(tag(0x0028, 0x0103), "US", number(0));
  put(kPixels, "OW", pixels_of(made));
  return out;
}

}  // namespace

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
