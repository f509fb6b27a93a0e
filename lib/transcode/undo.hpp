// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/run.hpp"

namespace waybill::transcode {

/// Gives the dataset of a staged object back as it was before its changes (manifest::Undo), proved by DS1 of the
/// source, and stages it in the transfer syntax it has. An object without changes is copied. Any thread.
[[nodiscard]] manifest::Object undo(const Options& options, manifest::Object object);

}  // namespace waybill::transcode
