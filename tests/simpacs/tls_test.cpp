// SPDX-License-Identifier: Apache-2.0
// The simulator by TLS, both ways: load, its reports of commitment, and C-MOVE.
#include "support/certificates.hpp"
#include "support/free_port.hpp"
#include "support/simpacs.hpp"

namespace waybill {

namespace {

class SimPacsTls : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return (*certificates_ / name).string(); }
  test::Ran run(const std::string& tool, std::vector<std::string> more, const std::string& as = "client") {
    more.insert(more.begin(), {test::tool(tool), (folder_ / (tool == "load" ? "scan.wb" : "load.wb")).string(), "-o",
                               (folder_ / (tool + ".wb")).string(), "--quiet", "--timeout", "2", "--tls-ca",
                               file("ca.pem"), "--tls-cert", file(as + ".pem"), "--tls-key", file(as + ".key")});
    return test::run(more, folder_ / "tool.log");
  }
  static void SetUpTestSuite() { certificates_ = std::make_unique<test::Certificates>(); }
  static void TearDownTestSuite() { certificates_.reset(); }
  static std::unique_ptr<test::Certificates> certificates_;
  test::TempFolder folder_;
};
std::unique_ptr<test::Certificates> SimPacsTls::certificates_;

}  // namespace

TEST_F(SimPacsTls, StoresCommitsAndMovesForThoseWithACertificate) {
  const auto objects = test::make_archive(folder_, 1, 3);
  const std::string port = std::to_string(test::free_port());
  test::SimPacs pacs;
  ASSERT_EQ(pacs.stop(), 0);
  pacs.start("[[peer]]\ntitle = \"WAYBILL\"\nhost = \"127.0.0.1\"\nport = " + port +
                 "\ntls = true\n[[rule]]\non = \"commit\"\nnew_association = true\n",
             {"--tls-cert", file("good.pem"), "--tls-key", file("good.key"), "--tls-ca", file("ca.pem")});
  const std::string url = "dicoms://SIMPACS@127.0.0.1:" + std::to_string(pacs.port());
  const std::string listen = "127.0.0.1:" + port;
  EXPECT_EQ(run("load", {"--to", url}, "stranger").exit, 4);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "load.wb"));
  // Who calls us is shown our certificate too, so it must be for the address we are called at.
  test::Ran ran = run("load", {"--to", url, "--commit", "--listen", listen, "--commit-wait", "10"}, "node");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("committed\t3"), std::string::npos) << ran.text;
  ran = run("verify", {"--against", url, "--level", "content", "--retrieve", "move", "--listen", listen}, "node");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const auto& [uid, object] : test::objects_of(folder_ / "verify.wb"))
    EXPECT_EQ(object.verify->verdict, "IDENTICAL") << uid;
}

TEST_F(SimPacsTls, IsUnderstoodByDcmtkAndAsksForACertificateOnlyWithAuthorities) {
  test::SimPacs pacs;
  const auto echo = [&](const std::vector<std::string>& tls) {
    std::vector<std::string> words{"echoscu"};
    words.insert(words.end(), tls.begin(), tls.end());
    words.insert(words.end(), {"127.0.0.1", std::to_string(pacs.port())});
    return test::run(words, folder_ / "echo.log").exit;
  };
  const std::vector<std::string> anonymous{"+tla", "+cf", file("ca.pem")};
  const std::vector<std::string> known{"+tls", file("client.key"), file("client.pem"), "+cf", file("ca.pem")};
  ASSERT_EQ(pacs.stop(), 0);
  pacs.start("", {"--tls-cert", file("good.pem"), "--tls-key", file("good.key")});
  EXPECT_EQ(echo(anonymous), 0);
  EXPECT_NE(echo({"-to", "1", "-ta", "1"}), 0) << "in the clear";
  ASSERT_EQ(pacs.stop(), 0);
  pacs.start("", {"--tls-cert", file("good.pem"), "--tls-key", file("good.key"), "--tls-ca", file("ca.pem")});
  EXPECT_NE(echo(anonymous), 0);
  EXPECT_EQ(echo(known), 0);
}

}  // namespace waybill
