// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace waybill::assess {

/// A day has so many hours in which a person looks at studies: an assumption, and said to be one.
inline constexpr double kHoursADay = 7;
/// And a study takes so many minutes, unless somebody has measured it.
inline constexpr double kMinutesAStudy = 5;

/// How well studies and exams match, and what that leaves to people, from the decisions of reconcile.
struct Matching {
  struct Decided {
    std::uint64_t automatic = 0, person = 0, review = 0, unmatched = 0;
    [[nodiscard]] std::uint64_t studies() const { return automatic + person + review + unmatched; }
  };
  /// R9 stands before R10.
  struct ByNumber {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    }
  };
  std::map<std::string, Decided, ByNumber> rules;  ///< R0 to R10
  std::map<std::string, std::uint64_t> vetoes, discrepancies;
  std::uint64_t exams_without_images = 0;
  double minutes_a_study = kMinutesAStudy;

  void add(const manifest::Record& record);
  [[nodiscard]] Decided all() const;
  /// Working days of one person for so many studies.
  [[nodiscard]] double days(std::uint64_t studies) const {
    return static_cast<double>(studies) * minutes_a_study / 60 / kHoursADay;
  }
};

}  // namespace waybill::assess
