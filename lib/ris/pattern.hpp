// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::ris {

/// How an export writes a date or a time: "DD.MM.YYYY", "YYYY-MM-DD hh:mm:ss", "MON DD YYYY hh:mmAM". YYYY are four
/// digits, MM DD hh mm ss one or two (two where no separator follows), MON the first three letters of an English month,
/// AM stands for AM or PM; everything else stands for itself. Two digits for a year are not offered: they do not tell a
/// child from a centenarian.
class Pattern {
 public:
  /// nullopt when the text is no pattern: neither a whole date nor hours and minutes, or a part twice.
  [[nodiscard]] static std::optional<Pattern> parse(std::string_view text);

  [[nodiscard]] bool has_date() const noexcept { return date_; }
  [[nodiscard]] bool has_time() const noexcept { return time_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// YYYYMMDD of a value; nullopt when it does not fit or is no day of the calendar. What follows behind a blank, a T
  /// or a dot is left out.
  [[nodiscard]] std::optional<std::string> date(std::string_view value) const;
  /// HHMMSS of a value.
  [[nodiscard]] std::optional<std::string> time(std::string_view value) const;
  /// The pattern with days and months exchanged; nullopt without both of them.
  [[nodiscard]] std::optional<Pattern> turned() const;

  bool operator==(const Pattern& other) const { return text_ == other.text_; }

 private:
  enum class Part { literal, year, month, day, month_name, hour, minute, second, half };
  struct Step {
    Part part = Part::literal;
    char sign = 0;
  };
  struct Moment {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    bool afternoon = false, half = false;
  };
  [[nodiscard]] std::optional<Moment> read(std::string_view value) const;

  std::string text_;
  std::vector<Step> steps_;
  bool date_ = false, time_ = false;
};

}  // namespace waybill::ris
