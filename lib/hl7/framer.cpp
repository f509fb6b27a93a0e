// SPDX-License-Identifier: Apache-2.0
#include "hl7/framer.hpp"

#include "hl7/scan_bytes.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace waybill::hl7 {
namespace {

constexpr char kFrameBegin = 0x0B, kFrameEnd = 0x1C;
constexpr std::size_t kMostIndented = 40, kLookAhead = kMostIndented + 8;  // then name and separator of a segment
constexpr std::size_t kShown = 64;

bool blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\f' || c == kFrameBegin || c == '\0'; }
bool is_line_end(char c) noexcept { return c == '\r' || c == '\n'; }

/// The kind of piece that begins with this name, if one does.
std::optional<PieceKind> begins(std::string_view line) noexcept {
  if (line.size() < 3) return std::nullopt;
  std::array<char, 3> upper{};
  std::transform(line.begin(), line.begin() + 3, upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string_view name(upper.data(), upper.size());
  if (line.size() > 3 && (std::isalnum(static_cast<unsigned char>(line[3])) != 0 || line[3] == ' '))
    return std::nullopt;
  if (name == "MSH") return PieceKind::message;
  if (name == "FHS") return PieceKind::file_header;
  if (name == "BHS") return PieceKind::batch_header;
  if (name == "BTS") return PieceKind::batch_trailer;
  if (name == "FTS") return PieceKind::file_trailer;
  return std::nullopt;
}

/// Length of indentation and byte order marks before a segment name.
std::size_t indentation(std::string_view line) noexcept {
  std::size_t n = 0;
  while (n < line.size() && n < kMostIndented) {
    const bool mark = line.substr(n).starts_with("\xEF\xBB\xBF");
    if (!mark && !blank(line[n])) break;
    n += mark ? 3 : 1;
  }
  return n;
}

bool says_something(std::string_view bytes) noexcept {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u > 0x20 && u != 0x7F;
  });
}

}  // namespace

void Framer::close(std::string_view text, std::size_t end, Ending ending) {
  if (start_ == kNone) return;
  std::string_view bytes = text.substr(start_, end - start_);
  if (ending == Ending::open && in_frame_) {
    const std::size_t body = bytes.find_last_not_of(kFrameBegin);
    ending = body != std::string_view::npos && is_line_end(bytes[body]) ? Ending::unframed : Ending::cut;
  }
  const Piece piece{kind_, bytes, base_ + start_, ending};
  const bool dropped = dropping_;
  start_ = kNone;
  dropping_ = false;
  if (dropped || (piece.kind == PieceKind::stray && !says_something(bytes.substr(0, 4096)))) return;
  if (bytes.size() > largest_)
    sink_({PieceKind::oversize, bytes.substr(0, kShown), piece.offset, ending});
  else
    sink_(piece);
}

/// Looks at the line that begins at line_; false when more bytes are needed to tell.
bool Framer::classify(std::string_view text, bool last) {
  std::string_view line = text.substr(line_);
  if (!last && line.size() < kLookAhead) return false;
  const std::size_t indent = indentation(line);
  const auto kind = begins(line.substr(std::min(indent, line.size())));
  if (kind) {
    close(text, line_, Ending::open);
    in_frame_ = behind_begin_ || line.substr(0, indent).find(kFrameBegin) != std::string_view::npos;
    start_ = line_ + indent;
    kind_ = *kind;
  } else if (start_ == kNone && !line.empty()) {
    start_ = line_;
    kind_ = PieceKind::stray;
    in_frame_ = false;
  }
  if (!line.empty() && !is_line_end(line[0])) behind_begin_ = false;
  at_line_ = false;
  scan_ = std::max(scan_, kind ? start_ : line_);
  return true;
}

void Framer::process(std::string_view text, bool last) {
  if (at_line_ && !classify(text, last)) return;
  bool waiting = false;
  for_each_of(text, scan_, '\r', '\n', kFrameBegin, kFrameEnd, [&](std::size_t at) {
    if (at < scan_) return true;
    scan_ = at;
    if (text[at] == kFrameEnd) {
      if (at + 1 == text.size() && !last) return !(waiting = true);
      const char next = at + 1 < text.size() ? text[at + 1] : '\r';
      const bool at_line = at > 0 && start_ != kNone && at > start_ && is_line_end(text[at - 1]);
      if (!is_line_end(next) && next != kFrameBegin && !at_line) {  // a byte of the text
        ++scan_;
        return true;
      }
      close(text, at, Ending::framed);
    }
    if (text[at] == kFrameBegin) behind_begin_ = true;
    scan_ = line_ = at + 1;
    at_line_ = true;
    if (classify(text, last)) return true;
    return !(waiting = true);
  });
  if (!waiting) scan_ = text.size();
}

void Framer::keep(std::string_view text) {
  if (start_ != kNone && scan_ - start_ > largest_) {
    if (!dropping_) sink_({PieceKind::oversize, text.substr(start_, kShown), base_ + start_, Ending::open});
    dropping_ = true;
    start_ = scan_;
  }
  const std::size_t used = std::min(start_ == kNone ? scan_ : start_, at_line_ ? line_ : scan_);
  if (text.data() == pending_.data())
    pending_.erase(0, used);
  else
    pending_.assign(text.substr(used));
  base_ += used;
  scan_ -= used;
  line_ = line_ > used ? line_ - used : 0;
  if (start_ != kNone) start_ -= used;
}

void Framer::feed(std::string_view chunk) {
  if (pending_.empty()) {
    process(chunk, false);
    keep(chunk);
  } else {
    pending_ += chunk;
    process(pending_, false);
    keep(pending_);
  }
}

void Framer::finish(bool damaged) {
  process(pending_, true);
  close(pending_, pending_.size(), damaged ? Ending::cut : Ending::open);
  pending_.clear();
  base_ = 0;
  start_ = kNone;
  line_ = scan_ = 0;
  at_line_ = true;
  dropping_ = behind_begin_ = in_frame_ = false;
}

}  // namespace waybill::hl7
