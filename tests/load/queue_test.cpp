// SPDX-License-Identifier: Apache-2.0
#include "load/queue.hpp"

#include "support/peer.hpp"

#include <gtest/gtest.h>
#include <algorithm>

namespace waybill::load {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

const std::string kImage = "1.2.840.10008.5.1.4.1.1.2";
const std::string kState = "1.2.840.10008.5.1.4.1.1.11.1";
const std::string kKeyObject = "1.2.840.10008.5.1.4.1.1.88.59";
const std::string kReport = "1.2.840.10008.5.1.4.1.1.88.11";

Object object_of(const std::string& uid, const std::string& study, const std::string& sop_class) {
  Object object;
  object.id = uid;
  object.sop_instance = uid;
  object.study = study;
  object.sop_class = sop_class;
  object.transfer_syntax = "1.2.840.10008.1.2.1";
  return object;
}

/// What a queue makes of a manifest: UIDs to send, piece by piece, and what is carried.
class LoadQueue : public ::testing::Test {
 protected:
  LoadQueue() { options_.output = folder_ / "load.wb"; }

  void read(const std::vector<Object>& objects, const std::vector<manifest::LateFinding>& late = {},
            const std::string& stage = "scan") {
    options_.manifest = folder_ / "in.wb";
    manifest::Header header;
    header.stage = stage;
    manifest::Writer writer(options_.manifest, header, manifest::Restart::yes);
    for (const Object& object : objects) writer.append_record(object);
    for (const auto& finding : late) writer.append_record(finding);
    writer.finish("{}");
    queue_.emplace(options_, priority_, store_);
  }
  void run() {
    queue_->set_carry({[](const manifest::Study&) {}, [&](const Object& object) { carried_[object.id] = object; },
                       [&](const std::string& id) { return recorded_.contains(id); }});
    while (auto piece = queue_->next()) {
      std::vector<std::string> uids;
      for (const Parcel& parcel : piece->parcels) {
        EXPECT_EQ(parcel.object.study.value_or(""), piece->study);
        uids.push_back(parcel.object.id + (parcel.in_doubt ? "?" : ""));
      }
      pieces_.push_back(std::move(uids));
    }
  }
  using Pieces = std::vector<std::vector<std::string>>;

  test::TempFolder folder_;
  Options options_;
  Priority priority_;
  index::Store store_{{}};
  std::optional<Queue> queue_;
  std::set<std::string> recorded_;
  std::map<std::string, Object> carried_;
  Pieces pieces_;
};

}  // namespace

TEST_F(LoadQueue, GivesImagesThenStatesThenKeyObjectsThenReportsOfAStudy) {
  read({object_of("1", "A", kReport), object_of("2", "B", kImage), object_of("3", "A", kKeyObject),
        object_of("4", "A", kState), object_of("5", "A", kImage)});
  run();
  EXPECT_EQ(pieces_, (Pieces{{"5", "4", "3", "1"}, {"2"}}));
}

TEST_F(LoadQueue, CarriesWhatMustNotBeSent) {
  std::vector<Object> objects;
  for (int i = 0; i < 6; ++i) objects.push_back(object_of(std::to_string(i), "A", kImage));
  objects[0].findings.push_back({"X", Severity::s3, "", ""});
  objects[1].bucket = Bucket::duplicate_identical;
  objects[2].findings.push_back({"X", Severity::s2, "", ""});
  objects[3].sop_instance = "2";  // the UID of another object
  objects[4].transcode.emplace().outcome = "not-staged";
  read(objects, {{"5", {"LATE", Severity::s3, "", ""}}});
  run();
  EXPECT_EQ(pieces_, (Pieces{{"2"}}));
  ASSERT_EQ(carried_.size(), 5U);
  EXPECT_EQ(carried_.at("0").bucket, Bucket::quarantined);
  EXPECT_EQ(carried_.at("1").bucket, Bucket::duplicate_identical);
  EXPECT_EQ(carried_.at("3").findings.back().code, "LOAD-UIDCLASH");
  EXPECT_EQ(carried_.at("4").bucket, Bucket::failed);
  EXPECT_EQ(carried_.at("5").bucket, Bucket::quarantined) << "by a finding that came after its record";
}

