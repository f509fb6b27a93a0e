// SPDX-License-Identifier: Apache-2.0
#include "scan/dicomdir.hpp"

#include "core/text.hpp"
#include "io/descriptor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace waybill::scan {

using manifest::Severity;

namespace {

constexpr std::size_t kShown = 3;  // file ids named in a finding

/// "IMAGES\IM0001 " as "IMAGES/IM0001".
std::string joined(std::string_view file_id) {
  std::string out;
  for (const std::string_view part : split(file_id, '\\')) {
    const std::string_view name = trim(part);
    if (name.empty()) continue;
    if (!out.empty()) out += '/';
    out += comparable(name);
  }
  return out;
}

/// How many, and the first few.
class Names {
 public:
  void add(const std::string& name) {
    if (count_++ < kShown) text_ += (text_.empty() ? "" : ", ") + path_to_text(name);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::string text() const { return text_ + (count_ > kShown ? ", …" : ""); }

 private:
  std::uint64_t count_ = 0;
  std::string text_;
};

void report(const FileSet& set, const Names& missing, const Names& extra, manifest::Object& object) {
  if (missing.count() > 0) {
    object.findings.push_back({"DIR-MISSING",
                               Severity::s3,
                               "0004,1500",
                               std::to_string(missing.count()) + " of " + std::to_string(set.files.size()) +
                                   " referenced files are not there: " + missing.text(),
                               std::nullopt,
                               {}});
  }
  if (extra.count() > 0) {
    object.findings.push_back({"DIR-EXTRA",
                               Severity::s1,
                               "0004,1500",
                               std::to_string(extra.count()) + " DICOM files are not in the directory: " + extra.text(),
                               std::nullopt,
                               {}});
  }
  if (!set.empty_studies.empty()) {
    Names studies;
    for (const std::string& uid : set.empty_studies) studies.add(uid);
    object.findings.push_back(
        {"STU-EMPTY",
         Severity::s0,
         "0020,000D",
         std::to_string(studies.count()) + " studies of the directory have no object: " + studies.text(),
         std::nullopt,
         {}});
  }
  if (set.cut) {
    object.findings.push_back({"DIR-UNCHECKED",
                               Severity::s1,
                               "0004,1500",
                               "only the first " + std::to_string(kMostReferences) + " references were compared",
                               std::nullopt,
                               {}});
  }
}

bool is_dicom_file(const std::string& path) {
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  std::array<char, 4> mark{};
  return fd && ::pread(fd.get(), mark.data(), mark.size(), 128) == 4 && std::string_view(mark.data(), 4) == "DICM";
}

class FolderCheck {
 public:
  FolderCheck(std::string directory) : directory_(std::move(directory)) {}

  using References = std::span<const std::string>;

  /// `references` all begin with the path of `folder` inside the file-set, which is `prefix` characters long.
  void check(const std::string& folder, References references, std::size_t prefix) {
    const auto listing = list(folder);
    std::map<std::string, References> wanted;  // by the next name on their path
    for (std::size_t i = 0; i < references.size();) {
      const std::string name = next_name(references[i], prefix);
      std::size_t end = i;
      while (end < references.size() && next_name(references[end], prefix) == name) ++end;
      // Sorted by the whole path, "A", "A.B" and "A/1" interleave; equal names may come in several runs.
      const auto [at, added] = wanted.emplace(name, references.subspan(i, end - i));
      if (!added) check_run(folder, name, listing, references.subspan(i, end - i), prefix);
      i = end;
    }
    for (const auto& [name, run] : wanted) check_run(folder, name, listing, run, prefix);
    for (const auto& [name, item] : listing) {
      if (!wanted.contains(name)) look_at_extra(folder, name, item, prefix);
    }
  }

  Names missing, extra;

 private:
  struct Item {
    std::string name;  // as the system has it
    bool folder = false;
    bool file = false;
  };

  static std::string next_name(const std::string& reference, std::size_t prefix) {
    return reference.substr(prefix, reference.find('/', prefix) - prefix);
  }

  void check_run(const std::string& folder, const std::string& name, const std::map<std::string, Item>& listing,
                 References run, std::size_t prefix) {
    const auto item = listing.find(name);
    std::size_t files = 0;  // references that end here, at most one
    while (files < run.size() && run[files].size() == prefix + name.size()) {
      if (item == listing.end() || item->second.folder) missing.add(run[files]);
      ++files;
    }
    const References below = run.subspan(files);
    if (below.empty()) return;
    if (item != listing.end() && item->second.folder) {
      check(folder + "/" + item->second.name, below, prefix + name.size() + 1);
    } else {
      for (const std::string& reference : below) missing.add(reference);
    }
  }

