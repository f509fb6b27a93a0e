// SPDX-License-Identifier: Apache-2.0
#include "listen/reply.hpp"

#include <gtest/gtest.h>

namespace waybill::listen {
namespace {

std::string message(const std::string& from_msh_9, const std::string& head = "MSH|^~\\&|APP|FAC|WB|HOSP|20240101||") {
  return head + from_msh_9 + "\rPID|1||7\r";
}

std::vector<std::string> replies_to(const std::string& text) {
  const Head head = read_head(text);
  return replies(head, judge(head, {"P"}), {"id1", "id2"}, "20260101120000+0000");
}

TEST(MllpReply, OriginalModeAcceptsWithSenderAndReceiverExchanged) {
  EXPECT_EQ(replies_to(message("ADT^A40^ADT_A39|17|P|2.5")),
            std::vector<std::string>{"MSH|^~\\&|WB|HOSP|APP|FAC|20260101120000+0000||ACK^A40^ACK|id2|P|2.5\r"
                                     "MSA|AA|17\r"});
  EXPECT_EQ(replies_to(message("ADT^A40|17|P|2.3"))[0].find("ACK^A40^ACK"), std::string::npos);
}

TEST(MllpReply, SaysErrorForDataAndRejectForKind) {
  struct Case {
    std::string text, code, why;
  };
  const std::vector<Case> cases = {
      {message("ADT^A08||P|2.5"), "AE", "101^"},
      {message("ADT^A08|1|T|2.5"), "AR", "202^"},
      {message("ADT^A08|1|P|3.0"), "AR", "203^"},
      {message("|1|P|2.5"), "AR", "200^"},
  };
  for (const auto& c : cases) {
    const auto all = replies_to(c.text);
    ASSERT_EQ(all.size(), 1U) << c.text;
    EXPECT_NE(all[0].find("\rMSA|" + c.code + "|"), std::string::npos) << all[0];
    EXPECT_NE(all[0].find("\rERR|||" + c.why), std::string::npos) << all[0];
  }
}

TEST(MllpReply, TakesAnEmptyProcessingIdOrVersionAsOldSystemsSendThem) {
  EXPECT_NE(replies_to(message("ADT^A08|1||"))[0].find("MSA|AA|1"), std::string::npos);
  EXPECT_NE(replies_to(message("ADT^A08|1|P"))[0].find("MSA|AA|1"), std::string::npos);
  EXPECT_NE(replies_to(message("ADT^A08|1|P^T|2.3.1^DEU"))[0].find("MSA|AA|1"), std::string::npos);
}

TEST(MllpReply, EnhancedModeCommitsFirstAndAnswersOnlyWhatIsAskedFor) {
  struct Case {
    std::string commit, application;
    bool good;
    std::string codes;
  };
  const std::vector<Case> cases = {
      {"AL", "AL", true, "CA AA "}, {"AL", "NE", true, "CA "}, {"NE", "AL", true, "AA "},
      {"NE", "NE", true, ""},       {"ER", "ER", true, ""},    {"SU", "SU", true, "CA AA "},
      {"AL", "", true, "CA "},      {"", "AL", true, "AA "},   {"AL", "AL", false, "CR AR "},
      {"ER", "NE", false, "CR "},   {"SU", "SU", false, ""},   {"NE", "ER", false, "AR "},
  };
  for (const auto& c : cases) {
    std::string codes;
    for (const auto& reply : replies_to(
             message("ADT^A08|1|" + std::string(c.good ? "P" : "D") + "|2.5|||" + c.commit + "|" + c.application)))
      codes += reply.substr(reply.find("\rMSA|") + 5, 2) + " ";
    EXPECT_EQ(codes, c.codes) << c.commit << " " << c.application << " " << c.good;
  }
}

TEST(MllpReply, AnApplicationAcknowledgementOfEnhancedModeWantsNoneInReturn) {
  const auto all = replies_to(message("ADT^A08|1|P|2.5|||AL|AL"));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_NE(all[0].find("|id1|P|2.5\r"), std::string::npos);
  EXPECT_NE(all[1].find("|id2|P|2.5|||NE|NE\r"), std::string::npos);
}

TEST(MllpReply, NeverAnswersAnAcknowledgement) {
  EXPECT_TRUE(replies_to(message("ACK^A08|1|P|2.5")).empty());
  EXPECT_TRUE(replies_to(message("ACK|1|T|9")).empty());
}

TEST(MllpReply, SpeaksTheSendersSeparators) {
  const auto all = replies_to("MSH@~&#$@A~1@F@W@H@2024@@ADT~A08@7@P@2.5\rPID@1\r");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].starts_with("MSH@~&#$@W@H@A~1@F@")) << all[0];
  EXPECT_NE(all[0].find("@ACK~A08~ACK@"), std::string::npos);
  EXPECT_NE(all[0].find("\rMSA@AA@7\r"), std::string::npos);
}