TEST_F(LoadQueue, LeavesOutWhatIsRejectedAndGivesAQualityNoteLast) {
  std::vector<Object> objects;
  for (const auto* uid : {"1", "2", "3", "4"}) objects.push_back(object_of(uid, "A", kImage));
  objects[0].rejection = "113001";
  objects[0].sop_class = kKeyObject;
  objects[1].findings.push_back({"REJECTED-113001", Severity::s0, "", ""});
  objects[2].findings.push_back({"REJECTED-113037", Severity::s2, "", ""});
  objects[3].rejection = "113039";
  read(objects);
  run();
  EXPECT_EQ(pieces_, (Pieces{{"2", "1"}}));
  EXPECT_EQ(carried_.at("3").bucket, Bucket::excluded);
  EXPECT_EQ(carried_.at("4").findings.back().code, "REJECTION-NOTE");
}

TEST_F(LoadQueue, LeavesOutWhatIsNoStoredObjectWithItsReason) {
  std::vector<Object> objects{object_of("1", "A", kImage), object_of("2", "A", "1.2.840.10008.3.1.2.3.3")};
  objects[1].findings.push_back({"SOP-STDPRINT", Severity::s0, "0008,0016", "procedure step data"});
  read(objects);
  run();
  EXPECT_EQ(pieces_, (Pieces{{"1"}}));
  EXPECT_EQ(carried_.at("2").bucket, Bucket::excluded);
  EXPECT_EQ(carried_.at("2").findings.back().detail, "procedure step data");
}

TEST_F(LoadQueue, KeepsStudiesWholeHoweverTheirObjectsAreMixed) {
  std::vector<Object> objects;
  for (int i = 0; i < 9000; ++i)
    objects.push_back(object_of(std::to_string(i), i % 3 == 0 ? "A" : i % 3 == 1 ? "B" : "C", kImage));
  for (int i = 0; i < 2000; ++i) objects.push_back(object_of("x" + std::to_string(i), "A", kImage));
  read(objects);
  run();
  std::vector<std::size_t> sizes;
  for (const auto& piece : pieces_) sizes.push_back(piece.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4000, 1000, 3000, 3000})) << "A in two pieces, B, C";
}

TEST_F(LoadQueue, PutsListedStudiesFirstThenThoseOfExpectedPatientsThenTheNewest) {
  std::vector<Object> objects;
  const auto add = [&](const char* uid, const char* study, const char* patient, const char* date) {
    objects.push_back(object_of(uid, study, kImage));
    objects.back().patient_id = patient;
    objects.back().study_date = date;
  };
  add("1", "old", "P1", "20010101");
  add("2", "undated", "P1", "");
  add("3", "new", "P1", "20200101");
  add("4", "expected-later", "P2", "19990101");
  add("5", "expected-soon", "P3", "19990101");
  add("6", "listed", "P4", "19990101");
  add("7", "cancelled", "P5", "19980101");
  std::ofstream(folder_ / "list.csv") << "study_uid;note\nlisted;x\nunknown;y\n";
  const auto appointment = [](const char* id, const char* when, const char* event, const char* number) {
    return "MSH|^~\\&|RIS|H|W|H|20300101||" + std::string(event) + "|" + number + "|P|2.3\rPID|1||" + id +
           "^^^H^MR||X^Y\rPV1|1|O\rORC|" + (std::string(event) == "ORM^O01" ? "NW" : "") + "|" + number + "|F" +
           number + "\rOBR|1|" + number + "|F" + number + "|CT^CT^L||||||||||||||ACC" + number + "|||||||||^^^" + when +
           "\r";
  };
  std::ofstream(folder_ / "hl7.txt") << appointment("P2", "20300301080000", "ORM^O01", "1")
                                     << appointment("P3", "20300201080000", "ORM^O01", "2")
                                     << appointment("P5", "20200101080000", "ORM^O01", "3");
  priority_.add_list(folder_ / "list.csv");
  priority_.add_worklist({(folder_ / "hl7.txt").string()}, "20300115");
  EXPECT_EQ(priority_.listed(), 2U);
  EXPECT_EQ(priority_.patients(), 2U) << "the third appointment is over";
  options_.order = Order::newest;
  read(objects);
  run();
  EXPECT_EQ(pieces_, (Pieces{{"6"}, {"5"}, {"4"}, {"3"}, {"1"}, {"7"}, {"2"}}));
}

TEST_F(LoadQueue, RetriesWhatFailedAndNothingElse) {
  std::vector<Object> objects;
  for (const auto* uid : {"1", "2", "3", "4"}) objects.push_back(object_of(uid, "A", kImage));
  objects[0].bucket = Bucket::loaded;
  objects[0].load.emplace().outcome = "sent";
  objects[1].bucket = Bucket::failed;
  objects[1].load.emplace().outcome = "refused";
  objects[1].findings.push_back({"LOAD-REFUSED", Severity::s3, "", ""});
  objects[2].bucket = Bucket::failed;  // by an earlier stage
  options_.retry_failed = true;
  read(objects, {}, "load");
  run();
  EXPECT_EQ(pieces_, (Pieces{{"2"}}));
  EXPECT_EQ(carried_.at("1").bucket, Bucket::loaded);
  EXPECT_EQ(carried_.at("3").bucket, Bucket::failed);
  EXPECT_EQ(carried_.at("4").bucket, Bucket::instance);
}

