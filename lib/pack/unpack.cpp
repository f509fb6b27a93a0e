// SPDX-License-Identifier: Apache-2.0
#include "pack/unpack.hpp"

#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "manifest/begun.hpp"
#include "manifest/reader.hpp"
#include "manifest/writer.hpp"
#include "pack/contents.hpp"
#include "pack/entry.hpp"
#include "pack/restore.hpp"
#include "pack/run.hpp"
#include "pack/sums.hpp"
#include "pack/volumes.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
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

  Result<std::shared_ptr<OpenVolume>> open(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto at = open_.find(name);
    if (at != open_.end()) return at->second;
    auto volume = OpenVolume::open(folder_ / name);
    if (!volume) return volume.error();
    if (open_.size() >= kOpenVolumes) open_.clear();
    open_.emplace(name, *volume);
    return *std::move(volume);
  }

 private:
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<OpenVolume>> open_;
};

enum class Became { good, present, damaged, refused };

const char* const kDamaged = "UNPACK-DAMAGED";
const char* const kRefused = "UNPACK-REFUSED";

/// A record of the backup on its way through; with a place, an object that is restored.
struct Item {
  std::string line;
  std::optional<Object> object;
  std::optional<Place> place;
  bool again = false;  // a check meets this content a second time
  Became became = Became::good;
  std::string why;
  std::string path;                    // below the target
  std::optional<Restorer::File> file;  // written, without its name
};

