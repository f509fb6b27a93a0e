// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/at_service.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

/// A waybill-simpacs of a test's own, and what its log says.
namespace waybill::test {

/// The value of a member of one JSON line that holds plain values; "" when it is not there.
inline std::string member(const std::string& line, const std::string& name) {
  const std::string key = "\"" + name + "\":";
  const std::size_t at = line.find(key);
  if (at == std::string::npos) return "";
  std::size_t from = at + key.size();
  const bool quoted = line[from] == '"';
  from += quoted ? 1 : 0;
  return line.substr(from, line.find_first_of(quoted ? "\"" : ",}", from) - from);
}

class SimPacs {
 public:
  /// Starts with this scenario (TOML text) and its own store.
  explicit SimPacs(const std::string& scenario = "") { start(scenario); }
  ~SimPacs() { (void)stop(); }
  SimPacs(const SimPacs&) = delete;
  SimPacs& operator=(const SimPacs&) = delete;

  /// Starts on the same store and, after the first time, the same port.
  void start(const std::string& scenario = "", const std::vector<std::string>& more = {}) {
    std::ofstream(folder_ / "scenario.toml", std::ios::trunc) << scenario;
    fs::remove(folder_ / "port");
    std::vector<std::string> words{tool("simpacs"),       "--store",           store().string(),
                                   "--scenario",          at("scenario.toml"), "--port",
                                   std::to_string(port_), "--port-file",       at("port")};
    words.insert(words.end(), more.begin(), more.end());
    program_.emplace(words, folder_ / "out.log");
    wait_until([&] { return fs::exists(folder_ / "port") || program_->has_ended(); });
    if (!fs::exists(folder_ / "port")) throw std::runtime_error("simpacs did not start: " + slurp(folder_ / "out.log"));
    std::ifstream(folder_ / "port") >> port_;
  }
  /// Its exit code.
  int stop(int signal = SIGTERM) { return program_->stop(signal); }

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& title = "SIMPACS") const {
    return "dicom://" + title + "@127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] fs::path store() const { return folder_ / "store"; }
  [[nodiscard]] fs::path object(const std::string& uid) const { return store() / "objects" / (uid + ".dcm"); }
  [[nodiscard]] bool holds(const std::string& uid) const { return fs::exists(object(uid)); }
  [[nodiscard]] std::string output() const { return slurp(folder_ / "out.log"); }

  /// Lines of the log with this event.
  [[nodiscard]] std::vector<std::string> events(const std::string& event) const {
    std::vector<std::string> all;
    std::ifstream log(store() / "log.jsonl");
    for (std::string line; std::getline(log, line);) {
      if (member(line, "event") == event) all.push_back(line);
    }
    return all;
  }
  /// How often each object arrived whole.
  [[nodiscard]] std::map<std::string, int> arrivals() const {
    std::map<std::string, int> counts;
    for (const std::string& line : events("store")) ++counts[member(line, "instance")];
    return counts;
  }
  /// How often an object was put on the shelf, first or again.
  [[nodiscard]] std::size_t kept() const {
    const auto all = events("store");
    return static_cast<std::size_t>(std::ranges::count_if(all, [](const std::string& line) {
      return member(line, "kept") == "added" || member(line, "kept") == "replaced";
    }));
  }

 private:
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }
  TempFolder folder_;
  std::optional<Program> program_;
  int port_ = 0;
};

/// The second object of the archive that AtSimPacs makes, and a rule of a scenario for storing it.
inline const std::string kSecond = "1.2.3.1.1.2";

inline std::string on_second(const std::string& rest) {
  return "[[rule]]\non = \"store\"\ninstance = [\"" + kSecond + "\"]\n" + rest + "\n";
}

class AtSimPacs : public AtService<SimPacs> {
 protected:
  std::optional<SimPacs>& pacs_ = service_;
};

}  // namespace waybill::test
