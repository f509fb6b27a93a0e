// SPDX-License-Identifier: Apache-2.0
// waybill-load against peers that reject, abort, dawdle, fall silent or answer what nobody asked.
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Bucket;
using test::kSecond;
using test::on_second;

class BadPeer : public test::AtSimPacs {
 protected:
  /// Writes object `i` anew, with its class and so many bytes of pixel data.
  void write_object(std::size_t i, std::size_t bytes) {
    using dicom::tag;
    test::DicomBuilder b;
    b.text(tag(0x0008, 0x0016), "UI", *objects_[i].sop_class).text(tag(0x0008, 0x0018), "UI", uid(i));
    b.text(tag(0x0020, 0x000D), "UI", *objects_[i].study).text(tag(0x0020, 0x000E), "UI", *objects_[i].series);
    b.words(tag(0x7FE0, 0x0010), std::vector<std::uint16_t>(bytes / 2, 7));
    const std::string file =
        test::DicomBuilder::part10(b.str(), *objects_[i].transfer_syntax, *objects_[i].sop_class, uid(i));
    std::ofstream(at(uid(i) + ".dcm"), std::ios::binary | std::ios::trunc) << file;
    objects_[i].source.size = file.size();
    objects_[i].file_sha256 = Sha256::of(file).hex();
  }
  void write_manifest() {
    manifest::Header header;
    header.stage = "scan";
    manifest::Writer writer(at("scan.wb"), header, manifest::Restart::yes);
    for (const manifest::Object& object : objects_) writer.append_record(object);
    writer.finish("{}");
  }
  /// Loaded is exactly what the peer holds, and it got nothing a second time that it had.
  void expect_honest() {
    for (const auto& [uid, object] : loaded())
      EXPECT_EQ(object.bucket == Bucket::loaded, pacs_->holds(uid)) << uid << " " << object.load.value().outcome;
    for (const std::string& line : pacs_->events("store")) EXPECT_NE(test::member(line, "kept"), "replaced") << line;
  }
};

struct Breach {
  const char* name;
  const char* rule;
};
constexpr Breach kBreaches[] = {
    {"Silence", "answer = \"silence\""},
    {"Abort", "answer = \"abort\""},
    {"Reset", "answer = \"reset\""},
    {"Close", "answer = \"close\""},
    {"Release", "answer = \"release\""},
    {"HalfAnAnswer", "answer = \"half\""},
    {"TwoAnswers", "answer = \"twice\""},
    {"AnotherMessageId", "answer = \"wrong-id\""},
    {"AnotherContext", "answer = \"wrong-context\""},
    {"NoStatus", "answer = \"no-status\""},
    {"LateBehindTheTimeOut", "delay = 6"},
    {"UnknownPdu", "raw = \"080000000004deadbeef\""},
    {"EmptyPdu", "raw = \"040000000000\""},
    {"PduOfFive", "raw = \"0400000000050000000101\""},
    {"PduOfFourGigabytes", "raw = \"0400ffffffff0000000101\""},
    {"PdvOfZero", "raw = \"04000000000400000000\""},
    {"PdvOfOne", "raw = \"0400000000050000000101\""},
    {"PdvThatWraps", "raw = \"040000000006ffffffff0103\""},
    {"AcceptOutOfPlace", "raw = \"02000000000400010000\""},
    {"EvenContext", "raw = \"04000000000a000000060203000000000000\""},
    {"CommandThatIsNone", "raw = \"040000000010000000080103ffffffffffff00000000\""},
    {"DataInPlaceOfACommand", "raw = \"0400000000080000000401020000\""},
};

}  // namespace

TEST_F(BadPeer, APermanentRejectionEndsWithFourAndLeavesNothing) {
  prepare("[[rule]]\non = \"associate\"\nreject = \"permanent\"\nreason = 3\n");
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 4) << ran.text;
  EXPECT_NE(ran.text.find("permanent"), std::string::npos) << ran.text;
  EXPECT_FALSE(std::filesystem::exists(at("load.wb")));
  EXPECT_EQ(pacs_->events("rejected").size(), 1U) << "a permanent rejection was asked again";
}

TEST_F(BadPeer, ATransientRejectionIsTriedAgain) {
  prepare("[[rule]]\non = \"associate\"\nreject = \"transient\"\nfirst = 2\n");
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->kept(), 8U);
}

