// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "audit/event.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace waybill::audit {

/// Follows the objects of studies on their way and records a Begin Transferring message before the first and DICOM
/// Instances Transferred behind the last. One message tells of one study of one patient; what succeeded and what failed
/// are two (PS3.15 A.5.3.7). Without an audit trail it does nothing. Any thread.
class Transfers {
 public:
  explicit Transfers(Route route) : route_(std::move(route)) {}
  /// Tells of what was begun and not ended: it was interrupted.
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// Objects that travel together.
  void begin(const std::vector<const manifest::Object*>& objects);
  void end(const manifest::Object& object, bool arrived);

 private:
  using Key = std::pair<std::string, Patient>;
  struct Open {
    StudyPart begun, arrived, failed;
    std::uint64_t left = 0;
  };
  static Key key_of(const StudyPart& study) { return {study.uid, study.patient}; }
  void tell(const Open& open, const std::string& why) const;

  const Route route_;
  std::mutex mutex_;
  std::map<Key, Open> open_;
};

}  // namespace waybill::audit
