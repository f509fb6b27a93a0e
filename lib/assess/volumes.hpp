// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What an archive holds and what moving it takes, from the manifest of its scan: for the offer and the plan.
namespace waybill::assess {

struct Amount {
  std::uint64_t objects = 0, bytes = 0;
  void add(std::uint64_t size) noexcept {
    ++objects;
    bytes += size;
  }
  Amount& operator+=(const Amount& more) noexcept {
    objects += more.objects;
    bytes += more.bytes;
    return *this;
  }
  bool operator==(const Amount&) const = default;
};

/// How sizes are distributed, in a few kilobytes for any number of them: classes whose bounds are less than 2 % apart.
class Sizes {
 public:
  void add(std::uint64_t size);
  void add(const Sizes& more);
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
  /// The size that this share (0 to 1) of all does not exceed, at most 2 % too small; 0 of none.
  [[nodiscard]] std::uint64_t quantile(double share) const;

 private:
  std::vector<std::uint64_t> classes_;  // up to the largest class that was met
  std::uint64_t count_ = 0, largest_ = 0;
};

/// Modality, year of the study and site (issuer of the patient ID), as people ask for them.
struct Group {
  std::string modality, year, site;
  auto operator<=>(const Group&) const = default;
};
struct Kind {
  std::string sop_class, transfer_syntax;
  auto operator<=>(const Kind&) const = default;
};
struct Code {
  manifest::Severity severity = manifest::Severity::s0;  ///< the worst seen
  Amount amount;
};

/// Words for what has no value, or none that can be: a year that is no number, lies before 1890 or behind the scan.
inline constexpr std::string_view kNone = "none", kImplausible = "implausible", kOther = "(other)";

/// The year of a DICOM date as the tables show it.
[[nodiscard]] std::string year_of(std::string_view date, int year_of_scan);

[[nodiscard]] Kind kind_of(const manifest::Object& object);

/// Counts of objects; those of parts of a manifest are added up, in any order of threads with the same result.
struct Volumes {
  /// `codes` are its findings, late ones included.
  void add(const manifest::Object& object, const std::map<std::string, manifest::Severity>& codes, int year_of_scan);
  void add(const Volumes& part);
  /// A finding whose object has been counted already.
  void add_late(const manifest::Finding& finding);

  Amount all;
  std::map<std::string, Amount> buckets;
  // Of bucket `instance`: what is to be moved.
  Amount instances, multi_frame, without_study;
  std::map<std::string, Amount> fidelity;  ///< by what the transfer syntax may have lost
  std::map<Group, Amount> groups;
  std::map<Kind, Amount> kinds;
  Sizes sizes;
  // Of all objects.
  std::map<std::string, Code> codes;
};

/// Rows that a table of a hostile manifest can have; what is beyond is counted as `(other)`.
inline constexpr std::size_t kMostRows = 20'000;

}  // namespace waybill::assess
