// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/run_tool.hpp"

#include <functional>
#include <string>
#include <vector>

/// The commands of waybill-manifest that stand in files of their own.
namespace waybill::tools {

/// A subcommand and what it does once it was parsed.
struct Command {
  CLI::App* app;
  std::function<Exit()> run;
};

/// Adds the command that compares two manifests.
[[nodiscard]] Command add_diff_command(CLI::App& app);

/// Adds the commands that make one manifest of several, and several of one: merge, split.
[[nodiscard]] std::vector<Command> add_merge_commands(CLI::App& app);

/// Whether a merge or a part of a split holds exactly the records of what it was made from; what it does not, in words.
[[nodiscard]] std::string against(const std::string& manifest, const std::vector<std::string>& inputs);

/// Adds the commands that make something else of a manifest: sort, filter, export.
[[nodiscard]] std::vector<Command> add_derive_commands(CLI::App& app);

}  // namespace waybill::tools
