// SPDX-License-Identifier: Apache-2.0
#include "net/tls.hpp"

#include "net/association.hpp"
#include "support/certificates.hpp"
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace waybill::net {

namespace fs = std::filesystem;

namespace {

const std::vector<Context> kContexts{{"1.2.840.10008.5.1.4.1.1.7", std::string(kExplicitLittle), false},
                                     {std::string(kVerificationClass), std::string(kImplicitLittle), false}};

/// storescp with TLS.
class TlsNode {
 public:
  TlsNode(const test::Certificates& files, const std::string& certificate, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"storescp",
                                   "+tls",
                                   (files / (certificate + ".key")).string(),
                                   (files / (certificate + ".pem")).string(),
                                   "+cf",
                                   (files / "ca.pem").string(),
                                   "-od",
                                   folder_.path().string()};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(std::to_string(port_));
    program_.emplace(words, folder_ / "log");
    EXPECT_TRUE(test::wait_for_port(port_));
  }
  [[nodiscard]] Peer peer(const TlsOptions& options, const std::string& host = "127.0.0.1") const {
    Peer peer = parse_url("dicoms://NODE@" + host + ":" + std::to_string(port_));
    peer.tls = Tls::make(options);
    return peer;
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  test::TempFolder folder_;
  const int port_ = test::free_port();
  std::optional<test::Program> program_;
};

/// openssl s_server.
class OpensslServer {
 public:
  OpensslServer(const fs::path& certificate, const fs::path& key, const std::vector<std::string>& more) {
    std::vector<std::string> words{"openssl", "s_server",           "-accept", std::to_string(port_),
                                   "-cert",   certificate.string(), "-key",    key.string(),
                                   "-quiet"};
    words.insert(words.end(), more.begin(), more.end());
    program_.emplace(words, folder_ / "log");
    EXPECT_TRUE(test::wait_for_port(port_));
  }
  [[nodiscard]] Peer peer(const TlsOptions& options) const {
    Peer peer = parse_url("dicoms://NODE@127.0.0.1:" + std::to_string(port_));
    peer.tls = Tls::make(options);
    return peer;
  }

 private:
  test::TempFolder folder_;
  const int port_ = test::free_port();
  std::optional<test::Program> program_;
};

class TlsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { files_ = std::make_unique<test::Certificates>(); }
  static void TearDownTestSuite() { files_.reset(); }
  TlsOptions trusting() {
    TlsOptions options;
    options.authorities = *files_ / "ca.pem";
    options.warn = [this](const std::string& text) { warnings_.push_back(text); };
    return options;
  }
  static void expect_refused(const Peer& peer, const std::string& word) {
    try {
      (void)Association::request(peer, "WAYBILL", kContexts);
      ADD_FAILURE() << "was trusted; expected: " << word;
    } catch (const PeerError& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
      EXPECT_EQ(error.exit(), Exit::peer);
    }
  }
  static std::unique_ptr<test::Certificates> files_;
  std::vector<std::string> warnings_;
  std::vector<std::unique_ptr<OpensslServer>> servers_;
};
std::unique_ptr<test::Certificates> TlsTest::files_;

}  // namespace

