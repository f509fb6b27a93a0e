// SPDX-License-Identifier: Apache-2.0
// waybill-probe, reading only, against real DICOM nodes; what it says of them is held against what other programs find.
#include "support/certificates.hpp"
#include "support/free_port.hpp"
#include "support/probing.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using Pairs = std::set<std::pair<std::string, std::string>>;

constexpr const char* kProfile =
    "[[TransferSyntaxes]]\n[Plain]\nTransferSyntax1 = LittleEndianExplicit\nTransferSyntax2 = LittleEndianImplicit\n"
    "[Lossless]\nTransferSyntax1 = JPEGLossless:Non-hierarchical-1stOrderPrediction\nTransferSyntax2 = "
    "LittleEndianImplicit\n[[PresentationContexts]]\n[All]\nPresentationContext1 = CTImageStorage\\Lossless\n"
    "PresentationContext2 = SecondaryCaptureImageStorage\\Plain\nPresentationContext3 = VerificationSOPClass\\Plain\n"
    "[[Profiles]]\n[Default]\nPresentationContexts = All\n";

/// DCMTK's storescp, which takes CT in JPEG lossless and implicit, Secondary Capture natively, and nothing else.
class StoreScp {
 public:
  StoreScp() {
    std::ofstream(folder_ / "scp.cfg") << kProfile;
    program_.emplace(std::vector<std::string>{"storescp", "-xf", (folder_ / "scp.cfg").string(), "Default", "-od",
                                              folder_.path().string(), "--fork", std::to_string(port_)},
                     folder_ / "scp.log");
    if (!test::wait_for_port(port_)) throw std::runtime_error("storescp: " + test::slurp(folder_ / "scp.log"));
  }
  [[nodiscard]] std::string url() const { return "dicom://SCP@127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  test::TempFolder folder_;
  const int port_ = test::free_port();
  std::optional<test::Program> program_;
};

/// Class and transfer syntax of what the acceptance that storescu prints has granted, by DCMTK's names.
Pairs granted_in(const std::string& dump) {
  Pairs pairs;
  std::istringstream lines(dump.substr(std::min(dump.size(), dump.find("BEGIN A-ASSOCIATE-AC"))));
  std::string sop_class;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t name = line.find('=');
    if (line.find("Abstract Syntax:") != std::string::npos) sop_class = line.substr(name + 1);
    if (line.find("Accepted Transfer Syntax:") != std::string::npos) pairs.insert({sop_class, line.substr(name + 1)});
  }
  return pairs;
}

class ProbePeers : public test::Probing {
 protected:
  /// A file of one study of that day.
  test::fs::path file(int number, const std::string& day) {
    using dicom::tag;
    const std::string study = "1.2.3." + std::to_string(number), instance = study + ".1.1";
    test::DicomBuilder b;
    b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", instance);
    b.text(tag(0x0008, 0x0020), "DA", day).text(tag(0x0010, 0x0010), "PN", "QUOKKAVILLE^Q");
    b.text(tag(0x0010, 0x0020), "LO", "MRNX" + std::to_string(number));
    b.text(tag(0x0020, 0x000D), "UI", study).text(tag(0x0020, 0x000E), "UI", study + ".1");
    const test::fs::path path = folder_ / (instance + ".dcm");
    std::ofstream(path, std::ios::binary)
        << test::DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", instance);
    return path;
  }
  /// Stores that many studies, a day each, with DCMTK's storescu.
  void fill(int port, int studies) {
    for (int i = 0; i < studies; ++i) {
      const std::string day = "2024010" + std::to_string(i + 1);
      const test::Ran ran = test::run({"storescu", "127.0.0.1", std::to_string(port), file(i + 1, day).string()},
                                      folder_ / "storescu.log");
      ASSERT_EQ(ran.exit, 0) << ran.text;
    }
  }
};

}  // namespace

TEST_F(ProbePeers, OrthancIsDescribedAndNothingIsStoredThere) {
  const test::Orthanc orthanc;
  const test::Ran ran = probe(orthanc.url());
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(ask(".association.implementation_version"), "OFFIS_DCMTK_367");
  EXPECT_EQ(ask("[.services[]|select(.granted|not)]|length"), "0");
  EXPECT_GT(std::stoi(ask(".storage|length")), 150);
  EXPECT_EQ(ask(".at_once.opened"), "8");
  EXPECT_EQ(ask(".lists.honours_uid"), "true");
  EXPECT_EQ(ask("has(\"duplicates\") or has(\"throughput\") or has(\"left_at_peer\")"), "false");
  EXPECT_EQ(orthanc.stores(), 0U);
  EXPECT_NE(ran.text.find("[load]\n  to = \"" + orthanc.url() + "\""), std::string::npos) << ran.text;
}

