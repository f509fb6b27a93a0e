// SPDX-License-Identifier: Apache-2.0
#include "manifest/json_reader.hpp"
#include "manifest/reader.hpp"

namespace waybill::manifest {
namespace {

using namespace detail;

Finding read_finding(const JsonObject& j) {
  Finding f;
  f.code = need<std::string>(j, "code");
  const auto severity = need<std::string>(j, "severity");
  if (severity.size() != 2 || severity[0] != 'S' || severity[1] < '0' || severity[1] > '4')
    bad_line("severity is not S0 to S4");
  f.severity = static_cast<Severity>(severity[1] - '0');
  f.tag = find<std::string>(j, "tag").value_or("");
  f.detail = find<std::string>(j, "detail").value_or("");
  f.offset = find<std::uint64_t>(j, "offset");
  f.raw = find<std::string>(j, "raw").value_or("");
  return f;
}

Source read_source(const JsonObject& j) {
  Source s;
  s.path = need<std::string>(j, "path");
  s.member = find<std::string>(j, "member");
  s.offset = find<std::uint64_t>(j, "offset").value_or(0);
  s.size = need<std::uint64_t>(j, "size");
  s.mtime = find<std::string>(j, "mtime").value_or("");
  s.inode = find<std::uint64_t>(j, "inode").value_or(0);
  return s;
}

Undo read_undo(const JsonObject& j) {
  Undo u;
  u.provenance = find<bool>(j, "provenance").value_or(false);
  each_object(j, "elements", [&](const JsonObject& e) {
    u.elements.push_back({need<std::string>(e, "tag"), need<std::string>(e, "vr"), find<std::string>(e, "value")});
  });
  return u;
}

Transcode read_transcode(const JsonObject& j) {
  Transcode t;
  t.to = need<std::string>(j, "to");
  t.codec = find<std::string>(j, "codec").value_or("");
  t.outcome = need<std::string>(j, "outcome");
  t.reason = find<std::string>(j, "reason").value_or("");
  t.bytes_in = find<std::uint64_t>(j, "bytes_in").value_or(0);
  t.bytes_out = find<std::uint64_t>(j, "bytes_out").value_or(0);
  t.path = find<std::string>(j, "path").value_or("");
  t.file_sha256 = find<std::string>(j, "file_sha256").value_or("");
  t.dataset_sha256 = find<std::string>(j, "dataset_sha256").value_or("");
  t.verified_by = find<std::string>(j, "verified_by").value_or("");
  t.rule = find<std::string>(j, "rule").value_or("");
  each_object(j, "uids", [&](const JsonObject& e) {
    t.uids.emplace_back(need<std::string>(e, "old"), need<std::string>(e, "new"));
  });
  if (const auto undo = find<JsonObject>(j, "undo")) t.undo = read_undo(*undo);
  return t;
}

Load read_load(const JsonObject& j) {
  Load l;
  l.status = find<std::string>(j, "status").value_or("");
  l.comment = find<std::string>(j, "comment").value_or("");
  l.attempts = find<std::uint32_t>(j, "attempts").value_or(0);
  l.association = find<std::string>(j, "association").value_or("");
  l.run = find<std::string>(j, "run").value_or("");
  l.transfer_syntax = find<std::string>(j, "transfer_syntax").value_or("");
  l.at = find<std::string>(j, "at").value_or("");
  l.outcome = need<std::string>(j, "outcome");
  return l;
}

Verify read_verify(const JsonObject& j) {
  Verify v;
  v.grade = need<std::string>(j, "grade");
  v.verdict = need<std::string>(j, "verdict");
  each_object(j, "differences", [&](const JsonObject& d) {
    v.differences.push_back(
        {need<std::string>(d, "tag"), need<std::string>(d, "kind"), find<std::string>(d, "detail").value_or("")});
  });
  return v;
}

template <typename T>
void read_patient(const JsonObject& j, T& record) {
  record.patient_id = find<std::string>(j, "patient_id");
  record.issuer = find<std::string>(j, "issuer");
  record.patient_name = find<std::string>(j, "patient_name");
  record.birth_date = find<std::string>(j, "birth_date");
  record.sex = find<std::string>(j, "sex");
  record.accession = find<std::string>(j, "accession");
  record.study_date = find<std::string>(j, "study_date");
  record.study_time = find<std::string>(j, "study_time");
}

void read_stages(const JsonObject& j, Object& o) {
  if (const auto t = find<JsonObject>(j, "transcode")) o.transcode = read_transcode(*t);
  if (const auto l = find<JsonObject>(j, "load")) o.load = read_load(*l);
  if (const auto v = find<JsonObject>(j, "verify")) o.verify = read_verify(*v);
}

Object read_object(const JsonObject& j) {
  Object o;
  o.id = need<std::string>(j, "id");
  o.source = read_source(need<JsonObject>(j, "source"));
  const auto bucket = bucket_from(need<std::string>(j, "bucket"));
  if (!bucket) bad_line("bucket is unknown");
  o.bucket = *bucket;
  each_object(j, "findings", [&](const JsonObject& f) { o.findings.push_back(read_finding(f)); });
  o.file_sha256 = find<std::string>(j, "file_sha256");
  o.codestream_sha256 = find<std::string>(j, "codestream_sha256");
  o.pixel_sha256 = find<std::string>(j, "pixel_sha256");
  o.dataset_sha256 = find<std::string>(j, "dataset_sha256");
  o.sop_class = find<std::string>(j, "sop_class");
  o.sop_instance = find<std::string>(j, "sop_instance");
  o.study = find<std::string>(j, "study");
  o.series = find<std::string>(j, "series");
  o.transfer_syntax = find<std::string>(j, "transfer_syntax");
  read_patient(j, o);
  o.modality = find<std::string>(j, "modality");
  o.rows = find<std::uint32_t>(j, "rows");
  o.columns = find<std::uint32_t>(j, "columns");
  o.frames = find<std::uint32_t>(j, "frames");
  o.bits_stored = find<std::uint32_t>(j, "bits_stored");
  o.photometric = find<std::string>(j, "photometric");
  o.content_type = find<std::string>(j, "content_type");
  o.references = texts(j, "references");
  o.rejection = find<std::string>(j, "rejection");
  o.since = find<std::string>(j, "since");
  read_stages(j, o);
  return o;
}

Study read_study(const JsonObject& j) {
  Study s;
  s.study = need<std::string>(j, "study");
  read_patient(j, s);
  s.modalities = texts(j, "modalities");
  s.series = need<std::uint64_t>(j, "series");
  s.instances = need<std::uint64_t>(j, "instances");
  s.bytes = need<std::uint64_t>(j, "bytes");
  s.rule = find<std::string>(j, "rule");
  s.rule_set = find<std::string>(j, "rule_set").value_or("");
  s.score = find<double>(j, "score");
  s.decision = find<std::string>(j, "decision");
  s.vetoes = texts(j, "vetoes");
  s.discrepancies = texts(j, "discrepancies");
  each_object(j, "edits", [&](const JsonObject& e) {
    s.edits.push_back({need<std::string>(e, "tag"), need<std::string>(e, "old"), need<std::string>(e, "new"),
                       need<std::string>(e, "reason")});
  });
  s.exam = find<std::string>(j, "exam");
  s.explanation = find<std::string>(j, "explanation").value_or("");
  return s;
}

}  // namespace

Record parse_record(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  const JsonObject j = parse_object(parser, line);
  auto kind = need<std::string>(j, "kind");
  if (kind == "object") return read_object(j);
  if (kind == "study") return read_study(j);
  if (kind == "gone") return Gone{need<std::string>(j, "id"), read_source(need<JsonObject>(j, "source"))};
  if (kind == "finding") return LateFinding{need<std::string>(j, "id"), read_finding(j)};
  if (kind == "intent") {
    return Intent{need<std::string>(j, "id"), need<std::string>(j, "sop_instance"), need<std::string>(j, "action")};
  }
  return Other{std::move(kind), std::string(line)};
}

}  // namespace waybill::manifest
