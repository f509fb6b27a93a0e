// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/signature.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// One study's records with the path to the root of the tree that the manifest's signer sealed (study_tree.hpp).
namespace waybill::manifest {

/// What stands in a proof file; docs/manifest.md describes the members.
struct Proof {
  std::string manifest;            ///< base name
  std::string head, study, salt;   ///< head and salt in hex
  std::vector<std::string> lines;  ///< the study's records as they stand in the manifest
  std::uint64_t index = 0, leaves = 0;
  std::vector<std::string> path;  ///< hex, from the bottom up
  std::string root;               ///< hex
  std::string key;                ///< id of the key that sealed the tree
  std::string value;              ///< base64 of its signature over tree_statement()
};

/// Finds the study in a manifest that was signed with this secret, and its path. Throws RunError: usage when the
/// manifest seals no tree or holds no such study, integrity when the sealed root is not that of its studies with this
/// secret.
[[nodiscard]] Proof prove_study(const std::filesystem::path& manifest, const std::string& study,
                                const std::filesystem::path& secret);

[[nodiscard]] std::string to_json(const Proof& proof);
/// Reads a proof file; throws RunError(Exit::input) for what is none.
[[nodiscard]] Proof read_proof(const std::filesystem::path& file);

/// What is wrong with a proof: lines, path or signature, one sentence each; empty when it holds. Needs nothing but the
/// proof and the signer's public key.
[[nodiscard]] std::vector<std::string> problems_of(const Proof& proof, const PublicKey& key);

}  // namespace waybill::manifest
