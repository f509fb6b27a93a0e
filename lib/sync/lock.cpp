// SPDX-License-Identifier: Apache-2.0
#include "sync/lock.hpp"

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "manifest/member.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace waybill::sync {
namespace {

constexpr std::size_t kMostRead = 4096;

std::string host() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

/// What the file says of its holder, in words.
std::string holder_in(int fd, const std::filesystem::path& file) {
  std::string text(kMostRead, '\0');
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  try {
    const auto word = [&](const char* name) { return path_to_text(manifest::text_member(text, name).value_or("?")); };
    const auto pid = manifest::number_at(text, "/pid");
    return word("name") + ", process " + (pid ? std::to_string(static_cast<long>(*pid)) : "?") + " on " + word("host") +
           " since " + word("start");
  } catch (const RunError&) {  // being written at this moment
    return "a process that has not written its name into " + path_to_text(file.string());
  }
}

}  // namespace

Lock::Lock(const std::filesystem::path& file) {
  fd_ = io::Descriptor(::open(file.c_str(), O_RDWR | O_CREAT, 0600));  // no close-on-exec: stages inherit it
  if (!fd_) io::throw_errno("open", file, errno);
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) io::throw_errno("lock", file, errno);
    throw RunError(Exit::interrupted,
                   "the project is held by " + holder_in(fd_.get(), file) +
                       ", or by a stage it has left behind; nothing was done, run again when it is over");
  }
  JsonWriter w;
  w.begin_object().member("name", "waybill sync").member("pid", ::getpid()).member("host", host());
  w.member("start", utc_now()).end_object();
  const std::string text = w.str() + "\n";
  if (::ftruncate(fd_.get(), 0) != 0) io::throw_errno("write", file, errno);
  io::write_all(fd_.get(), as_bytes(text), file);
}

}  // namespace waybill::sync
