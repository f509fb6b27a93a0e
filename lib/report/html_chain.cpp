// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"

#include "page/escape.hpp"
#include "report/html_parts.hpp"
#include "report/look.hpp"

#include <algorithm>

namespace waybill::report {

using page::grouped;
using page::html;
using page::size_text;
using page::time_text;

namespace {

std::string signers_cell(const ManifestSummary& m) {
  if (m.signers.empty()) return "not signed";
  std::string out;
  for (const Signer& signer : m.signers) {
    out += (out.empty() ? "" : ", ") + code(signer.key);
    out += signer.state == Signer::State::verified ? " <span class=\"good\">verified</span>"
           : signer.state == Signer::State::bad    ? " <span class=\"bad\">does not verify</span>"
                                                   : " (not checked)";
  }
  return out;
}

constexpr double kWidth = 960, kHeight = 140, kLeft = 8, kPlot = 944;
constexpr std::size_t kMostBins = 120;

/// Objects a bin over the whole time of all loads.
struct Throughput {
  std::int64_t first = 0, step = 1;  // minutes
  std::vector<Tally> bins;
  std::uint64_t most = 0;
};

Throughput throughput_of(const Report& report) {
  Throughput out;
  std::int64_t last = -1;
  for (const Activity& a : report.activities) {
    if (a.minutes.empty()) continue;
    out.first = last < 0 ? a.minutes.begin()->first : std::min(out.first, a.minutes.begin()->first);
    last = std::max(last, a.minutes.rbegin()->first);
  }
  if (last < 0) return out;
  static constexpr std::int64_t kSteps[] = {1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440, 10080};
  for (const std::int64_t step : kSteps) {
    out.step = step;
    if ((last - out.first) / step < static_cast<std::int64_t>(kMostBins)) break;
  }
  while ((last - out.first) / out.step >= static_cast<std::int64_t>(kMostBins)) out.step *= 2;
  out.bins.resize(static_cast<std::size_t>((last - out.first) / out.step) + 1);
  for (const Activity& a : report.activities) {
    for (const auto& [minute, tally] : a.minutes) {
      Tally& bin = out.bins[static_cast<std::size_t>((minute - out.first) / out.step)];
      bin.objects += tally.objects;
      bin.bytes += tally.bytes;
      out.most = std::max(out.most, bin.objects);
    }
  }
  return out;
}

/// A minute as people write it: what is known to the minute shows no seconds.
std::string shown_minute(std::int64_t minute) {
  const std::string text = minute_text(minute);
  return html(text.substr(0, 10) + " " + text.substr(11, 5) + " UTC");
}

std::string step_text(std::int64_t minutes) {
  if (minutes % 1440 == 0) return minutes == 1440 ? "day" : std::to_string(minutes / 1440) + " days";
  if (minutes % 60 == 0) return minutes == 60 ? "hour" : std::to_string(minutes / 60) + " hours";
  return minutes == 1 ? "minute" : std::to_string(minutes) + " minutes";
}

std::string throughput_plot(const Throughput& t) {
  const double width = kPlot / static_cast<double>(t.bins.size());
  std::string out = "<figure><svg class=\"plot\" viewBox=\"0 0 " + svg_number(kWidth) + " " + svg_number(kHeight) +
                    "\" role=\"img\" aria-labelledby=\"throughput-text\" preserveAspectRatio=\"none\">";
  for (std::size_t i = 0; i < t.bins.size(); ++i) {
    if (t.bins[i].objects == 0) continue;
    const double height =
        std::max(1.0, (kHeight - 10) * static_cast<double>(t.bins[i].objects) / static_cast<double>(t.most));
    out += "<rect x=\"" + svg_number(kLeft + width * static_cast<double>(i)) + "\" y=\"" +
           svg_number(kHeight - height) + "\" width=\"" + svg_number(std::max(1.0, width * 0.9)) + "\" height=\"" +
           svg_number(height) + "\" fill=\"" + std::string(kBlue) + "\"/>";
  }
  const std::int64_t end = t.first + t.step * static_cast<std::int64_t>(t.bins.size());
  return out + "<line x1=\"0\" y1=\"139.5\" x2=\"960\" y2=\"139.5\" stroke=\"" + std::string(kGrey) +
         "\"/></svg><figcaption id=\"throughput-text\">Objects loaded per " + step_text(t.step) + ", from " +
         shown_minute(t.first) + " to " + shown_minute(end) + "; the tallest bar is " + grouped(t.most) +
         " objects.</figcaption></figure>\n";
}

}  // namespace

std::string timeline_section(const Report& report) {
  Table runs("What ran when", {{"Manifest"},
                               {"Stage"},
                               {"Began"},
                               {"First object loaded"},
                               {"Last object loaded"},
                               {"Objects loaded", Kind::number},
                               {"Bytes loaded", Kind::number},
                               {"Objects an hour", Kind::number}});
  std::vector<const Activity*> sorted;
  for (const Activity& a : report.activities) sorted.push_back(&a);
  std::stable_sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->began < b->began; });
  for (const Activity* a : sorted) {
    Tally sum;
    for (const auto& [minute, tally] : a->minutes) sum.objects += tally.objects, sum.bytes += tally.bytes;
    std::vector<std::string> cells{html(a->manifest), html(a->stage), time_text(a->began)};
    if (a->minutes.empty()) {
      cells.insert(cells.end(), {"", "", "", "", ""});
    } else {
      const std::int64_t first = a->minutes.begin()->first, last = a->minutes.rbegin()->first;
      const auto minutes = static_cast<std::uint64_t>(last - first + 1);
      cells.insert(cells.end(), {shown_minute(first), shown_minute(last), grouped(sum.objects), size_text(sum.bytes),
                                 minutes < 2 ? "" : grouped(sum.objects * 60 / minutes)});
    }
    runs.row(cells);
  }
  const Throughput t = throughput_of(report);
  return section("timeline", "Timeline", (t.bins.empty() ? std::string() : throughput_plot(t)) + std::move(runs).str());
}

std::string chain_section(const Report& report) {
  Table runs("Runs; a head is the SHA-256 of a manifest's last frame",
             {{"Manifest"}, {"Stage"}, {"Started"}, {"State"}, {"Tool"}, {"Run", Kind::wide}, {"Head", Kind::wide}});
  Table marks("Signatures, and the rules that reconcile decided by",
              {{"Manifest"}, {"Signed by", Kind::wide}, {"Rule set", Kind::wide}});
  for (const auto& m : report.manifests) {
    runs.row({html(m.name), html(m.header.stage), time_text(m.header.created),
              m.complete ? "complete" : "<span class=\"bad\">incomplete</span>", html(m.header.tool),
              code(m.header.run), code(m.head)});
    marks.row({html(m.name), signers_cell(m), code(m.rule_set)});
  }
  std::string body = std::move(runs).str() + std::move(marks).str();
  if (!report.links.empty()) {
    Table links("Links from input to output",
                {{"Output"}, {"Input"}, {"Head recorded in the output", Kind::wide}, {"State"}});
    for (const auto& l : report.links) {
      const char* state = l.state == Link::State::linked    ? "<span class=\"good\">linked</span>"
                          : l.state == Link::State::broken  ? "<span class=\"bad\">broken</span>"
                          : l.state == Link::State::unknown ? "not known: the run was interrupted"
                                                            : "recorded; no manifest of this report";
      links.row({html(l.to), html(l.from), code(l.head), state});
    }
    body += std::move(links).str();
  }
  return section("chain", "Chain of custody", body);
}

}  // namespace waybill::report
