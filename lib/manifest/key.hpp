// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::manifest {

/// A secret of 256 bits from a file of 64 hex digits, as `openssl rand -hex 32` makes it. Wiped when the last copy
/// goes. Immutable; any thread.
class SecretKey {
 public:
  /// Throws RunError(Exit::usage) for a file that others may read, and RunError(Exit::input) for one that is no key.
  explicit SecretKey(const std::filesystem::path& file);

  /// HMAC-SHA-256 of the text with the secret: what is derived of it for one purpose tells nothing about another.
  [[nodiscard]] std::array<std::byte, 32> derive(std::string_view text) const;
  /// 32 hex digits that name the key without telling anything about it.
  [[nodiscard]] const std::string& id() const noexcept;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Writes a new random key to `path` (0600); gives its id. An existing file throws RunError(Exit::usage).
std::string generate_secret(const std::filesystem::path& path);

/// The keys of this process: readers take the one a manifest names, writers the one to encrypt to. Set before the first
/// manifest is opened and before the first thread.
struct Keys {
  std::vector<SecretKey> open;                ///< to read with
  std::shared_ptr<const SecretKey> write_to;  ///< to encrypt what is written; none: it stays readable to all
};
void use_keys(Keys keys);
[[nodiscard]] const Keys& keys_in_use() noexcept;

}  // namespace waybill::manifest
