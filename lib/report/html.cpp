// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include "core/version.hpp"
#include "page/escape.hpp"
#include "page/page.hpp"
#include "report/html_assets.hpp"
#include "report/html_tables.hpp"

namespace waybill::report {
namespace {

using page::grouped;
using page::html;
using page::time_text;

page::Frame frame_of(const Report& report) {
  return {"Migration report, " + report.created.substr(0, 10), "Skip to the result", kStyle, kScript};
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

/// Links to the sections, taken from their headings.
std::string contents(std::string_view body) {
  static constexpr std::string_view kHeading = "<h2 id=\"", kEnd = "</h2>";
  std::string out = "<nav aria-label=\"Sections\"><ul>\n";
  for (std::size_t at = body.find(kHeading); at != std::string_view::npos; at = body.find(kHeading, at + 1)) {
    const std::string_view rest = body.substr(at + kHeading.size());
    const std::size_t quote = rest.find('"');
    const std::string_view title = rest.substr(quote + 2, rest.find(kEnd) - quote - 2);
    out += "<li><a href=\"#" + std::string(rest.substr(0, quote)) + "\">" + std::string(title) + "</a></li>\n";
  }
  return out + "</ul></nav>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  const std::string body = glance_section(report) + unexplained_section(report) + evidence_section(report) +
                           ledger_section(report) + target_section(report) + exceptions_section(report) +
                           groups_section(report) + timeline_section(report) + reconcile_section(report) +
                           findings_section(report) + chain_section(report);
  const page::Frame frame = frame_of(report);
  std::string out = page::opening(frame);
  out += "<header><h1>Migration report</h1>\n<p class=\"soft\">Made " + time_text(report.created) + " by " +
         html(kToolName) + " from " + grouped(report.manifests.size()) +
         (report.manifests.size() == 1 ? " manifest" : " manifests") + ".</p></header>\n<main id=\"main\">\n";
  out += verdict(report) + contents(body) + body;
  out += "</main>\n<footer><p>";
  out += report.phi_shown ? "This report shows patient ids: keep it as you keep patient records."
                          : "Patients appear as keyed hashes (HMAC-SHA-256, key discarded): equal hashes are one "
                            "patient within this report only. "
                            "Source paths are shown as they are.";
  return out + "</p></footer>\n" + page::closing(frame);
}

}  // namespace waybill::report
