// SPDX-License-Identifier: Apache-2.0
#include "load/plan.hpp"

#include "dicom/uids.hpp"
#include "manifest/rejection.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

namespace waybill::load {

using manifest::Bucket;
using manifest::Severity;

int load_rank(std::string_view sop_class) noexcept {
  constexpr std::string_view kReports = "1.2.840.10008.5.1.4.1.1.88.";
  constexpr std::string_view kStates = "1.2.840.10008.5.1.4.1.1.11.";
  if (sop_class == dicom::uid::kKeyObjectSelection) return 2;
  if (sop_class.starts_with(kReports)) return 3;
  return sop_class.starts_with(kStates) ? 1 : 0;
}

namespace {

constexpr int kRejectionRank = 4;  // behind all: what a note rejects must be there before it

/// Whether the object is to be sent; sets the bucket of one that must not be.
bool admit(manifest::Object& object, std::unordered_set<std::string>& uids) {
  if (object.bucket != Bucket::instance && object.bucket != Bucket::pending) return false;
  if (object.transcode && object.transcode->outcome == "not-staged") {
    object.bucket = Bucket::failed;
    return false;
  }
  if (auto why = manifest::rejection_of(object)) {
    std::erase_if(object.findings, [&](const manifest::Finding& f) { return f.code == why->code; });
    object.findings.push_back(*std::move(why));
    object.bucket = Bucket::excluded;
    return false;
  }
  if (std::ranges::any_of(object.findings, manifest::quarantines)) {
    object.bucket = Bucket::quarantined;
    return false;
  }
  if (object.sop_instance && !uids.insert(*object.sop_instance).second) {
    object.bucket = Bucket::quarantined;
    object.findings.push_back(
        {"LOAD-UIDCLASH", Severity::s3, "0008,0018",
         "another object of this manifest has the same SOP Instance UID; only the first was sent"});
    return false;
  }
  object.findings.erase(std::remove_if(object.findings.begin(), object.findings.end(),
                                       [](const auto& f) { return f.code == "LOAD-PENDING"; }),
                        object.findings.end());
  return true;
}

}  // namespace

Plan make_plan(transfer::Contents& contents) {
  Plan plan;
  std::unordered_set<std::string> uids;
  std::unordered_map<std::string, std::size_t> groups;
  std::vector<Batch> studies;
  for (std::size_t i = 0; i < contents.objects.size(); ++i) {
    manifest::Object& object = contents.objects[i];
    if (!admit(object, uids)) {
      plan.carried.push_back(i);
      continue;
    }
    const std::string study = object.study.value_or("");
    const auto [place, added] = groups.emplace(study, studies.size());
    if (added) studies.push_back({study, {}});
    studies[place->second].objects.push_back(i);
  }
  for (Batch& study : studies) {
    std::ranges::stable_sort(study.objects, {}, [&](std::size_t i) {
      const manifest::Object& object = contents.objects[i];
      return object.rejection ? kRejectionRank : load_rank(object.sop_class.value_or(""));
    });
    for (std::size_t from = 0; from < study.objects.size(); from += kBatchObjects) {
      const std::size_t to = std::min(study.objects.size(), from + kBatchObjects);
      plan.batches.push_back({study.study,
                              {study.objects.begin() + static_cast<std::ptrdiff_t>(from),
                               study.objects.begin() + static_cast<std::ptrdiff_t>(to)}});
    }
  }
  return plan;
}

}  // namespace waybill::load