/// The record with what became of it: member `unpack`.
std::string told(const Item& item, const char* outcome) {
  std::string line = item.line;
  if (!item.why.empty()) {
    Object object = *item.object;
    const bool damaged = item.became == Became::damaged;
    object.bucket = manifest::Bucket::failed;
    object.findings.push_back({damaged ? kDamaged : kRefused,
                               damaged ? manifest::Severity::s4 : manifest::Severity::s3,
                               {},
                               "not restored: " + item.why,
                               std::nullopt,
                               {}});
    line = with_place(to_json(object), *item.place);
  }
  JsonWriter w;
  w.begin_object().member("outcome", outcome);
  if (!item.path.empty()) w.member("path", path_to_text(item.path));
  line.erase(line.rfind('}'));
  return line.append(R"(,"unpack":)").append(std::move(w.end_object()).str()).append("}");
}

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
    if (!options.to.empty()) restorer_.emplace(options.to);  // makes the folder, and the one that the record lies in
    if (!options.output.empty()) writer_.emplace(options.output, header(), manifest::Restart::yes);
  }

  Unpacked go() {
    for (auto batch = read_batch(); !batch.empty(); batch = read_batch()) {
      oneapi::tbb::parallel_for(std::size_t{0}, batch.size(), [&](std::size_t i) { work(batch[i]); });
      if (stop_requested()) break;
      give_names(batch);
      for (Item& item : batch) settle(item);
    }
    if (!stop_requested() && options_.to.empty()) check_volumes();
    if (restorer_) restorer_->sync();
    out_.manifest = manifest_;
    out_.interrupted = stop_requested();
    out_.incomplete = !out_.interrupted && !reader_.end();
    if (!out_.interrupted && options_.to.empty()) check_list();
    if (writer_ && (out_.interrupted || out_.incomplete)) writer_->commit();
    if (writer_ && !out_.interrupted && !out_.incomplete) writer_->finish(out_.json());
    return out_;
  }

 private:
  [[nodiscard]] manifest::Header header() const {
    manifest::Header out = manifest::begun("unpack");
    JsonWriter w;
    w.begin_object().member("root", root_).member("check", options_.to.empty());
    if (!options_.to.empty()) w.member("to", path_to_text(options_.to.string()));
    out.options = std::move(w.end_object()).str();
    out.inputs.push_back(manifest::input_of(manifest_));
    return out;
  }

  std::vector<Item> read_batch() {
    std::vector<Item> batch;
    for (std::uint64_t bytes = 0; batch.size() < kBatchRecords && bytes < kBatchBytes * options_.threads;) {
      if (stop_requested()) return {};
      const auto line = reader_.next_line();
      if (!line) break;
      if (const auto volume = manifest::volume_of(*line)) {
        volumes_.push_back(*volume);
        continue;
      }
      Item& item = batch.emplace_back();
      item.line = *line;
      auto record = manifest::parse_record(*line);
      auto* object = std::get_if<Object>(&record);
      if (object == nullptr) continue;
      ++out_.objects;
      item.object = std::move(*object);
      item.place = manifest::place_of(*line);
      if (!item.place) {
        ++out_.not_packed;
        continue;
      }
      // A container is restored once, not once for each of its members.
      item.again = restorer_ ? item.place->part && item.object->source.path == last_path_ : !seen_.put(*item.place);
      if (restorer_) last_path_ = item.object->source.path;
      if (!item.again) bytes += item.place->size;
    }
    return batch;
  }

  void work(Item& item) {
    if (!item.place || item.again || stop_requested()) return;
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
    const auto volume = shelf_.open(item.place->volume);
    if (!volume) return volume.error();
    return read_entry(**volume, *item.place, [](ByteView) -> Result<Done> { return Done{}; });
  }

  Result<Done> restore(Item& item) {
    const auto& source = item.object->source;
    const bool whole = item.place->part || (!source.member && source.offset == 0);
    const auto path = restored_path(source, whole, root_);
    if (!path) return path.error();
    item.path = *path;
    const auto there = restorer_->holds(*path, *item.place);
    if (!there) return Failure{Fault::refused, there.error().what};
    if (*there) {
      item.became = Became::present;
      return Done{};
    }
    const auto volume = shelf_.open(item.place->volume);
    if (!volume) return volume.error();
    auto file = restorer_->create(*path);
    if (!file) return file.error();
    auto read = read_entry(**volume, *item.place, [&](ByteView bytes) -> Result<Done> {
      file->write(bytes);
      return Done{};
    });
    if (!read) return read;
    file->close(item.place->part ? "" : source.mtime);
    item.file.emplace(*std::move(file));
    return Done{};
  }

  void settle(Item& item) {
    if (item.place) judge(item);
    if (!writer_) return;
    if (!item.object) return writer_->append(item.line);
    writer_->append(told(item, outcome_of(item)));
  }

  [[nodiscard]] const char* outcome_of(const Item& item) const {
    if (!item.place) return "not-packed";
    if (!item.why.empty()) return item.became == Became::damaged ? "damaged" : "refused";
    if (!restorer_) return "proved";
    if (item.again) return "with-container";
    return item.became == Became::present ? "present" : "restored";
  }

  void judge(Item& item) {
    // What members share: on the disk their container, in a check the content.
    const std::string content =
        restorer_ ? item.object->source.path : item.place->volume + std::to_string(item.place->offset);
    if (item.again && bad_.contains(content)) {  // a check meets it once more, or it is a member of a container
      item.why = restorer_ ? "its container was not restored" : "its content is damaged";
      item.became = bad_.at(content);
    }
    if (options_.progress) options_.progress(1, item.again ? 0 : item.place->size, !item.why.empty());
    if (!item.why.empty()) {
      ++(item.became == Became::refused ? out_.refused : out_.damaged);
      bad_.emplace(content, item.became);
      if (options_.exception) options_.exception(item.object->id, item.object->source.path, item.why);
      return;
    }
    ++out_.good;
    if (item.became == Became::present) ++out_.present;
    if (item.again) return;
    ++out_.contents;
    out_.bytes += item.place->size;
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

  /// The list that sha256sum reads, which pack writes at its end. What `manifest filter` left of the manifest does not
  /// say which volumes there are.
  void check_list() {
    if (out_.incomplete) {
      out_.list = "not checked: the backup was interrupted before its list was written";
    } else if (manifest::count_of(reader_.end()->counts, "volumes") != volumes_.size()) {
      out_.list = "not checked: the manifest is a part of the backup's; check the folder as a whole";
    } else {
      const auto odd = check_sums(folder_, volumes_);
      for (const auto& [name, why] : odd) {
        if (options_.exception) options_.exception(name, name, why);
      }
      out_.damaged += odd.size();
      out_.list = odd.empty() ? "agrees" : "differs";
    }
  }

  const UnpackOptions& options_;
  std::filesystem::path manifest_;
  manifest::Reader reader_;
  std::filesystem::path folder_;
  Shelf shelf_;
  std::optional<manifest::Writer> writer_;
  Contents seen_;  // contents that a check has met
  std::string root_;
  std::optional<Restorer> restorer_;
  std::string last_path_;
  std::vector<manifest::Volume> volumes_;
  std::map<std::string, Became> bad_;  // by place of the content, or path of the container
  Unpacked out_;
};

}  // namespace

std::string Unpacked::json() const {
  JsonWriter w;
  w.begin_object().member("objects", objects).member("not_packed", not_packed).member("good", good);
  w.member("present", present).member("contents", contents).member("volumes", volumes).member("bytes", bytes);
  w.member("damaged", damaged).member("refused", refused).member("incomplete", incomplete);
  if (!list.empty()) w.member("list", list);
  return std::move(w.end_object()).str();
}

Exit Unpacked::exit() const noexcept {
  if (interrupted) return Exit::interrupted;
  if (damaged > 0) return Exit::integrity;
  return refused > 0 || incomplete ? Exit::exceptions : Exit::ok;
}

Unpacked unpack(const UnpackOptions& options) { return Run(options).go(); }

}  // namespace waybill::pack
