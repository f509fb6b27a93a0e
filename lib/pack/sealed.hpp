// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "io/descriptor.hpp"
#include "manifest/envelope.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

/// Volumes at rest: the bytes of a plain volume in records of AES-256-GCM, as those of a sealed manifest
/// (docs/encryption.md). Offsets and lengths in manifests are those of the plain volume.
namespace waybill::pack {

inline constexpr std::size_t kMostOfRecord = std::size_t{1} << 20U;  ///< plain bytes; a longer entry takes several

/// A record of a sealed volume: where its plain bytes belong, and where it lies.
struct SealedRecord {
  std::uint64_t plain = 0, physical = 0;
  std::uint32_t size = 0;  ///< plain bytes
};
/// The records from the first on, as far as they follow one another; their contents are not proved.
[[nodiscard]] std::vector<SealedRecord> records_of(int fd);

/// Bytes that sealing adds to so many plain ones.
[[nodiscard]] constexpr std::uint64_t sealing_adds(std::uint64_t plain) noexcept {
  return (plain / kMostOfRecord + 1) * manifest::kEnvelopeExtra;
}

/// A volume to read from, sealed or not. Any thread.
class OpenVolume {
 public:
  /// Fault::unreadable when it cannot be opened. Throws RunError(Exit::usage) for a sealed one without its key.
  [[nodiscard]] static Result<std::shared_ptr<OpenVolume>> open(const std::filesystem::path& path);

  /// Plain bytes at a plain offset: at least one unless the volume ends there. Fault::mismatch for a record that is not
  /// authentic, Fault::unreadable for a read error.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into, std::uint64_t offset);

 private:
  [[nodiscard]] Result<std::size_t> read_plain(std::span<std::byte> into, std::uint64_t offset) const;

  io::Descriptor fd_;
  std::vector<SealedRecord> records_;
  std::mutex mutex_;  // of the next
  std::optional<manifest::Envelope> envelope_;
};

}  // namespace waybill::pack
