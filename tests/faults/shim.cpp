// SPDX-License-Identifier: Apache-2.0
// Preloaded into a tool, makes one of its system calls on files fail: the disk that is full, the mount that went away.
// tests/faults/run says which; see there.
//
//   FAULT_PROGRAM  the program it acts in, by name; a tool's children are left alone
//   FAULT_UNDER    only calls on files below this folder count
//   FAULT_COUNTS   where the program writes how many calls of each class it made, "class number" a line, when it ends
//   FAULT          CLASS:N:HOW, the N-th call of a class (from 1) fails; with a trailing '+' all from there on.
//                  HOW is the name of an error, or "short": half of the bytes asked for are read or written.
//                  CLASS mount: from the N-th call on anything below FAULT_MOUNT on, all of them fail
//
// Not async-signal-safe, and no part of the product.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

enum Class { kOpen, kRead, kWrite, kSync, kClose, kRename, kUnlink, kMkdir, kStat, kSize, kList, kMount, kClasses };
constexpr std::array<const char*, kClasses> kNames = {"open",   "read",  "write", "sync", "close", "rename",
                                                      "unlink", "mkdir", "stat",  "size", "list",  "mount"};
constexpr int kMostFiles = 4096;
constexpr int kShort = -1;

std::array<std::atomic<int>, kClasses> counts;
std::array<std::atomic<bool>, kMostFiles> followed;
std::array<std::atomic<bool>, kMostFiles> mounted;  // below FAULT_MOUNT

struct Plan {
  bool active = false;
  std::string under, counts, mount;
  int what = -1, at = 0, error = 0;
  bool sticky = false;
};

int error_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, int>, 9> kErrors = {{{"EIO", EIO},
                                                                        {"ENOSPC", ENOSPC},
                                                                        {"EDQUOT", EDQUOT},
                                                                        {"EINTR", EINTR},
                                                                        {"ESTALE", ESTALE},
                                                                        {"EAGAIN", EAGAIN},
                                                                        {"EACCES", EACCES},
                                                                        {"ENOMEM", ENOMEM},
                                                                        {"short", kShort}}};
  for (const auto& [known, number] : kErrors)
    if (name == known) return number;
  std::fprintf(stderr, "shim: no error %.*s\n", static_cast<int>(name.size()), name.data());
  std::abort();
}

Plan read_plan() {
  Plan plan;
  const char* program = std::getenv("FAULT_PROGRAM");
  if (program == nullptr || std::strcmp(program, program_invocation_short_name) != 0) return plan;
  plan.active = true;
  if (const char* v = std::getenv("FAULT_UNDER")) plan.under = v;
  if (const char* v = std::getenv("FAULT_COUNTS")) plan.counts = v;
  if (const char* v = std::getenv("FAULT_MOUNT")) plan.mount = v;
  if (const char* v = std::getenv("FAULT")) {
    const std::string_view text = v;
    const auto first = text.find(':');
    const auto second = text.find(':', first + 1);
    for (int c = 0; c < kClasses; ++c)
      if (text.substr(0, first) == kNames[static_cast<std::size_t>(c)]) plan.what = c;
    plan.at = std::atoi(v + first + 1);
    std::string_view how = text.substr(second + 1);
    plan.sticky = how.ends_with('+');
    if (plan.sticky) how.remove_suffix(1);
    plan.error = error_of(how);
  }
  return plan;
}

const Plan& plan() {
  static const Plan* const read = new Plan(read_plan());
  return *read;
}

struct AtEnd {
  ~AtEnd() {
    if (!plan().active || plan().counts.empty()) return;
    std::FILE* out = std::fopen(plan().counts.c_str(), "w");
    for (std::size_t c = 0; out != nullptr && c < kClasses; ++c)
      std::fprintf(out, "%s %d\n", kNames[c], counts[c].load());
    if (out != nullptr) std::fclose(out);
  }
} at_end;

bool is_among(const std::array<std::atomic<bool>, kMostFiles>& files, int fd) {
  return fd >= 0 && fd < kMostFiles && files[static_cast<std::size_t>(fd)];
}

/// Relative names are those of the folder in which the tool is started, which is the one that counts.
bool lies_in(const std::string& place, const std::array<std::atomic<bool>, kMostFiles>& files, int folder,
             const char* path) {
  if (!plan().active || path == nullptr || place.empty()) return false;
  if (path[0] == '/') {
    const std::string_view name = path;
    return name.starts_with(place) && (name.size() == place.size() || name[place.size()] == '/');
  }
  return folder == AT_FDCWD ? plan().under == place : is_among(files, folder);
}

