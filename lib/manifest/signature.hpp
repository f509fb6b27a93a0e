// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// A signature line of a manifest and what it signs: the hex digits of the SHA-256 of the frame before it.
struct Signature {
  std::string key;    ///< id of the key
  std::string value;  ///< base64 of the 64 bytes
  std::string head;   ///< the signed text
};

/// An Ed25519 public key from a PEM file. Throws RunError(Exit::input) when the file is none.
class PublicKey {
 public:
  explicit PublicKey(const std::filesystem::path& pem);
  ~PublicKey();
  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) noexcept;

  /// First 16 hex digits of the SHA-256 of the key's DER form (SubjectPublicKeyInfo).
  [[nodiscard]] const std::string& id() const noexcept;
  [[nodiscard]] bool verifies(const Signature& signature) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes a new private key (PEM, 0600) to `path` and its public half to `path`.pub; gives the key's id. An existing
/// file of either name throws RunError(Exit::usage): a lost key cannot be made again.
std::string generate_key(const std::filesystem::path& path);

/// Proves a complete manifest from first to last byte, appends a signature over its last frame and replaces it in one
/// step; gives the key's id. A key file that others may read throws RunError(Exit::usage).
std::string sign_manifest(const std::filesystem::path& manifest, const std::filesystem::path& private_key);

}  // namespace waybill::manifest
