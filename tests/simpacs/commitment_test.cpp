// SPDX-License-Identifier: Apache-2.0
// Storage commitment of the simulator: events early, late, doubled, partial, on any association and after a restart;
// and Orthanc, which asks for commitment and is told.
#include "simpacs/commitment.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"
#include "simpacs/caller.hpp"
#include "support/simpacs.hpp"

#include <functional>

namespace waybill {

namespace {

namespace field = net::field;
using dicom::tag;
using dicom::vr;

constexpr std::uint16_t kAction = 0x0130;
constexpr std::uint16_t kActionAnswer = 0x8130;
constexpr std::uint16_t kEvent = 0x0100;
constexpr std::uint16_t kEventAnswer = 0x8100;
constexpr const char* kImplicit = "1.2.840.10008.1.2";

struct Event {
  std::uint16_t type = 0;
  std::string transaction;
  std::size_t committed = 0, failed = 0;
};

std::size_t items(const dicom::Dataset& dataset, dicom::Tag sequence) {
  const dicom::Node* node = dataset.find(sequence);
  if (node == nullptr) return 0;
  std::size_t count = 0;
  for (std::uint32_t i = dataset.index_of(*node) + 1; i < node->next; ++i)
    count += dataset.nodes()[i].kind == dicom::NodeKind::item ? 1 : 0;
  return count;
}

Event event_from(const net::Command& command, const Bytes& bytes) {
  const auto parsed = dicom::parse_network_dataset(bytes, kImplicit);
  EXPECT_TRUE(parsed);
  return {command.number(0x1002), std::string(parsed->dataset.raw_text(tag(0x0008, 0x1195)).value_or("")),
          items(parsed->dataset, tag(0x0008, 0x1199)), items(parsed->dataset, tag(0x0008, 0x1198))};
}

/// An association that may ask for commitment and hear of it.
class Client {
 public:
  explicit Client(const test::SimPacs& pacs) : caller_({"127.0.0.1", port(pacs)}, request(), std::chrono::seconds(3)) {
    context_ = caller_.context_of(simpacs::kCommitmentClass, "");
    EXPECT_NE(context_, 0);
  }
  /// Asks for these and one that nobody stored.
  void ask(const std::vector<manifest::Object>& objects, const std::string& transaction) {
    Bytes list;
    for (const manifest::Object& object : objects) put_item(list, *object.sop_instance);
    put_item(list, "1.2.3.999");
    Bytes dataset = dicom::encode_element(tag(0x0008, 0x1195), vr("UI"), transaction, false);
    put_bytes(dataset, dicom::encode_element(tag(0x0008, 0x1199), vr("SQ"), as_text(list), false));
    caller_.send(context_,
                 net::Command::make(kAction, true)
                     .set(0x0003, simpacs::kCommitmentClass)
                     .set(field::kMessageId, std::uint16_t{5})
                     .set(0x1001, simpacs::kCommitmentInstance)
                     .set(0x1008, std::uint16_t{1}),
                 dataset);
  }
  /// The next message; an event is answered.
  net::Command next(Event* event = nullptr) {
    Bytes dataset;
    net::Command command = caller_.receive(dataset);
    if (command.number(field::kCommand) == kEvent) {
      if (event != nullptr) *event = event_from(command, dataset);
      caller_.send(context_, net::Command::make(kEventAnswer, false)
                                 .set(field::kRespondedTo, command.number(field::kMessageId))
                                 .set(field::kStatus, std::uint16_t{0}));
    }
    return command;
  }
  void release() { caller_.release(); }