/// A file, by descriptor or name.
struct File {
  explicit File(int fd) : follow(is_among(followed, fd)), on_mount(is_among(mounted, fd)) {}
  File(int folder, const char* path)
      : follow(lies_in(plan().under, followed, folder, path)), on_mount(lies_in(plan().mount, mounted, folder, path)) {}
  bool follow, on_mount;
};

/// 0: goes on as asked. Else the error, or kShort.
int fault(const File& file, Class what) {
  if (!file.follow) return 0;
  const int n = ++counts[what];
  if (file.on_mount) {
    const int m = ++counts[kMount];
    if (plan().what == kMount && m >= plan().at) return plan().error;
  }
  if (plan().what != what) return 0;
  return n == plan().at || (plan().sticky && n > plan().at) ? plan().error : 0;
}

bool fails(const File& file, Class what) {
  const int error = fault(file, what);
  if (error <= 0) return false;
  errno = error;
  return true;
}

template <typename F>
F* real(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

int note(int fd, const File& file) {
  if (fd < 0 || fd >= kMostFiles) return fd;
  followed[static_cast<std::size_t>(fd)] = file.follow;
  mounted[static_cast<std::size_t>(fd)] = file.on_mount;
  return fd;
}

int open_any(int folder, const char* path, int flags, mode_t mode) {
  static auto* const next = real<int(int, const char*, int, mode_t)>("openat");
  const File file(folder, path);
  if (fails(file, kOpen)) return -1;
  return note(next(folder, path, flags, mode), file);
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? static_cast<mode_t>(va_arg(arguments, int)) : 0;
}

/// Bytes to read or write of `size`, or -1 with errno.
ssize_t allowed(Class what, int fd, std::size_t size) {
  const int error = fault(File(fd), what);
  if (error == 0) return static_cast<ssize_t>(size);
  if (error == kShort) return static_cast<ssize_t>(size > 1 ? size / 2 : size);
  errno = error;
  return -1;
}

}  // namespace

#define NEXT(name) static auto* const next = real<decltype(name)>(#name)
#define MODE(flags)                              \
  va_list arguments;                             \
  va_start(arguments, flags);                    \
  const mode_t mode = mode_of(flags, arguments); \
  va_end(arguments)

