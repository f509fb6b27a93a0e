// SPDX-License-Identifier: Apache-2.0
#include "net/association.hpp"

#include "dicom/toolkit.hpp"
#include "support/free_port.hpp"
#include "support/peer.hpp"

#include <gtest/gtest.h>

namespace waybill::net {

namespace fs = std::filesystem;

namespace {

const std::string kCapture = "1.2.840.10008.5.1.4.1.1.7";
const std::string kPlain = std::string(kExplicitLittle);

struct World {
  dicom::Toolkit toolkit;
  test::Orthanc orthanc;
};

class AssociationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { world_ = std::make_unique<World>(); }
  static void TearDownTestSuite() { world_.reset(); }
  static std::unique_ptr<World> world_;
  Peer peer_ = parse_url(world_->orthanc.url());
};
std::unique_ptr<World> AssociationTest::world_;

std::vector<Context> all_contexts() {
  std::vector<Context> contexts{{kCapture, kPlain, false},
                                {std::string(kVerificationClass), std::string(kImplicitLittle), false}};
  for (const Context& context : Association::find_contexts()) contexts.push_back(context);
  return contexts;
}

/// The dataset of a Part 10 file of test::small_object: behind preamble, magic and the group of the length it says.
/// Bytes of which no stretch is like another.
std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 2654435761U >> 13U);
  return out;
}

ByteView dataset_of(const std::string& file) {
  const ByteView bytes = as_bytes(file);
  return bytes.subspan(144 + load_u32(bytes.data() + 140));
}

}  // namespace

TEST_F(AssociationTest, StoresFindsAndGivesBackTheSameBytes) {
  const std::string file = test::small_object("1.9.1", "1.9.1.1", "1.9.1.1.1", 5);
  const ByteView dataset = dataset_of(file);
  Association association = Association::request(peer_, "WAYBILL", all_contexts());
  association.echo();
  ASSERT_TRUE(association.accepted({kCapture, kPlain, false}));

  const StoreResult stored = association.store({kCapture, kPlain, false}, "1.9.1.1.1", dataset);
  ASSERT_TRUE(stored.status) << stored.error;
  EXPECT_EQ(*stored.status, 0);
  EXPECT_EQ(association.find_study("1.9.1"), std::set<std::string>{"1.9.1.1.1"});
  EXPECT_TRUE(association.find_study("1.9.2").empty());

  std::vector<Context> contexts = Association::get_contexts();
  contexts.push_back({kCapture, kPlain, true});
  std::vector<Received> got;
  const GetResult result =
      Association::request(peer_, "WAYBILL", contexts).get("1.9.1", [&](Received r) { got.push_back(std::move(r)); });
  EXPECT_EQ(result.status, 0);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].sop_instance, "1.9.1.1.1");
  EXPECT_EQ(got[0].transfer_syntax, kPlain);
  EXPECT_TRUE(std::ranges::equal(got[0].dataset, dataset));
}

TEST_F(AssociationTest, GetsOneObjectOfAStudy) {
  Association association = Association::request(peer_, "WAYBILL", all_contexts());
  for (const char* uid : {"1.9.4.1.1", "1.9.4.1.2", "1.9.4.1.3"}) {
    const std::string file = test::small_object("1.9.4", "1.9.4.1", uid, 5);
    ASSERT_EQ(association.store({kCapture, kPlain, false}, uid, dataset_of(file)).status, 0);
  }
  std::vector<Context> contexts = Association::get_contexts();
  contexts.push_back({kCapture, kPlain, true});
  std::vector<std::string> got;
  const GetResult result =
      Association::request(peer_, "WAYBILL", contexts)
          .get_instance("1.9.4", "1.9.4.1", "1.9.4.1.2", [&](const Received& r) { got.push_back(r.sop_instance); });
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(got, std::vector<std::string>{"1.9.4.1.2"});
}

TEST_F(AssociationTest, FindsWithAnyKeysAndCancelsWhatIsNotWanted) {
  Association association = Association::request(peer_, "WAYBILL", all_contexts());
  for (const char* study : {"1.9.5", "1.9.6", "1.9.7"}) {
    const std::string series = std::string(study) + ".1", uid = series + ".1";
    ASSERT_EQ(
        association.store({kCapture, kPlain, false}, uid, dataset_of(test::small_object(study, series, uid, 5))).status,
        0);
  }
  constexpr std::uint32_t kStudy = 0x0020000D, kCount = 0x00201208, kAbsent = 0x00080056;
  const std::vector<Key> keys{
      {0x00080052, "CS", "STUDY"}, {kAbsent, "CS", ""}, {kStudy, "UI", "1.9.5"}, {kCount, "IS", ""}};
  std::vector<std::map<std::uint32_t, std::string>> answers;
  const auto take = [&](const auto& answer) {
    answers.push_back(answer);
    return true;
  };
  const Found one = association.find(keys, take);
  EXPECT_EQ(one.status, 0);
  EXPECT_EQ(one.answers, 1U);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].at(kStudy), "1.9.5");
  EXPECT_EQ(answers[0].at(kCount), "1");

  std::size_t taken = 0;
  const Found cut =
      association.find({{0x00080052, "CS", "STUDY"}, {kStudy, "UI", ""}}, [&](const auto&) { return ++taken < 2; });
  EXPECT_EQ(taken, 2U) << "nothing is taken behind the cancel";
  EXPECT_TRUE(cut.status == 0xFE00 || cut.status == 0) << cut.status;
  EXPECT_TRUE(association.usable());
  EXPECT_EQ(association.find(keys, take).status, 0) << "the association goes on";
}

