// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/exam.hpp"
#include "ris/mapping.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace waybill::ris {

/// Reads exams from the bytes of a CSV file. Throws RunError as ExamRows does.
[[nodiscard]] match::ExamTable read_exams(std::string bytes, const std::vector<std::string>& ignored = {},
                                          const Mapping& mapping = {});

/// The same from a file; throws RunError(Exit::input) when it cannot be read.
[[nodiscard]] match::ExamTable read_exams_file(const std::filesystem::path& path,
                                               const std::vector<std::string>& ignored, const Mapping& mapping);

}  // namespace waybill::ris
