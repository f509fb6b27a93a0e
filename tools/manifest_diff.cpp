// SPDX-License-Identifier: Apache-2.0
#include "audit/studies.hpp"
#include "core/bytes.hpp"
#include "core/csv.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "manifest/diff.hpp"
#include "manifest_derive.hpp"

#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace waybill::tools {
namespace {

struct Options {
  std::string before, after, csv;
  std::vector<std::string> members;
  bool json = false, show_phi = false;
};

/// Members whose values hold nothing of a patient.
bool is_plain(const std::string& member) {
  static const std::set<std::string> plain = {
      "bucket",          "file_sha256",  "codestream_sha256", "pixel_sha256", "dataset_sha256",
      "transfer_syntax", "source.size",  "transcode.outcome", "transcode.to", "load.status",
      "load.outcome",    "verify.grade", "verify.verdict",    "decision",     "rule",
      "instances",       "series"};
  return plain.count(member) > 0;
}

char sign_of(manifest::Mismatch::What what) {
  using What = manifest::Mismatch::What;
  return what == What::only_before ? '-' : what == What::only_after ? '+' : '*';
}

void print(const manifest::Mismatch& difference, bool show_phi) {
  std::cout << sign_of(difference.what) << ' ' << difference.kind << ' ' << path_to_text(difference.id);
  if (show_phi && !difference.path.empty()) std::cout << ' ' << path_to_text(difference.path);
  std::cout << '\n';
  const auto shown = [](const std::string& value) { return value.empty() ? "(absent)" : value; };
  for (const auto& [member, before, after] : difference.changes) {
    std::cout << "    " << path_to_text(member);
    if (show_phi || is_plain(member)) std::cout << ": " << shown(before) << " -> " << shown(after);
    std::cout << '\n';
  }
}

/// Every difference as rows of a table, a row a member that differs.
class Table {
 public:
  explicit Table(const std::string& path) {
    if (path.empty()) return;
    file_.emplace(path);
    row({"difference", "kind", "id", "path", "member", "before", "after"});
  }
  void add(const manifest::Mismatch& d) {
    if (!file_) return;
    const std::string sign(1, sign_of(d.what));
    if (d.changes.empty()) row({sign, d.kind, d.id, d.path, "", "", ""});
    for (const auto& [member, before, after] : d.changes) row({sign, d.kind, d.id, d.path, member, before, after});
  }
  void finish() {
    if (file_) file_->commit();
  }

 private:
  void row(const std::vector<std::string>& cells) { file_->write(as_bytes(csv_row(cells))); }
  std::optional<io::AtomicFile> file_;
};

std::string json_of(const manifest::DiffCounts& found, Exit exit) {
  JsonWriter w;
  w.begin_object();
  for (const auto& [kind, n] : found.kinds) {
    w.key(kind).begin_object().member("same", n.same).member("changed", n.changed);
    w.member("only_before", n.only_before).member("only_after", n.only_after).end_object();
  }
  w.key("members").begin_object();
  for (const auto& [member, n] : found.members) w.member(member, n);
  w.end_object();
  w.member("before_complete", found.before_complete).member("after_complete", found.after_complete);
  return std::move(w.member("exit", static_cast<int>(exit)).end_object()).str();
}

Exit run(const Options& options) {
  if (!options.csv.empty()) audit::record_leaving({options.before, options.after}, options.csv);
  if (options.show_phi && !options.json) audit::record_leaving({options.before, options.after}, "-");
  Table table(options.csv);
  const auto found = manifest::diff(options.before, options.after, options.members, [&](const auto& difference) {
    if (!options.json) print(difference, options.show_phi);
    table.add(difference);
  });
  table.finish();
  const bool complete = found.before_complete && found.after_complete;
  const Exit exit = !complete ? Exit::interrupted : found.equal() ? Exit::ok : Exit::exceptions;
  if (options.json) {
    std::cout << json_of(found, exit) << '\n';
  } else {
    for (const auto& [kind, n] : found.kinds)
      std::cout << kind << "\t" << n.same << " same, " << n.changed << " changed, " << n.only_before
                << " only in the first, " << n.only_after << " only in the second\n";
  }
  if (!complete)
    std::cerr << "waybill manifest: " << (found.before_complete ? options.after : options.before)
              << " is of an interrupted run; what it holds was compared, finish the run and compare again\n";
  return exit;
}

}  // namespace

Command add_diff_command(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto* diff = app.add_subcommand("diff", "Compare two manifests object by object; exit 1 when they differ");
  diff->add_option("before", options->before, "The first manifest, - for standard input")->required();
  diff->add_option("after", options->after, "The second manifest, - for standard input")->required();
  diff->add_option("--member", options->members, "Compare this member alone, e.g. pixel_sha256 or load; repeatable")
      ->allow_extra_args(false);
  diff->add_option("--csv", options->csv, "CSV file of every difference with both values (patients' data, mode 0600)");
  diff->add_flag("--json", options->json, "Print the counts as one JSON object, not the differences");
  diff->add_flag("--show-phi", options->show_phi, "Show paths, and the values of all members that differ");
  return {diff, [options] { return run(*options); }};
}

}  // namespace waybill::tools