TEST_F(TlsTest, StoresOverTlsAndOnlyWithTheRightNameAndAuthority) {
  const TlsNode node(*files_, "good", {"-ic"});
  const std::string file = test::small_object("1.9.1", "1.9.1.1", "1.9.1.1.1", 5);
  const ByteView bytes = as_bytes(file);
  for (const bool modified : {false, true}) {
    TlsOptions options = trusting();
    options.modified_profile = modified;
    Association association = Association::request(node.peer(options), "WAYBILL", kContexts);
    association.echo();
    EXPECT_TRUE(association.usable()) << "a session ticket is no message";
    const StoreResult stored =
        association.store(kContexts[0], "1.9.1.1.1", bytes.subspan(144 + load_u32(bytes.data() + 140)));
    ASSERT_TRUE(stored.status) << stored.error;
    EXPECT_EQ(*stored.status, 0);
  }
  EXPECT_NO_THROW((void)Association::request(node.peer(trusting(), "localhost"), "WAYBILL", kContexts));
  TlsOptions named = trusting();
  named.server_name = "pacs.example.org";
  expect_refused(node.peer(named), "not trusted for 'pacs.example.org'");
  TlsOptions distrusting = trusting();
  distrusting.authorities = *files_ / "other.pem";
  expect_refused(node.peer(distrusting), "not trusted");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(TlsTest, RefusesACertificateOfAnotherHostAnotherAuthorityOrThePast) {
  expect_refused(TlsNode(*files_, "elsewhere", {"-ic"}).peer(trusting()), "IP address mismatch");
  expect_refused(TlsNode(*files_, "stranger", {"-ic"}).peer(trusting()), "not trusted");
  expect_refused(TlsNode(*files_, "ended", {"-ic"}).peer(trusting()), "expired");
}

TEST_F(TlsTest, RefusesACertificateOfTheFutureForAnotherUseOrRevoked) {
  const test::TempFolder folder;
  const std::string ca = (*files_ / "ca").string();
  const test::Ran made = test::run(
      {"/bin/sh", "-ec",
       "cd " + folder.path().string() +
           "; : >index; echo 01 >serial; echo 01 >number\n"
           "printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\ncrlnumber=number\nnew_certs_dir=.\n"
           "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
           "[server]\nsubjectAltName=IP:127.0.0.1\n[client]\nsubjectAltName=IP:127.0.0.1\nextendedKeyUsage="
           "clientAuth\n' >c\n"
           "sign() { openssl req -newkey rsa:2048 -nodes -subj /CN=$1 -keyout $1.key -out $1.csr;"
           " openssl ca -batch -notext -config c -cert " +
           ca + ".pem -keyfile " + ca +
           ".key -in $1.csr -out $1.pem"
           " -extensions $2 -startdate $3 -enddate 20481231000000Z; }\n"
           "sign future server 20471231000000Z; sign use client 20200101000000Z; sign revoked server 20200101000000Z\n"
           "sign fine server 20200101000000Z\n"
           "openssl ca -config c -cert " +
           ca + ".pem -keyfile " + ca +
           ".key -revoke revoked.pem\n"
           "openssl ca -config c -cert " +
           ca + ".pem -keyfile " + ca + ".key -gencrl -crldays 30 -out crl.pem"},
      folder / "log");
  ASSERT_EQ(made.exit, 0) << made.text;
  TlsOptions options = trusting();
  options.revocations = folder / "crl.pem";
  const auto peer = [&](const std::string& name, const std::vector<std::string>& more = {}) {
    servers_.push_back(std::make_unique<OpensslServer>(folder / (name + ".pem"), folder / (name + ".key"), more));
    return servers_.back()->peer(options);
  };
  expect_refused(peer("future"), "not yet valid");
  expect_refused(peer("use"), "purpose");
  expect_refused(peer("revoked"), "revoked");
  expect_refused(peer("fine", {"-tls1_2", "-cipher", "AES128-SHA:AES256-SHA256:@SECLEVEL=0"}), "does not agree on TLS");
  expect_refused(peer("fine", {"-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA256:@SECLEVEL=0"}), "does not agree on TLS");
  Peer good = peer("fine");  // its handshake is made; then it does not speak DICOM
  try {
    (void)Association::request(good, "WAYBILL", kContexts, {std::chrono::seconds(1), std::chrono::seconds(1)});
    ADD_FAILURE();
  } catch (const PeerError& error) {
    EXPECT_NE(std::string(error.what()).find("did not answer the association request"), std::string::npos);
  }
}

TEST_F(TlsTest, SaysThatThePeersCertificateEndsSoon) {
  const TlsNode node(*files_, "ending", {"-ic"});
  const Peer peer = node.peer(trusting());
  for (int i = 0; i < 2; ++i) (void)Association::request(peer, "WAYBILL", kContexts);
  ASSERT_EQ(warnings_.size(), 1U) << "once";
  // Made for ten days; in the second in which it was made, all ten are left.
  const bool said = warnings_[0].find("ends in 9 days") != std::string::npos ||
                    warnings_[0].find("ends in 10 days") != std::string::npos;
  EXPECT_TRUE(said) << warnings_[0];
}

TEST_F(TlsTest, ShowsItsCertificateToAPeerThatAsks) {
  const TlsNode node(*files_, "good", {"-rc"});
  expect_refused(node.peer(trusting()), "");
  TlsOptions options = trusting();
  options.certificate = *files_ / "client.pem";
  options.key = *files_ / "client.key";
  EXPECT_NO_THROW(Association::request(node.peer(options), "WAYBILL", kContexts).echo());
}

TEST_F(TlsTest, StoresIntoAndFindsInAnOrthancThatKnowsItsClients) {
  ::setenv("DICOM_TLS", (*files_ / "").parent_path().c_str(), 1);
  const test::Orthanc orthanc;
  ::unsetenv("DICOM_TLS");
  Peer peer = parse_url("dicoms://ORTHANC@127.0.0.1:" + std::to_string(orthanc.dicom_port()));
  TlsOptions options = trusting();
  peer.tls = Tls::make(options);
  expect_refused(peer, "");
  options.certificate = *files_ / "client.pem";
  options.key = *files_ / "client.key";
  peer.tls = Tls::make(options);
  std::vector<Context> contexts = kContexts;
  for (const Context& context : Association::find_contexts()) contexts.push_back(context);
  Association association = Association::request(peer, "WAYBILL", contexts);
  std::string large = test::small_object("1.9.2", "1.9.2.1", "1.9.2.1.1", 5);
  large.resize(large.size() - 8);  // its four pixels
  large.replace(large.size() - 4, 4, std::string("\0\0\x10\0", 4));
  large.resize(large.size() + (1U << 20U), 'x');
  const ByteView bytes = as_bytes(large);
  const StoreResult stored =
      association.store(contexts[0], "1.9.2.1.1", bytes.subspan(144 + load_u32(bytes.data() + 140)));
  ASSERT_TRUE(stored.status) << stored.error;
  EXPECT_EQ(*stored.status, 0);
  EXPECT_EQ(association.find_study("1.9.2"), std::set<std::string>{"1.9.2.1.1"});
}

TEST_F(TlsTest, NeverSpeaksBelowTls12AndNeverInTheClear) {
  // A server of OpenSSL that knows TLS 1.0 and 1.1 alone.
  const test::TempFolder folder;
  const int port = test::free_port();
  const test::Program old(
      {"openssl", "s_server", "-accept", std::to_string(port), "-key", (*files_ / "good.key").string(), "-cert",
       (*files_ / "good.pem").string(), "-no_tls1_3", "-no_tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-quiet"},
      folder / "log");
  ASSERT_TRUE(test::wait_for_port(port));
  Peer peer = parse_url("dicoms://NODE@127.0.0.1:" + std::to_string(port));
  peer.tls = Tls::make(trusting());
  expect_refused(peer, "does not agree on TLS");

  const test::SimPacs plain;
  Peer clear = parse_url("dicoms://NODE@127.0.0.1:" + std::to_string(plain.port()));
  clear.tls = Tls::make(trusting());
  expect_refused(clear, "TLS");
}

TEST_F(TlsTest, RefusesKeysThatOthersMayReadAndFilesThatDoNotFit) {
  const auto refused = [](const TlsOptions& options, const std::string& word) {
    try {
      (void)Tls::make(options);
      ADD_FAILURE() << "taken; expected: " << word;
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::usage);
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  TlsOptions options = trusting();
  options.certificate = *files_ / "client.pem";
  refused(options, "belong together");
  options.key = *files_ / "good.key";
  refused(options, "belong to the certificate");
  options.key = *files_ / "client.key";
  ::chmod(options.key.c_str(), 0640);
  refused(options, "chmod 600");
  ::chmod(options.key.c_str(), 0600);
  EXPECT_NO_THROW((void)Tls::make(options));
  options.certificate = *files_ / "ended.pem";
  options.key = *files_ / "ended.key";
  refused(options, "has ended");
  options = trusting();
  options.authorities = *files_ / "ca.csr";
  refused(options, "cannot be read");
}

}  // namespace waybill::net
