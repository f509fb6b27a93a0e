// SPDX-License-Identifier: Apache-2.0
#include "simpacs/dice.hpp"

#include <algorithm>

namespace waybill::simpacs {

namespace {

/// Mixes bits so that each depends on all (the finaliser of SplitMix64).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

bool holds(const std::vector<std::string>& list, std::string_view value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

/// A rule about finding or retrieving names the objects it leaves out or spoils, not the questions it answers.
bool names_objects(On on) { return on == On::find || on == On::get || on == On::move || on == On::commit; }

}  // namespace

Dice::Dice(const Scenario& scenario) : scenario_(scenario), counters_(scenario.rules.size()) {}

double Dice::draw(std::size_t rule, std::string_view name, std::uint64_t turn) const {
  std::uint64_t state = mix(scenario_.seed) ^ mix(rule + 1);
  for (const char c : name) state = mix(state ^ static_cast<unsigned char>(c));
  return static_cast<double>(mix(state ^ turn) >> 11U) * 0x1.0p-53;
}

const Rule* Dice::rule_for(const Occasion& now) {
  for (std::size_t i = 0; i < scenario_.rules.size(); ++i) {
    const Rule& rule = scenario_.rules[i];
    if (rule.on != now.on || !holds(rule.calling, now.calling) || !holds(rule.classes, now.sop_class)) continue;
    if (!names_objects(rule.on) && !holds(rule.instances, now.instance)) continue;
    const std::string instance(now.instance);
    const std::string counted = rule.per == Per::run        ? "*"
                                : rule.per == Per::instance ? "i" + instance
                                                            : "a" + std::to_string(now.association);
    const std::string drawn = now.on == On::associate ? std::to_string(now.association) : instance;
    Counters& counters = counters_[i];
    const std::lock_guard lock(counters.mutex);
    if (rule.rate < 1 && draw(i, drawn, counters.seen["d" + drawn]++) >= rule.rate) continue;
    const std::uint64_t turn = counters.seen[counted]++;
    if (turn >= rule.skip && turn - rule.skip < rule.first) return &rule;
  }
  return nullptr;
}

bool Dice::falls(const Rule& rule, std::string_view name, double share) const {
  if (share <= 0 || !holds(rule.instances, name)) return false;
  const auto index = static_cast<std::size_t>(&rule - scenario_.rules.data());
  return share >= 1 || draw(index, name, ~std::uint64_t{0}) < share;
}

}  // namespace waybill::simpacs
