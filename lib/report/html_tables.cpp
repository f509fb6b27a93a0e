// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"

#include "report/escape.hpp"

#include <algorithm>
#include <cstdio>
#include <initializer_list>

namespace waybill::report {
namespace {

struct Column {
  std::string_view title;
  bool number = false;
};

/// One table with caption and scoped headers. Cells come in as markup, so every text passes html() on the way.
class Table {
 public:
  Table(std::string_view caption, std::initializer_list<Column> columns, std::string_view id = {}) : columns_(columns) {
    out_ = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + html(caption) + "\"><table";
    if (!id.empty()) out_ += " id=\"" + std::string(id) + "\"";
    out_ += "><caption>" + html(caption) + "</caption><thead><tr>";
    for (const auto& c : columns_) {
      out_ += std::string("<th scope=\"col\"") + (c.number ? " class=\"n\">" : ">") + html(c.title) + "</th>";
    }
    out_ += "</tr></thead><tbody>\n";
  }

  void row(const std::vector<std::string>& cells) {
    out_ += "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const char* number = columns_[i].number ? " class=\"n\"" : "";
      out_ += i == 0 ? "<th scope=\"row\"" : "<td";
      out_ += number;
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

std::string bar(std::uint64_t part, std::uint64_t whole, std::string_view colour) {
  const double share = whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  char width[32];
  std::snprintf(width, sizeof width, "%.1f", part == 0 ? 0.0 : std::max(1.0, share * 160.0));
  return "<svg width=\"160\" height=\"12\" viewBox=\"0 0 160 12\" role=\"img\" aria-label=\"" +
         html(percent(part, whole)) + "\"><rect width=\"160\" height=\"12\" fill=\"#e6ebf0\"/><rect width=\"" + width +
         "\" height=\"12\" fill=\"" + std::string(colour) + "\"/></svg>";
}

std::string_view colour_of(manifest::Bucket bucket) {
  using manifest::Bucket;
  if (bucket == Bucket::verified || bucket == Bucket::loaded) return "#1b6e3c";
  if (bucket == Bucket::instance || bucket == Bucket::duplicate_identical || bucket == Bucket::dicomdir ||
      bucket == Bucket::non_dicom)
    return "#1f5f99";
  return "#a35a00";
}

std::string section(std::string_view id, std::string_view title, const std::string& body) {
  return "<section aria-labelledby=\"" + std::string(id) + "\"><h2 id=\"" + std::string(id) + "\">" + html(title) +
         "</h2>\n" + body + "</section>\n";
}

std::string cut_note(std::size_t all) {
  if (all <= kMostRows) return {};
  return "<p>The first " + grouped(kMostRows) + " of " + grouped(all) +
         " rows are shown; the CSV and JSON reports hold all.</p>\n";
}

std::string counts_table(std::string_view caption, std::string_view what, std::string_view unit,
                         const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return {};
  Table table(caption, {{what}, {unit, true}});
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
                                                            {"D19", "cancelled exam has images"},
                                                            {"D20", "imported from outside"},
                                                            {"D21", "test or phantom"},
                                                            {"D23", "character set"},
                                                            {"D24", "issuer missing"},
                                                            {"D25", "duplicate instance"},
                                                            {"D26", "corrupt"}};
  const auto at = kNames.find(code);
  return at == kNames.end() ? code : code + " " + at->second;
}

}  // namespace

std::string unexplained_section(const Report& report) {
  if (report.unexplained.empty()) return {};
  Table table("Every difference that no bucket explains",
              {{"Kind"}, {"Subject"}, {"Source"}, {"Shows in"}, {"What it is"}});
  for (std::size_t i = 0; i < report.unexplained.size() && i < kMostRows; ++i) {
    const auto& u = report.unexplained[i];
    table.row({html(u.kind), code(u.subject), code(u.path), html(u.manifest), html(u.sentence)});
  }
  return section("unexplained", "Unexplained", std::move(table).str() + cut_note(report.unexplained_total));
}

std::string evidence_section(const Report& report) {
  const std::uint64_t total = objects_in(report.buckets);
  Table grades("Objects by the best evidence there is for them",
               {{"Grade"}, {"Objects", true}, {"Share", true}, {""}, {"What it proves"}});
  for (std::size_t i = kGrades; i-- > 0;) {
    const std::uint64_t n = report.grades[i];
    grades.row({"E" + std::to_string(i), grouped(n), percent(n, total), bar(n, total, i >= 4 ? "#1b6e3c" : "#1f5f99"),
                html(grade_meaning(i))});
  }
  grades.row({"none", grouped(report.ungraded), percent(report.ungraded, total), bar(report.ungraded, total, "#a35a00"),
              "nothing about a target"});
  Table buckets("Final state of every object", {{"Bucket"}, {"Objects", true}, {"Share", true}, {""}, {"Bytes", true}});
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const auto bucket = static_cast<manifest::Bucket>(i);
    const Tally& t = report.buckets[i];
    if (t.objects == 0) continue;
    buckets.row({html(to_string(bucket)), grouped(t.objects), percent(t.objects, total),
                 bar(t.objects, total, colour_of(bucket)), size_text(t.bytes)});
  }
  buckets.row({"sum", grouped(total), percent(total, total), "", ""});
  return section("evidence", "Evidence", std::move(grades).str() + std::move(buckets).str());
}

std::string ledger_section(const Report& report) {
  Table table("Every stage against its input; two numbers mean that they differ", {{"Stage"},
                                                                                   {"Input"},
                                                                                   {"Files", true},
                                                                                   {"Objects", true},
                                                                                   {"Instances", true},
                                                                                   {"Studies", true},
                                                                                   {"Bytes", true},
                                                                                   {"Missing", true},
                                                                                   {"Extra", true},
                                                                                   {"Repeated", true},
                                                                                   {"Result"}});
  for (const auto& m : report.manifests) {
    const auto at = std::find_if(report.balances.begin(), report.balances.end(),
                                 [&](const Balance& b) { return b.output == m.name; });
    if (m.levels.objects == 0 && at == report.balances.end()) continue;
    if (at == report.balances.end()) {
      table.row({html(m.name), "", grouped(m.levels.files), grouped(m.levels.objects), grouped(m.levels.instances),
                 grouped(m.levels.studies), grouped(m.levels.bytes), "", "", "", "start"});
      continue;
    }
    const Levels &a = at->before, &b = at->after;
    table.row({html(m.name), html(at->input), pair(a.files, b.files), pair(a.objects, b.objects),
               pair(a.instances, b.instances), pair(a.studies, b.studies), pair(a.bytes, b.bytes), grouped(at->missing),
               grouped(at->extra), grouped(at->repeated),
               at->closes() ? "<span class=\"good\">closes</span>"
               : m.complete ? "<span class=\"bad\">open</span>"
                            : "<span class=\"bad\">incomplete</span>"});
  }
  return section("ledger", "Ledger", std::move(table).str());
}

std::string groups_section(const Report& report) {
  if (report.groups.empty()) return {};
  Table table("Objects by modality and year of the study", {{"Modality"},
                                                            {"Year"},
                                                            {"Objects", true},
                                                            {"Verified", true},
                                                            {"Loaded", true},
                                                            {"Waiting", true},
                                                            {"No transfer", true},
                                                            {"Exceptions", true},
                                                            {"Bytes", true}});
  for (std::size_t i = 0; i < report.groups.size() && i < kMostRows; ++i) {
    const auto& g = report.groups[i];
    table.row({g.modality.empty() ? "none" : html(g.modality), html(g.year), grouped(g.objects), grouped(g.verified),
               grouped(g.loaded), grouped(g.waiting), grouped(g.no_transfer), grouped(g.exceptions),
               size_text(g.bytes)});
  }
  return section("groups", "Modality and year", std::move(table).str() + cut_note(report.groups.size()));
}

std::string exceptions_section(const Report& report) {
  if (report.exceptions.empty()) return section("exceptions-title", "Exceptions", "<p>There are none.</p>\n");
  std::string body =
      "<p class=\"filter\" id=\"filter\" hidden><label for=\"filter-text\">Filter</label> <input id=\"filter-text\" "
      "type=\"search\"> "
      "<span id=\"filter-count\" class=\"soft\" role=\"status\"></span></p>\n";
  Table table("Objects that did not reach their target state",
              {{"Source"},
               {"Bucket"},
               {"Reason"},
               {"Codes"},
               {"Severity"},
               {"Stage"},
               {"Modality"},
               {"Study date"},
               {"Patient"},
               {"Study"},
               {"Object"}},
              "exceptions");
  for (std::size_t i = 0; i < report.exceptions.size() && i < kMostRows; ++i) {
    const auto& e = report.exceptions[i];
    std::string codes;
    for (const auto& c : e.codes) codes += (codes.empty() ? "" : " ") + html(c);
    std::string source = code(e.path);
    if (!e.member.empty()) source += " member " + code(e.member);
    table.row({source, html(e.bucket), html(e.reason), codes, html(e.severity), html(e.stage), html(e.modality),
               html(e.study_date), code(e.patient), code(e.study), code(e.id)});
  }
  body += std::move(table).str() + cut_note(report.exceptions.size());
  Table codes("Objects by finding", {{"Code"}, {"Worst severity"}, {"Objects", true}});
  for (const auto& [name, n] : report.codes) codes.row({html(name), html(n.severity), grouped(n.findings)});
  if (!report.codes.empty()) body += std::move(codes).str();
  return section("exceptions-title", "Exceptions and findings", body);
}

std::string reconcile_section(const Report& report) {
  std::string body = counts_table("Studies by decision", "Decision", "Studies", report.decisions) +
                     counts_table("Studies by the rule that decided", "Rule", "Studies", report.rules) +
                     counts_table("Vetoes against an automatic decision", "Veto", "Studies", report.vetoes);
  std::map<std::string, std::uint64_t> named;
  for (const auto& [name, n] : report.discrepancies) named[category_name(name)] = n;
  body += counts_table("Discrepancies between images and RIS", "Category", "Studies or exams", named);
  if (!report.edits.empty()) {
    Table table("Corrections decided, by attribute", {{"Attribute"}, {"Studies", true}, {"Instances", true}});
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
             {{"Manifest"}, {"Stage"}, {"Started (UTC)"}, {"State"}, {"Tool"}, {"Run"}, {"Head"}});
  for (const auto& m : report.manifests) {
    runs.row({html(m.name), html(m.header.stage), html(m.header.created),
              m.complete ? "complete" : "<span class=\"bad\">incomplete</span>", html(m.header.tool),
              code(m.header.run), code(m.head)});
  }
  std::string body = std::move(runs).str();
  if (!report.links.empty()) {
    Table links("Links from input to output", {{"Output"}, {"Input"}, {"Head recorded in the output"}, {"State"}});
    for (const auto& l : report.links) {
      const char* state = l.state == Link::State::linked   ? "<span class=\"good\">linked</span>"
                          : l.state == Link::State::broken ? "<span class=\"bad\">broken</span>"
                                                           : "not among the manifests given";
      links.row({html(l.to), html(l.from), code(l.head), state});
    }
    body += std::move(links).str();
  }
  return section("chain", "Chain of custody", body);
}

}  // namespace waybill::report
