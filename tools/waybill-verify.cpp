// SPDX-License-Identifier: Apache-2.0
// waybill-verify: proves that a target has what was loaded, or that files still have the bytes that were scanned.
#include "commit.hpp"
#include "sampling.hpp"
#include "shared.hpp"
#include "transfer.hpp"
#include "verify/run.hpp"

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::verify::Options verify;
  waybill::net::TlsOptions tls;
  waybill::tools::WebSettings web;
  waybill::tools::CommitSettings commit;
  std::string against;
  std::string level = "exists";
  waybill::tools::SampleSettings sample;
  waybill::tools::PaceSettings pace;
};

void add_options(CLI::App& app, Settings& settings) {
  waybill::cli::add_common(app, settings.common);
  waybill::tools::add_transfer_options(app, settings.verify,
                                       "Manifest to verify (load.wb, or any earlier one); - is standard input");
  waybill::tools::add_associations(app, settings.verify, "Studies at the same time");
  waybill::tools::add_pace_options(app, settings.pace, settings.verify, "fetch");
  waybill::tools::add_tls_options(app, settings.tls);
  waybill::tools::add_web_options(app, settings.web);
  app.add_option(
      "--against", settings.against,
      "Target, dicom://CALLED@host:port, dicoms://… or https://host/dicom-web; without it files are checked against "
      "their SHA-256");
  app.add_option(
         "--level", settings.level,
         "commitment: ask for storage commitment (E2); exists: compare UID sets (E3); content: fetch and compare "
         "every object (E4)")
      ->check(CLI::IsMember({"commitment", "exists", "content"}))
      ->capture_default_str();
  waybill::tools::add_sample_options(
      app, settings.sample,
      "At level content: compare a sample that proves a bound, "
      "\"confidence=95%,defect=0.1%,accept=0\" or \"95%,0.1%\", or the one that the load "
      "committed to: committed");
  app.add_option_function<std::string>(
         "--retrieve",
         [&settings](const std::string& how) {
           settings.verify.retrieve = how == "move" ? waybill::verify::Retrieve::move : waybill::verify::Retrieve::get;
         },
         "At level content: fetch by C-GET, or by C-MOVE to --listen")
      ->check(CLI::IsMember({"get", "move"}))
      ->default_str("get");
  waybill::tools::add_commit_options(app, settings.commit);
  waybill::tools::add_listen_option(app, settings.commit.listen);
}

/// The sample that was asked for, if any.
std::optional<waybill::verify::Sampling> sampling_of(const Settings& settings) {
  using waybill::Exit;
  using waybill::RunError;
  const auto& asked = settings.sample;
  const bool content = !settings.against.empty() && settings.level == "content";
  if (!asked.demand.empty() && !content)
    throw RunError(Exit::usage, "--sample compares objects at a target; add --against and --level content");
  if (asked.demand == "committed") {
    if (!asked.seed) return waybill::verify::Sampling{};
    throw RunError(Exit::usage, "--sample committed has its seed from the load; leave --seed out");
  }
  const auto drawn = waybill::tools::sample_of(asked);
  return drawn ? std::optional(waybill::verify::Sampling{drawn}) : std::nullopt;
}

waybill::verify::Level level_of(const std::string& name) {
  using waybill::verify::Level;
  if (name == "commitment") return Level::commitment;
  return name == "content" ? Level::content : Level::exists;
}

/// What the target is to call us for.
void set_called_back(Settings& settings) {
  using waybill::Exit;
  using waybill::RunError;
  namespace tools = waybill::tools;
  auto& verify = settings.verify;
  const std::string& listen = settings.commit.listen;
  const bool commits = verify.level == waybill::verify::Level::commitment;
  const bool moves = verify.retrieve == waybill::verify::Retrieve::move;
  if (commits && !verify.against) throw RunError(Exit::usage, "--level commitment asks a target; add --against");
  if (moves && (!verify.against || verify.level != waybill::verify::Level::content || listen.empty()))
    throw RunError(Exit::usage,
                   "--retrieve move fetches objects from a target; add --against, --level content and --listen");
  if (!commits && !moves && !listen.empty())
    throw RunError(Exit::usage, "--listen is for --level commitment and --retrieve move; leave it out");
  verify.say = [](const std::string& text) { tools::say("verify", text); };
  if (moves) tools::set_listener(verify, listen, tools::node_of(*verify.against, "--retrieve move"), settings.tls);
  if (!commits) return;
  tools::set_commitment(verify.commitment, settings.commit, verify,
                        tools::node_of(*verify.against, "--level commitment"), settings.tls, "verify");
  verify.finish_uncommitted = settings.commit.finish;
}

waybill::Exit run(Settings& settings) {
  if (!settings.against.empty())
    settings.verify.against = waybill::tools::address_of(settings.against, settings.tls, settings.web, "verify");
  settings.verify.level = level_of(settings.level);
  if (settings.against.empty() && settings.level == "content")
    throw waybill::RunError(waybill::Exit::usage,
                            "--level content compares with a target; add --against, or leave --level out");
  waybill::tools::set_pace(settings.verify, settings.pace);
  set_called_back(settings);
  settings.verify.sample = sampling_of(settings);
  const bool asked = settings.verify.against.has_value();
  const auto add_lines = [asked](const waybill::verify::Tally& tally, waybill::cli::Summary& summary) {
    for (const auto& [verdict, count] : tally.verdicts)
      summary.lines.emplace_back("verdict " + verdict, std::to_string(count));
    if (asked) {
      summary.lines.emplace_back("extra at the peer", std::to_string(tally.extra));
      summary.lines.emplace_back("there, not loaded", std::to_string(tally.not_loaded));
    }
    for (const auto& one : tally.named) summary.lines.emplace_back("note", one);
    if (tally.sample) summary.lines.emplace_back("sample", tally.sample->statement());
  };
  return waybill::tools::run_transfer("verify", settings.verify, settings.common, waybill::verify::run, add_lines);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Prove that a target has what was loaded, or that files still have their bytes", "waybill-verify");
  Settings settings;
  add_options(app, settings);
  waybill::tools::Shared shared;
  shared.add_options(app);
  return waybill::cli::run_tool(app, argc, argv,
                                [&] { return shared.around("waybill-verify", [&] { return run(settings); }); });
}
