// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace waybill::pack {

struct UnpackOptions {
  std::filesystem::path manifest;  ///< of pack, or what manifest filter made of it; a folder means the pack.wb in it
  std::filesystem::path volumes;   ///< folder of the volumes; empty: where the manifest is
  std::filesystem::path to;        ///< folder to restore into; empty: check only
  std::filesystem::path output;    ///< manifest to write of what became of each object, made anew; empty: none
  unsigned threads = 1;
  std::function<void(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions)> progress;
  /// What went wrong with an object, one sentence without its path. One call at a time, in the order of the manifest.
  std::function<void(const std::string& id, const std::string& path, const std::string& why)> exception;
};

/// What became of a backup's objects.
struct Unpacked {
  std::filesystem::path manifest;  ///< that was read
  std::uint64_t objects = 0;       ///< object records
  std::uint64_t not_packed = 0;    ///< of these, without a place in the backup
  std::uint64_t good = 0;          ///< restored, or proved by a check
  std::uint64_t present = 0;       ///< of these, files that were there already with these bytes
  std::uint64_t contents = 0;      ///< distinct contents decompressed and hashed
  std::uint64_t volumes = 0;       ///< volumes whose SHA-256 is that of the manifest
  std::uint64_t bytes = 0;         ///< of contents
  std::uint64_t damaged = 0;       ///< objects and volumes whose bytes, and lines of the list, are not the manifest's
  std::uint64_t refused = 0;       ///< objects whose name or place at the target does not allow them
  bool incomplete = false;         ///< the manifest is that of an interrupted backup
  bool interrupted = false;
  std::string list = {};  ///< of a check: whether SHA256SUMS "agrees", "differs", or why it was "not checked: …"
  [[nodiscard]] std::string json() const;
  /// 6 interrupted, 5 damaged, 1 refused or incomplete, else 0.
  [[nodiscard]] Exit exit() const noexcept;
};

/// Restores the objects of a backup under their old names, or with no target decompresses and hashes every content and
/// every volume, and holds the list of the volumes' digests against the manifest. The manifest of it, where one is
/// asked for, has every record of the backup's, those of objects with what became of them. Nothing outside the target
/// folder is written, whatever the manifest says; a file that exists is left alone. Throws RunError when the manifest
/// cannot be read or is none of pack, and for a full disk.
[[nodiscard]] Unpacked unpack(const UnpackOptions& options);

}  // namespace waybill::pack
