// SPDX-License-Identifier: Apache-2.0
#include "archive/walk.hpp"

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/text.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

namespace waybill::archive {
namespace {

std::string reason(int error) { return std::strerror(error); }

Entry problem(EntryKind kind, const std::string& path, std::string error) {
  Entry entry;
  entry.kind = kind;
  entry.path = path;
  entry.error = std::move(error);
  return entry;
}

Entry entry_of(EntryKind kind, const std::string& path, const struct stat& info) {
  Entry entry;
  entry.kind = kind;
  entry.path = path;
  entry.size = static_cast<std::uint64_t>(info.st_size);
  entry.mtime = utc_from(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  entry.inode = info.st_ino;
  return entry;
}

EntryKind kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return EntryKind::symlink;
  if (S_ISFIFO(mode)) return EntryKind::fifo;
  if (S_ISSOCK(mode)) return EntryKind::socket;
  if (S_ISREG(mode)) return EntryKind::file;
  return EntryKind::device;
}

RunError unreadable(const std::string& source, const std::string& why) {
  return {Exit::input, "cannot read source " + path_to_text(source) + ": " + why + "; check the path and its rights"};
}

}  // namespace

void examine(Entry& entry) {
  struct stat info {};
  if (!entry.mtime.empty()) return;
  if (lstat(entry.path.c_str(), &info) != 0) info = {};
  entry.size = static_cast<std::uint64_t>(info.st_size);
  entry.mtime = utc_from(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  entry.inode = info.st_ino;
}

Walk::Walk(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    std::error_code error;
    const auto absolute = std::filesystem::canonical(source, error);
    if (!error && std::filesystem::is_directory(absolute)) std::filesystem::directory_iterator(absolute, error);
    if (error) throw unreadable(source, error.message());
    sources_.push_back(absolute.string());
  }
}

std::optional<Entry> Walk::next() {
  for (;;) {
    std::string path;
    bool is_file = false;
    const bool is_source = stack_.empty();
    if (is_source) {
      if (source_ == sources_.size()) return std::nullopt;
      path = sources_[source_++];
      root_ = path.rfind('/') + 1;  // right for a file; for a folder the names below begin behind it
    } else {
      Folder& folder = stack_.back();
      if (folder.at == folder.names.size()) {
        stack_.pop_back();
        continue;
      }
      const Name& name = folder.names[folder.at++];
      is_file = name.is_file;
      path = (folder.path == "/" ? "" : folder.path) + "/" + name.text;
    }
    if (is_file) {
      Entry entry;
      entry.path = std::move(path);
      entry.root = std::min(root_, entry.path.size());
      return entry;
    }
    if (auto entry = visit(path)) {
      if (is_source && (entry->kind == EntryKind::unreadable_folder || entry->kind == EntryKind::vanished))
        throw unreadable(path, entry->error);  // it was there when the walk began
      entry->root = std::min(root_, entry->path.size());
      return entry;
    }
    if (stack_.size() == 1 && stack_.back().at == 0) root_ = path == "/" ? 1 : path.size() + 1;
  }
}

/// The entry at `path`, or nullopt when it is a folder that was entered.
std::optional<Entry> Walk::visit(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    Entry gone = problem(EntryKind::vanished, path, reason(errno));
    gone.mtime = utc_from(0, 0);
    return gone;
  }
  if (!S_ISDIR(info.st_mode)) return entry_of(kind_of(info.st_mode), path, info);
  auto closed = enter(path, info.st_dev, info.st_ino);
  if (closed) closed->mtime = utc_from(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  return closed;
}

std::optional<Entry> Walk::enter(const std::string& path, std::uint64_t device, std::uint64_t inode) {
  if (!seen_.insert({device, inode}).second) return problem(EntryKind::folder_loop, path, "the folder was met before");
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path.c_str()), closedir);
  if (!dir) return problem(EntryKind::unreadable_folder, path, reason(errno));
  Folder folder{path, {}, 0};
  for (;;) {
    errno = 0;
    const dirent* item = readdir(dir.get());
    if (item == nullptr) {
      if (errno != 0) return problem(EntryKind::unreadable_folder, path, reason(errno));
      break;
    }
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") folder.names.push_back({std::string(name), item->d_type == DT_REG});
  }
  std::sort(folder.names.begin(), folder.names.end(), [](const Name& a, const Name& b) { return a.text < b.text; });
  stack_.push_back(std::move(folder));
  return std::nullopt;
}

}  // namespace waybill::archive
