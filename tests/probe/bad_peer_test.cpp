// SPDX-License-Identifier: Apache-2.0
// waybill-probe at peers that are not there, let nobody in, fall silent or talk nonsense: it ends, in bounded time, and
// says what it could not find out.
#include "support/probing.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

class ProbeBadPeer : public test::Probing {
 protected:
  test::Ran at_simpacs(const std::string& scenario, const std::vector<std::string>& more = {}) {
    const test::SimPacs pacs(scenario);
    std::vector<std::string> words{"--timeout", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return probe(pacs.url(), words);
  }
};

}  // namespace

TEST_F(ProbeBadPeer, APeerThatIsNotThereOrLetsNobodyInIsExitFourAndLeavesNoProfile) {
  EXPECT_EQ(probe(test::dead_url()).exit, 4);
  for (const std::string scenario :
       {"[[rule]]\non = \"associate\"\nreject = \"permanent\"\n",
        "[[rule]]\non = \"associate\"\nreject = \"transient\"\n",
        "[[rule]]\non = \"associate\"\nanswer = \"silence\"\n", "[[rule]]\non = \"associate\"\nanswer = \"reset\"\n",
        "[[rule]]\non = \"echo\"\nanswer = \"silence\"\n", "[node]\ncalled = [\"OTHER\"]\n"}) {
    const test::Ran ran = at_simpacs(scenario);
    EXPECT_EQ(ran.exit, 4) << scenario << ran.text;
    EXPECT_FALSE(test::fs::exists(folder_ / "profile.json")) << scenario;
  }
}

TEST_F(ProbeBadPeer, QuestionsThatGetNoGoodAnswerAreATroubleAndTheRestIsFoundOut) {
  for (const std::string answer : {"silence", "abort", "half", "wrong-id", "wrong-context", "no-status"}) {
    const test::Ran ran = at_simpacs("[[rule]]\non = \"find\"\nanswer = \"" + answer + "\"\n");
    EXPECT_EQ(ran.exit, 1) << answer << ran.text;
    EXPECT_EQ(ask("[.troubles[].section]"), "[\"lists\"]") << answer;
    EXPECT_GT(std::stoi(ask(".storage|length")), 150) << answer;
    EXPECT_EQ(against_schema(), "") << answer;
    EXPECT_NE(ran.text.find("not found out"), std::string::npos);
  }
}

TEST_F(ProbeBadPeer, AStatusOfFailureIsAnAnswerAndNotATrouble) {
  EXPECT_EQ(at_simpacs("[[rule]]\non = \"find\"\nstatus = 0xA900\n").exit, 0);
  EXPECT_EQ(ask(".lists.status"), "a900");
  EXPECT_EQ(ask(".lists|has(\"honours_uid\")"), "false");
}

TEST_F(ProbeBadPeer, BytesThatAreNoPduEndIt) {
  for (const std::string raw : {"48545450", "0200FFFFFFFF", "0800000000040000"}) {
    const test::Ran ran = at_simpacs("[[rule]]\non = \"find\"\nraw = \"" + raw + "\"\n");
    EXPECT_EQ(ran.exit, 1) << raw << ran.text;
    EXPECT_EQ(ask("[.troubles[].section]"), "[\"lists\"]") << raw;
  }
}

TEST_F(ProbeBadPeer, AnAssociationThatIsLostOnceIsAskedForAgain) {
  EXPECT_EQ(at_simpacs("[[rule]]\non = \"associate\"\nskip = 3\nfirst = 1\nanswer = \"abort\"\n").exit, 0);
  EXPECT_GT(std::stoi(ask(".storage|length")), 150);
  EXPECT_EQ(ask(".association|has(\"proposals_limit\")"), "false");
}

TEST_F(ProbeBadPeer, APeerThatIsGoneWhileContextsAreAskedForIsATrouble) {
  EXPECT_EQ(at_simpacs("[[rule]]\non = \"associate\"\nskip = 3\nanswer = \"abort\"\n").exit, 1);
  EXPECT_EQ(ask("[.troubles[].section]"), "[\"storage\",\"lists\"]");
  EXPECT_EQ(ask(".at_once.opened"), "0");
  EXPECT_EQ(ask(".association|has(\"proposals_limit\")"), "false");
  EXPECT_GT(std::stoi(ask(".storage|length")), 0) << "what was granted before stands";
}

TEST_F(ProbeBadPeer, ASignalEndsItWithSixAndTheProfileSaysSo) {
  const test::SimPacs pacs("[[rule]]\non = \"find\"\nanswer = \"silence\"\n");
  const pid_t child = test::spawn(
      {test::tool("probe"), pacs.url(), "-o", at("profile.json"), "--timeout", "3", "--write"}, folder_ / "probe.log");
  ASSERT_TRUE(test::wait_until([&] { return pacs.events("find").size() + pacs.events("released").size() > 40; }));
  ::kill(child, SIGTERM);
  EXPECT_EQ(test::wait_for(child), 6);
  EXPECT_EQ(ask("[.interrupted,.exit,has(\"left_at_peer\")]"), "[true,6,false]") << "nothing was stored";
}

}  // namespace waybill
