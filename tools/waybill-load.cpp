// SPDX-License-Identifier: Apache-2.0
// waybill-load: sends the objects of a manifest to a DICOM node or a DICOMweb service, each exactly once.
#include "commit.hpp"
#include "load/run.hpp"
#include "load_preview.hpp"
#include "sampling.hpp"
#include "shared.hpp"
#include "transcode/convert.hpp"
#include "transfer.hpp"

namespace {

using namespace waybill;

struct Settings {
  cli::Common common;
  load::Options load;
  net::TlsOptions tls;
  tools::WebSettings web;
  tools::CommitSettings commit;
  tools::SampleSettings sample;
  std::string to, associations = "4", limit, window, zone, retry;
  bool dry_run = false;
};

constexpr const char* kAuto = "auto";

void add_flow_options(CLI::App& app, Settings& settings) {
  app.add_option("--associations", settings.associations,
                 "Associations at the same time, 1 to 64, or auto: as many as the peer works best with")
      ->check(CLI::Range(1, tools::kMostAssociations) | CLI::IsMember({kAuto}))
      ->capture_default_str();
  app.add_flag("--release-each-study", settings.load.release_each_study, "End the association behind each study");
  app.add_option("--limit", settings.limit, "Most to send, e.g. 80MB/s,300obj/s");
  app.add_option("--window", settings.window, "When to send, e.g. \"Mon-Fri 19:00-06:30 80MB/s, Sat-Sun 00:00-24:00\"");
  app.add_option("--time-zone", settings.zone, "Zone of the window's hours, e.g. Europe/Berlin; default the system's");
  app.add_option_function<std::string>(
         "--when-closed",
         [&settings](const std::string& what) {
           settings.load.when_closed = what == "wait" ? load::WhenClosed::wait : load::WhenClosed::end;
         },
         "Outside the window: end with exit code 6, or wait")
      ->check(CLI::IsMember({"end", "wait"}))
      ->default_str("end");
}

void add_patience_options(CLI::App& app, load::Options& options) {
  app.add_option("--retries", options.retries, "Rounds for objects that were refused for the moment")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option_function<double>("--back-off", tools::seconds(options.waits.first),
                                  "Seconds before a target without room is tried again; doubles")
      ->check(CLI::Range(0.0, 3600.0))
      ->default_str("30");
  app.add_option_function<double>("--patience", tools::seconds(options.waits.patience),
                                  "Seconds to wait for a target without room before the run ends")
      ->check(CLI::Range(0.0, 8640000.0))
      ->default_str("3600");
}

void add_order_options(CLI::App& app, Settings& settings) {
  const std::map<std::string, load::Order> orders{
      {"manifest", load::Order::manifest}, {"newest", load::Order::newest}, {"oldest", load::Order::oldest}};
  app.add_option_function<std::string>(
         "--order", [&settings, orders](const std::string& name) { settings.load.order = orders.at(name); },
         "Studies as in the manifest, newest or oldest first")
      ->check(CLI::IsMember({"manifest", "newest", "oldest"}))
      ->default_str("manifest");
  app.add_option("--priority", settings.load.priority, "CSV with study_uid, accession or patient_id: these go first")
      ->check(CLI::ExistingFile);
  app.add_option("--priors-for", settings.load.priors_for,
                 "HL7 appointments and orders, files or folders: their patients' studies go first");
}

void add_options(CLI::App& app, Settings& settings) {
  cli::add_common(app, settings.common);
  tools::add_transfer_options(app, settings.load,
                              "Manifest to load (scan.wb, transcode.wb or an earlier load.wb); - is standard input");
  app.get_option("--output")->required(false);
  app.add_option("--to", settings.to, "Target, dicom://CALLED@host:port, dicoms:// with TLS, or https://host/dicom-web")
      ->required();
  app.add_flag("--dry-run", settings.dry_run,
               "Say what would be sent and what the peer grants; send and write nothing");
  app.add_option(
         "--retry", settings.retry,
         "failed: send what an earlier load could not, or what its verification does not find (the manifest given)")
      ->check(CLI::IsMember({"failed"}));
  app.add_option("--edits", settings.load.edits, "Manifest of reconcile whose edits are applied while sending")
      ->check(CLI::ExistingFile);
  app.add_flag("--send-unmatched", settings.load.send_unmatched,
               "With --edits: send studies without a decision as they are instead of holding them back");
  app.add_option("--syntax", settings.load.to_syntax, "Send what is lossless in this transfer syntax")
      ->check(CLI::IsMember(transcode::target_names()))
      ->capture_default_str();
  app.add_flag("!--no-ladder", settings.load.ladder,
               "Do not write an object in another lossless syntax when the peer refuses its own");
  add_flow_options(app, settings);
  add_patience_options(app, settings.load);
  add_order_options(app, settings);
  app.add_flag("--commit", settings.load.commit, "Ask for storage commitment of what was sent, and wait for it");
  app.add_flag("--await-commit", settings.load.await_commit,
               "Send nothing more, only wait for the storage commitment that an earlier run asked for");
  tools::add_commit_options(app, settings.commit);
  tools::add_sample_options(app, settings.sample,
                            "Draw the sample that verify will compare (--sample committed) and have it on disk before "
                            "anything is sent, \"confidence=95%,defect=0.1%\" or \"95%,0.1%\"");
  tools::add_listen_option(app, settings.commit.listen);
  tools::add_tls_options(app, settings.tls);
  tools::add_web_options(app, settings.web);
  app.add_option("--batch", settings.load.batch_bytes, "Most to send in one STOW-RS request, e.g. 64MB")
      ->group("DICOMweb (for https://)")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{2'000'000'000}))
      ->default_str("32MB");
}

Exit run(Settings& settings) {
  load::Options& options = settings.load;
  options.target = tools::address_of(settings.to, settings.tls, settings.web, "load");
  options.find_associations = settings.associations == kAuto;
  options.associations = options.find_associations ? 32 : static_cast<unsigned>(std::stoul(settings.associations));
  options.retry_failed = settings.retry == "failed";
  if (!settings.limit.empty()) options.limit = transfer::parse_limit(settings.limit);
  if (!settings.zone.empty()) transfer::set_time_zone(settings.zone);
  if (!settings.window.empty()) options.window = transfer::Schedule::parse(settings.window);
  options.say = [](const std::string& text) { tools::say("load", text); };
  options.sample = tools::sample_of(settings.sample);
  options.commit = options.commit || options.await_commit;
  options.finish_uncommitted = settings.commit.finish;
  if (options.commit) {
    tools::set_commitment(options.commitment, settings.commit, options, tools::node_of(options.target, "--commit"),
                          settings.tls, "load");
  } else if (!settings.commit.listen.empty()) {
    throw RunError(Exit::usage, "--listen is for the reports of storage commitment; add --commit or leave it out");
  }
  if (settings.dry_run) return tools::print_preview(options, settings.common.json);
  if (options.output.empty()) throw RunError(Exit::usage, "name the manifest to write with --output");
  const auto add_lines = [](const load::Tally& tally, cli::Summary& summary) {
    summary.lines.emplace_back("run", tally.run);
    if (tally.commitment) {
      summary.lines.emplace_back("committed", std::to_string(tally.commitment->committed));
      summary.lines.emplace_back("not committed", std::to_string(tally.commitment->failed));
      summary.lines.emplace_back("commitment open", std::to_string(tally.commitment->open));
    }
    if (tally.fixity == 0) return;
    summary.lines.emplace_back(
        "fixity",
        std::to_string(tally.fixity) + " files no longer have the bytes that were scanned; none of them was sent");
  };
  return tools::run_transfer("load", options, settings.common, load::run, add_lines);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Send the objects of a manifest to a DICOM node or a DICOMweb service, each exactly once",
               "waybill-load");
  Settings settings;
  add_options(app, settings);
  waybill::tools::Shared shared;
  shared.add_options(app);
  return waybill::cli::run_tool(app, argc, argv,
                                [&] { return shared.around("waybill-load", [&] { return run(settings); }); });
}
