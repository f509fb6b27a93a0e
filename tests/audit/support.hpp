// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/syslog.hpp"
#include "support/free_port.hpp"
#include "support/peer.hpp"

namespace waybill::test {

/// Whether xmllint accepts the document by the published schema; what it says otherwise.
inline std::string fault_of(const std::string& xml) {
  const TempFolder folder;
  std::ofstream(folder / "m.xml") << xml;
  const Ran ran = run({"xmllint", "--noout", "--relaxng",
                       environment("WAYBILL_SOURCE") + "/manifests/audit-message.rng", (folder / "m.xml").string()},
                      folder / "log");
  return ran.exit == 0 ? "" : ran.text;
}

/// rsyslog with TLS and client certificates, as a hospital's audit repository runs it, in a folder of its own.
class Collector {
 public:
  explicit Collector(const fs::path& folder) : folder_(folder), port_(free_port()) {
    fs::create_directories(folder_);
    const std::string in = "cd '" + folder_.string() + "' && exec >/dev/null 2>&1; ";
    const std::string make =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 20 -subj /CN=ca -keyout ca.key -out ca.pem && "
        "for n in server client; do openssl req -newkey rsa:2048 -nodes -subj /CN=$n -keyout $n.key -out $n.csr && "
        "printf 'subjectAltName=IP:127.0.0.1' >$n.ext && openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key "
        "-CAcreateserial -days 20 -extfile $n.ext -out $n.pem; done; chmod 600 *.key";
    if (std::system((in + make).c_str()) != 0) throw std::runtime_error("openssl made no certificates");
    std::ofstream(folder_ / "rsyslog.conf")
        << "global(workDirectory=\"" << folder_.string() << "\" maxMessageSize=\"1m\" "
        << "DefaultNetstreamDriver=\"ossl\" DefaultNetstreamDriverCAFile=\"" << (folder_ / "ca.pem").string() << "\" "
        << "DefaultNetstreamDriverCertFile=\"" << (folder_ / "server.pem").string() << "\" "
        << "DefaultNetstreamDriverKeyFile=\"" << (folder_ / "server.key").string() << "\")\n"
        << "module(load=\"imtcp\" StreamDriver.Name=\"ossl\" StreamDriver.Mode=\"1\" "
        << "StreamDriver.AuthMode=\"x509/certvalid\")\n"
        << "input(type=\"imtcp\" port=\"" << port_ << "\" address=\"127.0.0.1\")\n"
        << "template(name=\"raw\" type=\"string\" string=\"%rawmsg%\\n\")\n"
        << "action(type=\"omfile\" file=\"" << file().string() << "\" template=\"raw\" flushOnTXEnd=\"on\")\n";
  }
  ~Collector() { stop(); }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  void start() {
    pid_ = spawn({"rsyslogd", "-n", "-f", (folder_ / "rsyslog.conf").string(), "-i", (folder_ / "pid").string()},
                 folder_ / "rsyslog.log");
    if (!wait_for_port(port_)) throw std::runtime_error("rsyslogd did not start: " + slurp(folder_ / "rsyslog.log"));
  }
  void stop() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGTERM);
    (void)wait_for(std::exchange(pid_, 0));
  }
  [[nodiscard]] std::string url() const { return "syslog+tls://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] fs::path file() const { return folder_ / "audit.log"; }
  [[nodiscard]] fs::path pem(const std::string& name) const { return folder_ / name; }
  /// What came, in its order, when there are `wanted` or no more come.
  [[nodiscard]] std::vector<audit::Received> received(std::size_t wanted) const {
    std::vector<audit::Received> out;
    wait_until([&] {
      out.clear();
      std::istringstream in(slurp(file()));
      for (std::string line; std::getline(in, line);) {
        if (auto message = audit::from_syslog(line)) out.push_back(*std::move(message));
      }
      return out.size() >= wanted;
    });
    return out;
  }
  /// Options and environment of a tool that reports here.
  [[nodiscard]] std::string environment_words(const fs::path& spool) const {
    return "WAYBILL_AUDIT=" + url() + " WAYBILL_AUDIT_CA='" + pem("ca.pem").string() + "' WAYBILL_AUDIT_CERT='" +
           pem("client.pem").string() + "' WAYBILL_AUDIT_KEY='" + pem("client.key").string() +
           "' WAYBILL_AUDIT_SPOOL='" + spool.string() + "' ";
  }

 private:
  fs::path folder_;
  int port_;
  pid_t pid_ = 0;
};

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace waybill::test