TEST(MllpReply, NothingASenderWritesEndsTheFrameOrASegmentOfTheReply) {
  const auto all = replies_to(
      "MSH|^~\\&|A\x1C\x0B|F|W|H|2024||ADT^A\x1C"
      "08|1\x1C\x0B\x01|P|2.5\r");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].find_first_of("\x1C\x0B\x01\n"), std::string::npos);
  EXPECT_NE(all[0].find("MSA|AA|1\r"), std::string::npos);
  const auto huge = replies_to(message("ADT^A08|" + std::string(1'000'000, '7') + "|P|2.5"));
  EXPECT_LT(huge[0].size(), 4000U);
}

TEST(MllpReply, RejectsWhatIsNoMessageInWordsOfItsOwn) {
  for (const std::string text :
       {"", "hello", "MSH", "MSH|", "PID|1\rMSH|^~\\&|A|F|||2024||ADT^A08|1|P|2.5\r", "FHS|^~\\&\rMSH|^~\\&|A\r"}) {
    const auto all = replies_to(text);
    ASSERT_EQ(all.size(), 1U) << text;
    EXPECT_TRUE(all[0].starts_with("MSH|^~\\&|")) << all[0];
    EXPECT_NE(all[0].find("\rMSA|AR||no usable MSH"), std::string::npos) << all[0];
  }
}

TEST(MllpReply, NamesTheMessageItRejectsAlsoWhereMsh2IsUnusable) {
  const auto all = replies_to("MSH|&&&&|APP|FAC|WB|HOSP|2024||ADT^A08|17|P|2.5\r");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].starts_with("MSH|^~\\&|WB|HOSP|APP|FAC|")) << all[0];
  EXPECT_NE(all[0].find("\rMSA|AR|17|no usable MSH segment at the start of the frame: MSH-2 gives one character"),
            std::string::npos)
      << all[0];
  EXPECT_TRUE(replies_to("MSH|&&&&|APP|FAC|WB|HOSP|2024||ACK^A08|17|P|2.5\r").empty()) << "never thanked for";
  EXPECT_NE(replies_to("MSH^||||^A^F^W^H^2024^^ADT~A08^17^P^2.5\r")[0].find("\rMSA|AR||"), std::string::npos)
      << "a separator that is one of ours elsewhere cannot be echoed";
}

TEST(MllpReply, EchoesTheControlIdAsItStandsThere) {
  EXPECT_NE(replies_to(message("ADT^A08|  38 7 |P|2.5"))[0].find("\rMSA|AA|  38 7 \r"), std::string::npos);
  EXPECT_NE(replies_to(message("ADT^A08|   |P|2.5"))[0].find("\rMSA|AE|"), std::string::npos);
}

TEST(MllpReply, AMessageWhoseLineEndsAreWrittenAsTextIsAnErrorOfTheSender) {
  const std::string head = "MSH|^~\\&|A|F|||2024||ADT^A40|17|P|2.5";
  for (const std::string end : {"\\r", "&#13;", "<CR>"})
    EXPECT_NE(replies_to(head + end + "PID|1||77" + end + "MRG|78\r")[0].find("\rMSA|AE|17|the message is one line"),
              std::string::npos)
        << end;
  EXPECT_NE(replies_to(head + "\rPID|1||77\rNTE|1||a \\rPID|\r")[0].find("\rMSA|AA|17\r"), std::string::npos);
}

TEST(MllpReply, ReadsAMessageBehindIndentationAndByteOrderMark) {
  EXPECT_EQ(read_head("\xEF\xBB\xBF" + message("ADT^A08|5|P|2.5")).control_id, "5");
  EXPECT_EQ(read_head("\r\n " + message("ADT^A08|5|P|2.5")).control_id, "5");
}

TEST(MllpReply, ConditionsThatNobodyKnowsDoNotSilenceTheListener) {
  const auto codes = [](const std::string& conditions) {
    std::string out;
    for (const auto& reply : replies_to(message("ADT^A08|1|P|2.5|||" + conditions)))
      out += reply.substr(reply.find("\rMSA|") + 5, 2) + " ";
    return out;
  };
  EXPECT_EQ(codes("al|ne"), "CA ");
  EXPECT_EQ(codes("Y|"), "AA ");
  EXPECT_EQ(codes("\"\"|\"\""), "AA ");
  EXPECT_EQ(codes("Y|AL"), "AA ");
}

}  // namespace
}  // namespace waybill::listen
