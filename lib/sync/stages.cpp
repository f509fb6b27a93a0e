// SPDX-License-Identifier: Apache-2.0
#include "sync/stages.hpp"

namespace waybill::sync {
namespace {

constexpr std::string_view kEncryptTo = "--encrypt-to=";

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void add_common(const Run& run, Words& words) {
  words.emplace_back("--quiet");
  if (run.plan.threads > 0) words.push_back("--threads=" + std::to_string(run.plan.threads));
  words = with(std::move(words), run.shared);
}

Words scan_words(const Run& run, const fs::path& since, const char* output) {
  const Plan::Scan& scan = run.plan.scan;
  Words words = with(scan.sources, {"--output=" + run.file(output).string()});
  for (const std::string& word : scan.words)
    if (!since.empty() || !word.starts_with("--recheck=")) words.push_back(word);
  if (!since.empty()) {
    words.push_back("--since=" + since.string());
    if (scan.recheck) words.push_back("--seed=" + std::to_string(run.number));
  }
  add_common(run, words);
  return words;
}

/// What reconcile needs for decisions and for corrections alike. It has no effect outside, so it always starts over.
Words reconcile_words(const Run& run, const std::string& ris, const fs::path& scan, const char* output,
                      const char* exceptions) {
  const Plan::Reconcile& plan = *run.plan.reconcile;
  Words words{scan.string(), "--output=" + run.file(output).string(), "--exceptions=" + run.file(exceptions).string()};
  if (!ris.empty()) words.push_back("--ris=" + ris);
  for (const std::string& path : plan.hl7) words.push_back("--hl7=" + path);
  std::error_code error;
  if (!plan.decisions.empty() && fs::exists(plan.decisions, error))
    words.push_back("--decisions=" + plan.decisions.string());
  words = with(std::move(words), plan.words);
  words.emplace_back("--restart");
  add_common(run, words);
  return words;
}

}  // namespace

Words scan_words(const Run& run) {
  return scan_words(run, run.base == 0 ? fs::path() : run.project.in_run(run.base, "scan.wb"), "scan.wb");
}

Words after_words(const Run& run) { return scan_words(run, run.file("scan.wb"), "after.wb"); }

Words reconcile_words(const Run& run, const std::string& ris, const fs::path& scan) {
  return with(reconcile_words(run, ris, scan, "reconcile.wb", "exceptions.csv"),
              {"--worklist=" + run.file("worklist.html").string()});
}

Words corrections_words(const Run& run, const std::string& ris, const fs::path& scan) {
  Words words = reconcile_words(run, ris, scan, "corrections.wb", "corrections-open.csv");
  for (const fs::path& load : run.project.loads_before(run.number)) words.push_back("--loaded=" + load.string());
  return words;
}

Words transcode_words(const Run& run) {
  Words words{run.file("delta.wb").string(), "--output=" + run.file("transcode.wb").string(),
              "--out=" + run.file("staged").string()};
  words = with(std::move(words), run.plan.transcode->words);
  if (run.plan.reconcile) {
    words.push_back("--edits=" + run.file("reconcile.wb").string());
    words.push_back(run.plan.reconcile->undecided == Undecided::send ? "--unmatched=stage" : "--unmatched=quarantine");
  }
  add_common(run, words);
  return words;
}

Words load_words(const Run& run) {
  const bool staged = run.plan.transcode.has_value();
  Words words{run.file(staged ? "transcode.wb" : "delta.wb").string(), "--to=" + run.plan.load.to,
              "--output=" + run.file("load.wb").string()};
  words = with(std::move(words), run.plan.load.words);
  if (run.plan.verify.sample) words.push_back("--seed=" + std::to_string(run.number));
  if (run.plan.reconcile && !staged) {
    words.push_back("--edits=" + run.file("reconcile.wb").string());
    if (run.plan.reconcile->undecided == Undecided::send) words.emplace_back("--send-unmatched");
  }
  add_common(run, words);
  return words;
}

Words verify_words(const Run& run) {
  Words words{run.file("load.wb").string(), "--against=" + run.plan.load.to,
              "--output=" + run.file("verify.wb").string()};
  words = with(std::move(words), run.plan.verify.words);
  add_common(run, words);
  return words;
}

Words report_words(const Run& run, const fs::path& scan) {
  Words words{scan.string(), run.file("standing.wb").string(), "--html=" + run.file("report.html").string(),
              "--csv=" + run.file("report.csv").string(), "--report-json=" + run.file("report.json").string()};
  if (run.plan.reconcile) words.push_back(run.file("reconcile.wb").string());
  std::vector<std::string> shared = run.shared;
  for (std::string& word : shared) {  // the report reads manifests and writes none
    if (word.starts_with(kEncryptTo)) word.replace(0, kEncryptTo.size(), "--key=");
  }
  return with(with(std::move(words), run.plan.report_words), shared);
}

}  // namespace waybill::sync
