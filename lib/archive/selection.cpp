// SPDX-License-Identifier: Apache-2.0
#include "archive/selection.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"

#include <fnmatch.h>
#include <algorithm>
#include <charconv>

namespace waybill::archive {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

const std::string* first_match(const std::vector<std::string>& patterns, const std::string& path) {
  const auto at = std::find_if(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), path.c_str(), 0) == 0;
  });
  return at == patterns.end() ? nullptr : &*at;
}

}  // namespace

std::optional<Shard> shard_from(std::string_view text) {
  const auto parts = split(text, '/');
  if (parts.size() != 2) return std::nullopt;
  const auto index = number(parts[0]);
  const auto count = number(parts[1]);
  if (!index || !count || *index == 0 || *index > *count) return std::nullopt;
  return Shard{*index, *count};
}

bool Selection::in_shard(const Entry& entry) const {
  if (shard.count <= 1) return true;
  const Digest digest = Sha256::of(entry.relative());
  return load_u64(digest.bytes.data()) % shard.count == shard.index - 1;
}

std::optional<std::string> Selection::excluded(const Entry& entry) const {
  if (include.empty() && exclude.empty()) return std::nullopt;
  const std::string path(entry.relative());
  if (const std::string* pattern = first_match(exclude, path)) return "matches --exclude " + path_to_text(*pattern);
  const bool wanted = include.empty() || entry.kind != EntryKind::file || first_match(include, path) != nullptr;
  if (!wanted) return "matches no --include";
  return std::nullopt;
}

}  // namespace waybill::archive
