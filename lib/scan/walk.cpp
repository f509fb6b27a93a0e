// SPDX-License-Identifier: Apache-2.0
#include "scan/walk.hpp"

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

namespace waybill::scan {
namespace {

std::string reason(int error) { return std::strerror(error); }

Entry entry_of(EntryKind kind, const std::string& path, const struct stat& info) {
  return {
      kind, path, static_cast<std::uint64_t>(info.st_size), utc_from(info.st_mtim.tv_sec, info.st_mtim.tv_nsec), {}};
}

EntryKind kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return EntryKind::symlink;
  if (S_ISFIFO(mode)) return EntryKind::fifo;
  if (S_ISSOCK(mode)) return EntryKind::socket;
  if (S_ISREG(mode)) return EntryKind::file;
  return EntryKind::device;
}

}  // namespace

Walk::Walk(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    std::error_code error;
    const auto absolute = std::filesystem::canonical(source, error);
    if (error)
      throw RunError(Exit::input, "cannot read source " + path_to_text(source) + ": " + error.message() +
                                      "; check the path and its rights");
    sources_.push_back(absolute.string());
  }
}

std::optional<Entry> Walk::next() {
  for (;;) {
    std::string path;
    if (stack_.empty()) {
      if (source_ == sources_.size()) return std::nullopt;
      path = sources_[source_++];
    } else {
      Folder& folder = stack_.back();
      if (folder.at == folder.names.size()) {
        stack_.pop_back();
        continue;
      }
      path = (folder.path == "/" ? "" : folder.path) + "/" + folder.names[folder.at++];
    }
    if (auto entry = visit(path)) return entry;
  }
}

/// The entry at `path`, or nullopt when it is a folder that was entered.
std::optional<Entry> Walk::visit(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return Entry{EntryKind::vanished, path, 0, utc_from(0, 0), reason(errno)};
  if (!S_ISDIR(info.st_mode)) return entry_of(kind_of(info.st_mode), path, info);
  auto problem = enter(path, info.st_dev, info.st_ino);
  if (problem) problem->mtime = utc_from(info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  return problem;
}

std::optional<Entry> Walk::enter(const std::string& path, std::uint64_t device, std::uint64_t inode) {
  if (!seen_.insert({device, inode}).second)
    return Entry{EntryKind::folder_loop, path, 0, {}, "the folder was met before"};
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path.c_str()), closedir);
  if (!dir) return Entry{EntryKind::unreadable_folder, path, 0, {}, reason(errno)};
  Folder folder{path, {}, 0};
  for (;;) {
    errno = 0;
    const dirent* item = readdir(dir.get());
    if (item == nullptr) {
      if (errno != 0) return Entry{EntryKind::unreadable_folder, path, 0, {}, reason(errno)};
      break;
    }
    const std::string_view name = item->d_name;
    if (name != "." && name != "..") folder.names.emplace_back(name);
  }
  std::sort(folder.names.begin(), folder.names.end());
  stack_.push_back(std::move(folder));
  return std::nullopt;
}

}  // namespace waybill::scan
