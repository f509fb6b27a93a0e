// SPDX-License-Identifier: Apache-2.0
#include "page/page.hpp"

#include "assess/sections.hpp"
#include "core/version.hpp"
#include "page/escape.hpp"
#include "page/page.hpp"

#include <algorithm>

namespace waybill::assess {
namespace {

constexpr std::size_t kRowsOfText = 40, kRowsOfPage = 2000;

/// Columns on a terminal, by code points.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

void append_cell(std::string& line, std::string_view cell, std::size_t width, bool number) {
  const std::string pad(width - std::min(width, width_of(cell)), ' ');
  line += number ? pad + std::string(cell) : std::string(cell) + pad;
}

std::string table_text(const Table& table) {
  if (table.rows.empty()) return {};
  const auto is_long = [&](std::size_t c) { return table.columns[c].shape == Shape::long_text; };
  std::vector<std::size_t> widths(table.columns.size());
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < std::min(kRowsOfText, table.rows.size()); ++i) {
    rows.emplace_back();
    for (const auto& cell : table.rows[i]) rows.back().push_back(page::shown(cell));
  }
  for (std::size_t c = 0; c < widths.size(); ++c) {
    widths[c] = width_of(table.columns[c].title);
    for (const auto& row : rows)
      if (!is_long(c)) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  std::string out = "\n" + table.caption + "\n";
  const auto line_of = [&](const auto& cell_of) {
    std::string line = " ";
    for (std::size_t c = 0; c < widths.size(); ++c) {
      if (is_long(c)) continue;
      line += " ";
      append_cell(line, cell_of(c), widths[c], table.columns[c].shape == Shape::number);
      line += " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  };
  out += line_of([&](std::size_t c) { return std::string_view(table.columns[c].title); });
  for (const auto& row : rows) {
    out += line_of([&](std::size_t c) { return std::string_view(row[c]); });
    for (std::size_t c = 0; c < widths.size(); ++c)
      if (is_long(c) && !row[c].empty() && row[c] != "nothing")
        out += "      " + table.columns[c].title + ": " + row[c] + "\n";
  }
  if (table.rows.size() > rows.size())
    out += "  and " + page::grouped(table.rows.size() - rows.size()) + " more rows: --json has all\n";
  return out;
}

std::string table_html(const Table& table) {
  if (table.rows.empty()) return {};
  const auto kind = [&](std::size_t c) {
    const Shape shape = table.columns[c].shape;
    return shape == Shape::number ? " class=\"n\"" : shape == Shape::long_text ? " class=\"w\"" : "";
  };
  const std::string caption = page::html(table.caption);
  std::string out = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + caption +
                    "\"><table><caption><span>" + caption + "</span></caption><thead><tr>";
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    out += std::string("<th scope=\"col\"") + kind(c) + ">" + page::html(table.columns[c].title) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(kRowsOfPage, table.rows.size()); ++i) {
    out += "<tr>";
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      out += (c == 0 ? std::string("<th scope=\"row\"") : std::string("<td")) + kind(c) + ">" +
             page::html(table.rows[i][c]) + (c == 0 ? "</th>" : "</td>");
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (table.rows.size() > kRowsOfPage)
    out += "<p>" + page::grouped(table.rows.size() - kRowsOfPage) + " more rows are in the JSON.</p>\n";
  return out;
}

}  // namespace

std::string to_text(const Assessment& assessment) {
  std::string out;
  for (const Section& section : sections_of(assessment)) {
    out += (out.empty() ? "" : "\n") + section.title + "\n" + std::string(section.title.size(), '=') + "\n";
    for (const auto& sentence : section.sentences) out += page::shown(sentence) + "\n";
    for (const Table& table : section.tables) out += table_text(table);
  }
  return out;
}

std::string to_html(const Assessment& assessment) {
  const Source& scan = assessment.manifests.front();
  const page::Frame frame{"Assessment of an archive", "Skip to the figures", "", ""};
  std::string out = page::opening(frame);
  out += "<header><h1>Assessment of an archive</h1>\n<p class=\"soft\">By " + page::html(kToolName) + " from " +
         page::html(scan.name) + ", scanned " + page::time_text(scan.created) + ", head <code>" +
         page::html(scan.head) + "</code>.</p></header>\n<main id=\"main\">\n";
  for (const Section& section : sections_of(assessment)) {
    out += "<section aria-labelledby=\"" + section.id + "\"><h2 id=\"" + section.id + "\">" +
           page::html(section.title) + "</h2>\n";
    for (const auto& sentence : section.sentences) out += "<p>" + page::html(sentence) + "</p>\n";
    for (const Table& table : section.tables) out += table_html(table);
    out += "</section>\n";
  }
  return out + "</main>\n<footer><p>No patient is named here.</p></footer>\n" + page::closing(frame);
}

}  // namespace waybill::assess