 private:
  static std::uint16_t port(const test::SimPacs& pacs) { return static_cast<std::uint16_t>(pacs.port()); }
  static simpacs::AssociateRequest request() {
    simpacs::AssociateRequest request;
    request.called = "SIMPACS";
    request.calling = "WAYBILL";
    request.contexts = {{0, std::string(simpacs::kCommitmentClass), {kImplicit}}};
    return request;
  }
  static void put_item(Bytes& out, const std::string& instance) {
    Bytes item = dicom::encode_element(tag(0x0008, 0x1150), vr("UI"), "1.2.840.10008.5.1.4.1.1.7", false);
    put_bytes(item, dicom::encode_element(tag(0x0008, 0x1155), vr("UI"), instance, false));
    put_u16(out, 0xFFFE);
    put_u16(out, 0xE000);
    put_u32(out, static_cast<std::uint32_t>(item.size()));
    put_bytes(out, item);
  }
  simpacs::Caller caller_;
  std::uint8_t context_ = 0;
};

class Commitment : public test::AtSimPacs {
 protected:
  void with(const std::string& scenario) {
    prepare(scenario, 1, 4);
    ASSERT_EQ(load().exit, 0);
  }
};

}  // namespace

TEST_F(Commitment, IsReportedOnTheSameAssociationWithWhatIsAndWhatIsNotHeld) {
  with("");
  Client client(*pacs_);
  client.ask(objects_, "1.9.1");
  EXPECT_EQ(client.next().number(field::kCommand), kActionAnswer);
  Event event;
  EXPECT_EQ(client.next(&event).number(field::kCommand), kEvent);
  EXPECT_EQ(event.transaction, "1.9.1");
  EXPECT_EQ(event.type, 2);
  EXPECT_EQ(event.committed, 4U);
  EXPECT_EQ(event.failed, 1U);
}

TEST_F(Commitment, MayComeBeforeTheAnswerTwicePartlyAndForAnotherTransaction) {
  with(
      "[[rule]]\non = \"commit\"\nfirst = 1\nearly = true\ntimes = 2\n"
      "[[rule]]\non = \"commit\"\nfirst = 1\ninstance = [\"1.2.3.1.1.1\"]\nfail = 1\nfailure = 0x0213\n"
      "[[rule]]\non = \"commit\"\nfirst = 1\ninstance = [\"1.2.3.1.1.1\"]\nomit = 1\nwrong_transaction = true\n"
      "[[rule]]\non = \"commit\"\nfirst = 1\nstatus = 0x0213\n"
      "[[rule]]\non = \"commit\"\ntimes = 0\n");
  Client client(*pacs_);
  Event event;
  client.ask(objects_, "1.9.1");
  EXPECT_EQ(client.next(&event).number(field::kCommand), kEvent) << "early";
  EXPECT_EQ(client.next().number(field::kCommand), kActionAnswer);
  EXPECT_EQ(client.next(&event).number(field::kCommand), kEvent) << "twice";
  EXPECT_EQ(event.transaction, "1.9.1");
  client.ask(objects_, "1.9.2");
  EXPECT_EQ(client.next().number(field::kCommand), kActionAnswer);
  (void)client.next(&event);
  EXPECT_EQ(event.committed, 3U);
  EXPECT_EQ(event.failed, 2U);
  client.ask(objects_, "1.9.3");
  EXPECT_EQ(client.next().number(field::kCommand), kActionAnswer);
  (void)client.next(&event);
  EXPECT_NE(event.transaction, "1.9.3");
  EXPECT_EQ(event.committed, 3U);
  EXPECT_EQ(event.failed, 1U);
  client.ask(objects_, "1.9.4");
  EXPECT_EQ(client.next().number(field::kStatus), 0x0213);
  client.ask(objects_, "1.9.5");
  EXPECT_EQ(client.next().number(field::kStatus), 0);
  EXPECT_THROW((void)client.next(), simpacs::Lost) << "the event never comes";
}

TEST_F(Commitment, ThatIsLateComesOnTheNextAssociationAlsoAfterARestart) {
  with("[[rule]]\non = \"commit\"\ndelay = 0.5\n");
  {
    Client client(*pacs_);
    client.ask(objects_, "1.9.7");
    EXPECT_EQ(client.next().number(field::kCommand), kActionAnswer);
    client.release();
  }
  EXPECT_EQ(pacs_->stop(SIGKILL), 128 + SIGKILL);
  pacs_->start();
  Client client(*pacs_);
  Event event;
  EXPECT_EQ(client.next(&event).number(field::kCommand), kEvent);
  EXPECT_EQ(event.transaction, "1.9.7");
  EXPECT_EQ(event.committed, 4U);
}

TEST_F(Commitment, IsToldToOrthancOnAnAssociationOfItsOwn) {
  const test::Orthanc orthanc;
  with("[[peer]]\ntitle = \"ORTHANC\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(orthanc.dicom_port()) + "\n");
  const std::string program =
      "import json,sys,time,urllib.request as u\n"
      "base='http://127.0.0.1:'+sys.argv[1]\n"
      "def ask(path,data=None,method=None):\n"
      "  r=u.Request(base+path,None if data is None else json.dumps(data).encode(),method=method)\n"
      "  t=u.urlopen(r).read(); return json.loads(t) if t else None\n"
      "ask('/modalities/sim',['SIMPACS','127.0.0.1',int(sys.argv[2])],'PUT')\n"
      "i=[{'SOPClassUID':'1.2.840.10008.5.1.4.1.1.7','SOPInstanceUID':x} for x in sys.argv[3:]]\n"
      "job=ask('/modalities/sim/storage-commitment',{'DicomInstances':i})['ID']\n"
      "for _ in range(100):\n"
      "  r=ask('/storage-commitment/'+job)\n"
      "  if r['Status']!='Pending': break\n"
      "  time.sleep(0.1)\n"
      "print(r['Status'],len(r.get('Success',[])),len(r.get('Failures',[])))\n";
  const auto commitment = [&](const std::vector<std::string>& instances) {
    std::vector<std::string> words{"/usr/bin/env",
                                   "no_proxy=127.0.0.1",
                                   "/usr/bin/python3",
                                   "-c",
                                   program,
                                   std::to_string(orthanc.http_port()),
                                   std::to_string(pacs_->port())};
    words.insert(words.end(), instances.begin(), instances.end());
    return test::run(words, folder_ / "orthanc.log").text;
  };
  EXPECT_EQ(commitment({uid(0), uid(1)}), "Success 2 0\n");
  EXPECT_EQ(commitment({uid(0), "1.2.3.999"}), "Failure 1 1\n");
}

}  // namespace waybill
