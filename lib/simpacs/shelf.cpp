// SPDX-License-Identifier: Apache-2.0
#include "simpacs/shelf.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "dicom/file.hpp"
#include "dicom/rewrite.hpp"
#include "io/descriptor.hpp"
#include "io/read_file.hpp"

#include <fcntl.h>
#include <algorithm>
#include <array>
#include <cstdio>

namespace waybill::simpacs {

namespace fs = std::filesystem;

namespace {

using dicom::tag;

/// What C-FIND can match and return besides counts.
constexpr std::array kFindable{tag(0x0008, 0x0016), tag(0x0008, 0x0018), tag(0x0008, 0x0020), tag(0x0008, 0x0030),
                               tag(0x0008, 0x0050), tag(0x0008, 0x0060), tag(0x0008, 0x0090), tag(0x0008, 0x1030),
                               tag(0x0008, 0x103E), tag(0x0010, 0x0010), tag(0x0010, 0x0020), tag(0x0010, 0x0030),
                               tag(0x0010, 0x0040), tag(0x0020, 0x000D), tag(0x0020, 0x000E), tag(0x0020, 0x0010),
                               tag(0x0020, 0x0011), tag(0x0020, 0x0013)};

dicom::Limits header_limits() {
  dicom::Limits limits;
  limits.stop_at_pixels = true;
  return limits;
}

std::map<dicom::Tag, std::string> values_of(ByteView dataset, const std::string& syntax) {
  std::map<dicom::Tag, std::string> values;
  const auto parsed = dicom::parse_network_dataset(dataset, syntax, header_limits());
  if (!parsed) return values;
  for (const dicom::Tag t : kFindable) {
    if (const auto value = parsed->dataset.raw_text(t)) values[t] = std::string(trim(*value));
  }
  return values;
}

/// A file name for any UID a peer may send.
std::string name_of(const std::string& uid) {
  const bool plain = !uid.empty() && uid.size() <= 64 &&
                     std::ranges::all_of(uid, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  return (plain && uid.front() != '.' ? uid
                                      : "x" + to_hex(as_bytes(uid).first(std::min<std::size_t>(uid.size(), 100)))) +
         ".dcm";
}

Bytes head_of(const Arrival& arrival) {
  dicom::File head;
  head.meta.sop_class = arrival.sop_class;
  head.meta.sop_instance = arrival.sop_instance;
  head.transfer_syntax = arrival.syntax;
  return dicom::wrap_dataset(head);
}

/// An instance from a file that an earlier run left; nullptr for another file.
InstancePtr instance_from(const fs::path& file) {
  const auto bytes = io::read_file(file);
  if (!bytes) return nullptr;
  const auto meta = dicom::read_meta(*bytes);
  if (!meta) return nullptr;
  auto instance = std::make_shared<Instance>();
  instance->sop_class = meta->sop_class;
  instance->sop_instance = meta->sop_instance;
  instance->syntax = meta->transfer_syntax;
  instance->file = file;
  instance->offset = meta->dataset_offset;
  instance->values = values_of(ByteView(*bytes).subspan(meta->dataset_offset), instance->syntax);
  return instance;
}

}  // namespace

const std::string& Instance::value(dicom::Tag wanted) const {
  static const std::string kNone;
  const auto found = values.find(wanted);
  return found == values.end() ? kNone : found->second;
}

Shelf::Shelf(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) io::throw_errno("make", folder_, error.value());
  for (const auto& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() != ".dcm") continue;
    if (auto instance = instance_from(entry.path())) {
      by_study_[instance->value(tag(0x0020, 0x000D))][instance->sop_instance] = instance;
      by_uid_[instance->sop_instance] = std::move(instance);
    }
  }
}

