// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace waybill {

/// A SHA-256 value (FIPS 180-4). Compare with ==; `hex()` is its form in manifests.
struct Digest {
  std::array<std::byte, 32> bytes{};
  [[nodiscard]] std::string hex() const { return to_hex(bytes); }
  bool operator==(const Digest&) const = default;
};

/// Incremental SHA-256 on OpenSSL. One object per task; not for sharing between threads.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  /// The digest of all updates; the object starts afresh afterwards.
  [[nodiscard]] Digest finish();

  [[nodiscard]] static Digest of(ByteView bytes);
  [[nodiscard]] static Digest of(std::string_view text) { return of(as_bytes(text)); }
  /// The digests of two messages, at about 1.5 times the rate of one after the other; any lengths, best when equal.
  [[nodiscard]] static std::array<Digest, 2> of_two(ByteView a, ByteView b) { return of_two(Pieces{{}, a}, {{}, b}); }
  /// The same of messages that lie in two pieces, the first of them short.
  struct Pieces {
    ByteView first, second;
  };
  [[nodiscard]] static std::array<Digest, 2> of_two(const Pieces& a, const Pieces& b);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill
