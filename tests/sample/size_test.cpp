// SPDX-License-Identifier: Apache-2.0
// Sample sizes against the table of the domain's rule 10.4, exact enumeration and simulation.
#include "sample/size.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

namespace waybill::sample {

namespace {

Demand demand(const std::string& confidence, const std::string& defect, unsigned accepted = 0) {
  return *parse_demand(confidence + "," + defect + (accepted == 0 ? "" : "," + std::to_string(accepted)));
}

/// C(n, k) exactly, for small numbers.
double choose(std::uint64_t n, std::uint64_t k) {
  if (k > n) return 0;
  double out = 1;
  for (std::uint64_t i = 0; i < k; ++i) out = out * static_cast<double>(n - i) / static_cast<double>(i + 1);
  return std::round(out);
}

}  // namespace

TEST(SampleSize, OfAnEndlessLotIsThatOfTheTable) {
  struct Row {
    const char* defect;
    std::uint64_t at90, at95, at99;
  };
  const std::vector<Row> table{
      {"5%", 45, 59, 90},         {"1%", 230, 299, 459},       {"0.5%", 460, 598, 919},       {"0.3%", 767, 998, 1533},
      {"0.1%", 2302, 2995, 4603}, {"0.05%", 4605, 5990, 9209}, {"0.01%", 23025, 29956, 46050}};
  for (const Row& row : table) {
    EXPECT_EQ(endless_size(demand("90%", row.defect)), row.at90) << row.defect;
    EXPECT_EQ(endless_size(demand("95%", row.defect)), row.at95) << row.defect;
    EXPECT_EQ(endless_size(demand("99%", row.defect)), row.at99) << row.defect;
  }
}

TEST(SampleSize, WithDefectsAcceptedIsThatOfTheTable) {
  struct Row {
    const char* defect;
    std::vector<std::uint64_t> sizes;  ///< for one, two, three
  };
  for (const Row& row :
       std::vector<Row>{{"1%", {473, 628, 773}}, {"0.5%", {947, 1258, 1549}}, {"0.1%", {4742, 6294, 7752}}}) {
    for (unsigned c = 1; c <= 3; ++c)
      EXPECT_EQ(endless_size(demand("95%", row.defect, c)), row.sizes[c - 1]) << row.defect << " c=" << c;
  }
}

TEST(SampleSize, WithDefectsAcceptedOfSmallLotsIsTheSmallestByExactCounting) {
  for (const auto& [confidence, c] : {std::pair{"90%", 0.9}, {"95%", 0.95}}) {
    for (const auto& [defect, p] : {std::pair{"5%", 0.05}, {"10%", 0.1}, {"20%", 0.2}}) {
      for (unsigned accepted = 1; accepted <= 3; ++accepted) {
        for (std::uint64_t lot = 1; lot <= 45; ++lot) {
          const auto defects = static_cast<std::uint64_t>(std::ceil(static_cast<double>(lot) * p - 1e-9));
          const Demand asked = demand(confidence, defect, accepted);
          EXPECT_EQ(can_be_proved(lot, asked), defects > accepted);
          std::uint64_t n = 0;
          for (; n < lot; ++n) {
            double passes = 0;
            for (std::uint64_t k = 0; k <= accepted && k <= n; ++k)
              passes += choose(defects, k) * choose(lot - defects, n - k) / choose(lot, n);
            if (passes <= 1 - c + 1e-12) break;
          }
          EXPECT_EQ(lot_size(lot, asked), n) << lot << " " << confidence << " " << defect << " c=" << accepted;
        }
      }
    }
  }
}

TEST(SampleSize, WithDefectsAcceptedOfALargeLotIsThatOfAnEndlessOne) {
  for (unsigned c = 1; c <= 3; ++c) {
    const Demand asked = demand("95%", "0.1%", c);
    const std::uint64_t endless = endless_size(asked), of_lot = lot_size(100'000'000, asked);
    EXPECT_LE(of_lot, endless);
    EXPECT_GE(of_lot + 3, endless);
  }
}

TEST(SampleSize, OfStrataWithDefectsAcceptedHoldsWhereverTheDefectsLie) {
  const std::vector<Part> parts{{6, 4}, {9, 6}, {4, 4}, {12, 8}};
  for (std::uint64_t defects = 2; defects <= 9; ++defects) {
    for (unsigned accepted = 0; accepted <= 3; ++accepted) {
      // of each stratum, how many of its defects are drawn: probabilities by number, combined over the strata
      double worst = 0;
      const std::function<void(std::size_t, std::uint64_t, std::vector<double>)> place =
          [&](std::size_t part, std::uint64_t left, const std::vector<double>& drawn) {
            if (part == parts.size()) {
              double passes = 0;
              for (std::size_t k = 0; k <= accepted && k < drawn.size(); ++k) passes += drawn[k];
              if (left == 0) worst = std::max(worst, passes);
              return;
            }
            const auto [size, n] = parts[part];
            for (std::uint64_t d = 0; d <= std::min(left, size); ++d) {
              std::vector<double> sum(drawn.size() + d, 0);
              for (std::size_t before = 0; before < drawn.size(); ++before)
                for (std::uint64_t k = 0; k <= std::min(d, n); ++k)
                  sum[before + k] += drawn[before] * choose(d, k) * choose(size - d, n - k) / choose(size, n);
              place(part + 1, left - d, sum);
            }
          };
      place(0, defects, {1.0});
      const auto bound = static_cast<double>(most_accepted(parts, defects, accepted));
      EXPECT_GE(bound + 1e-12, worst) << defects << " defects, c=" << accepted;
    }
  }
}

TEST(SampleSize, AllotsMoreWhereDefectsAreAcceptedAndStillProvesTheDemand) {
  const std::vector<std::uint64_t> sizes{100'000, 5000, 200, 31, 7, 0};
  std::uint64_t before = 0;
  for (unsigned accepted = 0; accepted <= 3; ++accepted) {
    const Demand asked = demand("95%", "0.1%", accepted);
    const auto drawn = allocate(sizes, asked);
    const std::uint64_t all = std::accumulate(drawn.begin(), drawn.end(), std::uint64_t{0});
    std::vector<Part> parts;
    for (std::size_t i = 0; i < sizes.size(); ++i) parts.push_back({sizes[i], drawn[i]});
    EXPECT_GE(all, lot_size(105'238, asked));
    EXPECT_GT(all, before);
    if (accepted > 0) {
      EXPECT_LE(most_accepted(parts, least_defects(105'238, asked.defect), accepted), 0.05L);
    }
    before = all;
  }
}

TEST(SampleSize, OfAFiniteLotIsThatOfTheTable) {
  struct Row {
    std::uint64_t lot, at1, at01;
  };
  for (const Row& row : std::vector<Row>{
           {1000, 258, 950}, {5000, 290, 2253}, {20'000, 296, 2781}, {100'000, 298, 2950}, {1'000'000, 299, 2990}}) {
    EXPECT_EQ(lot_size(row.lot, demand("95%", "1%")), row.at1) << row.lot;
    EXPECT_EQ(lot_size(row.lot, demand("95%", "0.1%")), row.at01) << row.lot;
  }
}

TEST(SampleSize, OfSmallLotsIsTheSmallestByExactCounting) {
  for (const auto& [confidence, c] : {std::pair{"90%", 0.9}, {"95%", 0.95}, {"99%", 0.99}}) {
    for (const auto& [defect, p] : {std::pair{"1%", 0.01}, {"5%", 0.05}, {"20%", 0.2}}) {
      for (std::uint64_t lot = 1; lot <= 40; ++lot) {
        const auto defects = static_cast<std::uint64_t>(std::ceil(static_cast<double>(lot) * p - 1e-9));
        std::uint64_t n = 0;
        while (choose(lot - defects, n) / choose(lot, n) > 1 - c + 1e-12) ++n;
        EXPECT_EQ(lot_size(lot, demand(confidence, defect)), n) << lot << " " << confidence << " " << defect;
      }
    }
  }
}

TEST(SampleSize, HoldsItsRiskWhenDrawnAndOneLessDoesNot) {
  // 400 objects with 8 defects, 95 % and 2 %: the share of draws without a defect, by drawing.
  const std::uint64_t lot = 400, defects = 8, n = lot_size(lot, demand("95%", "2%"));
  std::mt19937 random(7);
  const auto missed = [&](std::uint64_t size) {
    constexpr int kDraws = 200'000;
    int out = 0;
    for (int draw = 0; draw < kDraws; ++draw) {
      // each defect in turn falls among the places that are left
      bool found = false;
      for (std::uint64_t i = 0; i < defects && !found; ++i)
        found = std::uniform_int_distribution<std::uint64_t>(0, lot - i - 1)(random) < size;
      out += found ? 0 : 1;
    }
    return static_cast<double>(out) / kDraws;
  };
  EXPECT_LE(missed(n), 0.05 + 0.0015);
  EXPECT_GE(missed(n - 10), 0.05);
}

TEST(SampleSize, OfStrataHoldsWhereverTheDefectsLie) {
  const std::vector<Part> parts{{6, 2}, {9, 3}, {4, 4}, {12, 3}};
  for (std::uint64_t defects = 1; defects <= 9; ++defects) {
    double worst = 0;
    const std::function<void(std::size_t, std::uint64_t, double)> place = [&](std::size_t part, std::uint64_t left,
                                                                              double missed) {
      if (part == parts.size()) {
        if (left == 0) worst = std::max(worst, missed);
        return;
      }
      for (std::uint64_t d = 0; d <= std::min(left, parts[part].size); ++d)
        place(part + 1, left - d,
              missed * choose(parts[part].size - d, parts[part].drawn) / choose(parts[part].size, parts[part].drawn));
    };
    place(0, defects, 1);
    EXPECT_NEAR(static_cast<double>(most_missed(parts, defects)), worst, 1e-12) << defects;
  }
}

TEST(SampleSize, AllotsThirtyToEachStratumAndProvesTheDemand) {
  const std::vector<std::uint64_t> sizes{100'000, 5000, 200, 31, 7, 0};
  const Demand asked = demand("95%", "0.1%");
  const auto drawn = allocate(sizes, asked);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_GE(drawn[i], std::min<std::uint64_t>(sizes[i], 30));
    EXPECT_LE(drawn[i], sizes[i]);
    parts.push_back({sizes[i], drawn[i]});
  }
  const std::uint64_t lot = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  EXPECT_LE(static_cast<double>(most_missed(parts, least_defects(lot, asked.defect))), 0.05);
  const std::uint64_t all = std::accumulate(drawn.begin(), drawn.end(), std::uint64_t{0});
  EXPECT_GE(all, lot_size(lot, asked));
  EXPECT_LE(all, lot_size(lot, asked) + 150);
  EXPECT_EQ(allocate(std::vector<std::uint64_t>{0}, asked), std::vector<std::uint64_t>{0});
  EXPECT_EQ(allocate(std::vector<std::uint64_t>{12}, asked), std::vector<std::uint64_t>{12});
}

TEST(SampleSize, DemandsAreReadExactly) {
  const auto named = parse_demand("defect = 0.1 %, confidence=95%");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->confidence.billionths, 950'000'000U);
  EXPECT_EQ(named->defect.billionths, 1'000'000U);
  EXPECT_EQ(to_text(named->defect), "0.1 %");
  EXPECT_EQ(to_text(named->confidence), "95 %");
  EXPECT_EQ(to_text(*parse_share("99.95%")), "99.95 %");
  EXPECT_EQ(least_defects(1000, named->defect), 1U);
  EXPECT_EQ(least_defects(1001, named->defect), 2U);
  EXPECT_EQ(named->accepted, 0U);
  for (const char* text :
       {"95%,0.1%,2", "confidence=95%, accept = 2, defect=0.1%", "accept=2,confidence=95%,defect=0.1%"})
    EXPECT_EQ((*parse_demand(text)).accepted, 2U) << text;
  for (const char* text : {"95%,0.1%,-1", "95%,0.1%,101", "95%,0.1%,accept=", "accept=1,accept=2,95%",
                           "accept=1,defect=1%", "95%,0.1%,1,1"})
    EXPECT_FALSE(parse_demand(text)) << text;
  for (const char* text : {"", "95%", "95,0.1", "0.95,0.001", "95%,0%", "100%,1%", "95%,-1%", "95%,0.1%,1%", "95%,1.%",
                           "defect=1%,defect=2%", "95%,risk=1%", "95%,0.00000001%", "95%,.1%", "95%,1e-3%"})
    EXPECT_FALSE(parse_demand(text)) << text;
}

}  // namespace waybill::sample
