// SPDX-License-Identifier: Apache-2.0
// Associations that others ask us for: DCMTK's clients, and peers that mean no good.
#include "net/listener.hpp"

#include "net/command.hpp"
#include "net/pdu.hpp"
#include "net/tls.hpp"
#include "support/certificates.hpp"
#include "support/peer.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <atomic>
#include <mutex>

namespace waybill::net {

namespace {

constexpr Timeouts within(std::chrono::seconds time) { return {time, time, time}; }
constexpr std::chrono::seconds kShort{1}, kLong{60};

class ListenerTest : public ::testing::Test {
 protected:
  void listen(std::shared_ptr<const Tls> tls = nullptr, std::chrono::seconds time_out = kShort) {
    Services services;
    services.title = "WAYBILL";
    services.callers = {"ARCHIVE"};
    services.choose = [](const std::string&, const std::vector<std::string>& syntaxes) { return syntaxes.front(); };
    services.store = [this](Received received) -> std::uint16_t {
      const std::lock_guard lock(mutex_);
      received_.push_back(std::move(received));
      return 0;
    };
    services.say = [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      said_.push_back(text);
    };
    listener_.emplace(ListenAt{"127.0.0.1", 0}, std::move(services), within(time_out), std::move(tls));
  }
  test::Ran dcmtk(std::vector<std::string> words, const std::string& calling = "ARCHIVE",
                  const std::string& called = "WAYBILL", const std::vector<std::string>& files = {}) {
    words.insert(words.end(), {"-aet", calling, "-aec", called, "127.0.0.1", std::to_string(listener_->port())});
    words.insert(words.end(), files.begin(), files.end());
    return test::run(words, folder_ / "log");
  }
  /// A connection that sends these bytes and leaves the rest to us.
  [[nodiscard]] int connect_and_send(const std::string& bytes) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener_->port());
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    return fd;
  }

  [[nodiscard]] std::size_t received() {
    const std::lock_guard lock(mutex_);
    return received_.size();
  }

  test::TempFolder folder_;
  std::mutex mutex_;
  std::vector<Received> received_;
  std::vector<std::string> said_;
  std::optional<Listener> listener_;
};

constexpr std::string_view kCapture = "1.2.840.10008.5.1.4.1.1.7";

/// Appends a fragment of context 1 (PS3.8 9.3.5.1).
void put_fragment(Bytes& out, bool command, bool last, ByteView bytes) {
  for (const unsigned shift : {24U, 16U, 8U, 0U})
    out.push_back(static_cast<std::byte>(((bytes.size() + 2) >> shift) & 0xFFU));
  out.push_back(std::byte{1});
  out.push_back(static_cast<std::byte>((command ? 1U : 0U) | (last ? 2U : 0U)));
  put_bytes(out, bytes);
}

void put_data(Bytes& out, ByteView fragments) {
  put_pdu_head(out, PduType::data, static_cast<std::uint32_t>(fragments.size()));
  put_bytes(out, fragments);
}

/// A C-STORE whose dataset is cut into fragments of these sizes, as many to a PDU as `together` says.
Bytes store_in_pieces(ByteView dataset, std::span<const std::size_t> sizes, std::size_t together) {
  const Bytes command = Command::make(static_cast<std::uint16_t>(Verb::store), true)
                            .set(field::kAffectedClass, kCapture)
                            .set(field::kMessageId, std::uint16_t{1})
                            .set(field::kAffectedInstance, "1.2.3.4")
                            .encode();
  Bytes out, fragments;
  put_fragment(fragments, true, true, command);
  for (std::size_t i = 0; !dataset.empty(); ++i) {
    const ByteView piece = dataset.first(std::min(dataset.size(), sizes[i % sizes.size()]));
    dataset = dataset.subspan(piece.size());
    if (i % together == 0) put_data(out, std::exchange(fragments, {}));
    put_fragment(fragments, false, dataset.empty(), piece);
  }
  put_data(out, fragments);
  return out;
}

}  // namespace

TEST_F(ListenerTest, AnswersAnEchoOfTheOneWhoMayCallAndOfNobodyElse) {
  listen();
  EXPECT_EQ(dcmtk({"echoscu"}).exit, 0);
  const test::Ran stranger = dcmtk({"echoscu"}, "STRANGER");
  EXPECT_NE(stranger.exit, 0);
  EXPECT_NE(stranger.text.find("Calling AE Title Not Recognized"), std::string::npos) << stranger.text;
  const test::Ran elsewhere = dcmtk({"echoscu"}, "ARCHIVE", "OTHER");
  EXPECT_NE(elsewhere.exit, 0);
  EXPECT_NE(elsewhere.text.find("Called AE Title Not Recognized"), std::string::npos) << elsewhere.text;
  EXPECT_NE(dcmtk({"echoscu"}, "STRANGER").exit, 0);
  ASSERT_EQ(said_.size(), 2U) << "each once";
  EXPECT_NE(said_[0].find("'STRANGER' that called 'WAYBILL' was turned away"), std::string::npos) << said_[0];
}

TEST_F(ListenerTest, TakesAnObjectWithItsBytes) {
  listen();
  const std::string file = test::small_object("1.2.3", "1.2.3.4", "1.2.3.4.5", 77);
  std::ofstream(folder_ / "a.dcm", std::ios::binary) << file;
  const test::Ran ran = dcmtk({"storescu"}, "ARCHIVE", "WAYBILL", {(folder_ / "a.dcm").string()});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  ASSERT_EQ(received_.size(), 1U);
  EXPECT_EQ(received_[0].sop_instance, "1.2.3.4.5");
  EXPECT_EQ(received_[0].transfer_syntax, kExplicitLittle);
  EXPECT_TRUE(file.ends_with(as_text(received_[0].dataset)));
}

