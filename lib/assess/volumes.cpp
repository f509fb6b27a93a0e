// SPDX-License-Identifier: Apache-2.0
#include "assess/volumes.hpp"

#include "core/text.hpp"
#include "pixel/codec.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace waybill::assess {
namespace {

using manifest::Object;

// Sizes below 128 have a class each, above that 64 classes lie between a power of two and the next.
constexpr unsigned kExact = 128, kSteps = 64, kFirstPower = 7;

std::size_t class_of(std::uint64_t size) {
  if (size < kExact) return size;
  const auto power = static_cast<unsigned>(std::bit_width(size)) - 1;
  return kExact + (power - kFirstPower) * kSteps + (size >> (power - 6) & (kSteps - 1));
}

std::uint64_t least_of(std::size_t number) {
  if (number < kExact) return number;
  const std::size_t power = (number - kExact) / kSteps + kFirstPower, step = (number - kExact) % kSteps;
  return (kSteps + step) << (power - 6);
}

/// The value under `key`, or the one for what is beyond the most rows.
template <typename Map, typename Key>
typename Map::mapped_type& row(Map& map, const Key& key, const Key& other) {
  if (const auto at = map.find(key); at != map.end()) return at->second;
  return map[map.size() < kMostRows ? key : other];
}

const Kind kOtherKind{std::string(kOther), std::string(kOther)};
const Group kOtherGroup{std::string(kOther), std::string(kOther), std::string(kOther)};
constexpr std::size_t kLongestModality = 16, kLongestSite = 64;  // longer ones break the standard

std::string word(const std::optional<std::string>& text, std::size_t longest) {
  const std::string_view trimmed = trim(text ? std::string_view(*text) : "");
  return trimmed.empty() ? std::string(kNone) : repair_utf8(trimmed.substr(0, longest));
}

const char* name_of(pixel::Fidelity fidelity) {
  switch (fidelity) {
    case pixel::Fidelity::native: return "native";
    case pixel::Fidelity::lossless: return "lossless";
    case pixel::Fidelity::lossy: return "lossy";
    case pixel::Fidelity::video: return "video";
    case pixel::Fidelity::reference: return "reference";
    case pixel::Fidelity::unknown: break;
  }
  return "unknown";
}

void add_code(std::map<std::string, Code>& codes, const std::string& name, const Code& more) {
  Code& code = row(codes, name, std::string(kOther));
  code.severity = std::max(code.severity, more.severity);
  code.amount += more.amount;
}

}  // namespace

void Sizes::add(std::uint64_t size) {
  const std::size_t at = class_of(size);
  if (at >= classes_.size()) classes_.resize(at + 1);
  ++classes_[at];
  ++count_;
  largest_ = std::max(largest_, size);
}

void Sizes::add(const Sizes& more) {
  if (more.classes_.size() > classes_.size()) classes_.resize(more.classes_.size());
  for (std::size_t i = 0; i < more.classes_.size(); ++i) classes_[i] += more.classes_[i];
  count_ += more.count_;
  largest_ = std::max(largest_, more.largest_);
}

std::uint64_t Sizes::quantile(double share) const {
  if (count_ == 0) return 0;
  const auto wanted =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(share * static_cast<double>(count_))));
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    passed += classes_[i];
    if (passed >= wanted) return least_of(i);
  }
  return largest_;
}

std::string year_of(std::string_view date, int year_of_scan) {
  date = trim(date);
  if (date.empty()) return std::string(kNone);
  int year = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i >= date.size() || date[i] < '0' || date[i] > '9') return std::string(kImplausible);
    year = year * 10 + (date[i] - '0');
  }
  constexpr int kFirst = 1890;  // no older image can be
  return year < kFirst || year > year_of_scan ? std::string(kImplausible) : std::string(date.substr(0, 4));
}

Kind kind_of(const Object& object) {
  constexpr std::size_t kLongestUid = 64;
  return {word(object.sop_class, kLongestUid), word(object.transfer_syntax, kLongestUid)};
}

void Volumes::add(const Object& object, const std::map<std::string, manifest::Severity>& all_codes, int year_of_scan) {
  const std::uint64_t size = object.source.size;
  all.add(size);
  buckets[std::string(to_string(object.bucket))].add(size);
  for (const auto& [name, severity] : all_codes) add_code(codes, name, {severity, {1, size}});
  if (object.bucket != manifest::Bucket::instance) return;
  instances.add(size);
  sizes.add(size);
  if (object.frames.value_or(1) > 1) multi_frame.add(size);
  if (!object.study || object.study->empty()) without_study.add(size);
  const Kind kind = kind_of(object);
  fidelity[name_of(pixel::fidelity_of(kind.transfer_syntax))].add(size);
  row(kinds, kind, kOtherKind).add(size);
  const Group group{word(object.modality, kLongestModality), year_of(object.study_date.value_or(""), year_of_scan),
                    word(object.issuer, kLongestSite)};
  row(groups, group, kOtherGroup).add(size);
}

void Volumes::add(const Volumes& part) {
  all += part.all;
  for (const auto& [name, amount] : part.buckets) buckets[name] += amount;
  instances += part.instances;
  multi_frame += part.multi_frame;
  without_study += part.without_study;
  for (const auto& [name, amount] : part.fidelity) fidelity[name] += amount;
  for (const auto& [key, amount] : part.groups) row(groups, key, kOtherGroup) += amount;
  for (const auto& [key, amount] : part.kinds) row(kinds, key, kOtherKind) += amount;
  for (const auto& [name, code] : part.codes) add_code(codes, name, code);
  sizes.add(part.sizes);
}

void Volumes::add_late(const manifest::Finding& finding) { add_code(codes, finding.code, {finding.severity, {1, 0}}); }

}  // namespace waybill::assess
