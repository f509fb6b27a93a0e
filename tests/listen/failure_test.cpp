// SPDX-License-Identifier: Apache-2.0
// What a sender was promised is on disk, whatever becomes of the process or the disk.
#include "listen/listener.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <random>
#include <set>

namespace waybill {
namespace {

using namespace test;

/// Sends numbered messages as fast as they are answered and notes what was acknowledged.
struct Stream {
  explicit Stream(int first) : next(first) {}
  void run(int port) {
    Sender sender(port);
    while (sender.connected()) {
      const std::string id = std::to_string(next);
      if (sender.ask(adt(id)) != "AA|" + id) return;
      acknowledged.insert(id);
      ++answers;
      ++next;
    }
  }
  int next;
  std::set<std::string> acknowledged;
  std::atomic<int> answers = 0;
};

TEST(ListenKilled, LosesNothingThatWasAcknowledgedAndKeepsNothingTwice) {
  TempFolder folder;
  std::array<Stream, 3> streams{Stream(100'000), Stream(200'000), Stream(300'000)};
  std::mt19937 random(7);
  std::size_t before = 0;
  for (int round = 0; round < 5; ++round) {
    Listener listener(folder / "j.wb", folder / "log");
    ASSERT_NE(listener.port(), 0) << listener.log();
    std::vector<std::thread> threads;
    for (auto& stream : streams) stream.answers = 0;
    for (auto& stream : streams) threads.emplace_back([&] { stream.run(listener.port()); });
    EXPECT_TRUE(wait_until(
        [&] { return std::ranges::all_of(streams, [](const Stream& stream) { return stream.answers > 5; }); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
    EXPECT_EQ(listener.stop(SIGKILL), 128 + SIGKILL);
    for (auto& thread : threads) thread.join();

    const auto ids = ids_of(folder / "j.wb");
    const std::set<std::string> unique(ids.begin(), ids.end());
    EXPECT_EQ(unique.size(), ids.size()) << "a message is there twice";
    std::size_t acknowledged = 0;
    for (const auto& stream : streams) {
      for (const auto& id : stream.acknowledged)
        EXPECT_EQ(unique.count(id), 1U) << id << " was acknowledged and is lost";
      acknowledged += stream.acknowledged.size();
    }
    EXPECT_GT(acknowledged, before) << "nothing was acknowledged in this round";
    before = acknowledged;
  }
}

TEST(ListenKilled, ATornTailIsCutAndTheSenderIsAnsweredAgain) {
  TempFolder folder;
  {
    Listener listener(folder / "j.wb", folder / "log");
    EXPECT_EQ(Sender(listener.port()).ask(adt("1")), "AA|1");
    listener.stop(SIGKILL);
  }
  std::ofstream(folder / "j.wb", std::ios::app | std::ios::binary) << "half a frame";
  Listener listener(folder / "j.wb", folder / "log");
  EXPECT_EQ(Sender(listener.port()).ask(adt("1")), "AA|1");
  EXPECT_EQ(Sender(listener.port()).ask(adt("2")), "AA|2");
  EXPECT_EQ(listener.stop(), 0);
  EXPECT_EQ(ids_of(folder / "j.wb"), (std::vector<std::string>{"1", "2"}));
}

TEST(ListenFullDisk, RefusesEveryMessageThatIsNotOnDiskInBothModes) {
  TempFolder folder;
  // A file may have 64 KiB: the write fails in the middle of a frame, as on a full disk.
  Listener listener(folder / "j.wb", folder / "log", {}, {"/bin/bash", "-c", "ulimit -f 64; exec \"$@\"", "bash"});
  ASSERT_NE(listener.port(), 0) << listener.log();
  std::mt19937_64 random(1);
  const auto noise = [&] {
    std::string text;
    while (text.size() < 20'000) text += std::to_string(random());
    return "NTE|1||" + text + "\r";
  };
  Sender sender(listener.port());
  std::vector<std::string> acknowledged;
  bool refused = false;
  for (int i = 0; i < 12; ++i) {
    const std::string id = std::to_string(i);
    const std::string answer = sender.ask(adt(id) + noise());
    if (answer == "AA|" + id) acknowledged.push_back(id);
    if (answer == "AE|" + id) refused = true;
    EXPECT_TRUE(answer == "AA|" + id || answer == "AE|" + id) << answer;
  }
  EXPECT_TRUE(refused);
  sender.send(framed(adt("enhanced", "|||AL|AL") + noise()));
  const auto replies = sender.receive(2);
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(Sender::msa(replies[0]), "CE|enhanced");
  EXPECT_EQ(Sender::msa(replies[1]), "AE|enhanced");
  EXPECT_NE(listener.log().find("messages are refused until the journal can be written"), std::string::npos);
  (void)listener.stop();

  const auto ids = ids_of(folder / "j.wb");
  ASSERT_FALSE(acknowledged.empty());
  for (const auto& id : acknowledged) EXPECT_NE(std::find(ids.begin(), ids.end(), id), ids.end()) << id;
}

TEST(ListenFullDisk, GoesOnWhenThereIsRoomAgain) {
  if (wait_for(spawn({"/usr/bin/unshare", "-m", "/bin/true"}, "/dev/null")) != 0) GTEST_SKIP() << "no mount namespaces";
  TempFolder folder;
  fs::create_directory(folder / "disk");
  const std::string disk = (folder / "disk").string();
  Listener listener(disk + "/j.wb", folder / "log", {},
                    {"/usr/bin/unshare", "-m", "/bin/bash", "-c",
                     "mount -t tmpfs -o size=256k none '" + disk + "' && head -c 100000 /dev/zero >'" + disk +
                         "/filler' && exec \"$@\"",
                     "bash"});
  ASSERT_NE(listener.port(), 0) << listener.log();
  Sender sender(listener.port());
  std::mt19937_64 random(1);
  std::string last;
  std::set<std::string> acknowledged;
  const auto ask = [&](int i) {
    std::string text = adt(std::to_string(i)) + "NTE|1||";
    while (text.size() < 20'000) text += std::to_string(random());
    last = sender.ask(text + "\r");
    if (last.starts_with("AA|")) acknowledged.insert(last.substr(3));
  };
  int i = 0;
  for (; i < 40 && !last.starts_with("AE"); ++i) ask(i);
  ASSERT_TRUE(last.starts_with("AE")) << last;
  EXPECT_GT(acknowledged.size(), 3U);
  // Seen from here the tmpfs lies below the process's own root.
  const fs::path inside = "/proc/" + std::to_string(listener.pid()) + "/root" + disk;
  fs::remove(inside / "filler");
  for (int tries = 0; tries < 100 && !last.starts_with("AA"); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ask(++i);
  }
  EXPECT_TRUE(last.starts_with("AA")) << listener.log();
  const auto ids = ids_of(inside / "j.wb");
  const std::set<std::string> unique(ids.begin(), ids.end());
  EXPECT_EQ(unique.size(), ids.size());
  for (const auto& id : acknowledged) EXPECT_EQ(unique.count(id), 1U) << id;
}

class ListenTls : public testing::Test {
 protected:
  void SetUp() override {
    const auto made = test::run(
        {"/bin/bash", "-ec",
         "cd '" + folder_.path().string() +
             "'\n"
             "for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
             "/CN=$ca "
             "-keyout $ca.key -out $ca.pem -days 30; done\n"
             "for pair in server:ca client:ca stranger:other; do n=${pair%:*} ca=${pair#*:}\n"
             "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout $n.key -out "
             "$n.csr\n"
             "openssl x509 -req -in $n.csr -CA $ca.pem -CAkey $ca.key -CAcreateserial -out $n.pem -days 30; done"},
        folder_ / "log");
    ASSERT_EQ(made.exit, 0) << made.text;
  }
  /// Sends this with openssl's own client, which stays until it has the reply to message `last` or is turned away.
  /// What it says holds the replies.
  std::string send(int port, const std::string& options, const std::string& text = framed(adt("1")),
                   const std::string& last = "1") {
    std::ofstream(folder_ / "m") << text;
    const std::string client =
        "openssl s_client -quiet -no_ign_eof -CAfile ca.pem -verify_return_error -connect 127.0.0.1:";
    return test::run({"/bin/bash", "-c",
                      "cd '" + folder_.path().string() + "'; rm -f in; mkfifo in; timeout 60 " + client +
                          std::to_string(port) + " " + options + " <in >out 2>&1 & exec 3>in; cat m >&3; " +
                          "while kill -0 $! && ! grep -aq 'MSA|AA|" + last +
                          "' out; do sleep 0.02; done 2>/dev/null; " + "exec 3>&-; wait; cat out"},
                     folder_ / "client.log")
        .text;
  }
  std::vector<std::string> options() {
    return {"--tls-cert", folder_ / "server.pem", "--tls-key", folder_ / "server.key", "--tls-ca", folder_ / "ca.pem"};
  }
  TempFolder folder_;
};

TEST_F(ListenTls, TakesMessagesOfClientsItsAuthorityKnowsAndOfNobodyElse) {
  Listener listener(folder_ / "j.wb", folder_ / "listen.log", options());
  ASSERT_NE(listener.port(), 0) << listener.log();
  EXPECT_EQ(send(listener.port(), "").find("MSA|"), std::string::npos);
  EXPECT_EQ(send(listener.port(), "-cert stranger.pem -key stranger.key").find("MSA|"), std::string::npos);
  EXPECT_EQ(send(listener.port(), "-cert client.pem -key client.key -tls1_1 -cipher ALL:@SECLEVEL=0").find("MSA|"),
            std::string::npos);
  EXPECT_NE(send(listener.port(), "-cert client.pem -key client.key").find("MSA|AA|1"), std::string::npos);
  EXPECT_NE(send(listener.port(), "-cert client.pem -key client.key -tls1_2").find("MSA|AA|1"), std::string::npos);
  EXPECT_EQ(Sender(listener.port()).ask(adt("2")), "");  // plain
  listener.stop();
  EXPECT_EQ(ids_of(folder_ / "j.wb"), std::vector<std::string>{"1"});
}

TEST_F(ListenTls, ALargeMessageAndManySmallOnesComeThrough) {
  auto without_ca = options();
  without_ca.resize(4);
  Listener listener(folder_ / "j.wb", folder_ / "listen.log", without_ca);
  std::string all = framed(adt("large") + "OBX|1|ED|" + std::string(5'000'000, 'A') + "\r");
  for (int i = 0; i < 500; ++i) all += framed(adt(std::to_string(i)));
  const std::string replies = send(listener.port(), "", all, "499");
  listener.stop();
  EXPECT_EQ(ids_of(folder_ / "j.wb").size(), 501U) << listener.log();
  EXPECT_NE(replies.find("MSA|AA|499"), std::string::npos);
}

TEST_F(ListenTls, APlainPortSaysThatItsSenderSpeaksTls) {
  Listener listener(folder_ / "j.wb", folder_ / "listen.log");
  EXPECT_EQ(send(listener.port(), "").find("MSA|"), std::string::npos);
  listener.stop();
  EXPECT_NE(listener.log().find("the sender speaks TLS"), std::string::npos) << listener.log();
}

}  // namespace
}  // namespace waybill