TEST_F(ListenerTest, TakesAnObjectWhateverThePiecesItComesIn) {
  listen();
  Bytes dataset(1'000'003);
  for (std::size_t i = 0; i < dataset.size(); ++i) dataset[i] = static_cast<std::byte>(i * 2654435761U >> 13U);
  const std::vector<std::vector<std::size_t>> cuts = {
      {131066}, {1, 200000, 0, 16, 65536, 65535}, {16378}, {400000, 3}, {700, 90000}};
  for (const std::size_t together : {1U, 2U}) {
    for (const auto& sizes : cuts) {
      const std::size_t before = received();
      const Bytes request =
          encode_request("WAYBILL", "ARCHIVE", {{std::string(kCapture), std::string(kExplicitLittle)}});
      const int fd = connect_and_send(std::string(as_text(request)));
      const Bytes store = store_in_pieces(dataset, sizes, together);
      for (std::size_t at = 0, n = 1; at < store.size(); at += n, n = n * 7 % 50021 + 1) {
        const std::size_t size = std::min(n, store.size() - at);
        ASSERT_EQ(::send(fd, store.data() + at, size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
      }
      for (int i = 0; i < 400 && received() == before; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ::close(fd);
      ASSERT_EQ(received(), before + 1) << sizes[0] << " x " << together;
      EXPECT_TRUE(std::ranges::equal(received_.back().dataset, dataset)) << sizes[0] << " x " << together;
    }
  }
}

TEST_F(ListenerTest, SilentAndSenselessPeersKeepNobodyElseOut) {
  listen();
  std::vector<int> sockets;
  for (int i = 0; i < 8; ++i) sockets.push_back(connect_and_send(""));
  sockets.push_back(connect_and_send(std::string("\x01\x00\x00\x00\x01\x00\x00\x01", 8)));  // half a request
  sockets.push_back(connect_and_send(std::string("\x01\x00\xFF\xFF\xFF\xFF\x00\x01", 8)));  // 4 GiB of one
  sockets.push_back(connect_and_send(std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
  sockets.push_back(connect_and_send(std::string("\x01\x00\x00\x00\x00\x44", 6) + std::string(68, '\xFF')));
  EXPECT_EQ(dcmtk({"echoscu"}).exit, 0);
  for (int i = 0; i < 30; ++i) sockets.push_back(connect_and_send(""));
  std::this_thread::sleep_for(std::chrono::milliseconds(1300));  // the time-out of those that say nothing
  EXPECT_EQ(dcmtk({"echoscu"}).exit, 0);
  for (const int fd : sockets) ::close(fd);
}

TEST_F(ListenerTest, AnEndWaitsForNobody) {
  listen(nullptr, kLong);
  const int fd = connect_and_send(std::string("\x01\x00\x00\x00\x01\x00\x00\x01", 8));  // half a request
  const auto begin = std::chrono::steady_clock::now();
  listener_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kLong / 2);
  ::close(fd);
}

TEST_F(ListenerTest, WithTlsTakesNothingInTheClearAndNobodyWithoutACertificate) {
  const test::Certificates files;
  TlsOptions options;
  options.certificate = files / "good.pem";
  options.key = files / "good.key";
  options.authorities = files / "ca.pem";
  listen(Tls::make_server(options, Tls::Clients::certified));
  const auto echo = [&](const std::string& name) {
    return dcmtk({"echoscu", "+tls", (files / (name + ".key")).string(), (files / (name + ".pem")).string(), "+cf",
                  (files / "ca.pem").string()});
  };
  EXPECT_EQ(echo("client").exit, 0);
  EXPECT_NE(echo("stranger").exit, 0) << "of another authority";
  EXPECT_NE(echo("ended").exit, 0);
  EXPECT_NE(dcmtk({"echoscu", "+tla", "-ic"}).exit, 0) << "anonymous";
  EXPECT_NE(dcmtk({"echoscu", "-to", "1", "-ta", "1"}).exit, 0) << "in the clear";
  for (const char* version : {"-tls1", "-tls1_1"}) {
    const test::Ran old = test::run({"/bin/sh", "-c",
                                     "openssl s_client -connect 127.0.0.1:" + std::to_string(listener_->port()) + " " +
                                         version + " -cipher DEFAULT@SECLEVEL=0 </dev/null"},
                                    folder_ / "old");
    EXPECT_NE(old.exit, 0) << version;
  }
}

TEST(ListenAddress, HasAnAddressOrStandsForAll) {
  EXPECT_EQ(parse_listen("11112").port, 11112);
  EXPECT_EQ(parse_listen("11112").address, "0.0.0.0");
  EXPECT_EQ(parse_listen("127.0.0.1:104").address, "127.0.0.1");
  EXPECT_EQ(parse_listen("[::1]:104").address, "::1");
  for (const char* wrong : {"", "x", "70000", ":104", "127.0.0.1:", "1.2.3.4:5x"})
    EXPECT_THROW((void)parse_listen(wrong), RunError) << wrong;
  EXPECT_THROW(Listener(parse_listen("192.0.2.1:1"), {}, {}, nullptr), RunError) << "no address of ours";
}

}  // namespace waybill::net
