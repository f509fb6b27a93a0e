// SPDX-License-Identifier: Apache-2.0
#include "manifest/sorter.hpp"

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "io/descriptor.hpp"

#include <unistd.h>
#include <zstd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace waybill::manifest {
namespace {

constexpr std::size_t kFanIn = 16;
constexpr int kWindowLog = 18;  // 256 kB; what a decoder keeps of each file
constexpr std::size_t kBuffer = std::size_t{128} << 10U;

[[noreturn]] void zstd_failed(std::size_t code) {
  throw RunError(Exit::internal, std::string("zstd failed while sorting: ") + ZSTD_getErrorName(code) +
                                     "; use a machine with more memory");
}

struct FreeContext {
  void operator()(ZSTD_CCtx* c) const noexcept { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* d) const noexcept { ZSTD_freeDCtx(d); }
};

/// An open file in `folder` that has no name.
io::Descriptor nameless_file(const std::filesystem::path& folder) {
  std::string name = (folder / ".waybill-sort-XXXXXX").native();
  io::Descriptor fd(::mkstemp(name.data()));  // 0600
  if (!fd) io::throw_errno("create a temporary file in", folder, errno);
  if (::unlink(name.c_str()) != 0) io::throw_errno("remove", name, errno);
  return fd;
}

/// Writes pairs of key and line, compressed.
class RunWriter {
 public:
  explicit RunWriter(const std::filesystem::path& folder)
      : folder_(folder), fd_(nameless_file(folder)), context_(ZSTD_createCCtx()), out_(kBuffer) {
    if (!context_) throw RunError(Exit::internal, "no memory for a zstd context; use a machine with more memory");
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kWindowLog);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  void put(std::string_view key, std::string_view line) {
    const std::uint32_t sizes[] = {static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(line.size())};
    in_.append(reinterpret_cast<const char*>(sizes), sizeof sizes).append(key).append(line);
    if (in_.size() >= kBuffer) compress(ZSTD_e_continue);
  }
  io::Descriptor finish() {
    compress(ZSTD_e_end);
    if (::lseek(fd_.get(), 0, SEEK_SET) < 0) io::throw_errno("seek in a temporary file in", folder_, errno);
    return std::move(fd_);
  }

 private:
  void compress(ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{in_.data(), in_.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0U) zstd_failed(left);
      io::write_all(fd_.get(), ByteView(out_).first(out.pos), folder_);
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) break;
    }
    in_.clear();
  }

  const std::filesystem::path& folder_;
  io::Descriptor fd_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::string in_;
  Bytes out_;
};

/// Reads the pairs of a RunWriter.
class RunReader {
 public:
  RunReader(const std::filesystem::path& folder, io::Descriptor fd)
      : folder_(folder), fd_(std::move(fd)), context_(ZSTD_createDCtx()), in_(kBuffer) {
    if (!context_) throw RunError(Exit::internal, "no memory for a zstd context; use a machine with more memory");
  }
  /// Moves on to the next pair; false at the end.
  bool next() {
    at_ += key_.size() + line_.size();
    key_ = line_ = {};
    std::uint32_t sizes[2];
    if (!fill(sizeof sizes)) return false;
    std::memcpy(sizes, text_.data() + at_, sizeof sizes);
    at_ += sizeof sizes;
    if (!fill(std::size_t{sizes[0]} + sizes[1]))
      throw RunError(Exit::input, "a temporary file of the sort is cut short; check the disk and run again");
    key_ = std::string_view(text_).substr(at_, sizes[0]);
    line_ = std::string_view(text_).substr(at_ + sizes[0], sizes[1]);
    return true;
  }
  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  [[nodiscard]] std::string_view line() const noexcept { return line_; }

 private:
  /// Makes at least `size` bytes ready behind `at_`.
  bool fill(std::size_t size) {
    if (text_.size() - at_ >= size) return true;
    text_.erase(0, std::exchange(at_, 0));
    while (text_.size() < size) {
      if (ready_.pos == ready_.size) {
        ready_ = {in_.data(), io::read_some(fd_.get(), in_, folder_), 0};
        if (ready_.size == 0) return false;
      }
      const std::size_t before = text_.size();
      text_.resize(before + kBuffer);
      ZSTD_outBuffer out{text_.data() + before, kBuffer, 0};
      const std::size_t result = ZSTD_decompressStream(context_.get(), &out, &ready_);
      if (ZSTD_isError(result) != 0U)
        throw RunError(Exit::input, std::string("a temporary file of the sort is damaged (") +
                                        ZSTD_getErrorName(result) + "); check the disk and run again");
      text_.resize(before + out.pos);
    }
    return true;
  }

  const std::filesystem::path& folder_;
  io::Descriptor fd_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  Bytes in_;
  ZSTD_inBuffer ready_{nullptr, 0, 0};
  std::string text_;
  std::size_t at_ = 0;  // first byte of `text_` not handed out
  std::string_view key_, line_;
};

using Runs = std::vector<std::unique_ptr<RunReader>>;

/// Orders a heap of runs so that the one to be read next is at its top.
struct Later {
  const Runs& runs;
  bool operator()(std::size_t a, std::size_t b) const {
    const int order = runs[a]->key().compare(runs[b]->key());
    return order != 0 ? order > 0 : a > b;
  }
};

