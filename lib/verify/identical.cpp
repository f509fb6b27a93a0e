// SPDX-License-Identifier: Apache-2.0
// Most targets give back the very bytes they were sent. Then one SHA-256 proves what four digests would: the sent file
// is its head, which does not travel and is read again, and the dataset, which came back. When head and dataset
// together have the digest that the manifest has of the file, pixels, codestream and attributes are those that were
// sent, and nothing need be parsed or decoded. Anything else proves nothing, and the digests decide.
#include "core/sha256.hpp"
#include "dicom/file.hpp"
#include "io/descriptor.hpp"
#include "transfer/bytes.hpp"
#include "verify/compare.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <optional>
#include <span>

namespace waybill::verify {

namespace {

constexpr std::size_t kHead = 4096;  // a preamble and a file meta group take some hundred bytes

/// The file that the object was sent from, unless it was changed on the way or lies in a container.
std::optional<transfer::SendFile> sent_as_it_lies(const manifest::Object& object) {
  if (object.transcode && object.transcode->path.empty()) return std::nullopt;
  if (object.load && !object.load->transfer_syntax.empty()) return std::nullopt;
  const auto file = transfer::file_to_send(object);
  if (!file || file->member || file->sha256.empty()) return std::nullopt;
  return *file;
}

/// Reads at most `into.size()` bytes at the start of the file; 0 when it is not there. Tells how large it is.
std::size_t read_head(const transfer::SendFile& file, std::span<std::byte> into, std::uint64_t& size) {
  const io::Descriptor fd = io::open_file(file.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  size = file.size ? *file.size : static_cast<std::uint64_t>(info.st_size);
  ssize_t got = 0;
  do {
    got = ::pread(fd.get(), into.data(), into.size(), static_cast<off_t>(file.offset));
  } while (got < 0 && errno == EINTR);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

/// The head of the file that was sent, to be hashed together with what came, and the digest that it must give.
struct Head {
  std::array<std::byte, kHead> room{};
  std::size_t size = 0;
  std::string sha256;
  [[nodiscard]] ByteView bytes() const { return ByteView(room).first(size); }
};

/// Nothing where the file cannot be read, or is not what came by its length or transfer syntax.
std::optional<Head> head_of(const net::Received& received, const manifest::Object& object) {
  const auto file = sent_as_it_lies(object);
  if (!file || file->transfer_syntax != received.transfer_syntax) return std::nullopt;
  Head head;
  std::uint64_t size = 0;
  const std::size_t got = read_head(*file, head.room, size);
  const auto meta = dicom::read_meta(ByteView(head.room).first(got));
  if (!meta || meta->dataset_offset > got || meta->transfer_syntax != received.transfer_syntax ||
      meta->dataset_offset + received.dataset.size() != size)
    return std::nullopt;
  head.size = meta->dataset_offset;
  head.sha256 = file->sha256;
  return head;
}

}  // namespace

bool is_identical(const net::Received& received, const manifest::Object& object) {
  const auto head = head_of(received, object);
  if (!head) return false;
  Sha256 sha;
  sha.update(head->bytes());
  sha.update(received.dataset);
  return sha.finish().hex() == head->sha256;
}

std::array<bool, 2> are_identical(const Arrived& a, const Arrived& b) {
  const auto first = head_of(a.received, *a.object), second = head_of(b.received, *b.object);
  if (!first || !second)
    return {first && is_identical(a.received, *a.object), second && is_identical(b.received, *b.object)};
  const auto digests =
      Sha256::of_two({first->bytes(), a.received.dataset}, Sha256::Pieces{second->bytes(), b.received.dataset});
  return {digests[0].hex() == first->sha256, digests[1].hex() == second->sha256};
}

}  // namespace waybill::verify
