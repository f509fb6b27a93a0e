// SPDX-License-Identifier: Apache-2.0
#include "manifest/study_tree.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "manifest/chain.hpp"
#include "manifest/frame.hpp"
#include "manifest/json_reader.hpp"
#include "manifest/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <algorithm>
#include <bit>
#include <span>
#include <unordered_map>

namespace waybill::manifest {
namespace {

constexpr std::size_t kLeastSecret = 32, kMostSecret = 4096;

/// Calls `take(kind, line)` for every record line; gives the head.
template <typename F>
std::string each_line(const std::filesystem::path& path, F take) {
  Chain chain = open_chain(path);
  while (auto lines = chain.next()) {
    while (!lines->empty()) {
      const std::size_t end = lines->find('\n');
      const std::string_view line = lines->substr(0, end);
      lines->remove_prefix(end == std::string_view::npos ? lines->size() : end + 1);
      take(kind_of(line), line);
    }
  }
  if (!chain.complete()) {
    throw RunError(Exit::usage,
                   path_to_text(path.native()) + " is an interrupted run; finish it before its studies are sealed");
  }
  return chain.head().hex();
}

Digest root_of(std::span<const Digest> leaves) {
  if (leaves.size() == 1) return leaves.front();
  const std::size_t left = std::bit_floor(leaves.size() - 1);
  return node_hash(root_of(leaves.first(left)), root_of(leaves.subspan(left)));
}

void collect_path(std::span<const Digest> leaves, std::size_t index, std::vector<Digest>& path) {
  if (leaves.size() == 1) return;
  const std::size_t left = std::bit_floor(leaves.size() - 1);
  if (index < left) {
    collect_path(leaves.first(left), index, path);
    path.push_back(root_of(leaves.subspan(left)));
  } else {
    collect_path(leaves.subspan(left), index - left, path);
    path.push_back(root_of(leaves.first(left)));
  }
}

}  // namespace

TreeSecret::TreeSecret(const std::filesystem::path& file)
    : bytes_(read_private_file(file, kLeastSecret, kMostSecret)) {}
TreeSecret::~TreeSecret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Digest TreeSecret::salt(std::string_view head, std::string_view study) const {
  std::string text = "waybill-tree/1\n";
  text += head;
  text += '\n';
  text += study;
  text += '\n';
  Digest out;
  unsigned size = 0;
  if (HMAC(EVP_sha256(), bytes_.data(), static_cast<int>(bytes_.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(out.bytes.data()), &size) == nullptr) {
    throw RunError(Exit::internal, "OpenSSL refused an HMAC step; check the installed libcrypto");
  }
  return out;
}

void StudyDigest::add(std::string_view line) {
  Sha256 sha;
  sha.update(digest.bytes);
  sha.update(line);
  sha.update("\n");
  digest = sha.finish();
  ++records;
}

Digest leaf_hash(std::string_view study, const Digest& salt, const StudyDigest& digest) {
  std::string text(1, '\0');
  text += study;
  text += '\n' + salt.hex() + '\n' + std::to_string(digest.records) + '\n' + digest.digest.hex() + '\n';
  return Sha256::of(text);
}

Digest node_hash(const Digest& left, const Digest& right) {
  std::array<std::byte, 65> bytes{std::byte{1}};
  std::copy(left.bytes.begin(), left.bytes.end(), bytes.begin() + 1);
  std::copy(right.bytes.begin(), right.bytes.end(), bytes.begin() + 33);
  return Sha256::of(bytes);
}

Digest tree_root(const std::vector<Digest>& leaves) { return root_of(leaves); }

std::vector<Digest> audit_path(const std::vector<Digest>& leaves, std::size_t index) {
  std::vector<Digest> path;
  collect_path(leaves, index, path);
  return path;
}

std::optional<Digest> root_of_path(const Digest& leaf, std::uint64_t index, std::uint64_t leaves,
                                   const std::vector<Digest>& path) {
  if (index >= leaves) return std::nullopt;
  std::uint64_t at = index, last = leaves - 1;
  Digest hash = leaf;
  for (const Digest& beside : path) {
    if (last == 0) return std::nullopt;
    if ((at & 1U) != 0 || at == last) {
      hash = node_hash(beside, hash);
      while (at != 0 && (at & 1U) == 0) at >>= 1U, last >>= 1U;
    } else {
      hash = node_hash(hash, beside);
    }
    at >>= 1U;
    last >>= 1U;
  }
  return last == 0 ? std::optional(hash) : std::nullopt;
}

std::string each_study_line(const std::filesystem::path& manifest,
                            const std::function<void(std::string_view, std::string_view)>& take) {
  simdjson::dom::parser parser;
  std::unordered_map<std::string, std::string> study_of;  // of the objects that have late findings
  std::vector<std::pair<std::string, std::string>> findings;
  std::string head = each_line(manifest, [&](std::string_view kind, std::string_view line) {
    if (kind != "finding") return;
    findings.emplace_back(detail::need<std::string>(detail::parse_object(parser, line), "id"), line);
    study_of.emplace(findings.back().first, "");
  });
  const std::string again = each_line(manifest, [&](std::string_view kind, std::string_view line) {
    if (kind != "object" && kind != "study") return;
    const auto j = detail::parse_object(parser, line);
    const std::string study = detail::find<std::string>(j, "study").value_or("");
    if (kind == "object" && !study_of.empty()) {
      const auto at = study_of.find(detail::need<std::string>(j, "id"));
      if (at != study_of.end()) at->second = study;
    }
    take(study, line);
  });
  if (again != head)
    throw RunError(Exit::integrity,
                   path_to_text(manifest.native()) + " changed while it was read; run the command again");
  for (const auto& [id, line] : findings) take(study_of[id], line);
  return head;
}

StudyTree::StudyTree(const std::filesystem::path& manifest, const TreeSecret& secret) {
  std::unordered_map<std::string, StudyDigest> studies;
  head_ = each_study_line(
      manifest, [&](std::string_view study, std::string_view line) { studies[std::string(study)].add(line); });
  if (studies.empty()) {
    throw RunError(Exit::usage,
                   path_to_text(manifest.native()) + " has no records of studies or objects; sign it without --secret");
  }
  leaves_.reserve(studies.size());
  for (const auto& [study, digest] : studies) leaves_.push_back(leaf_hash(study, secret.salt(head_, study), digest));
  std::sort(leaves_.begin(), leaves_.end(), [](const Digest& a, const Digest& b) { return a.bytes < b.bytes; });
  root_ = tree_root(leaves_);
}

}  // namespace waybill::manifest
