// SPDX-License-Identifier: Apache-2.0
#include "archive/source.hpp"

#include "archive/file.hpp"
#include "archive/members.hpp"
#include "core/text.hpp"
#include "io/descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <vector>

namespace waybill::archive {
namespace {

/// One container on the way down: the file itself, or a member that is a container again.
struct Level {
  std::string step;  // the member of the level above that these bytes are; empty for the file
  std::unique_ptr<Bytes> bytes;
  std::unique_ptr<Members> members;
  std::string standing;  // the member next() gave last
};

std::vector<std::string> steps_of(std::string_view member) {
  std::vector<std::string> steps;
  for (;;) {
    const std::size_t at = member.find(kInside);
    steps.emplace_back(member.substr(0, at));
    if (at == std::string_view::npos) return steps;
    member.remove_prefix(at + kInside.size());
  }
}

/// Where one thread stands in the container it read last.
class Cursor {
 public:
  Result<Bytes> read(const std::string& path, std::string_view member) {
    const auto steps = steps_of(member);
    if (auto ready = open(path); !ready) return ready.error();
    auto found = descend(steps);
    if (found || found.error().fault != Fault::mismatch) return found;
    // Not ahead of where we stand: once more from the start.
    levels_.clear();
    if (auto ready = open(path); !ready) return ready.error();
    return descend(steps);
  }

 private:
  Result<Done> open(const std::string& path) {
    if (!levels_.empty() && path == path_) {
      io::Descriptor now = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      const auto state = now ? state_of(now.get()) : Result<FileState>(Failure{Fault::unreadable, ""});
      if (state && *state == state_) return Done{};
    }
    levels_.clear();
    file_.reset();
    path_ = path;
    file_ = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file_) return Failure{Fault::unreadable, "cannot be opened: " + std::generic_category().message(errno)};
    const auto state = state_of(file_.get());
    if (!state) return state.error();
    state_ = *state;
    auto members = Members::of(file_.get());
    if (!members) return members.error();
    levels_.push_back({{}, nullptr, std::make_unique<Members>(*std::move(members)), {}});
    return Done{};
  }

  Result<Bytes> descend(const std::vector<std::string>& steps) {
    std::size_t depth = 0;  // levels below the file that are the right ones already
    while (depth + 1 < levels_.size() && depth + 1 < steps.size() && levels_[depth + 1].step == steps[depth]) ++depth;
    levels_.resize(depth + 1);
    for (;; ++depth) {
      auto bytes = advance(levels_[depth], steps[depth]);
      if (!bytes || depth + 1 == steps.size()) return bytes;
      auto held = std::make_unique<Bytes>(*std::move(bytes));
      auto members = Members::of(ByteView(*held));
      if (!members) return members.error();
      levels_.push_back({steps[depth], std::move(held), std::make_unique<Members>(*std::move(members)), {}});
    }
  }

  static Result<Bytes> advance(Level& level, const std::string& step) {
    while (const auto member = level.members->next()) {
      if (member->text == step) return level.members->read(kLargest);
    }
    const std::string damage = level.members->damage();
    return Failure{Fault::mismatch, "the container has no such member" + (damage.empty() ? "" : ": " + damage)};
  }

  std::string path_;
  FileState state_;
  io::Descriptor file_;
  std::vector<Level> levels_;
};

Result<Bytes> part(Bytes whole, const manifest::Source& source) {
  if (source.offset == 0) return whole;
  if (source.offset > whole.size() || source.size > whole.size() - source.offset)
    return Failure{Fault::mismatch, "is shorter than when it was scanned"};
  const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(source.offset);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(source.size));
}

Result<Bytes> part_of_file(const std::string& path, const manifest::Source& source) {
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return Failure{Fault::unreadable, "cannot be opened: " + std::generic_category().message(errno)};
  const auto state = state_of(fd.get());
  if (!state) return state.error();
  if (source.offset > state->size || source.size > state->size - source.offset)
    return Failure{Fault::mismatch, "is shorter than when it was scanned"};
  Bytes bytes(source.size);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::pread(fd.get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(source.offset + at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failure{Fault::unreadable, "cannot be read: " + std::generic_category().message(errno)};
    if (n == 0) return Failure{Fault::mismatch, "became shorter while it was read"};
    at += static_cast<std::size_t>(n);
  }
  return bytes;
}

Result<Bytes> read_with(Cursor& cursor, const manifest::Source& source) {
  const std::string path = path_from_text(source.path);
  if (!source.member) {
    if (source.offset != 0) return part_of_file(path, source);
    auto file = open_file(path);
    if (!file) return file.error();
    if (file->stream) {  // a large container asked for as a whole
      manifest::Source all = source;
      all.size = file->state.size;
      return part_of_file(path, all);
    }
    if (file->changed) return Failure{Fault::unreadable, "changed while being read"};
    return Bytes(file->bytes.begin(), file->bytes.end());
  }
  auto bytes = cursor.read(path, *source.member);
  if (!bytes) return bytes;
  return part(*std::move(bytes), source);
}

}  // namespace

Result<Bytes> read_source(const manifest::Source& source) {
  static thread_local Cursor cursor;
  return read_with(cursor, source);
}

Result<ByteView> read_source(const manifest::Source& source, const io::Room& room) {
  if (!source.member && source.offset == 0) return io::read_file(path_from_text(source.path), room);
  const auto bytes = read_source(source);
  if (!bytes) return bytes.error();
  const auto into = room(bytes->size());
  if (into.size() < bytes->size())
    return Failure{Fault::limit, "has " + std::to_string(bytes->size()) + " bytes, more than there is memory for"};
  std::copy(bytes->begin(), bytes->end(), into.begin());
  return ByteView(into).first(bytes->size());
}

struct SourceReader::State {
  Cursor cursor;
};
SourceReader::SourceReader() : state_(std::make_unique<State>()) {}
SourceReader::~SourceReader() = default;
Result<Bytes> SourceReader::read(const manifest::Source& source) { return read_with(state_->cursor, source); }

}  // namespace waybill::archive
