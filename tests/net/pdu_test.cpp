// SPDX-License-Identifier: Apache-2.0
#include "net/pdu.hpp"

#include <gtest/gtest.h>

namespace waybill::net {

namespace {

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int v : values) out.push_back(static_cast<std::byte>(v));
  return out;
}

/// An acceptance as an acceptor writes it: context 1 in implicit little endian, context 3 refused (4), any PDU length.
Bytes acceptance() {
  Bytes out(68);
  const Bytes context = bytes_of({0x21, 0, 0, 25, 1, 0, 0, 0, 0x40, 0, 0, 17});
  put_bytes(out, context);
  put_bytes(out, as_bytes("1.2.840.10008.1.2"));
  put_bytes(out, bytes_of({0x21, 0, 0, 8, 3, 0, 4, 0, 0x40, 0, 0, 0}));
  put_bytes(out, bytes_of({0x50, 0, 0, 8, 0x51, 0, 0, 4, 0, 0, 0, 0}));
  return out;
}

/// The body of a request for two contexts, one of them with a role.
Bytes request() {
  Bytes out = encode_request("CALLED", "CALLING", {{"1.2.3", "1.2.840.10008.1.2"}, {"1.2.4", "1.2", true}});
  out.erase(out.begin(), out.begin() + 6);
  return out;
}

}  // namespace

TEST(AssociationPdu, ARequestIsReadAsItWasWrittenAndAnAnswerFits) {
  const auto asked = parse_request(request());
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->called, "CALLED");
  EXPECT_EQ(asked->calling, "CALLING");
  ASSERT_EQ(asked->contexts.size(), 2U);
  EXPECT_EQ(asked->contexts[1].id, 3);
  EXPECT_EQ(asked->contexts[1].syntaxes, (std::vector<std::string>{"1.2"}));
  EXPECT_EQ(asked->roles.at("1.2.4"), std::make_pair(false, true));
  Bytes answer = encode_accept(*asked, {{1, "1.2.840.10008.1.2"}});
  answer.erase(answer.begin(), answer.begin() + 6);
  const auto accepted = parse_accept(answer);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->syntaxes, (std::map<ContextId, std::string>{{1, "1.2.840.10008.1.2"}}));
  EXPECT_EQ(accepted->refusals, (std::map<ContextId, std::uint8_t>{{3, 2}}));
}

TEST(AssociationPdu, HasTitlesContextsAndOurLimit) {
  const Bytes pdu = encode_request("CALLED", "CALLING", {{"1.2.3", "1.2.840.10008.1.2"}, {"1.2.4", "1.2", true}});
  EXPECT_EQ(pdu[0], std::byte{1});
  EXPECT_EQ(load_u32(pdu.data() + 2, true), pdu.size() - 6);
  EXPECT_EQ(as_text(ByteView(pdu).subspan(10, 32)), "CALLED          CALLING         ");
  const std::string_view text = as_text(pdu);
  EXPECT_NE(text.find(std::string_view("\x20\x00\x00\x22\x01", 5)), std::string_view::npos) << "context 1";
  EXPECT_NE(text.find(std::string_view("\x54\x00\x00\x09\x00\x05"
                                       "1.2.4\x00\x01",
                                       13)),
            std::string_view::npos)
      << "SCP role of the second class";
  EXPECT_NE(text.find(std::string_view("\x51\x00\x00\x04\x00\x02\x00\x00", 8)), std::string_view::npos) << "128 KiB";
}

TEST(AssociationPdu, AsksForTheLevelOfStorageAndReadsTheAnswer) {
  const Bytes pdu =
      encode_request("CALLED", "CALLING", {{"1.2.3", "1.2"}, {std::string(kStudyRootFind), "1.2"}}, AskLevel::yes);
  const std::string_view item(
      "\x56\x00\x00\x0d\x00\x05"
      "1.2.3\x03\x00\x00\x00\x00\x00",
      17);
  EXPECT_NE(as_text(pdu).find(item), std::string_view::npos);
  Bytes answer(68);
  put_bytes(answer, bytes_of({0x50, 0, 0, 17, 0x56, 0, 0, 13, 0, 5}));
  put_bytes(answer, as_bytes("1.2.3"));
  put_bytes(answer, bytes_of({1, 0, 0, 0, 2, 0}));
  const auto accepted = parse_accept(answer);
  ASSERT_TRUE(accepted);
  ASSERT_TRUE(accepted->levels.contains("1.2.3"));
  EXPECT_EQ(accepted->levels.at("1.2.3").level, 1);
  EXPECT_EQ(accepted->levels.at("1.2.3").coercion, 2);
}

