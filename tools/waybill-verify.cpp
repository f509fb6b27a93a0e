// SPDX-License-Identifier: Apache-2.0
// waybill-verify: proves that a target has what was loaded, or that files still have the bytes that were scanned.
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "core/json.hpp"
#include "dicom/toolkit.hpp"
#include "verify/run.hpp"

#include <iostream>

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::verify::Options verify;
  std::string against;
  std::string level = "exists";
};

void add_options(CLI::App& app, Settings& settings) {
  waybill::cli::add_common(app, settings.common);
  app.add_option("manifest", settings.verify.manifest,
                 "Manifest to verify (load.wb, or any earlier one); - is standard input")
      ->required();
  app.add_option("--against", settings.against,
                 "Target, dicom://CALLED@host:port; without it files are checked against their SHA-256");
  app.add_option("-o,--output", settings.verify.output, "Manifest to write")->required();
  app.add_option("--level", settings.level,
                 "exists: compare UID sets (E3); content: fetch and compare every object (E4)")
      ->check(CLI::IsMember({"exists", "content"}))
      ->capture_default_str();
  app.add_option("--associations", settings.verify.associations, "Studies at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--calling", settings.verify.calling, "Our AE title")->capture_default_str();
}

void print_text(const waybill::verify::Tally& tally, const std::filesystem::path& output) {
  if (tally.already_complete) std::cout << output.string() << " is complete already; nothing was asked\n";
  if (tally.interrupted) std::cout << "interrupted; run the same command again to continue\n";
  for (const auto& [bucket, count] : tally.buckets) std::cout << bucket << "\t" << count << "\n";
  for (const auto& [verdict, count] : tally.verdicts) std::cout << "verdict " << verdict << "\t" << count << "\n";
  std::cout << "extra at the peer\t" << tally.extra << "\ntotal\t" << tally.output << " of " << tally.input << "\n";
}

waybill::Exit run(Settings& settings) {
  if (!settings.against.empty()) settings.verify.against = waybill::net::parse_url(settings.against);
  settings.verify.level =
      settings.level == "content" ? waybill::verify::Level::content : waybill::verify::Level::exists;
  settings.verify.restart = settings.common.restart;
  const waybill::dicom::Toolkit toolkit;
  waybill::verify::Tally tally;
  {
    waybill::cli::Progress progress("verify", 0, settings.common.quiet || settings.common.json);
    settings.verify.progress = [&](auto objects, auto bytes, auto exceptions) {
      progress.add(objects, bytes, exceptions);
    };
    tally = waybill::verify::run(settings.verify);
  }
  if (settings.common.json) {
    waybill::JsonWriter json;
    json.begin_object()
        .member("stage", "verify")
        .member("already_complete", tally.already_complete)
        .member("interrupted", tally.interrupted)
        .member("exit", static_cast<int>(tally.exit()))
        .key("counts")
        .raw(tally.counts_json())
        .end_object();
    std::cout << json.str() << "\n";
  } else {
    print_text(tally, settings.verify.output);
  }
  return tally.exit();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Prove that a target has what was loaded, or that files still have their bytes", "waybill-verify");
  Settings settings;
  add_options(app, settings);
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
