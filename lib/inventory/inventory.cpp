// SPDX-License-Identifier: Apache-2.0
#include "inventory/inventory.hpp"

#include "core/result.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "inventory/elements.hpp"
#include "io/descriptor.hpp"
#include "manifest/derive.hpp"
#include "manifest/rejection.hpp"
#include "manifest/sorter.hpp"
#include "manifest/study.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace waybill::inventory {

using dicom::tag;
using manifest::Bucket;
using manifest::Object;
using manifest::Study;

namespace {

constexpr std::string_view kInventoryStorage = "1.2.840.10008.5.1.4.1.1.201.1";

bool is_uid(const std::optional<std::string>& uid) {
  return uid && !uid->empty() && uid->size() <= 64 &&
         std::all_of(uid->begin(), uid->end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

/// Whether the object is an instance of the archive. A copy of other content under one UID has no place in an
/// inventory.
bool belongs(const Object& o) {
  constexpr std::array kNone = {Bucket::duplicate_conflict, Bucket::dicomdir,   Bucket::non_dicom,
                                Bucket::non_instance,       Bucket::unreadable, Bucket::empty};
  return std::find(kNone.begin(), kNone.end(), o.bucket) == kNone.end() && is_uid(o.study) && is_uid(o.series) &&
         is_uid(o.sop_instance) && is_uid(o.sop_class);
}

/// "file:///a/b%20c": RFC 8089, all but unreserved characters as %XX.
std::string file_uri(const std::string& path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out = "file://";
  for (const char c : path_from_text(path)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto u = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[u >> 4U];
      out += kDigits[u & 15U];
    }
  }
  return out;
}

/// Container File Type (0008,040A) by the name of the file.
std::string_view container_type(std::string_view path) {
  if (path.ends_with(".zip") || path.ends_with(".ZIP")) return "ZIP";
  if (path.ends_with(".gz") || path.ends_with(".tgz")) return "GZIP";
  return path.ends_with(".tar") ? "TAR" : "";
}

std::string digits(std::string_view rfc3339) {
  std::string out;
  for (const char c : rfc3339.substr(0, 19)) {
    if (c >= '0' && c <= '9') out += c;
  }
  return out;
}

std::string bytes_of_hex(std::string_view hex) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) out += static_cast<char>(value(hex[i]) << 4 | value(hex[i + 1]));
  return out;
}

/// What all files of one inventory have in common.
struct Frame {
  std::string head;  ///< of the manifest
  std::string when;  ///< YYYYMMDDHHMMSS, UTC
  std::string source;
  bool complete = true;
  std::unordered_map<std::string, manifest::Finding> rejected;
};

/// One Inventory SOP Instance in the making.
class File {
 public:
  File(const std::filesystem::path& path, const Frame& frame, std::uint64_t number)
      : frame_(frame),
        uid_(uid_from("waybill inventory " + frame.head + " " + std::to_string(number))),
        out_(path, kInventoryStorage, uid_) {
    out_.text(tag(0x0008, 0x0005), "CS", "ISO_IR 192");
    out_.text(tag(0x0008, 0x0016), "UI", kInventoryStorage);
    out_.text(tag(0x0008, 0x0018), "UI", uid_);
    out_.text(tag(0x0008, 0x0023), "DA", frame.when.substr(0, 8));
    out_.text(tag(0x0008, 0x0033), "TM", frame.when.substr(8));
    out_.text(tag(0x0008, 0x0070), "LO", "Waybill");
    out_.begin_sequence(tag(0x0008, 0x0400));  // no item: the scope is the whole archive
    out_.end_sequence();
    out_.text(tag(0x0008, 0x0401), "LT", "Migration");
    out_.text(tag(0x0008, 0x0402), "LT", "From manifest " + frame.source + " with head " + frame.head);
    out_.text(tag(0x0008, 0x0403), "CS", "INSTANCE");
  }

  /// Parts that this one incorporates; before any study.
  void incorporate(const std::vector<std::string>& uids) {
    out_.begin_sequence(tag(0x0008, 0x0422));
    for (const auto& uid : uids) {
      out_.begin_item();
      out_.text(tag(0x0008, 0x1150), "UI", kInventoryStorage);
      out_.text(tag(0x0008, 0x1155), "UI", uid);
      out_.end_item();
    }
    out_.end_sequence();
  }
  void begin_studies() { out_.begin_sequence(tag(0x0008, 0x0423)); }

