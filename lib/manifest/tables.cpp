// SPDX-License-Identifier: Apache-2.0
#include "manifest/tables.hpp"

#include "core/csv.hpp"
#include "core/result.hpp"
#include "core/stop.hpp"
#include "manifest/reader.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace waybill::manifest {
namespace {

using Texts = std::vector<std::string>;

const Texts kObjectColumns = {"id",
                              "path",
                              "member",
                              "offset",
                              "size",
                              "mtime",
                              "bucket",
                              "severity",
                              "codes",
                              "file_sha256",
                              "codestream_sha256",
                              "pixel_sha256",
                              "dataset_sha256",
                              "sop_class",
                              "sop_instance",
                              "study",
                              "series",
                              "transfer_syntax",
                              "patient_id",
                              "issuer",
                              "patient_name",
                              "birth_date",
                              "sex",
                              "accession",
                              "study_date",
                              "study_time",
                              "modality",
                              "rows",
                              "columns",
                              "frames",
                              "bits_stored",
                              "photometric",
                              "content_type",
                              "rejection",
                              "since",
                              "transcode_outcome",
                              "transcode_to",
                              "transcode_path",
                              "load_outcome",
                              "load_status",
                              "verify_grade",
                              "verify_verdict"};
const Texts kStudyColumns = {"study",     "patient_id", "issuer",     "patient_name", "birth_date", "sex",
                             "accession", "study_date", "study_time", "modalities",   "series",     "instances",
                             "bytes",     "rule",       "score",      "decision",     "vetoes",     "discrepancies",
                             "exam",      "edits",      "explanation"};

std::string joined(const Texts& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : " ") + part;
  return out;
}

template <typename T>
std::string number(const std::optional<T>& value) {
  return value ? std::to_string(*value) : "";
}

/// The worst severity and the codes, each once, of an object's own and late findings.
std::pair<std::string, std::string> findings_of(const Object& object, const std::vector<Finding>& late) {
  std::optional<Severity> worst;
  Texts codes;
  const auto add = [&](const Finding& f) {
    worst = std::max(worst.value_or(f.severity), f.severity);
    if (std::find(codes.begin(), codes.end(), f.code) == codes.end()) codes.push_back(f.code);
  };
  std::for_each(object.findings.begin(), object.findings.end(), add);
  std::for_each(late.begin(), late.end(), add);
  return {worst ? std::string(to_string(*worst)) : "", joined(codes)};
}

std::string row_of(const Object& o, const std::vector<Finding>& late) {
  const auto [severity, codes] = findings_of(o, late);
  Texts row = {o.id,
               o.source.path,
               o.source.member.value_or(""),
               std::to_string(o.source.offset),
               std::to_string(o.source.size),
               o.source.mtime,
               std::string(to_string(o.bucket)),
               severity,
               codes};
  for (const auto* field :
       {&o.file_sha256, &o.codestream_sha256, &o.pixel_sha256, &o.dataset_sha256, &o.sop_class, &o.sop_instance,
        &o.study, &o.series, &o.transfer_syntax, &o.patient_id, &o.issuer, &o.patient_name, &o.birth_date, &o.sex,
        &o.accession, &o.study_date, &o.study_time, &o.modality})
    row.push_back(field->value_or(""));
  for (const auto* field : {&o.rows, &o.columns, &o.frames, &o.bits_stored}) row.push_back(number(*field));
  for (const auto* field : {&o.photometric, &o.content_type, &o.rejection, &o.since})
    row.push_back(field->value_or(""));
  const Transcode t = o.transcode.value_or(Transcode{});
  const Load l = o.load.value_or(Load{});
  const Verify v = o.verify.value_or(Verify{});
  row.insert(row.end(), {t.outcome, t.to, t.path, l.outcome, l.status, v.grade, v.verdict});
  return csv_row(row);
}

std::string row_of(const Study& s) {
  Texts row = {s.study};
  for (const auto* field :
       {&s.patient_id, &s.issuer, &s.patient_name, &s.birth_date, &s.sex, &s.accession, &s.study_date, &s.study_time})
    row.push_back(field->value_or(""));
  Texts edits;
  for (const Edit& e : s.edits) edits.push_back(e.tag);
  row.insert(row.end(), {joined(s.modalities), std::to_string(s.series), std::to_string(s.instances),
                         std::to_string(s.bytes), s.rule.value_or(""), number(s.score), s.decision.value_or(""),
                         joined(s.vetoes), joined(s.discrepancies), s.exam.value_or(""), joined(edits), s.explanation});
  return csv_row(row);
}

using Late = std::unordered_map<std::string, std::vector<Finding>>;

void take(Late& late, Record& record) {
  if (auto* finding = std::get_if<LateFinding>(&record)) late[finding->id].push_back(std::move(finding->finding));
}

Late late_findings(const std::filesystem::path& input) {
  Late late;
  Reader reader(input);
  while (const auto line = reader.next_line()) {
    if (!line->starts_with(R"({"kind":"finding")")) continue;
    Record record = parse_record(*line);
    take(late, record);
  }
  return late;
}

template <typename F>
void each_record(const std::filesystem::path& input, F visit) {
  Reader reader(input);
  while (auto record = reader.next()) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped; nothing was written, run the same command again");
    visit(*record);
  }
}

}  // namespace

std::uint64_t write_object_table(const std::filesystem::path& input, const Sink& sink,
                                 const std::function<bool(const Object&)>& keep) {
  static const std::vector<Finding> kNone;
  Late late = input == "-" ? Late{} : late_findings(input);
  std::uint64_t rows = 0;
  sink(csv_row(kObjectColumns));
  each_record(input, [&](Record& record) {
    if (input == "-") take(late, record);
    const auto* object = std::get_if<Object>(&record);
    if (object == nullptr || (keep && !keep(*object))) return;
    const auto at = late.find(object->id);
    sink(row_of(*object, at == late.end() ? kNone : at->second));
    ++rows;
  });
  return rows;
}

std::uint64_t write_study_table(const std::filesystem::path& input, const Sink& sink) {
  std::uint64_t rows = 0;
  sink("\xEF\xBB\xBF" + csv_row(kStudyColumns));
  each_record(input, [&](const Record& record) {
    if (const auto* study = std::get_if<Study>(&record)) {
      sink(row_of(*study));
      ++rows;
    }
  });
  return rows;
}

}  // namespace waybill::manifest
