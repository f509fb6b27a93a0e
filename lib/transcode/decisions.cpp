// SPDX-License-Identifier: Apache-2.0
#include "transcode/decisions.hpp"

#include "core/version.hpp"
#include "manifest/reader.hpp"

namespace waybill::transcode {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

Decisions read_decisions(const std::filesystem::path& manifest) {
  Decisions out;
  if (manifest.empty()) return out;
  out.given = true;
  manifest::Reader reader(manifest);
  if (reader.header().stage != "reconcile")
    throw RunError(Exit::usage,
                   "--edits takes a manifest of reconcile, " + reader.name() + " is one of " + reader.header().stage);
  out.created = reader.header().created;
  while (auto record = reader.next()) {
    if (auto* study = std::get_if<manifest::Study>(&*record)) out.studies[study->study] = std::move(*study);
  }
  if (!reader.end()) throw RunError(Exit::input, manifest.string() + " is incomplete; finish reconcile first");
  return out;
}

dicom::Provenance provenance_at(std::string_view rfc3339) {
  std::string time;  // "2026-03-01T12:00:00.123456Z" as a DICOM DT in UTC
  for (const char c : rfc3339) {
    if ((c >= '0' && c <= '9') || c == '.') time += c;
  }
  return {std::string(kToolName), time + "+0000"};
}

void exclude(Object& object, Bucket bucket, std::string code, Severity severity, std::string why) {
  object.bucket = bucket;
  object.findings.push_back({std::move(code), severity, {}, std::move(why)});
  manifest::Transcode t;
  t.outcome = "not-staged";
  t.bytes_in = object.source.size;
  object.transcode = std::move(t);
}

std::optional<std::vector<manifest::Edit>> edits_of(const Decisions& decisions, Unmatched unmatched, Object& object) {
  if (!decisions.given) return std::vector<manifest::Edit>{};
  const auto at = decisions.studies.find(object.study.value_or(""));
  const bool decided =
      at != decisions.studies.end() && (at->second.decision == "auto" || at->second.decision == "person");
  if (decided) return at->second.edits;
  if (unmatched == Unmatched::stage) return std::vector<manifest::Edit>{};
  const bool review = at != decisions.studies.end() && at->second.decision == "review";
  exclude(object, Bucket::quarantined, review ? "MATCH-REVIEW" : "MATCH-NONE", Severity::s3,
          review ? "the study's identity waits for a person's decision (exceptions of reconcile)"
                 : "no exam of the RIS matches the study");
  return std::nullopt;
}

}  // namespace waybill::transcode
