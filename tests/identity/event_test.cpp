// SPDX-License-Identifier: Apache-2.0
#include "identity/event.hpp"

#include "identity/events.hpp"

#include <gtest/gtest.h>

namespace waybill::identity {
namespace {

const std::string kHead = "MSH|^~\\&|ADT|HOSP|||20240101||";

Event only(const std::string& message, const Site& site = {}) {
  auto all = test::events({message}, site);
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? Event{} : all[0];
}

TEST(IdentityEvent, ReadsNumbersWithTheirAuthorityAndLeavesOtherKindsOut) {
  const Event e =
      only(kHead + "ADT^A08|1|P|2.5\rPID|1||4711^^^Hosp&1.2&ISO^MR~123-45^^^USSSA^SS~9^^^&2.16.1&ISO^NI~77\r");

  ASSERT_EQ(e.ids.size(), 3U);
  EXPECT_EQ(e.ids[0], (PatientId{"HOSP", "4711", ""}));
  EXPECT_EQ(e.ids[1], (PatientId{"", "77", ""}));
  EXPECT_EQ(e.ids[2], (PatientId{"2.16.1", "9", "NI"}));
  EXPECT_EQ(only(kHead + "ADT^A08|1|P|2.5\rPID|1||77\r", {"Main"}).ids[0].authority, "MAIN");
}

TEST(IdentityEvent, WritesNamesAsDicomDoes) {
  const auto name = [](const std::string& pid5) {
    return only(kHead + "ADT^A08|1|P|2.5\rPID|1||1||" + pid5 + "\r").demographics.name.value;
  };
  EXPECT_EQ(name("DOE^JOHN^Q^JR^DR^PHD^L"), "DOE^JOHN^Q^DR^JR PHD");
  EXPECT_EQ(name("DOE^JANE"), "DOE^JANE");
  EXPECT_EQ(name("MAIDEN^JANE^^^^^M~MARRIED^JANE^^^^^L"), "MARRIED^JANE");
  EXPECT_EQ(name("EVERYMAN&&&&Aniston^ADAM"), "EVERYMAN^ADAM");
  EXPECT_EQ(name("&van&Berg^EVA"), "van Berg^EVA");
  EXPECT_EQ(name("Smith\\S\\Jones^A\\T\\B"), "Smith Jones^A&B");
  EXPECT_EQ(name("\xE5\xB1\xB1\xE7\x94\xB0^\xE5\xA4\xAA\xE9\x83\x8E^^^^^L^I~YAMADA^TARO^^^^^L^A"),
            "YAMADA^TARO=\xE5\xB1\xB1\xE7\x94\xB0^\xE5\xA4\xAA\xE9\x83\x8E");
}

TEST(IdentityEvent, KeepsWhatIsNotGivenApartFromWhatIsCleared) {
  const Event e = only(kHead + "ADT^A08|1|P|2.5\rPID|1||1||\"\"|||\"\"\r");
  EXPECT_TRUE(e.demographics.name.given);
  EXPECT_FALSE(e.demographics.birth_date.given);
  EXPECT_TRUE(e.demographics.sex.given);
  EXPECT_EQ(e.demographics.sex.value, "");
}

TEST(IdentityEvent, GivesOneEventForEachPidWithItsMrg) {
  const auto all = test::events({kHead + "ADT^A40^ADT_A39|1|P|2.5\rPID|1||A\rMRG|B\rPID|2||C\rPD1||\rMRG|D|||P2\r"});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].prior[0].id, "B");
  EXPECT_EQ(all[1].ids[0].id, "C");
  EXPECT_EQ(all[1].prior[0].id, "D");
  EXPECT_EQ(all[1].prior_person, "|P2");
}

TEST(IdentityEvent, ReadsLinksWithTwoPidAndOddSeparators) {
  const Event e = only("MSH^~|\\&^S^F^R^F^20120918^^ADT~A24^1^P^2.4\rPID^1^^11111~~~FOO\r\nPID^2^^22222~~~FOO\r\n");
  EXPECT_EQ(e.kind, EventKind::link);
  EXPECT_EQ(e.ids[0].id, "11111");
  EXPECT_EQ(e.prior[0].id, "22222");
}

TEST(IdentityEvent, KnowsEveryTriggerOfTheDomainRules) {
  const std::vector<std::pair<std::string, EventKind>> triggers = {
      {"A01", EventKind::create},         {"A04", EventKind::create},         {"A05", EventKind::create},
      {"A28", EventKind::create},         {"A02", EventKind::refresh},        {"A03", EventKind::refresh},
      {"A08", EventKind::refresh},        {"A31", EventKind::refresh},        {"A18", EventKind::merge},
      {"A34", EventKind::merge},          {"A39", EventKind::merge},          {"A40", EventKind::merge},
      {"A35", EventKind::change_account}, {"A36", EventKind::change_account}, {"A41", EventKind::change_account},
      {"A42", EventKind::change_account}, {"A49", EventKind::change_account}, {"A50", EventKind::change_account},
      {"A51", EventKind::change_account}, {"A48", EventKind::rename},         {"A43", EventKind::move_identifier},
      {"A44", EventKind::move_account},   {"A45", EventKind::move_visit},     {"A46", EventKind::rename},
      {"A47", EventKind::rename},         {"A24", EventKind::link},           {"A37", EventKind::unlink},
      {"A23", EventKind::remove},         {"A29", EventKind::remove}};
  for (const auto& [trigger, kind] : triggers)
    EXPECT_EQ(only(test::adt(trigger, "20240101", "1")).kind, kind) << trigger;
  EXPECT_TRUE(test::events({kHead + "ORM^O01|1|P|2.5\rPID|1||1\r"}).empty());
}

