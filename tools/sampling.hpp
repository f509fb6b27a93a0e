// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/run_tool.hpp"
#include "sample/plan.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// What the tools that draw a sample share: load, before it sends, and verify.
namespace waybill::tools {

struct SampleSettings {
  std::string demand;
  std::optional<std::uint64_t> seed;
};

inline void add_sample_options(CLI::App& app, SampleSettings& settings, const char* text) {
  app.add_option("--sample", settings.demand, text);
  app.add_option("--seed", settings.seed, "Number that draws the sample; another one draws another sample");
}

/// The sample that was asked for by demand and seed, if any.
inline std::optional<sample::Options> sample_of(const SampleSettings& settings) {
  if (settings.demand.empty()) {
    if (settings.seed) throw RunError(Exit::usage, "--seed draws a sample; add --sample \"95%,0.1%\" or leave it out");
    return std::nullopt;
  }
  if (!settings.seed)
    throw RunError(Exit::usage, "--sample needs --seed with a number, which goes into the manifest with the list");
  const auto demand = sample::parse_demand(settings.demand);
  if (!demand) throw RunError(Exit::usage, "--sample: " + demand.error().what);
  return sample::Options{*demand, *settings.seed};
}

}  // namespace waybill::tools
