// SPDX-License-Identifier: Apache-2.0
#include "assess/assess.hpp"
#include "cli/run_tool.hpp"
#include "core/text.hpp"
#include "dicom/toolkit.hpp"
#include "io/atomic_file.hpp"
#include "manifest/derive.hpp"
#include "manifest/mark.hpp"
#include "shared.hpp"

#include <csignal>
#include <ctime>
#include <filesystem>
#include <iostream>

namespace {

using namespace waybill;

/// As written on the command line.
struct Settings {
  std::vector<std::string> rates, counts;
  std::string window, zone, start, pilot, html;
  double round_trip = 0;
  bool json = false, restart = false;
};

void add_options(CLI::App& app, assess::Options& options, Settings& settings) {
  app.add_option(
         "manifests", options.manifests,
         "scan.wb, and where there are any reconcile.wb, transcode.wb, load.wb and sync.wb; - is standard input")
      ->required();
  app.add_option("--rate", settings.rates,
                 "How fast a stage is, e.g. 200obj/s,50MB/s for load or verify=80MB/s; repeatable")
      ->allow_extra_args(false);
  app.add_option("--window", settings.window,
                 "When load and verify may work, e.g. \"Mon-Fri 19:00-06:30 80MB/s, Sat-Sun 00:00-24:00\"");
  app.add_option("--time-zone", settings.zone, "Zone of the window's hours, e.g. Europe/Berlin; default the system's");
  app.add_option("--start", settings.start, "When the first stage begins, e.g. \"2027-01-04 19:00\"; default now");
  app.add_option("--round-trip", settings.round_trip, "Milliseconds that the peer takes to answer for an object")
      ->check(CLI::Range(0.001, 3'600'000.0));
  app.add_option("--associations", options.associations, "Associations that share the round trips")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--count", settings.counts,
                 "What somebody else counted, e.g. \"database: studies=120000, objects=9100000\"; repeatable")
      ->allow_extra_args(false);
  app.add_option("--minutes-per-study", options.minutes_a_study, "Minutes that a person takes to decide about a study")
      ->check(CLI::Range(0.01, 1440.0))
      ->capture_default_str();
  app.add_option("--pilot", settings.pilot, "Write the studies of a pilot to this manifest, a filtered scan");
  app.add_option("--pilot-studies", options.pilot_studies, "Studies that the pilot has, if its features need no more")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{100'000}))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "What the pilot's chance is drawn from")->capture_default_str();
  app.add_option("--html", settings.html, "Write the assessment as a page for people to this file");
  app.add_flag("--json", settings.json, "Print the assessment as one JSON object on stdout");
  app.add_flag("--restart", settings.restart, "Replace an existing pilot");
}

void take(assess::Options& options, const Settings& settings) {
  if (!settings.zone.empty()) transfer::set_time_zone(settings.zone);
  for (const auto& text : settings.rates) {
    const auto [stage, limit] = assess::parse_rate(text);
    if (!options.rates.emplace(stage, limit).second)
      throw RunError(Exit::usage, "--rate is given twice for " + stage + "; name both bounds in one");
  }
  for (const auto& text : settings.counts) options.counts.push_back(assess::parse_count(text));
  if (!settings.window.empty()) options.window = transfer::Schedule::parse(settings.window);
  options.round_trip_seconds = settings.round_trip / 1000;
  options.start =
      static_cast<double>(settings.start.empty() ? std::time(nullptr) : assess::parse_start(settings.start));
  options.wants_pilot = !settings.pilot.empty();
}

/// An output must replace neither an input nor, unless asked to, an existing pilot; said before any work.
void check_outputs(const assess::Options& options, const Settings& settings) {
  std::error_code error;
  for (const std::string& output : {settings.html, settings.pilot}) {
    if (output.empty()) continue;
    if (output == "-") throw RunError(Exit::usage, "standard output is for the assessment; name a file");
    for (const auto& input : options.manifests)
      if (std::filesystem::equivalent(output, input, error))
        throw RunError(Exit::usage, path_to_text(output) + " is one of the manifests; name another output");
  }
  if (!settings.pilot.empty() && settings.pilot == settings.html)
    throw RunError(Exit::usage,
                   path_to_text(settings.pilot) + " is named for the pilot and for the page; name two files");
  if (!settings.pilot.empty() && !settings.restart && std::filesystem::exists(settings.pilot, error) &&
      !manifest::read_mark(settings.pilot))
    throw RunError(Exit::usage,
                   path_to_text(settings.pilot) + " exists already; name another output, or replace it with --restart");
}

/// The scan's records of the pilot's studies.
void write_pilot(const assess::Assessment& result, const Settings& settings) {
  if (!result.pilot) return;
  if (result.pilot->studies.empty()) {
    std::cerr << "waybill assess: there are no studies, so there is no pilot\n";
    return;
  }
  manifest::Selection selection;
  for (const auto& study : result.pilot->studies) selection.studies.push_back(study.study);
  const auto made = manifest::filter(result.manifests.front().path, settings.pilot, selection,
                                     settings.restart ? manifest::Restart::yes : manifest::Restart::no);
  std::cerr << "wrote " << made.objects << " objects of " << selection.studies.size() << " studies to "
            << path_to_text(settings.pilot) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a write error with a message
  CLI::App app("Say what an archive holds, how long moving it takes and what people must decide", "waybill-assess");
  assess::Options options;
  Settings settings;
  add_options(app, options, settings);
  tools::Shared shared;
  shared.add_options(app);
  const auto run = [&] {
    const dicom::Toolkit toolkit;
    take(options, settings);
    check_outputs(options, settings);
    const assess::Assessment result = assess::assess(options);
    write_pilot(result, settings);
    if (!settings.html.empty()) {
      io::AtomicFile page(settings.html);
      page.write(as_bytes(assess::to_html(result)));
      page.commit();
    }
    std::cout << (settings.json ? assess::to_json(result) + "\n" : assess::to_text(result));
    return result.exit;
  };
  return cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-assess", run); });
}
