// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/peer.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <string>
#include <vector>

namespace waybill::test {

/// Runs waybill-probe and asks its profile by jq(1).
class Probing : public ::testing::Test {
 protected:
  Ran probe(const std::string& url, const std::vector<std::string>& more = {}) {
    fs::remove(folder_ / "profile.json");
    std::vector<std::string> words{tool("probe"), url, "-o", at("profile.json"), "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    if (std::ranges::find(more, "--timeout") == more.end()) words.insert(words.end(), {"--timeout", "10"});
    return run(words, folder_ / "probe.log");
  }
  /// What jq makes of the profile, without the last line feed.
  [[nodiscard]] std::string ask(const std::string& filter) const {
    std::string text = run({"jq", "-rc", filter, at("profile.json")}, folder_ / "jq.log").text;
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }
  /// "stored no-effect …": the policies of the script of duplicates.
  [[nodiscard]] std::string policies() const { return ask("[.duplicates[].policy]|join(\" \")"); }
  /// What the published schema has against the profile; "" when nothing.
  [[nodiscard]] std::string against_schema() const { return against_schema(folder_ / "profile.json"); }
  [[nodiscard]] std::string against_schema(const fs::path& profile) const {
    const std::string program =
        "import json,sys,jsonschema\n"
        "v=jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n"
        "for e in v.iter_errors(json.load(open(sys.argv[2]))): print(list(e.path),e.message[:300])\n";
    return run({"/usr/bin/python3", "-c", program,
                environment("WAYBILL_SOURCE") + "/manifests/peer-profile.schema.json", profile.string()},
               folder_ / "schema.log")
        .text;
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }

  TempFolder folder_;
};

}  // namespace waybill::test
