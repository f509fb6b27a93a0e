// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"

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

enum class Kind { text, number, wide };  // wide: long text that needs room to stay readable
struct Column {
  std::string_view title;
  Kind kind = Kind::text;
};

const char* class_of(Kind kind) {
  return kind == Kind::number ? " class=\"n\"" : kind == Kind::wide ? " class=\"w\"" : "";
}

/// One table with caption and scoped headers. Cells come in as markup, so every text passes html() on the way.
class Table {
 public:
  Table(std::string_view caption, std::initializer_list<Column> columns, std::string_view id = {}) : columns_(columns) {
    out_ = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + html(caption) + "\"><table";
    if (!id.empty()) out_ += " id=\"" + std::string(id) + "\"";
    out_ += "><caption>" + html(caption) + "</caption><thead><tr>";
    for (const auto& c : columns_) {
      out_ += std::string("<th scope=\"col\"") + class_of(c.kind) + ">" + html(c.title) + "</th>";
    }
    out_ += "</tr></thead><tbody>\n";
  }

  void row(const std::vector<std::string>& cells) {
    out_ += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out_ += i == 0 ? "<th scope=\"row\"" : "<td";
      out_ += class_of(columns_[i].kind);
      out_ += ">" + cells[i] + (i == 0 ? "</th>" : "</td>");
    }
    out_ += "</tr>\n";
  }

  [[nodiscard]] std::string str() && { return std::move(out_) + "</tbody></table></div>\n"; }

 private:
  std::vector<Column> columns_;
  std::string out_;
};

std::string code(std::string_view text) { return text.empty() ? std::string() : "<code>" + html(text) + "</code>"; }

constexpr std::string_view kGreen = "#1b6e3c", kBlue = "#1f5f99", kGrey = "#6b7885", kAmber = "#a35a00";

std::string svg_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string rect(double x, double width, std::string_view colour) {
  return "<rect x=\"" + svg_number(x) + "\" width=\"" + svg_number(width) + "\" height=\"12\" fill=\"" +
         std::string(colour) + "\"/>";
}

/// The share in words with a bar under it; the bar says nothing that the words do not.
std::string share(std::uint64_t part, std::uint64_t whole, std::string_view colour) {
  const double portion = whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  const double width = part == 0 ? 0.0 : std::max(1.0, portion * 96.0);
  return percent(part, whole) +
         "<svg class=\"bar\" width=\"96\" height=\"6\" viewBox=\"0 0 96 12\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\">" +
         rect(0, 96, "#e6ebf0") + rect(0, width, colour) + "</svg>";
}

/// A number; zeros are pale, so that the others stand out.
std::string count_cell(std::uint64_t n) { return n == 0 ? "<span class=\"soft\">0</span>" : grouped(n); }

std::string bad_cell(std::uint64_t n) {
  return n == 0 ? count_cell(n) : "<span class=\"bad\">" + grouped(n) + "</span>";
}

std::string_view colour_of(manifest::Bucket bucket) {
  using manifest::Bucket;
  if (bucket == Bucket::verified || bucket == Bucket::loaded) return kGreen;
  if (bucket == Bucket::instance) return kBlue;
  const bool quiet = bucket == Bucket::duplicate_identical || bucket == Bucket::dicomdir ||
                     bucket == Bucket::non_dicom || bucket == Bucket::non_instance || bucket == Bucket::empty ||
                     bucket == Bucket::excluded;
  return quiet ? kGrey : kAmber;
}

