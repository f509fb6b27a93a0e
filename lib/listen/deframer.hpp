// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::listen {

enum class FrameKind {
  whole,    ///< 0x0B content 0x1C 0x0D
  stray,    ///< bytes outside any frame
  unended,  ///< a frame that never ended: the next one began, or the stream ended
  oversize  ///< a frame above the limit; only its first bytes are kept
};

struct Frame {
  FrameKind kind = FrameKind::whole;
  std::string bytes;       ///< the content; of oversize and stray its first bytes
  std::uint64_t size = 0;  ///< bytes of the content
};

/// Cuts what one MLLP connection brings into frames. Unlike hl7::Framer, which makes the best of a capture, it takes
/// the protocol at its word: only what is framed was sent. It may be fed byte by byte and holds at most one message.
/// 0x1C ends a frame before 0x0D, 0x0A or 0x0B; elsewhere it is a byte of the text. A start block before "MSH" inside a
/// frame says that the end of the former was lost. Single-threaded.
class Deframer {
 public:
  static constexpr std::size_t kKept = 4096;  ///< of what is no whole frame

  explicit Deframer(std::size_t largest) : largest_(largest) {}

  void feed(std::string_view chunk, std::vector<Frame>& out);
  /// The end of the stream.
  void finish(std::vector<Frame>& out);
  /// Takes an end block without its carriage return for the end, when nothing has followed it for a while.
  void accept_bare_end(std::vector<Frame>& out);

  [[nodiscard]] bool inside() const noexcept { return inside_; }
  /// Whether the last byte of an open frame is 0x1C.
  [[nodiscard]] bool ends_bare() const noexcept { return inside_ && ended_; }
  /// Bytes in memory.
  [[nodiscard]] std::size_t held() const noexcept { return text_.size(); }
  /// Whether what stands outside any frame begins like the greeting of a TLS client.
  [[nodiscard]] bool greets_by_tls() const noexcept { return !inside_ && text_.starts_with("\x16\x03"); }
  /// Bytes of the open frame or of stray ones since the last frame.
  [[nodiscard]] std::uint64_t pending() const noexcept { return size_; }

 private:
  void outside(char c, std::vector<Frame>& out);
  void open(std::vector<Frame>& out);
  void close(std::vector<Frame>& out);
  void add(std::string_view bytes);
  void restart_if_begun_anew(std::vector<Frame>& out);

  std::size_t largest_;
  std::string text_;        // of the frame, or stray bytes
  std::uint64_t size_ = 0;  // with what was not kept
  bool inside_ = false, ended_ = false;
  std::size_t matched_ = 0;  // bytes of "\x0BMSH" just seen inside
};

}  // namespace waybill::listen
