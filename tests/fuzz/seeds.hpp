// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace waybill::test {

/// Small sound objects of every encoding and codec the toolkit reads, the same on every run. Needs dicom::Toolkit.
[[nodiscard]] std::vector<std::string> fuzz_seeds();

}  // namespace waybill::test
