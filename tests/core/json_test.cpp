// SPDX-License-Identifier: Apache-2.0
#include "core/json.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

namespace waybill {
namespace {

std::string written(std::string_view text) {
  JsonWriter w;
  w.value(text);
  return std::move(w).str();
}

TEST(JsonWriter, PutsCommasBetweenMembersAndElementsAndNowhereElse) {
  JsonWriter w;
  w.begin_object().member("a", 1).key("b").begin_array().value("x").value(false).null().end_array();
  w.key("c").begin_object().end_object().key("d").begin_array().end_array().key("e").raw(R"({"f":2})").member("g", "h");
  w.end_object();
  EXPECT_EQ(w.str(), R"({"a":1,"b":["x",false,null],"c":{},"d":[],"e":{"f":2},"g":"h"})");
}

TEST(JsonWriter, EscapesQuotesBackslashesAndControlCharacters) {
  EXPECT_EQ(written("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(written(std::string_view("\0\n\t\r\x1f\x7f", 6)), R"("\u0000\u000a\u0009\u000d\u001f\u007f")");
}

TEST(JsonWriter, NeverWritesALineFeedSoThatOneValueIsOneLine) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(written(all).find('\n'), std::string::npos);
}

TEST(JsonWriter, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(written("Müller 山田 👩"), "\"Müller 山田 👩\"");
  EXPECT_EQ(written("M\xFCller"), "\"M\xEF\xBF\xBDller\"");
  EXPECT_EQ(written("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "a surrogate is no UTF-8";
}

TEST(JsonWriter, WritesNumbersThatReadBackTheSameAndNullForWhatJsonCannotHold) {
  JsonWriter w;
  w.begin_array().value(std::numeric_limits<std::uint64_t>::max()).value(std::numeric_limits<std::int64_t>::min());
  w.value(0.1).value(1e300).value(std::nan("")).value(std::numeric_limits<double>::infinity()).end_array();
  EXPECT_EQ(w.str(), "[18446744073709551615,-9223372036854775808,0.1,1e+300,null,null]");
}

TEST(JsonWriter, WritesEveryByteSoThatAnotherParserReadsIt) {
  if (std::system("command -v jq >/dev/null 2>&1") != 0) GTEST_SKIP() << "jq is not installed";
  std::string ascii;
  for (int c = 1; c < 128; ++c) ascii += static_cast<char>(c);
  const std::string file = testing::TempDir() + "waybill-json-" + std::to_string(::getpid());
  std::ofstream(file) << written(ascii) << written(std::string(100, '\xFF'));
  FILE* pipe = popen(("jq -j 'select(length == 127)' " + file).c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string back(1000, '\0');
  back.resize(std::fread(back.data(), 1, back.size(), pipe));
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(back, ascii);
  std::remove(file.c_str());
}

}  // namespace
}  // namespace waybill