/// Merges runs; among equal keys those of the earlier run come first.
class Merge {
 public:
  Merge(const std::filesystem::path& folder, std::vector<io::Descriptor> files) {
    for (auto& file : files) runs_.push_back(std::make_unique<RunReader>(folder, std::move(file)));
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (runs_[i]->next()) heap_.push_back(i);
    }
    std::make_heap(heap_.begin(), heap_.end(), Later{runs_});
  }
  /// The reader that stands on the next pair, nullptr at the end.
  const RunReader* next() {
    if (current_ && runs_[*current_]->next()) {
      heap_.push_back(*current_);
      std::push_heap(heap_.begin(), heap_.end(), Later{runs_});
    }
    current_.reset();
    if (heap_.empty()) return nullptr;
    std::pop_heap(heap_.begin(), heap_.end(), Later{runs_});
    current_ = heap_.back();
    heap_.pop_back();
    return runs_[*current_].get();
  }

 private:
  Runs runs_;
  std::vector<std::size_t> heap_;
  std::optional<std::size_t> current_;
};

}  // namespace

struct Sorter::State {
  struct Item {
    std::size_t at;
    std::uint32_t key, line;
  };
  struct Run {
    io::Descriptor file;
    unsigned level;
  };

  std::filesystem::path folder;
  std::size_t budget;
  std::string arena;  // keys and lines behind each other
  std::vector<Item> items;
  std::vector<Run> runs;  // in the order of their content
  std::uint64_t written = 0;
  std::optional<Merge> merge;
  std::size_t given = 0;
  bool sorted = false;

  State(std::filesystem::path f, std::size_t b) : folder(std::move(f)), budget(b) {}

  [[nodiscard]] std::string_view key(const Item& i) const { return std::string_view(arena).substr(i.at, i.key); }
  [[nodiscard]] std::string_view line(const Item& i) const {
    return std::string_view(arena).substr(i.at + i.key, i.line);
  }

  void sort() {
    std::sort(items.begin(), items.end(), [this](const Item& a, const Item& b) {
      const int order = key(a).compare(key(b));
      return order != 0 ? order < 0 : a.at < b.at;
    });
  }

  void spill() {
    sort();
    RunWriter writer(folder);
    for (const Item& item : items) writer.put(key(item), line(item));
    runs.push_back({writer.finish(), 0});
    ++written;
    items.clear();
    arena.clear();
    while (mergeable()) merge_last();
  }

  /// Whether the last files are as many of one level as are merged to one of the next.
  [[nodiscard]] bool mergeable() const {
    return runs.size() >= kFanIn && runs[runs.size() - kFanIn].level == runs.back().level;
  }

  void merge_last() {
    std::vector<io::Descriptor> files;
    const unsigned level = runs.back().level + 1;
    for (auto at = runs.end() - static_cast<std::ptrdiff_t>(kFanIn); at != runs.end(); ++at)
      files.push_back(std::move(at->file));
    runs.resize(runs.size() - kFanIn);
    Merge together(folder, std::move(files));
    RunWriter writer(folder);
    while (const RunReader* pair = together.next()) writer.put(pair->key(), pair->line());
    runs.push_back({writer.finish(), level});
    ++written;
  }

  void begin() {
    sorted = true;
    if (runs.empty()) return sort();
    if (!items.empty()) spill();
    std::string().swap(arena);
    std::vector<Item>().swap(items);
    std::vector<io::Descriptor> files;
    for (Run& run : runs) files.push_back(std::move(run.file));
    runs.clear();
    merge.emplace(folder, std::move(files));
  }
};

std::string ordered(std::uint64_t number, unsigned bytes) {
  std::string out(bytes, '\0');
  for (unsigned i = 0; i < bytes; ++i) out[bytes - 1 - i] = static_cast<char>(number >> (8 * i));
  return out;
}

std::uint64_t number_from(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

std::filesystem::path scratch_beside(const std::filesystem::path& output) {
  if (output != "-" && !output.empty()) return io::folder_of(output);
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

Sorter::Sorter(std::filesystem::path folder, std::size_t budget)
    : state_(std::make_unique<State>(std::move(folder), budget)) {}
Sorter::~Sorter() = default;

void Sorter::add(std::string_view key, std::string_view line) {
  State& s = *state_;
  const std::size_t size = s.arena.size() + key.size() + line.size();
  if (!s.items.empty() && size + (s.items.size() + 1) * sizeof(State::Item) > s.budget) s.spill();
  if (s.arena.capacity() == 0) s.arena.reserve(s.budget);
  s.items.push_back({s.arena.size(), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(line.size())});
  s.arena.append(key).append(line);
}

std::optional<std::string_view> Sorter::next() {
  State& s = *state_;
  if (!s.sorted) s.begin();
  if (s.merge) {
    const RunReader* pair = s.merge->next();
    if (pair == nullptr) return std::nullopt;
    return pair->line();
  }
  if (s.given == s.items.size()) return std::nullopt;
  return s.line(s.items[s.given++]);
}

std::uint64_t Sorter::spilled() const noexcept { return state_->written; }

}  // namespace waybill::manifest
