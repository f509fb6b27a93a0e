// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "match/evidence.hpp"
#include "match/site_rules.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace waybill::reconcile {

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
  [[nodiscard]] std::vector<match::StudyFacts> finish();

 private:
  struct Entry {
    match::StudyFacts facts;
    std::vector<std::uint64_t> series;  // hashes, sorted
    unsigned mixed = 0;                 // bit per attribute of kAttributes
  };

  [[nodiscard]] bool another_patient(const manifest::Study& study, const manifest::Object& object) const;

  const match::SiteRules& rules_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::uint32_t> noted_;  // signs of objects that are no instances, by study
};

}  // namespace waybill::reconcile
