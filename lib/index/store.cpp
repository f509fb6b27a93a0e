// SPDX-License-Identifier: Apache-2.0
#include "index/store.hpp"

#include "core/result.hpp"
#include "core/text.hpp"

#include <fcntl.h>
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace waybill::index {
namespace {

constexpr std::size_t kWriteBuffer = std::size_t{4} << 20U;  // LevelDB keeps two of them
constexpr std::size_t kBlockCache = std::size_t{8} << 20U;
constexpr std::size_t kTableFile = std::size_t{8} << 20U;
constexpr int kOpenFiles = 138;  // 128 tables, each with about 160 kB of index and filter in memory

leveldb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const leveldb::Slice& text) { return {text.data(), text.size()}; }

leveldb::Status io_error(const std::string& name, int error) {
  return leveldb::Status::IOError(name, std::strerror(error));
}

/// Reads by pread. LevelDB's own maps whole tables into memory, which makes a run's memory grow with the archive.
class PlainFile final : public leveldb::RandomAccessFile {
 public:
  PlainFile(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}
  ~PlainFile() override { ::close(fd_); }
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;

  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result, char* scratch) const override {
    size_t filled = 0;
    while (filled < n) {
      const ssize_t got = ::pread(fd_, scratch + filled, n - filled, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return io_error(name_, errno);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    *result = leveldb::Slice(scratch, filled);
    return leveldb::Status::OK();
  }

 private:
  std::string name_;
  int fd_;
};

/// Swallows what is written: the write-ahead log of an index that nobody opens a second time.
class NoFile final : public leveldb::WritableFile {
 public:
  leveldb::Status Append(const leveldb::Slice&) override { return leveldb::Status::OK(); }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }
};

class ScratchEnv final : public leveldb::EnvWrapper {
 public:
  ScratchEnv() : leveldb::EnvWrapper(leveldb::Env::Default()) {}

  leveldb::Status NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** file) override {
    *file = nullptr;
    const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? leveldb::Status::NotFound(name) : io_error(name, errno);
    *file = new PlainFile(name, fd);
    return leveldb::Status::OK();
  }
  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** file) override {
    if (name.ends_with(".log")) {
      *file = new NoFile;
      return leveldb::Status::OK();
    }
    return EnvWrapper::NewWritableFile(name, file);
  }
  leveldb::Status NewLogger(const std::string&, leveldb::Logger** result) override {
    *result = nullptr;  // no LOG file; LevelDB does without
    return leveldb::Status::OK();
  }
};

[[noreturn]] void fail(const std::filesystem::path& folder, const std::string& why) {
  throw RunError(Exit::input, "the index " + path_to_text(folder.native()) + " cannot be used: " + why +
                                  "; free space there, or write the output to another place");
}

std::filesystem::path temporary_folder() {
  const char* base = std::getenv("TMPDIR");
  std::string name = std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/waybill-index-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) fail(name, std::strerror(errno));
  return name;
}

/// An empty folder of ours with rights 0700: a new one, or that of an older run without its files.
void prepare(const std::filesystem::path& folder, leveldb::Options& options) {
  if (::mkdir(folder.c_str(), 0700) == 0) return;
  if (errno != EEXIST) fail(folder, std::strerror(errno));
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) fail(folder, std::strerror(errno));
  const auto refuse = [&](const char* why) {
    throw RunError(Exit::usage,
                   path_to_text(folder.native()) + " " + why + "; remove it or choose another name for the output");
  };
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) refuse("stands in the way and is no folder of yours");
  (void)leveldb::DestroyDB(folder.native(), options);  // removes its own files only, and the folder if that empties it
  if (::mkdir(folder.c_str(), 0700) == 0) return;
  std::error_code error;
  if (!std::filesystem::is_empty(folder, error) || error) refuse("holds files that are no index of a scan");
  if (::chmod(folder.c_str(), 0700) != 0) fail(folder, std::strerror(errno));
}

}  // namespace

struct Store::State {
  std::filesystem::path folder;
  ScratchEnv env;
  std::unique_ptr<leveldb::Cache> cache{leveldb::NewLRUCache(kBlockCache)};
  std::unique_ptr<const leveldb::FilterPolicy> filter{leveldb::NewBloomFilterPolicy(10)};
  leveldb::Options options;
  std::unique_ptr<leveldb::DB> db;
};

Store::Store(const std::filesystem::path& folder) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.options.env = &s.env;
  s.options.create_if_missing = true;
  s.options.error_if_exists = true;
  s.options.write_buffer_size = kWriteBuffer;
  s.options.max_file_size = kTableFile;
  s.options.max_open_files = kOpenFiles;
  s.options.block_cache = s.cache.get();
  s.options.filter_policy = s.filter.get();
  if (folder.empty()) {
    s.folder = temporary_folder();
  } else {
    s.folder = folder;
    prepare(folder, s.options);
  }
  leveldb::DB* db = nullptr;
  const auto status = leveldb::DB::Open(s.options, s.folder.native(), &db);
  s.db.reset(db);
  if (!status.ok()) {
    std::error_code ignored;
    std::filesystem::remove(s.folder, ignored);
    fail(s.folder, status.ToString());
  }
}

Store::~Store() {
  state_->db.reset();
  (void)leveldb::DestroyDB(state_->folder.native(), state_->options);
}

const std::filesystem::path& Store::folder() const noexcept { return state_->folder; }

std::optional<std::string> Store::get(std::string_view key) const {
  std::string value;
  const auto status = state_->db->Get({}, slice(key), &value);
  if (status.ok()) return value;
  if (!status.IsNotFound()) fail(state_->folder, status.ToString());
  return std::nullopt;
}

void Store::put(std::string_view key, std::string_view value) {
  const auto status = state_->db->Put({}, slice(key), slice(value));
  if (!status.ok()) fail(state_->folder, status.ToString());
}

void Store::each(std::string_view prefix, const Visit& visit) const {
  const std::unique_ptr<leveldb::Iterator> at(state_->db->NewIterator({}));
  for (at->Seek(slice(prefix)); at->Valid(); at->Next()) {
    const std::string_view key = view(at->key());
    if (!key.starts_with(prefix)) break;
    visit(key.substr(prefix.size()), view(at->value()));
  }
  if (!at->status().ok()) fail(state_->folder, at->status().ToString());
}

}  // namespace waybill::index