TEST_F(BadPeer, ALimitOfAssociationsMakesLanesWaitForEachOther) {
  prepare("[node]\nassociations = 1\n[[rule]]\non = \"store\"\ndelay = 0.02\n", 6, 20);
  const test::Ran ran = load({"--associations", "3"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->kept(), 120U);
  for (const auto& [uid, count] : pacs_->arrivals()) EXPECT_EQ(count, 1) << uid;
}

TEST_F(BadPeer, ARejectionWhileTheRunIsUnderWayLosesNothing) {
  prepare("[[rule]]\non = \"associate\"\nskip = 2\nreject = \"permanent\"\n" + on_second("answer = \"abort\"\n"), 2, 4);
  const test::Ran ran = load({"--associations", "1"});
  EXPECT_EQ(ran.exit, 4) << ran.text;
  (void)pacs_->stop();
  pacs_->start();
  EXPECT_EQ(load().exit, 0);
  EXPECT_EQ(pacs_->kept(), 8U);
  expect_honest();
}

TEST_F(BadPeer, AbortsInTheMiddleOfAPduOfEveryObjectCostOneRepetitionEach) {
  prepare("[[rule]]\non = \"store\"\nabort_after = 100\nfirst = 1\nper = \"instance\"\n", 2, 2);
  const test::Ran ran = load({"--back-off", "0"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(pacs_->events("store-aborted").size(), 4U);
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.load.value().attempts, 2U) << uid;
  expect_honest();
}

TEST_F(BadPeer, AnObjectThatAlwaysAbortsIsSentTwiceAndFailsAlone) {
  prepare(on_second("abort_after = 0\nanswer = \"reset\""));
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(pacs_->events("store-aborted").size(), 2U);
  EXPECT_TRUE(test::has_finding(loaded().at(kSecond), "LOAD-NOANSWER"));
  expect_honest();
}

TEST_F(BadPeer, ABreachOfProtocolIsNoAnswerAndItsObjectIsAskedAboutAndNeverDoubled) {
  std::string scenario;
  int study = 0;
  for (const Breach& breach : kBreaches)
    scenario += "[[rule]]\nname = \"" + std::string(breach.name) + "\"\non = \"store\"\ninstance = [\"1.2.3." +
                std::to_string(++study) + ".1.2\"]\n" + breach.rule + "\n";
  prepare(scenario, study, 3);
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const auto stores = pacs_->events("store");
  for (const Breach& breach : kBreaches)
    EXPECT_EQ(std::ranges::count(stores, breach.name, [](const auto& line) { return test::member(line, "rule"); }), 1)
        << breach.name;
  EXPECT_EQ(stores.size(), static_cast<std::size_t>(3 * study));
  expect_honest();
}

TEST_F(BadPeer, AReaderTooSlowCostsItsObjectAndHoldsUpNoOther) {
  prepare("[node]\nreceive_buffer = 4096\n" + on_second("pace = 1000"), 2, 3);
  write_object(1, 8U << 20U);
  write_manifest();
  const auto start = std::chrono::steady_clock::now();
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(1)) << "8 MiB at 1000 bytes/s take hours";
  for (const auto& [uid, object] : loaded()) EXPECT_EQ(object.bucket == Bucket::loaded, uid != kSecond) << uid;
  EXPECT_TRUE(test::has_finding(loaded().at(kSecond), "LOAD-NOANSWER"));
  expect_honest();
}

TEST_F(BadPeer, AReaderThatIsOnlySlowGetsItsObject) {
  prepare("[node]\nreceive_buffer = 4096\n" + on_second("pace = 300000"), 1, 3);
  write_object(1, 1U << 20U);
  write_manifest();
  const test::Ran ran = load({"--timeout", "20"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  expect_honest();
}

TEST_F(BadPeer, FewContextsCostOnlyWhatTheyAreFor) {
  prepare("[node]\nclasses = [\"1.2.840.10008.5.1.4.1.1.2\"]\n");
  const test::Ran ran = load();
  EXPECT_EQ(ran.exit, 1) << ran.text;
  for (const auto& [uid, object] : loaded()) {
    EXPECT_TRUE(test::has_finding(object, "D27")) << uid;
    EXPECT_EQ(object.load.value().attempts, 0U) << uid;
  }
  EXPECT_TRUE(pacs_->arrivals().empty());
}

TEST_F(BadPeer, AStudyOfMoreClassesThanAnAssociationHasContextsIsLoaded) {
  for (const std::string limit : {"128", "20"}) {
    prepare("[node]\ncontexts = " + limit + "\n", 1, 140);
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      objects_[i].sop_class = "1.2.9." + std::to_string(i + 1);
      write_object(i, 8);
    }
    write_manifest();
    const test::Ran ran = load({"--restart"});
    EXPECT_EQ(ran.exit, limit == "128" ? 0 : 1) << ran.text;
    for (const auto& [uid, object] : loaded())
      EXPECT_TRUE(object.bucket == Bucket::loaded || test::has_finding(object, "D27")) << uid;
    expect_honest();
    pacs_.reset();
    std::filesystem::remove(at("scan.wb"));
  }
}

TEST_F(BadPeer, EveryPduSizeIsKeptWithin) {
  for (const char* pdu : {"0", "4294967295", "16384", "4096", "1024", "256"}) {
    prepare("[node]\npdu = " + std::string(pdu) + "\n", 1, 4);
    write_object(2, 40'000);
    write_manifest();
    const test::Ran ran = load({"--restart"});
    EXPECT_EQ(ran.exit, 0) << pdu << ran.text;
    EXPECT_EQ(pacs_->kept(), 4U) << pdu;
    EXPECT_TRUE(pacs_->events("lost").empty()) << pdu << ": " << pacs_->events("lost").front();
    pacs_.reset();
    std::filesystem::remove(at("scan.wb"));
  }
}

TEST_F(BadPeer, AWindowOfOperationsChangesNothing) {
  prepare("[node]\nwindow = 16\n");
  EXPECT_EQ(load().exit, 0);
  EXPECT_EQ(pacs_->kept(), 8U);
}

}  // namespace waybill
