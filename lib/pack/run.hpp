// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace waybill::pack {

/// Name of the manifest in the folder of the volumes.
inline constexpr const char* kManifest = "pack.wb";
inline constexpr std::uint64_t kSmallestVolume = std::uint64_t{1} << 20U;

struct Options {
  std::filesystem::path input;                          ///< a manifest with digests of files; "-" is standard input
  std::filesystem::path out;                            ///< folder for volumes and manifest, made when missing
  std::uint64_t volume_size = std::uint64_t{4} << 30U;  ///< most bytes of a volume
  int level = 3;                                        ///< of zstd
  bool restart = false;
  unsigned threads = 1;
  std::function<void(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions)> progress;
};

/// The ledger of a backup; buckets sum up to objects.
struct Tally {
  std::uint64_t objects = 0, placed = 0, contents = 0, bytes_in = 0, bytes_packed = 0, volumes = 0, exceptions = 0;
  std::map<std::string, std::uint64_t> buckets;
  bool interrupted = false, already_complete = false;
  bool integrity = false;  ///< a source file is not the one that was scanned
  void add(const manifest::Object& object);
  [[nodiscard]] std::string json() const;
};

/// Copies the bytes of every object of the input that has a digest into volumes, each content once, and writes a
/// manifest that says for each object where its bytes are. Every byte is compared with the manifest's digest while it
/// is read; what differs or cannot be read becomes a finding. Records keep the order of the input, and manifest and
/// volumes are the same for any number of threads. A record is written when its bytes are on disk, so a killed run is
/// continued. Throws RunError for the run: full disk, damaged input, another input than the one begun with.
/// Memory: 64 MiB a thread, and a larger member of a container as a whole.
[[nodiscard]] Tally run(const Options& options);

}  // namespace waybill::pack