  /// `who` gives identity and modalities of the study.
  void begin_study(const Study& who) {
    study_ = who;
    series_count_ = instances_ = 0;
    ++studies_;
    out_.begin_item();
    maybe(tag(0x0008, 0x0020), "DA", who.study_date);
    maybe(tag(0x0008, 0x0030), "TM", who.study_time);
    out_.text(tag(0x0008, 0x0050), "SH", who.accession.value_or(""));
    std::string modalities;
    for (const auto& m : who.modalities) modalities += (modalities.empty() ? "" : "\\") + m;
    out_.text(tag(0x0008, 0x0061), "CS", modalities);
    out_.text(tag(0x0008, 0x0404), "DT", frame_.when + "+0000");
    out_.begin_sequence(tag(0x0008, 0x0424));
  }
  void begin_series(const Object& first) {
    series_ = first.series.value_or("");
    in_series_ = 0;
    ++series_count_;
    out_.begin_item();
    out_.text(tag(0x0008, 0x0060), "CS", first.modality.value_or(""));
    out_.text(tag(0x0008, 0x0404), "DT", frame_.when + "+0000");
    out_.begin_sequence(tag(0x0008, 0x0425));
  }
  /// One instance with the files it lies in.
  void instance(const std::vector<Object>& copies) {
    const Object& o = copies.front();
    ++in_series_;
    ++instances_;
    out_.begin_item();
    out_.text(tag(0x0008, 0x0016), "UI", *o.sop_class);
    out_.text(tag(0x0008, 0x0018), "UI", *o.sop_instance);
    out_.text(tag(0x0008, 0x0404), "DT", frame_.when + "+0000");
    const bool removed = frame_.rejected.contains(o.id) || manifest::rejection_of(o).has_value();
    if (removed) out_.text(tag(0x0008, 0x0405), "CS", "Y");
    maybe(tag(0x0008, 0x040E), "UI", o.transfer_syntax);
    out_.begin_sequence(tag(0x0008, 0x041A));
    for (const Object& copy : copies) access(copy);
    out_.end_sequence();
    out_.end_item();
  }
  void end_series() {
    out_.end_sequence();
    out_.text(tag(0x0020, 0x000E), "UI", series_);
    out_.text(tag(0x0020, 0x1209), "IS", std::to_string(in_series_));
    out_.end_item();
  }
  void end_study() {
    out_.end_sequence();
    out_.text(tag(0x0010, 0x0010), "PN", study_.patient_name.value_or(""));
    out_.text(tag(0x0010, 0x0020), "LO", study_.patient_id.value_or(""));
    maybe(tag(0x0010, 0x0021), "LO", study_.issuer);
    out_.text(tag(0x0010, 0x0030), "DA", study_.birth_date.value_or(""));
    out_.text(tag(0x0010, 0x0040), "CS", study_.sex.value_or(""));
    out_.text(tag(0x0020, 0x000D), "UI", study_.study);
    out_.text(tag(0x0020, 0x1206), "IS", std::to_string(series_count_));
    out_.text(tag(0x0020, 0x1208), "IS", std::to_string(instances_));
    out_.end_item();
  }
  /// `total` counts the studies of incorporated parts too.
  void finish(std::uint64_t total) {
    out_.end_sequence();
    out_.text(tag(0x0008, 0x0426), "CS", frame_.complete ? "COMPLETE" : "PARTIAL");
    out_.u32(tag(0x0008, 0x0427), static_cast<std::uint32_t>(studies_));
    out_.u64(tag(0x0008, 0x0428), total);
    out_.text(tag(0x0018, 0x1020), "LO", kToolName);
    out_.commit();
  }

  [[nodiscard]] std::uint64_t studies() const noexcept { return studies_; }
  [[nodiscard]] const std::string& uid() const noexcept { return uid_; }

 private:
  void maybe(dicom::Tag t, const char (&v)[3], const std::optional<std::string>& value) {
    if (value && !value->empty()) out_.text(t, v, *value);
  }
  void access(const Object& o) {
    out_.begin_item();
    out_.text(tag(0x0008, 0x0409), "UR", file_uri(o.source.path));
    if (o.source.member) {
      if (const auto type = container_type(o.source.path); !type.empty()) out_.text(tag(0x0008, 0x040A), "CS", type);
      out_.text(tag(0x0008, 0x040B), "UR", file_uri(*o.source.member).substr(7));
    } else if (o.source.offset > 0) {
      out_.u64(tag(0x0008, 0x040C), o.source.offset);
      out_.u64(tag(0x0008, 0x040D), o.source.size);
    }
    if (o.file_sha256) {
      out_.text(tag(0x0400, 0x0015), "CS", "SHA256");
      out_.bytes(tag(0x0400, 0x0404), bytes_of_hex(*o.file_sha256));
    }
    out_.end_item();
  }

