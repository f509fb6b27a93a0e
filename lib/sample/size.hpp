// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How many objects of a lot must be compared so that finding no defect, or few, proves a bound (domain rule 10.4).
namespace waybill::sample {

/// A share such as 0.1 %, exact in billionths, so that a lot times a share has no rounding.
struct Share {
  std::uint64_t billionths = 0;
  [[nodiscard]] long double value() const noexcept { return static_cast<long double>(billionths) / 1e9L; }
  bool operator==(const Share&) const = default;
};
/// "0.1%" or "0.1 %", at most seven decimals; more than 0 and less than 100 %.
[[nodiscard]] Result<Share> parse_share(std::string_view text);
/// As people write it: "0.1 %".
[[nodiscard]] std::string to_text(Share share);

/// What a sample has to prove: with this confidence at most this share of the lot is defective. It is proved when no
/// more than `accepted` defects are found (the acceptance number c): a larger sample, that a few defects do not fail.
struct Demand {
  Share confidence, defect;
  unsigned accepted = 0;
};
inline constexpr unsigned kMostAccepted = 100;
/// "confidence=95%,defect=0.1%" in any order, with ",accept=1" or without, or "95%,0.1%", "95%,0.1%,1".
[[nodiscard]] Result<Demand> parse_demand(std::string_view text);

/// The fewest defects that a lot with too many has: the ceiling of `lot` times the share.
[[nodiscard]] std::uint64_t least_defects(std::uint64_t lot, Share defect);

/// Whether a sample of such a lot can prove the demand: not when it accepts as many defects as the lot may not have.
[[nodiscard]] bool can_be_proved(std::uint64_t lot, const Demand& demand);

/// Smallest sample of an endless lot that proves the demand (binomial).
[[nodiscard]] std::uint64_t endless_size(const Demand& demand);
/// Smallest simple random sample of a lot that proves the demand (hypergeometric); the whole lot where none can.
[[nodiscard]] std::uint64_t lot_size(std::uint64_t lot, const Demand& demand);

/// One part of the lot and how much of it is drawn.
struct Part {
  std::uint64_t size = 0, drawn = 0;
};
/// The largest probability, over every way in which `defects` objects can lie in the parts, that none of them is drawn.
[[nodiscard]] long double most_missed(std::span<const Part> parts, std::uint64_t defects);
/// A bound of the probability, over every such way, that no more than `accepted` of them are drawn.
[[nodiscard]] long double most_accepted(std::span<const Part> parts, std::uint64_t defects, unsigned accepted);

inline constexpr std::uint64_t kLeastOfAStratum = 30;

/// How many to draw of strata of these sizes: at least 30 of each (or all), the rest in proportion, and no fewer than
/// it takes for the demand to hold wherever the defects lie. Never below lot_size() of the whole.
[[nodiscard]] std::vector<std::uint64_t> allocate(std::span<const std::uint64_t> sizes, const Demand& demand);

}  // namespace waybill::sample
