// SPDX-License-Identifier: Apache-2.0
#include "archive/members.hpp"

#include "archive/inflater.hpp"
#include "core/text.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <clocale>
#include <unordered_map>
#include <utility>
#include <vector>

namespace waybill::archive {
namespace {

/// libarchive turns names into the locale's encoding; in UTF-8 they come through as they are, but for accents, which it
/// composes (NFC) where the container says that the name is UTF-8.
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

constexpr std::uint32_t kLargestDirectory = 256U << 20U;  // of a zip file; a larger one is not gone through again

struct Closer {
  void operator()(::archive* a) const noexcept { archive_read_free(a); }
};

}  // namespace

struct Members::State {
  explicit State(Input in) : input(std::move(in)) {}

  Input input;
  Container container = Container::none;
  std::optional<Inflater> inflater;  // of a compressed container
  Bytes start;                       // its first bytes, read to look at them
  bool start_given = false;
  std::optional<Failure> broken;              // why the inflater gave no more
  std::unique_ptr<::archive, Closer> reader;  // none for one compressed file, which is no archive
  std::string problem;
  std::uint64_t seen = 0;
  bool ended = false;
  bool guarded = false;        // members keep to kMostRatio
  bool ratio_passed = false;   // one did not
  std::uint64_t begun_at = 0;  // compressed bytes used up when the current member began
  std::optional<Member> current;
  std::unordered_map<std::uint64_t, std::uint32_t> names;  // how often a name (its hash) occurred

  [[nodiscard]] std::string why() const {
    if (broken) return broken->what;
    const char* text = archive_error_string(reader.get());
    return text == nullptr ? "it is damaged" : repair_utf8(text);
  }

  /// The next inflated bytes, empty at the end and after damage.
  ByteView inflate() {
    if (!std::exchange(start_given, true) && !start.empty()) return start;
    if (broken) return {};
    const auto bytes = inflater->next();
    if (bytes) return *bytes;
    broken = bytes.error();
    return {};
  }

