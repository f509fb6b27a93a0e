// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/flat_index.hpp"
#include "core/interned.hpp"
#include "manifest/record.hpp"
#include "match/evidence.hpp"
#include "match/site_rules.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waybill::reconcile {

/// The studies of a scan in about 90 bytes each and texts shared with the exams. Free to read from many threads.
class StudyTable {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  /// The study with all that is known of it.
  [[nodiscard]] match::StudyFacts operator[](std::size_t n) const;
  /// The same without copies of its texts, for its keys.
  [[nodiscard]] match::StudyTexts texts(std::size_t n) const;
  /// The place of a study, nullopt when there is none of this UID.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view uid) const;
  /// Keeps the number the patient has now; calls for different studies may come from different threads.
  void set_current(std::size_t n, const match::StudyTexts& study);

 private:
  friend class StudyCollector;
  static constexpr std::size_t kAttributes = 8;
  struct Row : match::StudyMarks {
    Interned uid;
    std::array<Interned, kAttributes> values;
    Interned current_id, current_issuer;
    InternedList modalities;
    std::uint32_t series = 0;
    std::uint8_t given = 0, mixed = 0;  // bit per attribute: some object has it; objects differ in it
    std::uint64_t instances = 0, bytes = 0;
  };
  std::vector<Row> rows_;
};

/// Brings the objects of a scan together by Study Instance UID. Memory grows with the studies, not with the objects;
/// the order of the objects does not matter. Not for sharing between threads.
class StudyCollector {
 public:
  /// `rules` say which numbers are one patient's and must outlive the collector.
  explicit StudyCollector(const match::SiteRules& rules) : rules_(rules) {}

  /// Takes an object of bucket `instance`; false when it names no study.
  bool add(const manifest::Object& object);

  /// Takes note of what an object of another bucket says of its study.
  void note(const manifest::Object& object);

  /// The studies sorted by UID; the collector is empty afterwards.
  [[nodiscard]] StudyTable finish();

 private:
  using Row = StudyTable::Row;
  struct Series {
    std::uint64_t first = 0;  // hashes; most studies have few series
    std::unique_ptr<std::vector<std::uint64_t>> more;
  };
  [[nodiscard]] bool another_patient(const Row& study, const manifest::Object& object) const;

  const match::SiteRules& rules_;
  FlatIndex index_;
  StudyTable table_;
  std::vector<Series> series_;
  std::unordered_map<std::string, std::uint32_t> noted_;  // signs of objects that are no instances, by study
};

}  // namespace waybill::reconcile
