// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"
#include "report/html_parts.hpp"

#include "page/escape.hpp"

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>

namespace waybill::report {
namespace {

using page::grouped;
using page::html;
using page::percent;
using page::size_text;
using page::time_text;

std::string_view colour_of(manifest::Bucket bucket) {
  using manifest::Bucket;
  if (bucket == Bucket::verified || bucket == Bucket::loaded) return kGreen;
  if (bucket == Bucket::instance) return kBlue;
  const bool quiet = bucket == Bucket::duplicate_identical || bucket == Bucket::dicomdir ||
                     bucket == Bucket::non_dicom || bucket == Bucket::non_instance || bucket == Bucket::empty ||
                     bucket == Bucket::excluded;
  return quiet ? kGrey : kAmber;
}

/// A definition list of figures; the number stands before its label for the eye, behind it for a screen reader.
struct Tile {
  std::string label, figure, note;
  const char* mark = "";
};

std::string tiles(const std::vector<Tile>& all) {
  std::string out = "<dl class=\"tiles\">\n";
  for (const Tile& tile : all) {
    out += "<div class=\"tile " + std::string(tile.mark) + "\"><dt>" + html(tile.label) + "</dt><dd>" + tile.figure +
           "<small>" + html(tile.note) + "</small></dd></div>\n";
  }
  return out + "</dl>\n";
}

struct Part {
  std::string label;
  std::uint64_t n;
  std::string_view colour;
};

/// One bar of all objects, with a legend that carries the same figures as text.
std::string places_bar(const std::vector<Part>& parts, std::uint64_t total) {
  std::string bar, legend;
  double x = 0;
  for (const Part& part : parts) {
    if (part.n == 0) continue;
    const double width = 1000.0 * static_cast<double>(part.n) / static_cast<double>(total);
    bar += rect(x, width, part.colour);
    x += width;
    legend += "<li><svg width=\"12\" height=\"12\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">" +
              rect(0, 12, part.colour) + "</svg> " + html(part.label) + " <strong>" + grouped(part.n) + "</strong> (" +
              percent(part.n, total) + ")</li>\n";
  }
  return "<svg class=\"whole\" viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">" + bar +
         "</svg>\n<ul class=\"legend\">\n" + legend + "</ul>\n";
}

std::string pair(std::uint64_t before, std::uint64_t after) {
  return before == after ? grouped(after)
                         : "<span class=\"bad\">" + grouped(before) + " → " + grouped(after) + "</span>";
}

}  // namespace

std::string glance_section(const Report& report) {
  const std::uint64_t total = objects_in(report.buckets);
  const Places& p = report.places;
  const std::uint64_t equal = report.grades[4] + report.grades[5];
  const bool open = report.unexplained_total > 0;
  std::vector<Tile> figures;
  figures.push_back({"Ledger", open ? "OPEN" : "closes",
                     open ? grouped(report.unexplained_total) + " unexplained" : "nothing is unexplained",
                     open ? "t5" : "t0"});
  figures.push_back({"Proved equal", percent(equal, total),
                     grouped(equal) + " of " + grouped(total) + " objects read back, grade E4 or better",
                     equal > 0 ? "t0" : ""});
  figures.push_back({"Exceptions", grouped(p.exceptions),
                     p.exceptions == 0 ? "nothing to decide" : "objects that wait for a decision",
                     p.exceptions == 0 ? "t0" : "t1"});
  figures.push_back({"Not loaded yet", grouped(p.waiting), "objects in scope", p.waiting == 0 ? "" : "t1"});
  figures.push_back({"Scanned", grouped(report.scanned.objects),
                     grouped(report.scanned.studies) + (report.scanned.studies == 1 ? " study, " : " studies, ") +
                         size_text(report.scanned.bytes)});
  std::string bar;
  if (total > 0) {
    bar = places_bar({{"verified at the target", p.verified, kGreen},
                      {"loaded, not verified", p.loaded, "#4c9a6c"},
                      {"not loaded yet", p.waiting, kBlue},
                      {"need no transfer", p.no_transfer, kGrey},
                      {"exceptions", p.exceptions, kAmber}},
                     total);
  }
  return section("glance", "At a glance", tiles(figures) + bar);
}

std::string unexplained_section(const Report& report) {
  if (report.unexplained.empty()) return {};
  Table table("Every difference that no bucket explains",
              {{"Kind"}, {"Subject"}, {"Source", Kind::wide}, {"Shows in"}, {"What it is", Kind::wide}});
  for (std::size_t i = 0; i < report.unexplained.size() && i < kMostRows; ++i) {
    const auto& u = report.unexplained[i];
    table.row({html(u.kind), code(u.subject), code(u.path), html(u.manifest), html(u.sentence)});
  }
  return section("unexplained", "Unexplained", std::move(table).str() + cut_note(report.unexplained_total));
}

std::string evidence_section(const Report& report) {
  const std::uint64_t total = objects_in(report.buckets);
  Table grades("Objects by the best evidence there is for them", {{"Grade"},
                                                                  {"Objects", Kind::number},
                                                                  {"Of these found lost or changed", Kind::number},
                                                                  {"Share", Kind::number},
                                                                  {"What it proves", Kind::wide}});
  for (std::size_t i = kGrades; i-- > 0;) {
    const std::uint64_t n = report.grades[i];
    grades.row({"E" + std::to_string(i), count_cell(n), bad_cell(report.refuted[i]),
                share(n, total, i >= 4 ? kGreen : kBlue), html(grade_meaning(i))});
  }
  grades.row({"none", count_cell(report.ungraded), "", share(report.ungraded, total, kGrey), "nothing about a target"});
  Table buckets("Final state of every object", {{"Bucket"},
                                                {"Objects", Kind::number},
                                                {"Share", Kind::number},
                                                {"Bytes", Kind::number},
                                                {"What it means", Kind::wide}});
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const auto bucket = static_cast<manifest::Bucket>(i);
    const Tally& t = report.buckets[i];
    bytes += t.bytes;
    if (t.objects == 0) continue;
    buckets.row({html(to_string(bucket)), grouped(t.objects), share(t.objects, total, colour_of(bucket)),
                 size_text(t.bytes), html(bucket_meaning(bucket))});
  }
  buckets.row({"sum", grouped(total), percent(total, total), size_text(bytes), "every object, each once"});
  return section("evidence", "Evidence", std::move(grades).str() + samples_table(report) + std::move(buckets).str());
}

