// SPDX-License-Identifier: Apache-2.0
#include "assess/studies.hpp"

#include "core/result.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cstring>

namespace waybill::assess {
namespace {

constexpr std::size_t kBudget = std::size_t{48} << 20U, kPatientBudget = std::size_t{16} << 20U;

template <typename T>
void sort_unique(std::vector<T>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// Adds to a list that is sorted later, unless it was the last of its kind.
void note(std::vector<std::uint64_t>& list, std::uint64_t hash) {
  if (list.empty() || list.back() != hash) list.push_back(hash);
}
void note(std::vector<Feature>& list, Trait trait, std::string_view value) {
  for (std::size_t i = list.size(); i-- > 0 && list.size() - i <= 2 * kTraits;) {
    if (list[i].trait == trait && list[i].value == value) return;
  }
  list.push_back({trait, std::string(value)});
}

std::string_view cut(const std::optional<std::string>& text, std::size_t longest) {
  const std::string_view trimmed = trim(text ? std::string_view(*text) : "");
  return trimmed.empty() ? kNone : trimmed.substr(0, longest);
}

/// Code points at which scripts begin, up to the next entry.
struct Block {
  char32_t first;
  std::string_view script;
};
constexpr Block kBlocks[] = {{0, "ASCII"},       {0x80, "Latin"},    {0x370, "Greek"},   {0x400, "Cyrillic"},
                             {0x530, "other"},   {0x590, "Hebrew"},  {0x600, "Arabic"},  {0x780, "other"},
                             {0xE00, "Thai"},    {0xE80, "other"},   {0x1100, "Hangul"}, {0x1200, "other"},
                             {0x1E00, "Latin"},  {0x1F00, "Greek"},  {0x2000, "other"},  {0x2E80, "Han"},
                             {0x3040, "Kana"},   {0x3100, "other"},  {0x3130, "Hangul"}, {0x3190, "other"},
                             {0x31F0, "Kana"},   {0x3200, "other"},  {0x3400, "Han"},    {0xA000, "other"},
                             {0xAC00, "Hangul"}, {0xD800, "other"},  {0xF900, "Han"},    {0xFB00, "other"},
                             {0xFB50, "Arabic"}, {0xFE00, "other"},  {0xFE70, "Arabic"}, {0xFF00, "other"},
                             {0xFF66, "Kana"},   {0xFFA0, "Hangul"}, {0xFFE0, "other"},  {0xFFFD, "undecodable"},
                             {0xFFFE, "other"},  {0x20000, "Han"},   {0x30000, "other"}};

std::string_view script_of(char32_t point) {
  const auto* next = std::upper_bound(std::begin(kBlocks), std::end(kBlocks), point,
                                      [](char32_t p, const Block& block) { return p < block.first; });
  return (next - 1)->script;
}

/// A run as bytes for the sorter: what has a fixed size, then the lists.
class Pack {
 public:
  Pack& number(std::uint64_t n) {
    bytes_.append(reinterpret_cast<const char*>(&n), sizeof n);
    return *this;
  }
  Pack& text(std::string_view text) {
    number(text.size());
    bytes_.append(text);
    return *this;
  }
  template <typename T>
  Pack& list(const std::vector<T>& items) {
    number(items.size());
    bytes_.append(reinterpret_cast<const char*>(items.data()), items.size() * sizeof(T));
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

class Unpack {
 public:
  explicit Unpack(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number() {
    std::uint64_t n = 0;
    std::memcpy(&n, bytes_.data(), sizeof n);
    bytes_.remove_prefix(sizeof n);
    return n;
  }
  std::string_view text() {
    const std::uint64_t size = number();
    const std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  template <typename T>
  void append_to(std::vector<T>& items) {
    const std::uint64_t count = number();
    const std::size_t before = items.size();
    items.resize(before + count);
    if (count > 0) std::memcpy(items.data() + before, bytes_.data(), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
  }

 private:
  std::string_view bytes_;
};

std::string bytes_of(const Hash128& hash) { return manifest::ordered(hash.first) + manifest::ordered(hash.second); }

}  // namespace

std::string_view to_string(Trait trait) noexcept {
  static constexpr std::string_view kNames[kTraits] = {"sop_class", "transfer_syntax", "modality", "year",
                                                       "site",      "script",          "finding",  "frames"};
  return kNames[static_cast<std::size_t>(trait)];
}

std::string_view script_of(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (more == 0 || at + more >= text.size()) return "undecodable";
    char32_t point = lead & (0x3FU >> more);
    for (std::size_t i = 1; i <= more; ++i) point = point << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    return script_of(point);
  }
  return "ASCII";
}

void Runs::add(const manifest::Object& object, const std::map<std::string, manifest::Severity>& codes) {
  if (!object.study || object.study->empty()) return;
  if (runs_.empty() || runs_.back().study != *object.study) {
    runs_.emplace_back();
    runs_.back().study = *object.study;
  }
  Run& run = runs_.back();
  ++run.objects;
  if (object.bucket == manifest::Bucket::instance) {
    ++run.instances;
    run.bytes += object.source.size;
  }
  if (object.series && !object.series->empty()) note(run.series, hash_text(*object.series, key_).first);
  if (object.patient_id && !trim(*object.patient_id).empty()) {
    const std::string patient =
        std::string(trim(object.issuer.value_or(""))) + '\n' + std::string(trim(*object.patient_id));
    note(run.patients, hash_text(patient, key_).first);
  }
  constexpr std::size_t kLongestUid = 64, kLongestModality = 16;
  auto& features = run.features;
  note(features, Trait::sop_class, cut(object.sop_class, kLongestUid));
  note(features, Trait::transfer_syntax, cut(object.transfer_syntax, kLongestUid));
  note(features, Trait::modality, cut(object.modality, kLongestModality));
  note(features, Trait::year, year_of(object.study_date.value_or(""), year_of_scan_));
  note(features, Trait::site, cut(object.issuer, kLongestUid));
  note(features, Trait::script, script_of(object.patient_name ? std::string_view(*object.patient_name) : ""));
  if (object.frames.value_or(1) > 1) note(features, Trait::frames, "several");
  for (const auto& [code, severity] : codes) note(features, Trait::finding, code);
}

std::vector<Run> Runs::take() {
  for (Run& run : runs_) {
    sort_unique(run.features);
    sort_unique(run.series);
    sort_unique(run.patients);
  }
  return std::move(runs_);
}

Studies::Studies(const Hash128& key)
    : key_(key),
      sorter_(manifest::scratch_beside("-"), kBudget),
      patients_(manifest::scratch_beside("-"), kPatientBudget) {}

std::uint32_t Studies::number_of(const Feature& feature) {
  if (const auto at = numbers_.find(feature); at != numbers_.end()) return at->second;
  const bool room = features_.size() < kMostRows;
  const Feature& named = room ? feature : Feature{feature.trait, std::string(kOther)};
  const auto [at, fresh] = numbers_.try_emplace(named, static_cast<std::uint32_t>(features_.size()));
  if (fresh) features_.push_back({named.trait, repair_utf8(named.value)});
  return at->second;
}

void Studies::add(const Run& run) {
  std::vector<std::uint32_t> features;
  features.reserve(run.features.size());
  for (const Feature& feature : run.features) features.push_back(number_of(feature));
  Pack pack;
  pack.text(run.study).number(run.objects).number(run.instances).number(run.bytes);
  pack.list(features).list(run.series).list(run.patients);
  sorter_.add(bytes_of(hash_text(run.study, key_)), pack.bytes());
}

void Studies::close(StudySum& study, std::vector<std::uint64_t>& series, std::vector<std::uint64_t>& patients,
                    StudyCounts& counts, const std::function<void(const StudySum&)>& each) {
  if (study.objects == 0) return;
  sort_unique(study.features);
  sort_unique(series);
  sort_unique(patients);
  study.series = series.size();
  ++counts.studies;
  counts.series += study.series;
  if (study.instances == 0) {
    ++counts.without_instances;
  } else {
    counts.objects.add(study.instances);
    counts.bytes.add(study.bytes);
  }
  for (const std::uint32_t feature : study.features) ++having_[feature];
  for (const std::uint64_t patient : patients) patients_.add(manifest::ordered(patient), manifest::ordered(patient));
  each(study);
}

StudyCounts Studies::finish(const std::function<void(const StudySum&)>& each) {
  having_.assign(features_.size(), 0);
  StudyCounts counts;
  StudySum study;
  std::vector<std::uint64_t> series, patients;
  while (const auto line = sorter_.next()) {
    if (stop_requested()) throw RunError(Exit::interrupted, "stopped; nothing was written, run the same command again");
    Unpack run(*line);
    const std::string_view uid = run.text();
    if (uid != study.uid || study.objects == 0) {
      close(study, series, patients, counts, each);
      study = {};
      study.uid = uid;
      series.clear();
      patients.clear();
    }
    study.objects += run.number();
    study.instances += run.number();
    study.bytes += run.number();
    run.append_to(study.features);
    run.append_to(series);
    run.append_to(patients);
    constexpr std::size_t kMany = 1U << 16U;  // of a study that lies all over the archive
    if (study.features.size() > kMany) sort_unique(study.features);
    if (patients.size() > kMany) sort_unique(patients);
  }
  close(study, series, patients, counts, each);
  std::string last;
  while (const auto patient = patients_.next()) {
    if (!last.empty() && *patient == last) continue;
    last = *patient;
    ++counts.patients;
  }
  return counts;
}

}  // namespace waybill::assess
