// SPDX-License-Identifier: Apache-2.0
#include "archive/members.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <system_error>
#include <unordered_map>

namespace waybill::archive {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20U;

/// libarchive turns names into the locale's encoding; in UTF-8 they come through as they are.
class Utf8Names {
 public:
  Utf8Names() : before_(::uselocale(locale())) {}
  ~Utf8Names() { ::uselocale(before_); }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  static locale_t locale() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return utf8;
  }
  locale_t before_;
};

std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

bool leads_outside(std::string_view name) {
  if (name.starts_with('/') || name.starts_with('\\') || (name.size() > 1 && name[1] == ':')) return true;
  std::string path(name);
  std::replace(path.begin(), path.end(), '\\', '/');
  const auto parts = split(path, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

MemberKind kind_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr && archive_entry_size(entry) == 0) return MemberKind::hardlink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR: return MemberKind::folder;
    case AE_IFLNK: return MemberKind::symlink;
    case AE_IFREG:
    case 0: return MemberKind::file;
    default: return MemberKind::special;
  }
}

std::string name_of(archive_entry* entry) {
  if (const char* name = archive_entry_pathname(entry)) return name;
  if (const char* name = archive_entry_pathname_utf8(entry)) return name;
  return "unnamed";
}

struct Closer {
  void operator()(::archive* a) const noexcept { archive_read_free(a); }
};

}  // namespace

struct Members::State {
  std::unique_ptr<::archive, Closer> reader;
  Container container = Container::none;
  ByteView memory;
  int fd = -1;
  std::uint64_t size = 0;
  std::uint64_t streamed = 0;  // bytes given to libarchive, when they are digested on the way
  Bytes block;
  std::optional<Sha256> sha;
  std::string problem;
  std::uint64_t seen = 0;
  bool ended = false;
  bool raw = false;  // one compressed file, no archive inside
  std::optional<Member> current;
  std::unordered_map<std::uint64_t, std::uint32_t> names;  // how often a name (its hash) occurred

  [[nodiscard]] std::string why() const {
    const char* text = archive_error_string(reader.get());
    return text == nullptr ? "it is damaged" : repair_utf8(text);
  }

