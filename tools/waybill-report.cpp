// SPDX-License-Identifier: Apache-2.0
#include "cli/run_tool.hpp"
#include "report/package.hpp"
#include "report/report.hpp"
#include "shared.hpp"

#include <iostream>

int main(int argc, char** argv) {
  using namespace waybill;
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
    const report::Report result = report::build(options);
    report::write(result, options);
    if (!package.folder.empty()) report::write_package(result, options, package);
    if (json) {
      std::cout << report::to_json_summary(result) << '\n';
    } else {
      for (const auto& sentence : result.statement) std::cout << sentence << '\n';
      for (const auto& item : result.unexplained) std::cerr << "waybill report: unexplained: " << item.sentence << '\n';
    }
    return result.exit;
  };
  return cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-report", run); });
}
