// SPDX-License-Identifier: Apache-2.0
#include "pack/volumes.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

namespace waybill::pack {
namespace {

constexpr std::string_view kBefore = "volume-";
constexpr std::string_view kBehind = ".tar.zst";
constexpr std::uint64_t kEndRoom = 64;  // the frame that ends a tar file
constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

std::optional<std::uint32_t> number_of(std::string_view name) {
  if (!name.starts_with(kBefore) || !name.ends_with(kBehind)) return std::nullopt;
  name.remove_prefix(kBefore.size());
  name.remove_suffix(kBehind.size());
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

std::string volume_name(std::uint32_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return std::string(kBefore) + digits + std::string(kBehind);
}

manifest::Volume measure(const std::filesystem::path& volume) {
  const io::Descriptor fd = io::open_file(volume, O_RDONLY | O_NOFOLLOW);
  if (!fd) io::throw_errno("open", volume, errno);
  Sha256 sha;
  manifest::Volume out{volume.filename().string(), 0, {}};
  Bytes buffer(kReadBytes);
  while (const std::size_t n = io::read_some(fd.get(), buffer, volume)) {
    sha.update(ByteView(buffer).first(n));
    out.size += n;
  }
  out.sha256 = sha.finish().hex();
  return out;
}

Volumes::Volumes(std::filesystem::path folder, std::uint64_t most, int level)
    : folder_(std::move(folder)), most_(most), encoder_(level) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) io::throw_errno("make folder", folder_, error.value());
}

Volumes::~Volumes() = default;  // a future of std::async waits

std::vector<std::uint32_t> Volumes::numbers() const {
  std::vector<std::uint32_t> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (const auto number = number_of(entry.path().filename().string())) out.push_back(*number);
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool Volumes::any() const { return !numbers().empty(); }

void Volumes::clear() {
  for (const std::uint32_t number : numbers()) {
    if (::unlink(path_of(number).c_str()) != 0) io::throw_errno("remove", path_of(number), errno);
  }
  io::sync_folder(folder_);
}

void Volumes::go_on(const std::optional<manifest::Place>& last, const std::vector<manifest::Volume>& known) {
  number_ = last ? number_of(last->volume).value_or(0) : 0;
  for (const std::uint32_t number : numbers()) {
    if (number > number_ && ::unlink(path_of(number).c_str()) != 0) io::throw_errno("remove", path_of(number), errno);
  }
  io::sync_folder(folder_);
  if (!last) return;
  const auto path = path_of(number_);
  fd_ = io::open_file(path, O_RDWR | O_NOFOLLOW);
  if (!fd_) io::throw_errno("continue", path, errno);
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) io::throw_errno("examine", path, errno);
  size_ = last->offset + last->length;
  if (static_cast<std::uint64_t>(info.st_size) < size_)
    throw RunError(Exit::integrity, "volume " + path_to_text(path.string()) +
                                        " is shorter than its manifest says; keep it, and start over with --restart or "
                                        "in another folder");
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) io::throw_errno("cut the unrecorded end of", path, errno);
  if (::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  for (std::uint32_t number = 1; number < number_; ++number) {
    const auto told = [&](const manifest::Volume& volume) { return volume.name == volume_name(number); };
    if (std::none_of(known.begin(), known.end(), told)) read_back(number);
  }
}

void Volumes::open_next() {
  ++number_;
  size_ = 0;
  fd_ = io::open_file(path_of(number_), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!fd_) io::throw_errno("create", path_of(number_), errno);
  io::sync_folder(folder_);
}

void Volumes::make_room(std::uint64_t bytes) {
  if (broken_) throw RunError(Exit::internal, "a write to volumes after a failure");
  if (fd_ && size_ > 0 && size_ + bytes + kEndRoom > most_) end_volume();
  if (!fd_) open_next();
}

void Volumes::put(ByteView bytes) {
  broken_ = true;  // until it went well
  io::write_all(fd_.get(), bytes, path_of(number_));
  broken_ = false;
  size_ += bytes.size();
}

manifest::Place Volumes::add(ByteView frame, std::uint64_t size, const std::string& sha256) {
  make_room(frame.size());
  const std::uint64_t offset = size_;
  put(frame);
  return {volume_name(number_), offset, frame.size(), size, sha256};
}

std::optional<manifest::Place> Volumes::add_stream(std::uint64_t bound, std::uint64_t size, const std::string& sha256,
                                                   const Write& write) {
  make_room(bound);
  const std::uint64_t offset = size_;
  if (write([this](ByteView bytes) { put(bytes); }))
    return manifest::Place{volume_name(number_), offset, size_ - offset, size, sha256};
  const auto path = path_of(number_);
  if (::ftruncate(fd_.get(), static_cast<off_t>(offset)) != 0) io::throw_errno("cut", path, errno);
  if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  size_ = offset;
  return std::nullopt;
}

void Volumes::sync() {
  if (!fd_) return;
  broken_ = true;
  io::sync_data(fd_.get(), path_of(number_));
  broken_ = false;
}

void Volumes::end_volume() {
  put(encoder_.encode_end(memory_));
  broken_ = true;
  io::sync_all(fd_.get(), path_of(number_));
  broken_ = false;
  fd_.reset();
  read_back(number_);
}

/// Told when the next one is: then the record's place among the others does not depend on how long reading takes.
void Volumes::read_back(std::uint32_t number) {
  for (auto& before : reading_) ended_.push_back(before.get());
  reading_.clear();
  reading_.push_back(std::async(std::launch::async, [path = path_of(number)] { return measure(path); }));
}

std::vector<manifest::Volume> Volumes::take_ended() { return std::exchange(ended_, {}); }

std::vector<manifest::Volume> Volumes::finish() {
  if (fd_) end_volume();
  for (auto& last : reading_) ended_.push_back(last.get());
  reading_.clear();
  return take_ended();
}

}  // namespace waybill::pack