TEST_F(ProbePeers, ThePublishedExampleIsAProfile) {
  EXPECT_EQ(against_schema(test::environment("WAYBILL_SOURCE") + "/manifests/examples/peer-profile.json"), "");
  std::ofstream(folder_ / "other.json") << "{\"kind\":\"peer-profile\",\"patient_name\":\"X\"}";
  EXPECT_NE(against_schema(folder_ / "other.json"), "") << "the schema refuses something";
}

TEST_F(ProbePeers, WhatItFindsGrantedIsWhatStorescuIsGranted) {
  const StoreScp scp;
  EXPECT_EQ(probe(scp.url()).exit, 0);
  EXPECT_EQ(ask("[.storage[]|select(.accepted!=[])|[.name,.accepted]]"),
            "[[\"CTImageStorage\",[\"1.2.840.10008.1.2\",\"1.2.840.10008.1.2.4.70\"]],"
            "[\"SecondaryCaptureImageStorage\",[\"1.2.840.10008.1.2\",\"1.2.840.10008.1.2.1\"]]]");
  EXPECT_EQ(
      ask(".storage[]|select(.name==\"CTImageStorage\").refused[]|select(.transfer_syntax==\"1.2.840.10008.1.2.1\")"
          "|.reason"),
      "the transfer syntax is not supported");
  const test::Ran dump = test::run({"storescu", "-d", "-xs", "127.0.0.1", scp.port(), file(1, "20240101").string()},
                                   folder_ / "storescu.log");
  EXPECT_EQ(dump.exit, 0) << dump.text;
  EXPECT_EQ(granted_in(dump.text), (Pairs{{"CTImageStorage", "JPEGLossless:Non-hierarchical-1stOrderPrediction"},
                                          {"CTImageStorage", "LittleEndianImplicit"},
                                          {"SecondaryCaptureImageStorage", "LittleEndianExplicit"}}))
      << "one syntax of each of its contexts, the first that fits";
}

TEST_F(ProbePeers, ForAManifestItSaysWhatLoadWouldDoAndLoadSaysTheSame) {
  const StoreScp scp;
  auto objects = test::make_archive(folder_, 1, 2);
  manifest::Header header;
  header.stage = "scan";
  header.run = "00000000-0000-4000-8000-000000000000";
  header.tool = "waybill test";
  header.created = "2026-01-01T00:00:00Z";
  {
    manifest::Writer writer(folder_ / "mixed.wb", header);
    const auto add = [&](int number, const std::string& sop_class, const std::string& syntax) {
      manifest::Object object = objects.front();
      object.sop_instance = "1.2.9." + std::to_string(number);
      object.source.path += std::to_string(number);
      object.id = manifest::object_id(object.source);
      object.sop_class = sop_class;
      object.transfer_syntax = syntax;
      writer.append_record(object);
    };
    const std::string ct = "1.2.840.10008.5.1.4.1.1.2", sc = "1.2.840.10008.5.1.4.1.1.7";
    add(1, ct, "1.2.840.10008.1.2.4.70");  // taken
    add(2, ct, "1.2.840.10008.1.2.4.80");  // JPEG-LS: load would write implicit
    add(3, ct, "1.2.840.10008.1.2.4.80");
    add(4, sc, "1.2.840.10008.1.2.4.50");                        // lossy: nothing but this keeps it
    add(5, "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1");  // MR: in no syntax
    writer.finish("{}");
  }
  const test::Ran ran = probe(scp.url(), {"--for", at("mixed.wb")});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(ask("[.manifest.needs[]|[.name,.transfer_syntax[18:],.objects,.granted,.instead]]"),
            "[[\"CTImageStorage\",\"4.70\",1,true,null],"
            "[\"CTImageStorage\",\"4.80\",2,false,\"1.2.840.10008.1.2\"],"
            "[\"MRImageStorage\",\"1\",1,false,null],"
            "[\"SecondaryCaptureImageStorage\",\"4.50\",1,false,null]]");
  EXPECT_EQ(ask(".manifest.not_taken"), "2");
  EXPECT_EQ(ask("[.storage[].name]"), "[\"CTImageStorage\",\"MRImageStorage\",\"SecondaryCaptureImageStorage\"]");
  EXPECT_NE(ask(".advice.notes[]").find("waybill transcode --to jpeg-lossless"), std::string::npos);
  const test::Ran preview =
      test::run({test::tool("load"), at("mixed.wb"), "--to", scp.url(), "--dry-run", "--json"}, folder_ / "load.log");
  EXPECT_EQ(preview.exit, 1);
  EXPECT_NE(preview.text.find("\"refused\":2"), std::string::npos) << preview.text;
}

