// SPDX-License-Identifier: Apache-2.0
// The simulator as other programs see it: DCMTK's tools are its clients here, and bytes that are no DICOM.
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cstring>

namespace waybill {

namespace {

class SimPacsService : public test::AtSimPacs {
 protected:
  test::Ran dcmtk(std::vector<std::string> words) {
    const std::string port = std::to_string(pacs_->port());
    for (std::string& word : words) {
      if (word == "PORT") word = port;
    }
    return test::run(words, folder_ / "dcmtk.log");
  }
  std::string file(std::size_t i) const { return at(uid(i) + ".dcm"); }
  static std::string dataset(const std::string& file) {
    const std::string bytes = test::slurp(file);
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + 140, 4);
    return bytes.substr(144 + length);
  }
  void store_all() {
    std::vector<std::string> words{"storescu", "127.0.0.1", "PORT"};
    for (std::size_t i = 0; i < objects_.size(); ++i) words.push_back(file(i));
    const test::Ran ran = dcmtk(words);
    ASSERT_EQ(ran.exit, 0) << ran.text;
  }
  static std::size_t count(const std::string& text, const std::string& word) {
    std::size_t n = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
    return n;
  }
  std::size_t studies_found() {
    const test::Ran ran =
        dcmtk({"findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "127.0.0.1", "PORT"});
    EXPECT_EQ(ran.exit, 0) << ran.text;
    return count(ran.text, "(0020,000d)") - count(ran.text, "no value");
  }
  /// Sends bytes, then waits for the end of the connection.
  void send_raw(const std::string& bytes) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(pacs_->port()));
    ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    (void)!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    char sink[4096];
    while (::recv(fd, sink, sizeof sink, 0) > 0) {
    }
    ::close(fd);
  }
};

std::string bytes_of(const std::string& hex) {
  const Bytes bytes = from_hex(hex);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// An A-ASSOCIATE-RQ for verification in which one context is proposed `contexts` times.
std::string request(int contexts, const std::string& user = "510000040000400052000131") {
  std::string items = bytes_of("10000015") + "1.2.840.10008.3.1.1.1";
  for (int i = 0; i < contexts; ++i) {
    items += bytes_of("2000002e") + static_cast<char>(2 * i + 1) + bytes_of("000000") + bytes_of("30000011") +
             "1.2.840.10008.1.1" + bytes_of("40000011") + "1.2.840.10008.1.2";
  }
  const std::string information = bytes_of(user);
  items += bytes_of("5000") + static_cast<char>(information.size() >> 8U) + static_cast<char>(information.size()) +
           information;
  const std::size_t length = 68 + items.size();
  std::string head = bytes_of("0100");
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(length >> shift);
  return head + bytes_of("00010000") + "SIMPACS         " + "CALLER          " + std::string(32, '\0') + items;
}

}  // namespace

TEST_F(SimPacsService, KeepsTheBytesThatAnotherClientStored) {
  prepare("", 2, 3);
  store_all();
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    EXPECT_EQ(dataset(pacs_->object(uid(i)).string()), dataset(file(i))) << uid(i);
    EXPECT_EQ(test::run({"dcmftest", pacs_->object(uid(i)).string()}, folder_ / "f.log").exit, 0);
  }
  EXPECT_EQ(pacs_->arrivals().size(), 6U);
  EXPECT_EQ(dcmtk({"echoscu", "127.0.0.1", "PORT"}).exit, 0);
}

