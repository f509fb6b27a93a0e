// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "manifest/reader.hpp"
#include "manifest/signature.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace waybill::manifest {

/// What a full check of one manifest found.
struct CheckReport {
  std::vector<std::string> problems;   ///< damage and contradictions, one sentence each; empty is a sound manifest
  bool complete = false;               ///< has its end, seal and frame table
  std::uint64_t torn_bytes = 0;        ///< unconfirmed bytes at the end of an interrupted run
  std::uint64_t frames = 0;            ///< proved frames
  std::uint64_t records = 0;           ///< records in them
  std::uint64_t bytes = 0;             ///< bytes of the proved frames
  std::vector<Input> inputs;           ///< what it was made from; a stream's head stands in the end line
  std::string head;                    ///< SHA-256 of the last frame before signatures, hex
  std::vector<std::string> signed_by;  ///< key ids named by signature lines
  bool verified = false;               ///< a signature by the given key covers all records

  /// ok, integrity (any problem) or interrupted (sound as far as it goes).
  [[nodiscard]] Exit exit() const noexcept;
};

/// Proves every byte: block chain, checksums, order, form of each record, the end line's counts against the records
/// (number of records, and objects a bucket where counts has the object "buckets"), the heads of streamed inputs, seal,
/// frame table, and with `key` a signature by it. Throws RunError(Exit::input) only when the file cannot be read.
[[nodiscard]] CheckReport check(const std::filesystem::path& path, const PublicKey* key = nullptr);

}  // namespace waybill::manifest
