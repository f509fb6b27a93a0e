// SPDX-License-Identifier: Apache-2.0
// waybill-scan: takes stock of an archive, one record for everything that is met.
#include "audit/studies.hpp"
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "core/text.hpp"
#include "dicom/toolkit.hpp"
#include "manifest/fit.hpp"
#include "scan/run.hpp"
#include "shared.hpp"

#include <oneapi/tbb/global_control.h>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <string_view>

namespace {

struct Settings {
  waybill::cli::Common common;
  waybill::scan::Options scan;
  std::string output;
  std::string shard = "1/1";
  std::string recheck = "0";
  std::string media;
};

/// "5%" or "0.05".
double share_from(const std::string& text) {
  double number = -1;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const bool percent = parsed.ec == std::errc() && std::string_view(parsed.ptr, end) == "%";
  if (percent) number /= 100;
  if (parsed.ec != std::errc() || !(percent || parsed.ptr == end) || number < 0 || number > 1)
    throw waybill::RunError(waybill::Exit::usage, "--recheck takes a share such as 5% or 0.05, not " + text);
  return number;
}

/// A DICOMDIR stands for the medium it lies on: its folder is scanned, and everything there is compared with it.
void replace_directories(std::vector<std::string>& sources) {
  namespace fs = std::filesystem;
  for (std::string& source : sources) {
    const fs::path path(source);
    std::error_code error;
    const std::string name = path.filename().string();
    const bool named = std::ranges::equal(name, std::string_view("dicomdir"),
                                          [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
    if (!named || !fs::is_regular_file(path, error)) continue;
    source = path.has_parent_path() ? path.parent_path().string() : ".";
    std::cerr << "waybill scan: of " << waybill::path_to_text(path.string()) << " its folder is scanned\n";
  }
}

waybill::Exit exit_of(const waybill::scan::Tally& tally) {
  if (tally.interrupted) return waybill::Exit::interrupted;
  return tally.exceptions == 0 ? waybill::Exit::ok : waybill::Exit::exceptions;
}

waybill::cli::Summary summary_of(const waybill::scan::Tally& tally, const Settings& settings, bool already_complete) {
  const auto n = [](std::uint64_t v) { return std::to_string(v); };
  waybill::cli::Summary summary{
      "scan", settings.output,       already_complete, tally.interrupted, exit_of(tally), tally.json(),
      {},     !settings.common.quiet};
  for (const auto& [bucket, count] : tally.buckets) summary.lines.emplace_back(bucket, n(count));
  for (const auto& [state, count] : tally.since) summary.lines.emplace_back("since the older scan " + state, n(count));
  summary.lines.emplace_back("exceptions", n(tally.exceptions));
  summary.lines.emplace_back(
      "total", n(tally.entries) + " entries, " + n(tally.bytes) + " bytes, " + n(tally.studies) + " studies");
  return summary;
}

waybill::Exit run(const Settings& settings) {
  using namespace waybill;
  const dicom::Toolkit toolkit;
  scan::Options options = settings.scan;
  replace_directories(options.sources);
  options.threads = cli::worker_count(settings.common);
  options.selection.shard = archive::shard_from(settings.shard).value();  // checked with the options
  options.recheck = share_from(settings.recheck);
  if (settings.output != "-") options.index = settings.output + ".index";
  const oneapi::tbb::global_control control(oneapi::tbb::global_control::max_allowed_parallelism, options.threads);
  scan::Tally tally;
  bool already_complete = false;
  {
    const manifest::Header header = scan::header_of(options);
    manifest::keep_out_of_sources(header.options, settings.output);
    manifest::Writer writer(settings.output, header,
                            settings.common.restart ? manifest::Restart::yes : manifest::Restart::no);
    if (writer.already_complete()) {
      tally = scan::tally_of(settings.output);
      already_complete = true;
    } else {
      cli::Progress progress("scan", 0, settings.common.quiet);
      tally = scan::run(options, writer,
                        [&](auto objects, auto bytes, auto exceptions) { progress.add(objects, bytes, exceptions); });
    }
  }
  if (tally.entries == 0 && !tally.interrupted)
    std::cerr << "waybill scan: warning: nothing lies below the sources; is the archive mounted?\n";
  if (tally.interrupted) return cli::print(summary_of(tally, settings, already_complete), settings.common.json);
  if (settings.media.empty())
    audit::record_accessed(settings.output);
  else
    audit::record_imported(settings.output, settings.media);
  return cli::print(summary_of(tally, settings, already_complete), settings.common.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Take stock of an archive: one record, one bucket for everything that is met", "waybill-scan");
  Settings settings;
  app.add_option("source", settings.scan.sources, "Folders or files to scan")->required();
  app.add_option("-o,--output", settings.output, "Manifest to write; - is standard output")->required();
  app.add_flag("--deep", settings.scan.deep, "Decode every frame: digests of pixels and codestreams too");
  app.add_flag("--headers", settings.scan.headers, "Read only what stands before the pixel data: no digests")
      ->excludes("--deep");
  app.add_option("--since", settings.scan.since, "An older scan of the same command; read only what is new or changed");
  app.add_option("--recheck", settings.recheck, "Share of what looks unchanged that is read and compared, e.g. 5%")
      ->needs("--since");
  app.add_option("--seed", settings.scan.seed, "Seed of the draw for --recheck")->needs("--recheck");
  app.add_option("--include", settings.scan.selection.include, "Examine only files that match a pattern; repeatable")
      ->allow_extra_args(false);
  app.add_option("--exclude", settings.scan.selection.exclude, "Record what matches as excluded, unread; repeatable")
      ->allow_extra_args(false);
  app.add_option("--shard", settings.shard, "Share I of N of the entries, as I/N")->check([](const std::string& text) {
    return waybill::archive::shard_from(text) ? "" : "takes I/N with I from 1 to N, e.g. 2/8";
  });
  app.add_option("--audit-media", settings.media, "Medium the sources lie on, for the audit trail: an import")
      ->group("Audit trail");
  waybill::cli::add_common(app, settings.common);
  waybill::tools::Shared shared;
  shared.add_options(app);
  return waybill::cli::run_tool(app, argc, argv,
                                [&] { return shared.around("waybill-scan", [&] { return run(settings); }); });
}
