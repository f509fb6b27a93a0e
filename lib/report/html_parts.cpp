// SPDX-License-Identifier: Apache-2.0
#include "report/html_parts.hpp"

#include "page/escape.hpp"

#include <algorithm>
#include <cstdio>

namespace waybill::report {

using page::grouped;
using page::html;
using page::percent;

namespace {

const char* class_of(Kind kind) {
  return kind == Kind::number ? " class=\"n\"" : kind == Kind::wide ? " class=\"w\"" : "";
}

}  // namespace

Table::Table(std::string_view caption, std::initializer_list<TableColumn> columns, std::string_view id)
    : Table(caption, std::vector<TableColumn>(columns), id) {}

Table::Table(std::string_view caption, std::vector<TableColumn> columns, std::string_view id)
    : columns_(std::move(columns)) {
  out_ = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + html(caption) + "\"><table";
  if (!id.empty()) out_ += " id=\"" + std::string(id) + "\"";
  out_ += "><caption><span>" + html(caption) + "</span></caption><thead><tr>";
  for (const auto& c : columns_) {
    out_ += std::string("<th scope=\"col\"") + class_of(c.kind) + ">" + html(c.title) + "</th>";
  }
  out_ += "</tr></thead><tbody>\n";
}

void Table::row(const std::vector<std::string>& cells) {
  out_ += "<tr>";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out_ += i == 0 ? "<th scope=\"row\"" : "<td";
    out_ += class_of(columns_[i].kind);
    out_ += ">" + cells[i] + (i == 0 ? "</th>" : "</td>");
  }
  out_ += "</tr>\n";
}

std::string code(std::string_view text) { return text.empty() ? std::string() : "<code>" + html(text) + "</code>"; }

std::string svg_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", number);
  return text;
}

std::string rect(double x, double width, std::string_view colour) {
  return "<rect x=\"" + svg_number(x) + "\" width=\"" + svg_number(width) + "\" height=\"12\" fill=\"" +
         std::string(colour) + "\"/>";
}

std::string share(std::uint64_t part, std::uint64_t whole, std::string_view colour) {
  const double portion = whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  const double width = part == 0 ? 0.0 : std::max(1.0, portion * 96.0);
  return percent(part, whole) +
         "<svg class=\"bar\" width=\"96\" height=\"6\" viewBox=\"0 0 96 12\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\">" +
         rect(0, 96, "#e6ebf0") + rect(0, width, colour) + "</svg>";
}

std::string count_cell(std::uint64_t n) { return n == 0 ? "<span class=\"soft\">0</span>" : grouped(n); }

std::string bad_cell(std::uint64_t n) {
  return n == 0 ? count_cell(n) : "<span class=\"bad\">" + grouped(n) + "</span>";
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

}  // namespace waybill::report