TEST_F(AssociationTest, SaysWhyAContextWasNotGranted) {
  const Context nonsense{kCapture, "1.2.3.4.5.6", false}, good{kCapture, kPlain, false};
  const Association association = Association::request(peer_, "WAYBILL", {good, nonsense});
  EXPECT_EQ(association.result_of(good), 0);
  EXPECT_EQ(association.result_of(nonsense), kClassNotSupported) << "what DCMTK says of an unknown syntax";
  EXPECT_EQ(association.result_of({"1.2", "1.2", false}), kNotAnswered) << "it was not proposed";
  EXPECT_EQ(association.facts().implementation_version, "OFFIS_DCMTK_367");
}

TEST_F(AssociationTest, SendsADatasetOfManyFragmentsWhole) {
  using dicom::tag;
  test::DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", kCapture)
      .text(tag(0x0008, 0x0018), "UI", "1.9.3.1.1")
      .text(tag(0x0020, 0x000D), "UI", "1.9.3");
  b.text(tag(0x0020, 0x000E), "UI", "1.9.3.1").raw(tag(0x7FE0, 0x0010), "OW", pattern(3'000'001 * 2));
  Association association = Association::request(peer_, "WAYBILL", all_contexts());
  const StoreResult stored = association.store({kCapture, kPlain, false}, "1.9.3.1.1", as_bytes(b.str()));
  ASSERT_TRUE(stored.status) << stored.error;
  EXPECT_EQ(*stored.status, 0);

  std::vector<Context> contexts = Association::get_contexts();
  contexts.push_back({kCapture, kPlain, true});
  Bytes got;
  (void)Association::request(peer_, "WAYBILL", contexts).get("1.9.3", [&](const Received& r) {
    got.assign(r.dataset.begin(), r.dataset.end());
  });
  EXPECT_EQ(as_text(got), b.str());
  EXPECT_THROW((void)Association::request(peer_, "WAYBILL", contexts)
                   .get(
                       "1.9.3", [](const Received&) {}, 1000),
               PeerError)
      << "the cap on received bytes";
}

TEST_F(AssociationTest, SendsNothingInAContextThatWasNotGranted) {
  Association association = Association::request(peer_, "WAYBILL", all_contexts());
  const StoreResult result = association.store({"1.2.840.10008.5.1.4.1.1.2", kPlain, false}, "1.9.4", as_bytes("xx"));
  EXPECT_FALSE(result.sent);
  EXPECT_FALSE(result.status);
  EXPECT_TRUE(association.alive());
}

TEST_F(AssociationTest, SaysThatAPeerIsUnreachable) {
  try {
    (void)Association::request(parse_url(test::dead_url()), "WAYBILL", all_contexts());
    FAIL() << "connected";
  } catch (const PeerError& error) {
    EXPECT_EQ(error.kind(), PeerError::Kind::unreachable);
    EXPECT_EQ(error.exit(), Exit::peer);
  }
}

TEST_F(AssociationTest, TellsAPermanentRejectionApart) {
  const test::TempFolder folder;
  fs::create_directories(folder / "db");
  const int port = test::free_port();
  std::ofstream(folder / "q.cfg")
      << "MaxPDUSize = 16384\nMaxAssociations = 4\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
      << "AETable BEGIN\nKNOWN " << (folder / "db").string() << " RW (10, 64mb) ANY\nAETable END\n";
  const test::Program node({"dcmqrscp", "-c", (folder / "q.cfg").string(), std::to_string(port)}, folder / "q.log");
  ASSERT_TRUE(test::wait_for_port(port)) << test::slurp(folder / "q.log");
  const std::string at = "@127.0.0.1:" + std::to_string(port);
  EXPECT_NO_THROW(Association::request(parse_url("dicom://KNOWN" + at), "WAYBILL", all_contexts()).echo())
      << test::slurp(folder / "q.log");
  try {
    (void)Association::request(parse_url("dicom://WRONG" + at), "WAYBILL", all_contexts());
    ADD_FAILURE() << "a wrong AE title was taken";
  } catch (const PeerError& error) {
    EXPECT_EQ(error.kind(), PeerError::Kind::rejected_permanent) << error.what();
  }
}

}  // namespace waybill::net
