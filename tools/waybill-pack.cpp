// SPDX-License-Identifier: Apache-2.0
// waybill-pack: copies the originals that a manifest names into backup volumes, each content once.
#include "audit/studies.hpp"
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "pack/run.hpp"
#include "shared.hpp"

#include <oneapi/tbb/global_control.h>
#include <iostream>

namespace {

using namespace waybill;

Exit exit_of(const pack::Tally& tally) {
  if (tally.interrupted) return Exit::interrupted;
  if (tally.integrity) return Exit::integrity;
  return tally.exceptions == 0 ? Exit::ok : Exit::exceptions;
}

Exit run(pack::Options options, const cli::Common& common) {
  using Control = oneapi::tbb::global_control;
  options.threads = cli::worker_count(common);
  options.restart = common.restart;
  const Control control(Control::max_allowed_parallelism, options.threads);
  const pack::Tally tally = [&] {
    cli::Progress progress("pack", 0, common.quiet);
    options.progress = [&](auto objects, auto bytes, auto exceptions) { progress.add(objects, bytes, exceptions); };
    return pack::run(options);
  }();
  const auto n = [](std::uint64_t v) { return std::to_string(v); };
  cli::Summary summary{"pack",
                       (options.out / pack::kManifest).string(),
                       tally.already_complete,
                       tally.interrupted,
                       exit_of(tally),
                       tally.json(),
                       {},
                       !common.quiet};
  for (const auto& [bucket, count] : tally.buckets) summary.lines.emplace_back(bucket, n(count));
  summary.lines.emplace_back("in the backup", n(tally.placed) + " of " + n(tally.objects) + " objects");
  if (!tally.already_complete)
    summary.lines.emplace_back("contents", n(tally.contents) + ", " + n(tally.bytes_packed) + " bytes packed");
  summary.lines.emplace_back("volumes", n(tally.volumes));
  if (!tally.interrupted && !tally.already_complete)
    audit::record_exported((options.out / pack::kManifest).string(), options.out.string());
  return cli::print(summary, common.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Copy the originals that a manifest names into backup volumes, each content once", "waybill-pack");
  cli::Common common;
  pack::Options options;
  std::string input, out;
  app.add_option("manifest", input, "Manifest of scan; - is standard input")->required();
  app.add_option("-o,--output", out, "Folder for volumes and manifest")->required();
  app.add_option("--volume-size", options.volume_size, "Most bytes of a volume, e.g. 25GB or 700MiB")
      ->transform(CLI::AsSizeValue(true))
      ->transform(CLI::Validator(  // the last one counts first
          [](std::string& text) { return std::string(text.starts_with('-') ? "takes a size such as 25GB" : ""); }, ""))
      ->check([](const std::string& text) {
        return text.size() < 20 && std::stoull(text) >= pack::kSmallestVolume ? std::string() : "takes 1MiB or more";
      })
      ->default_str("4GiB");
  app.add_option("--level", options.level, "Of zstd: 1 is fast, 19 small")
      ->check(CLI::Range(1, 19))
      ->capture_default_str();
  cli::add_common(app, common);
  tools::Shared shared;
  shared.add_options(app);
  return cli::run_tool(app, argc, argv, [&] {
    options.input = input;
    options.out = out;
    return shared.around("waybill-pack", [&] { return run(options, common); });
  });
}
