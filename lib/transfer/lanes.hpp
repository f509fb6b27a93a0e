// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <algorithm>
#include <cstddef>
#include <memory>

namespace waybill::transfer {

/// Pieces of work that may wait, worked off, for one that takes long: so a peer that lets one object run into its
/// time-out does not stop the other lanes.
inline constexpr std::size_t kPiecesALane = 64;

/// Takes pieces in order until `take` gives nullptr, works on at most `lanes` of them at a time, and records them in
/// the order they were taken. `take` and `record` are never called by two threads at once.
template <typename Piece, typename Take, typename Work, typename Record>
void run_lanes(unsigned lanes, const Take& take, const Work& work, const Record& record) {
  using Item = std::shared_ptr<Piece>;
  const std::size_t threads = std::max(1U, lanes);
  // Lanes wait for the network, so there are as many threads as lanes, whatever the number of cores.
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  arena.execute([&] {
    const auto first = tbb::make_filter<void, Item>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& flow) {
      Item item = take();
      if (!item) flow.stop();
      return item;
    });
    const auto middle = tbb::make_filter<Item, Item>(tbb::filter_mode::parallel, [&](Item item) {
      work(*item);
      return item;
    });
    const auto last =
        tbb::make_filter<Item, void>(tbb::filter_mode::serial_in_order, [&](const Item& item) { record(*item); });
    tbb::parallel_pipeline(threads * kPiecesALane, first & middle & last);
  });
}

}  // namespace waybill::transfer
