// SPDX-License-Identifier: Apache-2.0
#include "ris/pattern.hpp"

#include "core/text.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace waybill::ris {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes `least` to `most` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t n = 0;
  int value = 0;
  while (n < most && n < text.size() && is_digit(text[n])) value = value * 10 + (text[n++] - '0');
  if (n < least) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

}  // namespace

std::optional<Pattern> Pattern::parse(std::string_view text) {
  struct Word {
    std::string_view word;
    Part part;
  };
  static constexpr std::array<Word, 8> kWords = {{{"YYYY", Part::year},
                                                  {"MON", Part::month_name},
                                                  {"MM", Part::month},
                                                  {"DD", Part::day},
                                                  {"hh", Part::hour},
                                                  {"mm", Part::minute},
                                                  {"ss", Part::second},
                                                  {"AM", Part::half}}};
  Pattern out;
  out.text_ = text;
  const auto has = [&](Part part) {
    return std::any_of(out.steps_.begin(), out.steps_.end(), [&](const Step& s) { return s.part == part; });
  };
  while (!text.empty()) {
    const auto word =
        std::find_if(kWords.begin(), kWords.end(), [&](const Word& w) { return text.starts_with(w.word); });
    if (word == kWords.end()) {
      const char c = text.front();
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (is_digit(c) || (letter && c != 'T')) return std::nullopt;
      out.steps_.push_back({Part::literal, c});
      text.remove_prefix(1);
      continue;
    }
    if (has(word->part)) return std::nullopt;
    out.steps_.push_back({word->part, 0});
    text.remove_prefix(word->word.size());
  }
  if (has(Part::month) && has(Part::month_name)) return std::nullopt;
  out.date_ = has(Part::year) && has(Part::day) && (has(Part::month) || has(Part::month_name));
  out.time_ = has(Part::hour) && has(Part::minute);
  const bool half_a_date = has(Part::year) || has(Part::day) || has(Part::month) || has(Part::month_name);
  if ((!out.date_ && half_a_date) || (!out.date_ && !out.time_)) return std::nullopt;
  return out;
}

std::optional<Pattern::Moment> Pattern::read(std::string_view value) const {
  value = trim(value);
  Moment m;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const bool number_follows = i + 1 < steps_.size() && steps_[i + 1].part != Part::literal &&
                                steps_[i + 1].part != Part::month_name && steps_[i + 1].part != Part::half;
    const std::size_t least = number_follows ? 2 : 1;
    const auto number = [&](int& into, std::size_t from, std::size_t to) {
      const auto n = take_number(value, from, to);
      if (n) into = *n;
      return n.has_value();
    };
    switch (steps_[i].part) {
      case Part::literal:
        if (value.empty() || value.front() != steps_[i].sign) return std::nullopt;
        value.remove_prefix(1);
        break;
      case Part::month_name: {
        const std::string name = match::id_key(value.substr(0, 3));
        const auto at = std::find(kMonths.begin(), kMonths.end(), name);
        if (at == kMonths.end()) return std::nullopt;
        m.month = static_cast<int>(at - kMonths.begin()) + 1;
        value.remove_prefix(3);
        break;
      }
      case Part::half: {
        const std::string word = match::id_key(value.substr(0, std::min<std::size_t>(2, value.size())));
        if (word != "AM" && word != "PM") return std::nullopt;
        m.half = true;
        m.afternoon = word == "PM";
        value.remove_prefix(2);
        break;
      }
      case Part::year:
        if (!number(m.year, 4, 4)) return std::nullopt;
        break;
      case Part::month:
        if (!number(m.month, least, 2)) return std::nullopt;
        break;
      case Part::day:
        if (!number(m.day, least, 2)) return std::nullopt;
        break;
      case Part::hour:
        if (!number(m.hour, least, 2)) return std::nullopt;
        break;
      case Part::minute:
        if (!number(m.minute, least, 2)) return std::nullopt;
        break;
      case Part::second:
        if (!number(m.second, least, 2)) return std::nullopt;
        break;
    }
  }
  if (!value.empty() && std::string_view(" T.").find(value.front()) == std::string_view::npos) return std::nullopt;
  if (m.half && (m.hour < 1 || m.hour > 12)) return std::nullopt;
  if (m.half) m.hour = m.hour % 12 + (m.afternoon ? 12 : 0);
  return m;
}

std::optional<std::string> Pattern::date(std::string_view value) const {
  const auto m = date_ ? read(value) : std::nullopt;
  if (!m) return std::nullopt;
  char text[40];
  std::snprintf(text, sizeof text, "%04d%02d%02d", m->year, m->month, m->day);
  return match::day_number(text) ? std::optional<std::string>(text) : std::nullopt;
}

std::optional<std::string> Pattern::time(std::string_view value) const {
  const auto m = time_ ? read(value) : std::nullopt;
  if (!m || m->hour > 23 || m->minute > 59 || m->second > 60) return std::nullopt;
  char text[40];
  std::snprintf(text, sizeof text, "%02d%02d%02d", m->hour, m->minute, m->second);
  return text;
}

std::optional<Pattern> Pattern::turned() const {
  Pattern out = *this;
  const auto of = [&](Part part) {
    return std::find_if(out.steps_.begin(), out.steps_.end(), [&](const Step& s) { return s.part == part; });
  };
  const auto day = of(Part::day), month = of(Part::month);
  if (day == out.steps_.end() || month == out.steps_.end()) return std::nullopt;
  std::swap(day->part, month->part);
  out.text_.clear();
  for (const Step& s : out.steps_) {
    switch (s.part) {
      case Part::literal: out.text_ += s.sign; break;
      case Part::year: out.text_ += "YYYY"; break;
      case Part::month: out.text_ += "MM"; break;
      case Part::day: out.text_ += "DD"; break;
      case Part::month_name: out.text_ += "MON"; break;
      case Part::hour: out.text_ += "hh"; break;
      case Part::minute: out.text_ += "mm"; break;
      case Part::second: out.text_ += "ss"; break;
      case Part::half: out.text_ += "AM"; break;
    }
  }
  return out;
}

}  // namespace waybill::ris
