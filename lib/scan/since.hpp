// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/walk.hpp"
#include "manifest/reader.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace waybill::scan {

/// What an older scan says of one entry of the walk.
struct Known {
  std::vector<manifest::Gone> gone;       ///< met by the older scan before this entry and not there any more
  std::vector<manifest::Object> objects;  ///< its records; empty when it is new
  bool same = false;                      ///< size, modification time and inode are as they were
  bool recheck = false;                   ///< drawn to be read again although it looks the same
};

/// Merges the walk with the records of an older scan of the same sources: both are in walk order, so neither is held in
/// memory. Single-threaded, but for read-only use of what it returned.
class Since {
 public:
  /// `older` must be complete and made with the same options, else RunError(Exit::usage). Of what looks the same, the
  /// share `recheck` (0 to 1) is drawn by `seed` and the object's id.
  Since(const std::filesystem::path& older, const std::vector<std::string>& sources, double recheck,
        std::uint64_t seed);

  /// For every entry in walk order. False when the entry need not be read again.
  bool judge(const archive::Entry& entry);
  /// Takes back the last judged entry: an interrupted run has recorded it already.
  void drop_last();
  /// What is known of the next judged entry, in order.
  [[nodiscard]] Known take();
  /// After the last entry: what is left of the older scan.
  [[nodiscard]] std::vector<manifest::Gone> rest();

 private:
  void advance();
  [[nodiscard]] bool before(const std::string& path, const std::string& other) const;
  [[nodiscard]] std::size_t source_of(const std::string& path) const;
  void pass(std::vector<manifest::Gone>& gone);

  std::vector<std::string> sources_;
  manifest::Reader reader_;
  std::optional<manifest::Object> next_;
  std::string next_path_;  // raw bytes
  double recheck_;
  std::uint64_t seed_;
  std::vector<manifest::Gone> gone_;  // waiting for the next entry that is kept
  std::deque<Known> judged_;
};

}  // namespace waybill::scan