std::string section(std::string_view id, std::string_view title, const std::string& body) {
  return "<section aria-labelledby=\"" + std::string(id) + "\"><h2 id=\"" + std::string(id) + "\">" + html(title) +
         "</h2>\n" + body + "</section>\n";
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

std::string cut_note(std::size_t all) {
  if (all <= kMostRows) return {};
  return "<p>The first " + grouped(kMostRows) + " of " + grouped(all) +
         " rows are shown; the CSV and JSON reports hold all.</p>\n";
}

std::string counts_table(std::string_view caption, std::string_view what, std::string_view unit,
                         const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return {};
  Table table(caption, {{what}, {unit, Kind::number}});
  for (const auto& [name, n] : counts) table.row({html(name), grouped(n)});
  return std::move(table).str();
}

std::string pair(std::uint64_t before, std::uint64_t after) {
  return before == after ? grouped(after)
                         : "<span class=\"bad\">" + grouped(before) + " → " + grouped(after) + "</span>";
}

std::string category_name(const std::string& code) {
  static const std::map<std::string, std::string> kNames = {{"D01", "exam without images"},
                                                            {"D02", "images without exam"},
                                                            {"D03", "patient id differs"},
                                                            {"D04", "name differs"},
                                                            {"D05", "birth date differs"},
                                                            {"D06", "sex differs"},
                                                            {"D07", "accession missing"},
                                                            {"D08", "accession differs"},
                                                            {"D09", "accession used twice"},
                                                            {"D10", "study UID differs"},
                                                            {"D11", "date or time differs"},
                                                            {"D12", "modality differs"},
                                                            {"D13", "image count differs"},
                                                            {"D14", "merge not applied"},
                                                            {"D15", "two patients in one study"},
                                                            {"D16", "study is split"},
                                                            {"D17", "report without images"},
                                                            {"D18", "images without report"},
                                                            {"D19", "cancelled exam has images"},
                                                            {"D20", "imported from outside"},
                                                            {"D21", "test or phantom"},
                                                            {"D22", "rejected"},
                                                            {"D23", "character set"},
                                                            {"D24", "issuer missing"},
                                                            {"D25", "duplicate instance"},
                                                            {"D26", "corrupt"},
                                                            {"D28", "private annotations"},
                                                            {"D29", "retention expired"}};
  const auto at = kNames.find(code);
  return at == kNames.end() ? code : code + " " + at->second;
}

/// The folder that all exceptions' paths share, with its slash; empty when that would save nothing.
std::string common_folder(const std::vector<Exception>& exceptions) {
  if (exceptions.size() < 2) return {};
  std::string folder = exceptions.front().path;
  for (const Exception& e : exceptions) {
    const auto end = std::mismatch(folder.begin(), folder.end(), e.path.begin(), e.path.end()).first;
    folder.erase(end, folder.end());
  }
  const std::size_t slash = folder.rfind('/');
  return slash == std::string::npos || slash == 0 ? std::string() : folder.substr(0, slash + 1);
}

/// Exceptions by bucket and cause, the most frequent first: what there is to decide.
std::string causes_table(const std::vector<Exception>& exceptions) {
  struct Row {
    std::uint64_t n = 0;
    std::string severity;
    std::set<std::string> studies;
  };
  std::map<std::pair<std::string, std::string>, Row> rows;
  for (const Exception& e : exceptions) {
    Row& row = rows[{e.bucket, e.cause}];
    ++row.n;
    row.severity = std::max(row.severity, e.severity);
    if (!e.study.empty()) row.studies.insert(e.study);
  }
  std::vector<std::pair<std::pair<std::string, std::string>, Row>> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second.n > b.second.n; });
  Table table("What there is to decide; S3 waits for a person, S4 cannot be recovered from this source",
              {{"Cause"},
               {"Bucket"},
               {"Objects", Kind::number},
               {"Studies", Kind::number},
               {"Severity"},
               {"What the bucket means", Kind::wide}});
  for (std::size_t i = 0; i < sorted.size() && i < kMostRows; ++i) {
    const auto& [key, row] = sorted[i];
    const auto bucket = manifest::bucket_from(key.first);
    table.row({key.second.empty() ? "none stated" : html(key.second), html(key.first), grouped(row.n),
               grouped(row.studies.size()), html(row.severity), bucket ? html(bucket_meaning(*bucket)) : ""});
  }
  return std::move(table).str() + cut_note(sorted.size());
}

std::string exceptions_table(const Report& report) {
  const std::string folder = common_folder(report.exceptions);
  Table table("Objects that did not reach their target state",
              {{"Source", Kind::wide},
               {"Severity"},
               {"Bucket"},
               {"Reason", Kind::wide},
               {"Last stage"},
               {"Modality"},
               {"Study date"},
               {"Patient"},
               {"Study", Kind::wide}},
              "exceptions");
  for (std::size_t i = 0; i < report.exceptions.size() && i < kMostRows; ++i) {
    const Exception& e = report.exceptions[i];
    std::string source = code(std::string_view(e.path).substr(folder.size()));
    if (!e.member.empty()) source += " member " + code(e.member);
    source += "<br><span class=\"soft\">object " + code(e.id) + "</span>";
    table.row({source, html(e.severity), html(e.bucket), html(e.reason), html(e.stage), html(e.modality),
               html(e.study_date), code(e.patient), code(e.study)});
  }
  const std::string where = folder.empty() ? "" : "<p>Sources are below " + code(folder) + "</p>\n";
  return where + std::move(table).str() + cut_note(report.exceptions.size());
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
  Table grades("Objects by the best evidence there is for them",
               {{"Grade"}, {"Objects", Kind::number}, {"Share", Kind::number}, {"What it proves", Kind::wide}});
  for (std::size_t i = kGrades; i-- > 0;) {
    const std::uint64_t n = report.grades[i];
    grades.row(
        {"E" + std::to_string(i), count_cell(n), share(n, total, i >= 4 ? kGreen : kBlue), html(grade_meaning(i))});
  }
  grades.row({"none", count_cell(report.ungraded), share(report.ungraded, total, kGrey), "nothing about a target"});
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
  return section("evidence", "Evidence", std::move(grades).str() + std::move(buckets).str());
}

