// SPDX-License-Identifier: Apache-2.0
// Random histories: whatever the order of arrival and however they are split over files, the graph is the same.
#include "identity/events.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <random>

namespace waybill::identity {
namespace {

using Random = std::mt19937;

std::string stamp(Random& random, bool coarse) {
  char text[32];
  std::snprintf(text, sizeof text, "2024%02u%02u%02u%02u%02u", 1U + static_cast<unsigned>(random() % 12),
                1U + static_cast<unsigned>(random() % 28), coarse ? 0U : static_cast<unsigned>(random() % 24),
                coarse ? 0U : static_cast<unsigned>(random() % 60), coarse ? 0U : static_cast<unsigned>(random() % 60));
  return text;
}

/// Messages of every kind over few numbers, so that chains, cycles and disputes are frequent.
std::vector<std::string> random_history(Random& random) {
  static const std::vector<std::string> kTriggers = {"A01", "A08", "A31", "A28", "A40", "A40", "A40",
                                                     "A34", "A18", "A47", "A46", "A43", "A44", "A45",
                                                     "A24", "A37", "A36", "A41", "A39", "A23"};
  const auto id = [&] {
    const char* authority = random() % 5 == 0   ? "W"
                            : random() % 7 == 0 ? ""
                            : random() % 4 == 0 ? "&1.2.3&ISO"
                            : random() % 6 == 0 ? "H&1.2.3&ISO"
                                                : "H";
    return std::to_string(random() % 8) + "^^^" + authority;
  };
  const bool coarse = random() % 2 == 0;  // many messages at one time
  std::vector<std::string> out;
  for (unsigned n = 5 + static_cast<unsigned>(random() % 60); n > 0; --n) {
    const std::string& trigger = kTriggers[random() % kTriggers.size()];
    const std::string time = stamp(random, coarse);
    std::string text =
        "MSH|^~\\&|A|B|||" + time + "||ADT^" + trigger + "|" + std::to_string(random() % 2000) + "|P|2.5\r";
    std::string list = id();
    if (random() % 3 == 0) list += "~" + id();
    const std::string person = random() % 4 == 0 ? "P" + std::to_string(random() % 3) + "^^^M" : "";
    const std::string name = random() % 3 == 0 ? "" : "N" + std::to_string(random() % 4) + "^X";
    text += "PID|1|" + person + "|" + list + "||" + name + "||1970030" + std::to_string(1 + random() % 9) + "|" +
            (random() % 2 == 0 ? "F" : "M") + "\r";
    if (trigger == "A24" || trigger == "A37") text += "PID|2||" + id() + "\r";
    if (trigger[1] == '3' || trigger[1] == '4' || trigger == "A18")
      text +=
          "MRG|" + id() + "||ACC" + std::to_string(random() % 3) + "|" + (random() % 3 == 0 ? "P1^^^M" : "") + "|V1\r";
    out.push_back(text);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

/// Shuffles the messages and packs them into few or many files.
std::vector<std::string> shuffled_into_files(std::vector<std::string> messages, Random& random) {
  std::shuffle(messages.begin(), messages.end(), random);
  std::vector<std::string> files(1 + random() % messages.size());
  for (const auto& m : messages) files[random() % files.size()] += m;
  return files;
}

TEST(IdentityHistory, TheGraphDoesNotDependOnArrivalOrFiles) {
  Random random(20240601);
  std::map<std::string, int> reasons;
  for (int round = 0; round < 1500; ++round) {
    const auto messages = random_history(random);
    const Graph first = test::graph(messages);
    for (const auto& d : first.disputes()) ++reasons[d.reason];
    const std::string expected = first.dump();
    for (int again = 0; again < 4; ++again)
      ASSERT_EQ(test::graph(shuffled_into_files(messages, random)).dump(), expected) << "round " << round;
  }
  EXPECT_GE(reasons.size(), 7U) << "the histories hold too little strife to prove anything";
}

TEST(IdentityHistory, EveryNumberEndsAtARootWithoutCycles) {
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    const Graph g = test::graph(random_history(random));
    for (const char* authority : {"H", "W", ""}) {
      for (int id = 0; id < 8; ++id) {
        const Resolution r = g.resolve(authority, std::to_string(id));
        const Resolution again = g.resolve(r.root.authority, r.root.id);
        EXPECT_EQ(again.root, r.root);
        EXPECT_FALSE(again.merged);
      }
    }
  }
}

TEST(IdentityHistory, APrefixInTimeIsTheGraphAsOfThatTime) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    const auto messages = random_history(random);
    const hl7::Time until = *hl7::parse_time(stamp(random, false));
    std::vector<std::string> early;
    for (const auto& m : messages) {
      const auto events = test::events({m});
      if (!events.empty() && events[0].time <= until) early.push_back(m);
    }
    ASSERT_EQ(test::graph(messages, until).dump(), test::graph(early).dump()) << round;
  }
}

}  // namespace
}  // namespace waybill::identity