TEST_F(SimPacsService, FindsAtEveryLevel) {
  prepare("", 3, 4);
  store_all();
  EXPECT_EQ(studies_found(), 3U);
  const auto ask = [&](std::vector<std::string> keys) {
    std::vector<std::string> words{"findscu", "-S"};
    for (const std::string& key : keys) words.insert(words.end(), {"-k", key});
    words.insert(words.end(), {"127.0.0.1", "PORT"});
    return dcmtk(words).text;
  };
  const std::string study = ask({"QueryRetrieveLevel=STUDY", "StudyInstanceUID=1.2.3.2", "PatientName=TEST*",
                                 "NumberOfStudyRelatedInstances", "ModalitiesInStudy"});
  EXPECT_EQ(count(study, "Find Response: "), 1U) << study;
  EXPECT_NE(study.find("[4 ]"), std::string::npos) << study;
  EXPECT_NE(study.find("[OT]"), std::string::npos) << study;
  EXPECT_EQ(count(ask({"QueryRetrieveLevel=SERIES", "StudyInstanceUID=1.2.3.2", "SeriesInstanceUID"}), "1.2.3.2.1"),
            1U);
  EXPECT_EQ(count(ask({"QueryRetrieveLevel=IMAGE", "StudyInstanceUID=1.2.3.2", "SeriesInstanceUID=1.2.3.2.1",
                       "SOPInstanceUID"}),
                  "Find Response: "),
            4U);
  EXPECT_EQ(count(ask({"QueryRetrieveLevel=STUDY", "PatientName=NOBODY"}), "Find Response: "), 0U);
}

TEST_F(SimPacsService, GivesByGetAndMovesToWhomItKnows) {
  const test::TempFolder inbox;
  prepare("", 2, 3);
  (void)pacs_->stop();
  const int port = test::free_port();
  pacs_->start("[[peer]]\ntitle = \"INBOX\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(port) + "\n");
  store_all();
  const test::Ran got = dcmtk({"getscu", "-S", "-B", "-od", inbox.path().string(), "-k", "QueryRetrieveLevel=STUDY",
                               "-k", "StudyInstanceUID=1.2.3.1", "127.0.0.1", "PORT"});
  EXPECT_EQ(got.exit, 0) << got.text;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(inbox.path()), {}), 3);

  const test::TempFolder moved;
  const test::Program receiver({"storescp", "-B", "-od", moved.path().string(), std::to_string(port)},
                               folder_ / "scp.log");
  ASSERT_TRUE(test::wait_for_port(port)) << test::slurp(folder_ / "scp.log");
  const auto move_to = [&](const std::string& title) {
    return dcmtk({"movescu", "-v", "-S", "-aem", title, "-k", "QueryRetrieveLevel=STUDY", "-k",
                  "StudyInstanceUID=1.2.3.2", "127.0.0.1", "PORT"});
  };
  const test::Ran ran = move_to("INBOX");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(moved.path()), {}), 3) << ran.text;
  const test::Ran nobody = move_to("NOBODY");
  EXPECT_NE(nobody.text.find("MoveDestinationUnknown"), std::string::npos) << nobody.text;
}

TEST_F(SimPacsService, AMoveThatLiesAboutItsCountsAndGivesNewUids) {
  const test::TempFolder moved;
  prepare("", 1, 4);
  (void)pacs_->stop();
  const int port = test::free_port();
  pacs_->start("[[peer]]\ntitle = \"INBOX\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(port) +
               "\n[[rule]]\non = \"move\"\ninstance = [\"1.2.3.1.1.1\"]\nomit = 1\ncompleted = 1\n"
               "[[rule]]\non = \"get\"\nnew_uids = true\n");
  store_all();
  const test::Program receiver({"storescp", "-B", "-od", moved.path().string(), std::to_string(port)},
                               folder_ / "scp.log");
  ASSERT_TRUE(test::wait_for_port(port)) << test::slurp(folder_ / "scp.log");
  const test::Ran ran = dcmtk({"movescu", "-d", "-S", "-aem", "INBOX", "-k", "QueryRetrieveLevel=STUDY", "-k",
                               "StudyInstanceUID=1.2.3.1", "127.0.0.1", "PORT"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(moved.path()), {}), 3);
  EXPECT_EQ(test::member(pacs_->events("retrieve").at(0), "completed"), "3");
  EXPECT_EQ(test::member(pacs_->events("retrieve").at(0), "said"), "4");

  const test::TempFolder first, second;
  std::set<std::string> names;
  for (const test::TempFolder* into : {&first, &second}) {
    EXPECT_EQ(dcmtk({"getscu", "-S", "-od", into->path().string(), "-k", "QueryRetrieveLevel=STUDY", "-k",
                     "StudyInstanceUID=1.2.3.1", "127.0.0.1", "PORT"})
                  .exit,
              0);
    for (const auto& entry : std::filesystem::directory_iterator(into->path())) names.insert(entry.path().filename());
  }
  EXPECT_EQ(names.size(), 8U) << "every retrieve gave other UIDs";
}

