// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"
#include "cli/run_tool.hpp"
#include "cli/summary.hpp"
#include "core/text.hpp"
#include "listen/run.hpp"
#include "shared.hpp"

#include <cstdio>

namespace {

using waybill::Exit;
using waybill::RunError;
using waybill::listen::Counts;
using waybill::listen::Options;

struct Settings {
  std::string output, certificate, key, authority;
  std::vector<std::string> processing;
  long idle = 3600, message_time = 300;
};

Options options_of(const Settings& s, Options options, const waybill::cli::Common& common) {
  options.output = s.output;
  options.tls_certificate = s.certificate;
  options.tls_key = s.key;
  options.tls_authority = s.authority;
  if (!s.processing.empty()) options.processing = {s.processing.begin(), s.processing.end()};
  options.idle = std::chrono::seconds(s.idle);
  options.message_time = std::chrono::seconds(s.message_time);
  options.restart = common.restart ? waybill::manifest::Restart::yes : waybill::manifest::Restart::no;
  if (s.certificate.empty() != s.key.empty()) throw RunError(Exit::usage, "--tls-cert and --tls-key belong together");
  if (s.certificate.empty() && !s.authority.empty())
    throw RunError(Exit::usage, "--tls-ca asks clients for certificates; give --tls-cert and --tls-key, too");
  return options;
}

waybill::cli::Summary summary_of(const Counts& counts) {
  const auto n = [](std::uint64_t v) { return std::to_string(v); };
  waybill::cli::Summary summary;
  summary.stage = "listen";
  summary.output = counts.journal.string();
  summary.exit = counts.exceptions() == 0 ? Exit::ok : Exit::exceptions;
  summary.counts = to_json(counts);
  summary.lines = {
      {"messages", n(counts.frames) + " = " + n(counts.stored) + " stored + " + n(counts.duplicates) + " repeated + " +
                       n(counts.refused) + " refused + " + n(counts.replies) + " replies"},
      {"broken", n(counts.broken)},
      {"journal", n(counts.journal_stored) + " messages"}};
  return summary;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Take HL7 messages over by MLLP and keep each on disk before it is acknowledged", "waybill-listen");
  Settings settings;
  Options options;
  waybill::cli::Common common;
  app.add_option("--mllp", options.port, "TCP port, 0 for a free one")->required()->check(CLI::Range(0, 65535));
  app.add_option("-o,--output", settings.output, "Journal to write, or a folder for journals")->required();
  app.add_option("--bind", options.bind, "Address to listen on")->capture_default_str();
  app.add_option("--tls-cert", settings.certificate, "Certificate chain (PEM); the port then speaks TLS only");
  app.add_option("--tls-key", settings.key, "Its private key (PEM)");
  app.add_option("--tls-ca", settings.authority, "Let only clients in whose certificate this authority signed (PEM)");
  app.add_option("--processing", settings.processing, "Processing IDs (MSH-11) that are taken: P, T, D")
      ->default_str("P")
      ->delimiter(',')
      ->check(CLI::IsMember({"P", "T", "D"}));
  app.add_option("--max-message", options.largest, "Most bytes of a message")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::size_t{1024}, Options::kMostLargest))
      ->default_str("16MiB");
  app.add_option("--connections", options.connections, "Most connections at a time")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10000}))
      ->capture_default_str();
  app.add_option("--idle", settings.idle, "Close a connection after this many seconds without a message")
      ->check(CLI::Range(1L, 1000000L))
      ->capture_default_str();
  app.add_option("--message-time", settings.message_time, "Most seconds from first to last byte of a message")
      ->check(CLI::Range(1L, 1000000L))
      ->capture_default_str();
  waybill::cli::add_common(app, common);
  waybill::tools::Shared shared;
  shared.add_options(app);

  const auto run = [&] {
    const Options given = options_of(settings, options, common);
    waybill::cli::Progress progress("listen", 0, common.quiet);
    const auto log = [](const std::string& sentence) {
      std::fprintf(stderr, "waybill listen: %s\n", sentence.c_str());
    };
    const auto tick = [&](std::uint64_t messages, std::uint64_t bytes, std::uint64_t exceptions) {
      progress.add(messages, bytes, exceptions);
    };
    return waybill::cli::print(summary_of(waybill::listen::run(given, log, tick)), common.json);
  };
  return waybill::cli::run_tool(app, argc, argv, [&] { return shared.around("waybill-listen", run); });
}