  Result<Bytes> range(std::uint64_t at, std::size_t length) const {
    if (fd < 0) {
      const ByteView part = memory.subspan(at, length);
      return Bytes(part.begin(), part.end());
    }
    Bytes out(length);
    std::size_t done = 0;
    while (done < length) {
      const ssize_t n = ::pread(fd, out.data() + done, length - done, static_cast<off_t>(at + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failure{Fault::unreadable, "cannot be read: " + std::generic_category().message(errno)};
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    out.resize(done);
    return out;
  }

  /// Hands libarchive the next block of a streamed file and digests it.
  static la_ssize_t on_read(::archive* a, void* self, const void** buffer) {
    auto& state = *static_cast<State*>(self);
    auto block = state.range(state.streamed, kBlock);
    if (!block) {
      archive_set_error(a, EIO, "%s", block.error().what.c_str());
      return ARCHIVE_FATAL;
    }
    state.block = *std::move(block);
    state.sha->update(state.block);
    state.streamed += state.block.size();
    *buffer = state.block.data();
    return static_cast<la_ssize_t>(state.block.size());
  }

  Result<Done> open() {
    const Utf8Names names_in_utf8;
    auto head = range(0, std::min<std::uint64_t>(size, kSniff));
    if (!head) return head.error();
    container = container_of(*head);
    reader.reset(archive_read_new());
    ::archive* a = reader.get();
    switch (container) {
      case Container::none: return Failure{Fault::unsupported, "is no container"};
      case Container::zip:
        archive_read_support_format_zip_seekable(a);
        archive_read_support_format_zip_streamable(a);  // for one that lost its directory
        break;
      case Container::gzip: archive_read_support_filter_gzip(a); break;
      case Container::bzip2: archive_read_support_filter_bzip2(a); break;
      case Container::xz: archive_read_support_filter_xz(a); break;
      case Container::zstd: archive_read_support_filter_zstd(a); break;
      case Container::tar: break;
    }
    if (container != Container::zip) {
      archive_read_support_format_tar(a);
      // Tapes hold several archives one behind the other; without this the second would vanish.
      archive_read_set_format_option(a, "tar", "read_concatenated_archives", "1");
      if (container != Container::tar) {
        archive_read_support_format_raw(a);
        archive_read_support_format_empty(a);
      }
    }
    int opened = ARCHIVE_OK;
    if (fd < 0) {
      opened = archive_read_open_memory(a, memory.data(), memory.size());
    } else if (container == Container::zip) {
      opened = archive_read_open_fd(a, fd, kBlock);
    } else {
      sha.emplace();
      opened = archive_read_open(a, this, nullptr, &State::on_read, nullptr);
    }
    if (opened < ARCHIVE_WARN) return Failure{Fault::unreadable, why()};
    return Done{};
  }

  /// Damage that libarchive passes over in silence.
  void check_end() {
    if (!problem.empty()) return;
    if (container == Container::zip) {
      const std::size_t length = std::min<std::uint64_t>(size, kZipTail);
      const auto tail = range(size - length, length);
      const ZipEnd end = tail ? zip_end(*tail) : ZipEnd{};
      if (!end.found) {
        problem = "the directory at its end is missing; it may be cut";
      } else if (end.entries != 0xFFFFU && end.entries != seen) {
        problem =
            "its directory lists " + std::to_string(end.entries) + " members, " + std::to_string(seen) + " were found";
      }
    } else if (container == Container::tar && size >= kSniff) {
      const auto tail = range(size - kSniff, kSniff);
      const bool marked =
          tail && std::all_of(tail->begin(), tail->end(), [](std::byte b) { return b == std::byte{0}; });
      if (!marked) problem = "it has no end mark; it may be cut";
    }
  }
};

Members::Members(std::unique_ptr<State> state) : state_(std::move(state)) {}
Members::~Members() = default;
Members::Members(Members&&) noexcept = default;
Members& Members::operator=(Members&&) noexcept = default;

Result<Members> Members::of(ByteView bytes) {
  auto state = std::make_unique<State>();
  state->memory = bytes;
  state->size = bytes.size();
  auto opened = state->open();
  if (!opened) return opened.error();
  return Members(std::move(state));
}

Result<Members> Members::of(int fd) {
  auto state = std::make_unique<State>();
  const auto info = state_of(fd);
  if (!info) return info.error();
  if (::lseek(fd, 0, SEEK_SET) != 0) return Failure{Fault::unreadable, "cannot be read from its start"};
  state->fd = fd;
  state->size = info->size;
  auto opened = state->open();
  if (!opened) return opened.error();
  return Members(std::move(state));
}

std::optional<Member> Members::next() {
  State& state = *state_;
  const Utf8Names names_in_utf8;
  state.current.reset();
  while (!state.ended) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(state.reader.get(), &entry);
    if (status == ARCHIVE_RETRY) continue;
    if (status == ARCHIVE_EOF || status < ARCHIVE_WARN) {
      state.ended = true;
      if (status != ARCHIVE_EOF) state.problem = state.why();
      state.check_end();
      break;
    }
    state.raw = archive_format(state.reader.get()) == ARCHIVE_FORMAT_RAW;
    ++state.seen;
    Member member;
    const std::string name = state.raw ? "data" : name_of(entry);
    member.text = path_to_text(name);
    if (const std::uint32_t nth = ++state.names[fnv1a(name)]; nth > 1) member.text += "%#" + std::to_string(nth);
    member.kind = kind_of(entry);
    if (archive_entry_size_is_set(entry) != 0) member.size = static_cast<std::uint64_t>(archive_entry_size(entry));
    member.encrypted = archive_entry_is_encrypted(entry) != 0;
    member.outside = leads_outside(name);
    state.current = member;
    return member;
  }
  return std::nullopt;
}

Result<Bytes> Members::read(std::uint64_t most) {
  State& state = *state_;
  if (!state.current) return Failure{Fault::unreadable, "there is no member to read"};
  const Member member = *std::exchange(state.current, std::nullopt);
  if (member.encrypted) return Failure{Fault::refused, "is encrypted"};
  if (member.size && *member.size > most)
    return Failure{Fault::limit, "declares " + std::to_string(*member.size) + " bytes, more than the limit of " +
                                     std::to_string(most)};
  Bytes out;
  for (;;) {
    const std::size_t filled = out.size();
    // The declared size is only a hint: memory follows the bytes that really come.
    const std::uint64_t hint = filled == 0 && member.size ? *member.size + 1 : filled / 2;
    try {
      out.resize(filled + std::clamp<std::uint64_t>(hint, kBlock / 16, kBlock * 16));
    } catch (const std::bad_alloc&) {
      return Failure{Fault::limit, "is larger than there is memory for"};
    }
    const la_ssize_t n = archive_read_data(state.reader.get(), out.data() + filled, out.size() - filled);
    if (n < ARCHIVE_OK) {
      if (n == ARCHIVE_RETRY) {
        out.resize(filled);
        continue;
      }
      return Failure{Fault::unreadable, "is damaged in the container: " + state.why()};
    }
    out.resize(filled + static_cast<std::size_t>(n));
    if (out.size() > most) return Failure{Fault::limit, "has more bytes than the limit of " + std::to_string(most)};
    if (n == 0) return out;
  }
}

std::string Members::damage() const { return state_->problem; }

std::string Members::type() const {
  const std::string outer(to_string(state_->container));
  const bool packed = state_->container != Container::zip && state_->container != Container::tar;
  if (!packed || state_->raw || (archive_format(state_->reader.get()) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR)
    return outer;
  return "tar." + std::string(state_->container == Container::gzip    ? "gz"
                              : state_->container == Container::bzip2 ? "bz2"
                              : state_->container == Container::zstd  ? "zst"
                                                                      : "xz");
}

Result<std::string> Members::digest() {
  State& state = *state_;
  if (state.fd < 0) return Sha256::of(state.memory).hex();
  if (!state.sha) state.sha.emplace();  // a zip is read in no order, so it is digested in a pass of its own
  for (;;) {
    const auto block = state.range(state.streamed, kBlock);
    if (!block) return block.error();
    if (block->empty()) break;
    state.sha->update(*block);
    state.streamed += block->size();
  }
  return state.sha->finish().hex();
}

}  // namespace waybill::archive
