// SPDX-License-Identifier: Apache-2.0
// waybill-transcode: stages every instance of a manifest in one transfer syntax, each file proved equal to its source.
#include "audit/studies.hpp"
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "dicom/toolkit.hpp"
#include "shared.hpp"
#include "transcode/convert.hpp"
#include "transcode/dry_run.hpp"
#include "transcode/run.hpp"

#include <iostream>

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::transcode::Options transcode;
  std::string input, out, edits, output, policy, uid_map;
  std::string unmatched = "quarantine";
  std::string keep_larger = "no", verify = "full";
  bool dry_run = false;
};

waybill::Exit exit_of(const waybill::transcode::Tally& tally) {
  using waybill::Exit;
  if (tally.interrupted) return Exit::interrupted;
  if (tally.integrity) return Exit::integrity;
  return tally.exceptions == 0 ? Exit::ok : Exit::exceptions;
}

waybill::Exit print(const waybill::transcode::Tally& tally, const Settings& settings, bool already_complete) {
  const auto n = [](std::uint64_t v) { return std::to_string(v); };
  waybill::cli::Summary summary{
      "transcode", settings.output,       already_complete, tally.interrupted, exit_of(tally), tally.json(),
      {},          !settings.common.quiet};
  for (const auto& [bucket, count] : tally.buckets) summary.lines.emplace_back(bucket, n(count));
  for (const auto& [outcome, count] : tally.outcomes) summary.lines.emplace_back("outcome " + outcome, n(count));
  summary.lines.emplace_back("exceptions", n(tally.exceptions));
  summary.lines.emplace_back("total", n(tally.objects) + " objects, " + n(tally.bytes_in) + " bytes in, " +
                                          n(tally.bytes_out) + " bytes staged");
  return waybill::cli::print(summary, settings.common.json);
}

waybill::Exit run(Settings& settings) {
  using namespace waybill;
  transcode::Options& options = settings.transcode;
  options.input = settings.input;
  options.out = settings.out;
  options.edits = settings.edits;
  options.policy = settings.policy;
  options.uid_map = settings.uid_map;
  options.unmatched = settings.unmatched == "stage" ? transcode::Unmatched::stage : transcode::Unmatched::quarantine;
  options.keep_larger = settings.keep_larger == "yes";
  options.verify = settings.verify == "full";
  options.threads = cli::worker_count(settings.common);
  if (options.undo == (!options.to.empty() || !options.policy.empty()))
    throw RunError(Exit::usage, "say where to with --to or --policy, or take changes back with --undo alone");
  if (settings.dry_run) {
    if (options.undo) throw RunError(Exit::usage, "--dry-run tells what --to or --policy would do, not --undo");
    const dicom::Toolkit toolkit;
    transcode::dry_run(options, std::cout, settings.common.json, settings.common.show_phi);
    return Exit::ok;
  }
  if (settings.out.empty() || settings.output.empty())
    throw RunError(Exit::usage, "--out names the folder for objects and -o the manifest; only --dry-run goes without");
  const auto codecs = transcode::start_codecs(options);  // they start while the rest is made ready
  const dicom::Toolkit toolkit;
  transcode::Tally tally;
  bool already_complete = false;
  {
    manifest::Writer writer(settings.output, transcode::header_of(options),
                            settings.common.restart ? manifest::Restart::yes : manifest::Restart::no);
    if (writer.already_complete()) {
      tally = transcode::tally_of(settings.output);
      already_complete = true;
    } else {
      cli::Progress progress("transcode", 0, settings.common.quiet);
      tally = transcode::run(options, *codecs, writer, [&](auto objects, auto bytes, auto exceptions) {
        progress.add(objects, bytes, exceptions);
      });
    }
  }
  if (!tally.interrupted) audit::record_accessed(settings.output);
  return print(tally, settings, already_complete);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Stage every instance of a manifest in one transfer syntax, each file proved equal to its source",
               "waybill-transcode");
  Settings settings;
  settings.transcode.to.clear();  // what is asked for is asked for
  app.add_option("manifest", settings.input, "Manifest of scan; - is standard input")->required();
  app.add_option("--to", settings.transcode.to, "Transfer syntax to write")
      ->check(CLI::IsMember(waybill::transcode::target_names()));
  app.add_option("--out", settings.out, "Folder for the staged objects");
  app.add_option("-o,--output", settings.output, "Manifest to write; - is standard output");
  app.add_option("--edits", settings.edits, "Manifest of reconcile whose edits are applied");
  app.add_option("--policy", settings.policy, "TOML file: which objects get which transfer syntax");
  app.add_option("--uid-map", settings.uid_map, "CSV file of UIDs to replace, references follow");
  app.add_option("--verify", settings.verify, "full proves each written file, none writes without proof")
      ->check(CLI::IsMember({"full", "none"}))
      ->capture_default_str();
  app.add_flag("--dry-run", settings.dry_run, "Print what would be done, for each study and in numbers; write nothing");
  app.add_flag("--undo", settings.transcode.undo, "Take the changes of a transcode manifest's objects back");
  app.add_option("--unmatched", settings.unmatched, "Studies without an automatic match: quarantine or stage")
      ->check(CLI::IsMember({"quarantine", "stage"}))
      ->capture_default_str();
  app.add_option("--keep-larger", settings.keep_larger,
                 "An encoding that is not smaller than the source's: no keeps the source, yes keeps it all the same")
      ->check(CLI::IsMember({"no", "yes"}))
      ->capture_default_str();
  waybill::cli::add_common(app, settings.common);
  waybill::tools::Shared shared;
  shared.add_options(app);
  return waybill::cli::run_tool(app, argc, argv,
                                [&] { return shared.around("waybill-transcode", [&] { return run(settings); }); });
}
