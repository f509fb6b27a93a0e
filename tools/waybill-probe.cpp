// SPDX-License-Identifier: Apache-2.0
// waybill-probe: finds out what a PACS takes, gives and does before weeks of load depend on it.
#include "commit.hpp"
#include "io/atomic_file.hpp"
#include "probe/run.hpp"
#include "shared.hpp"
#include "transfer.hpp"

#include <optional>

namespace {

using namespace waybill;

struct Settings {
  probe::Options probe;
  net::TlsOptions tls;
  tools::WebSettings web;
  std::string peer, listen;
  std::filesystem::path output;
  bool json = false, quiet = false;
};

void add_options(CLI::App& app, Settings& settings) {
  probe::Options& options = settings.probe;
  app.add_option("peer", settings.peer, "dicom://CALLED@host:port, dicoms:// with TLS, or https://host/dicom-web")
      ->required();
  app.add_option("-o,--output", settings.output, "File to write the profile to (JSON); - is standard output");
  app.add_flag("--json", settings.json, "Print the profile as one JSON object instead of the table");
  app.add_flag("--quiet", settings.quiet, "Show no hints");
  app.add_option(
      "--for", options.manifest,
      "Manifest (scan.wb, transcode.wb), - is standard input: ask only for what its objects need, and say what "
      "becomes of them");
  app.add_option("--list", options.most_listed, "Most studies to list; 0 asks nothing about what the peer holds")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  app.add_option("--associations", options.at_once, "Most connections at the same time")
      ->check(CLI::Range(1, tools::kMostAssociations))
      ->capture_default_str();
  app.add_option("--calling", options.calling, "Our AE title")->capture_default_str();
  tools::add_timeout_option(app, options.timeouts);
  const char* group = "Storing test objects, which STAY AT THE PEER until somebody deletes them there";
  app.add_flag("--write", options.write,
               "Store objects of a made-up patient: how duplicates are treated, and how fast it is. The profile lists "
               "their UIDs")
      ->group(group);
  app.add_option("--objects", options.objects,
                 "Objects of half a megabyte for each number of connections to measure; 0 measures nothing")
      ->check(CLI::Range(0, 400))
      ->capture_default_str()
      ->group(group);
  app.add_option("--listen", settings.listen,
                 "Read back by C-MOVE to here, [ADDRESS:]PORT, instead of by C-GET; by TLS alone for a dicoms:// peer")
      ->group(group);
  tools::add_tls_options(app, settings.tls);
  tools::add_web_options(app, settings.web);
}

Exit run(Settings& settings) {
  probe::Options& options = settings.probe;
  options.peer = tools::address_of(settings.peer, settings.tls, settings.web, "probe");
  if (!settings.listen.empty()) {
    if (!options.write) throw RunError(Exit::usage, "--listen is where stored objects come back to; add --write");
    tools::set_listener(options, settings.listen, tools::node_of(options.peer, "--listen"), settings.tls);
  }
  if (!settings.quiet) options.say = [](const std::string& text) { tools::say("probe", text); };
  std::optional<io::AtomicFile> file;  // opened first: with --write it is what lists the objects left at the peer
  if (!settings.output.empty() && settings.output != "-") file.emplace(settings.output);
  const dicom::Toolkit toolkit;
  const probe::Profile profile = probe::run(options);
  const std::string json = probe::to_json(profile) + "\n";
  const bool to_stdout = settings.json || settings.output == "-";
  if (file) {
    file->write(as_bytes(json));
    file->commit();
  }
  std::cout << (to_stdout ? json : probe::to_table(profile));
  return profile.exit();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Find out what a PACS takes, gives and does, before anything is loaded", "waybill-probe");
  Settings settings;
  add_options(app, settings);
  waybill::tools::Shared shared;
  shared.add_options(app, waybill::tools::Manifests::read);
  return waybill::cli::run_tool(app, argc, argv,
                                [&] { return shared.around("waybill-probe", [&] { return run(settings); }); });
}
