// SPDX-License-Identifier: Apache-2.0
#include "transcode/batch.hpp"

#include "core/stop.hpp"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <atomic>

namespace waybill::transcode {

std::vector<Item> Batches::read() {
  std::vector<Item> out;
  std::uint64_t bytes = 0;
  std::uint64_t held = 0;
  while (out.size() < limits_.records && bytes < limits_.bytes && held < limits_.members) {
    auto record = next_();
    if (!record) break;
    Item& item = out.emplace_back();
    item.record = *std::move(record);
    const auto* object = std::get_if<manifest::Object>(&item.record);
    if (object == nullptr || object->bucket != manifest::Bucket::instance) continue;
    bytes += object->source.size;
    if (!object->source.member) continue;
    item.bytes = sources_.read(object->source);
    if (*item.bytes) held += (*item.bytes)->size();
  }
  return out;
}

void work_through(std::vector<Item>& batch, const std::function<void(Item&)>& work) {
  std::atomic<bool> failed = false;
  const auto one = [&](Item& item) {
    if (failed || stop_requested()) return;
    try {
      work(item);
      item.finished = true;
    } catch (...) {
      item.failure = std::current_exception();
      failed = true;
    }
  };
  using Range = oneapi::tbb::blocked_range<std::size_t>;
  oneapi::tbb::parallel_for(
      Range(0, batch.size(), 1),
      [&](const Range& range) {
        for (std::size_t i = range.begin(); i != range.end(); ++i) one(batch[i]);
      },
      oneapi::tbb::simple_partitioner());
}

}  // namespace waybill::transcode
