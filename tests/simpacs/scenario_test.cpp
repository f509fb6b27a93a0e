// SPDX-License-Identifier: Apache-2.0
#include "simpacs/scenario.hpp"

#include "simpacs/dice.hpp"
#include "simpacs/matching.hpp"
#include "support/exits.hpp"
#include "support/peer.hpp"

#include <gtest/gtest.h>

namespace waybill::simpacs {

namespace {

Scenario scenario_of(const std::string& text) {
  const test::TempFolder folder;
  std::ofstream(folder / "s.toml") << text;
  return Scenario::read(folder / "s.toml");
}

std::string refusal_of(const std::string& text) {
  std::string said;
  EXPECT_EQ(test::exit_of([&] { (void)scenario_of(text); }, &said), Exit::usage) << text;
  return said;
}

const Rule* fate(Dice& dice, const std::string& instance, std::uint64_t association = 1) {
  return dice.rule_for({On::store, instance, "1.2", "A", association});
}

}  // namespace

TEST(SimPacsScenario, TheExampleNamesEveryKeyAndIsRead) {
  const std::filesystem::path example = test::environment("WAYBILL_SOURCE") + "/manifests/examples/simpacs.toml";
  if (!std::filesystem::exists(example)) GTEST_SKIP() << "WAYBILL_SOURCE names no source";
  const Scenario scenario = Scenario::read(example);
  EXPECT_EQ(scenario.rules.size(), 9U);
  EXPECT_EQ(scenario.peers.at("WAYBILL").port, 11113);
  EXPECT_EQ(scenario.rules[0].status, 0xA700);
  const std::string text = test::slurp(example);
  for (const char* key : {"title",
                          "called",
                          "calling",
                          "associations",
                          "pdu",
                          "window",
                          "idle",
                          "duplicates",
                          "classes",
                          "syntaxes",
                          "contexts",
                          "receive_buffer",
                          "host",
                          "port",
                          "name",
                          "on",
                          "rate",
                          "skip",
                          "first",
                          "per",
                          "instance",
                          "class",
                          "status",
                          "comment",
                          "keep",
                          "answer",
                          "raw",
                          "delay",
                          "pace",
                          "abort_after",
                          "reject",
                          "reason",
                          "most",
                          "omit",
                          "new_uids",
                          "completed",
                          "early",
                          "fail",
                          "failure",
                          "times",
                          "new_association",
                          "wrong_transaction"})
    EXPECT_TRUE(text.find("\n" + std::string(key) + " = ") != std::string::npos ||
                text.find("\n# " + std::string(key) + " = ") != std::string::npos)
        << key;
}

TEST(SimPacsScenario, RefusesWhatItDoesNotKnowWithItsLine) {
  EXPECT_NE(refusal_of("seed = 1\nsede = 2\n").find("line 2: unknown key `sede`"), std::string::npos);
  EXPECT_NE(refusal_of("[node]\nduplicates = \"maybe\"\n").find("one of ignore, overwrite, refuse"), std::string::npos);
  EXPECT_NE(refusal_of("[[rule]]\non = \"store\"\nmost = 3\n").find("line 3: `most` has no place"), std::string::npos);
  for (const char* bad :
       {"[[rule]]\nstatus = 1\n", "[[rule]]\non = \"fax\"\n", "[[rule]]\non = \"store\"\nrate = 2\n",
        "[[rule]]\non = \"store\"\nstatus = 65536\n", "[[rule]]\non = \"store\"\nstatus = \"A700\"\n",
        "[[rule]]\non = \"store\"\nraw = \"xyz\"\n", "[[rule]]\non = \"store\"\ninstance = \"1.2\"\n",
        "[[rule]]\non = \"store\"\ndelay = -1\n", "rule = 3\n", "node = 3\n", "[[peer]]\ntitle = \"A\"\n",
        "[[rule]]\non = \"store\"\nfirst = -1\n", "[node]\npdu = -1\n", "seed = \n"})
    (void)refusal_of(bad);
  EXPECT_EQ(test::exit_of([] { (void)Scenario::read("/nowhere/s.toml"); }), Exit::usage);
}

TEST(SimPacsDice, GiveTheSameObjectsTheSameFateInAnyOrder) {
  const Scenario scenario = scenario_of("seed = 9\n[[rule]]\non = \"store\"\nrate = 0.25\n");
  Dice forth(scenario), back(scenario);
  int met = 0;
  std::vector<bool> first(4000), second(4000);
  for (int i = 0; i < 4000; ++i) first[i] = fate(forth, std::to_string(i), i % 7) != nullptr;
  for (int i = 3999; i >= 0; --i) second[i] = fate(back, std::to_string(i), i % 3) != nullptr;
  EXPECT_EQ(first, second);
  for (const bool one : first) met += one ? 1 : 0;
  EXPECT_NEAR(met, 1000, 120);
}

TEST(SimPacsDice, CountByRunByInstanceAndByAssociation) {
  const Scenario scenario = scenario_of(
      "[[rule]]\nname = \"run\"\non = \"store\"\ninstance = [\"r\"]\nskip = 1\nfirst = 2\n"
      "[[rule]]\nname = \"instance\"\non = \"store\"\ninstance = [\"a\", \"b\"]\nfirst = 1\nper = \"instance\"\n"
      "[[rule]]\nname = \"association\"\non = \"store\"\nfirst = 1\nper = \"association\"\n");
  Dice dice(scenario);
  EXPECT_EQ(fate(dice, "a")->name, "instance");
  EXPECT_EQ(fate(dice, "a")->name, "association");
  EXPECT_EQ(fate(dice, "b")->name, "instance");
  EXPECT_EQ(fate(dice, "b"), nullptr);
  EXPECT_EQ(fate(dice, "b", 2)->name, "association");
  EXPECT_EQ(fate(dice, "r"), nullptr);
  EXPECT_EQ(fate(dice, "r")->name, "run");
  EXPECT_EQ(fate(dice, "r")->name, "run");
  EXPECT_EQ(fate(dice, "r"), nullptr);
}

TEST(SimPacsMatching, FollowsThePatternsOfTheStandard) {
  using dicom::vr;
  EXPECT_TRUE(fits("", "anything", vr("LO")));
  EXPECT_TRUE(fits("D*E^?OHN", "DOE^JOHN", vr("PN")));
  EXPECT_FALSE(fits("D?E", "DOOE", vr("PN")));
  EXPECT_TRUE(fits("1.2\\1.3", "1.3", vr("UI")));
  EXPECT_FALSE(fits("1.2\\1.3", "1", vr("UI")));
  EXPECT_TRUE(fits("20200101-20201231", "20200615", vr("DA")));
  EXPECT_TRUE(fits("-20201231", "20201231", vr("DA")));
  EXPECT_FALSE(fits("20200101-", "20191231", vr("DA")));
  EXPECT_FALSE(fits("20200101-", "", vr("DA")));
  EXPECT_TRUE(fits("10-12", "1259", vr("TM")));
}

}  // namespace waybill::simpacs
