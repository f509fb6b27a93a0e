// SPDX-License-Identifier: Apache-2.0
#include "audit/studies.hpp"
#include "cli/run_tool.hpp"
#include "reconcile/explain.hpp"
#include "reconcile/run.hpp"
#include "shared.hpp"

#include <tbb/global_control.h>
#include <algorithm>
#include <cstdio>

int main(int argc, char** argv) {
  CLI::App app("Match the studies of a scan with the exams of the RIS and record what must change",
               "waybill-reconcile");
  waybill::reconcile::Options options;
  waybill::cli::Common common;
  app.add_option("scan", options.scan, "Scan manifest, - for standard input");
  app.add_option("--ris", options.ris, "Exams of the RIS: a CSV file or postgresql://USER@HOST/DATABASE");
  app.add_option("--query", options.query, "File with the SELECT that gives the exams of a database");
  app.add_option("--map", options.map, "How the columns of the RIS are to be read (TOML)");
  app.add_option("--control", options.control, "What the exporter promised about the RIS table (TOML)");
  app.add_option("--hl7", options.hl7, "Files and folders of HL7 messages, - for standard input");
  app.add_option("--issuer", options.issuer, "Issuer of patient IDs that name none");
  app.add_option("--as-of", options.as_of, "Leave out what messages say after this time");
  app.add_option("-o,--output", options.output, "Manifest to write, - for standard output");
  app.add_option("--exceptions", options.exceptions,
                 "CSV of what a person must decide (holds patients' data, mode 0600)");
  app.add_option("--worklist", options.worklist, "The same as an HTML page to answer in (mode 0600)");
  app.add_option("--decisions", options.decisions, "The same CSV with people's decisions filled in");
  app.add_option("--rules", options.rules, "What the site settles about matching (TOML)");
  app.add_option("--approve", options.approve, "Let this rule decide alone: R5")->delimiter(',');
  app.add_option("--ignore-columns", options.ignore_columns, "Columns of the RIS table to leave out")->delimiter(',');
  app.add_option("--loaded", options.loaded,
                 "Manifests of load: write what their objects must change now, not decisions");
  app.add_option("--applied", options.applied, "Manifests these were made from, where they do not lie beside them");
  app.add_flag("--dry-run", options.dry_run, "Count what would be decided and changed, write nothing");
  waybill::cli::add_common(app, common);

  std::string study, manifest;
  auto* explain = app.add_subcommand("explain", "Say in plain words why a study was decided as it was");
  explain->add_option("study", study, "Study Instance UID")->required();
  explain->add_option("manifest", manifest, "Manifest of reconcile")->required();
  explain->add_flag("--show-phi", common.show_phi, "Show patients' values");

  waybill::tools::Shared shared;
  shared.add_options(app);
  const auto run = [&] {
    if (explain->parsed()) {
      const std::string text = waybill::reconcile::explain(manifest, study, common.show_phi);
      std::fwrite(text.data(), 1, text.size(), stdout);
      return waybill::Exit::ok;
    }
    if (options.scan.empty())
      throw waybill::RunError(waybill::Exit::usage,
                              "no scan manifest is named; give that of waybill scan, or explain STUDY MANIFEST");
    if (options.scan == "-" && std::count(options.hl7.begin(), options.hl7.end(), "-") > 0)
      throw waybill::RunError(waybill::Exit::usage,
                              "standard input can be the scan or the messages; name a file for one of them");
    using waybill::manifest::Restart;
    const tbb::global_control control(tbb::global_control::max_allowed_parallelism, waybill::cli::worker_count(common));
    options.restart = common.restart ? Restart::yes : Restart::no;
    const auto summary = waybill::reconcile::run(options);
    if (!options.dry_run) waybill::audit::record_decisions(options.output.string());
    const std::string text = common.json ? to_json(summary) + "\n" : to_text(summary);
    const bool piped = options.output == "-" && !options.dry_run;
    std::fwrite(text.data(), 1, text.size(), piped ? stderr : stdout);
    return summary.exceptions() == 0 ? waybill::Exit::ok : waybill::Exit::exceptions;
  };
  return waybill::cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-reconcile", run); });
}
