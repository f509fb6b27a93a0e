// SPDX-License-Identifier: Apache-2.0
#include "pack/sealed.hpp"

#include "core/text.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace waybill::pack {

namespace {

constexpr std::size_t kRecordStart = 12;  // magic, number, length
constexpr std::string_view kRecordMagic = "WBR1";

/// All of `into`, or less at the end of the file.
Result<std::size_t> read_at(int fd, std::span<std::byte> into, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return Failure{Fault::unreadable, "the volume cannot be read: " + std::generic_category().message(errno)};
    done += static_cast<std::size_t>(n);
  }
  return done;
}

}  // namespace

std::vector<SealedRecord> records_of(int fd) {
  std::vector<SealedRecord> records;
  SealedRecord next{0, manifest::kEnvelopeHead, 0};
  for (;;) {
    std::array<std::byte, kRecordStart> start{};
    const auto got = read_at(fd, start, next.physical);
    if (!got || *got < start.size()) return records;
    next.size = load_u32(start.data() + 8);
    if (as_text(ByteView(start).first(4)) != kRecordMagic || load_u32(start.data() + 4) != records.size() ||
        next.size == 0 || next.size > kMostOfRecord)
      return records;
    std::array<std::byte, 1> last{};
    const std::uint64_t length = next.size + manifest::kEnvelopeExtra;
    if (const auto end = read_at(fd, last, next.physical + length - 1); !end || *end == 0) return records;
    records.push_back(next);
    next.plain += next.size;
    next.physical += length;
  }
}

Result<std::shared_ptr<OpenVolume>> OpenVolume::open(const std::filesystem::path& path) {
  auto volume = std::make_shared<OpenVolume>();
  volume->fd_ = io::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!volume->fd_)
    return Failure{Fault::unreadable, path_to_text(path.filename().string()) +
                                          " cannot be opened: " + std::generic_category().message(errno) +
                                          "; --volumes names the folder of the volumes"};
  std::array<std::byte, manifest::kEnvelopeHead> head{};
  const auto got = read_at(volume->fd_.get(), head, 0);
  if (!got) return got.error();
  if (*got < head.size() || !manifest::is_sealed(head)) return volume;
  volume->envelope_.emplace(head, path);
  volume->records_ = records_of(volume->fd_.get());
  return volume;
}

Result<std::size_t> OpenVolume::read_plain(std::span<std::byte> into, std::uint64_t offset) const {
  return read_at(fd_.get(), into, offset);
}

Result<std::size_t> OpenVolume::read(std::span<std::byte> into, std::uint64_t offset) {
  if (!envelope_) return read_plain(into, offset);
  const auto behind = std::upper_bound(records_.begin(), records_.end(), offset,
                                       [](std::uint64_t at, const SealedRecord& record) { return at < record.plain; });
  if (behind == records_.begin()) return std::size_t{0};
  const SealedRecord& record = *(behind - 1);
  if (offset >= record.plain + record.size) return std::size_t{0};
  Bytes sealed(record.size + manifest::kEnvelopeExtra);
  const auto got = read_at(fd_.get(), sealed, record.physical);
  if (!got) return got.error();
  const auto number = static_cast<std::uint32_t>(behind - 1 - records_.begin());
  std::optional<Bytes> plain;
  {
    const std::lock_guard lock(mutex_);
    plain = envelope_->open(number, ByteView(sealed).first(*got));
  }
  if (!plain || plain->size() != record.size)
    return Failure{Fault::mismatch, "record " + std::to_string(number) + " of the volume is not authentic"};
  const auto rest = ByteView(*plain).subspan(static_cast<std::size_t>(offset - record.plain));
  const std::size_t size = std::min(into.size(), rest.size());
  std::copy_n(rest.begin(), size, into.begin());
  return size;
}

}  // namespace waybill::pack
