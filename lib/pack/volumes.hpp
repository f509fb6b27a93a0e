// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"
#include "io/scratch.hpp"
#include "manifest/place.hpp"
#include "pack/entry.hpp"
#include "pack/sealed.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::pack {

/// "volume-000001.tar.zst" for 1, with ".sealed" behind it for a sealed one.
[[nodiscard]] std::string volume_name(std::uint32_t number, bool sealed = false);
/// Whether pack gives such names, plain or sealed.
[[nodiscard]] bool is_volume_name(std::string_view name);

/// Writes entries to volumes of at most `most` bytes, one behind the other; an entry that is larger has a volume of its
/// own. A volume that is full is ended, synced and read back for its SHA-256 while the next one is filled. Which entry
/// comes into which volume depends on nothing but the entries. Where manifests are encrypted (manifest::Keys), volumes
/// are sealed to the same key. Failures of the disk throw RunError(Exit::input); then
/// the object writes nothing more. One thread at a time.
class Volumes {
 public:
  /// Makes the folder (0700) when there is none.
  Volumes(std::filesystem::path folder, std::uint64_t most, int level);
  /// Waits for what is read back.
  ~Volumes();
  Volumes(const Volumes&) = delete;
  Volumes& operator=(const Volumes&) = delete;

  /// Whether the folder holds volumes.
  [[nodiscard]] bool any() const;
  /// Removes all volumes.
  void clear();
  /// Goes on behind the last entry that is recorded: removes what is behind it. Volumes ended before and not told by
  /// `known` are read back again. Throws RunError(Exit::integrity) when bytes that are recorded are not there.
  void go_on(const std::optional<manifest::Place>& last, const std::vector<manifest::Volume>& known);

  /// Writes an encoded entry of a content.
  [[nodiscard]] manifest::Place add(ByteView frame, std::uint64_t size, const std::string& sha256);
  /// Writes an entry of at most `bound` bytes as `write` gives it to the sink; when `write` returns false, nothing of
  /// it stays and there is no place.
  using Write = std::function<bool(const Encoder::Sink&)>;
  [[nodiscard]] std::optional<manifest::Place> add_stream(std::uint64_t bound, std::uint64_t size,
                                                          const std::string& sha256, const Write& write);
  /// Returns after all entries are on disk.
  void sync();
  /// Volumes to record now: each is told once, when the one behind it is ended.
  [[nodiscard]] std::vector<manifest::Volume> take_ended();
  /// Ends the last volume; gives those not told yet.
  [[nodiscard]] std::vector<manifest::Volume> finish();

 private:
  void open_next();
  void make_room(std::uint64_t bytes);
  void put(ByteView bytes);
  void end_volume();
  void read_back(std::uint32_t number);
  void cut(std::uint64_t physical);
  void cut_behind_recorded();
  [[nodiscard]] std::filesystem::path path_of(std::uint32_t number) const {
    return folder_ / volume_name(number, key_ != nullptr);
  }
  [[nodiscard]] std::vector<std::uint32_t> numbers() const;

  std::filesystem::path folder_;
  std::uint64_t most_;
  Encoder encoder_;
  io::Scratch memory_;
  std::shared_ptr<const manifest::SecretKey> key_;  // none: volumes are plain
  std::optional<manifest::Envelope> envelope_;      // of the open volume
  std::uint32_t records_ = 0;                       // sealed in it
  io::Descriptor fd_;
  std::uint32_t number_ = 0;    // of the open volume, or of the last one
  std::uint64_t size_ = 0;      // plain bytes of the open volume
  std::uint64_t physical_ = 0;  // bytes of its file
  bool broken_ = false;
  std::vector<std::future<manifest::Volume>> reading_;  // in the order of the volumes; the last is told later
  std::vector<manifest::Volume> ended_;
};

/// SHA-256 and size of a volume as it is on disk.
[[nodiscard]] manifest::Volume measure(const std::filesystem::path& volume);

}  // namespace waybill::pack
