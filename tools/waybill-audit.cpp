// SPDX-License-Identifier: Apache-2.0
// waybill-audit: delivers audit messages that wait, and finds gaps in what a collector kept.
#include "audit/gaps.hpp"
#include "core/json.hpp"
#include "shared.hpp"

#include <iostream>
#include <thread>

namespace {

using namespace waybill;

struct Settings {
  tools::Shared shared;
  std::vector<std::string> files;
  bool json = false;
};

Exit flush(Settings& settings) {
  if (!settings.shared.is_asked_for())
    throw RunError(Exit::usage, "name the collector with --audit syslog+tls://host:port or WAYBILL_AUDIT");
  const std::uint64_t waiting = settings.shared.open()->close();
  std::cout << (waiting == 0 ? "nothing waits any more\n" : std::to_string(waiting) + " messages wait\n");
  return waiting == 0 ? Exit::ok : Exit::peer;
}

Exit check(const Settings& settings) {
  const audit::GapReport report = audit::find_gaps(settings.files);
  if (report.messages == 0)
    throw RunError(Exit::input,
                   "there is no audit message in what was given, so nothing can be said about gaps; name the files in "
                   "which the collector keeps the messages as they came");
  for (const std::string& file : settings.files) audit::record(audit::log_used(file));
  if (settings.json) {
    JsonWriter w;
    w.begin_object().member("runs", report.runs).member("messages", report.messages);
    w.member("repeated", report.repeated).member("other_lines", report.other_lines).key("gaps").begin_array();
    for (const auto& gap : report.gaps) w.value(gap);
    w.end_array().key("open").begin_array();
    for (const auto& run : report.open) w.value(run);
    std::cout << std::move(w.end_array().end_object()).str() << '\n';
  } else {
    std::cout << "runs\t" << report.runs << "\nmessages\t" << report.messages << "\nrepeated\t" << report.repeated
              << "\nother lines\t" << report.other_lines << '\n';
    for (const auto& gap : report.gaps) std::cout << "gap\t" << gap << '\n';
    for (const auto& run : report.open) std::cout << "no stop\t" << run << '\n';
  }
  if (report.messages == 0)
    throw RunError(Exit::input, "none of the files holds an audit message; name those that the collector writes");
  if (!report.gaps.empty()) return Exit::integrity;
  return report.open.empty() ? Exit::ok : Exit::exceptions;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Deliver audit messages that wait, and find gaps in what a collector kept", "waybill-audit");
  Settings settings;
  settings.shared.add_options(app, tools::Manifests::none);
  app.require_subcommand(1);
  app.fallthrough();
  auto* flush_command = app.add_subcommand("flush", "Deliver what waits in the spool");
  auto* check_command = app.add_subcommand("check", "Find gaps and runs without an end in a collector's files");
  check_command->add_option("file", settings.files, "Files with one RFC 5424 message a line")->required();
  check_command->add_flag("--json", settings.json, "Print the result as one JSON object");
  return cli::run_tool(app, argc, argv, [&] {
    if (flush_command->parsed()) return flush(settings);
    (void)check_command;
    return settings.shared.around("waybill-audit", [&] { return check(settings); });
  });
}
