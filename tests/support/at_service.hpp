// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/peer.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::test {

/// Objects of a small archive, meant to meet their fate at a service that misbehaves as it is told.
template <typename Service>
class AtService : public ::testing::Test {
 protected:
  using Words = std::vector<std::string>;

  /// Makes the archive and starts the service.
  void prepare(const std::string& behaviour, int studies = 2, int objects = 4) {
    objects_ = make_archive(folder_, studies, objects);
    service_.emplace(behaviour);
  }
  Ran load(const Words& more = {}) {
    return go("load", {at("scan.wb"), "--to", service_->url(), "-o", at("load.wb")}, {{"--back-off", "0.01"}}, more);
  }
  Ran verify(const std::string& level = "content", const Words& more = {}) {
    return go("verify",
              {at("load.wb"), "--against", service_->url(), "--level", level, "-o", at("verify.wb"), "--restart"}, {},
              more);
  }
  [[nodiscard]] std::map<std::string, manifest::Object> loaded() const { return objects_of(folder_ / "load.wb"); }
  [[nodiscard]] std::map<std::string, manifest::Object> verified() const { return objects_of(folder_ / "verify.wb"); }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] const std::string& uid(std::size_t i) const { return *objects_.at(i).sop_instance; }

  TempFolder folder_;
  std::vector<manifest::Object> objects_;
  std::optional<Service> service_;

 private:
  /// Runs the tool; options of `otherwise` stand where `more` does not give them. A peer that answers does so within
  /// the time-out even when the machine is busy; tests of silence that need not tell the two apart ask for a shorter
  /// one.
  Ran go(const std::string& name, Words words, std::vector<std::pair<std::string, std::string>> otherwise,
         const Words& more) {
    otherwise.emplace_back("--timeout", "5");
    words.insert(words.begin(), tool(name));
    words.emplace_back("--quiet");
    words.insert(words.end(), more.begin(), more.end());
    for (const auto& [option, value] : otherwise)
      if (std::ranges::find(more, option) == more.end()) words.insert(words.end(), {option, value});
    return run(words, folder_ / (name + ".log"));
  }
};

inline bool has_finding(const manifest::Object& object, std::string_view code) {
  return std::ranges::any_of(object.findings, [&](const manifest::Finding& f) { return f.code == code; });
}

}  // namespace waybill::test
