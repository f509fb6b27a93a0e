// SPDX-License-Identifier: Apache-2.0
#include "hl7/intake.hpp"

#include "archive/container.hpp"
#include "archive/inflater.hpp"
#include "archive/members.hpp"
#include "archive/walk.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "hl7/batch.hpp"
#include "hl7/journal.hpp"
#include "io/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

namespace waybill::hl7 {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20U;
constexpr std::uint64_t kLargestMember = std::uint64_t{4} << 30U;

enum class Wide { no, little_endian, big_endian };

/// UTF-16 by its byte order mark, or by the zeros of an "MSH" without one.
Wide wide_text(std::string_view head) {
  if (head.starts_with("\xFF\xFE") || head.starts_with(std::string_view("M\0S\0H\0", 6))) return Wide::little_endian;
  if (head.starts_with("\xFE\xFF") || head.starts_with(std::string_view("\0M\0S\0H", 6))) return Wide::big_endian;
  return Wide::no;
}

/// Bytes of the text without a character that is cut at its end.
std::size_t whole_units(std::string_view text, Wide kind) {
  const std::size_t n = text.size() - text.size() % 2;
  if (n == 0) return n;
  const auto top = static_cast<unsigned char>(text[kind == Wide::big_endian ? n - 2 : n - 1]);
  return (top & 0xFCU) == 0xD8U ? n - 2 : n;
}

/// What a manifest that is being written has beside it.
bool beside_journal(const std::filesystem::path& path) {
  const auto extension = path.extension();
  if (extension != ".sync" && extension != ".torn") return false;
  std::error_code ignored;
  return std::filesystem::exists(path.parent_path() / path.stem(), ignored);
}

}  // namespace

Intake::Intake(OnMessage on_message, std::size_t largest) : on_message_(std::move(on_message)), largest_(largest) {}

void Intake::problem(std::uint64_t offset, std::string reason, bool lost) {
  problems_.push_back({file_, offset, std::move(reason), lost, 1});
}

void Intake::remark(std::uint64_t offset, const std::string& reason) {
  const auto [at, fresh] = remarks_.try_emplace(reason, problems_.size());
  if (fresh)
    problem(offset, reason, false);
  else
    ++problems_[at->second].times;
}

void Intake::begin_file(const std::string& name) {
  file_ = name;
  remarks_.clear();
  ++counts_.files;
  pieces_before_ = counts_.pieces;
}

void Intake::end_file() {
  if (counts_.pieces == pieces_before_) problem(0, "the file holds no HL7 message", true);
}

void Intake::take_message(const Piece& piece) {
  std::string_view raw = piece.bytes;
  while (!raw.empty() && (static_cast<unsigned char>(raw.back()) <= 0x20 || raw.back() == 0x7F)) raw.remove_suffix(1);
  if (!contents_.insert(raw)) {
    ++counts_.duplicates;
    return;
  }
  const Decoded decoded = decoder_.decode(raw);
  const auto parsed = message_.parse(decoded.text);
  if (!parsed) {
    ++counts_.bad;
    problem(piece.offset, parsed.error().what, true);
    return;
  }
  message_.set_charset(decoded.charset);
  if (!decoded.note.empty()) remark(piece.offset, decoded.note);
  Origin origin{file_, piece.offset, 0, false, std::string(trim(message_.field(std::size_t{0}, 10)))};
  if (const auto time = parse_time(message_.component(message_.field(std::size_t{0}, 7), 1))) {
    origin.time = *time;
    origin.timed = true;
  } else {
    ++counts_.untimed;
    remark(piece.offset, "MSH-7 is no time; the message counts as older than all others");
  }
  if (origin.control_id.empty()) {
    remark(piece.offset, "MSH-10 is empty");
  } else {
    std::string id(message_.field(std::size_t{0}, 3));
    id += '\x1F';
    id += message_.field(std::size_t{0}, 4);
    id += '\x1F' + origin.control_id;
    if (!ids_.insert(id)) {
      ++counts_.reused_ids;
      remark(piece.offset, "a control ID (MSH-10) is used again for another message; both are kept");
    }
  }
  ++counts_.messages;
  on_message_(message_, origin);
}

void Intake::take(const Piece& piece) {
  sha_.update(piece.bytes);
  switch (piece.kind) {
    case PieceKind::message:
      ++counts_.pieces;
      take_message(piece);
      break;
    case PieceKind::oversize:
      ++counts_.pieces;
      ++counts_.bad;
      problem(piece.offset, "the message is larger than " + std::to_string(largest_) + " bytes", true);
      break;
    case PieceKind::stray:
      problem(piece.offset, std::to_string(piece.bytes.size()) + " bytes that belong to no message", true);
      break;
    default: break;
  }
}

