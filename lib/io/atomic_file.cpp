// SPDX-License-Identifier: Apache-2.0
#include "io/atomic_file.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

namespace waybill::io {

AtomicFile::AtomicFile(std::filesystem::path path, unsigned mode)
    : path_(std::move(path)), part_(path_.parent_path() / ("." + path_.filename().string() + ".part")) {
  // A part file of a killed run is removed, never followed: it may be a link someone laid there.
  if (::unlink(part_.c_str()) != 0 && errno != ENOENT) throw_errno("replace", part_, errno);
  fd_ = open_file(part_, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  if (!fd_) throw_errno("create", part_, errno);
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(part_.c_str());
}

void AtomicFile::usable() const {
  if (!fd_) throw RunError(Exit::internal, "a write to " + path_to_text(path_.native()) + " after its end or failure");
}

void AtomicFile::write(ByteView bytes) {
  usable();
  try {
    write_all(fd_.get(), bytes, path_);
  } catch (...) {
    fd_.reset();
    throw;
  }
}

void AtomicFile::name_before_sync() {
  usable();
  (void)::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);  // a beginning; what fails the sync will tell
  fd_.reset();
  if (std::rename(part_.c_str(), path_.c_str()) != 0) throw_errno("rename the part file to", path_, errno);
  committed_ = true;
}

FilesystemSync::FilesystemSync(const std::filesystem::path& folder)
    : folder_(folder), fd_(open_file(folder, O_RDONLY | O_DIRECTORY)) {
  if (!fd_) throw_errno("open", folder, errno);
}

void FilesystemSync::operator()() const {
  if (::syncfs(fd_.get()) != 0) throw_errno("sync", folder_, errno);
}

void AtomicFile::commit(FolderSync folder) {
  usable();
  const Descriptor last = std::move(fd_);
  sync_all(last.get(), path_);
  if (std::rename(part_.c_str(), path_.c_str()) != 0) throw_errno("rename the part file to", path_, errno);
  committed_ = true;
  if (folder == FolderSync::now) sync_folder(folder_of(path_));
}

}  // namespace waybill::io
