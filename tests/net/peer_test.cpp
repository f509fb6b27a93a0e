// SPDX-License-Identifier: Apache-2.0
#include "net/peer.hpp"
#include "net/command.hpp"

#include <gtest/gtest.h>

namespace waybill::net {

TEST(PeerUrl, GivesTitleHostAndPort) {
  const Peer peer = parse_url("dicom://PACS 1@archive.example:11112");
  EXPECT_EQ(peer.called, "PACS 1");
  EXPECT_EQ(peer.host, "archive.example");
  EXPECT_EQ(peer.port, 11112);
  EXPECT_EQ(peer.url(), "dicom://PACS 1@archive.example:11112");
}

TEST(PeerUrl, TakesTheStandardPortAndAddressesInBrackets) {
  EXPECT_EQ(parse_url("dicom://A@host").port, 104);
  const Peer peer = parse_url("dicom://A@[::1]:4242");
  EXPECT_EQ(peer.host, "::1");
  EXPECT_EQ(peer.port, 4242);
}

TEST(PeerUrl, RefusesWhatIsNoAddress) {
  for (const char* bad : {"", "http://a", "dicom://host:104", "dicom://@host:104", "dicom://A@:104", "dicom://A@host:0",
                          "dicom://A@host:65536", "dicom://A@host:x", "dicom://SEVENTEENLETTERS1@h:1",
                          "dicom://A@[::1:4", "dicom://A@h:1/x"}) {
    try {
      (void)parse_url(bad);
      ADD_FAILURE() << bad << " was taken";
    } catch (const RunError& error) {
      EXPECT_EQ(error.exit(), Exit::usage) << bad;
    }
  }
}

TEST(CommandSet, IsTheSameAfterEncodingAndParsing) {
  const Command sent =
      Command::make(1, true).set(field::kAffectedClass, "1.2.3").set(field::kMessageId, std::uint16_t{7});
  const Bytes bytes = sent.encode();
  EXPECT_EQ(load_u32(bytes.data() + 8), bytes.size() - 12) << "group length";
  const auto got = Command::parse(bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->text(field::kAffectedClass), "1.2.3");
  EXPECT_EQ(got->number(field::kMessageId), 7);
  EXPECT_TRUE(got->data_follows());
}

TEST(CommandSet, RefusesLengthsThatDoNotFit) {
  Bytes bytes = Command::make(1, true).encode();
  bytes[4] = std::byte{0xFF};
  EXPECT_FALSE(Command::parse(bytes));
  EXPECT_FALSE(Command::parse(ByteView(bytes).first(5)));
}

TEST(CommandSet, EndsWhereItsGroupLengthSaysWhateverAPeerPutsBehindIt) {
  // Orthanc 1.10 answers a C-GET of which something failed with (0008,0058) in the same PDV.
  Bytes bytes = Command::make(0x8010, false).set(field::kStatus, std::uint16_t{0xB000}).encode();
  for (const int b : {0x08, 0, 0x58, 0, 4, 0, 0, 0, 0x31, 0x2E, 0x32, 0}) bytes.push_back(static_cast<std::byte>(b));
  const auto got = Command::parse(bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->number(field::kStatus), 0xB000);
  EXPECT_EQ(got->text(0x0058), "");
}

}  // namespace waybill::net
