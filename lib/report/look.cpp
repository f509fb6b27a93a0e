// SPDX-License-Identifier: Apache-2.0
#include "report/look.hpp"

#include "core/clock.hpp"
#include "core/text.hpp"
#include "manifest/exception.hpp"
#include "manifest/intake.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace waybill::report {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::size_t kLongestModality = 16, kLongestSite = 64;
constexpr std::uint64_t kMostBytes = (std::uint64_t{1} << 39U) - 1;

std::int8_t load_grade(const Object& object) {
  if (!object.load || object.load->outcome == "not-sent" || object.load->outcome == "refused") return kNoGrade;
  return object.bucket == Bucket::loaded || object.bucket == Bucket::verified ? 1 : 0;
}

/// The best evidence of load and verify. E0 of a verification of files says nothing about a target: a check against
/// a target gives it only to objects that are missing there, and those were loaded.
std::int8_t grade_of(const Object& object) {
  const std::int8_t from_load = load_grade(object);
  if (!object.verify || object.verify->grade.size() != 2 || object.verify->grade[0] != 'E') return from_load;
  const int grade = object.verify->grade[1] - '0';
  if (grade <= 0 || grade >= static_cast<int>(kGrades)) return from_load;
  return std::max(from_load, static_cast<std::int8_t>(grade));
}

/// Why the object is an exception, in words that are the same for all of its kind.
std::string cause_of(const Object& object) {
  std::string cause;
  for (const auto& finding : object.findings) {
    if (finding.severity >= Severity::s3) cause = with_cause(std::move(cause), finding.code);
  }
  if (object.verify && object.bucket == Bucket::failed) cause = with_cause(std::move(cause), object.verify->verdict);
  if (!cause.empty()) return cause;
  if (object.verify && manifest::is_bad_verdict(object.verify->verdict)) return object.verify->verdict;
  if (object.load && !object.load->outcome.empty())
    return object.load->outcome + (object.load->status.empty() ? "" : ", status " + object.load->status);
  for (const auto& finding : object.findings) cause = with_cause(std::move(cause), finding.code);
  return cause;
}

std::string reason_of(const Object& object, const Mask& mask) {
  std::string reason;
  const auto add = [&](const std::string& text) { reason += (reason.empty() ? "" : "; ") + text; };
  if (object.verify && (manifest::is_bad_verdict(object.verify->verdict) || object.bucket == Bucket::failed)) {
    add("verify: " + object.verify->verdict);
    for (const auto& d : object.verify->differences)
      add("(" + d.tag + ") " + (d.kind == "frames" ? d.detail : d.kind + (mask.shows_phi() ? " " + d.detail : "")));
  }
  if (object.load && !object.verify && object.bucket != Bucket::loaded && object.bucket != Bucket::verified) {
    add("load: " + object.load->outcome + (object.load->status.empty() ? "" : " with status " + object.load->status));
    if (mask.shows_phi() && !object.load->comment.empty()) add(object.load->comment);
  }
  for (const auto& finding : object.findings) {
    if (finding.severity >= Severity::s3) add(finding.code + ": " + shown_detail(finding, mask));
  }
  if (!reason.empty()) return reason;
  for (const auto& finding : object.findings) add(finding.code + ": " + shown_detail(finding, mask));
  if (reason.empty() && object.bucket == Bucket::empty) add("the file has no bytes");
  if (reason.empty() && object.content_type) add("content is " + *object.content_type);
  return reason.empty() ? "ended in bucket " + std::string(to_string(object.bucket)) : reason;
}

std::string group_of(const Object& object) {
  std::string key = repair_utf8(object.modality.value_or("").substr(0, kLongestModality));
  std::replace(key.begin(), key.end(), '\n', ' ');
  key += '\n' + year_of(object.study_date.value_or("")) + '\n';
  return key + repair_utf8(object.issuer.value_or("").substr(0, kLongestSite));
}

/// The id that the whole file of a part has.
std::uint64_t id_of_file(const std::string& path, const std::string& manifest) {
  manifest::Source source;
  source.path = path;
  return id_number(manifest::object_id(source), manifest);
}

std::uint64_t hash_of(const std::string& text) { return std::hash<std::string>{}(text); }

