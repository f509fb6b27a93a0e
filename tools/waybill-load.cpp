// SPDX-License-Identifier: Apache-2.0
// waybill-load: sends the objects of a manifest to a DICOM node, each exactly once.
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "core/json.hpp"
#include "dicom/toolkit.hpp"
#include "load/run.hpp"

#include <iostream>

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::load::Options load;
  std::string to;
};

void add_options(CLI::App& app, Settings& settings) {
  waybill::cli::add_common(app, settings.common);
  app.add_option("manifest", settings.load.manifest, "Manifest to load (scan.wb or transcode.wb); - is standard input")
      ->required();
  app.add_option("--to", settings.to, "Target, dicom://CALLED@host:port")->required();
  app.add_option("-o,--output", settings.load.output, "Manifest to write")->required();
  app.add_option("--associations", settings.load.associations, "Associations at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--calling", settings.load.calling, "Our AE title")->capture_default_str();
}

void print_text(const waybill::load::Tally& tally, const std::filesystem::path& output) {
  if (tally.already_complete) std::cout << output.string() << " is complete already; nothing was sent\n";
  if (tally.interrupted) std::cout << "interrupted; run the same command again to continue\n";
  for (const auto& [bucket, count] : tally.buckets) std::cout << bucket << "\t" << count << "\n";
  std::cout << "total\t" << tally.output << " of " << tally.input << "\n";
  if (tally.fixity > 0)
    std::cout << "fixity\t" << tally.fixity
              << " files no longer have the bytes that were scanned; none of them was sent\n";
}

waybill::Exit run(Settings& settings) {
  settings.load.target = waybill::net::parse_url(settings.to);
  settings.load.restart = settings.common.restart;
  const waybill::dicom::Toolkit toolkit;
  waybill::load::Tally tally;
  {
    waybill::cli::Progress progress("load", 0, settings.common.quiet || settings.common.json);
    settings.load.progress = [&](auto objects, auto bytes, auto exceptions) {
      progress.add(objects, bytes, exceptions);
    };
    tally = waybill::load::run(settings.load);
  }
  if (settings.common.json) {
    waybill::JsonWriter json;
    json.begin_object()
        .member("stage", "load")
        .member("already_complete", tally.already_complete)
        .member("interrupted", tally.interrupted)
        .member("exit", static_cast<int>(tally.exit()))
        .key("counts")
        .raw(tally.counts_json())
        .end_object();
    std::cout << json.str() << "\n";
  } else {
    print_text(tally, settings.load.output);
  }
  return tally.exit();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Send the objects of a manifest to a DICOM node, each exactly once", "waybill-load");
  Settings settings;
  add_options(app, settings);
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
