// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "manifest/fit.hpp"
#include "manifest/sorter.hpp"
#include "sample/plan.hpp"
#include "transfer/output.hpp"
#include "transfer/walk.hpp"
#include "verify/check.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::verify {

/// The studies of a manifest, in the order in which they first appear there, from disk: memory grows with the largest
/// study, not with the number of objects. One thread at a time.
class Studies {
 public:
  /// Reads the whole manifest. Throws RunError: Exit::usage for a verification or a stage without objects, Exit::input
  /// for one whose stage was interrupted, Exit::integrity for one that is damaged or lists an object twice. `store`
  /// must outlive this and is used under keys of its own.
  Studies(const Options& options, index::Store& store);

  [[nodiscard]] manifest::Input input() const { return walk_.input(); }
  /// The folders in which the objects' files lie, as far as the manifest names them.
  [[nodiscard]] std::vector<std::filesystem::path> places() const {
    return manifest::places_in(walk_.header().options);
  }
  [[nodiscard]] std::uint64_t objects() const noexcept { return objects_; }
  /// Whether there is anything to ask a peer about.
  [[nodiscard]] bool any() const noexcept { return any_; }

  /// The sample to compare, once: drawn anew, or the list that the load committed to. Throws RunError(Exit::usage)
  /// where it committed to none.
  [[nodiscard]] sample::Plan plan();

  /// The next study that has something to check; nothing behind the last. What is not checked is carried into `output`
  /// on the way, study records first. `plan`: objects outside it are only asked about; none: all are compared.
  [[nodiscard]] std::unique_ptr<StudyWork> next(const sample::Plan* plan, transfer::Output& output);

 private:
  void add(const manifest::Object& object, std::string_view line);
  [[nodiscard]] std::unique_ptr<StudyWork> next_group(const sample::Plan* plan, transfer::Output& output);
  [[nodiscard]] std::optional<manifest::Object> take_object(transfer::Output& output);

  const Options& options_;
  index::Store& store_;
  transfer::Walk walk_;
  manifest::Sorter by_study_;
  std::optional<manifest::Sorter> checked_;  ///< of a sample: drawn when findings behind the records are known
  sample::PlanLines committed_;              ///< of a load: the sample that it committed to before it began
  std::optional<manifest::Object> ahead_;
  std::uint64_t objects_ = 0;
  bool any_ = false;
};

}  // namespace waybill::verify