void Intake::read_stream(const Chunks& next) {
  BatchCheck batch([&](std::uint64_t offset, std::string reason) { problem(offset, std::move(reason), true); });
  Framer framer(
      [&](const Piece& piece) {
        batch.see(piece);
        take(piece);
      },
      largest_);
  std::string wide;
  Wide kind = Wide::no;
  bool first = true;
  std::string_view chunk;
  while (next(chunk)) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped while reading HL7; run the same command again");
    counts_.bytes += chunk.size();
    if (first) kind = wide_text(chunk);
    first = false;
    if (kind == Wide::no) {
      framer.feed(chunk);
      continue;
    }
    wide += chunk;
    const std::size_t whole = whole_units(wide, kind);
    framer.feed(
        from_charset(std::string_view(wide).substr(0, whole), kind == Wide::big_endian ? "UTF-16BE" : "UTF-16LE"));
    wide.erase(0, whole);
  }
  if (!wide.empty()) framer.feed(from_charset(wide, kind == Wide::big_endian ? "UTF-16BE" : "UTF-16LE"));
  framer.finish();
  batch.finish();
}

void Intake::read_bytes(const std::string& name, std::string_view bytes) {
  begin_file(name);
  bool given = false;
  read_stream([&](std::string_view& chunk) {
    chunk = bytes;
    return !std::exchange(given, true) && !bytes.empty();
  });
  end_file();
}

void Intake::read_members(int fd) {
  const std::string container = file_;
  auto members = archive::Members::of(fd);
  if (!members) return problem(0, "the container cannot be read: " + members.error().what, true);
  while (const auto member = members->next()) {
    if (member->kind != archive::MemberKind::file) continue;
    auto bytes = members->read(kLargestMember);
    if (bytes) {
      read_bytes(container + std::string(archive::kInside) + member->text, as_text(*bytes));
    } else {
      file_ = container + std::string(archive::kInside) + member->text;
      problem(0, "the member cannot be read: " + bytes.error().what, true);
    }
  }
  file_ = container;
  if (!members->damage().empty()) problem(0, "the container is damaged: " + members->damage(), true);
}

/// A journal of waybill listen: each message is read like a file of its own, "journal.wb%/3" the third record.
void Intake::read_manifest(const std::string& path) {
  const std::string journal = file_;
  std::uint64_t number = 0;
  const bool read = read_journal(path, [&](JournalEntry&& entry) {
    file_ = journal + std::string(archive::kInside) + std::to_string(++number);
    if (entry.refused)
      return problem(0, "the listener did not take a message (" + entry.answer + "): " + entry.reason, true);
    bool given = false;
    read_stream([&](std::string_view& chunk) {
      chunk = entry.bytes;
      return !std::exchange(given, true) && !chunk.empty();
    });
  });
  file_ = journal;
  if (!read) problem(0, "the file is a manifest, and no journal of waybill listen", true);
}

void Intake::read_file(const std::string& path) {
  const std::string name = path_to_text(path);
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NOCTTY);
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    begin_file(name);
    return problem(0, "the file cannot be opened", true);
  }
  if (S_ISREG(status.st_mode)) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  archive::Input input(fd.get(), static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)));
  const auto head = input.range(0, archive::kSniff);
  const auto kind = head ? archive::container_of(*head) : archive::Container::none;
  std::string failure;
  begin_file(name);
  if (kind == archive::Container::none) {
    Bytes block(static_cast<std::size_t>(std::clamp<off_t>(status.st_size + 1, 512, kBlock)));
    read_stream([&](std::string_view& chunk) {
      const std::size_t n = io::read_some(fd.get(), block, path);
      chunk = as_text(ByteView(block).first(n));
      return n > 0;
    });
    return end_file();
  }
  if (kind == archive::Container::zip || kind == archive::Container::tar) {
    --counts_.files;
    return read_members(fd.get());
  }
  auto inflater = archive::Inflater::of(input, kind);
  auto pending = inflater ? inflater->next() : Result<ByteView>(inflater.error());
  if (pending ? is_manifest(as_text(*pending)) : begins_like_manifest(path)) return read_manifest(path);
  if (!inflater) return problem(0, "the file cannot be inflated: " + inflater.error().what, true);
  if (pending && archive::container_of(*pending) == archive::Container::tar) {
    --counts_.files;
    ::lseek(fd.get(), 0, SEEK_SET);
    return read_members(fd.get());
  }
  bool first = true;
  read_stream([&](std::string_view& chunk) {
    if (!std::exchange(first, false)) pending = inflater->next();
    if (!pending) failure = pending.error().what;
    if (!pending || pending->empty()) return false;
    chunk = as_text(*pending);
    return true;
  });
  if (!failure.empty()) problem(0, "the file is damaged, what came before was read: " + failure, true);
  end_file();
}

void Intake::read(const std::vector<std::string>& paths) {
  archive::Walk walk(paths);
  while (const auto entry = walk.next()) {
    switch (entry->kind) {
      case archive::EntryKind::file:
        if (!beside_journal(entry->path)) read_file(entry->path);
        break;
      case archive::EntryKind::symlink:
      case archive::EntryKind::folder_loop: break;
      default:
        file_ = path_to_text(entry->path);
        problem(0, "cannot be read: " + (entry->error.empty() ? "it is no file" : entry->error), true);
    }
  }
}

}  // namespace waybill::hl7