Seen look_at(const Object& object, const std::string& manifest, const manifest::Header& header,
             const LateFindings& late, const Mask& mask) {
  Seen seen;
  seen.kind = Seen::Kind::object;
  seen.entry.id = id_number(object.id, manifest);
  seen.entry.bytes = std::min(object.source.size, kMostBytes) & kMostBytes;
  seen.entry.bucket = static_cast<unsigned>(object.bucket) & 15U;
  const std::int8_t grade = grade_of(object);
  seen.entry.grade = grade == kNoGrade ? Entry::kNone : static_cast<unsigned>(grade) & 7U;
  seen.entry.fresh = object.since == "new" ? 1U : 0U;
  seen.group = group_of(object);
  seen.study = object.study.value_or("");
  seen.entry.whole = !object.source.member && object.source.offset == 0 ? 1U : 0U;
  seen.file = seen.entry.whole != 0 ? seen.entry.id : id_of_file(object.source.path, manifest);
  if (object.sop_instance) seen.instance = hash_of(*object.sop_instance);
  if (header.stage == "load" && object.load && (object.load->run.empty() || object.load->run == header.run) &&
      (object.bucket == Bucket::loaded || object.bucket == Bucket::verified))
    seen.loaded_at = minute_of(object.load->at);
  if (header.stage == "verify") seen.outcome = outcome_of(object);
  for (const auto& finding : object.findings) seen.findings.emplace_back(finding.code, finding.severity);
  if (manifest::is_exception(object))
    seen.exception = std::make_unique<Exception>(exception_of(object, header.stage, mask));
  if (late.contains(seen.entry.id))
    seen.late_witness = std::make_unique<Exception>(exception_of(object, header.stage, mask));
  return seen;
}

}  // namespace

std::vector<Seen> look_at(std::string_view lines, const std::string& manifest, const manifest::Header& header,
                          const LateFindings& late, const Mask& mask) {
  std::vector<Seen> out;
  out.reserve(lines.size() / 512);
  manifest::each_line(lines, [&](std::string_view line) {
    manifest::Record record = manifest::parse_record(line);
    if (const auto* object = std::get_if<Object>(&record)) {
      out.push_back(look_at(*object, manifest, header, late, mask));
      return;
    }
    if (std::holds_alternative<manifest::Intent>(record)) return;
    Seen seen;
    if (std::holds_alternative<manifest::Study>(record)) seen.kind = Seen::Kind::study;
    if (std::holds_alternative<manifest::LateFinding>(record)) seen.kind = Seen::Kind::late;
    if (std::holds_alternative<manifest::Gone>(record)) seen.kind = Seen::Kind::gone;
    seen.record = std::make_unique<manifest::Record>(std::move(record));
    out.push_back(std::move(seen));
  });
  return out;
}

std::string year_of(std::string_view date) {
  const bool digits =
      date.size() >= 4 && std::all_of(date.begin(), date.begin() + 4, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::string(date.substr(0, 4)) : "unknown";
}

std::string minute_text(std::int64_t minute) {
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(minute / 1440))};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:00Z", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                static_cast<int>(minute % 1440 / 60), static_cast<int>(minute % 60));
  return text;
}

/// Detail of a finding as a report may show it.
std::string shown_detail(const manifest::Finding& finding, const Mask& mask) {
  if (mask.shows_phi() || finding.tag.empty() || !identifies_person(finding.tag)) return finding.detail;
  return "at (" + finding.tag + "), value withheld";
}

std::string with_word(std::string words, std::string_view word) {
  const std::string in = " " + words + " ", wanted = " " + std::string(word) + " ";
  if (in.find(wanted) != std::string::npos) return words;
  return words.empty() ? std::string(word) : std::move(words) + " " + std::string(word);
}

std::string with_cause(std::string cause, const std::string& code) {
  if (cause.empty()) return code;
  for (std::size_t at = cause.find(code); at != std::string::npos; at = cause.find(code, at + 1)) {
    const bool starts = at == 0 || cause[at - 1] == ' ';
    const bool ends = at + code.size() == cause.size() || cause[at + code.size()] == ',';
    if (starts && ends) return cause;
  }
  return std::move(cause) + ", " + code;
}

Exception exception_of(const Object& object, const std::string& stage, const Mask& mask) {
  Exception e;
  e.id = object.id;
  e.path = object.source.path;
  e.member = object.source.member.value_or("");
  e.offset = object.source.offset;
  e.size = object.source.size;
  e.stage = stage;
  e.bucket = to_string(object.bucket);
  e.reason = reason_of(object, mask);
  e.cause = cause_of(object);
  Severity worst = Severity::s0;
  std::string codes;
  for (const auto& finding : object.findings) {
    worst = std::max(worst, finding.severity);
    codes = with_word(std::move(codes), finding.code);
  }
  e.codes = codes;
  if (!object.findings.empty()) e.severity = to_string(worst);
  if (object.verify) {
    e.grade = object.verify->grade;
    e.verdict = object.verify->verdict;
  }
  if (object.load) e.load_status = object.load->status;
  if (object.transcode) e.transcode_outcome = object.transcode->outcome;
  e.sop_class = object.sop_class.value_or("");
  e.sop_instance = object.sop_instance.value_or("");
  e.study = object.study.value_or("");
  e.series = object.series.value_or("");
  e.modality = object.modality.value_or("");
  e.study_date = object.study_date.value_or("");
  e.patient = mask.patient(object.issuer.value_or(""), object.patient_id.value_or(""));
  return e;
}

}  // namespace waybill::report
