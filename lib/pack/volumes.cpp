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
constexpr std::string_view kSealed = ".sealed";
constexpr std::uint64_t kEndRoom = 64;  // the frame that ends a tar file
constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

std::optional<std::uint32_t> number_of(std::string_view name) {
  if (name.ends_with(kSealed)) name.remove_suffix(kSealed.size());
  if (!name.starts_with(kBefore) || !name.ends_with(kBehind)) return std::nullopt;
  name.remove_prefix(kBefore.size());
  name.remove_suffix(kBehind.size());
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

std::string volume_name(std::uint32_t number, bool sealed) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return std::string(kBefore) + digits + std::string(kBehind) + std::string(sealed ? kSealed : "");
}

bool is_volume_name(std::string_view name) {
  const auto number = number_of(name);
  return number && (name == volume_name(*number) || name == volume_name(*number, true));
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
    : folder_(std::move(folder)), most_(most), encoder_(level), key_(manifest::keys_in_use().write_to) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) io::throw_errno("make folder", folder_, error.value());
}

Volumes::~Volumes() = default;  // a future of std::async waits

std::vector<std::uint32_t> Volumes::numbers() const {
  std::vector<std::uint32_t> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (const auto number = number_of(name); number && name == volume_name(*number, key_ != nullptr))
      out.push_back(*number);
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// Plain and sealed ones.
bool Volumes::any() const {
  const std::filesystem::directory_iterator all(folder_);
  return std::any_of(begin(all), end(all),
                     [](const auto& entry) { return number_of(entry.path().filename().string()).has_value(); });
}

void Volumes::clear() {
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (!number_of(entry.path().filename().string())) continue;
    if (::unlink(entry.path().c_str()) != 0) io::throw_errno("remove", entry.path(), errno);
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
  const auto is_told = [&](std::uint32_t number) {
    return std::ranges::count(known, volume_name(number, key_ != nullptr), &manifest::Volume::name) > 0;
  };
  for (std::uint32_t number = 1; number < number_; ++number) {
    if (!is_told(number)) read_back(number);
  }
  if (is_told(number_)) return;  // whole, with its end behind the last content: what follows goes into the next
  const auto path = path_of(number_);
  fd_ = io::open_file(path, O_RDWR | O_NOFOLLOW);
  if (!fd_) io::throw_errno("continue", path, errno);
  size_ = last->offset + last->length;
  cut_behind_recorded();
}

/// Cuts the open volume behind its first `size_` plain bytes, which are there.
void Volumes::cut_behind_recorded() {
  const auto path = path_of(number_);
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) io::throw_errno("examine", path, errno);
  const auto shorter = [&]() {
    return RunError(Exit::integrity,
                    "volume " + path_to_text(path.string()) +
                        " is shorter than its manifest says; keep it, and start over with --restart or "
                        "in another folder");
  };
  if (key_ == nullptr) {
    if (static_cast<std::uint64_t>(info.st_size) < size_) throw shorter();
    return cut(size_);
  }
  Bytes head(manifest::kEnvelopeHead);
  if (io::read_some(fd_.get(), head, path) < head.size()) throw shorter();
  envelope_.emplace(head, path);
  std::uint64_t plain = 0, physical = manifest::kEnvelopeHead;
  records_ = 0;
  for (const SealedRecord& record : records_of(fd_.get())) {
    if (plain >= size_) break;
    ++records_;
    plain = record.plain + record.size;
    physical = record.physical + record.size + manifest::kEnvelopeExtra;
  }
  if (plain != size_) throw shorter();
  cut(physical);
}

/// Cuts the file and goes on at its end.
void Volumes::cut(std::uint64_t physical) {
  const auto path = path_of(number_);
  if (::ftruncate(fd_.get(), static_cast<off_t>(physical)) != 0) io::throw_errno("cut the end of", path, errno);
  if (::lseek(fd_.get(), static_cast<off_t>(physical), SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  physical_ = physical;
}

void Volumes::open_next() {
  ++number_;
  size_ = physical_ = 0;
  records_ = 0;
  fd_ = io::open_file(path_of(number_), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!fd_) io::throw_errno("create", path_of(number_), errno);
  io::sync_folder(folder_);
  if (key_ == nullptr) return;
  envelope_.emplace(*key_);
  io::write_all(fd_.get(), envelope_->head(), path_of(number_));
  physical_ = manifest::kEnvelopeHead;
}

void Volumes::make_room(std::uint64_t bytes) {
  if (broken_) throw RunError(Exit::internal, "a write to volumes after a failure");
  const std::uint64_t more = bytes + kEndRoom + (key_ == nullptr ? 0 : sealing_adds(bytes) + sealing_adds(kEndRoom));
  if (fd_ && size_ > 0 && physical_ + more > most_) end_volume();
  if (!fd_) open_next();
}

void Volumes::put(ByteView bytes) {
  broken_ = true;  // until it went well
  for (ByteView left = bytes; !left.empty();) {
    const ByteView piece = key_ == nullptr ? left : left.first(std::min(left.size(), kMostOfRecord));
    const ByteView written = key_ == nullptr ? piece : envelope_->seal(records_++, piece);
    io::write_all(fd_.get(), written, path_of(number_));
    physical_ += written.size();
    left = left.subspan(piece.size());
  }
  broken_ = false;
  size_ += bytes.size();
}

manifest::Place Volumes::add(ByteView frame, std::uint64_t size, const std::string& sha256) {
  make_room(frame.size());
  const std::uint64_t offset = size_;
  put(frame);
  return {volume_name(number_, key_ != nullptr), offset, frame.size(), size, sha256};
}

std::optional<manifest::Place> Volumes::add_stream(std::uint64_t bound, std::uint64_t size, const std::string& sha256,
                                                   const Write& write) {
  make_room(bound);
  const std::uint64_t offset = size_, physical = physical_;
  const std::uint32_t records = records_;
  if (write([this](ByteView bytes) { put(bytes); }))
    return manifest::Place{volume_name(number_, key_ != nullptr), offset, size_ - offset, size, sha256};
  cut(physical);
  size_ = offset;
  records_ = records;
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
