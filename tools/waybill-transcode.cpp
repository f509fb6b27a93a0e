// SPDX-License-Identifier: Apache-2.0
// waybill-transcode: stages every instance of a manifest in one transfer syntax, each file proved equal to its source.
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "dicom/toolkit.hpp"
#include "transcode/convert.hpp"
#include "transcode/run.hpp"

#include <oneapi/tbb/global_control.h>
#include <iostream>

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::transcode::Options transcode;
  std::string input, out, edits, output;
  std::string unmatched = "quarantine";
  std::string keep_larger = "no";
};

void print(const waybill::transcode::Tally& tally, const Settings& settings) {
  std::ostream& out = settings.output == "-" ? std::cerr : std::cout;
  if (settings.common.json) {
    out << tally.json() << '\n';
    return;
  }
  out << "transcode: " << tally.objects << " objects, " << tally.bytes_in << " bytes in, " << tally.bytes_out
      << " bytes staged\n";
  for (const auto& [outcome, count] : tally.outcomes) out << "  " << outcome << ' ' << count << '\n';
  for (const auto& [bucket, count] : tally.buckets) out << "  bucket " << bucket << ' ' << count << '\n';
}

waybill::Exit run(Settings& settings) {
  using namespace waybill;
  const dicom::Toolkit toolkit;
  transcode::Options& options = settings.transcode;
  options.input = settings.input;
  options.out = settings.out;
  options.edits = settings.edits;
  options.unmatched = settings.unmatched == "stage" ? transcode::Unmatched::stage : transcode::Unmatched::quarantine;
  options.keep_larger = settings.keep_larger == "yes";
  options.threads = cli::worker_count(settings.common);
  const oneapi::tbb::global_control control(oneapi::tbb::global_control::max_allowed_parallelism, options.threads);
  transcode::Tally tally;
  {
    manifest::Writer writer(settings.output, transcode::header_of(options),
                            settings.common.restart ? manifest::Restart::yes : manifest::Restart::no);
    if (writer.already_complete()) {
      tally = transcode::tally_of(settings.output);
      std::cerr << "waybill-transcode: " << settings.output << " is complete already; --restart does it again\n";
    } else {
      cli::Progress progress("transcode", 0, settings.common.quiet);
      tally = transcode::run(options, writer, [&](auto objects, auto bytes, auto exceptions) {
        progress.add(objects, bytes, exceptions);
      });
    }
  }
  if (tally.interrupted) {
    std::cerr << "waybill-transcode: interrupted after " << tally.objects
              << " objects; run the same command again to continue\n";
    return Exit::interrupted;
  }
  print(tally, settings);
  if (tally.integrity) return Exit::integrity;
  return tally.exceptions == 0 ? Exit::ok : Exit::exceptions;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Stage every instance of a manifest in one transfer syntax, each file proved equal to its source",
               "waybill-transcode");
  Settings settings;
  app.add_option("manifest", settings.input, "Manifest of scan; - is standard input")->required();
  app.add_option("--to", settings.transcode.to, "Transfer syntax to write")
      ->required()
      ->check(CLI::IsMember(waybill::transcode::target_names()));
  app.add_option("--out", settings.out, "Folder for the staged objects")->required();
  app.add_option("-o,--output", settings.output, "Manifest to write; - is standard output")->required();
  app.add_option("--edits", settings.edits, "Manifest of reconcile whose edits are applied");
  app.add_option("--unmatched", settings.unmatched, "Studies without an automatic match: quarantine or stage")
      ->check(CLI::IsMember({"quarantine", "stage"}))
      ->capture_default_str();
  app.add_option("--keep-larger", settings.keep_larger,
                 "An encoding that is not smaller than the source's: no keeps the source, yes keeps it all the same")
      ->check(CLI::IsMember({"no", "yes"}))
      ->capture_default_str();
  waybill::cli::add_common(app, settings.common);
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
