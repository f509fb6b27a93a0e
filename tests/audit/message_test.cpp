// SPDX-License-Identifier: Apache-2.0
// Messages against the schema of PS3.15 A.5.1 by xmllint, and their envelope against RFC 5424.
#include "audit/event.hpp"
#include "audit/gaps.hpp"
#include "support.hpp"
#include "support/exits.hpp"

namespace waybill::audit {
namespace {

using test::contains;
using test::fault_of;

Route route() { return {"dicom://PACS@10.0.0.7:104", "PACS", "10.0.0.7", "WAYBILL"}; }

StudyPart study() {
  StudyPart part{"1.2.3", "A-77", {"4711", "HOSP", "Müller^Änne"}};
  part.classes = {{"1.2.840.10008.5.1.4.1.1.2", 12}, {"1.2.840.10008.5.1.4.1.1.88.67", 1}};
  return part;
}

std::vector<Message> all_messages() {
  return {application_start(),
          application_stop(Outcome::minor, 7, 1),
          begin_transfer(route(), study()),
          transferred(route(), study(), Outcome::success, ""),
          transferred(route(), study(), Outcome::minor, "refused"),
          query(route(), "1.2.3", Outcome::success),
          accessed('R', study()),
          accessed('U', study()),
          imported("CD-17", {study(), study()}),
          exported("/backup", {}),
          patient_record(study(), {"old", "HOSP", "Mueller^Aenne"}),
          procedure_record(study()),
          log_used("/var/log/audit"),
          security_alert(Alert::node_authentication, "dicoms://X@h:1", "no certificate"),
          security_alert(Alert::integrity, "a.wb", "frame 3"),
          security_alert(Alert::recording_gap, "/spool", "run x lacks message 3")};
}

TEST(AuditMessage, EveryEventValidatesAgainstTheSchema) {
  for (const Message& message : all_messages()) {
    const std::string xml = to_xml(message, "waybill@host");
    EXPECT_EQ(fault_of(xml), "") << xml;
    EXPECT_FALSE(contains(xml, "\n"));
  }
}

TEST(AuditMessage, TheSchemaRefusesWhatIsNoAuditMessage) {
  const std::string good = to_xml(application_start(), "s");
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  EXPECT_NE(fault_of(changed("EventOutcomeIndicator=\"0\"", "EventOutcomeIndicator=\"1\"")), "");
  EXPECT_NE(fault_of(changed("UserIsRequestor=\"false\"", "")), "");
  EXPECT_NE(fault_of(changed(" originalText=\"Application Start\"", "")), "");
  const std::string::size_type zone = good.find("Z\"", good.find("EventDateTime"));
  EXPECT_NE(fault_of(good.substr(0, zone) + good.substr(zone + 1)), "") << "no time zone";
}

TEST(AuditMessage, HostileNamesStayTextInValidXml) {
  for (const std::string name : {"<script>&\"'^]]>", "a\nb\tc\x01\x1b", "bad \xFF\xC0\x80 utf-8",
                                 "\xEF\xBF\xBF\xEF\xBF\xBE", "]]><x y='", "\xE2\x80\xAE rtl \xF0\x9F\x98\x80"}) {
    StudyPart part = study();
    part.patient = {name, name, name};
    part.accession = part.uid = name;
    const std::string xml = to_xml(begin_transfer(route(), part), name);
    EXPECT_EQ(fault_of(xml), "") << xml;
    EXPECT_FALSE(contains(xml, "<script>"));
  }
}

TEST(AuditMessage, ATransferNamesBothNodesTheStudyAndOnePatient) {
  const std::string xml = to_xml(transferred(route(), study(), Outcome::success, ""), "s");
  for (const char* part : {"csd-code=\"110104\"", "EventActionCode=\"R\"", "csd-code=\"110153\"", "csd-code=\"110152\"",
                           "AETITLES=WAYBILL", "AETITLES=PACS", "NetworkAccessPointID=\"10.0.0.7\"",
                           "NetworkAccessPointTypeCode=\"2\"", "csd-code=\"110180\"", "ParticipantObjectID=\"1.2.3\"",
                           "ParticipantObjectID=\"4711^^^HOSP\"", "<Accession Number=\"A-77\"/>",
                           "<SOPClass UID=\"1.2.840.10008.5.1.4.1.1.2\" NumberOfInstances=\"12\"/>", "Müller^Änne"}) {
    EXPECT_TRUE(contains(xml, part)) << part << "\n" << xml;
  }
}

TEST(AuditSyslog, TheEnvelopeIsThatOfRfc5424AndComesBack) {
  const std::string xml = to_xml(application_start(), "s");
  const std::string message = to_syslog({"2026-03-01T12:00:00.000001Z", "host name", "waybill-scan", "run-1", 42}, xml);
  EXPECT_TRUE(
      message.starts_with("<85>1 2026-03-01T12:00:00.000001Z host_name waybill-scan run-1 DICOM+RFC3881 "
                          "[meta sequenceId=\"42\"] \xEF\xBB\xBF<?xml"))
      << message.substr(0, 150);
  const auto back = from_syslog(message);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->envelope.sequence, 42U);
  EXPECT_EQ(back->envelope.run, "run-1");
  EXPECT_EQ(back->xml, xml);
  EXPECT_EQ(framed("abc"), "3 abc");
  for (const char* other :
       {"", "<85>1 ", "<34>1 - - - - - - x", "<85>1 a b c d DICOM+RFC3881 [meta sequenceId=\"0\"] x"})
    EXPECT_FALSE(from_syslog(other)) << other;
}

TEST(AuditGaps, MissingAndRepeatedNumbersAndRunsWithoutAStopAreFound) {
  const test::TempFolder folder;
  const std::string start = to_xml(application_start(), "s"),
                    stop = to_xml(application_stop(Outcome::success, 0, 0), "s");
  {
    std::ofstream out(folder / "log");
    const auto put = [&](const char* run, std::uint64_t n, const std::string& xml) {
      out << to_syslog({"2026-03-01T12:00:00Z", "h", "p", run, n}, xml) << '\n';
    };
    put("whole", 1, start), put("gap", 1, start), put("whole", 2, start), put("gap", 3, start), put("whole", 2, start);
    put("whole", 3, stop), put("gap", 7, stop), put("open", 1, start), put("late", 2, stop);
    out << "something else\n";
  }
  const GapReport report = find_gaps({(folder / "log").string()});
  EXPECT_EQ(report.runs, 4U);
  EXPECT_EQ(report.messages, 9U);
  EXPECT_EQ(report.repeated, 1U);
  EXPECT_EQ(report.other_lines, 1U);
  EXPECT_EQ(report.gaps, (std::vector<std::string>{"run gap lacks message 2", "run gap lacks messages 4 to 6",
                                                   "run late lacks message 1"}));
  EXPECT_EQ(report.open, (std::vector<std::string>{"run open"}));
  EXPECT_EQ(test::exit_of([&] { (void)find_gaps({(folder / "none").string()}); }), Exit::input);
}

}  // namespace
}  // namespace waybill::audit
