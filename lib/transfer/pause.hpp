// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waybill::transfer {

/// Gives both signals this handler. Called once, before the first thread.
void handle_pause_signals(void (*handler)(int));

/// Makes SIGUSR1 pause and SIGUSR2 resume. (SIGTSTP and SIGCONT belong to shells, and would stop a process in the
/// middle of a message.) Called once, before the first thread.
void install_pause_handlers();

/// Whether work is to pause: what is in flight is finished, nothing new begins. Any thread.
[[nodiscard]] bool pause_requested() noexcept;

}  // namespace waybill::transfer
