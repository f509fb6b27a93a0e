// SPDX-License-Identifier: Apache-2.0
#include "audit/studies.hpp"
#include "cli/run_tool.hpp"
#include "report/package.hpp"
#include "report/report.hpp"
#include "shared.hpp"

#include <filesystem>
#include <functional>
#include <iostream>

namespace {

using namespace waybill;
using Piped = std::function<std::string(const report::Report&)>;

/// The part of the report that goes to standard output in place of the sentences, if one is asked for with "-"; it is
/// taken out of the files to write.
Piped take_piped(report::Options& options, bool json) {
  Piped piped;
  int wanted = json ? 1 : 0;
  const auto take = [&](std::filesystem::path& file, Piped render) {
    if (file != "-") return;
    file.clear();
    piped = std::move(render);
    ++wanted;
  };
  take(options.html, report::to_html);
  take(options.csv, report::to_csv);
  take(options.json, [](const report::Report& result) { return report::to_json(result) + "\n"; });
  if (options.lookup == "-")
    throw RunError(Exit::usage, "--lookup holds patients' numbers and goes to a file of its own, not to -");
  if (piped && wanted > 1)
    throw RunError(Exit::usage, "standard output takes one of --html, --csv, --report-json and --json; name files");
  return piped;
}

/// What holds patients' data and is about to be written: a package, the lookup file, anything with --show-phi.
void record_outputs(const report::Options& options, const report::PackageOptions& package) {
  if (!audit::is_recording()) return;
  std::vector<std::string> manifests, outputs;
  for (const auto& manifest : options.manifests) manifests.push_back(manifest.string());
  for (const auto& output : {package.folder, options.lookup}) outputs.push_back(output.string());
  if (options.show_phi) {
    for (const auto& output : {options.html, options.csv, options.json}) outputs.push_back(output.string());
  }
  for (const std::string& output : outputs) {
    if (!output.empty()) audit::record_leaving(manifests, output);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Balance all manifests of a project: ledger, evidence, exceptions; exit 5 while anything is unexplained"};
  report::Options options;
  report::PackageOptions package;
  bool json = false;
  app.add_option("manifests", options.manifests, "Manifests of one project, in any order")->required();
  app.add_option("--html", options.html, "Write the report for people to this file");
  app.add_option("--csv", options.csv, "Write the exceptions to this file");
  app.add_option("--report-json", options.json, "Write the whole report as JSON to this file");
  app.add_flag("--show-phi", options.show_phi, "Show patient ids instead of keyed hashes");
  app.add_option("--pseudonym-key", options.pseudonyms, "Key file of the hashes: the same patient, the same hash");
  app.add_option("--lookup", options.lookup, "CSV of who stands behind the hashes (patient data, mode 0600)");
  app.add_flag("--json", json, "Print the summary as one JSON object on stdout");
  app.add_option("--known", options.known, "Lines of UID,reason: who explains what the target has beyond ours");
  app.add_option("--package", package.folder, "Write an evidence package to this new folder");
  app.add_option("--sign", package.sign, "Private key (PEM, rights 0600) that signs the package's list of files");
  app.add_option("--public-key", options.keys,
                 "Public key (PEM) whose signatures of manifests are checked; into the package");
  app.add_option("--include", package.include, "Rules, decisions or tables that go into the package");
  tools::Shared shared;
  shared.add_options(app, tools::Manifests::read);
  const auto run = [&] {
    report::check_package(options, package);
    report::Options files = options;
    const auto piped = take_piped(files, json);
    const report::Report result = report::build(files);
    record_outputs(options, package);
    report::write(result, files);
    if (!package.folder.empty()) report::write_package(result, files, package);
    if (piped) {
      std::cout << piped(result);
    } else if (json) {
      std::cout << report::to_json_summary(result) << '\n';
    } else {
      for (const auto& sentence : result.statement) std::cout << sentence << '\n';
    }
    if (piped || !json) {
      for (const auto& item : result.unexplained) std::cerr << "waybill report: unexplained: " << item.sentence << '\n';
    }
    return result.exit;
  };
  return cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-report", run); });
}
