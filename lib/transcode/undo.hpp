// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/convert.hpp"
#include "transcode/run.hpp"

namespace waybill::transcode {

/// Gives the dataset of a staged object back as it was before its changes (manifest::Undo), proved by DS1 of the
/// source, and stages it in the transfer syntax it has; with an icon that is a codestream again in the source's, where
/// alone that may stand (PS3.5 A.4). An object without changes is copied. Any thread.
[[nodiscard]] manifest::Object undo(const Options& options, const Converter& converter, manifest::Object object);

}  // namespace waybill::transcode
