// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace waybill::pixel::j2k {

/// A symbol of a code-block: the context's label times two, plus the decision.
using Symbol = std::uint8_t;

/// Context labels (T.800 D.3). Zero coding has 0 to 8.
inline constexpr unsigned kSignContext = 9, kRefinementContext = 14, kRunContext = 17, kUniformContext = 18,
                          kContexts = 19;

/// The MQ encoder of one code-block (T.800 Annex C), as far as it has come.
///
/// The register is wider than that of the standard, so that bytes leave it three at a time and a carry runs through
/// those that have not left. What is written is the same number, now and then in other bytes behind a byte FF.
class MqEncoder {
 public:
  /// Sets out on a code-block's symbols, which outlive the coding, with room for room_for(their number) at `to`.
  void begin(const Symbol* from, const Symbol* end, std::uint8_t* to) noexcept;
  /// Codes `count` symbols, which are there.
  void code(std::size_t count) noexcept;
  /// The same for two encoders at once, in less time than one after the other: each waits for itself only.
  static void code_both(MqEncoder& a, MqEncoder& b, std::size_t count) noexcept;
  /// Ends the codeword. Returns its length in bytes; none of them is a byte FF at the end.
  std::size_t finish() noexcept;

  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  /// Bytes that `symbols` cannot exceed.
  [[nodiscard]] static constexpr std::size_t room_for(std::size_t symbols) noexcept { return symbols * 5 / 2 + 64; }

 private:
  friend struct MqRegisters;
  void emit() noexcept;
  void put_byte() noexcept;

  std::uint64_t code_ = 0;      ///< C: 16 bits of fraction, 3 of room, `ready_` bits to go and a carry above them
  std::uint32_t interval_ = 0;  ///< A
  std::int32_t ready_ = 0;
  std::uint8_t* out_ = nullptr;  ///< where the next byte goes; the one before can still get a carry
  std::uint8_t* begin_ = nullptr;
  const Symbol *at_ = nullptr, *end_ = nullptr;
  std::array<std::uint32_t, kContexts> states_{};
};

}  // namespace waybill::pixel::j2k