TEST(AssociationPdu, AsksForAllThatAPeerSaysOfItselfAndReadsTheAnswer) {
  const std::vector<Context> contexts{{"1.2.3", "1.2"}, {std::string(kStudyRootFind), "1.2"}};
  const std::string_view window("\x53\x00\x00\x04\x00\x00\x00\x01", 8);
  const Bytes usual = encode_request("CALLED", "CALLING", contexts, AskLevel::yes);
  EXPECT_EQ(as_text(usual).find(window), std::string_view::npos) << "load asks for no window";
  const Bytes all = encode_request("CALLED", "CALLING", contexts, AskLevel::all);
  EXPECT_NE(as_text(all).find(window), std::string_view::npos);
  EXPECT_NE(as_text(all).find(std::string(kStudyRootFind) + std::string("\x01\x00\x00", 3)), std::string_view::npos);

  Bytes user = bytes_of({0x51, 0, 0, 4, 0, 0, 0x40, 0, 0x53, 0, 0, 4, 0, 5, 0, 1});
  const auto put = [&](std::uint8_t type, std::string_view text) {
    put_bytes(user, bytes_of({type, 0, 0, static_cast<int>(text.size())}));
    put_bytes(user, as_bytes(text));
  };
  put(0x52, "1.2.99");
  put(0x55, "PACS_7 ");
  put(0x56, std::string("\x00\x1b", 2) + std::string(kStudyRootFind) + "\x01");
  Bytes answer(68);
  put_bytes(answer, bytes_of({0x50, 0, 0, static_cast<int>(user.size())}));
  put_bytes(answer, user);
  const auto accepted = parse_accept(answer);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->facts.implementation_class, "1.2.99");
  EXPECT_EQ(accepted->facts.implementation_version, "PACS_7");
  EXPECT_EQ(accepted->facts.max_pdu, 0x4000U);
  ASSERT_TRUE(accepted->facts.window);
  EXPECT_EQ(accepted->facts.window->invoked, 5);
  EXPECT_EQ(accepted->facts.relational, std::optional(true));
  EXPECT_TRUE(accepted->levels.empty()) << "what is said of C-FIND is no level of storage";
}

TEST(AssociationPdu, ReadsWhatWasGrantedAndRefused) {
  const auto accepted = parse_accept(acceptance());
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->facts.max_pdu, 0U);
  EXPECT_EQ(accepted->syntaxes, (std::map<ContextId, std::string>{{1, "1.2.840.10008.1.2"}}));
  EXPECT_EQ(accepted->refusals, (std::map<ContextId, std::uint8_t>{{3, 4}}));
}

TEST(AssociationPdu, RefusesAnAcceptanceThatIsCutAnywhere) {
  const Bytes whole = acceptance();
  std::size_t taken = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) taken += parse_accept(ByteView(whole).first(size)) ? 1 : 0;
  EXPECT_EQ(taken, 3U) << "behind the fixed part, the first and the second context";
  const Bytes asked = request();
  taken = 0;
  for (std::size_t size = 0; size < asked.size(); ++size) taken += parse_request(ByteView(asked).first(size)) ? 1 : 0;
  EXPECT_EQ(taken, 4U) << "behind the fixed part, the application context and each presentation context";
}

TEST(AssociationPdu, SurvivesAnyOneByteChanged) {
  for (const Bytes& whole : {acceptance(), request()}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (const int value : {0, 1, 0x21, 0x40, 0x7F, 0xFF}) {
        Bytes changed = whole;
        changed[at] = static_cast<std::byte>(value);
        (void)parse_accept(changed);
        (void)parse_reject(changed);
        (void)abort_reason(changed);
        (void)parse_request(changed);
      }
    }
  }
}

TEST(AssociationPdu, TellsRejectionsApart) {
  EXPECT_FALSE(parse_reject(bytes_of({0, 1, 1, 7})).transient);
  EXPECT_EQ(parse_reject(bytes_of({0, 1, 1, 7})).reason, "the called AE title is not known there");
  EXPECT_TRUE(parse_reject(bytes_of({0, 2, 3, 2})).transient);
  EXPECT_EQ(parse_reject({}).reason, "no reason given");
  EXPECT_NE(abort_reason(bytes_of({0, 0, 2, 2})).find("unexpected PDU"), std::string::npos);
}

}  // namespace waybill::net
