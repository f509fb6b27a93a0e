// SPDX-License-Identifier: Apache-2.0
#include "manifest/record.hpp"

#include "core/json.hpp"
#include "core/sha256.hpp"

#include <array>
#include <cmath>

namespace waybill::manifest {
namespace {

constexpr std::array<std::string_view, 14> kBuckets = {
    "instance", "duplicate-identical", "duplicate-conflict", "dicomdir", "non-dicom", "non-instance", "unreadable",
    "empty",    "quarantined",         "excluded",           "loaded",   "verified",  "failed",       "pending"};
constexpr std::array<std::string_view, 5> kSeverities = {"S0", "S1", "S2", "S3", "S4"};

template <typename T>
void optional_member(JsonWriter& w, std::string_view name, const std::optional<T>& value) {
  if (value) w.member(name, *value);
}

void text_array(JsonWriter& w, std::string_view name, const std::vector<std::string>& texts) {
  w.key(name).begin_array();
  for (const auto& text : texts) w.value(text);
  w.end_array();
}

void finding_members(JsonWriter& w, const Finding& finding) {
  w.member("code", finding.code).member("severity", to_string(finding.severity));
  w.member("tag", finding.tag).member("detail", finding.detail);
  if (finding.offset) w.member("offset", *finding.offset);
  if (!finding.raw.empty()) w.member("raw", finding.raw);
}

void write_source(JsonWriter& w, const Source& source) {
  w.key("source").begin_object().member("path", source.path);
  optional_member(w, "member", source.member);
  w.member("offset", source.offset).member("size", source.size).member("mtime", source.mtime);
  if (source.inode != 0) w.member("inode", source.inode);
  w.end_object();
}

void write_undo(JsonWriter& w, const Undo& undo) {
  w.key("undo").begin_object().member("provenance", undo.provenance);
  w.key("elements").begin_array();
  for (const FormerElement& f : undo.elements) {
    w.begin_object().member("tag", f.tag).member("vr", f.vr);
    optional_member(w, "value", f.value);
    w.end_object();
  }
  w.end_array().end_object();
}

void write_transcode(JsonWriter& w, const Transcode& t) {
  w.key("transcode").begin_object();
  w.member("to", t.to).member("codec", t.codec).member("outcome", t.outcome).member("reason", t.reason);
  w.member("bytes_in", t.bytes_in).member("bytes_out", t.bytes_out).member("path", t.path);
  w.member("file_sha256", t.file_sha256).member("dataset_sha256", t.dataset_sha256);
  w.member("verified_by", t.verified_by);
  if (!t.rule.empty()) w.member("rule", t.rule);
  if (!t.uids.empty()) {
    w.key("uids").begin_array();
    for (const auto& [old_uid, new_uid] : t.uids)
      w.begin_object().member("old", old_uid).member("new", new_uid).end_object();
    w.end_array();
  }
  if (!t.undo.empty()) write_undo(w, t.undo);
  w.end_object();
}

void write_load(JsonWriter& w, const Load& l) {
  w.key("load").begin_object();
  w.member("status", l.status).member("comment", l.comment).member("attempts", l.attempts);
  w.member("association", l.association);
  if (!l.run.empty()) w.member("run", l.run);
  if (!l.transfer_syntax.empty()) w.member("transfer_syntax", l.transfer_syntax);
  w.member("at", l.at).member("outcome", l.outcome).end_object();
}

void write_verify(JsonWriter& w, const Verify& v) {
  w.key("verify").begin_object().member("grade", v.grade).member("verdict", v.verdict);
  w.key("differences").begin_array();
  for (const auto& d : v.differences) {
    w.begin_object().member("tag", d.tag).member("kind", d.kind).member("detail", d.detail).end_object();
  }
  w.end_array().end_object();
}

void write_edits(JsonWriter& w, const std::vector<Edit>& edits) {
  w.key("edits").begin_array();
  for (const auto& e : edits) {
    w.begin_object().member("tag", e.tag).member("old", e.old_value).member("new", e.new_value);
    w.member("reason", e.reason).end_object();
  }
  w.end_array();
}

/// The identifiers an object and a study have in common, in their order.
template <typename T>
void write_patient(JsonWriter& w, const T& record) {
  optional_member(w, "patient_id", record.patient_id);
  optional_member(w, "issuer", record.issuer);
  optional_member(w, "patient_name", record.patient_name);
  optional_member(w, "birth_date", record.birth_date);
  optional_member(w, "sex", record.sex);
  optional_member(w, "accession", record.accession);
  optional_member(w, "study_date", record.study_date);
  optional_member(w, "study_time", record.study_time);
}

}  // namespace

std::string_view to_string(Bucket bucket) noexcept { return kBuckets[static_cast<std::size_t>(bucket)]; }

std::optional<Bucket> bucket_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < kBuckets.size(); ++i) {
    if (kBuckets[i] == text) return static_cast<Bucket>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Severity severity) noexcept { return kSeverities[static_cast<std::size_t>(severity)]; }

