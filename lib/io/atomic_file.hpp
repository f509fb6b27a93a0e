// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "io/descriptor.hpp"

#include <filesystem>

namespace waybill::io {

/// Whether commit() also syncs the folder. `later` is for many files in one folder: the caller calls sync_folder once.
enum class FolderSync { now, later };

/// Writes a file so that its name shows either the old content or all of the new, never a part.
///
///     AtomicFile file("out/x.dcm");
///     file.write(bytes);
///     file.commit();
///
/// The bytes go to ".NAME.part" in the same folder, which must exist; commit() syncs, renames and syncs the folder.
/// Without commit() the destructor removes the part file. Every failure throws RunError(Exit::input); after one the
/// object writes nothing more. One writer a name. Not for sharing between threads.
class AtomicFile {
 public:
  /// `mode` are the rights of the new file, before the umask.
  explicit AtomicFile(std::filesystem::path path, unsigned mode = 0600);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes);
  void commit(FolderSync folder = FolderSync::now);
  /// Gives the name before the bytes are on disk. Nobody may be told of the file before FilesystemSync; after a crash
  /// the name may show anything.
  void name_before_sync();

  /// Name of the part file, e.g. to read the bytes back before commit().
  [[nodiscard]] const std::filesystem::path& part_path() const noexcept { return part_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void usable() const;

  std::filesystem::path path_;
  std::filesystem::path part_;
  Descriptor fd_;
  bool committed_ = false;
};

/// Brings everything written to the file system of `folder` to disk, names included: one wait for many files. Throws on
/// an error, also of writes that failed since the last call (Linux 5.8).
class FilesystemSync {
 public:
  explicit FilesystemSync(const std::filesystem::path& folder);
  void operator()() const;

 private:
  std::filesystem::path folder_;
  Descriptor fd_;
};

}  // namespace waybill::io
