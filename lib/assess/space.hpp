// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/volumes.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace waybill::assess {

/// What a transcode of a sample made of each kind of object.
struct Sample {
  struct Sum {
    std::uint64_t objects = 0, bytes_in = 0, bytes_out = 0;
  };
  std::map<Kind, Sum> kinds;
  std::set<std::string> targets;  ///< transfer syntaxes that were written
  std::uint64_t kept = 0;         ///< objects that were not written in the wanted syntax

  void add(const manifest::Object& object);
};

/// Fewer objects of a kind say little of the others.
inline constexpr std::uint64_t kFewObjects = 30;

/// What the target will hold, by the sample; kinds that it has none of are carried at their size.
struct Space {
  std::uint64_t source_bytes = 0, target_bytes = 0;
  std::uint64_t measured_bytes = 0;         ///< of the source: of kinds that the sample has
  std::uint64_t thinly_measured_bytes = 0;  ///< of these: of kinds with fewer than kFewObjects in the sample
  struct Row {
    Kind kind;
    Amount source;
    Sample::Sum sample;
    std::uint64_t target_bytes = 0;
  };
  std::vector<Row> rows;  ///< the largest of the source first
};
[[nodiscard]] Space space_of(const Volumes& volumes, const Sample& sample);

/// Bytes of a kind at the target.
[[nodiscard]] std::uint64_t target_bytes(std::uint64_t source_bytes, const Sample::Sum& sample);

}  // namespace waybill::assess
