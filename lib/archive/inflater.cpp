// SPDX-License-Identifier: Apache-2.0
#include "archive/inflater.hpp"

#include "core/text.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <system_error>

namespace waybill::archive {

Result<Bytes> Input::range(std::uint64_t at, std::size_t length) const {
  if (at > size_) return Bytes{};
  length = static_cast<std::size_t>(std::min<std::uint64_t>(length, size_ - at));
  if (fd_ < 0) {
    const ByteView part = memory_.subspan(at, length);
    return Bytes(part.begin(), part.end());
  }
  Bytes out(length);
  std::size_t done = 0;
  while (done < length) {
    const ssize_t n = ::pread(fd_, out.data() + done, length - done, static_cast<off_t>(at + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failure{Fault::unreadable, "cannot be read: " + std::generic_category().message(errno)};
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

Result<ByteView> Input::next_block() {
  auto block = range(given_, kBlock);
  if (!block) return block.error();
  block_ = *std::move(block);
  sha_.update(block_);
  given_ += block_.size();
  return ByteView(block_);
}

Result<std::string> Input::digest() {
  if (fd_ < 0) return Sha256::of(memory_).hex();
  for (;;) {
    const auto block = next_block();
    if (!block) return block.error();
    if (block->empty()) return sha_.finish().hex();
  }
}

struct Inflater::State {
  struct Closer {
    void operator()(::archive* a) const noexcept { archive_read_free(a); }
  };
  std::unique_ptr<::archive, Closer> reader{archive_read_new()};
  Input* input = nullptr;

  [[nodiscard]] std::string why() const {
    const char* text = archive_error_string(reader.get());
    return text == nullptr ? "it is damaged" : repair_utf8(text);
  }

  static la_ssize_t on_read(::archive* a, void* self, const void** buffer) {
    const auto block = static_cast<State*>(self)->input->next_block();
    if (!block) {
      archive_set_error(a, EIO, "%s", block.error().what.c_str());
      return ARCHIVE_FATAL;
    }
    *buffer = block->data();
    return static_cast<la_ssize_t>(block->size());
  }
};

Inflater::Inflater() : state_(std::make_unique<State>()) {}
Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

Result<Inflater> Inflater::of(Input& input, Container container) {
  Inflater out;
  ::archive* a = out.state_->reader.get();
  out.state_->input = &input;
  switch (container) {
    case Container::gzip: archive_read_support_filter_gzip(a); break;
    case Container::bzip2: archive_read_support_filter_bzip2(a); break;
    case Container::xz: archive_read_support_filter_xz(a); break;
    case Container::zstd: archive_read_support_filter_zstd(a); break;
    default: return Failure{Fault::unsupported, "is not a compressed file"};
  }
  archive_read_support_format_raw(a);
  archive_read_support_format_empty(a);
  const int opened = input.fd() < 0
                         ? archive_read_open_memory2(a, input.memory().data(), input.memory().size(), Input::kBlock)
                         : archive_read_open(a, out.state_.get(), nullptr, &State::on_read, nullptr);
  if (opened < ARCHIVE_WARN) return Failure{Fault::unreadable, out.state_->why()};
  if (archive_filter_code(a, 0) == ARCHIVE_FILTER_NONE)
    return Failure{Fault::unreadable, "begins as a " + std::string(to_string(container)) + " file but is none"};
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(a, &entry);
  if (status < ARCHIVE_WARN) return Failure{Fault::unreadable, out.state_->why()};
  out.ended_ = status == ARCHIVE_EOF;  // nothing was compressed
  return out;
}

std::uint64_t Inflater::consumed() const noexcept {
  return static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_filter_bytes(state_->reader.get(), -1)));
}

Result<ByteView> Inflater::next() {
  if (total_ > limit_) return Failure{Fault::limit, "inflates to more than " + std::to_string(limit_) + " bytes"};
  while (!ended_) {
    // Block by block and not archive_read_data(), which loses what came before the damage.
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(state_->reader.get(), &data, &size, &offset);
    if (status == ARCHIVE_RETRY) continue;
    ended_ = status == ARCHIVE_EOF;
    if (ended_) break;
    if (status < ARCHIVE_WARN) return Failure{Fault::unreadable, state_->why()};
    if (size == 0) continue;
    total_ += size;
    return ByteView(static_cast<const std::byte*>(data), size);
  }
  return ByteView{};
}

}  // namespace waybill::archive
