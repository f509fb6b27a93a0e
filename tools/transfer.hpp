// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "dicom/toolkit.hpp"
#include "net/tls.hpp"
#include "transfer/address.hpp"
#include "transfer/control.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>

/// What the tools between a manifest and a peer share.
namespace waybill::tools {

/// A sentence for the person at the terminal, as one line on stderr.
inline void say(const char* stage, const std::string& text) {
  std::cerr << "waybill " + std::string(stage) + ": " + text + "\n" << std::flush;
}

/// What an option given in seconds, with fractions, sets.
inline auto seconds(std::chrono::milliseconds& into) {
  return [&into](double value) { into = std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000)); };
}

inline void add_tls_options(CLI::App& app, net::TlsOptions& tls) {
  const char* group = "TLS (for dicoms:// and https://)";
  app.add_option("--tls-ca", tls.authorities, "PEM file or folder of the authorities we trust; default the system's")
      ->group(group)
      ->check(CLI::ExistingPath);
  app.add_option("--tls-cert", tls.certificate, "Our certificate with its chain, PEM")
      ->group(group)
      ->check(CLI::ExistingFile);
  app.add_option("--tls-key", tls.key, "Its key, PEM, readable by its owner alone")
      ->group(group)
      ->check(CLI::ExistingFile);
  app.add_option("--tls-crl", tls.revocations, "Revocation lists, PEM")->group(group)->check(CLI::ExistingFile);
  app.add_option("--tls-name", tls.server_name, "Name the peer's certificate must be for; default the host")
      ->group(group);
  app.add_option_function<std::string>(
         "--tls-profile", [&tls](const std::string& name) { tls.modified_profile = name == "bcp195-modified"; },
         "bcp195 (PS3.15 B.12) or bcp195-modified (B.13)")
      ->group(group)
      ->check(CLI::IsMember({"bcp195", "bcp195-modified"}))
      ->default_str("bcp195");
}

/// How we come in at a DICOMweb service.
struct WebSettings {
  std::filesystem::path login, token;
  bool allow_plain = false;
};

inline void add_web_options(CLI::App& app, WebSettings& web) {
  const char* group = "DICOMweb (for https://)";
  const auto* login = app.add_option("--http-login", web.login, "File with user:password, readable by its owner alone")
                          ->group(group)
                          ->check(CLI::ExistingFile);
  app.add_option("--http-token", web.token, "File with a bearer token, readable by its owner alone")
      ->group(group)
      ->check(CLI::ExistingFile)
      ->excludes(const_cast<CLI::Option*>(login));
  app.add_flag("--allow-plain-http", web.allow_plain,
               "Let patients' data travel in the clear to an http:// address of another machine")
      ->group(group);
}

/// Throws unless the settings make sense for the address.
inline void check_security(bool secure, const std::string& url, const net::TlsOptions& tls) {
  if (secure || (tls.authorities.empty() && tls.certificate.empty() && tls.key.empty())) return;
  throw RunError(Exit::usage, "TLS options are for dicoms:// and https:// addresses, and " + url +
                                  " is sent in the clear; write the address as one of those");
}

inline void check_plain(const web::Endpoint& endpoint, const WebSettings& settings) {
  if (endpoint.secure || endpoint.is_loopback()) return;
  const bool secret = !settings.login.empty() || !settings.token.empty();
  if (settings.allow_plain && !secret) return;
  throw RunError(Exit::usage,
                 endpoint.url() +
                     (secret ? " would show the login to everybody on the way"
                             : " would show patients' data to everybody on the way") +
                     "; write the address as https://" +
                     (secret ? "" : ", or say --allow-plain-http where the network is protected otherwise"));
}

