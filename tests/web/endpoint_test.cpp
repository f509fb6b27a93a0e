// SPDX-License-Identifier: Apache-2.0
#include "web/endpoint.hpp"

#include "support/exits.hpp"

#include <gtest/gtest.h>

namespace waybill::web {

TEST(WebEndpoint, IsReadFromAnAddressAndWrittenAsOne) {
  const Endpoint usual = parse_url("https://pacs.example/dicom-web/");
  EXPECT_EQ(usual.host, "pacs.example");
  EXPECT_EQ(usual.port, 443);
  EXPECT_EQ(usual.path, "/dicom-web");
  EXPECT_TRUE(usual.secure);
  EXPECT_EQ(usual.url(), "https://pacs.example/dicom-web");
  const Endpoint six = parse_url("http://[2001:db8::1]:8042");
  EXPECT_EQ(six.host, "2001:db8::1");
  EXPECT_EQ(six.path, "");
  EXPECT_EQ(six.url(), "http://[2001:db8::1]:8042");
}

TEST(WebEndpoint, RefusesWhatIsNoAddressAndRepeatsNoSecret) {
  for (const char* url : {"ftp://x/y", "https://", "https:///x", "https://x:0/y", "https://x:70000/y", "https://x:y/z",
                          "https://[::1/x", "https://[::1]x/y", "https://x/y?z", "https://x/y#z", "https://x/a b",
                          "https://u:hidden@x/y", "https://x/\r\nHost: evil"}) {
    std::string text;
    EXPECT_EQ(test::exit_of([&] { (void)parse_url(url); }, &text), Exit::usage) << url;
    EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
  }
}

TEST(WebEndpoint, KnowsThisMachineByItsAddressAlone) {
  for (const char* url : {"http://127.0.0.1/x", "http://127.9.9.9/x", "http://[::1]/x", "http://localhost/x"})
    EXPECT_TRUE(parse_url(url).is_loopback()) << url;
  for (const char* url : {"http://128.0.0.1/x", "http://127.0.0.1.evil.example/x", "http://localhost.evil.example/x",
                          "http://[::2]/x", "http://0.0.0.0/x"})
    EXPECT_FALSE(parse_url(url).is_loopback()) << url;
}

}  // namespace waybill::web
