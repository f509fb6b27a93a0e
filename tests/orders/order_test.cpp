// SPDX-License-Identifier: Apache-2.0
#include "orders/order.hpp"
#include "orders/book.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>

namespace waybill::orders {
namespace {

std::vector<Order> read(const std::string& message) {
  std::vector<Order> out;
  hl7::Intake intake([&](hl7::Message& m, const hl7::Origin& o) {
    for (auto& order : orders_of(m, o, {})) out.push_back(std::move(order));
  });
  intake.read_bytes("t", message);
  return out;
}

/// An OBR from its fields by number.
std::string obr(const std::map<int, std::string>& fields) {
  std::string out = "OBR";
  for (int n = 1; n <= fields.rbegin()->first; ++n) out += "|" + (fields.count(n) > 0 ? fields.at(n) : std::string());
  return out + "\r";
}

std::string head(const std::string& type, const std::string& time = "20240501120000") {
  return "MSH|^~\\&|RIS|SITE1|||" + time + "||" + type + "|" + time +
         "|P|2.5\rPID|1||77^^^H^MR~99^^^MPI||DOE^JANE||19700304|F||||||||||ACC9\rPV1|1|O|||||||||||||||||V1^^^VIS\r";
}

TEST(Orders, ReadAnOrderOfTheIheProfileWithItsStudyUid) {
  const auto all = read(head("ORM^O01") + "ORC|NW|P1|F1||SC||^^^20240502083000\r" +
                        obr({{2, "P1"}, {3, "F1"}, {4, "CTH^CT Head"}, {18, "A100"}, {24, "CT"}}) +
                        "ZDS|1.2.840.99.5^100^Application^DICOM\r");
  ASSERT_EQ(all.size(), 1U);
  const Order& o = all[0];
  EXPECT_EQ(o.patient, (identity::PatientId{"H", "77", ""}));
  EXPECT_EQ(o.other_ids[0].id, "99");
  EXPECT_EQ(o.accession, "A100");
  EXPECT_EQ(o.study_uid, "1.2.840.99.5");
  EXPECT_EQ(o.placer + o.filler + o.modality + o.description, "P1F1CTCT Head");
  EXPECT_EQ(o.date, "20240502");
  EXPECT_EQ(o.clock, "083000");
  EXPECT_EQ(o.state, State::planned);
  EXPECT_EQ(o.account, "|ACC9");
  EXPECT_EQ(o.visit, "VIS|V1");
}

TEST(Orders, ReadImagingOrdersByTheirIpcSegment) {
  const auto all = read(head("OMI^O23") +
                        "ORC|SC|P1|F1||CM\rTQ1|||||||20240503\rOBR|1|P1|F1|X\rIPC|A1|RP|1.2.3.4|SPS|MR\r"
                        "ORC|SC|P2|F2||CM\rOBR|2|P2|F2|Y\rIPC|A2|RP|1.2.3.5|SPS|CT\r");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].accession.str() + all[0].study_uid + all[0].modality, "A11.2.3.4MR");
  EXPECT_EQ(all[1].accession.str() + all[1].study_uid + all[1].modality, "A21.2.3.5CT");
  EXPECT_EQ(all[0].state, State::performed);
}

TEST(Orders, AZdsThatHoldsNoUidIsNotTakenForOne) {
  EXPECT_EQ(read(head("ORU^R01") + "OBR|1|P|F|X\rZDS|1|1|Discharge summary\r")[0].study_uid, "");
  EXPECT_EQ(read(head("ORU^R01") + "OBR|1|P|F|X\rZDS|1.2..3^^Application^DICOM\r")[0].study_uid, "");
}

TEST(Orders, AReportProvesAnExamAndTheFillersNumberStandsInForTheAccession) {
  const auto all =
      read(head("ORU^R01") + "OBR|1|P1|F1|CTH^CT Head|||202405011015||||||||||||||||||F\rOBX|1|TX|R||ok\r");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].accession, "F1");
  EXPECT_EQ(all[0].state, State::performed);
  EXPECT_EQ(all[0].date.str() + all[0].clock, "20240501101500");
  EXPECT_EQ(read(head("ORU^R01") + "OBR|1||12345678901234567|X\r")[0].accession, "");
}

