// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/descriptor.hpp"
#include "manifest/place.hpp"
#include "manifest/record.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace waybill::pack {

/// The path below the target folder at which an object is restored: its source's path relative to `root` (both in the
/// form of path_to_text), or whole without the leading slash where it does not lie below `root`. What is a part of
/// another file and was copied by itself stands in a folder of the file's name and "%": "a.zip%/1.dcm", or at
/// "disk.img%/at-4096". Fault::refused for a name that leads out of a folder or is none: "..", empty parts, NUL.
[[nodiscard]] Result<std::string> restored_path(const manifest::Source& source, bool whole, const std::string& root);

/// Writes files below one folder and nowhere else: no path with "..", and no symbolic link on the way is followed,
/// whoever put it there. A file gets its name when all its bytes are on disk. Existing files are never replaced. Any
/// thread.
class Restorer {
 public:
  /// Makes the folder (0700) when there is none.
  explicit Restorer(std::filesystem::path folder);

  /// A file on its way; without name() nothing of it stays.
  class File {
   public:
    File(const Restorer& restorer, io::Descriptor folder, std::string name);
    ~File();
    File(File&& other) noexcept;
    File& operator=(File&&) = delete;
    void write(ByteView bytes);
    /// All is written; sets the time of last change (RFC 3339, nothing when empty).
    void close(const std::string& mtime);
    /// Gives the name; between close() and this must be a Restorer::sync(), which serves many files.
    [[nodiscard]] Result<Done> name();

   private:
    const Restorer* restorer_;
    io::Descriptor folder_;
    std::string name_, part_;
    io::Descriptor fd_;
  };
  /// Fault::refused when a link or a file is in the way; throws RunError when the disk is full.
  [[nodiscard]] Result<File> create(const std::string& path) const;
  /// Whether the file is there with this content; Fault::mismatch when something else is there.
  [[nodiscard]] Result<bool> holds(const std::string& path, const manifest::Place& content) const;
  /// Returns after all bytes and names are on disk.
  void sync() const;

 private:
  [[nodiscard]] Result<io::Descriptor> folder_of(const std::string& path, bool make) const;
  std::filesystem::path folder_;
  io::Descriptor root_;
};

}  // namespace waybill::pack
