// SPDX-License-Identifier: Apache-2.0
#include "hl7/message.hpp"

#include "core/text.hpp"
#include "hl7/escape.hpp"
#include "hl7/scan_bytes.hpp"

#include <algorithm>
#include <limits>

namespace waybill::hl7 {
namespace {

bool is_letter(char c) noexcept { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_line_end(char c) noexcept { return c == '\r' || c == '\n'; }

/// Whether a segment begins at `at`: a letter, two letters or digits, then a separator or the end of the line.
bool begins_segment(std::string_view text, std::size_t at, char separator) noexcept {
  if (at + 3 > text.size() || !is_letter(text[at])) return false;
  for (std::size_t i = at + 1; i < at + 3; ++i)
    if (!is_letter(text[i]) && (text[i] < '0' || text[i] > '9')) return false;
  return at + 3 == text.size() || text[at + 3] == separator || is_line_end(text[at + 3]);
}

/// Where the line behind `at` (a line end) begins, blank lines and indentation left out.
std::size_t next_line(std::string_view text, std::size_t at) noexcept {
  const auto between = [](char c) {
    return is_line_end(c) || c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\0';
  };
  while (at < text.size() && between(text[at])) ++at;
  return at;
}

/// The first line of a component without blanks and control characters at its ends: what is a value never goes on in a
/// further line, but the last field of a segment may be followed by lines that are none (comments, trailers).
std::string_view first_line(std::string_view text) noexcept {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  text = text.substr(0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_line_end) - text.begin()));
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

std::string_view part(std::string_view text, char separator, std::size_t n) noexcept {
  if (separator == '\0') return n == 1 ? text : std::string_view();
  for (; n > 1; --n) {
    const std::size_t at = text.find(separator);
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at + 1);
  }
  return text.substr(0, text.find(separator));
}

std::vector<std::string_view> parts(std::string_view text, char separator) {
  if (separator == '\0') return {text};
  return split(text, separator);
}

void Message::end_segment(std::size_t end) {
  Segment& last = segments_.back();
  marks_.push_back(static_cast<std::uint32_t>(end));
  last.marks = static_cast<std::uint32_t>(marks_.size()) - last.first_mark;
}

Result<Done> Message::parse(std::string_view text) {
  segments_.clear();
  marks_.clear();
  text_ = text;
  charset_ = "UTF-8";
  if (text.size() >= std::numeric_limits<std::uint32_t>::max())
    return Failure{Fault::limit, "the message has 4 GiB or more"};
  if (text.size() < 3 || upper(text[0]) != 'M' || upper(text[1]) != 'S' || upper(text[2]) != 'H')
    return Failure{Fault::malformed, "the message does not begin with MSH"};
  auto delimiters = read_delimiters(text);
  if (!delimiters) return delimiters.error();
  delimiters_ = *delimiters;
  const char separator = delimiters_.field;
  std::size_t line = 0;  // where the segment begins whose separators are being collected
  bool open = true;
  add_segment(0);
  for_each_of(text, 3, separator, '\r', '\n', '\n', [&](std::size_t at) {
    if (at < line) return true;
    if (text[at] == separator) {
      marks_.push_back(static_cast<std::uint32_t>(at));
      return true;
    }
    const std::size_t next = next_line(text, at);
    if (next < text.size() && !begins_segment(text, next, separator)) return true;  // the field goes on
    end_segment(at);
    line = next;
    open = next < text.size();
    if (open) add_segment(next);
    return open;
  });
  if (open) end_segment(text.size());
  return Done{};
}

std::optional<std::size_t> Message::find(std::string_view wanted, std::size_t from) const noexcept {
  if (wanted.size() != 3) return std::nullopt;
  const std::uint32_t code = name_code(wanted);
  for (std::size_t i = from; i < segments_.size(); ++i)
    if (segments_[i].name == code) return i;
  return std::nullopt;
}

std::string_view Message::field(std::size_t segment, std::size_t n) const noexcept {
  const Segment& s = segments_[segment];
  if (is(segment, "MSH")) {
    if (n == 1) return text_.substr(s.begin + 3, 1);
    --n;  // MSH-1 is the separator itself
  }
  if (n == 0 || n >= s.marks) return {};
  const std::size_t begin = marks_[s.first_mark + n - 1] + 1, end = marks_[s.first_mark + n];
  return text_.substr(begin, end - begin);
}

std::string_view Message::field(std::string_view segment, std::size_t n) const noexcept {
  const auto at = find(segment);
  return at ? field(*at, n) : std::string_view();
}

std::string_view Message::value(std::string_view component, std::string& room) const {
  component = first_line(component);
  if (is_null(component)) return {};
  if (component.find(delimiters_.escape) == std::string_view::npos) return component;
  room = unescape(component, delimiters_, charset_);
  return trim(room);
}

std::string Message::value(std::string_view component) const {
  std::string room;
  return std::string(value(component, room));
}

Type type_of(const Message& m) {
  const std::string_view field = m.field(std::size_t{0}, 9);
  Type type{m.value(m.component(field, 1)), m.value(m.component(field, 2))};
  const std::size_t joint = type.code.find('_');
  if (joint != std::string::npos) {
    if (type.trigger.empty()) type.trigger = type.code.substr(joint + 1);
    type.code.resize(joint);
  }
  if (type.trigger.empty()) type.trigger = m.value(m.component(m.field("EVN", 1), 1));
  for (std::string* word : {&type.code, &type.trigger})
    std::transform(word->begin(), word->end(), word->begin(), upper);
  return type;
}

bool holds_written_line_ends(const Message& message) {
  if (message.size() != 1) return false;
  const std::string_view text = message.text();
  for (const std::string_view name : {"EVN", "PID", "MSA"}) {
    const std::size_t at = text.find(std::string(name) + message.delimiters().field);
    if (at != std::string_view::npos && std::string_view("rn;> \\").find(text[at - 1]) != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace waybill::hl7
