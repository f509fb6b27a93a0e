// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include "core/sha256.hpp"
#include "core/version.hpp"
#include "report/escape.hpp"
#include "report/html_assets.hpp"
#include "report/html_tables.hpp"

namespace waybill::report {
namespace {

std::string source_digest(std::string_view asset) { return "'sha256-" + base64(Sha256::of(asset).bytes) + "'"; }

std::string head() {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src " +
         source_digest(kStyle) + "; script-src " + source_digest(kScript) +
         "; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
         "content=\"no-referrer\">\n"
         "<title>Migration report</title>\n<style>" +
         std::string(kStyle) + "</style>\n</head>\n<body>\n";
}

std::string verdict(const Report& report) {
  const char* word = report.exit == Exit::ok           ? "Everything is accounted for."
                     : report.exit == Exit::exceptions ? "Everything is accounted for; some of it needs a decision."
                                                       : "Not everything is accounted for.";
  if (report.exit == Exit::exceptions && any_incomplete(report)) word = "A run is incomplete.";
  std::string out = "<div class=\"verdict v" + std::to_string(static_cast<int>(report.exit)) + "\"><strong>" + word +
                    "</strong>\n<ul>\n";
  for (const auto& sentence : report.statement) out += "<li>" + html(sentence) + "</li>\n";
  return out + "</ul></div>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  std::string out = head();
  out += "<header><h1>Migration report</h1>\n<p class=\"soft\">Made " + html(report.created) + " by " +
         html(kToolName) + " from " + grouped(report.manifests.size()) + " manifests.</p></header>\n<main>\n";
  out += verdict(report) + unexplained_section(report) + evidence_section(report) + ledger_section(report) +
         groups_section(report);
  out += exceptions_section(report) + reconcile_section(report) + chain_section(report);
  out += "</main>\n<footer><p>";
  out += report.phi_shown ? "This report shows patient ids: keep it as you keep patient records."
                          : "Patients appear as keyed hashes (HMAC-SHA-256, key discarded): equal hashes are one "
                            "patient within this report only. "
                            "Source paths are shown as they are.";
  out += "</p></footer>\n<script>" + std::string(kScript) + "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace waybill::report
