// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waybill::load {

/// Which studies go first: those of a list, in its order, then earlier studies of patients who are expected, the next
/// appointment first, then all others. Immutable once filled; safe to share.
class Priority {
 public:
  /// A CSV table with a heading; each row names a study by any of `study_uid`, `accession` or `patient_id` (with
  /// `issuer` where given). Throws RunError: Exit::input when it cannot be read, Exit::usage without such a column or
  /// with a damaged row.
  void add_list(const std::filesystem::path& file);
  /// HL7 orders and appointments (ORM, OMG, OMI, SIU), files or folders: patients with an exam that is planned for
  /// `today` (YYYYMMDD) or later, or without a date. Throws RunError(Exit::input) for a path that does not exist.
  void add_worklist(const std::vector<std::string>& paths, std::string_view today);

  /// 0 goes first.
  [[nodiscard]] std::uint64_t rank(const manifest::Object& object) const;

  [[nodiscard]] std::size_t listed() const noexcept { return listed_; }
  [[nodiscard]] std::size_t patients() const noexcept { return patients_; }

 private:
  void add(const std::string& key, std::uint64_t rank);
  std::unordered_map<std::string, std::uint64_t> ranks_;
  std::size_t listed_ = 0, patients_ = 0;
};

}  // namespace waybill::load