TEST(IdentityEvent, ReadsTheNumberWhereverPidGivesIt) {
  for (const std::string pid : {"||77^^^H^MR", "|77^^^H^MR|", "|||77^^^H^MR", "||\"\"~77^^^h^mrn"})
    EXPECT_EQ(only(kHead + "ADT^A08|1|P|2.5\rPID|1" + pid + "\r").ids, (std::vector<PatientId>{{"H", "77", ""}}))
        << pid;
}

TEST(IdentityEvent, NullInEveryComponentClearsLikeNullInTheField) {
  EXPECT_TRUE(only(kHead + "ADT^A08|1|P|2.5\rPID|1||1||\"\"^\"\"\r").demographics.name.given);
  EXPECT_FALSE(only(kHead + "ADT^A08|1|P|2.5\rPID|1||1||^\r").demographics.name.given);
  EXPECT_EQ(only(kHead + "ADT^A08|1|P|2.5\rPID|1||1||DOE^\"\"\r").demographics.name.value, "DOE");
}

TEST(IdentityEvent, TakesAMrgThatStandsBeforeItsPid) {
  const Event e = only(kHead + "ADT^A40|1|P|2.5\rMRG|B\rPID|1||A\r");
  ASSERT_EQ(e.prior.size(), 1U);
  EXPECT_EQ(e.prior[0].id, "B");
}

TEST(IdentityEvent, OfSeveralNumbersThePlainOneOfTheOwnAuthorityComesFirst) {
  const std::string text =
      kHead + "ADT^A08|1|P|2.5\rPID|1||E1^^^ENTERPRISE^EPI~N1^^^NORTH^MR~S1^^^SOUTH^MR~X9^^^2.16.1^NI\r";
  const auto texts = [&](const Site& site) {
    std::string out;
    for (const auto& id : only(text, site).ids) out += id.id + " ";
    return out;
  };
  EXPECT_EQ(texts({}), "N1 S1 E1 X9 ");
  EXPECT_EQ(texts({"south"}), "S1 N1 E1 X9 ");
  EXPECT_EQ(texts({"enterprise"}), "N1 S1 E1 X9 ");
}

TEST(IdentityEvent, ReadsSexesInLettersAndWords) {
  const auto sex = [](const std::string& pid8) {
    return only(kHead + "ADT^A08|1|P|2.5\rPID|1||1|||||" + pid8 + "\r").demographics.sex.value;
  };
  for (const std::string male : {"M", "m", "Male", "MALE^Male^HL70001"}) EXPECT_EQ(sex(male), "M") << male;
  for (const std::string female : {"F", "female", "F^Female^HL70001"}) EXPECT_EQ(sex(female), "F") << female;
  for (const std::string other : {"O", "A", "N", "Other"}) EXPECT_EQ(sex(other), "O") << other;
  for (const std::string unknown : {"U", "unknown", "1", ""}) EXPECT_EQ(sex(unknown), "") << unknown;
}

TEST(IdentityEvent, AMergeOrMoveWithoutPidIsKeptForAPerson) {
  for (const std::string trigger : {"A40", "A47", "A43", "A44", "A24"}) {
    const Event e = only(kHead + "ADT^" + trigger + "|1|P|2.5\rEVN|" + trigger + "|20240101\rMRG|B^^^H\r");
    EXPECT_TRUE(e.ids.empty());
    EXPECT_EQ(e.prior, (std::vector<PatientId>{{"H", "B", ""}})) << trigger;
  }
  EXPECT_TRUE(only(kHead + "ADT^A40|1|P|2.5\rEVN|A40|20240101\r").prior.empty());
  EXPECT_TRUE(test::events({kHead + "ADT^A08|1|P|2.5\rEVN|A08|20240101\r"}).empty());
}

TEST(IdentityEvent, MrgSegmentsBeforeSeveralPidsAreGivenToNoneOfThem) {
  const auto all = test::events({kHead + "ADT^A40|1|P|2.5\rMRG|B\rPID|1||A||DOE^EVA\rMRG|D\rPID|2||C\r"});
  ASSERT_EQ(all.size(), 4U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(all[i].kind, EventKind::merge);
    EXPECT_TRUE(all[i].ids.empty());
    EXPECT_EQ(all[i].prior[0].id, i == 0 ? "B" : "D");
    EXPECT_EQ(all[i + 2].kind, EventKind::refresh);
    EXPECT_TRUE(all[i + 2].prior.empty());
  }
  EXPECT_EQ(all[2].demographics.name.value, "DOE^EVA");
}

TEST(IdentityEvent, ATriggerEventWithoutMessageCodeIsAnAdt) {
  EXPECT_EQ(only(kHead + "^A40|1|P|2.5\rPID|1||A\rMRG|B\r").kind, EventKind::merge);
  EXPECT_TRUE(test::events({kHead + "QRY^A19|1|P|2.5\rPID|1||A\r"}).empty());
  EXPECT_TRUE(test::events({kHead + "^O01|1|P|2.5\rPID|1||A\r"}).empty());
}

}  // namespace
}  // namespace waybill::identity
