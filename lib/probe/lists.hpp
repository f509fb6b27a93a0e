// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "probe/run.hpp"

namespace waybill::probe {

/// How a DICOM node answers Study Root C-FIND. Asks for UIDs, dates, kinds and numbers of studies, never for anything
/// of a patient, at most `most_listed` of them at a time. Throws net::PeerError.
[[nodiscard]] Lists ask_lists(const Options& options);

/// The last day that half of these days (YYYYMMDD) do not pass, and the day behind it: two ranges that overlap nowhere.
/// nullopt where the days do not fall apart.
struct Halves {
  std::string until, from;
};
[[nodiscard]] std::optional<Halves> halves_of(std::vector<std::string> days);

}  // namespace waybill::probe
