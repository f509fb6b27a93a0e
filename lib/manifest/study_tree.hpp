// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The studies of a manifest as leaves of a Merkle tree (RFC 6962, 2.1), so that one study's records can be shown to
/// belong to the manifest without showing any other's.
///
///     records(S) = lines of kind object or study whose `study` is S, in the order of the manifest, then lines of kind
///                  finding whose `id` is one of these objects, in the order of the manifest
///     digest(S)  = d(n); d(0) = 32 zero bytes, d(i) = SHA-256(d(i-1), line i, LF)
///     salt(S)    = HMAC-SHA-256(secret, "waybill-tree/1" LF head LF S LF)
///     leaf(S)    = SHA-256(0x00, S LF hex salt LF n LF hex digest LF)
///     node       = SHA-256(0x01, left, right)
///
/// Objects without a study, and findings about no object here, are the study "". Leaves stand in the order of their
/// hashes, so that a place in the tree says nothing. A hash beside the path cannot be guessed from a list of UIDs or
/// names, for its salt stays secret; the salt of the shown study helps with no other. What a proof does give away is
/// how many studies there are.
namespace waybill::manifest {

/// The secret behind the salts: the bytes of a file that only its owner may read, 32 to 4096 of them.
class TreeSecret {
 public:
  explicit TreeSecret(const std::filesystem::path& file);
  ~TreeSecret();
  TreeSecret(const TreeSecret&) = delete;
  TreeSecret& operator=(const TreeSecret&) = delete;

  [[nodiscard]] Digest salt(std::string_view head, std::string_view study) const;

 private:
  Bytes bytes_;
};

/// Digest of a study's records, a line at a time.
struct StudyDigest {
  std::uint64_t records = 0;
  Digest digest;
  void add(std::string_view line);
};

[[nodiscard]] Digest leaf_hash(std::string_view study, const Digest& salt, const StudyDigest& digest);
[[nodiscard]] Digest node_hash(const Digest& left, const Digest& right);

/// Root of the leaves (not empty), and the hashes beside the path from leaf `index`, from the bottom up.
[[nodiscard]] Digest tree_root(const std::vector<Digest>& leaves);
[[nodiscard]] std::vector<Digest> audit_path(const std::vector<Digest>& leaves, std::size_t index);
/// The root that the path leads to (RFC 9162, 2.1.3.2); nullopt when it has another length than its place needs.
[[nodiscard]] std::optional<Digest> root_of_path(const Digest& leaf, std::uint64_t index, std::uint64_t leaves,
                                                 const std::vector<Digest>& path);

/// Calls `take(study, line)` for every line of a complete manifest that belongs to a study, in the order above. Reads
/// the file twice; memory for its late findings. Gives the head. Throws RunError as Chain does, usage for an
/// interrupted run.
std::string each_study_line(const std::filesystem::path& manifest,
                            const std::function<void(std::string_view study, std::string_view line)>& take);

/// The tree of a whole manifest. Memory: about 250 bytes a study.
class StudyTree {
 public:
  StudyTree(const std::filesystem::path& manifest, const TreeSecret& secret);

  [[nodiscard]] const std::string& head() const noexcept { return head_; }
  [[nodiscard]] std::uint64_t size() const noexcept { return leaves_.size(); }
  [[nodiscard]] const Digest& root() const noexcept { return root_; }
  [[nodiscard]] const std::vector<Digest>& leaves() const noexcept { return leaves_; }

 private:
  std::string head_;
  std::vector<Digest> leaves_;  // in their order in the tree
  Digest root_;
};

}  // namespace waybill::manifest
