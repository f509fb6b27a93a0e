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
  const auto seconds = [](std::chrono::milliseconds& into) {
    return [&into](double value) { into = std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000)); };
  };
  app.add_option("--retries", settings.load.retries, "Rounds for objects that were refused for the moment")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option_function<double>("--back-off", seconds(settings.load.waits.first),
                                  "Seconds before a target without room is tried again; doubles")
      ->check(CLI::Range(0.0, 3600.0))
      ->default_str("30");
  app.add_option_function<double>("--patience", seconds(settings.load.waits.patience),
                                  "Seconds to wait for a target without room before the run ends")
      ->check(CLI::Range(0.0, 8640000.0))
      ->default_str("3600");
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
