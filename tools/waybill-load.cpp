// SPDX-License-Identifier: Apache-2.0
// waybill-load: sends the objects of a manifest to a DICOM node, each exactly once.
#include "load/run.hpp"
#include "transfer.hpp"

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::load::Options load;
  std::string to;
};

void add_options(CLI::App& app, Settings& settings) {
  waybill::cli::add_common(app, settings.common);
  waybill::tools::add_transfer_options(app, settings.load,
                                       "Manifest to load (scan.wb or transcode.wb); - is standard input",
                                       "Associations at the same time");
  app.add_option("--to", settings.to, "Target, dicom://CALLED@host:port")->required();
}

waybill::Exit run(Settings& settings) {
  settings.load.target = waybill::net::parse_url(settings.to);
  const auto add_lines = [](const waybill::load::Tally& tally, waybill::cli::Summary& summary) {
    if (tally.fixity == 0) return;
    summary.lines.emplace_back(
        "fixity",
        std::to_string(tally.fixity) + " files no longer have the bytes that were scanned; none of them was sent");
  };
  return waybill::tools::run_transfer("load", settings.load, settings.common, waybill::load::run, add_lines);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Send the objects of a manifest to a DICOM node, each exactly once", "waybill-load");
  Settings settings;
  add_options(app, settings);
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
