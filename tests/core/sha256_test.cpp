// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace waybill {
namespace {

struct Vector {
  std::string message, digest;
};

/// FIPS 180-2 appendix B and the NIST examples (CSRC, SHA256.pdf; SHAVS byte vectors).
std::vector<Vector> published() {
  return {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
          {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
          {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
          {"\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
          {"\x11\xaf", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
          {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}};
}

TEST(Sha256, GivesThePublishedDigests) {
  for (const auto& v : published()) EXPECT_EQ(Sha256::of(v.message).hex(), v.digest) << v.message.size() << " bytes";
}

TEST(Sha256, DoesNotDependOnHowTheBytesArriveAndStartsAfresh) {
  Sha256 sha;
  for (const auto& v : published()) {
    for (const std::size_t step : {1U, 63U, 64U, 65U, 4096U}) {
      if (step == 1 && v.message.size() > 1000) continue;
      for (std::size_t at = 0; at < v.message.size(); at += step)
        sha.update(std::string_view(v.message).substr(at, step));
      EXPECT_EQ(sha.finish().hex(), v.digest) << step;
    }
  }
}

TEST(Sha256, AgreesWithTheOpensslToolAtEveryLengthAroundItsBlocks) {
  const std::string folder = testing::TempDir() + "waybill-sha-" + std::to_string(::getpid());
  ASSERT_EQ(std::system(("mkdir -p " + folder).c_str()), 0);
  std::string message;
  for (int n = 0; n < 200; ++n) {
    char name[32];
    std::snprintf(name, sizeof name, "/%03d", n);
    std::ofstream(folder + name, std::ios::binary) << message;
    message += static_cast<char>(n * 37 + 11);
  }
  FILE* pipe = popen(("openssl dgst -sha256 -r " + folder + "/*").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char line[1024];
  std::size_t n = 0;
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    EXPECT_EQ(std::string(line).substr(0, 64), Sha256::of(std::string_view(message).substr(0, n)).hex()) << n;
    ++n;
  }
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(n, 200U);
  EXPECT_EQ(std::system(("rm -r " + folder).c_str()), 0);
}

TEST(Sha256, OfTwoMessagesAtOnceGivesEachItsOwnDigestWhateverTheirLengths) {
  std::string bytes(5000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i % 251 + i / 7);
  const std::string_view all(bytes);
  std::vector<std::size_t> lengths = {256, 1000, 4095, 4096, 4999};
  for (std::size_t n = 0; n <= 130; ++n) lengths.push_back(n);
  for (const std::size_t a : lengths) {
    for (const std::size_t b : lengths) {
      const std::string_view left = all.substr(0, a);
      const std::string_view right = all.substr(bytes.size() - b);
      const auto both = Sha256::of_two(as_bytes(left), as_bytes(right));
      ASSERT_EQ(both[0], Sha256::of(left)) << a << " beside " << b;
      ASSERT_EQ(both[1], Sha256::of(right)) << b << " beside " << a;
    }
  }
}

TEST(Sha256, OfTwoMessagesInPiecesGivesTheDigestsOfTheWhole) {
  std::string bytes(3000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i % 251 + i / 7);
  const std::string_view all(bytes);
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 127U, 128U, 500U, 3000U}) {
    for (const std::size_t cut : {0U, 1U, 55U, 63U, 64U, 65U, 128U, 300U, 2999U}) {
      const std::string_view whole = all.substr(0, size), first = whole.substr(0, std::min(cut, size));
      const Sha256::Pieces pieces{as_bytes(first), as_bytes(whole.substr(first.size()))};
      const auto both = Sha256::of_two(pieces, {as_bytes(all.substr(0, 100)), as_bytes(all.substr(100))});
      ASSERT_EQ(both[0], Sha256::of(whole)) << size << " cut at " << cut;
      ASSERT_EQ(both[1], Sha256::of(all)) << size << " cut at " << cut;
    }
  }
}

TEST(Sha256, OfTwoLargeMessagesGivesThePublishedDigests) {
  const std::string a(1'000'000, 'a');
  const auto both = Sha256::of_two(as_bytes(a), as_bytes("abc"));
  EXPECT_EQ(both[0].hex(), published().back().digest);
  EXPECT_EQ(both[1].hex(), published()[1].digest);
}

}  // namespace
}  // namespace waybill