Shelf::Put Shelf::put(const Arrival& arrival, Duplicates duplicates) {
  if (duplicates != Duplicates::overwrite && find(arrival.sop_instance)) return Put::there;
  auto instance = std::make_shared<Instance>();
  const Bytes head = head_of(arrival);
  instance->sop_class = arrival.sop_class;
  instance->sop_instance = arrival.sop_instance;
  instance->syntax = arrival.syntax;
  instance->offset = head.size();
  instance->values = values_of(arrival.dataset, arrival.syntax);
  instance->file = folder_ / name_of(arrival.sop_instance);
  const fs::path part = folder_ / (std::to_string(parts_++) + ".part");
  {
    const io::Descriptor file = io::open_file(part, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) io::throw_errno("write", part, errno);
    io::write_all(file.get(), head, part);
    io::write_all(file.get(), arrival.dataset, part);
  }
  const std::lock_guard lock(mutex_);
  InstancePtr& place = by_uid_[arrival.sop_instance];
  const bool existed = place != nullptr;
  if (existed && duplicates != Duplicates::overwrite) {
    (void)std::remove(part.c_str());
    return Put::there;
  }
  if (std::rename(part.c_str(), instance->file.c_str()) != 0) io::throw_errno("name", instance->file, errno);
  if (existed) by_study_[place->value(tag(0x0020, 0x000D))].erase(arrival.sop_instance);
  by_study_[instance->value(tag(0x0020, 0x000D))][arrival.sop_instance] = instance;
  place = std::move(instance);
  return existed ? Put::replaced : Put::added;
}

InstancePtr Shelf::find(const std::string& sop_instance) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_uid_.find(sop_instance);
  return found == by_uid_.end() ? nullptr : found->second;
}

std::vector<InstancePtr> Shelf::select(const std::string& study, const std::string& series) const {
  std::vector<InstancePtr> all;
  const std::lock_guard lock(mutex_);
  const auto take = [&](const std::map<std::string, InstancePtr>& from) {
    for (const auto& [uid, instance] : from) {
      if (series.empty() || instance->value(tag(0x0020, 0x000E)) == series) all.push_back(instance);
    }
  };
  if (study.empty()) {
    take(by_uid_);
  } else if (const auto found = by_study_.find(study); found != by_study_.end()) {
    take(found->second);
  }
  return all;
}

std::size_t Shelf::size() const {
  const std::lock_guard lock(mutex_);
  return by_uid_.size();
}

Bytes Shelf::dataset_of(const Instance& instance) {
  auto bytes = io::read_file(instance.file);
  if (!bytes || bytes->size() < instance.offset)
    throw RunError(Exit::input, "an object of the store is gone; start the simulator again");
  bytes->erase(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(instance.offset));
  return *std::move(bytes);
}

Bytes spoil(ByteView dataset, const std::string& syntax, Keep how, ByteView before) {
  Bytes out(dataset.begin(), dataset.end());
  if (how == Keep::empty || how == Keep::nothing) return {};
  if (how == Keep::other) return before.empty() ? out : Bytes(before.begin(), before.end());
  if (how == Keep::cut) out.resize(out.size() / 4 * 3 & ~std::size_t{1});
  if (how != Keep::flipped && how != Keep::renamed) return out;
  const auto parsed = dicom::parse_network_dataset(dataset, syntax);
  // Offsets count in the inflated dataset; a deflated one is changed where it is, which spoils it as well.
  const bool inside = parsed && parsed->inflated.empty();
  const dicom::Node* node =
      inside ? parsed->dataset.find(how == Keep::flipped ? tag(0x7FE0, 0x0010) : tag(0x0010, 0x0010)) : nullptr;
  std::size_t at = out.empty() ? 0 : out.size() - 1;
  if (node != nullptr && node->length > 0) at = node->value + (how == Keep::flipped ? node->length / 2 : 0);
  if (at < out.size()) out[at] ^= std::byte{1};
  return out;
}

Bytes with_uid(ByteView dataset, const std::string& syntax, const std::string& uid) {
  const auto parsed = dicom::parse_network_dataset(dataset, syntax, header_limits());
  const dicom::Node* node = parsed && parsed->inflated.empty() ? parsed->dataset.find(tag(0x0008, 0x0018)) : nullptr;
  if (node == nullptr) return {dataset.begin(), dataset.end()};
  Bytes out(dataset.begin(), dataset.begin() + static_cast<std::ptrdiff_t>(node->start));
  put_bytes(out, dicom::encode_element(node->tag, dicom::vr("UI"), uid, parsed->dataset.encoding().explicit_vr));
  put_bytes(out, dataset.subspan(node->end));
  return out;
}

}  // namespace waybill::simpacs
