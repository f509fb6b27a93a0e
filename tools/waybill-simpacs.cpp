// SPDX-License-Identifier: Apache-2.0
// waybill-simpacs: a PACS for rehearsals that behaves as well or as badly as a scenario says.
#include "cli/run_tool.hpp"
#include "core/json.hpp"
#include "dicom/toolkit.hpp"
#include "io/atomic_file.hpp"
#include "simpacs/server.hpp"

#include <iostream>

namespace {

struct Settings {
  waybill::simpacs::Options node;
  std::filesystem::path port_file;
  bool discard = false;
  bool json = false;
};

void announce(const Settings& settings, std::uint16_t port) {
  const std::string number = std::to_string(port);
  if (settings.json) {
    waybill::JsonWriter line;
    line.begin_object().member("host", settings.node.bind).member("port", port).end_object();
    std::cout << line.str() << std::endl;
  } else {
    std::cout << "listening on " << settings.node.bind << " port " << number << std::endl;
  }
  if (settings.port_file.empty()) return;
  waybill::io::AtomicFile file(settings.port_file);
  file.write(waybill::as_bytes(number + "\n"));
  file.commit();
}

waybill::Exit run(const Settings& settings) {
  const waybill::dicom::Toolkit toolkit;
  const auto totals = waybill::simpacs::serve(settings.node, [&](std::uint16_t port) { announce(settings, port); });
  if (settings.json) {
    waybill::JsonWriter line;
    line.begin_object().member("associations", totals.associations).member("objects", totals.objects);
    line.member("instances", totals.instances).member("bytes", totals.bytes).member("held", totals.held).end_object();
    std::cout << line.str() << '\n';
  } else {
    std::cout << totals.associations << " associations, " << totals.objects << " objects of " << totals.instances
              << " instances, " << totals.bytes << " bytes; " << totals.held << " held\n";
  }
  return waybill::Exit::ok;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A PACS for rehearsals that behaves as well or as badly as a scenario says", "waybill-simpacs");
  Settings settings;
  auto* how = app.add_option_group("objects", "what becomes of what is received");
  how->add_option("--store", settings.node.store, "Folder to keep objects in, for the next start too");
  how->add_flag("--discard", settings.discard, "Count objects and drop them, as fast as they come");
  how->require_option(1);
  app.add_option("--scenario", settings.node.scenario,
                 "TOML file that says how to misbehave; without it all goes well");
  app.add_option("--port", settings.node.port, "Port to listen on; 0 takes a free one and prints it")
      ->capture_default_str();
  app.add_option("--bind", settings.node.bind, "IPv4 address to listen on; nobody is asked who they are")
      ->capture_default_str();
  app.add_option("--tls-cert", settings.node.tls.certificate, "Speak TLS alone, with this certificate and chain, PEM")
      ->check(CLI::ExistingFile);
  auto* key = app.add_option("--tls-key", settings.node.tls.key, "Its key, PEM, readable by its owner alone");
  key->check(CLI::ExistingFile);
  app.add_option("--tls-ca", settings.node.tls.authorities,
                 "Authorities, PEM: callers must show a certificate of theirs")
      ->check(CLI::ExistingPath)
      ->needs(key);
  app.add_option("--port-file", settings.port_file, "File to write the port to when connections are taken");
  app.add_option("--log", settings.node.log,
                 "JSON Lines of every message; log.jsonl in the store without this, none with --discard");
  app.add_flag("--json", settings.json, "Print port and totals as JSON objects");
  return waybill::cli::run_tool(app, argc, argv, [&] { return run(settings); });
}
