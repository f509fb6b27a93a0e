// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/run.hpp"

#include <ostream>

namespace waybill::transcode {

/// What a run of these options would do, from the manifests alone: for each study its edits with old and new values
/// (hidden without `show_phi`) and UIDs, then how many objects each rule, edit and policy rule touches, and how many
/// are kept back and why. Reads no object and writes none. `json`: one JSON object a line. Memory: one entry a study.
void dry_run(const Options& options, std::ostream& out, bool json, bool show_phi);

}  // namespace waybill::transcode
