// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "hl7/delimiters.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// HL7 version 2 as hospitals write it: messages from files of every shape, and what they say of patients and orders.
namespace waybill::hl7 {

/// The part of `text` between separators, counted from 1; empty when there is none. With separator '\0' the whole text
/// is part 1.
[[nodiscard]] std::string_view part(std::string_view text, char separator, std::size_t n) noexcept;

/// All parts in order, "" for an empty text.
[[nodiscard]] std::vector<std::string_view> parts(std::string_view text, char separator);

/// Whether the field says "delete what you have" (two quotation marks); an empty one says nothing at all.
[[nodiscard]] inline bool is_null(std::string_view field) noexcept { return field == "\"\""; }

/// One message, split into segments and fields without a copy. The text must outlive it; parse() may be called again
/// and again and keeps its memory. Segments are numbered from 0, fields as HL7 numbers them. Single-threaded.
class Message {
 public:
  /// Splits UTF-8 text that begins with MSH, in upper or lower case. Lines end with CR, LF or CRLF; a line that begins
  /// with no segment name belongs to the field before it. Fault::malformed for an unusable MSH, Fault::limit for 4 GiB
  /// and more.
  [[nodiscard]] Result<Done> parse(std::string_view text);

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] const Delimiters& delimiters() const noexcept { return delimiters_; }
  [[nodiscard]] std::size_t size() const noexcept { return segments_.size(); }

  /// The three letters as they stand there; is() does not mind case.
  [[nodiscard]] std::string_view name(std::size_t segment) const noexcept {
    return text_.substr(segments_[segment].begin, 3);
  }
  [[nodiscard]] bool is(std::size_t segment, std::string_view name) const noexcept {
    return name.size() == 3 && segments_[segment].name == name_code(name);
  }
  /// The first segment of that name at or behind `from`.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name, std::size_t from = 0) const noexcept;

  /// A whole field as it stands in the message, empty when the segment is shorter. MSH-1 is the separator.
  [[nodiscard]] std::string_view field(std::size_t segment, std::size_t n) const noexcept;
  /// The same of the first segment of that name.
  [[nodiscard]] std::string_view field(std::string_view segment, std::size_t n) const noexcept;

  [[nodiscard]] std::string_view component(std::string_view field, std::size_t n) const noexcept {
    return part(field, delimiters_.component, n);
  }
  [[nodiscard]] std::string_view subcomponent(std::string_view component, std::size_t n) const noexcept {
    return part(component, delimiters_.subcomponent, n);
  }
  [[nodiscard]] std::vector<std::string_view> repetitions(std::string_view field) const {
    return parts(field, delimiters_.repetition);
  }

  /// A component as text: its first line, escapes resolved, blanks at both ends off, the null value as nothing.
  [[nodiscard]] std::string value(std::string_view component) const;
  /// The same without a copy where nothing is escaped; `room` holds it otherwise. Lives as long as both.
  [[nodiscard]] std::string_view value(std::string_view component, std::string& room) const;

  /// The character set (iconv's name) that bytes given as \Xhh\ are in.
  void set_charset(std::string charset) { charset_ = std::move(charset); }

 private:
  struct Segment {
    std::uint32_t begin, first_mark, marks;  ///< marks: its separators and its end
    std::uint32_t name;                      ///< name_code() of its three letters
  };
  /// Three letters in upper case as one number.
  [[nodiscard]] static constexpr std::uint32_t name_code(std::string_view name) noexcept {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const char c = name[i];
      code = code << 8U | static_cast<unsigned char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return code;
  }
  void add_segment(std::size_t begin) {
    segments_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(marks_.size()), 0,
                         name_code(text_.substr(begin, 3))});
  }
  void end_segment(std::size_t end);

  std::string_view text_;
  Delimiters delimiters_;
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> marks_;
  std::string charset_ = "UTF-8";
};

/// Message code and trigger event in upper case: MSH-9.1 and 9.2 ("ADT", "A40"), also written ADT_A40; without a
/// trigger there, that of EVN-1.
struct Type {
  std::string code, trigger;
};
[[nodiscard]] Type type_of(const Message& message);

/// Whether the MSH segment is all there is and other segments stand within it, behind "\r", "&#13;", "<CR>" or a blank.
[[nodiscard]] bool holds_written_line_ends(const Message& message);
inline constexpr const char* kWrittenLineEnds =
    "the message is one line: its line ends are written as text, as in a log; send or export it with CR";

}  // namespace waybill::hl7
