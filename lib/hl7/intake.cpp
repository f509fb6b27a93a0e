// SPDX-License-Identifier: Apache-2.0
#include "hl7/intake.hpp"

#include "archive/container.hpp"
#include "archive/inflater.hpp"
#include "archive/members.hpp"
#include "archive/walk.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "hl7/batch.hpp"
#include "hl7/in_order.hpp"
#include "hl7/journal.hpp"
#include "io/descriptor.hpp"
#include "manifest/envelope.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

namespace waybill::hl7 {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20U;
constexpr std::size_t kBatchBytes = std::size_t{512} << 10U, kBatchItems = 4096, kBatchesInFlight = 8;
constexpr std::uint64_t kLargestMember = std::uint64_t{4} << 30U;
constexpr int kDeepest = 4;  // containers in containers

/// Text whose characters have two or four bytes.
struct Wide {
  const char* charset = nullptr;  ///< iconv's name; nullptr for text in bytes
  std::size_t unit = 1;
  bool big_endian = false;
};

/// By its byte order mark, or by the zeros of an "MSH" without one that only line ends and the like may precede.
Wide wide_text(std::string_view head) {
  using namespace std::literals;
  constexpr std::size_t kBefore = 32;
  const Wide low{"UTF-16LE", 2, false}, high{"UTF-16BE", 2, true};
  const std::string_view begin = head.substr(0, kBefore);
  if (head.starts_with("\xFF\xFE\0\0"sv) || begin.find("M\0\0\0S\0\0\0"sv) % 4 == 0) return {"UTF-32LE", 4, false};
  if (head.starts_with("\0\0\xFE\xFF"sv) || begin.find("\0\0\0M\0\0\0S"sv) % 4 == 0) return {"UTF-32BE", 4, true};
  // No place (npos) is an odd number.
  if (head.starts_with("\xFF\xFE") || begin.find("M\0S\0H\0"sv) % 2 == 0) return low;
  if (head.starts_with("\xFE\xFF") || begin.find("\0M\0S\0H"sv) % 2 == 0) return high;
  return {};
}

/// Bytes of the text without a character that is cut at its end.
std::size_t whole_units(std::string_view text, const Wide& kind) {
  const std::size_t n = text.size() - text.size() % kind.unit;
  if (n == 0 || kind.unit == 4) return n;
  const auto top = static_cast<unsigned char>(text[kind.big_endian ? n - 2 : n - 1]);
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

/// One thing met in a file, in order: the file's beginning, a message, or a problem.
struct Intake::Item {
  enum class Kind : std::uint8_t { file, message, problem } kind = Kind::message;
  bool lost = true, untimed = false, unnumbered = false, unframed = false;
  std::uint32_t file = 0;  // in the batch's files
  std::uint32_t size = 0;
  std::uint64_t offset = 0;
  std::size_t begin = 0;  // of the message in the batch's text
  SeenIds::Key id = 0;    // of sender and control ID
  std::string reason;     // of the problem; what is wrong with the message
  std::string note;       // on its character set
};

/// Some hundred kilobytes of messages, copied from the files, with all that was met around them.
class Intake::Batch {
 public:
  explicit Batch(Intake& intake) : part(intake.make_part_()), intake_(intake) {}

  void work() {
    Decoder decoder;
    Message message;
    for (Item& item : items)
      if (item.kind == Item::Kind::message) see(item, decoder, message);
  }
  void finish() { intake_.finish(*this); }

  std::unique_ptr<Part> part;
  std::string text;
  std::vector<std::string> files;
  std::vector<Item> items;

 private:
  void see(Item& item, Decoder& decoder, Message& message) {
    const Decoded decoded = decoder.decode(std::string_view(text).substr(item.begin, item.size));
    const auto parsed = message.parse(decoded.text);
    if (!parsed) {
      item.reason = parsed.error().what;
      return;
    }
    if (holds_written_line_ends(message)) {
      item.reason = kWrittenLineEnds;
      return;
    }
    message.set_charset(decoded.charset);
    item.note = decoded.note;
    Origin origin{files[item.file], item.offset, 0, false, std::string(trim(message.field(std::size_t{0}, 10)))};
    if (const auto time = parse_time(message.component(message.field(std::size_t{0}, 7), 1))) {
      origin.time = *time;
      origin.timed = true;
    }
    item.untimed = !origin.timed;
    item.unnumbered = origin.control_id.empty();
    if (!item.unnumbered) {
      std::string id(message.field(std::size_t{0}, 3));
      id += '\x1F';
      id += message.field(std::size_t{0}, 4);
      id += '\x1F';
      id += origin.control_id;
      item.id = intake_.ids_.key(id);
    }
    part->see(message, origin);
  }

  Intake& intake_;
};

struct Intake::Queue {
  InOrder<Batch> jobs;
  explicit Queue(bool parallel) : jobs(kBatchesInFlight, parallel) {}
};

namespace {

class CallPart : public Intake::Part {
 public:
  explicit CallPart(const Intake::OnMessage& call) : call_(call) {}
  void see(Message& message, const Origin& origin) override { call_(message, origin); }
  void keep() override {}

 private:
  const Intake::OnMessage& call_;
};

}  // namespace

Intake::Intake(MakePart make_part, bool parallel, std::size_t largest)
    : make_part_(std::move(make_part)), largest_(largest), queue_(std::make_unique<Queue>(parallel)) {}
Intake::Intake(MakePart make_part, std::size_t largest) : Intake(std::move(make_part), true, largest) {}
Intake::Intake(OnMessage on_message, std::size_t largest)
    : Intake([call = std::move(on_message)] { return std::make_unique<CallPart>(call); }, false, largest) {}
Intake::~Intake() = default;

Intake::Item& Intake::add_item() {
  if (batch_ && (batch_->text.size() >= kBatchBytes || batch_->items.size() >= kBatchItems)) submit();
  if (!batch_) batch_ = std::make_unique<Batch>(*this);
  if (batch_->files.empty() || batch_->files.back() != file_) batch_->files.push_back(file_);
  Item& item = batch_->items.emplace_back();
  item.file = static_cast<std::uint32_t>(batch_->files.size() - 1);
  return item;
}

void Intake::submit() {
  if (batch_) queue_->jobs.push(std::move(batch_));
}

void Intake::problem(std::uint64_t offset, std::string reason, bool lost) {
  Item& item = add_item();
  item.kind = Item::Kind::problem;
  item.offset = offset;
  item.reason = std::move(reason);
  item.lost = lost;
}

void Intake::remark(const std::string& file, std::uint64_t offset, const std::string& reason) {
  const auto [at, fresh] = remarks_.try_emplace(reason, problems_.size());
  if (fresh)
    problems_.push_back({file, offset, reason, false, 1});
  else
    ++problems_[at->second].times;
}

void Intake::begin_file(const std::string& name) {
  file_ = name;
  add_item().kind = Item::Kind::file;
  ++counts_.files;
  pieces_before_ = counts_.pieces;
}

void Intake::end_file() {
  if (counts_.pieces == pieces_before_) problem(0, "the file holds no HL7 message", true);
}

void Intake::take_message(const Piece& piece) {
  std::string_view raw = piece.bytes;
  while (!raw.empty() && (static_cast<unsigned char>(raw.back()) <= 0x20 || raw.back() == 0x7F)) raw.remove_suffix(1);
  if (piece.ending == Ending::cut) {  // a number that lost its last digits is another patient's
    ++counts_.bad;
    return problem(piece.offset, "the message is cut: its frame or its file ends within a line", true);
  }
  if (!contents_.insert(raw)) {
    ++counts_.duplicates;
    return;
  }
  Item& item = add_item();
  item.offset = piece.offset;
  item.begin = batch_->text.size();
  item.size = static_cast<std::uint32_t>(raw.size());
  item.unframed = piece.ending == Ending::unframed;
  batch_->text += raw;
}

/// Takes over a batch whose messages were read, in the order of the files.
void Intake::finish(const Batch& batch) {
  for (const Item& item : batch.items) {
    const std::string& file = batch.files[item.file];
    if (item.kind == Item::Kind::file) {
      remarks_.clear();
    } else if (item.kind == Item::Kind::problem) {
      problems_.push_back({file, item.offset, item.reason, item.lost, 1});
    } else if (!item.reason.empty()) {
      ++counts_.bad;
      problems_.push_back({file, item.offset, item.reason, true, 1});
    } else {
      ++counts_.messages;
      if (item.unframed) remark(file, item.offset, "a frame begins (0x0B) and does not end (0x1C)");
      if (!item.note.empty()) remark(file, item.offset, item.note);
      counts_.untimed += item.untimed ? 1 : 0;
      if (item.untimed) remark(file, item.offset, "MSH-7 is no time; the message counts as older than all others");
      if (item.unnumbered) {
        remark(file, item.offset, "MSH-10 is empty");
      } else if (!ids_.insert(item.id)) {
        ++counts_.reused_ids;
        remark(file, item.offset, "a control ID (MSH-10) is used again for another message; both are kept");
      }
    }
  }
  batch.part->keep();
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

void Intake::read_stream(const Chunks& next, const bool* damaged) {
  BatchCheck batch([&](std::uint64_t offset, std::string reason) { problem(offset, std::move(reason), true); });
  Framer framer(
      [&](const Piece& piece) {
        batch.see(piece);
        take(piece);
      },
      largest_);
  std::string wide;
  Wide kind;
  bool first = true;
  std::string_view chunk;
  while (next(chunk)) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped while reading HL7; run the same command again");
    counts_.bytes += chunk.size();
    if (first) kind = wide_text(chunk);
    first = false;
    if (kind.charset == nullptr) {
      framer.feed(chunk);
      continue;
    }
    wide += chunk;
    const std::size_t whole = whole_units(wide, kind);
    framer.feed(from_charset(std::string_view(wide).substr(0, whole), kind.charset));
    wide.erase(0, whole);
  }
  if (!wide.empty()) framer.feed(from_charset(wide, kind.charset));
  framer.finish(damaged != nullptr && *damaged);
  batch.finish();
}

void Intake::read_named(const std::string& name, std::string_view bytes) {
  begin_file(name);
  bool given = false;
  read_stream([&](std::string_view& chunk) {
    chunk = bytes;
    return !std::exchange(given, true) && !bytes.empty();
  });
  end_file();
}

void Intake::read_bytes(const std::string& name, std::string_view bytes) {
  read_named(name, bytes);
  submit();
  queue_->jobs.drain();
}

void Intake::read_members(Result<archive::Members> members, int depth) {
  const std::string container = file_;
  if (!members) return problem(0, "the container cannot be read: " + members.error().what, true);
  while (const auto member = members->next()) {
    if (member->kind != archive::MemberKind::file) continue;
    const auto bytes = members->read(kLargestMember);
    file_ = container + std::string(archive::kInside) + member->text;
    if (!bytes) {
      problem(0, "the member cannot be read: " + bytes.error().what, true);
    } else if (archive::container_of(ByteView(*bytes).first(std::min(bytes->size(), archive::kSniff))) ==
               archive::Container::none) {
      read_named(file_, as_text(*bytes));
    } else if (depth < kDeepest) {  // a year's tar of days that are compressed
      read_members(archive::Members::of(*bytes, kLargestMember), depth + 1);
    } else {
      problem(0, "the member is a container within too many others", true);
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
  const bool stored = S_ISREG(status.st_mode);
  if (stored) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  archive::Input input(fd.get(), static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0)));
  const auto head = input.range(0, archive::kSniff);
  const auto kind = head ? archive::container_of(*head) : archive::Container::none;
  begin_file(name);
  if (head && head->size() >= manifest::kEnvelopeMagic.size() && manifest::is_sealed(*head)) return read_manifest(path);
  if (kind == archive::Container::none) {
    Bytes block(stored ? static_cast<std::size_t>(std::clamp<off_t>(status.st_size + 1, 512, kBlock)) : kBlock);
    read_stream([&](std::string_view& chunk) {
      const std::size_t n = io::read_some(fd.get(), block, path);
      chunk = as_text(ByteView(block).first(n));
      return n > 0;
    });
    return end_file();
  }
  if (kind == archive::Container::zip || kind == archive::Container::tar) {
    --counts_.files;
    return read_members(archive::Members::of(fd.get()), 1);
  }
  auto inflater = archive::Inflater::of(input, kind);
  auto pending = inflater ? inflater->next() : Result<ByteView>(inflater.error());
  if (pending ? is_manifest(as_text(*pending)) : begins_like_manifest(path)) return read_manifest(path);
  if (!inflater) return problem(0, "the file cannot be inflated: " + inflater.error().what, true);
  if (pending && archive::container_of(*pending) == archive::Container::tar) {
    --counts_.files;
    ::lseek(fd.get(), 0, SEEK_SET);
    return read_members(archive::Members::of(fd.get()), 1);
  }
  bool first = true, damaged = false;
  const Chunks chunks = [&](std::string_view& chunk) {
    if (!std::exchange(first, false)) pending = inflater->next();
    damaged = !pending;
    if (!pending || pending->empty()) return false;
    chunk = as_text(*pending);
    return true;
  };
  read_stream(chunks, &damaged);
  if (damaged) problem(0, "the file is damaged, what came before was read: " + pending.error().what, true);
  end_file();
}

void Intake::walk(const std::vector<std::string>& paths) {
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

void Intake::read(const std::vector<std::string>& paths) {
  std::vector<std::string> stored;
  for (const auto& named : paths) {
    const std::string path = named == "-" ? "/dev/stdin" : named;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) {
      stored.push_back(path);
      continue;
    }
    walk(std::exchange(stored, {}));  // a pipe that is named, not one that lies in a folder and would wait for ever
    read_file(path);
  }
  walk(stored);
  submit();
  queue_->jobs.drain();
}

}  // namespace waybill::hl7
