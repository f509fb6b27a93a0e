// SPDX-License-Identifier: Apache-2.0
#include "identity/graph.hpp"

#include "identity/events.hpp"

#include <gtest/gtest.h>

namespace waybill::identity {
namespace {

using test::adt;
using test::graph;

std::string root(const Graph& g, const std::string& id, const std::string& authority = "H") {
  return g.resolve(authority, id).root.id;
}

TEST(IdentityGraph, AMergeGivesTheOldNumberToTheNewOneWithItsDemographics) {
  const Graph g = graph({adt("A01", "20240101", "OLD^^^H", "DOE^JANE"), adt("A01", "20240102", "NEW^^^H", "DOE^J"),
                         adt("A40", "20240103", "NEW^^^H", "ROE^JANE", "OLD^^^H")});

  EXPECT_EQ(root(g, "OLD"), "NEW");
  EXPECT_TRUE(g.resolve("H", "OLD").merged);
  EXPECT_FALSE(g.resolve("H", "NEW").merged);
  EXPECT_EQ(g.person("H", "OLD").name, "ROE^JANE");
  EXPECT_EQ(g.person("H", "OLD").other_names, (std::vector<Interned>{"DOE^J", "DOE^JANE"}));
  EXPECT_EQ(g.also_known("H", "NEW"), std::vector<PatientId>{(PatientId{"H", "OLD", ""})});
  EXPECT_TRUE(g.disputes().empty());
}

TEST(IdentityGraph, ChainsLeadToTheirEndInWhateverOrderTheyArrive) {
  const std::vector<std::string> chain = {adt("A40", "20240103", "C^^^H", "", "B^^^H"),
                                          adt("A40", "20240101", "B^^^H", "", "A^^^H"),
                                          adt("A40", "20240104", "D^^^H", "", "C^^^H")};
  const Graph g = graph(chain);
  for (const char* id : {"A", "B", "C", "D"}) EXPECT_EQ(root(g, id), "D") << id;
}

TEST(IdentityGraph, OlderMergesOfOtherProjectsCountAsMerges) {
  for (const char* trigger : {"A18", "A34", "A40"})
    EXPECT_EQ(root(graph({adt(trigger, "20240101", "N^^^H", "", "O^^^H")}), "O"), "N") << trigger;
}

TEST(IdentityGraph, ASelfMergeDoesNothing) {
  const Graph g = graph({adt("A40", "20240101", "A^^^H", "", "A^^^H")});
  EXPECT_FALSE(g.resolve("H", "A").merged);
  EXPECT_TRUE(g.disputes().empty());
}

TEST(IdentityGraph, AMergeBeforeThePatientIsKnownIsKept) {
  const Graph g = graph({adt("A40", "20240101", "N^^^H", "", "O^^^H"), adt("A08", "20240601", "O^^^H", "LATE^NEWS")});
  EXPECT_EQ(root(g, "O"), "N");
  EXPECT_FALSE(g.resolve("H", "O").reused);
}

TEST(IdentityGraph, ACycleIsADisputeUnlessTheNumberWasCreatedAnew) {
  const std::string first = adt("A40", "20240101", "B^^^H", "", "A^^^H"),
                    back = adt("A40", "20240301", "A^^^H", "", "B^^^H");

  const Graph disputed = graph({first, back});
  EXPECT_EQ(root(disputed, "A"), "B");
  EXPECT_TRUE(disputed.resolve("H", "A").disputed);
  EXPECT_TRUE(disputed.resolve("H", "B").disputed);
  ASSERT_EQ(disputed.disputes().size(), 1U);
  EXPECT_EQ(disputed.disputes()[0].reason, "the merge closes a cycle");

  const Graph anew = graph({first, adt("A28", "20240201", "A^^^H"), back});
  EXPECT_EQ(root(anew, "A"), "A");
  EXPECT_EQ(root(anew, "B"), "A");
  EXPECT_TRUE(anew.disputes().empty());
}

TEST(IdentityGraph, ALongCycleIsFoundAsWell) {
  const Graph g = graph({adt("A40", "20240101", "B^^^H", "", "A^^^H"), adt("A40", "20240102", "C^^^H", "", "B^^^H"),
                         adt("A40", "20240103", "A^^^H", "", "C^^^H")});
  EXPECT_EQ(root(g, "A"), "C");
  EXPECT_EQ(g.disputes().size(), 1U);
}

TEST(IdentityGraph, ASecondSurvivorIsADispute) {
  const Graph g = graph({adt("A40", "20240101", "B^^^H", "", "A^^^H"), adt("A40", "20240102", "C^^^H", "", "A^^^H")});
  EXPECT_EQ(root(g, "A"), "B");
  EXPECT_TRUE(g.resolve("H", "A").disputed);
  EXPECT_EQ(g.disputes().size(), 1U);
}

TEST(IdentityGraph, ARepeatedMergeIsNone) {
  const Graph g = graph({adt("A40", "20240101", "B^^^H", "", "A^^^H"), adt("A40", "20240102", "B^^^H", "", "A^^^H")});
  EXPECT_TRUE(g.disputes().empty());
  EXPECT_FALSE(g.resolve("H", "A").disputed);
}

TEST(IdentityGraph, ANumberGivenOutAgainAfterItsMergeIsMarked) {
  const Graph g = graph({adt("A40", "20240101", "B^^^H", "", "A^^^H"), adt("A01", "20240601", "A^^^H", "OTHER^ONE")});
  EXPECT_TRUE(g.resolve("H", "A").reused);
  EXPECT_FALSE(g.resolve("H", "B").reused);
}

TEST(IdentityGraph, NumbersOfOtherAuthoritiesAreNeverMerged) {
  const Graph g =
      graph({adt("A40", "20240101", "1^^^MAIN", "", "2^^^WEST"), adt("A40", "20240102", "1^^^WEST", "", "7^^^WEST")});
  EXPECT_EQ(root(g, "2", "WEST"), "2");
  EXPECT_TRUE(g.resolve("WEST", "2").disputed);
  EXPECT_EQ(root(g, "7", "WEST"), "1");
  EXPECT_EQ(g.resolve("WEST", "7").root.authority, "WEST");
  EXPECT_FALSE(g.resolve("MAIN", "7").known);
  EXPECT_EQ(g.disputes().size(), 1U);
}

TEST(IdentityGraph, AMergeNamesPartnersByAuthorityInLists) {
  const Graph g = graph({adt("A40", "20240101", "M1^^^MAIN~W1^^^WEST", "", "W2^^^WEST~M2^^^MAIN")});
  EXPECT_EQ(root(g, "M2", "MAIN"), "M1");
  EXPECT_EQ(root(g, "W2", "WEST"), "W1");
  const Graph both = graph({adt("A40", "20240101", "OLD^^^H~NEW^^^H", "", "OLD^^^H")});
  EXPECT_EQ(root(both, "OLD"), "NEW");
}

TEST(IdentityGraph, ARenamedNumberMustBeFree) {
  EXPECT_EQ(root(graph({adt("A01", "20240101", "O^^^H"), adt("A47", "20240201", "N^^^H", "", "O^^^H")}), "O"), "N");
  const Graph taken = graph(
      {adt("A01", "20240101", "O^^^H"), adt("A01", "20240102", "N^^^H"), adt("A47", "20240201", "N^^^H", "", "O^^^H")});
  EXPECT_EQ(root(taken, "O"), "O");
  ASSERT_EQ(taken.disputes().size(), 1U);
  EXPECT_NE(taken.disputes()[0].reason.find("in use"), std::string::npos);
}

TEST(IdentityGraph, LinkedPatientsKeepTheirNumbersAndKnowEachOther) {
  const std::string link = "MSH|^~\\&|A|B|||20240101||ADT^A24|1|P|2.5\rPID|1||1^^^H\rPID|2||2^^^W\r";
  const std::string unlink = "MSH|^~\\&|A|B|||20240201||ADT^A37|2|P|2.5\rPID|1||1^^^H\rPID|2||2^^^W\r";
  EXPECT_EQ(graph({link}).also_known("H", "1"), std::vector<PatientId>{(PatientId{"W", "2", ""})});
  EXPECT_EQ(root(graph({link}), "1"), "1");
  EXPECT_TRUE(graph({unlink, link}).also_known("H", "1").empty());
}

TEST(IdentityGraph, UnlinkingDoesNotUndoAMerge) {
  const std::string unlink = "MSH|^~\\&|A|B|||20240201||ADT^A37|2|P|2.5\rPID|1||1^^^H\rPID|2||2^^^H\r";
  const Graph g = graph({adt("A40", "20240101", "1^^^H", "", "2^^^H"), unlink});
  EXPECT_EQ(root(g, "2"), "1");
  EXPECT_EQ(g.disputes().size(), 1U);
}

TEST(IdentityGraph, AMovedIdentifierLeavesThePersonItWasListedWith) {
  const std::string together = adt("A01", "20240101", "1^^^H~E1^^^MPI");
  const std::string move = "MSH|^~\\&|A|B|||20240201||ADT^A43|2|P|2.5\rPID|1||1^^^H\rMRG|1^^^H\r";
  EXPECT_EQ(graph({together}).also_known("H", "1").size(), 1U);
  EXPECT_TRUE(graph({together, move}).also_known("H", "1").empty());
  EXPECT_EQ(graph({adt("A43", "20240201", "1^^^H", "", "2^^^H")}).disputes().size(), 1U);
}

TEST(IdentityGraph, AMovedAccountOrVisitTakesOnlyItsOwnStudies) {
  const std::string a44 = "MSH|^~\\&|A|B|||20240201||ADT^A44|2|P|2.5\rPID|1||TO^^^H\rMRG|FROM^^^H||ACC7\r";
  const std::string a45 = "MSH|^~\\&|A|B|||20240201||ADT^A45|3|P|2.5\rPID|1||TO^^^H\rMRG|FROM^^^H||||V9^^^VIS\r";
  const Graph g = graph({a44, a45});

  EXPECT_EQ(g.moved_to("|ACC7", "")->id, "TO");
  EXPECT_EQ(g.moved_to("", "VIS|V9")->id, "TO");
  EXPECT_EQ(g.moved_to("|ACC8", "VIS|V8"), std::nullopt);
  EXPECT_EQ(root(g, "FROM"), "FROM");
  EXPECT_TRUE(g.resolve("H", "FROM").moved);
}

TEST(IdentityGraph, AccountChangesMoveNoPatientAndA36WithTwoPatientsIsForAPerson) {
  for (const char* trigger : {"A35", "A41", "A42", "A49", "A50", "A51"})
    EXPECT_EQ(root(graph({adt(trigger, "20240101", "1^^^H", "", "2^^^H")}), "2"), "2") << trigger;
  EXPECT_EQ(graph({adt("A36", "20240101", "1^^^H", "", "2^^^H")}).disputes().size(), 1U);
  EXPECT_EQ(graph({adt("A36", "20240101", "1^^^H", "", "1^^^H")}).disputes().size(), 0U);
}

TEST(IdentityGraph, NumbersOfOnePersonKnowEachOtherAlsoAfterThePersonsAreMerged) {
  const auto of_person = [](const std::string& time, const std::string& person, const std::string& id) {
    return "MSH|^~\\&|A|B|||" + time + "||ADT^A28|" + time + "|P|2.5\rPID|1|" + person + "^^^MPI|" + id + "\r";
  };
  const std::string a39 = "MSH|^~\\&|A|B|||20240301||ADT^A39|9|P|2.5\rPID|1|P1^^^MPI|\rMRG||||P2^^^MPI\r";
  const Graph apart = graph({of_person("20240101", "P1", "1^^^H"), of_person("20240102", "P2", "2^^^W")});
  const Graph merged = graph({of_person("20240101", "P1", "1^^^H"), of_person("20240102", "P2", "2^^^W"), a39});

  const PatientId other{"W", "2", ""};
  const auto knows = [&](const Graph& g) {
    const auto all = g.also_known("H", "1");
    return std::find(all.begin(), all.end(), other) != all.end();
  };
  EXPECT_FALSE(knows(apart));
  EXPECT_TRUE(knows(merged));
}

TEST(IdentityGraph, TheLatestValueHoldsAndOnlyAGivenOneCounts) {
  const std::string cleared = "MSH|^~\\&|A|B|||20240301||ADT^A08|9|P|2.5\rPID|1||1^^^H||\"\"\r";
  const std::string silent = "MSH|^~\\&|A|B|||20240401||ADT^A08|10|P|2.5\rPID|1||1^^^H\r";
  const std::string named = adt("A08", "20240201", "1^^^H", "NEW^NAME"),
                    old = adt("A08", "20240101", "1^^^H", "OLD^NAME");

  EXPECT_EQ(graph({named, old, silent}).person("H", "1").name, "NEW^NAME");
  EXPECT_EQ(graph({named, cleared, old}).person("H", "1").name, "");
  EXPECT_EQ(graph({named, old}).person("H", "1").other_names, std::vector<Interned>{"OLD^NAME"});
}

TEST(IdentityGraph, AsOfLeavesLaterEventsOut) {
  const std::vector<std::string> all = {adt("A40", "20240101", "B^^^H", "", "A^^^H"),
                                        adt("A40", "20240201", "C^^^H", "", "B^^^H")};
  EXPECT_EQ(root(graph(all, *hl7::parse_time("20240115")), "A"), "B");
  EXPECT_EQ(root(graph(all), "A"), "C");
}

TEST(IdentityGraph, TellsWhyInOrderOfTime) {
  const Graph g =
      graph({adt("A40", "20240201", "C^^^H", "", "B^^^H", "18"), adt("A40", "20240101", "B^^^H", "", "A^^^H", "17")});
  EXPECT_EQ(g.history("H", "B"),
            (std::vector<std::string>{"2024-01-01 00:00:00 A40 took over A of H (control ID 17, file1 byte 0)",
                                      "2024-02-01 00:00:00 A40 merged into C of H (control ID 18, file0 byte 0)"}));
}

TEST(IdentityGraph, ANumberOfAnotherTypeIsFoundWhereNoPlainOneHasItsText) {
  const std::string national = adt("A01", "20240101", "R1^^^2.16.1^NI", "OLD^NAME"),
                    merged = adt("A40", "20240201", "N1^^^2.16.1^NI", "NEW^NAME", "R1^^^2.16.1^NI");
  EXPECT_EQ(graph({national, merged}).resolve("2.16.1", "R1").root.id, "N1");
  EXPECT_EQ(graph({national, merged}).person("2.16.1", "R1").name, "NEW^NAME");

  const std::string plain = adt("A01", "20240101", "R1^^^2.16.1^MR"), also = adt("A01", "20240101", "R1^^^2.16.1^PE");
  EXPECT_EQ(graph({national, merged, plain}).resolve("2.16.1", "R1").root.id, "R1");
  EXPECT_FALSE(graph({national, merged, also}).resolve("2.16.1", "R1").known) << "two of them: nobody knows which";
}

TEST(IdentityGraph, AMergeOfOneSideIsADisputeAboutTheNumberThatDies) {
  const std::string text = "MSH|^~\\&|A|B|||20240201||ADT^A40|7|P|2.5\rMRG|B^^^H\r";
  const Graph g = graph({adt("A01", "20240101", "B^^^H"), text});
  ASSERT_EQ(g.disputes().size(), 1U);
  EXPECT_TRUE(g.resolve("H", "B").disputed);
  EXPECT_FALSE(g.resolve("H", "B").merged);

  for (const std::string trigger : {"A43", "A44", "A45"}) {
    const Graph moved = graph({"MSH|^~\\&|A|B|||20240201||ADT^" + trigger + "|7|P|2.5\rMRG|B^^^H||ACC||VISIT\r"});
    EXPECT_TRUE(moved.resolve("H", "B").disputed) << trigger;
  }

  const Graph survivor = graph({adt("A40", "20240201", "A^^^H")});
  EXPECT_EQ(survivor.disputes().size(), 1U);
  EXPECT_FALSE(survivor.resolve("H", "A").disputed) << "nothing happened to it, whatever died";
}

TEST(IdentityGraph, AMergeWithoutAuthorityIsOfTheOnlyNumberOfItsKind) {
  EXPECT_EQ(graph({adt("A40", "20240101", "A^^^H^MR~9^^^2.16.1^NI", "", "B")}).resolve("", "B").root.id, "A");
  const Graph unclear = graph({adt("A40", "20240101", "A^^^H^MR~A2^^^K^MR", "", "B")});
  EXPECT_FALSE(unclear.resolve("", "B").merged);
  EXPECT_EQ(unclear.disputes().size(), 1U);
}

TEST(IdentityGraph, ExternalAndAlternateNumbersAreRenamedByA46AndA48) {
  const auto message = [](const std::string& trigger, const std::string& pid, const std::string& mrg) {
    return "MSH|^~\\&|A|B|||20240201||ADT^" + trigger + "|7|P|2.3.1\rPID|1|" + pid + "\rMRG|" + mrg + "\r";
  };
  const Graph external = graph({message("A46", "NEW^^^X|1^^^H", "1^^^H|||OLD^^^X")});
  EXPECT_EQ(external.resolve("X", "OLD").root.id, "NEW");
  EXPECT_FALSE(external.resolve("H", "1").merged);
  EXPECT_TRUE(external.disputes().empty());
  const Graph alternate = graph({message("A48", "|1^^^H|NEW^^^X", "|OLD^^^X")});
  EXPECT_EQ(alternate.resolve("X", "OLD").root.id, "NEW");
  EXPECT_TRUE(alternate.disputes().empty());
  EXPECT_FALSE(graph({message("A47", "NEW^^^X|1^^^H", "1^^^H|||OLD^^^X")}).resolve("X", "OLD").known);
}

TEST(IdentityGraph, AUniversalIdByItselfStandsForItsNameSpace) {
  const std::string both = adt("A01", "20240101", "B^^^H&1.2.3&ISO", "OLD^NAME"),
                    merge = adt("A40", "20240201", "A^^^&1.2.3&ISO", "NEW^NAME", "B^^^&1.2.3&ISO"),
                    known = adt("A08", "20240115", "B^^^&1.2.3&ISO", "LATER^NAME");
  for (const auto& order : {std::vector{both, merge, known}, std::vector{known, merge, both}}) {
    const Graph g = graph(order);
    EXPECT_EQ(g.resolve("H", "B").root, (PatientId{"H", "A", ""}));
    EXPECT_EQ(g.resolve("1.2.3", "B").root, (PatientId{"H", "A", ""}));
    EXPECT_EQ(g.person("H", "B").other_names, (std::vector<Interned>{"LATER^NAME", "OLD^NAME"}));
    EXPECT_TRUE(g.disputes().empty());
  }
  const Graph mixed = graph({adt("A40", "20240201", "A^^^H&1.2.3&ISO", "", "B^^^&1.2.3&ISO")});
  EXPECT_EQ(mixed.resolve("H", "B").root.id, "A");

  const Graph several = graph({both, adt("A01", "20240101", "C^^^K&1.2.3&ISO"), merge});
  EXPECT_FALSE(several.resolve("H", "B").merged) << "the universal ID is given two names";
  EXPECT_TRUE(several.resolve("1.2.3", "B").merged);
  EXPECT_FALSE(graph({merge}).resolve("H", "B").known);
}

TEST(IdentityGraph, AuthoritiesThatShareANameSpaceAreNotMadeOneByIt) {
  const std::string lab = adt("A01", "20240101", "1^^^LAB&1.2.3&ISO"),
                    other = adt("A01", "20240101", "2^^^LAB&4.5.6&ISO"),
                    jane = adt("A01", "20240102", "7^^^&1.2.3&ISO", "DOE^JANE"),
                    john = adt("A40", "20240103", "8^^^&4.5.6&ISO", "ROE^JOHN", "7^^^&4.5.6&ISO");
  const Graph g = graph({lab, other, jane, john});
  EXPECT_EQ(g.resolve("1.2.3", "7").root.id, "7") << "the 7 that became 8 is of another hospital";
  EXPECT_EQ(g.person("1.2.3", "7").name, "DOE^JANE");
  EXPECT_EQ(g.resolve("4.5.6", "7").root.id, "8");
}

TEST(IdentityGraph, OneMessageWithTheAuthoritysPartsExchangedRenamesNobody) {
  const std::string right = adt("A01", "20240101", "B^^^H&1.2.3&ISO"),
                    wrong = adt("A01", "20240101", "C^^^1.2.3&H&ISO");
  EXPECT_EQ(graph({right, wrong}).resolve("H", "B").root.authority, "H");
}

}  // namespace
}  // namespace waybill::identity
