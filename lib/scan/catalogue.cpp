// SPDX-License-Identifier: Apache-2.0
#include "scan/catalogue.hpp"

#include "core/text.hpp"

namespace waybill::scan {

using manifest::Bucket;
using manifest::Finding;
using manifest::LateFinding;
using manifest::Object;
using manifest::Severity;

namespace {

/// Patient identity as files have it: ID with issuer (domain rule 2.4, PID-SPACE: compared without outer spaces).
std::string patient_key(const Object& object) {
  return std::string(trim(object.patient_id.value_or(""))) + "\x1F" + std::string(trim(object.issuer.value_or("")));
}

}  // namespace

std::vector<LateFinding> Catalogue::settle(Object& object) {
  std::vector<LateFinding> late;
  if (object.bucket != Bucket::instance || !object.sop_instance) return late;
  const First mine{object.id,
                   object.study.value_or(""),
                   object.series.value_or(""),
                   object.file_sha256.value_or(""),
                   object.codestream_sha256.value_or(""),
                   object.pixel_sha256.value_or(""),
                   object.dataset_sha256.value_or(""),
                   object.pixel_sha256.has_value()};
  const auto [at, fresh] = first_.try_emplace(*object.sop_instance, mine);
  if (!fresh) {
    const First& first = at->second;
    const bool same_pixels = (first.has_pixels && mine.has_pixels)
                                 ? first.pixel == mine.pixel
                                 : first.codestream == mine.codestream && first.has_pixels == mine.has_pixels;
    const bool compared =
        (first.has_pixels && mine.has_pixels) || (!first.codestream.empty() && !mine.codestream.empty());
    const bool no_pixels = !object.rows && !first.has_pixels && !mine.has_pixels;
    std::string code = "UID-DUPDIFF";
    std::string detail = compared
                             ? "the same SOP Instance UID with other pixels"
                             : "the same SOP Instance UID in other bytes; pixels were not compared, scan with --deep";
    const bool identical =
        first.file == mine.file || (first.dataset == mine.dataset && same_pixels && (compared || no_pixels));
    if (!identical && ((same_pixels && compared) || no_pixels)) {
      code = "UID-DUPSAMEPIX";
      detail = "the same SOP Instance UID and pixels with other attributes";
    }
    if (identical) {
      object.bucket = Bucket::duplicate_identical;
      object.findings.push_back({"UID-DUPSAME", Severity::s1, "0008,0018", "the same object as " + first.id});
    } else {
      object.bucket = Bucket::duplicate_conflict;
      object.findings.push_back({code, Severity::s3, "0008,0018", detail + " as object " + first.id});
      if (late_.insert(first.id + code).second)
        late.push_back({first.id, {code, Severity::s3, "0008,0018", detail + " as object " + object.id}});
    }
    if (first.study != mine.study || first.series != mine.series) {
      object.findings.push_back({first.study != mine.study ? "UID-CROSSSTUDY" : "UID-CROSSSERIES", Severity::s3,
                                 "0008,0018",
                                 "the same SOP Instance UID stands in another study or series, object " + first.id});
    }
  } else if (const auto study = studies_.find(*object.study);
             study != studies_.end() && study->second.patient_key != patient_key(object)) {
    object.findings.push_back(
        {"UID-STUDY2PAT", Severity::s3, "0020,000D", "the study's earlier objects have another Patient ID or issuer"});
  }
  count(object);
  return late;
}

void Catalogue::remember(const Object& object) {
  if (object.sop_instance && object.bucket == Bucket::instance) {
    first_.try_emplace(
        *object.sop_instance,
        First{object.id, object.study.value_or(""), object.series.value_or(""), object.file_sha256.value_or(""),
              object.codestream_sha256.value_or(""), object.pixel_sha256.value_or(""),
              object.dataset_sha256.value_or(""), object.pixel_sha256.has_value()});
  }
  count(object);
}

void Catalogue::remember(const LateFinding& finding) { late_.insert(finding.id + finding.finding.code); }

void Catalogue::count(const Object& object) {
  if (object.bucket != Bucket::instance || !object.study || object.study->empty()) return;
  auto [at, fresh] = studies_.try_emplace(*object.study);
  StudyEntry& entry = at->second;
  if (fresh) {
    manifest::Study& s = entry.study;
    s.study = *object.study;
    s.patient_id = object.patient_id;
    s.issuer = object.issuer;
    s.patient_name = object.patient_name;
    s.birth_date = object.birth_date;
    s.sex = object.sex;
    s.accession = object.accession;
    s.study_date = object.study_date;
    s.study_time = object.study_time;
    entry.patient_key = patient_key(object);
  }
  if (entry.patient_key != patient_key(object)) entry.two_patients = true;
  ++entry.study.instances;
  entry.study.bytes += object.source.size;
  if (object.series) entry.series.insert(*object.series);
  if (object.modality) entry.modalities.insert(*object.modality);
}

std::vector<manifest::Study> Catalogue::studies() const {
  std::vector<manifest::Study> out;
  for (const auto& [uid, entry] : studies_) {
    manifest::Study study = entry.study;
    study.series = entry.series.size();
    study.modalities.assign(entry.modalities.begin(), entry.modalities.end());
    if (entry.two_patients) study.discrepancies.emplace_back("D15");
    out.push_back(std::move(study));
  }
  return out;
}

}  // namespace waybill::scan
