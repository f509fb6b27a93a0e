// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/peer.hpp"

#include <stdexcept>
#include <string>

namespace waybill::test {

/// Certificates of a private authority, made anew by openssl(1).
class Certificates {
 public:
  Certificates() {
    shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=ca -keyout ca.key "
        "-out ca.pem");
    shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=other -keyout "
        "other.key -out other.pem");
    make("good", "IP:127.0.0.1,DNS:localhost", "ca", 365);
    make("elsewhere", "DNS:evil.example.org", "ca", 365);
    make("stranger", "IP:127.0.0.1", "other", 365);
    make("ended", "IP:127.0.0.1", "ca", -1);
    make("ending", "IP:127.0.0.1", "ca", 10);
    make("client", "DNS:client", "ca", 365);
    make("node", "IP:127.0.0.1", "ca", 365);
  }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  void shell(const std::string& command) const {
    const Ran ran = run({"/bin/sh", "-c", "cd " + folder_.path().string() + " && " + command}, folder_ / "log");
    if (ran.exit != 0) throw std::runtime_error(command + ": " + ran.text);
  }
  void make(const std::string& name, const std::string& names, const std::string& authority, int days) const {
    shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " + name +
          ".key -out " + name + ".csr && printf 'subjectAltName=" + names + "' >" + name +
          ".ext && openssl x509 -req -in " + name + ".csr -CA " + authority + ".pem -CAkey " + authority +
          ".key -CAcreateserial -days " + std::to_string(days) + " -extfile " + name + ".ext -out " + name +
          ".pem && chmod 600 " + name + ".key");
  }
  TempFolder folder_;
};

}  // namespace waybill::test
