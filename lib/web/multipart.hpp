// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/scratch.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace waybill::web {

/// The boundary of a multipart Content-Type (RFC 2046 5.1.1): 1 to 70 characters; Fault::malformed when it is not
/// multipart or has none.
[[nodiscard]] Result<std::string> boundary_of(std::string_view content_type);

/// Reads a multipart body as it arrives, one part in memory at a time.
class MultipartReader {
 public:
  using Part = std::function<void(io::Scratch memory, ByteView body)>;
  /// `part` gets the body of each part and the memory it stands in. A part beyond `cap` bytes is a failure.
  MultipartReader(const std::string& boundary, std::uint64_t cap, Part part);

  /// The next bytes. Fault::malformed for what is no multipart body, Fault::limit for a part too large; then no more of
  /// it may be given.
  [[nodiscard]] Result<Done> take(ByteView bytes);
  /// Whether the closing delimiter was there: without it the last part may be missing.
  [[nodiscard]] bool ended() const noexcept { return state_ == State::epilogue; }

 private:
  enum class State { preamble, after_delimiter, headers, body, epilogue };
  [[nodiscard]] bool step(Result<Done>& result);
  [[nodiscard]] bool take_body(Result<Done>& result);
  [[nodiscard]] std::size_t size_of_body() const noexcept;
  void consume(std::size_t count) { rest_.remove_prefix(count); }

  std::string delimiter_;  // CRLF "--" boundary
  std::uint64_t cap_;
  Part part_;
  State state_ = State::preamble;
  std::string buffer_;     // what has come and is not yet understood
  std::string_view rest_;  // of it and of what has just come
  io::Scratch memory_;     // of the body
  std::size_t size_ = 0;
  std::size_t usual_ = 0;  // bytes of the last body: the next one is mostly like it
};

}  // namespace waybill::web
