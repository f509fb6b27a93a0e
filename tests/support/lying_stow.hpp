// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/at_service.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// A DICOMweb service of a test's own that misbehaves as tests/support/lying-stow says.
namespace waybill::test {

class LyingStow {
 public:
  /// `plan` is its JSON; `tls` are certificate, key and, where clients must show one, authorities.
  explicit LyingStow(const std::string& plan = "{}", std::vector<std::string> tls = {}) : tls_(std::move(tls)) {
    start(plan);
  }

  /// On the same port and with what it stored before.
  void start(const std::string& plan) {
    std::ofstream(folder_ / "plan.json", std::ios::trunc) << plan;
    fs::remove(folder_ / "port");
    if (port_ != 0) std::ofstream(folder_ / "port-before") << port_;
    std::vector<std::string> words{environment("WAYBILL_SOURCE") + "/tests/support/lying-stow",
                                   folder_.path().string()};
    words.insert(words.end(), tls_.begin(), tls_.end());
    program_.emplace(words, folder_ / "out.log");
    wait_until([&] { return fs::exists(folder_ / "port") || program_->has_ended(); });
    if (!fs::exists(folder_ / "port")) throw std::runtime_error("no service: " + slurp(folder_ / "out.log"));
    std::ifstream(folder_ / "port") >> port_;
  }
  void stop() { program_.reset(); }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& scheme = "http", const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(port_) + "/rs";
  }
  [[nodiscard]] fs::path object(const std::string& uid) const { return folder_ / ("objects/" + uid + ".dcm"); }
  [[nodiscard]] bool holds(const std::string& uid) const { return fs::exists(object(uid)); }

  /// Lines of the log with this event.
  [[nodiscard]] std::vector<std::string> events(const std::string& event) const {
    std::vector<std::string> all;
    std::ifstream log(folder_ / "log.jsonl");
    for (std::string line; std::getline(log, line);) {
      if (line.find("\"event\": \"" + event + "\"") != std::string::npos) all.push_back(line);
    }
    return all;
  }
  /// How often each object was put on the shelf.
  [[nodiscard]] std::map<std::string, int> kept() const {
    std::map<std::string, int> counts;
    for (const std::string& line : events("kept")) {
      const std::size_t begin = line.find("\"instance\": \"") + 13;
      ++counts[line.substr(begin, line.find('"', begin) - begin)];
    }
    return counts;
  }

 private:
  TempFolder folder_;
  std::vector<std::string> tls_;
  std::optional<Program> program_;
  int port_ = 0;
};

using AtLyingStow = AtService<LyingStow>;

}  // namespace waybill::test
