// SPDX-License-Identifier: Apache-2.0
// waybill-scan: takes stock of an archive, one record for everything that is met.
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "dicom/toolkit.hpp"
#include "scan/run.hpp"

#include <oneapi/tbb/global_control.h>
#include <iostream>

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::scan::Options scan;
  std::string output;
  std::string shard = "1/1";
};

void print(const waybill::scan::Tally& tally, const Settings& settings) {
  std::ostream& out = settings.output == "-" ? std::cerr : std::cout;
  if (settings.common.json) {
    out << tally.json() << '\n';
    return;
  }
  out << "scanned " << tally.entries << " entries, " << tally.bytes << " bytes, " << tally.studies << " studies\n";
  for (const auto& [bucket, count] : tally.buckets) out << "  " << bucket << ' ' << count << '\n';
  out << "ledger closes: " << tally.entries << " = sum of all buckets\n";
}

waybill::Exit run(const Settings& settings) {
  using namespace waybill;
  const dicom::Toolkit toolkit;
  scan::Options options = settings.scan;
  options.threads = cli::worker_count(settings.common);
  options.selection.shard = archive::shard_from(settings.shard).value();  // checked with the options
  if (settings.output != "-") options.index = settings.output + ".index";
  const oneapi::tbb::global_control control(oneapi::tbb::global_control::max_allowed_parallelism, options.threads);
  scan::Tally tally;
  {
    manifest::Writer writer(settings.output, scan::header_of(options),
                            settings.common.restart ? manifest::Restart::yes : manifest::Restart::no);
    if (writer.already_complete()) {
      tally = scan::tally_of(settings.output);
      std::cerr << "waybill-scan: " << settings.output << " is complete already; --restart scans again\n";
    } else {
      cli::Progress progress("scan", 0, settings.common.quiet);
      tally = scan::run(options, writer,
                        [&](auto objects, auto bytes, auto exceptions) { progress.add(objects, bytes, exceptions); });
    }
  }
  if (tally.interrupted) {
    std::cerr << "waybill-scan: interrupted after " << tally.entries
              << " entries; run the same command again to continue\n";
    return Exit::interrupted;
  }
  print(tally, settings);
  return tally.exceptions == 0 ? Exit::ok : Exit::exceptions;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Take stock of an archive: one record, one bucket for everything that is met", "waybill-scan");
  Settings settings;
  app.add_option("source", settings.scan.sources, "Folders or files to scan")->required();
  app.add_option("-o,--output", settings.output, "Manifest to write; - is standard output")->required();
  app.add_flag("--deep", settings.scan.deep, "Decode every frame: digests of pixels and codestreams too");
  app.add_option("--include", settings.scan.selection.include, "Examine only files that match a pattern; repeatable")
      ->allow_extra_args(false);
  app.add_option("--exclude", settings.scan.selection.exclude, "Record what matches as excluded, unread; repeatable")
      ->allow_extra_args(false);
  app.add_option("--shard", settings.shard, "Share I of N of the entries, as I/N")->check([](const std::string& text) {
    return waybill::archive::shard_from(text) ? "" : "--shard takes I/N with I from 1 to N, e.g. 2/8";
  });
  waybill::cli::add_common(app, settings.common);
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
