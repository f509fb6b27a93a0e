// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include "core/clock.hpp"
#include "io/atomic_file.hpp"
#include "report/collect.hpp"

#include <numeric>
#include <system_error>

namespace waybill::report {
namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  if (path.empty()) return;
  io::AtomicFile file(path);
  file.write(as_bytes(text));
  file.commit();
}

/// A report must never replace the evidence it was made from.
void check_outputs(const Options& options) {
  std::vector<std::filesystem::path> taken = options.manifests;
  for (const auto& output : {options.html, options.csv, options.json, options.lookup}) {
    if (output.empty()) continue;
    for (const auto& other : taken) {
      std::error_code error;
      if (output == other || std::filesystem::equivalent(output, other, error)) {
        throw RunError(Exit::usage,
                       output.string() + " is named twice, as output and as another file; choose another name");
      }
    }
    taken.push_back(output);
  }
}

Exit exit_of(const Report& report) {
  if (report.unexplained_total > 0) return Exit::integrity;
  const bool clean = report.exceptions.empty() && !any_incomplete(report);
  return clean ? Exit::ok : Exit::exceptions;
}

}  // namespace

std::uint64_t objects_in(const Buckets& buckets) {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Tally& t) { return sum + t.objects; });
}

bool any_incomplete(const Report& report) {
  for (const auto& manifest : report.manifests) {
    if (!manifest.complete) return true;
  }
  return false;
}

void add_unexplained(Report& report, Unexplained item) {
  ++report.unexplained_total;
  if (report.unexplained.size() < kMostListed) report.unexplained.push_back(std::move(item));
}

const std::vector<SheetLine>& sheet_lines() {
  using enum State;
  static const std::vector<State> kInScope = {verified, loaded, quarantined, failed, pending};
  static const std::vector<State> kUnique = {verified, loaded, quarantined, failed, pending, excluded};
  static const std::vector<State> kInstances = {verified, loaded,   quarantined,         failed,
                                                pending,  excluded, duplicate_identical, duplicate_conflict};
  static const std::vector<State> kDicom = {verified, loaded,      quarantined,         failed,
                                            pending,  excluded,    duplicate_identical, duplicate_conflict,
                                            dicomdir, non_instance};
  static const std::vector<State> kAll = {
      verified,           loaded,   quarantined, failed,       pending,    excluded, duplicate_identical,
      duplicate_conflict, dicomdir, non_dicom,   non_instance, unreadable, empty};
  static const std::vector<SheetLine> kLines = {
      {"source", "Source", 0, kAll},
      {"non_dicom", "not DICOM", 1, {non_dicom}},
      {"unreadable", "unreadable", 1, {unreadable}},
      {"empty", "without a byte", 1, {empty}},
      {"dicom", "DICOM", 1, kDicom},
      {"dicomdir", "DICOMDIR", 2, {dicomdir}},
      {"non_instance", "no instance", 2, {non_instance}},
      {"instances", "instances", 2, kInstances},
      {"duplicate_identical", "identical duplicates", 3, {duplicate_identical}},
      {"duplicate_conflict", "duplicates in conflict", 3, {duplicate_conflict}},
      {"unique", "unique", 3, kUnique},
      {"excluded", "excluded by decision", 4, {excluded}},
      {"in_scope", "in scope", 4, kInScope},
      {"verified", "verified at the target (E3 or better)", 5, {verified}},
      {"loaded", "loaded, not verified", 5, {loaded}},
      {"quarantined", "quarantined", 5, {quarantined}},
      {"failed", "failed", 5, {failed}},
      {"pending", "not loaded yet", 5, {pending}},
  };
  return kLines;
}

Amounts sum_of(const Sheet& sheet, const SheetLine& line) {
  Amounts sum;
  for (const State state : line.states) {
    const Amounts& part = sheet[static_cast<std::size_t>(state)];
    sum.files += part.files;
    sum.objects += part.objects;
    sum.studies += part.studies;
    sum.bytes += part.bytes;
  }
  return sum;
}

const char* grade_meaning(std::size_t grade) {
  static constexpr std::array<const char*, kGrades> kMeanings = {
      "queued or sent, the target gave no answer",
      "the target answered that it stored the object",
      "the target committed to keep the object (storage commitment)",
      "the target lists the object, and its set of instances is the expected one",
      "the object was read back from the target and is equal in pixels and metadata, except for recorded edits",
      "as E4, after the target's own archive cycle",
  };
  return kMeanings[grade];
}

const char* bucket_meaning(manifest::Bucket bucket) {
  using manifest::Bucket;
  switch (bucket) {
    case Bucket::instance: return "an object in scope that was not loaded";
    case Bucket::duplicate_identical: return "the same object again; one copy is enough";
    case Bucket::duplicate_conflict: return "the UID of another object with other content; a person decides";
    case Bucket::dicomdir: return "a directory of a medium, no object";
    case Bucket::non_dicom: return "a file that is not DICOM";
    case Bucket::non_instance: return "DICOM, but no object that can be stored";
    case Bucket::unreadable: return "could not be read at the source";
    case Bucket::empty: return "a file without a byte";
    case Bucket::quarantined: return "kept back until a person has decided";
    case Bucket::excluded: return "left out by decision";
    case Bucket::loaded: return "the target answered that it stored the object";
    case Bucket::verified: return "checked and found equal; the grade says against what";
    case Bucket::failed: return "could not be staged, loaded or verified";
    case Bucket::pending: return "without an outcome; run the stage again";
  }
  return "";
}

Report build(const Options& options) {
  check_outputs(options);
  const Mask mask(options.show_phi, options.pseudonyms);
  Collected collected = collect(options, mask);
  balance(collected);
  settle(collected, mask);
  settle_target(collected, options, mask);
  Report& report = collected.report;
  report.created = utc_now();
  report.exit = exit_of(report);
  report.statement = statement(report);
  if (!options.lookup.empty()) write_file(options.lookup, mask.lookup());
  return std::move(report);
}

void write(const Report& report, const Options& options) {
  if (!options.html.empty()) write_file(options.html, to_html(report));
  if (!options.csv.empty()) write_file(options.csv, to_csv(report));
  if (!options.json.empty()) write_file(options.json, to_json(report) + "\n");
}

}  // namespace waybill::report
