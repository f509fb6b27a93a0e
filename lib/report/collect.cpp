// SPDX-License-Identifier: Apache-2.0
#include "report/collect.hpp"

#include "core/text.hpp"
#include "manifest/commitment.hpp"
#include "manifest/exception.hpp"
#include "manifest/member.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace waybill::report {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::size_t kMostGroups = 20'000;
constexpr std::size_t kLongestModality = 16;
constexpr std::int8_t kCommittedGrade = 2;  // E2

std::size_t stage_rank(std::string_view stage) {
  static constexpr std::string_view kOrder[] = {"scan", "reconcile", "transcode", "load", "verify"};
  return static_cast<std::size_t>(std::find(std::begin(kOrder), std::end(kOrder), stage) - std::begin(kOrder));
}

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

std::string year_of(const Object& object) {
  const std::string date = object.study_date.value_or("");
  const bool digits =
      date.size() >= 4 && std::all_of(date.begin(), date.begin() + 4, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? date.substr(0, 4) : "unknown";
}

/// Detail of a finding as a report may show it.
std::string shown_detail(const manifest::Finding& finding, const Mask& mask) {
  if (mask.shows_phi() || finding.tag.empty() || !identifies_person(finding.tag)) return finding.detail;
  return "at (" + finding.tag + "), value withheld";
}

std::string reason_of(const Object& object, const Mask& mask) {
  std::string reason;
  const auto add = [&](const std::string& text) { reason += (reason.empty() ? "" : "; ") + text; };
  if (object.verify && (manifest::is_bad_verdict(object.verify->verdict) || object.bucket == Bucket::failed)) {
    add("verify: " + object.verify->verdict);
    for (const auto& d : object.verify->differences)
      add("(" + d.tag + ") " + d.kind + (mask.shows_phi() ? " " + d.detail : ""));
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

class Collector {
 public:
  explicit Collector(const Mask& mask) : mask_(mask) {}

  void read(manifest::Reader& reader, const std::filesystem::path& path) {
    ManifestSummary summary;
    summary.name = reader.name();
    summary.header = reader.header();
    Holdings holdings;
    holdings.path = path;
    instances_.clear();
    files_.clear();
    while (auto record = reader.next()) {
      if (const auto* object = std::get_if<Object>(&*record)) {
        take(*object, summary, holdings);
      } else if (const auto* study = std::get_if<manifest::Study>(&*record)) {
        take(*study, summary, holdings);
      } else if (const auto* late = std::get_if<manifest::LateFinding>(&*record)) {
        take(*late, summary);
      } else if (const auto* other = std::get_if<manifest::Other>(&*record)) {
        // reconcile writes a record for every exam without images, verify for every object only the peer has
        if (other->kind == "exam") ++out.report.discrepancies["D01"];
        if (other->kind == "extra") ++out.report.extra_at_peer;
        if (other->kind == "sample-result") take_sample(*other, summary.name);
        if (other->kind == "commitment") take(manifest::commitment_from(other->json), summary.name);
      }
    }
    for (Entry& entry : holdings.entries) {
      if (committed_.contains(entry.id)) entry.grade = std::max(entry.grade, kCommittedGrade);
    }
    committed_.clear();
    asked_.clear();
    summary.head = reader.head();
    summary.complete = reader.end() && reader.end()->state == "complete";
    summary.header.inputs = manifest::resolved_inputs(reader.header(), reader.end());
    summary.levels.files = distinct(files_);
    summary.levels.instances = distinct(instances_);
    summary.levels.studies = holdings.all_studies.size();
    std::stable_sort(holdings.entries.begin(), holdings.entries.end(),
                     [](const Entry& a, const Entry& b) { return a.id < b.id; });
    out.report.manifests.push_back(std::move(summary));
    out.holdings.push_back(std::move(holdings));
  }

  Collected out;

 private:
  static std::uint64_t distinct(std::vector<std::size_t>& hashes) {
    std::sort(hashes.begin(), hashes.end());
    return static_cast<std::uint64_t>(std::unique(hashes.begin(), hashes.end()) - hashes.begin());
  }

  void take(const Object& object, ManifestSummary& summary, Holdings& holdings) {
    const std::uint64_t id = id_number(object.id, summary.name);
    const std::string& stage = summary.header.stage;
    Entry entry{id, object.source.size, group_of(object), static_cast<std::uint8_t>(object.bucket), grade_of(object)};
    holdings.entries.push_back(entry);
    ++summary.levels.objects;
    summary.levels.bytes += object.source.size;
    Tally& tally = summary.buckets[entry.bucket];
    ++tally.objects;
    tally.bytes += object.source.size;
    files_.push_back(std::hash<std::string>{}(object.source.path));
    if (object.sop_instance) instances_.push_back(std::hash<std::string>{}(*object.sop_instance));
    if (object.study) {
      holdings.all_studies.insert(*object.study);
      if (object.bucket == Bucket::instance) holdings.studies.insert(*object.study);
    }
    if (manifest::is_exception(object)) {
      out.exceptions.insert_or_assign(id, exception_of(object, stage, mask_));
    } else {
      out.exceptions.erase(id);
    }
    for (const auto& finding : object.findings) count(id, finding);
  }

  void take(const manifest::Study& study, ManifestSummary& summary, Holdings& holdings) {
    ++summary.study_records;
    holdings.study_records.push_back(study.study);
    if (summary.header.stage != "reconcile") return;
    Report& report = out.report;
    if (study.rule) ++report.rules[*study.rule];
    if (study.decision) ++report.decisions[*study.decision];
    for (const auto& code : study.discrepancies) ++report.discrepancies[code];
    for (const auto& veto : study.vetoes) ++report.vetoes[veto];
    if (study.decision != "auto" && study.decision != "person") return;
    for (const auto& edit : study.edits) {
      EditCount& edits = report.edits[edit.tag];
      ++edits.studies;
      edits.instances += study.instances;
    }
  }

  void take_sample(const manifest::Other& result, const std::string& manifest) {
    out.report.samples.push_back({manifest, manifest::text_member(result.json, "state").value_or(""),
                                  manifest::text_member(result.json, "statement").value_or("")});
  }

  /// An object is committed when a report of a transaction that names it does not list it as failed.
  void take(const manifest::Commitment& step, const std::string& manifest) {
    if (step.state == "requested") {
      auto& asked = asked_[step.transaction];
      for (const auto& object : step.objects)
        asked.emplace_back(std::hash<std::string>{}(object.sop_instance), id_number(object.id, manifest));
    }
    if (step.state != "reported" && step.state != "contradicted") return;
    auto& asked = asked_[step.transaction];
    if (step.state == "reported") {
      for (const auto& [instance, id] : asked) committed_.insert(id);
    }
    for (const auto& [failed, reason] : step.failed) {
      for (const auto& [instance, id] : asked) {
        if (instance == std::hash<std::string>{}(failed)) committed_.erase(id);
      }
    }
  }

  void take(const manifest::LateFinding& late, const ManifestSummary& summary) {
    const std::uint64_t id = id_number(late.id, summary.name);
    count(id, late.finding);
    if (late.finding.severity < Severity::s3) return;
    auto& list = out.late[id];
    const auto same = [&](const manifest::Finding& f) { return f.code == late.finding.code; };
    if (std::none_of(list.begin(), list.end(), same)) {
      list.push_back(late.finding);
      list.back().detail = shown_detail(late.finding, mask_);
    }
  }

  /// Counts a finding once an object, although every later stage carries it on.
  void count(std::uint64_t id, const manifest::Finding& finding) {
    if (!counted_.insert(std::hash<std::string>{}(finding.code) * 31 + id).second) return;
    CodeCount& code = out.report.codes[finding.code];
    ++code.findings;
    const std::string severity(to_string(finding.severity));
    if (severity > code.severity) code.severity = severity;
  }

  std::uint32_t group_of(const Object& object) {
    std::string modality = repair_utf8(object.modality.value_or("").substr(0, kLongestModality));
    std::string key = modality + '\n' + year_of(object);
    if (groups_.size() >= kMostGroups && !groups_.contains(key)) key = "(other)\nunknown";
    const auto [at, fresh] = groups_.try_emplace(key, static_cast<std::uint32_t>(groups_.size()));
    if (fresh) {
      const std::size_t cut = key.rfind('\n');
      Group group;
      group.modality = key.substr(0, cut);
      group.year = key.substr(cut + 1);
      out.report.groups.push_back(std::move(group));
    }
    return at->second;
  }

  const Mask& mask_;
  std::unordered_map<std::string, std::uint32_t> groups_;
  std::unordered_set<std::uint64_t> counted_;
  // Storage commitment of the manifest at hand: hashes of UIDs with their ids by transaction, and ids of what was
  // given.
  std::unordered_map<std::string, std::vector<std::pair<std::size_t, std::uint64_t>>> asked_;
  std::unordered_set<std::uint64_t> committed_;
  std::vector<std::size_t> files_, instances_;
};

}  // namespace

std::uint64_t id_number(const std::string& id, const std::string& manifest) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number, 16);
  if (error != std::errc{} || end != id.data() + id.size() || id.size() != 16) {
    throw RunError(Exit::integrity,
                   manifest + " holds a record whose id is not 16 hex digits; restore the manifest from a copy");
  }
  return number;
}

