// SPDX-License-Identifier: Apache-2.0
// waybill-probe --write: the script of duplicates and the measurement, at archives whose policy is known.
#include "support/free_port.hpp"
#include "support/probing.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

class ProbeWrite : public test::Probing {
 protected:
  test::Ran write(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"--write", "--objects", "0"};
    words.insert(words.end(), more.begin(), more.end());
    return probe(url, words);
  }
};

}  // namespace

TEST_F(ProbeWrite, OrthancIgnoresWhatItHasAndKeepsWhatStandsElsewhere) {
  const test::Orthanc orthanc;
  const test::Ran ran = probe(orthanc.url(), {"--write", "--objects", "8", "--associations", "4"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(policies(), "stored no-effect ignored ignored kept-both stored stored ignored no-effect");
  EXPECT_EQ(ask("[.duplicates[].status]|unique"), "[\"0000\"]");
  EXPECT_EQ(ask("[.throughput[]|[.associations,.objects,.refused,.rejected]]"), "[[1,8,0,0],[2,8,0,0],[4,8,0,0]]");
  EXPECT_EQ(orthanc.stores(), 10U + 24U);
  EXPECT_EQ(ask(".left_at_peer.instances|length"), std::to_string(5 + 24)) << "the UIDs that were used";
  const test::Ran found =
      test::run({"findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k",
                 "PatientID=" + ask(".left_at_peer.patient_ids[0]"), "127.0.0.1", std::to_string(orthanc.dicom_port())},
                folder_ / "findscu.log");
  const std::string studies = ask(".left_at_peer.studies[]");
  for (const std::string_view study : split(studies, '\n'))
    EXPECT_NE(found.text.find(study), std::string::npos) << study;
}

TEST_F(ProbeWrite, DcmqrscpOverwritesAndMovesAndTakesAsManyAssociationsAsItsConfigurationSays) {
  const int port = test::free_port();
  test::fs::create_directory(folder_ / "db");
  std::ofstream(folder_ / "qr.cfg") << "NetworkTCPPort = " << port
                                    << "\nMaxPDUSize = 16384\nMaxAssociations = 3\nHostTable BEGIN\nHostTable END\n"
                                       "VendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQR "
                                    << at("db") << " RW (200, 1024mb) ANY\nAETable END\n";
  const test::Program archive({"dcmqrscp", "-c", at("qr.cfg")}, folder_ / "qr.log");
  ASSERT_TRUE(test::wait_for_port(port));
  const test::Ran ran = write("dicom://QR@127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(policies(), "stored no-effect overwritten overwritten moved stored stored ignored no-effect");
  EXPECT_EQ(ask(".at_once.opened"), "3");
  EXPECT_GT(std::stoi(ask(".storage|length")), 150)
      << "though it still ends one association when the next is asked for";
  EXPECT_EQ(ask("[.services[]|select(.granted|not).name]"), "[\"storage commitment\"]");
}

TEST_F(ProbeWrite, NamesThePolicyThatAnArchiveIsSetTo) {
  const std::vector<std::pair<std::string, std::string>> known{
      {"overwrite", "stored no-effect overwritten overwritten moved stored stored ignored no-effect"},
      {"ignore", "stored no-effect ignored ignored ignored stored stored ignored no-effect"},
      {"refuse", "stored refused refused refused refused stored stored ignored refused"}};
  for (const auto& [policy, expected] : known) {
    const test::SimPacs pacs("[node]\nduplicates = \"" + policy + "\"\n");
    EXPECT_EQ(write(pacs.url()).exit, 0);
    EXPECT_EQ(policies(), expected) << policy;
    EXPECT_EQ(ask(".duplicates[1].status"), policy == "refuse" ? "0111" : "0000");
  }
}

TEST_F(ProbeWrite, ReadsBackByMoveWhereAskedTo) {
  const int port = test::free_port();
  const test::SimPacs pacs(
      "[node]\nduplicates = \"ignore\"\n[[peer]]\ntitle = \"WAYBILL\"\nhost = \"127.0.0.1\"\nport = " +
      std::to_string(port) + "\n[[rule]]\non = \"get\"\nstatus = 0xA700\nomit = 1\n");
  const test::Ran ran = write(pacs.url(), {"--listen", "127.0.0.1:" + std::to_string(port)});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(policies(), "stored no-effect ignored ignored ignored stored stored ignored no-effect");
  EXPECT_FALSE(pacs.events("retrieve").empty());
}

TEST_F(ProbeWrite, WhatAnArchiveSpoilsOrDropsIsNotCalledStored) {
  const test::SimPacs dropping("[[rule]]\non = \"store\"\nkeep = \"nothing\"\n");
  EXPECT_EQ(write(dropping.url()).exit, 0);
  EXPECT_EQ(ask("[.duplicates[]|[.status,.kept,.policy]]"), "[[\"0000\",\"none\",\"lost\"]]");
  const test::SimPacs renaming("[[rule]]\non = \"store\"\nkeep = \"renamed\"\n");
  EXPECT_EQ(write(renaming.url()).exit, 0);
  EXPECT_EQ(ask(".duplicates[0].policy"), "coerced");
  const test::SimPacs full("[[rule]]\non = \"store\"\nstatus = 0xA700\ncomment = \"no space\"\n");
  EXPECT_EQ(probe(full.url(), {"--write"}).exit, 0);
  EXPECT_EQ(ask("[.duplicates[]|[.status,.comment,.policy]]"), "[[\"a700\",\"no space\",\"refused\"]]");
  EXPECT_EQ(ask(".throughput"), "[]");
  EXPECT_NE(ask(".advice.notes[]").find("does not even take a new object: status a700"), std::string::npos);
}

TEST_F(ProbeWrite, AnArchiveThatDropsTheAssociationLeavesAListOfWhatWasSent) {
  const test::SimPacs pacs("[[rule]]\non = \"store\"\nskip = 1\nanswer = \"reset\"\n");
  EXPECT_EQ(write(pacs.url()).exit, 0);
  EXPECT_EQ(ask(".duplicates[1]|[.status,.kept,.policy]"), "[\"\",\"before\",\"no-effect\"]");
  EXPECT_NE(ask(".duplicates[1].comment"), "");
  EXPECT_EQ(ask(".duplicates[6]|[.status,.policy]"), "[\"\",\"stored\"]") << "it arrived, though nobody said so";
  EXPECT_EQ(ask(".left_at_peer.instances|length"), "5") << "whether they arrived or not";
}

TEST_F(ProbeWrite, StoresNothingWhenTheProfileCouldNotBeWritten) {
  const test::SimPacs pacs;
  const test::Ran ran =
      test::run({test::tool("probe"), pacs.url(), "--write", "-o", at("nowhere/profile.json")}, folder_ / "probe.log");
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_TRUE(pacs.events("store").empty());
  EXPECT_EQ(probe(pacs.url(), {"--for", at("no-manifest.wb")}).exit, 3);
  EXPECT_FALSE(test::fs::exists(folder_ / "profile.json"));
}

TEST_F(ProbeWrite, ListenWithoutWriteIsAnErrorOfTheCommand) {
  EXPECT_EQ(probe(test::dead_url(), {"--listen", "127.0.0.1:11112"}).exit, 2);
  EXPECT_EQ(probe("http://127.0.0.1:9/rs", {"--write", "--listen", "127.0.0.1:11112"}).exit, 2);
  EXPECT_EQ(probe("ftp://127.0.0.1").exit, 2);
}

}  // namespace waybill
