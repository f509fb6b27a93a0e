// SPDX-License-Identifier: Apache-2.0
#include "web/multipart.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace waybill::web {

namespace {

struct Read {
  std::vector<std::string> parts;
  bool good = true, ended = false;
};

/// The parts of a body that arrives in chunks.
Read read(const std::string& body, std::size_t chunk, std::uint64_t cap = 1000, const std::string& boundary = "xYz") {
  Read out;
  MultipartReader reader(boundary, cap,
                         [&](const io::Scratch&, ByteView part) { out.parts.emplace_back(as_text(part)); });
  for (std::size_t at = 0; at < body.size() && out.good; at += chunk)
    out.good = static_cast<bool>(reader.take(as_bytes(std::string_view(body).substr(at, chunk))));
  out.ended = reader.ended();
  return out;
}

}  // namespace

TEST(Multipart, GivesThePartsHoweverTheBytesArrive) {
  const std::string tricky = "ab\r\n--xY\r\n-\r\n--\r\ncd";
  const std::string body =
      "preamble\r\n--xYz\r\nContent-Type: application/dicom\r\nContent-Length: 3\r\n\r\none\r\n--xYz  \r\n\r\n" +
      tricky + "\r\n--xYz\r\nA: b\r\n\r\n\r\n--xYz--\r\nepilogue --xYz\r\n";
  for (std::size_t chunk = 1; chunk <= body.size(); ++chunk) {
    const Read all = read(body, chunk);
    EXPECT_TRUE(all.good && all.ended) << chunk;
    EXPECT_EQ(all.parts, (std::vector<std::string>{"one", tricky, ""})) << chunk;
  }
}

TEST(Multipart, TellsABodyThatBreaksOff) {
  const std::string body = "--xYz\r\n\r\none\r\n--xYz\r\n\r\ntwo\r\n--xYz--";
  for (std::size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(read(body.substr(0, size), 7).ended) << size;
  EXPECT_TRUE(read(body, 7).ended);
}

TEST(Multipart, RefusesWhatIsTooLargeOrNoMultipartBody) {
  EXPECT_FALSE(read("--xYz\r\n\r\n" + std::string(1001, 'x') + "\r\n--xYz--", 64).good);
  EXPECT_TRUE(read("--xYz\r\n\r\n" + std::string(1000, 'x') + "\r\n--xYz--", 64).good);
  EXPECT_FALSE(read(std::string(100'000, 'x'), 1000).good) << "no boundary";
  EXPECT_FALSE(read("--xYz\r\n" + std::string(100'000, 'x'), 1000).good) << "headers without end";
  EXPECT_FALSE(read("--xYz" + std::string(100'000, ' '), 1000).good) << "a delimiter without end";
}

TEST(Multipart, FindsTheBoundaryOfAContentType) {
  const auto boundary = [](const std::string& type) {
    const auto found = boundary_of(type);
    return found ? *found : std::string("-");
  };
  EXPECT_EQ(boundary("multipart/related; type=\"application/dicom\"; boundary=abc"), "abc");
  EXPECT_EQ(boundary("Multipart/Related;BOUNDARY=\"a b;\\\"c\" ; type=x"), "a b;\"c");
  EXPECT_EQ(boundary("multipart/related; start=\"; boundary=evil\"; boundary=good"), "good");
  for (const char* bad :
       {"", "application/dicom", "multipart/related", "multipart/related; boundary=", "text/html; boundary=x"})
    EXPECT_EQ(boundary(bad), "-") << bad;
  EXPECT_EQ(boundary("multipart/related; boundary=" + std::string(71, 'x')), "-");
}

}  // namespace waybill::web