namespace {

/// The result cell of a manifest that is balanced against none.
std::string start_cell(const Report& report, const ManifestSummary& m) {
  const bool unlinked = std::any_of(report.unexplained.begin(), report.unexplained.end(),
                                    [&](const Unexplained& u) { return u.kind == "link" && u.subject == m.name; });
  if (unlinked) return "<span class=\"bad\">not linked</span>";
  if (m.share == ManifestSummary::Share::part) return "part, see below";
  return m.complete ? "start" : "<span class=\"bad\">incomplete</span>";
}

}  // namespace

namespace {

/// What scans since another scan found new and gone, in words.
std::string increments_text(const Report& report) {
  std::string out;
  for (const Balance& b : report.balances) {
    if (!b.increment) continue;
    out += "<p>" + html(b.output) + " is a scan since " + html(b.input) + ": " + grouped(b.fresh) +
           " objects are new, " + grouped(b.gone) + " are gone from the source; they are explained by that.</p>\n";
  }
  return out;
}

void balance_row(Table& table, const Balance& balance, bool complete) {
  const Levels &a = balance.before, &b = balance.after;
  table.row({html(balance.output), html(balance.input), pair(a.files, b.files), pair(a.objects, b.objects),
             pair(a.instances, b.instances), pair(a.studies, b.studies), pair(a.bytes, b.bytes),
             bad_cell(balance.missing), bad_cell(balance.extra), bad_cell(balance.repeated),
             balance.increment
                 ? (balance.closes() ? "<span class=\"good\">increment</span>" : "<span class=\"bad\">open</span>")
             : balance.closes() ? "<span class=\"good\">closes</span>"
             : complete         ? "<span class=\"bad\">open</span>"
                                : "<span class=\"bad\">incomplete</span>"});
}

}  // namespace

