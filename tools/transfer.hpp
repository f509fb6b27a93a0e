// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "dicom/toolkit.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

/// What the tools between a manifest and a peer share.
namespace waybill::tools {

inline void add_transfer_options(CLI::App& app, transfer::Options& options, const char* manifest,
                                 const char* associations) {
  app.add_option("manifest", options.manifest, manifest)->required();
  app.add_option("-o,--output", options.output, "Manifest to write")->required();
  app.add_option("--associations", options.associations, associations)->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--calling", options.calling, "Our AE title")->capture_default_str();
}

/// Runs a stage with progress and prints its summary, to which `add_lines` adds the stage's own lines.
template <typename Options, typename Run, typename AddLines>
Exit run_transfer(const char* stage, Options& options, const cli::Common& common, const Run& run,
                  const AddLines& add_lines) {
  options.restart = common.restart;
  const dicom::Toolkit toolkit;
  auto tally = [&] {
    cli::Progress progress(stage, 0, common.quiet || common.json);
    options.progress = [&](auto objects, auto bytes, auto exceptions) { progress.add(objects, bytes, exceptions); };
    return run(options);
  }();
  cli::Summary summary{
      stage, options.output.string(), tally.already_complete, tally.interrupted, tally.exit(), tally.counts_json(), {}};
  for (const auto& [bucket, count] : tally.buckets) summary.lines.emplace_back(bucket, std::to_string(count));
  add_lines(tally, summary);
  summary.lines.emplace_back("total", std::to_string(tally.output) + " of " + std::to_string(tally.input));
  return cli::print(summary, common.json);
}

}  // namespace waybill::tools
