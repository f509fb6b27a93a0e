// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.hpp"
#include "audit/trail.hpp"
#include "cli/run_tool.hpp"
#include "manifest/key.hpp"
#include "net/tls.hpp"

#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

/// What every tool has beside its own work: the keys of manifests, and the audit trail with what every run records.
namespace waybill::tools {

/// What a tool does with manifests, and so which keys it takes.
enum class Manifests { none, read, written };

class Shared {
 public:
  /// `key` are the names of the option for keys to read with.
  void add_options(CLI::App& app, Manifests manifests = Manifests::written, const std::string& key = "--key") {
    add_key_options(app, manifests, key);
    const char* group = "Audit trail";
    app.add_option("--audit", url_, "Where DICOM audit messages go: syslog+tls://host:port or file:///path")
        ->envname("WAYBILL_AUDIT")
        ->group(group);
    app.add_option("--audit-spool", spool_, "Folder in which they wait for the collector")
        ->envname("WAYBILL_AUDIT_SPOOL")
        ->group(group);
    app.add_option("--audit-ca", tls_.authorities,
                   "PEM file or folder of the collector's authorities; default the system's")
        ->envname("WAYBILL_AUDIT_CA")
        ->group(group);
    app.add_option("--audit-cert", tls_.certificate, "Our certificate for the collector, PEM")
        ->envname("WAYBILL_AUDIT_CERT")
        ->group(group);
    app.add_option("--audit-key", tls_.key, "Its key, PEM, readable by its owner alone")
        ->envname("WAYBILL_AUDIT_KEY")
        ->group(group);
  }

  /// Runs a tool between its start and stop messages; how it ended and what was suspicious is recorded. Without --audit
  /// just runs it. Keys of manifests are in use meanwhile.
  Exit around(const char* program, const std::function<Exit()>& run) {
    use_keys();
    if (url_.empty()) return run();
    audit::set_program(program);
    trail_ = open();
    audit::set_trail(trail_.get());
    audit::record(audit::application_start());
    try {
      const Exit exit = run();
      if (exit == Exit::integrity)
        audit::record(audit::security_alert(audit::Alert::integrity, program,
                                            "bytes are not what their digest says; the tool's output names them"));
      stop(exit);
      return exit;
    } catch (const net::PeerError& error) {
      if (error.kind() == net::PeerError::Kind::rejected_permanent)
        audit::record(audit::security_alert(audit::Alert::node_authentication, program, error.what()));
      stop(error.exit());
      throw;
    } catch (const RunError& error) {
      if (error.exit() == Exit::integrity)
        audit::record(audit::security_alert(audit::Alert::integrity, program, error.what()));
      stop(error.exit());
      throw;
    } catch (...) {
      stop(Exit::internal);
      throw;
    }
  }

  /// The trail without a run of a tool around it.
  std::unique_ptr<audit::Trail> open() {
    audit::Target target = audit::target_from(url_);
    const auto say = [](const std::string& text) { std::cerr << text + "\n" << std::flush; };
    if (target.file.empty()) {
      net::TlsOptions tls = tls_;
      tls.warn = say;
      target.collector.tls = net::Tls::make(std::move(tls));
      target.spool = spool_folder();
    }
    return std::make_unique<audit::Trail>(std::move(target), say);
  }
  [[nodiscard]] bool is_asked_for() const { return !url_.empty(); }

  /// Reads the key files that were named.
  void use_keys() const {
    manifest::Keys keys;
    for (const std::string& file : keys_) keys.open.emplace_back(file);
    if (!encrypt_to_.empty()) keys.write_to = std::make_shared<const manifest::SecretKey>(encrypt_to_);
    manifest::use_keys(std::move(keys));
  }

 private:
  void add_key_options(CLI::App& app, Manifests manifests, const std::string& key) {
    if (manifests == Manifests::none) return;
    const char* group = "Manifests at rest";
    if (manifests == Manifests::written) {
      app.add_option("--encrypt-to", encrypt_to_, "Key file: encrypt the manifests that are written (AES-256-GCM)")
          ->envname("WAYBILL_ENCRYPT_TO")
          ->group(group);
    }
    app.add_option(key, keys_, "Key file to read encrypted manifests with; repeatable")
        ->envname("WAYBILL_KEY")
        ->allow_extra_args(false)
        ->group(group);
  }

  [[nodiscard]] std::string spool_folder() const {
    if (!spool_.empty()) return spool_;
    const char* state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe): no thread runs yet
    if (state != nullptr && *state == '/') return std::string(state) + "/waybill/audit";
    const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): as above
    if (home != nullptr && *home == '/') return std::string(home) + "/.local/state/waybill/audit";
    throw RunError(Exit::usage, "there is no home folder for the audit spool; name one with --audit-spool");
  }

  void stop(Exit exit) {
    using audit::Outcome;
    const Outcome outcome = exit == Exit::ok                                        ? Outcome::success
                            : exit == Exit::exceptions || exit == Exit::interrupted ? Outcome::minor
                            : exit == Exit::internal                                ? Outcome::major
                                                                                    : Outcome::serious;
    audit::record(audit::application_stop(outcome, trail_->messages() + 1, trail_->lost()));
    audit::set_trail(nullptr);
    (void)trail_->close();
    trail_.reset();
  }

  std::string url_, spool_, encrypt_to_;
  std::vector<std::string> keys_;
  net::TlsOptions tls_;
  std::unique_ptr<audit::Trail> trail_;
};

}  // namespace waybill::tools
