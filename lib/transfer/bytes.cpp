// SPDX-License-Identifier: Apache-2.0
#include "transfer/bytes.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace waybill::transfer {

namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

Failure unreadable(const std::string& path) {
  return {Fault::unreadable, path_to_text(path) + " cannot be read: " + std::strerror(errno)};
}

}  // namespace

Result<SendFile> source_file(const manifest::Object& object) {
  if (object.source.member) {
    return Failure{Fault::unsupported, "the object is inside a container; stage it with waybill-transcode first"};
  }
  return SendFile{path_from_text(object.source.path), object.source.offset, object.source.size,
                  object.file_sha256.value_or(""), object.transfer_syntax.value_or("")};
}

Result<SendFile> file_to_send(const manifest::Object& object) {
  if (!object.transcode || object.transcode->path.empty()) return source_file(object);
  const manifest::Transcode& staged = *object.transcode;
  return SendFile{path_from_text(staged.path), 0, std::nullopt, staged.file_sha256,
                  staged.to.empty() ? object.transfer_syntax.value_or("") : staged.to};
}

Result<Bytes> read_checked(const SendFile& file) {
  const Descriptor descriptor(file.path);
  struct stat info {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &info) != 0) return unreadable(file.path);
  const auto present = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t size = file.size.value_or(present);
  if (file.offset > present || size > present - file.offset) {
    return Failure{Fault::mismatch, path_to_text(file.path) + " is shorter than when it was scanned"};
  }
  Bytes bytes(size);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got =
        ::pread(descriptor.get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(file.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(file.path);
    if (got == 0) return Failure{Fault::mismatch, path_to_text(file.path) + " became shorter while it was read"};
    at += static_cast<std::size_t>(got);
  }
  if (!file.sha256.empty() && Sha256::of(ByteView(bytes)).hex() != file.sha256) {
    return Failure{Fault::mismatch,
                   path_to_text(file.path) + " has other bytes than the manifest says (SHA-256 differs)"};
  }
  return bytes;
}

Result<std::uint64_t> dataset_offset(ByteView file) {
  if (const auto meta = dicom::read_meta(file)) return meta->dataset_offset;
  const auto parsed = dicom::parse_file(file);
  if (!parsed) return parsed.error();
  const ByteView dataset = parsed->dataset.bytes();
  const bool inside = !dataset.empty() && dataset.data() >= file.data() && dataset.data() < file.data() + file.size();
  if (!inside) return Failure{Fault::unsupported, "where the dataset begins in the file is not known"};
  return static_cast<std::uint64_t>(dataset.data() - file.data());
}

}  // namespace waybill::transfer