TEST(Orders, KnowTheWaysAnOrderIsCancelled) {
  for (const char* orc : {"ORC|CA|P1|F1", "ORC|DC|P1|F1", "ORC|OC|P1|F1", "ORC|XO|P1|F1||CA", "ORC|SC|P1|F1||DC"})
    EXPECT_EQ(read(head("ORM^O01") + orc + "\rOBR|1|P1|F1|X\r")[0].state, State::cancelled) << orc;
  EXPECT_EQ(read(head("ORM^O01") + "ORC|CA|P1|F1\r")[0].state, State::cancelled);
}

TEST(Orders, AnAppointmentCountsWhenItNamesItsOrder) {
  const std::string sch = "SCH|S1|S2|||||||||^^^20240510090000|||||||||||||||P7|F7\r";
  const std::string message =
      "MSH|^~\\&|RIS|S|||20240501||SIU^S12|1|P|2.5\r" + sch + "PID|1||77^^^H\rAIS|1|A|CTH^CT Head\r";
  ASSERT_EQ(read(message).size(), 1U);
  EXPECT_EQ(read(message)[0].placer + read(message)[0].date, "P720240510");
  EXPECT_TRUE(read(head("SIU^S12")).empty());
}

TEST(Orders, OtherMessagesHoldNone) { EXPECT_TRUE(read(head("ADT^A01") + "OBR|1|P|F\r").empty()); }

TEST(OrderBook, KeepsTheLatestOfEachAttributeWhateverTheOrderOfArrival) {
  std::vector<std::string> messages = {
      head("ORM^O01", "20240501") + "ORC|NW|P1|F1||SC\r" +
          obr({{2, "P1"}, {3, "F1"}, {4, "CTH^CT Head"}, {18, "A1"}, {24, "CT"}}) + "ZDS|1.2.3.4\r",
      head("ORM^O01", "20240502") + "ORC|XO|P1|F1\r" + obr({{2, "P1"}, {3, "F1"}, {4, "CTB^CT Body"}, {18, "A1"}}),
      head("ORU^R01", "20240503") + obr({{2, "P1"}, {3, "F1"}, {7, "20240502101500"}, {18, "A1"}, {25, "F"}}),
      head("ORM^O01", "20240401") + "ORC|CA|P1|F1\r" + obr({{2, "P1"}, {3, "F1"}, {4, "OLD^Old"}, {18, "A1"}})};
  std::sort(messages.begin(), messages.end());
  do {
    Book book;
    for (const auto& m : messages)
      for (const auto& o : read(m)) book.add(o);
    ASSERT_EQ(book.size(), 1U);
    const Order o = book.at(0);
    EXPECT_EQ(o.description, "CT Body");
    EXPECT_EQ(o.study_uid, "1.2.3.4");
    EXPECT_EQ(o.modality, "CT");
    EXPECT_EQ(o.state, State::performed);
    EXPECT_EQ(o.date, "20240502");
    EXPECT_TRUE(o.report);
  } while (std::next_permutation(messages.begin(), messages.end()));
}

TEST(OrderBook, OneAccessionOfTwoPatientsIsTwoExams) {
  Book book;
  for (const char* id : {"1", "2"}) {
    Order o;
    o.accession = "A1";
    o.patient = {"H", id, ""};
    book.add(o);
  }
  EXPECT_EQ(book.size(), 2U);
}

