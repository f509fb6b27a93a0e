// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simpacs/scenario.hpp"

#include <mutex>
#include <string_view>
#include <unordered_map>

namespace waybill::simpacs {

/// What happens now, as far as rules ask for it.
struct Occasion {
  On on = On::store;
  std::string_view instance, sop_class, calling;
  std::uint64_t association = 0;
};

/// Chooses the rule for an occasion. Chance comes from a hash of seed, rule, instance and how often the instance was
/// seen, so the same objects meet the same fate in whatever order and over whatever associations they come. Any thread.
class Dice {
 public:
  explicit Dice(const Scenario& scenario);

  /// The first rule that fits, nullptr when all is well.
  [[nodiscard]] const Rule* rule_for(const Occasion& occasion);
  /// Whether something of the given name falls into a share: the same each time.
  [[nodiscard]] bool falls(const Rule& rule, std::string_view name, double share) const;

 private:
  struct Counters {
    std::mutex mutex;
    std::unordered_map<std::string, std::uint64_t> seen;
  };
  [[nodiscard]] double draw(std::size_t rule, std::string_view name, std::uint64_t turn) const;

  const Scenario& scenario_;
  std::vector<Counters> counters_;  ///< one a rule
};

}  // namespace waybill::simpacs
