// SPDX-License-Identifier: Apache-2.0
// waybill-verify: proves that a target has what was loaded, or that files still have the bytes that were scanned.
#include "transfer.hpp"
#include "verify/run.hpp"

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::verify::Options verify;
  waybill::net::TlsOptions tls;
  std::string against;
  std::string level = "exists";
};

void add_options(CLI::App& app, Settings& settings) {
  waybill::cli::add_common(app, settings.common);
  waybill::tools::add_transfer_options(app, settings.verify,
                                       "Manifest to verify (load.wb, or any earlier one); - is standard input");
  waybill::tools::add_associations(app, settings.verify, "Studies at the same time");
  waybill::tools::add_tls_options(app, settings.tls);
  app.add_option("--against", settings.against,
                 "Target, dicom://CALLED@host:port or dicoms://…; without it files are checked against their SHA-256");
  app.add_option("--level", settings.level,
                 "exists: compare UID sets (E3); content: fetch and compare every object (E4)")
      ->check(CLI::IsMember({"exists", "content"}))
      ->capture_default_str();
}

waybill::Exit run(Settings& settings) {
  if (!settings.against.empty()) {
    settings.verify.against = waybill::net::parse_url(settings.against);
    waybill::tools::secure(*settings.verify.against, settings.tls, "verify");
  }
  settings.verify.level =
      settings.level == "content" ? waybill::verify::Level::content : waybill::verify::Level::exists;
  const auto add_lines = [](const waybill::verify::Tally& tally, waybill::cli::Summary& summary) {
    for (const auto& [verdict, count] : tally.verdicts)
      summary.lines.emplace_back("verdict " + verdict, std::to_string(count));
    summary.lines.emplace_back("extra at the peer", std::to_string(tally.extra));
  };
  return waybill::tools::run_transfer("verify", settings.verify, settings.common, waybill::verify::run, add_lines);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Prove that a target has what was loaded, or that files still have their bytes", "waybill-verify");
  Settings settings;
  add_options(app, settings);
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
