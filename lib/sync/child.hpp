// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace waybill::sync {

/// Forwards SIGUSR1 and SIGUSR2 (pause, resume) to the stage that runs. Called once, before the first one.
void install_forwarding();

/// Runs a program to its end, with stdout appended to `log` (0600) and stderr as it is. A stop request
/// (core/stop.hpp) reaches it as SIGTERM; when this process dies it gets SIGTERM as well. Gives its exit code, also one
/// that is none of ours as Exit::internal. Throws RunError: Exit::input when it cannot be started, Exit::internal when
/// a signal ended it. One at a time.
[[nodiscard]] Exit run_program(const std::filesystem::path& program, const std::vector<std::string>& words,
                               const std::filesystem::path& log);

/// The program waybill-NAME that lies beside the running one.
[[nodiscard]] std::filesystem::path program_beside(const std::string& name);

}  // namespace waybill::sync
