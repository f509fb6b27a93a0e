// SPDX-License-Identifier: Apache-2.0
// waybill-sync: cron's entry point, the whole chain on what is new since the last run.
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "core/json.hpp"
#include "shared.hpp"
#include "sync/run.hpp"

#include <iostream>

namespace {

using namespace waybill;

struct Settings {
  sync::Options sync;
  bool dry_run = false, json = false, quiet = false;
};

std::string json_of(const sync::Preview& preview) {
  JsonWriter w;
  w.begin_object().member("run", preview.number).member("continues_at", preview.unfinished);
  w.member("idle", preview.idle).member("files", preview.outlook.files).member("new", preview.outlook.fresh);
  w.member("new_bytes", preview.outlook.fresh_bytes).member("changed", preview.outlook.changed);
  w.member("changed_bytes", preview.outlook.changed_bytes).member("gone", preview.outlook.gone);
  w.member("retry", preview.retry).member("identity_changed", preview.identity_changed);
  if (preview.forecast.measured) w.member("seconds", preview.forecast.seconds);
  w.key("commands").begin_array();
  for (const std::string& command : preview.commands) w.value(command);
  return std::move(w.end_array().end_object()).str();
}

void print_forecast(const sync::Forecast& forecast) {
  if (!forecast.measured) {
    std::cout << "duration\tno earlier run was measured\n";
    return;
  }
  for (const auto& stage : forecast.stages) {
    std::cout << "duration of " << stage.stage << '\t' << sync::spoken_time(stage.seconds);
    if (stage.objects_per_second > 0) std::cout << ", at " << stage.objects_per_second << " objects/s";
    if (stage.bytes_per_second > 0) std::cout << ", " << sync::spoken_bytes(stage.bytes_per_second) << "/s";
    std::cout << ", measured over " << stage.runs << (stage.runs == 1 ? " run\n" : " runs\n");
  }
  std::cout << "duration\t" << sync::spoken_time(forecast.seconds) << '\n';
}

Exit print_preview(const Settings& settings) {
  const sync::Preview preview = sync::preview(settings.sync);
  if (settings.json) {
    std::cout << json_of(preview) << '\n';
    return Exit::ok;
  }
  if (!preview.unfinished.empty()) {
    std::cout << "run " << preview.number << " is open and would go on at " << preview.unfinished << '\n';
    return Exit::ok;
  }
  const sync::Outlook& outlook = preview.outlook;
  std::cout << "run\t" << preview.number << "\nfiles\t" << outlook.files << "\nnew\t" << outlook.fresh << ", "
            << sync::spoken_bytes(static_cast<double>(outlook.fresh_bytes)) << "\nchanged\t" << outlook.changed << ", "
            << sync::spoken_bytes(static_cast<double>(outlook.changed_bytes)) << "\ngone\t" << outlook.gone
            << "\nto be tried again\t" << preview.retry << "\nRIS, HL7 or decisions\t"
            << (preview.identity_changed ? "changed, or not known before it is asked" : "unchanged") << '\n';
  if (preview.idle) {
    std::cout << "there is nothing to do\n";
    return Exit::ok;
  }
  print_forecast(preview.forecast);
  for (const std::string& command : preview.commands) std::cout << command << '\n';
  return Exit::ok;
}

/// The figures that are not zero, in words; those about the archive always.
std::vector<std::pair<std::string, std::string>> lines_of(const sync::Outcome& outcome) {
  const sync::Counts& c = outcome.counts;
  std::vector<std::pair<std::string, std::string>> lines;
  const auto always = [&](const char* label, std::uint64_t value) { lines.emplace_back(label, std::to_string(value)); };
  const auto add = [&](const char* label, std::uint64_t value) {
    if (value > 0) always(label, value);
  };
  always("run", c.run);
  always("entries", c.entries);
  always("new", c.fresh);
  always("changed", c.changed);
  always("gone", c.gone);
  always("loaded", c.loaded);
  add("loaded from another place before", c.moved);
  add("in conflict with what the target has", c.conflicts);
  add("newer than the freeze, not sent", c.late);
  add("gone, the target has them", c.departed);
  add("gone before they were loaded", c.lost);
  add("loaded objects whose identity is another now", c.corrections);
  add("loaded studies a person must decide about", c.corrections_open);
  add("at the target, loaded by no run", c.extra);
  always("at the target", c.at_target);
  add("exceptions", c.exceptions);
  add("to be tried again", c.retry);
  lines.emplace_back("took", sync::spoken_time(static_cast<double>(c.milliseconds) / 1000));
  if (c.idle == 1) lines.emplace_back("nothing was new", "nothing was sent");
  lines.emplace_back("folder", outcome.folder.string());
  return lines;
}

Exit run(Settings& settings) {
  settings.sync.say = [quiet = settings.quiet](const std::string& text) {
    if (!quiet) std::cerr << "waybill sync: " + text + "\n" << std::flush;
  };
  if (settings.dry_run) return print_preview(settings);
  const sync::Outcome outcome = sync::run(settings.sync);
  return cli::print(
      {"sync", outcome.folder.string(), false, false, outcome.exit, outcome.counts.json(), lines_of(outcome)},
      settings.json);
}

/// Options that every tool has, for the stages: those that can stand in the environment as well.
std::vector<std::string> words_for_stages(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_envname().empty()) continue;
    for (const std::string& value : option->results()) words.push_back(option->get_name() + "=" + value);
  }
  return words;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Run the chain of a plan on what is new, changed or gone since the last run", "waybill-sync");
  Settings settings;
  app.add_option("plan", settings.sync.plan, "The plan (TOML)")->required();
  app.add_flag("--dry-run", settings.dry_run,
               "Say what would be done and how long it would take; send and write nothing");
  app.add_option("--cutover", settings.sync.cutover,
                 "The last run: leave out what is newer than this time (now, or UTC such as 2026-11-27T18:00:00Z), and "
                 "check at the end that nothing has changed meanwhile");
  app.add_flag("--retry-failed", settings.sync.retry_failed, "Take up what failed or was refused in earlier runs, too");
  app.add_flag("--accept-gone", settings.sync.accept_gone,
               "It is true that most of the archive is gone since the last run");
  app.add_flag("--accept-integrity", settings.sync.accept_integrity,
               "Go on although the last run stopped with exit code 5; a person has found the cause");
  app.add_flag("--json", settings.json, "Print the summary as one JSON object on stdout");
  app.add_flag("--quiet", settings.quiet, "Say nothing of the stages");
  tools::Shared shared;
  shared.add_options(app);
  return cli::run_tool(app, argc, argv, [&] {
    settings.sync.shared = words_for_stages(app);
    return shared.around("waybill-sync", [&] { return run(settings); });
  });
}