bool quarantines(const Finding& finding) noexcept {
  if (finding.severity < Severity::s3) return false;
  const std::string_view code = finding.code;
  return !code.starts_with("PID-") && !code.starts_with("STU-") && code != "ACC-LEN" && code != "PRIV-ANNOT";
}

std::string to_json(const Object& o) {
  JsonWriter w;
  w.begin_object().member("kind", "object").member("id", o.id);
  write_source(w, o.source);
  w.member("bucket", to_string(o.bucket)).key("findings").begin_array();
  for (const auto& finding : o.findings) {
    w.begin_object();
    finding_members(w, finding);
    w.end_object();
  }
  w.end_array();
  optional_member(w, "file_sha256", o.file_sha256);
  optional_member(w, "codestream_sha256", o.codestream_sha256);
  optional_member(w, "pixel_sha256", o.pixel_sha256);
  optional_member(w, "dataset_sha256", o.dataset_sha256);
  optional_member(w, "sop_class", o.sop_class);
  optional_member(w, "sop_instance", o.sop_instance);
  optional_member(w, "study", o.study);
  optional_member(w, "series", o.series);
  optional_member(w, "transfer_syntax", o.transfer_syntax);
  write_patient(w, o);
  optional_member(w, "modality", o.modality);
  optional_member(w, "rows", o.rows);
  optional_member(w, "columns", o.columns);
  optional_member(w, "frames", o.frames);
  optional_member(w, "bits_stored", o.bits_stored);
  optional_member(w, "photometric", o.photometric);
  optional_member(w, "content_type", o.content_type);
  if (!o.references.empty()) text_array(w, "references", o.references);
  optional_member(w, "rejection", o.rejection);
  optional_member(w, "since", o.since);
  if (o.transcode) write_transcode(w, *o.transcode);
  if (o.load) write_load(w, *o.load);
  if (o.verify) write_verify(w, *o.verify);
  w.end_object();
  return std::move(w).str();
}

std::string to_json(const Study& s) {
  JsonWriter w;
  w.begin_object().member("kind", "study").member("study", s.study);
  write_patient(w, s);
  text_array(w, "modalities", s.modalities);
  w.member("series", s.series).member("instances", s.instances).member("bytes", s.bytes);
  optional_member(w, "rule", s.rule);
  if (!s.rule_set.empty()) w.member("rule_set", s.rule_set);
  if (s.score && std::isfinite(*s.score)) w.member("score", *s.score);
  optional_member(w, "decision", s.decision);
  text_array(w, "vetoes", s.vetoes);
  text_array(w, "discrepancies", s.discrepancies);
  write_edits(w, s.edits);
  optional_member(w, "exam", s.exam);
  w.member("explanation", s.explanation).end_object();
  return std::move(w).str();
}

std::string to_json(const LateFinding& late) {
  JsonWriter w;
  w.begin_object().member("kind", "finding").member("id", late.id);
  finding_members(w, late.finding);
  w.end_object();
  return std::move(w).str();
}

std::string to_json(const Intent& intent) {
  JsonWriter w;
  w.begin_object().member("kind", "intent").member("id", intent.id);
  w.member("sop_instance", intent.sop_instance).member("action", intent.action).end_object();
  return std::move(w).str();
}

std::string to_json(const Gone& gone) {
  JsonWriter w;
  w.begin_object().member("kind", "gone").member("id", gone.id);
  write_source(w, gone.source);
  w.end_object();
  return std::move(w).str();
}

std::string object_id(const Source& source) {
  Sha256 sha;
  sha.update(source.path);
  sha.update("\n");
  sha.update(source.member.value_or(""));
  sha.update("\n");
  sha.update(std::to_string(source.offset));
  return sha.finish().hex().substr(0, 16);
}

}  // namespace waybill::manifest
