// SPDX-License-Identifier: Apache-2.0
#include "pack/restore.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>

namespace waybill::pack {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 18U;

Failure system_failure(const char* what, int error) {
  return {Fault::refused, std::string(what) + ": " + std::generic_category().message(error)};
}

/// A full disk or a broken one ends the run; what is in the way of one file is that file's failure.
bool ends_the_run(int error) { return error == ENOSPC || error == EDQUOT || error == EIO || error == EROFS; }

Result<Done> check_parts(const std::string& path) {
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos)
      return Failure{Fault::refused, "its name leads out of a folder or is none"};
  }
  return Done{};
}

/// Opens below `root` without following a link; works on every kernel since 5.6.
int open_beneath(int root, const char* path, std::uint64_t flags, std::uint64_t mode = 0) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = ::syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || (errno != EINTR && errno != EAGAIN)) return static_cast<int>(fd);
  }
}

/// "2019-05-02T08:11:00.000000000Z" as the system wants it.
bool time_from(const std::string& text, timespec& out) {
  tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return false;
  out.tv_sec = ::timegm(&parts);
  out.tv_nsec = 0;
  if (*rest != '.') return true;
  long scale = 100'000'000;
  for (++rest; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) out.tv_nsec += (*rest - '0') * scale;
  return true;
}

}  // namespace

Result<std::string> restored_path(const manifest::Source& source, bool whole, const std::string& root) {
  std::string path = path_from_text(source.path);
  std::string below = path_from_text(root);
  if (!below.empty() && below.back() != '/') below += '/';
  if (!below.empty() && path.size() > below.size() && path.starts_with(below)) {
    path.erase(0, below.size());
  } else if (path.starts_with('/')) {
    path.erase(0, 1);
  }
  if (!whole && source.member) path += "%/" + path_from_text(*source.member);
  if (!whole && source.offset > 0) path += "%/at-" + std::to_string(source.offset);
  if (auto fine = check_parts(path); !fine) return fine.error();
  return path;
}

Restorer::Restorer(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) io::throw_errno("make folder", folder_, error.value());
  root_ = io::open_file(folder_, O_RDONLY | O_DIRECTORY);
  if (!root_) io::throw_errno("open folder", folder_, errno);
}

Result<io::Descriptor> Restorer::folder_of(const std::string& path, bool make) const {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    io::Descriptor self(open_beneath(root_.get(), ".", O_RDONLY | O_DIRECTORY));
    if (!self) return system_failure("the target folder cannot be opened", errno);
    return self;
  }
  const std::string folder = path.substr(0, slash);
  io::Descriptor fd(open_beneath(root_.get(), folder.c_str(), O_RDONLY | O_DIRECTORY));
  if (!fd && errno == ENOENT && make) {
    auto above = folder_of(folder, true);
    if (!above) return above.error();
    const std::string name = folder.substr(folder.rfind('/') + 1);
    if (::mkdirat(above->get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
      if (ends_the_run(errno)) io::throw_errno("make a folder in", folder_, errno);
      return system_failure("its folder cannot be made", errno);
    }
    fd = io::Descriptor(open_beneath(root_.get(), folder.c_str(), O_RDONLY | O_DIRECTORY));
  }
  if (!fd) return system_failure("its folder cannot be opened", errno);
  return fd;
}

Restorer::File::File(const Restorer& restorer, io::Descriptor folder, std::string name)
    : restorer_(&restorer), folder_(std::move(folder)), name_(std::move(name)) {
  static std::atomic<std::uint64_t> serial{0};
  part_ = ".waybill-" + std::to_string(::getpid()) + "-" + std::to_string(++serial) + ".part";
  fd_ = io::Descriptor(
      ::openat(folder_.get(), part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd_) io::throw_errno("create a file in", restorer_->folder_, errno);
}

Restorer::File::File(File&& other) noexcept
    : restorer_(other.restorer_),
      folder_(std::move(other.folder_)),
      name_(std::move(other.name_)),
      part_(std::exchange(other.part_, {})),
      fd_(std::move(other.fd_)) {}

Restorer::File::~File() {
  if (folder_ && !part_.empty()) ::unlinkat(folder_.get(), part_.c_str(), 0);
}

void Restorer::File::write(ByteView bytes) { io::write_all(fd_.get(), bytes, restorer_->folder_); }

void Restorer::File::close(const std::string& mtime) {
  std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, timespec{}};
  if (time_from(mtime, times[1])) (void)::futimens(fd_.get(), times.data());  // a nicety, not a promise
  fd_.reset();
}

Result<Done> Restorer::File::name() {
  if (::linkat(folder_.get(), part_.c_str(), folder_.get(), name_.c_str(), 0) == 0) return Done{};  // part goes later
  const int error = errno;
  if (error == EEXIST) return Failure{Fault::refused, "something else is there already"};
  // Some file systems have no hard links.
  if (::renameat2(folder_.get(), part_.c_str(), folder_.get(), name_.c_str(), RENAME_NOREPLACE) == 0) {
    part_.clear();
    return Done{};
  }
  if (ends_the_run(errno)) io::throw_errno("name a file in", restorer_->folder_, errno);
  return system_failure("it cannot get its name", errno);
}

Result<Restorer::File> Restorer::create(const std::string& path) const {
  auto folder = folder_of(path, true);
  if (!folder) return folder.error();
  return File(*this, *std::move(folder), path.substr(path.rfind('/') + 1));
}

Result<bool> Restorer::holds(const std::string& path, const manifest::Place& content) const {
  const io::Descriptor fd(open_beneath(root_.get(), path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT) return false;
    return system_failure("what is there cannot be opened", errno);
  }
  const Failure other{Fault::mismatch, "another file of its name is there; it is not replaced"};
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      static_cast<std::uint64_t>(info.st_size) != content.size)
    return other;
  Sha256 sha;
  Bytes buffer(kReadBytes);
  while (const std::size_t n = io::read_some(fd.get(), buffer, folder_)) sha.update(ByteView(buffer).first(n));
  if (sha.finish().hex() != content.sha256) return other;
  return true;
}

void Restorer::sync() const {
  if (::syncfs(root_.get()) != 0) io::throw_errno("sync", folder_, errno);
}

}  // namespace waybill::pack
