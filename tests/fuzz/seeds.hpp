// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>
#include <vector>

namespace waybill::test {

/// Small sound objects of every encoding and codec the toolkit reads, the same on every run. Needs dicom::Toolkit.
[[nodiscard]] std::vector<std::string> object_seeds();

/// What holds such objects: zip, tar and compressed files, one in the other, a DICOMDIR alone and in a container,
/// several objects one behind the other, a vendor's package. Needs dicom::Toolkit.
[[nodiscard]] std::vector<std::string> container_seeds();

/// Messages, batches and captures of HL7, and what damages them best.
[[nodiscard]] std::vector<std::string> hl7_seeds();
[[nodiscard]] std::vector<std::string> dimse_seeds();
[[nodiscard]] std::string mutate_hl7(const std::vector<std::string>& seeds, std::mt19937_64& random);

/// Answers of DICOMweb services: JSON, XML and multipart.
[[nodiscard]] std::vector<std::string> web_seeds();

}  // namespace waybill::test
