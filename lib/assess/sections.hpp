// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/assess.hpp"

#include <string>
#include <vector>

/// An assessment in the form in which people read it, before it becomes text or HTML.
namespace waybill::assess {

/// A text that is `long_text` stands on a line of its own on a terminal.
enum class Shape { text, number, long_text };
struct Column {
  std::string title;
  Shape shape = Shape::text;
};
struct Table {
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};
struct Section {
  std::string id, title;
  std::vector<std::string> sentences;
  std::vector<Table> tables;
};

/// All sections, in their order. Texts of the manifest stand in them as they are: hostile until escaped.
[[nodiscard]] std::vector<Section> sections_of(const Assessment& assessment);

// What there is.
[[nodiscard]] Section volume_section(const Assessment& assessment);
[[nodiscard]] Section year_section(const Assessment& assessment);
[[nodiscard]] Section kind_section(const Assessment& assessment);
[[nodiscard]] Section finding_section(const Assessment& assessment);
// What it takes.
[[nodiscard]] Section count_section(const Assessment& assessment);
[[nodiscard]] Section forecast_section(const Assessment& assessment);
[[nodiscard]] Section space_section(const Assessment& assessment);
[[nodiscard]] Section matching_section(const Assessment& assessment);
[[nodiscard]] Section pilot_section(const Assessment& assessment);

/// "3 d 4 h", "2 h 5 min", "40 s"; "unknown".
[[nodiscard]] std::string time_text(const std::optional<double>& seconds);

}  // namespace waybill::assess