extern "C" {

int open(const char* path, int flags, ...) {
  MODE(flags);
  return open_any(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  MODE(flags);
  return open_any(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  MODE(flags);
  return open_any(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  MODE(flags);
  return open_any(folder, path, flags, mode);
}

ssize_t read(int fd, void* to, size_t size) {
  NEXT(read);
  const ssize_t n = allowed(kRead, fd, size);
  return n < 0 ? n : next(fd, to, static_cast<size_t>(n));
}
ssize_t pread(int fd, void* to, size_t size, off_t at) {
  NEXT(pread);
  const ssize_t n = allowed(kRead, fd, size);
  return n < 0 ? n : next(fd, to, static_cast<size_t>(n), at);
}
ssize_t pread64(int fd, void* to, size_t size, off64_t at) {
  NEXT(pread64);
  const ssize_t n = allowed(kRead, fd, size);
  return n < 0 ? n : next(fd, to, static_cast<size_t>(n), at);
}
ssize_t write(int fd, const void* from, size_t size) {
  NEXT(write);
  const ssize_t n = allowed(kWrite, fd, size);
  return n < 0 ? n : next(fd, from, static_cast<size_t>(n));
}
ssize_t pwrite(int fd, const void* from, size_t size, off_t at) {
  NEXT(pwrite);
  const ssize_t n = allowed(kWrite, fd, size);
  return n < 0 ? n : next(fd, from, static_cast<size_t>(n), at);
}
ssize_t pwrite64(int fd, const void* from, size_t size, off64_t at) {
  NEXT(pwrite64);
  const ssize_t n = allowed(kWrite, fd, size);
  return n < 0 ? n : next(fd, from, static_cast<size_t>(n), at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  NEXT(writev);
  const ssize_t n = allowed(kWrite, fd, 2);
  if (n < 0) return n;
  return n == 2 || count == 0 ? next(fd, parts, count) : ::write(fd, parts->iov_base, parts->iov_len);
}

int fsync(int fd) {
  NEXT(fsync);
  return fails(File(fd), kSync) ? -1 : next(fd);
}
int fdatasync(int fd) {
  NEXT(fdatasync);
  return fails(File(fd), kSync) ? -1 : next(fd);
}
int syncfs(int fd) noexcept {
  NEXT(syncfs);
  return fails(File(fd), kSync) ? -1 : next(fd);
}
int sync_file_range(int fd, off64_t at, off64_t size, unsigned flags) {
  NEXT(sync_file_range);
  return fails(File(fd), kSync) ? -1 : next(fd, at, size, flags);
}

/// The descriptor is closed whatever it says, as Linux does it.
int close(int fd) {
  NEXT(close);
  const int error = fault(File(fd), kClose);
  if (fd >= 0 && fd < kMostFiles)
    followed[static_cast<std::size_t>(fd)] = mounted[static_cast<std::size_t>(fd)] = false;
  const int out = next(fd);
  if (error <= 0) return out;
  errno = error;
  return -1;
}

int rename(const char* from, const char* to) noexcept {
  NEXT(rename);
  return fails(File(AT_FDCWD, to), kRename) ? -1 : next(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  NEXT(renameat);
  return fails(File(to_folder, to), kRename) ? -1 : next(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  NEXT(renameat2);
  return fails(File(to_folder, to), kRename) ? -1 : next(from_folder, from, to_folder, to, flags);
}
int link(const char* from, const char* to) noexcept {
  NEXT(link);
  return fails(File(AT_FDCWD, to), kRename) ? -1 : next(from, to);
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  NEXT(linkat);
  return fails(File(to_folder, to), kRename) ? -1 : next(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) noexcept {
  NEXT(unlink);
  return fails(File(AT_FDCWD, path), kUnlink) ? -1 : next(path);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  NEXT(unlinkat);
  return fails(File(folder, path), kUnlink) ? -1 : next(folder, path, flags);
}
int remove(const char* path) noexcept {
  NEXT(remove);
  return fails(File(AT_FDCWD, path), kUnlink) ? -1 : next(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  NEXT(mkdir);
  return fails(File(AT_FDCWD, path), kMkdir) ? -1 : next(path, mode);
}

int stat(const char* path, struct stat* to) noexcept {
  NEXT(stat);
  return fails(File(AT_FDCWD, path), kStat) ? -1 : next(path, to);
}
int lstat(const char* path, struct stat* to) noexcept {
  NEXT(lstat);
  return fails(File(AT_FDCWD, path), kStat) ? -1 : next(path, to);
}
int fstat(int fd, struct stat* to) noexcept {
  NEXT(fstat);
  return fails(File(fd), kStat) ? -1 : next(fd, to);
}
int fstatat(int folder, const char* path, struct stat* to, int flags) noexcept {
  NEXT(fstatat);
  return fails(File(folder, path), kStat) ? -1 : next(folder, path, to, flags);
}

int ftruncate(int fd, off_t size) noexcept {
  NEXT(ftruncate);
  return fails(File(fd), kSize) ? -1 : next(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  NEXT(ftruncate64);
  return fails(File(fd), kSize) ? -1 : next(fd, size);
}
int fallocate(int fd, int mode, off_t at, off_t size) {
  NEXT(fallocate);
  return fails(File(fd), kSize) ? -1 : next(fd, mode, at, size);
}
int posix_fallocate(int fd, off_t at, off_t size) {
  NEXT(posix_fallocate);
  const int error = fault(File(fd), kSize);
  return error > 0 ? error : next(fd, at, size);
}

DIR* opendir(const char* path) {
  NEXT(opendir);
  const File file(AT_FDCWD, path);
  if (fails(file, kList)) return nullptr;
  DIR* out = next(path);
  if (out != nullptr) note(dirfd(out), file);
  return out;
}
DIR* fdopendir(int fd) {
  NEXT(fdopendir);
  return fails(File(fd), kList) ? nullptr : next(fd);
}
dirent* readdir(DIR* folder) {
  NEXT(readdir);
  return fails(File(dirfd(folder)), kList) ? nullptr : next(folder);
}
dirent64* readdir64(DIR* folder) {
  NEXT(readdir64);
  return fails(File(dirfd(folder)), kList) ? nullptr : next(folder);
}

}  // extern "C"
