// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/walk.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::archive {

/// Part `index` of `count`, counted from 1.
struct Shard {
  std::uint32_t index = 1;
  std::uint32_t count = 1;
};

/// "2/8" as a shard; nullopt for anything that is none.
[[nodiscard]] std::optional<Shard> shard_from(std::string_view text);

/// Which entries of a walk a run takes. Patterns are those of fnmatch(3) on the path relative to the source; `*`
/// matches `/` too, so "*.dcm" means any depth. A value; const use from several threads is fine.
struct Selection {
  std::vector<std::string> include;  ///< a file must match one, unless there is none
  std::vector<std::string> exclude;  ///< what matches one is left out, whatever `include` says
  Shard shard;

  /// Whether the entry belongs to this shard: by SHA-256 of its relative path, so every host finds the same share
  /// wherever the archive is mounted, and each entry is in exactly one shard.
  [[nodiscard]] bool in_shard(const Entry& entry) const;
  /// Why the entry is left out, or nullopt when it is taken.
  [[nodiscard]] std::optional<std::string> excluded(const Entry& entry) const;
};

}  // namespace waybill::archive
