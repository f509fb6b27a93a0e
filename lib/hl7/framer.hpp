// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace waybill::hl7 {

enum class PieceKind {
  message,  ///< begins with MSH
  file_header,
  batch_header,
  batch_trailer,
  file_trailer,
  stray,    ///< bytes that belong to no message: before the first MSH, between frames
  oversize  ///< a message above the limit; only its first bytes are given
};

/// How a piece came to its end.
enum class Ending {
  open,      ///< where the next one begins, or the stream ends
  framed,    ///< at MLLP's 0x1C
  unframed,  ///< began at 0x0B and has no 0x1C, but its last line is whole
  cut        ///< in the middle of a line of a frame, or where the stream is damaged
};

struct Piece {
  PieceKind kind = PieceKind::message;
  std::string_view bytes;    ///< valid during the call
  std::uint64_t offset = 0;  ///< of its first byte in the stream
  Ending ending = Ending::open;
};

/// Cuts a stream of bytes into messages: files of one or many, batches (FHS BHS … BTS FTS), captures of MLLP frames
/// (0x0B … 0x1C 0x0D), any mixture. A piece begins where a line begins with MSH, FHS, BHS, BTS or FTS and ends before
/// the next one or at 0x1C. Upper and lower case are the same. May be fed byte by byte; it holds no more than one
/// message (or the limit) at a time. Single-threaded.
class Framer {
 public:
  using Sink = std::function<void(const Piece&)>;
  static constexpr std::size_t kLargest = std::size_t{256} << 20U;

  explicit Framer(Sink sink, std::size_t largest = kLargest) : sink_(std::move(sink)), largest_(largest) {}

  void feed(std::string_view chunk);
  /// The end of the stream: gives out what is left and starts afresh. Damaged: the stream should have gone on, so the
  /// last piece is cut.
  void finish(bool damaged = false);

 private:
  void process(std::string_view text, bool last);
  bool classify(std::string_view text, bool last);
  void close(std::string_view text, std::size_t end, Ending ending);
  void keep(std::string_view text);

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  Sink sink_;
  std::size_t largest_;
  std::string pending_;     // from the open piece on
  std::uint64_t base_ = 0;  // offset in the stream of the first byte of pending_
  std::size_t start_ = kNone, line_ = 0, scan_ = 0;
  PieceKind kind_ = PieceKind::stray;
  bool dropping_ = false, at_line_ = true;
  bool behind_begin_ = false, in_frame_ = false;  // 0x0B before the line; before the open piece
};

}  // namespace waybill::hl7
