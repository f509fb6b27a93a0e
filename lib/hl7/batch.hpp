// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hl7/framer.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace waybill::hl7 {

/// Follows the envelope of a batch file (FHS, BHS, BTS, FTS) and tells where its control totals are not what the file
/// holds: a wrong count or a missing trailer is how a truncated export shows.
class BatchCheck {
 public:
  using Report = std::function<void(std::uint64_t offset, std::string reason)>;
  explicit BatchCheck(Report report) : report_(std::move(report)) {}

  void see(const Piece& piece);
  /// The end of the file.
  void finish();

 private:
  void end_batch(const Piece& piece);
  void end_file(const Piece& piece);

  Report report_;
  std::uint64_t messages_ = 0, batches_ = 0, all_messages_ = 0;
  std::uint64_t file_at_ = 0, batch_at_ = 0;
  bool in_file_ = false, in_batch_ = false;
};

}  // namespace waybill::hl7
