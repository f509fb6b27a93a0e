// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/peer.hpp"

namespace waybill::test {

/// A folder with an archive `in`, and the tools' steps on it one after the other.
class Steps : public ::testing::Test {
 protected:
  Steps() { fs::create_directory(folder_ / "in"); }
  void file(const std::string& name, const std::string& content) {
    std::ofstream(folder_ / ("in/" + name), std::ios::binary) << content;
  }
  Ran step(std::vector<std::string> words) {
    words[0] = tool(words[0]);
    words.emplace_back("--quiet");
    return run(words, folder_ / "log");
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  TempFolder folder_;
};

}  // namespace waybill::test
