// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"
#include "load/plan.hpp"
#include "net/association.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace waybill::verify {

enum class Level {
  exists,   ///< the UID sets of every study are equal (grade E3)
  content,  ///< and every object is fetched and compared (grade E4)
};

struct Options {
  std::filesystem::path manifest, output;
  std::optional<net::Peer> against;  ///< without: fixity of the source and staged files
  Level level = Level::exists;
  std::string calling = "WAYBILL";
  unsigned associations = 4;
  bool restart = false;
  std::string tool = "waybill 0.1.0";
  net::Timeouts timeouts;
  std::function<void(std::uint64_t objects, std::uint64_t bytes, std::uint64_t exceptions)> progress;  ///< any thread
};

/// The ledger of a verification.
struct Tally {
  std::uint64_t input = 0, output = 0;
  load::Buckets buckets;
  load::Buckets verdicts;
  std::uint64_t wrong = 0;  ///< objects whose verification failed
  std::uint64_t extra = 0;  ///< objects at the peer that no record of these studies explains
  bool already_complete = false, interrupted = false;
  void add(const manifest::Object& object);
  [[nodiscard]] bool closes() const noexcept { return input == output; }
  /// 6 interrupted; 5 anything missing or different, or an open ledger; 1 exceptions carried from the input; else 0.
  [[nodiscard]] Exit exit() const;
  [[nodiscard]] std::string counts_json() const;
};

/// Verifies every loaded object (and, for manifests of earlier stages, every instance) and writes verify.wb; continues
/// an interrupted one. Needs dicom::Toolkit alive. Throws net::PeerError when the peer does not work.
[[nodiscard]] Tally run(const Options& options);

/// Whether the object is to be verified.
[[nodiscard]] bool is_checked(const manifest::Object& object) noexcept;

}  // namespace waybill::verify
