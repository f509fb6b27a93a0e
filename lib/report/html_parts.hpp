// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// What the sections of the HTML report are built of. All markup comes from here or from page/; every text passes
/// page::html() on its way in.
namespace waybill::report {

inline constexpr std::size_t kMostRows = 5000;  ///< of a table of the page; CSV and JSON hold all

enum class Kind { text, number, wide };  ///< wide: long text that needs room to stay readable
struct TableColumn {
  std::string_view title;
  Kind kind = Kind::text;
};

/// One table with caption and scoped headers. Cells come in as markup, so every text passes html() on the way.
class Table {
 public:
  Table(std::string_view caption, std::initializer_list<TableColumn> columns, std::string_view id = {});
  Table(std::string_view caption, std::vector<TableColumn> columns, std::string_view id = {});
  void row(const std::vector<std::string>& cells);
  [[nodiscard]] std::string str() && { return std::move(out_) + "</tbody></table></div>\n"; }

 private:
  std::vector<TableColumn> columns_;
  std::string out_;
};

inline constexpr std::string_view kGreen = "#1b6e3c", kPaleGreen = "#4c9a6c", kBlue = "#1f5f99", kGrey = "#6b7885",
                                  kAmber = "#a35a00";

[[nodiscard]] std::string code(std::string_view text);
[[nodiscard]] std::string svg_number(double number);
/// A bar of an SVG of height 12.
[[nodiscard]] std::string rect(double x, double width, std::string_view colour);
/// The share in words with a bar under it; the bar says nothing that the words do not.
[[nodiscard]] std::string share(std::uint64_t part, std::uint64_t whole, std::string_view colour);
/// A number; zeros are pale, so that the others stand out.
[[nodiscard]] std::string count_cell(std::uint64_t n);
[[nodiscard]] std::string bad_cell(std::uint64_t n);
[[nodiscard]] std::string section(std::string_view id, std::string_view title, const std::string& body);
[[nodiscard]] std::string cut_note(std::size_t all);

}  // namespace waybill::report
