// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commit/committer.hpp"
#include "transfer.hpp"

#include <string>

/// What the tools that are called back by an archive share: reports of storage commitment, objects of a C-MOVE.
namespace waybill::tools {

struct CommitSettings {
  std::string listen;
  commit::Options commitment;
  bool finish = false;  ///< without reports, at the end of the wait
};

inline void add_listen_option(CLI::App& app, std::string& listen) {
  app.add_option("--listen", listen,
                 "Take associations of the target here, [ADDRESS:]PORT; by TLS alone for a dicoms:// target");
}

inline void add_commit_options(CLI::App& app, CommitSettings& settings) {
  app.add_option("--commit-references", settings.commitment.references, "Objects of one request for commitment")
      ->check(CLI::Range(1, 500))
      ->capture_default_str();
  app.add_option_function<double>("--commit-wait", seconds(settings.commitment.wait),
                                  "Seconds to wait for reports of commitment after the last request")
      ->check(CLI::Range(0.0, 8640000.0))
      ->default_str("3600");
  app.add_option_function<double>("--commit-again", seconds(settings.commitment.pause),
                                  "Seconds before an object that was not committed is asked for once more")
      ->check(CLI::Range(0.0, 86400.0))
      ->default_str("10");
  app.add_option_function<std::string>(
         "--when-uncommitted", [&settings](const std::string& what) { settings.finish = what == "finish"; },
         "When reports are missing then: end with exit code 6, or finish and list their objects")
      ->check(CLI::IsMember({"end", "finish"}))
      ->default_str("end");
}

/// Sets `listen` and `listen_tls`: by TLS when the target is reached by it.
template <typename Options>
void set_listener(Options& into, const std::string& listen, const net::Peer& target, const net::TlsOptions& tls) {
  if (listen.empty()) return;
  into.listen = net::parse_listen(listen);
  if (target.secure) into.listen_tls = net::Tls::make_server(tls, net::Tls::Clients::certified);
}

/// The target as a DICOM node; throws for a DICOMweb service, which has none of this.
inline const net::Peer& node_of(const transfer::Address& target, const char* what) {
  if (const auto* peer = std::get_if<net::Peer>(&target)) return *peer;
  throw RunError(
      Exit::usage,
      std::string(what) + " is a service of DICOM nodes; write the target as dicom:// or dicoms://, or leave it out");
}

/// Completes what the target and the other options say.
inline void set_commitment(commit::Options& into, const CommitSettings& settings, const transfer::Options& options,
                           const net::Peer& target, const net::TlsOptions& tls, const char* stage) {
  into = settings.commitment;
  into.peer = target;
  into.calling = options.calling;
  into.timeouts = options.timeouts;
  into.say = [stage](const std::string& text) { say(stage, text); };
  set_listener(into, settings.listen, target, tls);
}

}  // namespace waybill::tools
