// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/column.hpp"
#include "report/look.hpp"
#include "report/mask.hpp"
#include "report/model.hpp"
#include "report/report.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace waybill::report {

/// An instance only the target has, as a verification wrote it.
struct Extra {
  std::string study, sop_instance;
};

/// The identifiers of one manifest, for balancing.
struct Holdings {
  Column<Entry> entries;                   ///< sorted by id
  std::vector<std::uint32_t> studies;      ///< Interned numbers of studies with objects of bucket `instance`, sorted
  std::vector<std::uint32_t> all_studies;  ///< of studies of any object, sorted
  std::vector<std::string> study_records;  ///< in the order of the manifest
  std::unordered_set<std::uint64_t> gone;  ///< ids that an older scan had
  std::vector<Extra> extras;
  bool verifies = false;                               ///< of the stage verify
  bool asks_target = true;                             ///< whether it would list what the target has beyond our objects
  std::unordered_map<std::uint64_t, Checked> defects;  ///< what this verification found lost or changed, by id
  std::uint32_t files = 0;                             ///< entries' file numbers are below it
  bool origin = false;  ///< the ledger starts here: its files and studies are those of the balance sheet
  std::filesystem::path path;
};

struct Collected {
  Report report;
  std::vector<Holdings> holdings;  ///< beside report.manifests
  std::unordered_map<std::uint64_t, Exception> exceptions;
  LateFindings late;                                            ///< of severity S3 and S4
  std::unordered_map<std::uint64_t, Exception> late_witnesses;  ///< objects with late findings
};

/// Reads all manifests, in the order of stage and time. Memory: 24 bytes an object and manifest, 8 more while it is
/// read, plus studies, findings and exceptions. Throws RunError: usage for a manifest given twice, input and integrity
/// as manifest::Reader does.
[[nodiscard]] Collected collect(const Options& options, const Mask& mask);

/// Fills in links, balances and everything unexplained between the manifests.
void balance(Collected& collected);

/// What the target has beyond our objects, and who explains it.
void settle_target(Collected& collected, const Options& options, const Mask& mask);

/// Final state of every object: buckets, grades, modality × year × site, balance sheet, list of exceptions.
void settle(Collected& collected, const Mask& mask);

}  // namespace waybill::report
