// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/journal.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace waybill::sync {

/// How long a stage will take, and on what measurements that rests.
struct StageForecast {
  std::string stage;
  double seconds = 0;
  double objects_per_second = 0, bytes_per_second = 0;  ///< 0: not of this kind, or not measured
  std::size_t runs = 0;                                 ///< that were measured
};

struct Forecast {
  std::vector<StageForecast> stages;
  double seconds = 0;
  bool measured = false;  ///< false: no earlier run tells
};

/// What is to be done.
struct Work {
  std::uint64_t entries = 0;             ///< of the archive
  std::uint64_t read_bytes = 0;          ///< new and changed
  std::uint64_t objects = 0, bytes = 0;  ///< to be handled
};

/// From the journals of earlier runs, whatever their order. Stages that read and send objects take the longer of what
/// their rate of objects and their rate of bytes say, and never less than the shortest run; the others grow with the
/// archive. Only stages that ended in one go were measured: an interrupted one's time is not that of its work.
[[nodiscard]] Forecast forecast(const std::vector<RunRecord>& runs, const Work& work);

/// "3 h 20 min", "45 s".
[[nodiscard]] std::string spoken_time(double seconds);
/// "1.5 MB".
[[nodiscard]] std::string spoken_bytes(double bytes);

}  // namespace waybill::sync