std::string ledger_section(const Report& report) {
  Table table("Every stage against its input; two numbers mean that they differ", {{"Stage"},
                                                                                   {"Input"},
                                                                                   {"Files", Kind::number},
                                                                                   {"Objects", Kind::number},
                                                                                   {"Instances", Kind::number},
                                                                                   {"Studies", Kind::number},
                                                                                   {"Bytes", Kind::number},
                                                                                   {"Missing", Kind::number},
                                                                                   {"Extra", Kind::number},
                                                                                   {"Repeated", Kind::number},
                                                                                   {"Result"}});
  for (const auto& m : report.manifests) {
    const auto at = std::find_if(report.balances.begin(), report.balances.end(),
                                 [&](const Balance& b) { return b.output == m.name; });
    if (m.levels.objects == 0 && at == report.balances.end()) continue;
    if (at == report.balances.end()) {
      table.row({html(m.name), "", grouped(m.levels.files), grouped(m.levels.objects), grouped(m.levels.instances),
                 grouped(m.levels.studies), grouped(m.levels.bytes), "", "", "", start_cell(report, m)});
      continue;
    }
    balance_row(table, *at, m.complete);
  }
  for (const Balance& b : report.balances) {  // parts of a whole, taken together
    const bool stands = std::any_of(report.manifests.begin(), report.manifests.end(),
                                    [&](const ManifestSummary& m) { return m.name == b.output; });
    if (!stands) balance_row(table, b, true);
  }
  return section("ledger", "Ledger", sheet_table(report) + std::move(table).str() + increments_text(report));
}

std::string groups_section(const Report& report) {
  if (report.groups.empty()) return {};
  Group sum;
  for (const Group& g : report.groups) {
    sum.objects += g.objects;
    sum.bytes += g.bytes;
  }
  Table table("Objects by modality, year of the study and site (the issuer of the patient id)",
              {{"Modality"},
               {"Year"},
               {"Site"},
               {"Objects", Kind::number},
               {"Verified", Kind::number},
               {"Loaded", Kind::number},
               {"Waiting", Kind::number},
               {"No transfer", Kind::number},
               {"Exceptions", Kind::number},
               {"Bytes", Kind::number}});
  for (std::size_t i = 0; i < report.groups.size() && i < kMostRows; ++i) {
    const auto& g = report.groups[i];
    table.row({g.modality.empty() ? "none" : html(g.modality), html(g.year),
               "<span class=\"any\">" + html(g.site) + "</span>", grouped(g.objects), count_cell(g.verified),
               count_cell(g.loaded), count_cell(g.waiting), count_cell(g.no_transfer), count_cell(g.exceptions),
               size_text(g.bytes)});
  }
  const Places& p = report.places;
  table.row({"sum", "", "", grouped(sum.objects), grouped(p.verified), grouped(p.loaded), grouped(p.waiting),
             grouped(p.no_transfer), grouped(p.exceptions), size_text(sum.bytes)});
  return section("groups", "Modality, year and site", std::move(table).str() + cut_note(report.groups.size()));
}

std::string findings_section(const Report& report) {
  if (report.codes.empty()) return {};
  Table codes("Objects by finding; docs/findings.md explains each code",
              {{"Code"}, {"Worst severity"}, {"Objects", Kind::number}});
  for (const auto& [name, n] : report.codes) codes.row({html(name), html(n.severity), grouped(n.findings)});
  return section("findings", "Findings", std::move(codes).str());
}

}  // namespace waybill::report