TEST_F(ProbePeers, SeesThroughAPeerThatGrantsFewContextsAtATime) {
  const test::SimPacs pacs("[node]\ncontexts = 20\nassociations = 3\nwindow = 4\nstorage_level = 1\n");
  EXPECT_EQ(probe(pacs.url()).exit, 0);
  EXPECT_EQ(ask(".association.contexts_limit"), "20");
  EXPECT_EQ(ask("[.storage[]|select(.refused!=[])]|length"), "0") << "nothing is refused for good";
  EXPECT_EQ(ask(".association.window|[.answered,.invoked]"), "[true,4]");
  EXPECT_EQ(ask("[.storage[].level]|unique"), "[1]");
  EXPECT_EQ(ask(".at_once.opened"), "3");
  EXPECT_EQ(ask(".advice.load.associations"), "3");
}

TEST_F(ProbePeers, AsksLessAtATimeOfAPeerThatBreaksOffAtLongProposals) {
  const test::SimPacs pacs;
  const std::string port_file = at("port");
  const test::Program proxy({test::environment("WAYBILL_SOURCE") + "/tests/support/short-sighted",
                             std::to_string(pacs.port()), "40", port_file},
                            folder_ / "proxy.log");
  ASSERT_TRUE(test::wait_until([&] { return test::fs::exists(port_file); }));
  const test::Ran ran = probe("dicom://SIMPACS@127.0.0.1:" + test::slurp(port_file));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(ask(".association.proposals_limit"), "28") << "a quarter of four classes with 28 syntaxes each";
  EXPECT_EQ(ask("[.storage[]|.accepted|length]|unique"), "[28]");
  EXPECT_GT(std::stoi(ask(".storage|length")), 150);
}

TEST_F(ProbePeers, ProvesALimitOfListsWhetherTheyEndInSilenceOrNot) {
  test::SimPacs pacs;
  fill(pacs.port(), 8);
  EXPECT_EQ(probe(pacs.url()).exit, 0);
  EXPECT_EQ(ask(".lists|[.listed,.limit,.counts_right,.relational]"), "[8,null,true,true]");
  EXPECT_EQ(probe(pacs.url(), {"--list", "3"}).exit, 0);
  EXPECT_EQ(ask(".lists|[.listed,.limit]"), "[3,null]") << "it was us who ended the list";
  EXPECT_EQ(pacs.stop(), 0);
  pacs.start("[[rule]]\non = \"find\"\nmost = 5\n");
  EXPECT_EQ(probe(pacs.url()).exit, 0);
  EXPECT_EQ(ask(".lists|[.listed,.limit,.status]"), "[5,5,\"0000\"]");
  EXPECT_EQ(pacs.stop(), 0);
  pacs.start("[[rule]]\non = \"find\"\nmost = 5\nstatus = 0xB001\n");
  EXPECT_EQ(probe(pacs.url()).exit, 0);
  EXPECT_EQ(ask(".lists|[.listed,.limit,.status]"), "[5,5,\"b001\"]");
}

TEST_F(ProbePeers, SaysNothingOfThePatientsThatThePeerHas) {
  const test::Orthanc orthanc;
  fill(orthanc.dicom_port(), 4);
  const test::Ran ran = probe(orthanc.url());
  EXPECT_EQ(ask(".lists.listed"), "4");
  for (const std::string word : {"QUOKKAVILLE", "MRNX", "1.2.3.1", "20240101"}) {
    EXPECT_EQ(ran.text.find(word), std::string::npos) << word;
    EXPECT_EQ(test::slurp(folder_ / "profile.json").find(word), std::string::npos) << word;
  }
}

TEST_F(ProbePeers, ComesInByTlsAloneWhereThatIsAsked) {
  const test::Certificates certificates;
  test::SimPacs pacs;
  EXPECT_EQ(pacs.stop(), 0);
  pacs.start("", {"--tls-cert", (certificates / "good.pem").string(), "--tls-key", (certificates / "good.key").string(),
                  "--tls-ca", (certificates / "ca.pem").string()});
  const std::string url = "dicoms://SIMPACS@127.0.0.1:" + std::to_string(pacs.port());
  const std::vector<std::string> ours{"--tls-cert", (certificates / "client.pem").string(), "--tls-key",
                                      (certificates / "client.key").string()};
  std::vector<std::string> right = ours, wrong = ours;
  right.insert(right.end(), {"--tls-ca", (certificates / "ca.pem").string()});
  wrong.insert(wrong.end(), {"--tls-ca", (certificates / "other.pem").string()});
  const test::Ran ran = probe(url, right);
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(probe(url, wrong).exit, 4);
  EXPECT_FALSE(test::fs::exists(folder_ / "profile.json"));
}

}  // namespace waybill