/// The address with all that a connection needs: TLS for dicoms:// and https://, the login of a DICOMweb service.
inline transfer::Address address_of(const std::string& url, net::TlsOptions tls, const WebSettings& web,
                                    const char* stage) {
  transfer::Address address = transfer::parse_address(url);
  tls.warn = [stage](const std::string& text) { say(stage, "warning: " + text); };
  if (auto* endpoint = std::get_if<web::Endpoint>(&address)) {
    check_security(endpoint->secure, endpoint->url(), tls);
    check_plain(*endpoint, web);
    if (endpoint->secure) endpoint->tls = net::Tls::make(std::move(tls));
    if (!web.login.empty()) endpoint->login = web::read_login(web.login, web::Secret::login);
    if (!web.token.empty()) endpoint->login = web::read_login(web.token, web::Secret::token);
    return address;
  }
  auto& peer = std::get<net::Peer>(address);
  if (!web.login.empty() || !web.token.empty())
    throw RunError(Exit::usage, "--http-login and --http-token are for https:// addresses; " + peer.url() +
                                    " knows us by our AE title and certificate");
  check_security(peer.secure, peer.url(), tls);
  if (peer.secure) peer.tls = net::Tls::make(std::move(tls));
  return address;
}

inline void add_timeout_option(CLI::App& app, net::Timeouts& timeouts) {
  const auto set = [&timeouts](unsigned seconds) {
    timeouts = {std::chrono::seconds(seconds), std::chrono::seconds(seconds), std::chrono::seconds(seconds)};
  };
  app.add_option_function<unsigned>("--timeout", set,
                                    "Seconds to wait for a connection or for any one answer of the peer")
      ->check(CLI::Range(1, 3600))
      ->default_str("30");
}

inline void add_transfer_options(CLI::App& app, transfer::Options& options, const char* manifest) {
  app.add_option("manifest", options.manifest, manifest)->required();
  app.add_option("-o,--output", options.output, "Manifest to write")->required();
  app.add_option("--calling", options.calling, "Our AE title")->capture_default_str();
  add_timeout_option(app, options.timeouts);
}

inline constexpr int kMostAssociations = 64;

inline void add_associations(CLI::App& app, transfer::Options& options, const char* text) {
  app.add_option("--associations", options.associations, text)
      ->check(CLI::Range(1, kMostAssociations))
      ->capture_default_str();
}

/// When and how fast, as written on the command line.
struct PaceSettings {
  std::string limit, window, zone;
};

inline void add_pace_options(CLI::App& app, PaceSettings& settings, transfer::Pace& pace, const std::string& verb) {
  app.add_option("--limit", settings.limit, "Most to " + verb + ", e.g. 80MB/s,300obj/s");
  app.add_option("--window", settings.window,
                 "When to " + verb + ", e.g. \"Mon-Fri 19:00-06:30 80MB/s, Sat-Sun 00:00-24:00\"");
  app.add_option("--time-zone", settings.zone, "Zone of the window's hours, e.g. Europe/Berlin; default the system's");
  app.add_option_function<std::string>(
         "--when-closed",
         [&pace](const std::string& what) {
           pace.when_closed = what == "wait" ? transfer::WhenClosed::wait : transfer::WhenClosed::end;
         },
         "Outside the window: end with exit code 6, or wait")
      ->check(CLI::IsMember({"end", "wait"}))
      ->default_str("end");
}

inline void set_pace(transfer::Pace& pace, const PaceSettings& settings) {
  if (!settings.limit.empty()) pace.limit = transfer::parse_limit(settings.limit);
  if (!settings.zone.empty()) transfer::set_time_zone(settings.zone);
  if (!settings.window.empty()) pace.window = transfer::Schedule::parse(settings.window);
}

/// Runs a stage with progress and prints its summary, to which `add_lines` adds the stage's own lines.
template <typename Options, typename Run, typename AddLines>
Exit run_transfer(const char* stage, Options& options, const cli::Common& common, const Run& run,
                  const AddLines& add_lines) {
  options.restart = common.restart;
  const dicom::Toolkit toolkit;
  auto tally = [&] {
    cli::Progress progress(stage, 0, common.quiet || common.json);
    options.progress = [&](auto objects, auto bytes, auto exceptions) { progress.add(objects, bytes, exceptions); };
    return run(options);
  }();
  cli::Summary summary{stage,
                       options.output.string(),
                       tally.already_complete,
                       tally.interrupted,
                       tally.exit(),
                       tally.counts_json(),
                       {},
                       !common.quiet};
  for (const auto& [bucket, count] : tally.buckets) summary.lines.emplace_back(bucket, std::to_string(count));
  add_lines(tally, summary);
  summary.lines.emplace_back("total", std::to_string(tally.output) + " of " + std::to_string(tally.input));
  return cli::print(summary, common.json);
}

}  // namespace waybill::tools
