// SPDX-License-Identifier: Apache-2.0
#include "report/html_tables.hpp"

#include "page/escape.hpp"
#include "report/html_parts.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace waybill::report {

using page::grouped;
using page::html;

namespace {

constexpr std::size_t kMostYears = 12;

std::string counts_table(std::string_view caption, std::string_view what, std::string_view unit,
                         const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return {};
  Table table(caption, {{what}, {unit, Kind::number}});
  for (const auto& [name, n] : counts) table.row({html(name), grouped(n)});
  return std::move(table).str();
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

/// A row of bars, one a year, tallest for the largest; the numbers stand in the cells beside it.
std::string sparkline(const std::vector<std::uint64_t>& counts) {
  std::uint64_t most = 1;
  for (const std::uint64_t n : counts) most = std::max(most, n);
  const auto width = 8.0 * static_cast<double>(counts.size());
  std::string out = "<svg class=\"spark\" width=\"" + svg_number(width) + "\" height=\"20\" viewBox=\"0 0 " +
                    svg_number(width) + " 20\" aria-hidden=\"true\">";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double height =
        counts[i] == 0 ? 0.5 : std::max(1.0, 20.0 * static_cast<double>(counts[i]) / static_cast<double>(most));
    out += "<rect x=\"" + svg_number(8.0 * static_cast<double>(i)) + "\" y=\"" + svg_number(20.0 - height) +
           "\" width=\"7\" height=\"" + svg_number(height) + "\" fill=\"" + std::string(kBlue) + "\"/>";
  }
  return out + "</svg>";
}

/// Discrepancies by the year of the study: whether a kind of error comes from one time or goes on.
std::string trends_table(const Report& report) {
  std::set<std::string> all;
  for (const auto& [code, years] : report.trends) {
    for (const auto& [year, n] : years) all.insert(year);
  }
  if (all.empty()) return {};
  std::vector<std::string> years(all.begin(), all.end());
  const bool cut = years.size() > kMostYears;
  if (cut) years.erase(years.begin(), years.end() - static_cast<std::ptrdiff_t>(kMostYears));
  std::vector<TableColumn> columns{{"Category"}, {"Trend"}};
  if (cut) columns.push_back({"Before", Kind::number});
  for (const auto& year : years) columns.push_back({year, Kind::number});
  Table table("Discrepancies by year of the study or exam", columns);
  for (const auto& [code, counts] : report.trends) {
    std::vector<std::uint64_t> shown;
    std::uint64_t before = 0;
    for (const auto& [year, n] : counts) before += year < years.front() ? n : 0;
    shown.reserve(years.size());
    for (const auto& year : years) shown.push_back(counts.contains(year) ? counts.at(year) : 0);
    std::vector<std::string> cells{html(category_name(code)), sparkline(shown)};
    if (cut) cells.push_back(count_cell(before));
    for (const std::uint64_t n : shown) cells.push_back(count_cell(n));
    table.row(cells);
  }
  return std::move(table).str();
}

/// The same by run, when reconcile ran more than once: what was settled in between.
std::string runs_table(const Report& report) {
  if (report.by_run.size() < 2) return {};
  std::vector<TableColumn> columns{{"Category"}};
  for (const auto& [name, counts] : report.by_run) columns.push_back({name, Kind::number});
  Table table("Discrepancies by run of reconcile", columns);
  for (const auto& [code, total] : report.discrepancies) {
    std::vector<std::string> cells{html(category_name(code))};
    for (const auto& [name, counts] : report.by_run)
      cells.push_back(count_cell(counts.contains(code) ? counts.at(code) : 0));
    table.row(cells);
  }
  return std::move(table).str();
}

}  // namespace

std::string reconcile_section(const Report& report) {
  std::string body = counts_table("Studies by decision", "Decision", "Studies", report.decisions) +
                     counts_table("Studies by the rule that decided", "Rule", "Studies", report.rules) +
                     counts_table("Vetoes against an automatic decision", "Veto", "Studies", report.vetoes);
  std::map<std::string, std::uint64_t> named;
  for (const auto& [name, n] : report.discrepancies) named[category_name(name)] = n;
  body += counts_table("Discrepancies between images and RIS", "Category", "Studies or exams", named);
  body += trends_table(report) + runs_table(report);
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

}  // namespace waybill::report