namespace {

/// The result cell of a manifest that is balanced against none.
std::string start_cell(const Report& report, const ManifestSummary& m) {
  const bool unlinked = std::any_of(report.unexplained.begin(), report.unexplained.end(),
                                    [&](const Unexplained& u) { return u.kind == "link" && u.subject == m.name; });
  if (unlinked) return "<span class=\"bad\">not linked</span>";
  return m.complete ? "start" : "<span class=\"bad\">incomplete</span>";
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
    const Levels &a = at->before, &b = at->after;
    table.row({html(m.name), html(at->input), pair(a.files, b.files), pair(a.objects, b.objects),
               pair(a.instances, b.instances), pair(a.studies, b.studies), pair(a.bytes, b.bytes),
               bad_cell(at->missing), bad_cell(at->extra), bad_cell(at->repeated),
               at->closes() ? "<span class=\"good\">closes</span>"
               : m.complete ? "<span class=\"bad\">open</span>"
                            : "<span class=\"bad\">incomplete</span>"});
  }
  return section("ledger", "Ledger", std::move(table).str());
}

std::string groups_section(const Report& report) {
  if (report.groups.empty()) return {};
  Group sum;
  for (const Group& g : report.groups) {
    sum.objects += g.objects;
    sum.bytes += g.bytes;
  }
  Table table("Objects by modality and year of the study", {{"Modality"},
                                                            {"Year"},
                                                            {"Objects", Kind::number},
                                                            {"Verified", Kind::number},
                                                            {"Loaded", Kind::number},
                                                            {"Waiting", Kind::number},
                                                            {"No transfer", Kind::number},
                                                            {"Exceptions", Kind::number},
                                                            {"Bytes", Kind::number}});
  for (std::size_t i = 0; i < report.groups.size() && i < kMostRows; ++i) {
    const auto& g = report.groups[i];
    table.row({g.modality.empty() ? "none" : html(g.modality), html(g.year), grouped(g.objects), count_cell(g.verified),
               count_cell(g.loaded), count_cell(g.waiting), count_cell(g.no_transfer), count_cell(g.exceptions),
               size_text(g.bytes)});
  }
  const Places& p = report.places;
  table.row({"sum", "", grouped(sum.objects), grouped(p.verified), grouped(p.loaded), grouped(p.waiting),
             grouped(p.no_transfer), grouped(p.exceptions), size_text(sum.bytes)});
  return section("groups", "Modality and year", std::move(table).str() + cut_note(report.groups.size()));
}

std::string exceptions_section(const Report& report) {
  std::string body = "<p>There are none.</p>\n";
  if (!report.exceptions.empty()) {
    body =
        causes_table(report.exceptions) +
        "<p class=\"filter\" id=\"filter\" hidden><label for=\"filter-text\">Filter the list</label> <input "
        "id=\"filter-text\" type=\"search\"> <span id=\"filter-count\" class=\"soft\" role=\"status\"></span></p>\n" +
        exceptions_table(report);
  }
  return section("exceptions-title", "Exceptions", body);
}

std::string findings_section(const Report& report) {
  if (report.codes.empty()) return {};
  Table codes("Objects by finding; docs/findings.md explains each code",
              {{"Code"}, {"Worst severity"}, {"Objects", Kind::number}});
  for (const auto& [name, n] : report.codes) codes.row({html(name), html(n.severity), grouped(n.findings)});
  return section("findings", "Findings", std::move(codes).str());
}

std::string reconcile_section(const Report& report) {
  std::string body = counts_table("Studies by decision", "Decision", "Studies", report.decisions) +
                     counts_table("Studies by the rule that decided", "Rule", "Studies", report.rules) +
                     counts_table("Vetoes against an automatic decision", "Veto", "Studies", report.vetoes);
  std::map<std::string, std::uint64_t> named;
  for (const auto& [name, n] : report.discrepancies) named[category_name(name)] = n;
  body += counts_table("Discrepancies between images and RIS", "Category", "Studies or exams", named);
  if (!report.edits.empty()) {
    Table table("Corrections decided, by attribute",
                {{"Attribute"}, {"Studies", Kind::number}, {"Instances", Kind::number}});
    for (const auto& [tag, n] : report.edits)
      table.row({"(" + html(tag) + ")", grouped(n.studies), grouped(n.instances)});
    body += std::move(table).str();
    std::string by;
    for (const auto& name : report.edits_used_by) by += (by.empty() ? "" : ", ") + html(name);
    body += by.empty() ? "<p>No manifest given was made with these corrections: they are decided, not applied.</p>\n"
                       : "<p>Applied in " + by + ".</p>\n";
  }
  return body.empty() ? body : section("reconcile", "Reconciliation", body);
}

std::string chain_section(const Report& report) {
  Table runs("Runs; a head is the SHA-256 of a manifest's last frame",
             {{"Manifest"}, {"Stage"}, {"Started"}, {"State"}, {"Tool"}, {"Run", Kind::wide}, {"Head", Kind::wide}});
  for (const auto& m : report.manifests) {
    runs.row({html(m.name), html(m.header.stage), time_text(m.header.created),
              m.complete ? "complete" : "<span class=\"bad\">incomplete</span>", html(m.header.tool),
              code(m.header.run), code(m.head)});
  }
  std::string body = std::move(runs).str();
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
