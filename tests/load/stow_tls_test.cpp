// SPDX-License-Identifier: Apache-2.0
// waybill-load and -verify over https://: whom they trust, whom they show themselves to, and that they never fall back.
#include "support/certificates.hpp"
#include "support/lying_stow.hpp"

namespace waybill {

namespace {

class StowTls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { files_ = std::make_unique<test::Certificates>(); }
  static void TearDownTestSuite() { files_.reset(); }
  void SetUp() override { (void)test::make_archive(folder_, 1, 3); }

  [[nodiscard]] static std::string file(const std::string& name) { return (*files_ / name).string(); }
  [[nodiscard]] static std::vector<std::string> pair(const std::string& name) {
    return {file(name + ".pem"), file(name + ".key")};
  }
  test::Ran load(const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{test::tool("load"), at("scan.wb"), "--to", url,        "-o",          at("load.wb"),
                                   "--quiet",          "--timeout",   "3",    "--tls-ca", file("ca.pem")};
    words.insert(words.end(), more.begin(), more.end());
    return test::run(words, folder_ / "load.log");
  }
  /// Nothing was sent, nothing written, and the message says why.
  void expect_refused(const test::Ran& ran, const test::LyingStow& service, const std::string& word) {
    EXPECT_EQ(ran.exit, 4) << ran.text;
    EXPECT_NE(ran.text.find(word), std::string::npos) << ran.text;
    EXPECT_TRUE(service.events("question").empty() && service.events("request").empty());
    EXPECT_FALSE(std::filesystem::exists(at("load.wb")));
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  static std::unique_ptr<test::Certificates> files_;
  test::TempFolder folder_;
};
std::unique_ptr<test::Certificates> StowTls::files_;

}  // namespace

TEST_F(StowTls, SendsToAServiceWhoseCertificateIsTrustedAndReadsItBack) {
  const test::LyingStow service("{}", pair("good"));
  EXPECT_EQ(load(service.url("https")).exit, 0);
  EXPECT_EQ(service.kept().size(), 3U);
  const test::Ran back = test::run({test::tool("verify"), at("load.wb"), "--against", service.url("https", "localhost"),
                                    "-o", at("verify.wb"), "--level", "content", "--tls-ca", file("ca.pem")},
                                   folder_ / "verify.log");
  EXPECT_EQ(back.exit, 0) << back.text;
}

TEST_F(StowTls, SendsNothingToAnybodyElse) {
  {
    const test::LyingStow stranger("{}", pair("stranger"));
    expect_refused(load(stranger.url("https")), stranger, "certificate");
  }
  {
    const test::LyingStow ended("{}", pair("ended"));
    expect_refused(load(ended.url("https")), ended, "expired");
  }
  {
    const test::LyingStow old(R"({"old_tls": true})", pair("good"));
    expect_refused(load(old.url("https")), old, "TLS");
  }
  {
    const test::LyingStow plain;
    expect_refused(load(plain.url("https")), plain, "TLS");
  }
  const test::LyingStow elsewhere("{}", pair("elsewhere"));
  expect_refused(load(elsewhere.url("https")), elsewhere, "certificate");
  EXPECT_EQ(load(elsewhere.url("https"), {"--tls-name", "evil.example.org"}).exit, 0) << "the name that was asked for";
}

TEST_F(StowTls, ShowsItsCertificateWhereOneIsAskedFor) {
  auto tls = pair("good");
  tls.push_back(file("ca.pem"));
  const test::LyingStow service("{}", tls);
  const test::Ran without = load(service.url("https"));
  EXPECT_EQ(without.exit, 4) << without.text;
  EXPECT_TRUE(service.kept().empty());
  EXPECT_EQ(load(service.url("https"), {"--tls-cert", file("client.pem"), "--tls-key", file("client.key")}).exit, 0);
  EXPECT_EQ(service.kept().size(), 3U);
}

TEST_F(StowTls, WarnsBeforeACertificateEnds) {
  const test::LyingStow service("{}", pair("ending"));
  const test::Ran ran = load(service.url("https"));
  EXPECT_EQ(ran.exit, 0);
  EXPECT_NE(ran.text.find("ends in"), std::string::npos) << ran.text;
}

}  // namespace waybill
