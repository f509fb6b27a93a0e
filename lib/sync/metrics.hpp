// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/journal.hpp"
#include "sync/plan.hpp"

#include <string>

namespace waybill::sync {

/// What the metrics say of the state of a project after a call of sync.
struct Measured {
  Exit exit = Exit::ok;            ///< of this call
  const RunRecord* run = nullptr;  ///< the run it worked on
  Counts counts;                   ///< of the run as far as it came
  double success_at = 0;           ///< seconds since 1970 of the last call that ended with 0 or 1, 0 for none
  double now = 0;                  ///< seconds since 1970
};

/// The text exposition format of Prometheus, one file for the node exporter's textfile collector. Holds no patient
/// data.
[[nodiscard]] std::string metrics_text(const Plan& plan, const Measured& measured);

/// Replaces the plan's metrics file, readable by all (0644), whole or not at all; nothing without one.
void write_metrics(const Plan& plan, const Measured& measured);

/// The success time of the file as it is, 0 when there is none.
[[nodiscard]] double earlier_success(const Plan& plan);

}  // namespace waybill::sync
