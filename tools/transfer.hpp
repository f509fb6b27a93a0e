// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "dicom/toolkit.hpp"
#include "net/tls.hpp"
#include "transfer/ledger.hpp"
#include "transfer/options.hpp"

#include <chrono>
#include <iostream>
#include <string>

/// What the tools between a manifest and a peer share.
namespace waybill::tools {

/// A sentence for the person at the terminal, as one line on stderr.
inline void say(const char* stage, const std::string& text) {
  std::cerr << "waybill " + std::string(stage) + ": " + text + "\n" << std::flush;
}

inline void add_tls_options(CLI::App& app, net::TlsOptions& tls) {
  const char* group = "TLS (for dicoms://)";
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

/// Reads what a dicoms:// address needs; nothing for others.
inline void secure(net::Peer& peer, net::TlsOptions tls, const char* stage) {
  if (!peer.secure) {
    if (tls.authorities.empty() && tls.certificate.empty() && tls.key.empty()) return;
    throw RunError(Exit::usage, "TLS options are for dicoms:// addresses, and " + peer.url() +
                                    " is sent in the clear; write the address as dicoms://");
  }
  tls.warn = [stage](const std::string& text) { say(stage, "warning: " + text); };
  peer.tls = net::Tls::make(std::move(tls));
}

inline void add_transfer_options(CLI::App& app, transfer::Options& options, const char* manifest) {
  app.add_option("manifest", options.manifest, manifest)->required();
  app.add_option("-o,--output", options.output, "Manifest to write")->required();
  app.add_option("--calling", options.calling, "Our AE title")->capture_default_str();
  const auto set_timeouts = [&options](unsigned seconds) {
    options.timeouts = {std::chrono::seconds(seconds), std::chrono::seconds(seconds), std::chrono::seconds(seconds)};
  };
  app.add_option_function<unsigned>("--timeout", set_timeouts,
                                    "Seconds to wait for a connection or for any one answer of the peer")
      ->check(CLI::Range(1, 3600))
      ->default_str("30");
}

inline constexpr int kMostAssociations = 64;

inline void add_associations(CLI::App& app, transfer::Options& options, const char* text) {
  app.add_option("--associations", options.associations, text)
      ->check(CLI::Range(1, kMostAssociations))
      ->capture_default_str();
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
  cli::Summary summary{
      stage, options.output.string(), tally.already_complete, tally.interrupted, tally.exit(), tally.counts_json(), {}};
  for (const auto& [bucket, count] : tally.buckets) summary.lines.emplace_back(bucket, std::to_string(count));
  add_lines(tally, summary);
  summary.lines.emplace_back("total", std::to_string(tally.output) + " of " + std::to_string(tally.input));
  return cli::print(summary, common.json);
}

}  // namespace waybill::tools
