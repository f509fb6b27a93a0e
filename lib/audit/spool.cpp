// SPDX-License-Identifier: Apache-2.0
#include "audit/spool.hpp"

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>

namespace waybill::audit {
namespace {

constexpr std::string_view kBehind = ".msg";
constexpr std::size_t kTimeDigits = 20, kNumberDigits = 10;

std::string padded(std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return text;
}

}  // namespace

Spool::Spool(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  if (std::filesystem::create_directories(folder_, error))
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  if (error) io::throw_errno("make the spool folder", folder_, error.value());
  struct stat info {};
  if (::stat(folder_.c_str(), &info) != 0) io::throw_errno("examine the spool folder", folder_, errno);
  if ((info.st_mode & 077U) != 0)
    throw RunError(Exit::usage, "the audit spool " + path_to_text(folder_.string()) +
                                    " holds patient data and is open to others; run chmod 700 on it");
}

void Spool::put(std::uint64_t microseconds, const std::string& run, std::uint64_t sequence,
                const std::string& message) {
  const std::string name =
      padded(microseconds, kTimeDigits) + "_" + run + "_" + padded(sequence, kNumberDigits) + std::string(kBehind);
  io::AtomicFile file(folder_ / name);
  file.write(as_bytes(message));
  file.name_before_sync();  // a killed run loses nothing; after a power failure the numbers tell
}

std::vector<std::string> Spool::names() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name.ends_with(kBehind)) out.push_back(std::move(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string Spool::read(const std::string& name) const {
  const auto bytes = io::read_file(folder_ / name, std::uint64_t{64} << 20U);
  if (!bytes) throw RunError(Exit::input, "the spooled audit message " + name + " " + bytes.error().what);
  return std::string(as_text(*bytes));
}

void Spool::remove(const std::string& name) {
  if (::unlink((folder_ / name).c_str()) != 0 && errno != ENOENT) io::throw_errno("remove", folder_ / name, errno);
}

bool Spool::lock() {
  if (lock_) return true;
  io::Descriptor fd = io::open_file(folder_ / ".lock", O_RDWR | O_CREAT | O_NOFOLLOW);
  if (!fd) io::throw_errno("open", folder_ / ".lock", errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
  lock_ = std::move(fd);
  return true;
}

std::vector<std::string> Spool::gaps(const std::vector<std::string>& names) {
  std::map<std::string, std::uint64_t> last;
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto parts = split(std::string_view(name).substr(0, name.size() - kBehind.size()), '_');
    if (parts.size() != 3) continue;
    const std::uint64_t number = std::strtoull(std::string(parts[2]).c_str(), nullptr, 10);
    const std::string run(parts[1]);
    const auto at = last.find(run);
    if (at != last.end() && number > at->second + 1) {
      const bool one = number == at->second + 2;
      out.push_back("run " + run + " lacks message" + (one ? " " : "s ") + std::to_string(at->second + 1) +
                    (one ? "" : " to " + std::to_string(number - 1)));
    }
    last[run] = number;
  }
  return out;
}

}  // namespace waybill::audit