TEST(Orders, EachOrderHasTheStudyUidOfItsOwnZds) {
  const auto all =
      read(head("ORM^O01") + "ORC|NW|P1|F1\r" + obr({{2, "P1"}, {18, "A1"}}) + "ZDS|1.2.3.1^^Application\r" +
           "ORC|NW|P2|F2\r" + obr({{2, "P2"}, {18, "A2"}}) + "ZDS|1.2.3.2^^Application\r");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].accession + all[0].study_uid, "A11.2.3.1");
  EXPECT_EQ(all[1].accession + all[1].study_uid, "A21.2.3.2");
}

TEST(Orders, TheOnlyZdsBelongsToAllStepsOfOneExamButNotToAnotherExam) {
  const std::string first = "ORC|NW|P1|F1\r" + obr({{2, "P1"}, {18, "A1"}}), zds = "ZDS|1.2.3.1^^Application\r";
  const auto same = read(head("ORM^O01") + first + "ORC|NW|P2|F2\r" + obr({{2, "P2"}, {18, "A1"}}) + zds);
  ASSERT_EQ(same.size(), 2U);
  EXPECT_EQ(same[0].study_uid, "1.2.3.1");
  const auto other = read(head("ORM^O01") + first + "ORC|NW|P2|F2\r" + obr({{2, "P2"}, {18, "A2"}}) + zds);
  ASSERT_EQ(other.size(), 2U);
  EXPECT_EQ(other[0].study_uid, "");
  EXPECT_EQ(other[1].study_uid, "1.2.3.1");
}

TEST(Orders, StepsOfOneProcedureAreOneExamAndThoseOfAnotherOneMore) {
  const auto all = read(head("OMI^O23") + "ORC|NW|P1|F1\rTQ1|||||||20240503\rOBR|1|P1|F1|X|||20240601\r" +
                        "IPC|A1|RP1|1.2.3.4|S1|MR\rIPC|A1|RP1|1.2.3.4|S2|MR\rIPC|A2|RP2|1.2.3.5|S3|CT\r");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].accession + all[0].study_uid + all[0].modality, "A11.2.3.4MR");
  EXPECT_EQ(all[1].accession + all[1].study_uid + all[1].modality, "A21.2.3.5CT");
  EXPECT_EQ(all[0].date, "20240503") << "TQ1 stands between ORC and OBR";
}

TEST(Orders, BelongToThePlainNumberOfTheOwnAuthorityWhereverPidGivesIt) {
  const auto patient = [](const std::string& pid, const identity::Site& site) {
    std::vector<Order> out;
    hl7::Intake intake([&](hl7::Message& m, const hl7::Origin& o) { out = orders_of(m, o, site); });
    intake.read_bytes("t", "MSH|^~\\&|RIS|S|||2024||ORM^O01|1|P|2.3.1\rPID|1|" + pid + "\rORC|NW|P1|F1\r" +
                               obr({{3, "F1"}, {18, "A1"}}));
    return out.size() == 1 ? std::string(out[0].patient.id) + " +" + std::to_string(out[0].other_ids.size()) : "";
  };
  EXPECT_EQ(patient("|E1^^^ENTERPRISE^EPI~77^^^H^MR~88^^^K^MR", {}), "77 +2");
  EXPECT_EQ(patient("|E1^^^ENTERPRISE^EPI~77^^^H^MR~88^^^K^MR", {"K"}), "88 +2");
  EXPECT_EQ(patient("||99^^^H", {}), "99 +0");
}

TEST(Orders, TestsOfTheLaboratoryAreNoExams) {
  const auto with_section = [](const std::string& section, const std::string& more) {
    return read(head("ORU^R01") + obr({{2, "P1"}, {3, "F1"}, {24, section}}) + more).size();
  };
  EXPECT_EQ(with_section("LAB", ""), 0U);
  EXPECT_EQ(with_section("HM", ""), 0U);
  EXPECT_EQ(with_section("RAD", ""), 1U);
  EXPECT_EQ(with_section("", ""), 1U);
  EXPECT_EQ(with_section("LAB", "ZDS|1.2.3.4^^Application^DICOM\r"), 1U) << "a study is one";
}

}  // namespace
}  // namespace waybill::orders
