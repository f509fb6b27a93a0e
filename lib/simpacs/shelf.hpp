// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "dicom/dataset.hpp"
#include "simpacs/scenario.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace waybill::simpacs {

/// An object on the shelf. Immutable; its bytes lie in a file.
struct Instance {
  std::string sop_class, sop_instance, syntax;
  std::map<dicom::Tag, std::string> values;  ///< what it can be found by, as it stands in the dataset
  std::filesystem::path file;
  std::uint64_t offset = 0;  ///< of the dataset in the file
  [[nodiscard]] const std::string& value(dicom::Tag tag) const;
};
using InstancePtr = std::shared_ptr<const Instance>;

/// What arrived: identity by the C-STORE command, not by the dataset.
struct Arrival {
  std::string sop_class, sop_instance, syntax;
  ByteView dataset;
};

/// What was received, one Part 10 file per object with the dataset's bytes as they came. Any thread. A file gets its
/// name when it is whole, so a killed simulator has every object it answered for and no part of another.
class Shelf {
 public:
  /// Reads what an earlier run left in `folder`, which is made when it is not there. Throws RunError.
  explicit Shelf(std::filesystem::path folder);

  enum class Put { added, replaced, there };
  /// Keeps an object under its UID; what is there already stays (`there`) unless duplicates overwrite.
  Put put(const Arrival& arrival, Duplicates duplicates);

  [[nodiscard]] InstancePtr find(const std::string& sop_instance) const;
  /// All instances by SOP Instance UID; empty study or series: of any.
  [[nodiscard]] std::vector<InstancePtr> select(const std::string& study, const std::string& series) const;
  [[nodiscard]] std::size_t size() const;

  /// The dataset of an instance; throws RunError.
  [[nodiscard]] static Bytes dataset_of(const Instance& instance);

 private:
  std::filesystem::path folder_;
  std::atomic<std::uint64_t> parts_{0};
  mutable std::mutex mutex_;
  std::map<std::string, InstancePtr> by_uid_;
  std::map<std::string, std::map<std::string, InstancePtr>> by_study_;
};

/// The bytes that are kept or given in the place of `dataset`; `before` is another object's dataset.
[[nodiscard]] Bytes spoil(ByteView dataset, const std::string& syntax, Keep how, ByteView before);

/// The dataset with another SOP Instance UID (0008,0018).
[[nodiscard]] Bytes with_uid(ByteView dataset, const std::string& syntax, const std::string& uid);

}  // namespace waybill::simpacs
