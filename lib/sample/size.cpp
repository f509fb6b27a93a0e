// SPDX-License-Identifier: Apache-2.0
#include "sample/size.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>
#include <utility>

namespace waybill::sample {

namespace {

constexpr std::uint64_t kWhole = 1'000'000'000;
constexpr std::size_t kDecimals = 7;
constexpr long double kNever = -std::numeric_limits<long double>::infinity();
/// An exact tie, such as 950 of 1000 at 95 %, must not be lost to the last bit of a logarithm.
constexpr long double kTie = 1e-12L;

bool is_proved(long double log_missed, Share confidence) {
  return log_missed <= std::log1p(-confidence.value()) + kTie;
}

/// log((size - drawn - i) / (size - i)): one more defect in a part with `i` defects already is not drawn either.
long double log_step(Part part, std::uint64_t i) {
  if (part.size <= part.drawn + i) return kNever;
  return std::log1p(-static_cast<long double>(part.drawn) / static_cast<long double>(part.size - i));
}

/// Logarithm of the hypergeometric probability that a sample of `drawn` meets none of `defects`; may end early once it
/// is below `enough`.
long double log_missed(Part part, std::uint64_t defects, long double enough) {
  if (part.drawn > defects) std::swap(part.drawn, defects);  // the two are alike, and the shorter sum is taken
  long double sum = 0;
  for (std::uint64_t i = 0; i < defects && sum > enough; ++i) sum += log_step(part, i);
  return sum;
}

/// log(1 + r1 + r1 r2 + …) of the ratios of neighbouring terms: a sum relative to its first term.
template <typename Ratio>
long double log_sum(std::uint64_t terms, const Ratio& ratio) {
  long double term = 1, sum = 1;
  for (std::uint64_t k = 1; k < terms; ++k) {
    term *= ratio(k);
    sum += term;
  }
  return std::log(sum);
}

/// Logarithm of the hypergeometric probability that a sample of `drawn` meets at most `accepted` of `defects`.
long double log_accepted(Part part, std::uint64_t defects, std::uint64_t accepted) {
  const std::uint64_t good = part.size - defects;
  const std::uint64_t least = part.drawn > good ? part.drawn - good : 0;  // so many it meets for certain
  if (least > accepted) return kNever;
  // With more drawn than are good, that it meets the fewest means that all it leaves are defects.
  const long double first =
      least == 0 ? log_missed(part, defects, kNever) : log_missed({part.size, good}, part.size - part.drawn, kNever);
  const std::uint64_t most = std::min({accepted, defects, part.drawn});
  return first + log_sum(most - least + 1, [&](std::uint64_t i) {
           const auto k = static_cast<long double>(least + i);
           return (static_cast<long double>(defects) - k + 1) * (static_cast<long double>(part.drawn) - k + 1) /
                  (k * (static_cast<long double>(good) - static_cast<long double>(part.drawn) + k));
         });
}

/// The same of `trials` that each meet one with probability `p`.
long double log_binomial(std::uint64_t trials, long double p, std::uint64_t accepted) {
  if (p >= 1) return accepted >= trials ? 0 : kNever;
  const auto n = static_cast<long double>(trials);
  return n * std::log1p(-p) + log_sum(std::min(accepted, trials) + 1, [&](std::uint64_t k) {
           return (n - static_cast<long double>(k) + 1) / static_cast<long double>(k) * p / (1 - p);
         });
}

/// Over strata, wherever the defects lie. What a stratum's sample meets of its defects is a sum of independent yes and
/// no (Vatutin and Mikhailov 1982), so what all meet is one, of as many as there are defects, and its mean is at least
/// the smallest drawn share times their number. Of all such sums with this mean the binomial has the heaviest tail
/// below it (Hoeffding 1956), as long as what is accepted is one less than the mean.
long double log_most_accepted(std::span<const Part> parts, std::uint64_t defects, std::uint64_t accepted) {
  long double least_share = 1;
  for (const Part& part : parts) {
    if (part.size == 0) continue;
    least_share = std::min(least_share, static_cast<long double>(part.drawn) / static_cast<long double>(part.size));
  }
  if (static_cast<long double>(accepted) + 1 > least_share * static_cast<long double>(defects)) return 0;
  return log_binomial(defects, least_share, accepted);
}

/// The same over strata, defects lying where they are missed most: a further defect costs a stratum more than the one
/// before, so giving each defect to the cheapest stratum finds the maximum.
long double log_most_missed(std::span<const Part> parts, std::uint64_t defects, long double enough) {
  struct Next {
    long double step;
    std::size_t part;
    std::uint64_t defects;
    bool operator<(const Next& other) const { return step < other.step; }
  };
  std::priority_queue<Next> cheapest;
  for (std::size_t i = 0; i < parts.size(); ++i) cheapest.push({log_step(parts[i], 0), i, 0});
  long double sum = 0;
  for (std::uint64_t left = defects; left > 0 && sum > enough && !cheapest.empty(); --left) {
    Next next = cheapest.top();
    cheapest.pop();
    sum += next.step;
    ++next.defects;
    next.step = log_step(parts[next.part], next.defects);
    cheapest.push(next);
  }
  return sum;
}

/// Smallest value in [low, high] for which `holds`, which stays true once it is; `holds(high)` is true.
template <typename Holds>
std::uint64_t smallest(std::uint64_t low, std::uint64_t high, const Holds& holds) {
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// The ceiling of a * b / c without overflow.
std::uint64_t ceil_ratio(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(a) * b + c - 1) / c);
}

std::uint64_t share_of(std::uint64_t n, std::uint64_t size, std::uint64_t lot) {
  return std::min(size, std::max(std::min(size, kLeastOfAStratum), ceil_ratio(n, size, lot)));
}

/// The acceptance number of a demand.
std::optional<unsigned> parse_accepted(std::string_view text) {
  unsigned number = 0;
  text = trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > kMostAccepted) return std::nullopt;
  return number;
}

}  // namespace

