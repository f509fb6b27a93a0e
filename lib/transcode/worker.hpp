// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/convert.hpp"
#include "transcode/run.hpp"

#include <string>
#include <unordered_map>

namespace waybill::transcode {

/// Stages one object of the input: reads, converts, writes, reads back, proves, names. Any thread.
class Worker {
 public:
  /// The arguments must outlive it.
  Worker(const Options& options, const Decisions& decisions, const Converter& converter);

  [[nodiscard]] manifest::Object operator()(manifest::Object object) const;

 private:
  bool exclude_rejected(manifest::Object& object) const;
  void work(manifest::Object& object, const Bytes& source, const dicom::File& file,
            const std::vector<manifest::Edit>& edits) const;
  [[nodiscard]] Result<Converter::Proof> stage_proved(const std::filesystem::path& path, const Converted& converted,
                                                      const Bytes& source, const dicom::File& file) const;

  const Options& options_;
  const Decisions& decisions_;
  const Converter& converter_;
  const std::unordered_map<std::string, manifest::Finding> rejected_;
  Order order_;
};

/// Creates a folder and those above it, or throws RunError.
void make_folder(const std::filesystem::path& folder);

}  // namespace waybill::transcode
