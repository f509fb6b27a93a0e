// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill {

/// Makes SIGINT and SIGTERM ask for a clean stop instead of ending the process. Called once, by run_tool.
void install_stop_handlers();

/// Whether a stop was asked for. Stages check it before they take new work, finish what is in flight,
/// commit and return; the tool then exits with Exit::interrupted. Any thread.
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace waybill
