// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/mask.hpp"
#include "report/model.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace waybill::report {

/// What the ledger keeps of one object in one manifest.
struct Entry {
  std::uint64_t id = 0;
  std::uint64_t bytes = 0;
  std::uint32_t group = 0;  ///< index into Collected::groups
  std::uint8_t bucket = 0;
  std::int8_t grade = kNoGrade;
};

/// The identifiers of one manifest, for balancing.
struct Holdings {
  std::vector<Entry> entries;               ///< sorted by id
  std::unordered_set<std::string> studies;  ///< Study Instance UIDs of objects of bucket `instance`
  std::unordered_set<std::string> all_studies;
  std::vector<std::string> study_records;  ///< in the order of the manifest
  std::filesystem::path path;
};

struct Collected {
  Report report;
  std::vector<Holdings> holdings;  ///< beside report.manifests
  std::unordered_map<std::uint64_t, Exception> exceptions;
  std::unordered_map<std::uint64_t, std::vector<manifest::Finding>> late;  ///< of severity S3 and S4
};

/// The number behind 16 hex digits; throws RunError(Exit::integrity) when the id of a record is none.
[[nodiscard]] std::uint64_t id_number(const std::string& id, const std::string& manifest);
[[nodiscard]] std::string id_text(std::uint64_t id);

/// Reads all manifests, in the order of stage and time. Memory: about 24 bytes an object and manifest, plus studies and
/// exceptions. Throws RunError: usage for a manifest given twice, input and integrity as manifest::Reader does.
[[nodiscard]] Collected collect(const std::vector<std::filesystem::path>& paths, const Mask& mask);

/// Fills in links, balances and everything unexplained.
void balance(Collected& collected);

/// Final state of every object: buckets, grades, modality × year, list of exceptions.
void settle(Collected& collected, const Mask& mask);

/// `cause` with one more code.
[[nodiscard]] std::string with_cause(std::string cause, const std::string& code);

/// The object as the exception list shows it.
[[nodiscard]] Exception exception_of(const manifest::Object& object, const std::string& stage, const Mask& mask);

}  // namespace waybill::report
