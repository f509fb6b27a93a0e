// SPDX-License-Identifier: Apache-2.0
#include "web/multipart.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

namespace waybill::web {

namespace {

constexpr std::size_t kMostHeaders = 16384;  // bytes, of one part
constexpr std::size_t kMostPreamble = 65536;
constexpr std::size_t kLongestBoundary = 70;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The value of a parameter at the start of `text`, quoted or not.
std::string parameter_value(std::string_view text) {
  std::string value;
  if (!text.starts_with('"')) return std::string(trim(text.substr(0, text.find(';'))));
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  return value;
}

}  // namespace

Result<std::string> boundary_of(std::string_view content_type) {
  const Failure bad{Fault::malformed, "the answer is no multipart body with a boundary"};
  const std::string lowered = lower(content_type);
  if (!trim(lowered).starts_with("multipart/")) return bad;
  bool quoted = false;
  for (std::size_t i = 0; i < lowered.size(); ++i) {
    if (lowered[i] == '"') quoted = !quoted;
    if (quoted || lowered[i] != ';') continue;
    std::size_t begin = i + 1;
    while (begin < lowered.size() && (lowered[begin] == ' ' || lowered[begin] == '\t')) ++begin;
    constexpr std::string_view kName = "boundary=";
    if (!std::string_view(lowered).substr(begin).starts_with(kName)) continue;
    std::string boundary = parameter_value(content_type.substr(begin + kName.size()));
    const bool visible = std::ranges::all_of(boundary, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
    if (boundary.empty() || boundary.size() > kLongestBoundary || !visible) return bad;
    return boundary;
  }
  return bad;
}

MultipartReader::MultipartReader(const std::string& boundary, std::uint64_t cap, Part part)
    : delimiter_("\r\n--" + boundary), cap_(cap), part_(std::move(part)), buffer_("\r\n") {}

Result<Done> MultipartReader::take(ByteView bytes) {
  if (state_ == State::epilogue || bytes.empty()) return Done{};
  if (!buffer_.empty()) buffer_.append(as_text(bytes));
  rest_ = buffer_.empty() ? as_text(bytes) : std::string_view(buffer_);
  Result<Done> result = Done{};
  while (result && step(result)) {
  }
  buffer_ = std::string(rest_);
  return result;
}

/// Whether something was understood.
bool MultipartReader::step(Result<Done>& result) {
  switch (state_) {
    case State::preamble: {
      const std::size_t found = rest_.find(delimiter_);
      if (found == std::string_view::npos) {
        if (rest_.size() > kMostPreamble)
          result = Failure{Fault::malformed, "the answer does not begin with its boundary"};
        return false;
      }
      consume(found + delimiter_.size());
      state_ = State::after_delimiter;
      return true;
    }
    case State::after_delimiter: {
      if (rest_.size() < 2) return false;
      if (rest_.starts_with("--")) {
        state_ = State::epilogue;
        return false;
      }
      const std::size_t end = rest_.find("\r\n");  // behind white space, if any
      if (end == std::string_view::npos) {
        if (rest_.size() > kMostHeaders) result = Failure{Fault::malformed, "a delimiter of the answer does not end"};
        return false;
      }
      consume(end);  // the headers may be none: their first CRLF is the last as well
      state_ = State::headers;
      return true;
    }
    case State::headers: {
      const std::size_t end = rest_.find("\r\n\r\n");
      if (end == std::string_view::npos || end > kMostHeaders) {
        if (rest_.size() > kMostHeaders)
          result = Failure{Fault::malformed, "the headers of a part of the answer do not end"};
        return false;
      }
      consume(end + 4);
      state_ = State::body;
      return true;
    }
    case State::body: return take_body(result);
    case State::epilogue: return false;
  }
  return false;
}

/// Bytes at the start of the rest that belong to the body: those before the delimiter, or before what may be the start
/// of one.
std::size_t MultipartReader::size_of_body() const noexcept {
  const void* found = ::memmem(rest_.data(), rest_.size(), delimiter_.data(), delimiter_.size());
  if (found != nullptr) return static_cast<std::size_t>(static_cast<const char*>(found) - rest_.data());
  for (std::size_t size = std::min(rest_.size(), delimiter_.size() - 1); size > 0; --size) {
    if (rest_.ends_with(std::string_view(delimiter_).substr(0, size))) return rest_.size() - size;
  }
  return rest_.size();
}

bool MultipartReader::take_body(Result<Done>& result) {
  if (rest_.empty()) return false;
  const std::size_t count = size_of_body();
  if (size_ + count > cap_) {
    result = Failure{Fault::limit, "a part of the answer is larger than " + std::to_string(cap_) + " bytes"};
    return false;
  }
  const std::span<std::byte> room = memory_.room(std::max(size_ + count, std::min(usual_, io::Scratch::kKept)), size_);
  std::memcpy(room.data() + size_, rest_.data(), count);
  size_ += count;
  consume(count);
  if (!rest_.starts_with(delimiter_)) return false;
  consume(delimiter_.size());
  state_ = State::after_delimiter;
  usual_ = std::exchange(size_, 0);
  part_(std::exchange(memory_, {}), room.first(usual_));
  return true;
}

}  // namespace waybill::web
