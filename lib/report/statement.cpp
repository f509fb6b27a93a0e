// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include "page/escape.hpp"

namespace waybill::report {
namespace {

using page::grouped;
using page::percent;

using manifest::Bucket;

std::string objects(std::uint64_t n) { return grouped(n) + (n == 1 ? " object" : " objects"); }
const char* is(std::uint64_t n) { return n == 1 ? " is " : " are "; }
const char* was(std::uint64_t n) { return n == 1 ? " was " : " were "; }

std::string ledger_sentence(const Report& report, std::uint64_t total) {
  const std::string unexplained = "Unexplained: " + grouped(report.unexplained_total) + ".";
  if (report.unexplained_total > 0) {
    const char* have = report.unexplained_total == 1 ? " difference has" : " differences have";
    return "The ledger is OPEN: " + grouped(report.unexplained_total) + have +
           " no explanation. Stop the migration and settle each one. " + unexplained;
  }
  return "The ledger closes: each of " + objects(total) + " has exactly one final state. " + unexplained;
}

std::string proof_sentence(const Report& report, std::uint64_t total) {
  const std::uint64_t proved = report.grades[4] + report.grades[5];
  return grouped(proved) + " of " + objects(total) + " (" + percent(proved, total) + ")" + was(proved) +
         "read back from the target and" + is(proved) + "equal in pixels and metadata (grade E4 or better).";
}

bool has_stage(const Report& report, std::string_view stage) {
  for (const auto& manifest : report.manifests) {
    if (manifest.header.stage == stage) return true;
  }
  return false;
}

void add_grades(const Report& report, std::vector<std::string>& out) {
  for (std::size_t grade = 4; grade-- > 0;) {
    const std::uint64_t n = report.grades[grade];
    if (n > 0)
      out.push_back(objects(n) + " reached only grade E" + std::to_string(grade) + ": " + grade_meaning(grade) + ".");
  }
}

/// "3 identical duplicates, 1 DICOMDIR": what needs no transfer, in words.
std::string kinds_without_transfer(const Report& report) {
  struct Word {
    Bucket bucket;
    const char *one, *many;
  };
  static constexpr Word kWords[] = {{Bucket::duplicate_identical, "identical duplicate", "identical duplicates"},
                                    {Bucket::dicomdir, "DICOMDIR", "DICOMDIRs"},
                                    {Bucket::non_dicom, "file that is not DICOM", "files that are not DICOM"},
                                    {Bucket::non_instance, "file that is no instance", "files that are no instances"},
                                    {Bucket::empty, "empty file", "empty files"},
                                    {Bucket::excluded, "excluded by decision", "excluded by decision"}};
  std::string out;
  for (const Word& word : kWords) {
    const std::uint64_t n = report.no_transfer[static_cast<std::size_t>(word.bucket)];
    if (n > 0) out += (out.empty() ? "" : ", ") + grouped(n) + " " + (n == 1 ? word.one : word.many);
  }
  return out;
}

void add_rest(const Report& report, std::vector<std::string>& out) {
  const Places& places = report.places;
  if (places.waiting > 0) {
    out.push_back(objects(places.waiting) + is(places.waiting) + "in scope and not loaded yet" +
                  (report.files_checked == 0 ? "."
                                             : "; the files of " + grouped(report.files_checked) +
                                                   " still have the bytes that were scanned."));
  }
  if (places.no_transfer > 0) {
    out.push_back(objects(places.no_transfer) + (places.no_transfer == 1 ? " needs" : " need") +
                  " no transfer: " + kinds_without_transfer(report) + ".");
  }
  const std::uint64_t exceptions = report.exceptions.size();
  if (exceptions > 0) {
    out.push_back(objects(exceptions) +
                  (exceptions == 1 ? " is an exception, listed with its" : " are exceptions, each listed with its") +
                  " reason.");
  }
}

void add_target(const Target& target, std::vector<std::string>& out) {
  const std::uint64_t explained = target.before_load + target.other_manifest + target.known;
  if (explained > 0) {
    std::string from;
    const auto add = [&](std::uint64_t n, const char* where) {
      if (n > 0) from += (from.empty() ? "" : ", ") + grouped(n) + where;
    };
    add(target.before_load, " from before the first load");
    add(target.other_manifest, " of another manifest of the project");
    add(target.known, " explained by a person");
    out.push_back("The target holds " + objects(explained) +
                  " beyond ours in these studies, with an explanation: " + from + ".");
  }
  if (target.unexplained > 0) {
    out.push_back("The target holds " + objects(target.unexplained) +
                  " in these studies that nothing explains; find out where " +
                  (target.unexplained == 1 ? "it comes from." : "they come from."));
  }
}

}  // namespace

std::vector<std::string> statement(const Report& report) {
  const std::uint64_t total = objects_in(report.buckets);
  std::vector<std::string> out{ledger_sentence(report, total)};
  if (has_stage(report, "load") || has_stage(report, "verify")) {
    out.push_back(proof_sentence(report, total));
    add_grades(report, out);
    for (const SampleResult& sample : report.samples) out.push_back(sample.manifest + ": " + sample.statement);
  } else {
    out.emplace_back("No manifest of load or verify was given: this report proves nothing about a target.");
  }
  add_rest(report, out);
  add_target(report.target, out);
  for (const auto& manifest : report.manifests) {
    if (!manifest.complete)
      out.push_back(manifest.name +
                    " is incomplete: its run was interrupted. Run the same command again, then make this report anew.");
  }
  if (!has_stage(report, "scan"))
    out.emplace_back("No manifest of scan was given: the ledger starts at the earliest manifest given.");
  return out;
}

}  // namespace waybill::report
