// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/convert.hpp"
#include "transcode/policy.hpp"
#include "transcode/run.hpp"
#include "transcode/uid_map.hpp"

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace waybill::transcode {

/// Stages one object of the input: reads, converts, writes, reads back, proves, names. Any thread.
class Worker {
 public:
  /// The arguments must outlive it.
  Worker(const Options& options, const Decisions& decisions, const Converter& converter);

  /// `bytes` are the source's where they were read before.
  [[nodiscard]] manifest::Object operator()(manifest::Object object, std::optional<Result<Bytes>> bytes) const;

  /// What a study's UID is in the staged objects, but for those that --uid-map gives a UID of their own.
  [[nodiscard]] std::string study_uid(const std::string& study) const;

 private:
  bool exclude_rejected(manifest::Object& object) const;
  void work(manifest::Object& object, ByteView source, const dicom::File& file, const dicom::Changes& changes) const;
  [[nodiscard]] dicom::Changes changes_of(manifest::Object& object, const dicom::File& file,
                                          std::vector<manifest::Edit> edits) const;
  [[nodiscard]] Result<Converter::Proof> stage_proved(const std::filesystem::path& path, const Converted& converted,
                                                      ByteView source, const dicom::File& file) const;

  const Options& options_;
  const Decisions& decisions_;
  const Converter& converter_;
  const std::unordered_map<std::string, manifest::Finding> rejected_;
  Policy policy_;
  UidMap uids_;
};

/// What --policy, --to and --keep-larger ask for.
[[nodiscard]] Policy policy_of(const Options& options);

/// The record of a staged object's bytes, but for their digest and what was proved.
[[nodiscard]] manifest::Transcode record_of(const Converted& converted);

/// Where an object is staged.
[[nodiscard]] std::filesystem::path staged_path(const Options& options, const manifest::Object& object);

/// Writes a part file, reads it back and compares, asks `check`, and names the file when that agrees. The caller syncs
/// the file system before it records the file. Throws RunError when it cannot be written.
[[nodiscard]] Result<Converter::Proof> stage(const std::filesystem::path& path, ByteView bytes,
                                             const std::function<Result<Converter::Proof>()>& check);

/// Creates a folder and those above it, or throws RunError.
void make_folder(const std::filesystem::path& folder);

}  // namespace waybill::transcode