  /// Compressed bytes used up; what is stored lags behind by a block at most, for none is larger (Input::kBlock).
  [[nodiscard]] std::uint64_t consumed() const {
    if (inflater) return inflater->consumed();
    return static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_filter_bytes(reader.get(), -1)));
  }

  /// Whether the current member, of which `size` bytes came out, inflates as only a bomb does.
  [[nodiscard]] bool is_bomb(std::uint64_t size) {
    if (!guarded || size <= kAlwaysAllowed) return false;
    const std::uint64_t now = consumed();
    ratio_passed = size / kMostRatio > (now > begun_at ? now - begun_at : 0);
    return ratio_passed;
  }

  static Failure bomb() {
    return {Fault::limit, "inflates to more than " + std::to_string(kMostRatio) + " times its size"};
  }

  /// Reads enough of the start to tell a tar file.
  void look_at_start() {
    while (start.size() < kSniff && !broken) {
      const auto bytes = inflater->next();
      if (!bytes) broken = bytes.error();
      if (!bytes || bytes->empty()) return;
      put_bytes(start, *bytes);
    }
  }

  static la_ssize_t on_inflated(::archive* a, void* self, const void** buffer) {
    auto& state = *static_cast<State*>(self);
    const ByteView bytes = state.inflate();
    if (bytes.empty() && state.broken) {
      archive_set_error(a, EIO, "%s", state.broken->what.c_str());
      return ARCHIVE_FATAL;
    }
    *buffer = bytes.data();
    return static_cast<la_ssize_t>(bytes.size());
  }

  static la_ssize_t on_read(::archive* a, void* self, const void** buffer) {
    const auto block = static_cast<State*>(self)->input.next_block();
    if (!block) {
      archive_set_error(a, EIO, "%s", block.error().what.c_str());
      return ARCHIVE_FATAL;
    }
    *buffer = block->data();
    return static_cast<la_ssize_t>(block->size());
  }

  Result<Done> open() {
    const Utf8Names names_in_utf8;
    const auto head = input.range(0, kSniff);
    if (!head) return head.error();
    container = container_of(*head);
    if (container == Container::none) return Failure{Fault::unsupported, "is no container"};
    const bool archived = container == Container::zip || container == Container::tar;
    if (!archived) {
      auto opened = Inflater::of(input, container);
      if (!opened) return opened.error();
      inflater = *std::move(opened);
      look_at_start();
      if (container_of(ByteView(start).first(std::min(start.size(), kSniff))) != Container::tar) return Done{};
    }
    reader.reset(archive_read_new());
    ::archive* a = reader.get();
    if (container == Container::zip) {
      archive_read_support_format_zip_seekable(a);
      archive_read_support_format_zip_streamable(a);  // for one that lost its directory
    } else {
      archive_read_support_format_tar(a);
      // Tapes hold several archives one behind the other; without this the second would vanish.
      archive_read_set_format_option(a, "tar", "read_concatenated_archives", "1");
    }
    int opened = ARCHIVE_OK;
    if (inflater) {
      opened = archive_read_open(a, this, nullptr, &State::on_inflated, nullptr);
    } else if (input.fd() < 0) {
      opened = archive_read_open_memory2(a, input.memory().data(), input.memory().size(), Input::kBlock);
    } else if (container == Container::zip) {
      opened = archive_read_open_fd(a, input.fd(), Input::kBlock);
    } else {
      opened = archive_read_open(a, this, nullptr, &State::on_read, nullptr);
    }
    if (opened < ARCHIVE_WARN) return Failure{Fault::unreadable, why()};
    return Done{};
  }

  /// The only member of a compressed file that is no archive.
  std::optional<Member> single() {
    if (seen++ > 0) {
      ended = true;
      if (broken) problem = why();
      check_behind();
      return std::nullopt;
    }
    Member member;
    member.text = "data";
    current = member;
    return member;
  }

  Result<Bytes> read_single(std::uint64_t most) {
    Bytes out;
    for (ByteView bytes = inflate(); !bytes.empty(); bytes = inflate()) {
      out.insert(out.end(), bytes.begin(), bytes.end());
      if (out.size() > most) return Failure{Fault::limit, "has more bytes than the limit of " + std::to_string(most)};
      if (is_bomb(out.size())) return bomb();
    }
    if (broken) return Failure{broken->fault, "is damaged in the container: " + broken->what};
    return out;
  }

  /// Bytes behind the compressed data that are no stream of their own: decompressors pass over them. Zeros are padding.
  void check_behind() {
    if (!problem.empty() || !inflater || !inflater->ended()) return;
    const std::uint64_t end = consumed();
    for (std::uint64_t at = end; at < input.size(); at += Input::kBlock) {
      const auto block = input.range(at, Input::kBlock);
      if (!block || block->empty()) return;
      if (std::ranges::all_of(*block, [](std::byte b) { return b == std::byte{0}; })) continue;
      problem = std::to_string(input.size() - end) + " bytes behind its compressed data belong to no stream";
      return;
    }
  }

  /// Where a member stands that the directory of a zip file does not list: an update left it behind, or somebody hides
  /// it. Only what lies between listed members, or in front of the directory, is looked at; zip64 is passed over.
  [[nodiscard]] std::optional<std::uint64_t> unlisted(const ZipEnd& end) const {
    constexpr std::size_t kEntry = 46, kHeader = 30;
    constexpr std::uint64_t kDescriptor = 24;  // may follow a member's data
    if (end.directory_size > kLargestDirectory || end.directory_at >= input.size()) return std::nullopt;
    const auto directory = input.range(end.directory_at, end.directory_size);
    if (!directory) return std::nullopt;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;  // offset and compressed size
    for (std::size_t at = 0; at + kEntry <= directory->size();) {
      const std::byte* p = directory->data() + at;
      if (load_u32(p) != 0x02014B50U) return std::nullopt;
      if (load_u32(p + 20) == 0xFFFFFFFFU || load_u32(p + 42) == 0xFFFFFFFFU) return std::nullopt;
      extents.emplace_back(load_u32(p + 42), load_u32(p + 20));
      at += kEntry + load_u16(p + 28) + load_u16(p + 30) + load_u16(p + 32);
    }
    extents.emplace_back(end.directory_at, 0);
    std::ranges::sort(extents);
    std::uint64_t covered = 0;
    for (const auto& [offset, size] : extents) {
      const std::uint64_t gap = offset > covered ? offset - covered : 0;
      const auto begin = input.range(covered, gap < kHeader ? 0 : kDescriptor + 4);
      const std::size_t found = begin ? as_text(*begin).find("PK\x03\x04") : std::string_view::npos;
      if (found != std::string_view::npos) return covered + found;
      if (offset == end.directory_at) break;
      const auto header = input.range(offset, kHeader);
      if (!header || header->size() < kHeader) return std::nullopt;
      const std::uint64_t behind = load_u16(header->data() + 26) + std::uint64_t{load_u16(header->data() + 28)};
      covered = std::max(covered, offset + kHeader + behind + size);
    }
    return std::nullopt;
  }

  /// Damage that libarchive passes over in silence.
  void check_end() {
    check_behind();
    if (!problem.empty()) return;
    if (container == Container::zip) {
      const std::size_t length = std::min<std::uint64_t>(input.size(), kZipTail);
      const auto tail = input.range(input.size() - length, length);
      const ZipEnd end = tail ? zip_end(*tail) : ZipEnd{};
      if (!end.found) {
        problem = "the directory at its end is missing; it may be cut";
      } else if (end.entries != 0xFFFFU && end.entries != seen) {
        problem =
            "its directory lists " + std::to_string(end.entries) + " members, " + std::to_string(seen) + " were found";
      } else if (const auto at = unlisted(end)) {
        problem = "its directory does not list the member at byte " + std::to_string(*at);
      }
    } else if (container == Container::tar && input.size() >= kSniff) {
      const auto tail = input.range(input.size() - kSniff, kSniff);
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

Result<Members> Members::of(ByteView bytes, std::uint64_t limit) {
  return opened(std::make_unique<State>(Input(bytes)), limit);
}

Result<Members> Members::of(int fd, std::uint64_t limit) {
  const auto info = state_of(fd);
  if (!info) return info.error();
  if (::lseek(fd, 0, SEEK_SET) != 0) return Failure{Fault::unreadable, "cannot be read from its start"};
  return opened(std::make_unique<State>(Input(fd, info->size)), limit);
}

Result<Members> Members::opened(std::unique_ptr<State> state, std::uint64_t limit) {
  auto done = state->open();
  if (!done) return done.error();
  state->guarded = limit != kNoLimit;
  if (state->inflater) state->inflater->set_limit(limit);
  return Members(std::move(state));
}

std::optional<Member> Members::next() {
  State& state = *state_;
  state.current.reset();
  if (!state.reader) return state.ended ? std::nullopt : state.single();
  const Utf8Names names_in_utf8;
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
    ++state.seen;
    state.begun_at = state.consumed();
    Member member;
    const std::string name = name_of(entry);
    member.text = path_to_text(name);
    if (const std::uint32_t nth = ++state.names[fnv1a(name)]; nth > 1 || name.empty())
      member.text += "%#" + std::to_string(nth);
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
  if (!state.reader) return state.read_single(most);
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
      out.resize(filled + std::clamp<std::uint64_t>(hint, Input::kBlock / 16, Input::kBlock * 16));
    } catch (const std::bad_alloc&) {
      return Failure{Fault::limit, "is larger than there is memory for"};
    }
    const la_ssize_t n = archive_read_data(state.reader.get(), out.data() + filled, out.size() - filled);
    if (n < ARCHIVE_OK) {
      if (n == ARCHIVE_RETRY) {
        out.resize(filled);
        continue;
      }
      const Fault fault = state.broken ? state.broken->fault : Fault::unreadable;
      return Failure{fault, "is damaged in the container: " + state.why()};
    }
    out.resize(filled + static_cast<std::size_t>(n));
    if (out.size() > most) return Failure{Fault::limit, "has more bytes than the limit of " + std::to_string(most)};
    if (state.is_bomb(out.size())) return State::bomb();
    if (n == 0) return out;
  }
}

bool Members::too_large() const {
  return state_->ratio_passed || (state_->broken && state_->broken->fault == Fault::limit);
}

void Members::allow(std::uint64_t more) {
  if (state_->inflater && state_->inflater->limit() < kNoLimit - more)
    state_->inflater->set_limit(state_->inflater->limit() + more);
}

std::string Members::damage() const { return state_->problem; }

std::string Members::type() const {
  std::string outer(to_string(state_->container));
  if (!state_->inflater || !state_->reader) return outer;
  switch (state_->container) {
    case Container::gzip: return "tar.gz";
    case Container::bzip2: return "tar.bz2";
    case Container::zstd: return "tar.zst";
    default: return "tar." + outer;
  }
}

Result<std::string> Members::digest() { return state_->input.digest(); }

}  // namespace waybill::archive
