// SPDX-License-Identifier: Apache-2.0
#include "inspect/inspect.hpp"

#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "dicom/sop_class.hpp"
#include "dicom/uids.hpp"
#include "inspect/parts.hpp"
#include "manifest/rejection.hpp"

#include <unordered_set>

namespace waybill::inspect {

using dicom::tag;
using dicom::Tag;

namespace {

std::optional<std::uint32_t> small_number(const dicom::Dataset& data, Tag t) {
  const auto value = data.integer(t);
  if (!value || *value < 0 || *value > 0xFFFFFFFFLL) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

/// A record is one line of a manifest, which has its limit: what is longer than any identifier is kept by its start,
/// and a person decides about the object, for the start may be another's.
constexpr std::size_t kMostText = std::size_t{64} << 10U;
constexpr std::size_t kMostReferences = std::size_t{8} << 20U;  // bytes, of all of one object

std::optional<std::string> text(const dicom::Dataset& data, Tag t, std::vector<manifest::Finding>& findings) {
  const dicom::Node* node = data.find(t);
  if (node == nullptr || node->length <= kMostText) return data.text(t);
  dicom::add_finding(findings, "VAL-OVERLEN", manifest::Severity::s3, t,
                     "an identifying value of " + std::to_string(node->length) +
                         " bytes, of which only the start stands in this record",
                     node->start);
  const std::string start(as_text(data.value(*node).first(kMostText)));
  return repair_utf8(start);
}

void attributes(const dicom::File& file, manifest::Object& object) {
  const dicom::Dataset& data = file.dataset;
  const auto text = [&](Tag t) { return inspect::text(data, t, object.findings); };
  object.sop_class = text(tag(0x0008, 0x0016));
  object.sop_instance = text(tag(0x0008, 0x0018));
  if (object.sop_class.value_or("").empty() && !file.meta.sop_class.empty()) object.sop_class = file.meta.sop_class;
  if (object.sop_instance.value_or("").empty() && !file.meta.sop_instance.empty())
    object.sop_instance = file.meta.sop_instance;
  object.study = text(tag(0x0020, 0x000D));
  object.series = text(tag(0x0020, 0x000E));
  object.transfer_syntax = file.transfer_syntax;
  object.patient_id = text(tag(0x0010, 0x0020));
  object.issuer = text(tag(0x0010, 0x0021));
  object.patient_name = text(tag(0x0010, 0x0010));
  object.birth_date = text(tag(0x0010, 0x0030));
  object.sex = text(tag(0x0010, 0x0040));
  object.accession = text(tag(0x0008, 0x0050));
  object.study_date = text(tag(0x0008, 0x0020));
  object.study_time = text(tag(0x0008, 0x0030));
  object.modality = text(tag(0x0008, 0x0060));
  object.rows = small_number(data, tag(0x0028, 0x0010));
  object.columns = small_number(data, tag(0x0028, 0x0011));
  object.frames = small_number(data, tag(0x0028, 0x0008));
  object.bits_stored = small_number(data, tag(0x0028, 0x0101));
  object.photometric = text(tag(0x0028, 0x0004));
}

constexpr std::string_view kForLitigation = "113021";  // PS3.16 CID 7010

/// What a KO, SR, PR, RT or SEG object points at, each SOP Instance UID once in the order of the dataset, and the title
/// of a rejection note (IHE IOCM, domain rule 8.1).
void references(const dicom::File& file, manifest::Object& object) {
  if (!object.sop_class || !dicom::refers_to_instances(*object.sop_class)) return;
  const auto& nodes = file.dataset.nodes();
  std::unordered_set<std::string> seen;
  bool in_title = false;
  std::uint32_t title_end = 0;
  std::size_t room = kMostReferences;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    const dicom::Node& node = nodes[i];
    if (i >= title_end) in_title = false;
    if (node.tag == tag(0x0040, 0xA043) && title_end == 0) {
      in_title = true;
      title_end = node.next;
    }
    if (node.kind != dicom::NodeKind::element) continue;
    const std::string value(trim(as_text(file.dataset.value(node))));
    if (node.tag == tag(0x0008, 0x1155) && !value.empty() && value.size() > room) {
      dicom::add_finding(object.findings, "REF-MANY", manifest::Severity::s3, node.tag,
                         "more references than a record holds; only the first of them stand in it", node.start);
      room = 0;
    } else if (node.tag == tag(0x0008, 0x1155) && !value.empty() && seen.insert(value).second) {
      object.references.push_back(value);
      room -= value.size();
    }
    if (!in_title || node.tag != tag(0x0008, 0x0100) || *object.sop_class != dicom::uid::kKeyObjectSelection) continue;
    if (manifest::rejection_title(value) != nullptr) object.rejection = value;
    if (value == kForLitigation)
      object.findings.push_back({"KO-LEGALHOLD", manifest::Severity::s1, "0040,A043",
                                 "a key object selection titled For Litigation holds the study"});
  }
}

}  // namespace

void inspect(const dicom::File& file, Depth depth, manifest::Object& object) {
  for (const manifest::Finding& finding : file.findings) object.findings.push_back(finding);
  attributes(file, object);
  identity(file, object);
  character_set(file, object);
  values(file, object);
  references(file, object);
  if (depth == Depth::headers) return;
  object.dataset_sha256 = dicom::dataset_digest(file.dataset).hex();
  pixels(file, depth, object);
}

}  // namespace waybill::inspect
