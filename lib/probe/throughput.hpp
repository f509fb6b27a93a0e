// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/run.hpp"

namespace waybill::probe {

/// Stores `objects` objects of half a megabyte over each of 1, 2, 4, … up to `at_once` connections, a study a
/// connection, and measures from the first to the last answer. What is left there is added to `left`. Ends early when a
/// stop is asked for; a number of connections that do not all stand ends it.
[[nodiscard]] std::vector<Rate> measure(const Options& options, const std::string& patient_id, Left& left);

}  // namespace waybill::probe
