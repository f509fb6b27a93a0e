// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace waybill::reconcile {

/// Why a study was decided as it was, in plain words, from the manifest of reconcile: the rule, the evidence, what
/// spoke against it, what is changed, what was proposed. Values of patients only with `show_phi`. Throws RunError:
/// usage for a manifest of another stage, input when the study is not in it.
[[nodiscard]] std::string explain(const std::filesystem::path& manifest, const std::string& study, bool show_phi);

}  // namespace waybill::reconcile