  const Frame& frame_;
  std::string uid_;
  ElementFile out_;
  Study study_;
  std::string series_;
  std::uint64_t studies_ = 0, series_count_ = 0, instances_ = 0, in_series_ = 0;
};

Study identity_of(const Object& o) {
  Study s = manifest::study_of(o);
  if (o.modality) s.modalities = {*o.modality};
  return s;
}

/// Takes sorted records and writes them as nested items, in as many files as it takes.
class Export {
 public:
  Export(const Frame& frame, const std::filesystem::path& output, std::uint64_t studies_per_file)
      : frame_(frame), output_(output), folder_(std::filesystem::is_directory(output)), limit_(studies_per_file) {}

  void add(manifest::Record record) {
    if (auto* study = std::get_if<Study>(&record)) {
      known_ = std::move(*study);
      return;
    }
    auto* object = std::get_if<Object>(&record);
    if (object == nullptr) return;
    if (!belongs(*object)) {
      left_out_ += object->sop_instance.has_value() ? 1 : 0;
      return;
    }
    if (!copies_.empty() && copies_.front().study == object->study && copies_.front().series == object->series &&
        copies_.front().sop_instance == object->sop_instance) {
      copies_.push_back(std::move(*object));
      return;
    }
    write_copies();
    copies_.push_back(std::move(*object));
  }

  Written finish() {
    write_copies();
    close_study();
    if (!folder_) {
      if (!file_) open();
      file_->finish(file_->studies());
      return {1, studies_, instances_, left_out_};
    }
    close_part();
    File root(output_ / "inventory.dcm", frame_, 0);
    root.incorporate(parts_);
    root.begin_studies();
    root.finish(studies_);
    return {parts_.size() + 1, studies_, instances_, left_out_};
  }

 private:
  void open() {
    const std::uint64_t number = folder_ ? parts_.size() + 1 : 0;
    std::string name = std::to_string(number);
    name = std::string(6 - std::min<std::size_t>(6, name.size()), '0') + name + ".dcm";
    file_.emplace(folder_ ? output_ / name : output_, frame_, number);
    file_->begin_studies();
  }
  void close_part() {
    if (!file_) return;
    parts_.push_back(file_->uid());
    file_->finish(file_->studies());
    file_.reset();
  }
  void close_study() {
    if (study_.empty()) return;
    file_->end_series();
    file_->end_study();
    study_.clear();
  }
  void write_copies() {
    if (copies_.empty()) return;
    const Object& o = copies_.front();
    if (study_ != *o.study) {
      close_study();
      if (folder_ && file_ && file_->studies() == limit_) close_part();
      if (!file_) open();
      file_->begin_study(known_ && known_->study == *o.study ? *known_ : identity_of(o));
      study_ = *o.study;
      ++studies_;
      series_.clear();
    }
    if (series_ != *o.series) {
      if (!series_.empty()) file_->end_series();
      file_->begin_series(o);
      series_ = *o.series;
    }
    file_->instance(copies_);
    ++instances_;
    copies_.clear();
  }

  const Frame& frame_;
  std::filesystem::path output_;
  bool folder_;
  std::uint64_t limit_;
  std::optional<File> file_;
  std::vector<std::string> parts_;
  std::optional<Study> known_;
  std::vector<Object> copies_;
  std::string study_, series_;
  std::uint64_t studies_ = 0, instances_ = 0, left_out_ = 0;
};

}  // namespace

Written write(const std::filesystem::path& manifest, const std::filesystem::path& output,
              std::uint64_t studies_per_file) {
  const bool folder = std::filesystem::is_directory(output);
  manifest::Sorter sorter(folder ? output : io::folder_of(output));
  Frame frame;
  manifest::Reader reader(manifest);
  while (const auto line = reader.next_line()) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped; run the same command again");
    if (line->starts_with(R"({"kind":"finding")")) {
      manifest::Record record = manifest::parse_record(*line);
      auto* late = std::get_if<manifest::LateFinding>(&record);
      if (late != nullptr && manifest::keeps_out(late->finding.code))
        frame.rejected.try_emplace(late->id, std::move(late->finding));
    }
    sorter.add(manifest::study_order(*line), *line);
  }
  frame.head = reader.head();
  frame.when = digits(reader.header().created);
  frame.source = reader.name();
  frame.complete = reader.end().has_value();
  if (frame.when.size() != 14)
    throw RunError(Exit::input, "the manifest's time of creation is no date; check it with `waybill manifest check`");
  Export out(frame, output, studies_per_file);
  while (const auto line = sorter.next()) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped; run the same command again");
    out.add(manifest::parse_record(*line));
  }
  return out.finish();
}

}  // namespace waybill::inventory
