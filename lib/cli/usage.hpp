// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace waybill::cli {

/// "waybill scan" for the program waybill-scan.
[[nodiscard]] std::string spoken_name(const CLI::App& app);

/// What is wrong with a command line that did not parse, and where its help is, in one sentence: what nobody knows is
/// named before what is missing, since a misspelt option is both.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace waybill::cli
