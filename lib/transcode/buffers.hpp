// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/codecs.hpp"
#include "transcode/region.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace waybill::transcode {

/// Bytes in one of the buffers, as two processes name them.
struct Place {
  std::uint32_t buffer = 0;
  std::uint64_t offset = 0, size = 0;
};

/// The memory that objects stand in as they were read and as they are written, shared with every codec process, so that
/// pixels are not copied on their way. A buffer is lent to one object at a time and never goes away, only the memory of
/// a large one does. Any thread.
class Buffers {
 public:
  Buffers() = default;
  Buffers(const Buffers&) = delete;
  Buffers& operator=(const Buffers&) = delete;

  /// Goes back when it is destroyed, which must be before this.
  [[nodiscard]] std::unique_ptr<Buffer> lend();
  /// Where these bytes stand; nullopt when that is in no buffer.
  [[nodiscard]] std::optional<Place> find(ByteView bytes) const;
  /// Descriptors of the buffers from number `known` on.
  [[nodiscard]] std::vector<int> since(std::size_t known) const;

 private:
  class Lent;
  struct Shared {
    Region region;      // of who borrowed it
    ByteView mapped;    // guarded by mutex_
    bool lent = false;  // guarded by mutex_
  };
  Shared& pick(std::size_t size);
  mutable std::mutex mutex_;
  std::deque<Shared> all_;  // guarded by mutex_
};

}  // namespace waybill::transcode