Result<Share> parse_share(std::string_view text) {
  const Failure bad{Fault::malformed, "'" + std::string(text) + "' is no share such as 95% or 0.1%"};
  std::string_view digits = trim(text);
  if (!digits.ends_with('%')) return bad;
  digits.remove_suffix(1);
  digits = trim(digits);
  const auto parts = split(digits, '.');
  if (parts.size() > 2 || parts[0].empty() || parts[0].size() > 2) return bad;
  std::string all(parts[0]);
  std::string_view decimals = parts.size() == 2 ? parts[1] : std::string_view{};
  if (decimals.size() > kDecimals || (parts.size() == 2 && decimals.empty())) return bad;
  all += decimals;
  all.append(kDecimals - decimals.size(), '0');
  Share share;
  for (const char c : all) {
    if (c < '0' || c > '9') return bad;
    share.billionths = share.billionths * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (share.billionths == 0) return bad;
  return share;
}

std::string to_text(Share share) {
  constexpr std::uint64_t kPercent = kWhole / 100;
  std::string decimals = std::to_string(share.billionths % kPercent + kPercent).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return std::to_string(share.billionths / kPercent) + (decimals.empty() ? "" : "." + decimals) + " %";
}

Result<Demand> parse_demand(std::string_view text) {
  const Failure bad{Fault::malformed, "'" + std::string(text) +
                                          "' is no demand such as \"confidence=95%,defect=0.1%\" or \"95%,0.1%\", with "
                                          "\",accept=1\" behind it or without (0 to " +
                                          std::to_string(kMostAccepted) + ")"};
  constexpr std::array<std::string_view, 3> kNames{"confidence", "defect", "accept"};
  const auto parts = split(text, ',');
  if (parts.size() < 2 || parts.size() > kNames.size()) return bad;
  Demand demand;
  std::array<bool, 3> told{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const bool named = equals != std::string_view::npos;
    const std::string_view name = named ? trim(parts[i].substr(0, equals)) : kNames[i];
    const std::string_view value = named ? parts[i].substr(equals + 1) : parts[i];
    const std::size_t which = static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
    if (which == kNames.size() || std::exchange(told[which], true)) return bad;
    if (which == 2) {
      const auto accepted = parse_accepted(value);
      if (!accepted) return bad;
      demand.accepted = *accepted;
      continue;
    }
    const auto share = parse_share(value);
    if (!share) return share.error();
    (which == 0 ? demand.confidence : demand.defect) = *share;
  }
  if (!told[0] || !told[1]) return bad;
  return demand;
}

std::uint64_t least_defects(std::uint64_t lot, Share defect) { return ceil_ratio(lot, defect.billionths, kWhole); }

bool can_be_proved(std::uint64_t lot, const Demand& demand) {
  return lot == 0 || least_defects(lot, demand.defect) > demand.accepted;
}

std::uint64_t endless_size(const Demand& demand) {
  const auto proves = [&](std::uint64_t n) {
    return is_proved(log_binomial(n, demand.defect.value(), demand.accepted), demand.confidence);
  };
  std::uint64_t high = 1;
  while (!proves(high)) high *= 2;
  return smallest(1, high, proves);
}

std::uint64_t lot_size(std::uint64_t lot, const Demand& demand) {
  const std::uint64_t defects = least_defects(lot, demand.defect);
  const long double enough = std::log1p(-demand.confidence.value()) - 1;
  return smallest(0, lot, [&](std::uint64_t n) {
    return lot == 0 || is_proved(demand.accepted == 0 ? log_missed({lot, n}, defects, enough)
                                                      : log_accepted({lot, n}, defects, demand.accepted),
                                 demand.confidence);
  });
}

long double most_missed(std::span<const Part> parts, std::uint64_t defects) {
  return std::exp(log_most_missed(parts, defects, kNever));
}

long double most_accepted(std::span<const Part> parts, std::uint64_t defects, unsigned accepted) {
  return std::exp(log_most_accepted(parts, defects, accepted));
}

std::vector<std::uint64_t> allocate(std::span<const std::uint64_t> sizes, const Demand& demand) {
  const std::uint64_t lot = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  const std::uint64_t defects = least_defects(lot, demand.defect);
  const long double enough = std::log1p(-demand.confidence.value()) - 1;
  const auto strata = std::count_if(sizes.begin(), sizes.end(), [](std::uint64_t size) { return size > 0; });
  std::vector<Part> parts(sizes.size());
  const std::uint64_t n = smallest(lot_size(lot, demand), lot, [&](std::uint64_t wanted) {
    for (std::size_t i = 0; i < sizes.size(); ++i) parts[i] = {sizes[i], share_of(wanted, sizes[i], lot)};
    if (demand.accepted == 0) return is_proved(log_most_missed(parts, defects, enough), demand.confidence);
    return strata < 2 || is_proved(log_most_accepted(parts, defects, demand.accepted), demand.confidence);
  });
  std::vector<std::uint64_t> drawn;
  drawn.reserve(sizes.size());
  for (const std::uint64_t size : sizes) drawn.push_back(lot == 0 ? 0 : share_of(n, size, lot));
  return drawn;
}

}  // namespace waybill::sample
