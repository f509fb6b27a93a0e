// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <CLI/CLI.hpp>
#include <functional>

namespace waybill::cli {

/// Parses, runs, maps errors to exit codes and checks stdout at the end; the whole main() of a tool.
/// A RunError prints "waybill NAME: <text>" on stderr and gives its exit code; with --json the same as an object.
[[nodiscard]] int run_tool(CLI::App& app, int argc, char** argv, const std::function<Exit()>& run);

/// Options every tool has.
struct Common {
  unsigned threads = 0;   ///< --threads, 0 = all cores
  bool json = false;      ///< --json: summary as one JSON object on stdout
  bool show_phi = false;  ///< --show-phi
  bool restart = false;   ///< --restart
  bool quiet = false;     ///< --quiet: no progress
};
void add_common(CLI::App& app, Common& common);

/// Worker threads for `common.threads`.
[[nodiscard]] unsigned worker_count(const Common& common);

}  // namespace waybill::cli
