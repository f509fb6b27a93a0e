// SPDX-License-Identifier: Apache-2.0
#include "pack/unpack.hpp"

#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "manifest/reader.hpp"
#include "pack/contents.hpp"
#include "pack/entry.hpp"
#include "pack/restore.hpp"
#include "pack/run.hpp"
#include "pack/volumes.hpp"

#include <fcntl.h>
#include <oneapi/tbb/parallel_for.h>
#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>
#include <vector>

namespace waybill::pack {

using manifest::Object;
using manifest::Place;

namespace {

constexpr std::size_t kBatchRecords = 512;  // each may hold its folder open, of the 1024 files a process may
constexpr std::uint64_t kBatchBytes = std::uint64_t{64} << 20U;
constexpr std::size_t kOpenVolumes = 64;

/// Open volumes, the most recent ones. Any thread.
class Shelf {
 public:
  explicit Shelf(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<std::shared_ptr<io::Descriptor>> open(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto at = open_.find(name);
    if (at != open_.end()) return at->second;
    auto fd = std::make_shared<io::Descriptor>(io::open_file(folder_ / name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (!*fd) return Failure{Fault::unreadable, name + " cannot be opened: " + std::generic_category().message(errno)};
    if (open_.size() >= kOpenVolumes) open_.clear();
    open_.emplace(name, fd);
    return fd;
  }

 private:
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<io::Descriptor>> open_;
};

enum class Became { good, present, damaged, refused };

struct Item {
  Object object;
  Place place;
  bool again = false;  // a check meets this content a second time
  Became became = Became::good;
  std::string why;
  std::optional<Restorer::File> file;  // written, without its name
};

class Run {
 public:
  explicit Run(const UnpackOptions& options)
      : options_(options),
        manifest_(std::filesystem::is_directory(options.manifest) ? options.manifest / kManifest : options.manifest),
        reader_(manifest_),
        folder_(options.volumes.empty() ? io::folder_of(manifest_) : options.volumes),
        shelf_(folder_),
        seen_(std::filesystem::path()) {
    if (reader_.header().stage != "pack")
      throw RunError(Exit::usage, path_to_text(manifest_.string()) + " is a manifest of " + reader_.header().stage +
                                      "; give the one that pack wrote");
    root_ = manifest::option_text(reader_.header().options, "root");
    if (!options.to.empty()) restorer_.emplace(options.to);
  }

  Unpacked go() {
    for (auto batch = read_batch(); !batch.empty(); batch = read_batch()) {
      oneapi::tbb::parallel_for(std::size_t{0}, batch.size(), [&](std::size_t i) { work(batch[i]); });
      if (stop_requested()) break;
      give_names(batch);
      for (const Item& item : batch) settle(item);
    }
    if (!stop_requested() && options_.to.empty()) check_volumes();
    if (restorer_) restorer_->sync();
    out_.manifest = manifest_;
    out_.interrupted = stop_requested();
    out_.incomplete = !out_.interrupted && !reader_.end();
    return out_;
  }

 private:
  std::vector<Item> read_batch() {
    std::vector<Item> batch;
    std::set<std::string> targets;
    for (std::uint64_t bytes = 0; batch.size() < kBatchRecords && bytes < kBatchBytes * options_.threads;) {
      if (stop_requested()) return {};
      const auto line = reader_.next_line();
      if (!line) break;
      if (const auto volume = manifest::volume_of(*line)) volumes_.push_back(*volume);
      auto record = manifest::parse_record(*line);
      auto* object = std::get_if<Object>(&record);
      if (object == nullptr) continue;
      ++out_.objects;
      auto place = manifest::place_of(*line);
      if (!place) {
        ++out_.not_packed;
        continue;
      }
      Item& item = batch.emplace_back();
      item.object = std::move(*object);
      item.place = *std::move(place);
      // A container is restored once, not once for each of its members.
      item.again = restorer_ ? item.place.part && item.object.source.path == last_path_ : !seen_.put(item.place);
      if (restorer_) last_path_ = item.object.source.path;
      if (!item.again) bytes += item.place.size;
    }
    return batch;
  }

  void work(Item& item) {
    if (item.again || stop_requested()) return;
    note(item, restorer_ ? restore(item) : check(item));
  }

  /// One wait for the disk serves all files of a batch.
  void give_names(std::vector<Item>& batch) {
    if (std::none_of(batch.begin(), batch.end(), [](const Item& item) { return item.file.has_value(); })) return;
    restorer_->sync();
    for (Item& item : batch) {
      if (item.file) note(item, item.file->name());
      item.file.reset();
    }
  }

  static void note(Item& item, const Result<Done>& done) {
    if (done) return;
    item.became = done.error().fault == Fault::refused ? Became::refused : Became::damaged;
    item.why = done.error().what;
  }

  Result<Done> check(const Item& item) {
    const auto volume = shelf_.open(item.place.volume);
    if (!volume) return volume.error();
    return read_entry((*volume)->get(), item.place, [](ByteView) -> Result<Done> { return Done{}; });
  }

  Result<Done> restore(Item& item) {
    const auto& source = item.object.source;
    const bool whole = item.place.part || (!source.member && source.offset == 0);
    const auto path = restored_path(source, whole, root_);
    if (!path) return path.error();
    const auto there = restorer_->holds(*path, item.place);
    if (!there) return Failure{Fault::refused, there.error().what};
    if (*there) {
      item.became = Became::present;
      return Done{};
    }
    const auto volume = shelf_.open(item.place.volume);
    if (!volume) return volume.error();
    auto file = restorer_->create(*path);
    if (!file) return file.error();
    const auto read = read_entry((*volume)->get(), item.place, [&](ByteView bytes) -> Result<Done> {
      file->write(bytes);
      return Done{};
    });
    if (!read) return read;
    file->close(item.place.part ? "" : source.mtime);
    item.file.emplace(*std::move(file));
    return Done{};
  }

  void settle(const Item& item) {
    if (options_.progress) options_.progress(1, item.again ? 0 : item.place.size, !item.why.empty());
    if (!item.why.empty()) {
      ++(item.became == Became::refused ? out_.refused : out_.damaged);
      if (item.became == Became::damaged) bad_.insert(item.place.volume + std::to_string(item.place.offset));
      if (options_.exception) options_.exception(item.object.id, item.object.source.path, item.why);
      return;
    }
    if (item.again && !restorer_ && bad_.contains(item.place.volume + std::to_string(item.place.offset))) {
      ++out_.damaged;
      if (options_.exception) options_.exception(item.object.id, item.object.source.path, "its content is damaged");
      return;
    }
    ++out_.good;
    if (item.became == Became::present) ++out_.present;
    if (item.again) return;
    ++out_.contents;
    out_.bytes += item.place.size;
  }

  void check_volumes() {
    std::vector<std::string> why(volumes_.size());
    oneapi::tbb::parallel_for(std::size_t{0}, volumes_.size(), [&](std::size_t i) {
      if (stop_requested()) return;
      try {
        const auto found = measure(folder_ / volumes_[i].name);
        if (found.size != volumes_[i].size || found.sha256 != volumes_[i].sha256)
          why[i] = "its SHA-256 is not the one the manifest says";
      } catch (const RunError& error) {
        why[i] = error.what();
      }
    });
    for (std::size_t i = 0; i < why.size(); ++i) {
      if (why[i].empty()) {
        ++out_.volumes;
        continue;
      }
      ++out_.damaged;
      if (options_.exception) options_.exception(volumes_[i].name, volumes_[i].name, why[i]);
    }
  }

  const UnpackOptions& options_;
  std::filesystem::path manifest_;
  manifest::Reader reader_;
  std::filesystem::path folder_;
  Shelf shelf_;
  Contents seen_;  // contents that a check has met
  std::string root_;
  std::optional<Restorer> restorer_;
  std::string last_path_;
  std::vector<manifest::Volume> volumes_;
  std::set<std::string> bad_;
  Unpacked out_;
};

}  // namespace

std::string Unpacked::json() const {
  JsonWriter w;
  w.begin_object().member("objects", objects).member("not_packed", not_packed).member("good", good);
  w.member("present", present).member("contents", contents).member("volumes", volumes).member("bytes", bytes);
  w.member("damaged", damaged).member("refused", refused).member("incomplete", incomplete);
  return std::move(w.end_object()).str();
}

Exit Unpacked::exit() const noexcept {
  if (interrupted) return Exit::interrupted;
  if (damaged > 0) return Exit::integrity;
  return refused > 0 || incomplete ? Exit::exceptions : Exit::ok;
}

Unpacked unpack(const UnpackOptions& options) { return Run(options).go(); }

}  // namespace waybill::pack