std::string id_text(std::uint64_t id) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return text;
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
  for (const auto& finding : object.findings) {
    worst = std::max(worst, finding.severity);
    if (std::find(e.codes.begin(), e.codes.end(), finding.code) == e.codes.end()) e.codes.push_back(finding.code);
  }
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

Collected collect(const std::vector<std::filesystem::path>& paths, const Mask& mask) {
  struct Opened {
    manifest::Reader reader;
    std::filesystem::path path;
  };
  std::vector<Opened> opened;
  for (const auto& path : paths) opened.push_back({manifest::Reader(path), path});
  std::stable_sort(opened.begin(), opened.end(), [](const Opened& a, const Opened& b) {
    const auto &x = a.reader.header(), &y = b.reader.header();
    return std::pair(stage_rank(x.stage), x.created) < std::pair(stage_rank(y.stage), y.created);
  });
  Collector collector(mask);
  for (auto& one : opened) {
    for (const auto& earlier : collector.out.report.manifests) {
      if (earlier.header.run == one.reader.header().run) {
        throw RunError(Exit::usage,
                       earlier.name + " and " + one.reader.name() + " are the same run; give each manifest once");
      }
    }
    collector.read(one.reader, one.path);
  }
  collector.out.report.phi_shown = mask.shows_phi();
  return std::move(collector.out);
}

}  // namespace waybill::report