TEST_F(LoadQueue, ARetryDoubtsWhatThePeerMayHave) {
  std::vector<Object> objects;
  for (const auto* uid : {"1", "2", "3", "4", "5"}) objects.push_back(object_of(uid, "A", kImage));
  const auto failed = [&](int i, const char* outcome, const char* code) {
    objects[i].bucket = Bucket::failed;
    objects[i].load.emplace().outcome = outcome;
    objects[i].findings.push_back({code, Severity::s3, "", ""});
  };
  failed(0, "no-answer", "LOAD-NOANSWER");
  failed(1, "refused", "LOAD-PROCESSING");
  failed(2, "no-answer", "LOAD-UNKNOWN");  // looked up by a person, whose word the retry is
  failed(3, "refused", "LOAD-REFUSED");
  objects[4].bucket = Bucket::loaded;
  objects[4].load.emplace().outcome = "sent";
  objects[4].transcode.emplace().dataset_sha256 = "made while it was sent";
  options_.retry_failed = true;
  read(objects, {{"5", {"LOAD-UNCOMMITTED", Severity::s3, "", "0112"}}}, "load");
  EXPECT_EQ(queue_->needs().objects, 5U);
  std::vector<Parcel> parcels;
  queue_->set_carry(
      {[](const manifest::Study&) {}, [](const Object&) { FAIL(); }, [](const std::string&) { return false; }});
  while (auto piece = queue_->next()) std::ranges::move(piece->parcels, std::back_inserter(parcels));
  ASSERT_EQ(parcels.size(), 5U);
  std::string doubted;
  for (const Parcel& parcel : parcels) doubted += parcel.in_doubt ? parcel.object.id : "";
  EXPECT_EQ(doubted, "125");
  EXPECT_FALSE(parcels[0].uncommitted);
  ASSERT_TRUE(parcels[4].uncommitted);
  EXPECT_EQ(parcels[4].uncommitted->transcode->dataset_sha256, "made while it was sent");
  EXPECT_TRUE(parcels[4].object.findings.empty());
}

TEST_F(LoadQueue, ARetryOfStandardInputIsRefused) {
  options_.retry_failed = true;
  options_.manifest = "-";
  EXPECT_THROW(Queue(options_, priority_, store_), RunError);
}

TEST_F(LoadQueue, ARetryOfAnythingButALoadIsRefused) {
  options_.retry_failed = true;
  EXPECT_THROW(read({object_of("1", "A", kImage)}), RunError);
}

TEST_F(LoadQueue, KnowsWhatAnEarlierRunRecordedSentOrTookBack) {
  read({object_of("1", "A", kImage), object_of("2", "A", kImage), object_of("3", "A", kImage),
        object_of("4", "A", kImage)});
  recorded_.insert("1");
  for (const auto* id : {"1", "2", "3"}) queue_->remember(manifest::Intent{id, id, "store"});
  queue_->remember(manifest::Intent{"3", "3", std::string(kWithdrawn)});
  run();
  EXPECT_EQ(pieces_, (Pieces{{"2?", "3", "4"}}));
}

TEST_F(LoadQueue, AnObjectListedTwiceIsAnIntegrityError) {
  try {
    read({object_of("1", "A", kImage), object_of("1", "A", kImage)});
    FAIL() << "taken";
  } catch (const RunError& error) {
    EXPECT_EQ(error.exit(), Exit::integrity);
  }
}

TEST_F(LoadQueue, NamesTheContextsThatTheObjectsNeed) {
  std::vector<Object> objects{object_of("1", "A", kImage), object_of("2", "A", kImage), object_of("3", "A", kReport)};
  objects[1].transfer_syntax = "1.2.840.10008.1.2.4.50";  // lossy: nothing else keeps it
  read(objects);
  std::map<net::Context, std::uint64_t> expected;
  for (const auto* syntax : {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2"}) {
    expected[{kImage, syntax}] = 1;
    expected[{kReport, syntax}] = 1;
  }
  expected[{kImage, "1.2.840.10008.1.2.4.50"}] = 1;
  EXPECT_EQ(queue_->needs().contexts, expected);
  EXPECT_EQ(queue_->needs().objects, 3U);
}

}  // namespace waybill::load
