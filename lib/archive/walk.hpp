// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::archive {

enum class EntryKind { file, symlink, fifo, socket, device, unreadable_folder, folder_loop, vanished };

/// What a name in the tree is, before a byte of it is read.
struct Entry {
  EntryKind kind = EntryKind::file;
  std::string path;        ///< absolute, raw bytes
  std::uint64_t size = 0;  ///< with `mtime` and `inode` only once examined
  std::string mtime;       ///< RFC 3339 UTC; empty: not examined
  std::string error;       ///< for what cannot be read: the system's reason
  std::uint64_t inode = 0;
  std::size_t root = 0;  ///< length of the part of `path` before the name relative to its source

  /// The path relative to the source; the file's own name when the source is the file.
  [[nodiscard]] std::string_view relative() const noexcept { return std::string_view(path).substr(root); }
};

/// Fills in size, times and inode of an entry that was not examined; one that is gone keeps none.
void examine(Entry& entry);

/// Walks files and folders depth first, names in byte order, so that every walk of the same tree gives the same order.
/// Symbolic links inside the tree are reported, not followed; a folder met twice (bind loop) is reported once more and
/// not entered. Files are not examined where the folder tells what they are: who opens them sees their size and times,
/// and asking for both costs a third of a header scan. Memory: the names of the folders on the way down. Nothing is
/// opened but folders. Single-threaded.
class Walk {
 public:
  /// Throws RunError(Exit::input) for a source that does not exist.
  explicit Walk(const std::vector<std::string>& sources);
  /// Throws RunError(Exit::input) for a source that has become unreadable.
  [[nodiscard]] std::optional<Entry> next();

 private:
  struct Name {
    std::string text;
    bool is_file = false;  // told by the folder
  };
  struct Folder {
    std::string path;
    std::vector<Name> names;
    std::size_t at = 0;
  };
  std::optional<Entry> visit(const std::string& path);
  std::optional<Entry> enter(const std::string& path, std::uint64_t device, std::uint64_t inode);

  std::vector<std::string> sources_;
  std::size_t source_ = 0;
  std::size_t root_ = 0;
  std::vector<Folder> stack_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;  // (device, inode) of folders
};

}  // namespace waybill::archive