TEST_F(SimPacsService, KnowsWhatItHeldAfterAStopAndAfterAKill) {
  prepare("", 2, 3);
  store_all();
  EXPECT_EQ(pacs_->stop(), 0) << pacs_->output();
  EXPECT_NE(pacs_->output().find("6 objects of 6 instances"), std::string::npos) << pacs_->output();
  pacs_->start();
  EXPECT_EQ(studies_found(), 2U);
  EXPECT_EQ(pacs_->stop(SIGKILL), 128 + SIGKILL);
  std::ofstream(pacs_->store() / "objects/9.part") << "half of an object";
  pacs_->start();
  EXPECT_EQ(studies_found(), 2U);
}

TEST_F(SimPacsService, OutlivesBytesThatAreNoDicom) {
  prepare("", 1, 1);
  const std::string ok = request(1);
  const std::vector<std::string> hostile{
      "",
      "GET / HTTP/1.0\r\n\r\n",
      bytes_of("0100ffffffff"),
      bytes_of("010000000000"),
      bytes_of("01000000004400010000") + std::string(64, 'A'),
      request(0),
      request(129),
      request(1, std::string(100, 'f') + "ff"),
      ok.substr(0, ok.size() / 2),
      ok + bytes_of("0400ffffffff"),
      ok + bytes_of("040000000000"),
      ok + bytes_of("0400000000050000000101"),
      ok + bytes_of("040000000006000000000103"),
      ok + bytes_of("04000000000600000001") + bytes_of("0103"),
      ok + bytes_of("040000000006ffffffff0103"),
      ok + bytes_of("040000000006000000020203"),
      ok + bytes_of("040000000006000000020103"),
      ok + bytes_of("04000000000e0000000a0103ffff0000ffffffff"),
      ok + bytes_of("0400000000080000000401020000"),
      ok + bytes_of("080000000004deadbeef"),
      ok + ok,
      ok + bytes_of("050000000004ffffffff"),
      ok + bytes_of("070000000004000000ff"),
  };
  for (const std::string& bytes : hostile) send_raw(bytes);
  const auto begun = std::ranges::count_if(hostile, [&](const std::string& bytes) { return bytes.starts_with(ok); });
  EXPECT_GE(pacs_->events("accepted").size(), static_cast<std::size_t>(begun)) << "the requests themselves are sound";
  EXPECT_EQ(dcmtk({"echoscu", "127.0.0.1", "PORT"}).exit, 0);
  store_all();
  EXPECT_TRUE(pacs_->holds(uid(0)));
  EXPECT_EQ(pacs_->stop(), 0) << pacs_->output();
}

TEST_F(SimPacsService, NamesTheMistakeInItsOptions) {
  const auto start = [&](std::vector<std::string> words) {
    words.insert(words.begin(), test::tool("simpacs"));
    return test::run(words, folder_ / "start.log");
  };
  EXPECT_EQ(start({"--port", "0"}).exit, 2) << "neither --store nor --discard";
  EXPECT_EQ(start({"--discard", "--port", "0", "--bind", "nowhere"}).exit, 2);
  EXPECT_EQ(start({"--discard", "--port", "0", "--scenario", at("none.toml")}).exit, 2);
  EXPECT_EQ(start({"--store", "/sys/nowhere", "--port", "0"}).exit, 3);
  prepare("", 1, 1);
  const test::Ran taken = start({"--discard", "--port", std::to_string(pacs_->port())});
  EXPECT_EQ(taken.exit, 3);
  EXPECT_NE(taken.text.find("choose another --port"), std::string::npos) << taken.text;
}

}  // namespace waybill
