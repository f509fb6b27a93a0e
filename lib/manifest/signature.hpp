// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// The tree of a manifest's studies as its signer stated it (study_tree.hpp).
struct TreeSeal {
  std::uint64_t leaves = 0;
  std::string root;   ///< hex
  std::string value;  ///< base64 of the signature over tree_statement()
};

/// A signature line of a manifest and what it signs: the hex digits of the SHA-256 of the frame before it.
struct Signature {
  std::string key;    ///< id of the key
  std::string value;  ///< base64 of the 64 bytes
  std::string head;   ///< the signed text
  std::optional<TreeSeal> tree = std::nullopt;
};

/// What the signature of a tree signs, four lines: "waybill-tree/1", head of the manifest, root, number of leaves.
[[nodiscard]] std::string tree_statement(const std::string& head, const std::string& root, std::uint64_t leaves);

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
  /// Whether `value` (base64) signs `text`.
  [[nodiscard]] bool verifies(const std::string& value, std::string_view text) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes a new private key (PEM, 0600) to `path` and its public half to `path`.pub; gives the key's id. An existing
/// file of either name throws RunError(Exit::usage): a lost key cannot be made again.
std::string generate_key(const std::filesystem::path& path);

/// Proves a complete manifest from first to last byte, appends a signature over its last frame and replaces it in one
/// step; gives the key's id. A key file that others may read throws RunError(Exit::usage). With the file of a secret
/// the signature also seals the tree of the studies, so that `prove` can show one of them alone.
std::string sign_manifest(const std::filesystem::path& manifest, const std::filesystem::path& private_key,
                          const std::filesystem::path& secret = {});

/// Signs a text, e.g. the list of a package: the key's id and the 64 bytes of the signature.
struct SignedText {
  std::string key;
  Bytes value;
};
[[nodiscard]] SignedText sign_text(const std::filesystem::path& private_key, std::string_view text);
/// The public half of a private key as PEM.
[[nodiscard]] std::string public_pem(const std::filesystem::path& private_key);

/// The bytes of a file that only its owner may read, of `least` to `most` bytes; else throws RunError(Exit::usage).
[[nodiscard]] Bytes read_private_file(const std::filesystem::path& path, std::size_t least, std::size_t most);

}  // namespace waybill::manifest