  void look_at_extra(const std::string& folder, const std::string& name, const Item& item, std::size_t prefix) {
    const std::string path = folder + "/" + item.name;
    if (item.folder) {
      const auto inside = list(path);
      if (inside.contains("DICOMDIR") || ++depth_ > kDeepest) return;
      for (const auto& [next, below] : inside) look_at_extra(path, next, below, prefix);
      --depth_;
    } else if (item.file && item.name != directory_ && name != "DICOMDIR" && is_dicom_file(path)) {
      extra.add(path.substr(root_.size() + 1));
    }
  }

  std::map<std::string, Item> list(const std::string& folder) {
    if (root_.empty()) root_ = folder;
    std::map<std::string, Item> items;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      std::error_code ignored;
      const auto status = entry->d_type == DT_UNKNOWN ? std::filesystem::symlink_status(folder + "/" + name, ignored)
                                                      : std::filesystem::file_status();
      Item item{name, entry->d_type == DT_DIR || std::filesystem::is_directory(status),
                entry->d_type == DT_REG || std::filesystem::is_regular_file(status)};
      items.emplace(comparable(name), std::move(item));
    }
    return items;
  }

  static constexpr int kDeepest = 64;
  std::string directory_;
  std::string root_;
  int depth_ = 0;
};

}  // namespace

std::string comparable(std::string_view name) {
  const std::size_t version = name.rfind(';');
  const bool numbered = version != std::string_view::npos && version + 1 < name.size() &&
                        std::all_of(name.begin() + static_cast<std::ptrdiff_t>(version) + 1, name.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
  if (numbered) name = name.substr(0, version);
  if (name.size() > 1 && name.ends_with('.') && name != "..") name.remove_suffix(1);
  std::string out(name);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

namespace {

struct DirectoryRecord {
  std::string type, file_id, study;
  bool in_use = true;
  bool has_lower = false;  ///< points at records below
};

DirectoryRecord record_of(const dicom::Dataset& directory, std::uint32_t item) {
  const auto& nodes = directory.nodes();
  const bool big = directory.encoding().big_endian;
  DirectoryRecord record;
  for (std::uint32_t k = item + 1; k < nodes[item].next && nodes[k].next > k; k = nodes[k].next) {
    const ByteView value = directory.value(nodes[k]);
    switch (nodes[k].tag) {
      case dicom::tag(0x0004, 0x1410): record.in_use = value.size() != 2 || load_u16(value.data(), big) != 0; break;
      case dicom::tag(0x0004, 0x1420): record.has_lower = value.size() == 4 && load_u32(value.data(), big) != 0; break;
      case dicom::tag(0x0004, 0x1430): record.type = std::string(trim(as_text(value))); break;
      case dicom::tag(0x0004, 0x1500): record.file_id = joined(as_text(value)); break;
      case dicom::tag(0x0020, 0x000D): record.study = repair_utf8(trim(as_text(value)).substr(0, 64)); break;
      default: break;
    }
  }
  return record;
}

}  // namespace

FileSet file_set_of(const dicom::Dataset& directory) {
  FileSet set;
  const dicom::Node* records = directory.find(dicom::tag(0x0004, 0x1220));
  if (records == nullptr) return set;
  const auto& nodes = directory.nodes();
  std::optional<std::string> open_study;  // of which no object has been met yet
  const auto end_study = [&] {
    if (open_study) set.empty_studies.push_back(*std::exchange(open_study, std::nullopt));
  };
  for (std::uint32_t i = directory.index_of(*records) + 1; i < records->next && nodes[i].next > i; i = nodes[i].next) {
    const DirectoryRecord record = record_of(directory, i);
    // Both ways in which a record can have others below it: by its offset, and by what follows in the usual order.
    if (record.type == "STUDY" || record.type == "PATIENT") end_study();
    if (record.type == "STUDY" && record.in_use && !record.has_lower) open_study = record.study;
    if (record.file_id.empty() || !record.in_use) continue;
    open_study.reset();
    if (set.files.size() == kMostReferences) {
      set.cut = true;
      break;
    }
    set.files.push_back(record.file_id);
  }
  if (!set.cut) end_study();
  std::sort(set.files.begin(), set.files.end());
  set.files.erase(std::unique(set.files.begin(), set.files.end()), set.files.end());
  return set;
}

void compare_with_folder(const FileSet& set, const std::filesystem::path& folder, const std::string& directory,
                         manifest::Object& object) {
  FolderCheck check(directory);
  check.check(folder.string(), set.files, 0);
  report(set, check.missing, check.extra, object);
}

void compare_with_names(const FileSet& set, const std::vector<std::string>& names, manifest::Object& object) {
  Names missing;
  Names extra;
  for (const std::string& file : set.files) {
    if (!std::binary_search(names.begin(), names.end(), file)) missing.add(file);
  }
  for (const std::string& name : names) {
    if (!std::binary_search(set.files.begin(), set.files.end(), name)) extra.add(name);
  }
  report(set, missing, extra, object);
}

}  // namespace waybill::scan
