// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "load/priority.hpp"
#include "load/run.hpp"
#include "manifest/reader.hpp"
#include "manifest/sorter.hpp"
#include "transfer/output.hpp"
#include "transfer/walk.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace waybill::load {

/// An object to send, and whether the peer may have it: an intent without an outcome, or what --retry failed takes up
/// though an earlier load had sent it. Such a one is asked about before it is sent.
struct Parcel {
  manifest::Object object;
  bool in_doubt = false;
  std::optional<manifest::Object> uncommitted = std::nullopt;  ///< as an earlier load has it, which loaded it
};

/// Objects of one study that travel one behind the other over one association.
struct Piece {
  std::string study;
  std::vector<Parcel> parcels;
};
/// A study of more objects is cut into pieces of so many, which may travel on several associations: what is in memory
/// is bounded by that and the number of associations.
inline constexpr std::size_t kPieceObjects = 4000;

/// Action of an intent line that takes an earlier intent back: the object was not sent after all.
inline constexpr std::string_view kWithdrawn = "withdrawn";

/// What the objects of a manifest need of the peer: presentation contexts by number of objects, bytes and studies.
struct Needs {
  std::map<net::Context, std::uint64_t> contexts;
  std::uint64_t objects = 0, bytes = 0, studies = 0;
};

/// The objects of a manifest in the order in which they are to be sent, from disk: memory does not grow with their
/// number. Studies come in the order of the options and stay whole; in a study images come first, then presentation
/// states, key objects and structured reports, and rejection notes last (domain rule 8.2).
///
/// Objects in bucket instance or pending are sent (with --retry failed: pending, and what the peer
/// did not take, found fault with or did not commit itself to), unless a finding of S3 or S4 or a second object of the
/// same SOP Instance UID quarantines them. All others are handed to `carry` when their turn comes, with the study
/// records first.
class Queue {
 public:
  /// Reads the whole manifest, for --retry failed twice: that an object was not committed stands behind its record.
  /// Throws RunError: Exit::usage for such a retry of standard input, Exit::input for one whose stage was interrupted,
  /// Exit::integrity for one that is damaged or lists an object twice. `store` must outlive the queue and is used under
  /// keys of its own.
  Queue(const Options& options, const Priority& priority, index::Store& store);

  [[nodiscard]] manifest::Input input() const { return walk_.input(); }
  /// Of the input.
  [[nodiscard]] const std::string& options() const noexcept { return walk_.header().options; }
  [[nodiscard]] const std::string& created() const noexcept { return walk_.header().created; }
  [[nodiscard]] bool has_staged() const noexcept { return has_staged_; }
  [[nodiscard]] std::uint64_t objects() const noexcept { return objects_; }  ///< of the manifest
  [[nodiscard]] const Needs& needs() const noexcept { return needs_; }       ///< of those that are to be sent

  /// The sample of what is to be sent, once, where the options ask for one.
  [[nodiscard]] sample::Plan draw_sample() { return planner_->finish(); }

  /// What an earlier run of the same output wrote.
  void remember(const manifest::Record& record);

  struct Carry {
    std::function<void(const manifest::Study&)> study;
    std::function<void(const manifest::Object&)> object;
    std::function<bool(const std::string& id)> is_recorded;
  };
  void set_carry(Carry carry) { carry_ = std::move(carry); }

  /// The next piece; nullopt behind the last. One thread at a time.
  [[nodiscard]] std::optional<Piece> next();

 private:
  void add(const manifest::Object& object, std::string_view line);
  [[nodiscard]] std::string study_key(const manifest::Object& object);
  [[nodiscard]] bool is_candidate(const manifest::Object& object) const;
  [[nodiscard]] bool admit(manifest::Object& object);
  [[nodiscard]] std::optional<Parcel> next_parcel();
  void read_uncommitted();
  [[nodiscard]] bool may_be_there(const manifest::Object& object) const;

  const Options& options_;
  const Priority& priority_;
  index::Store& store_;
  manifest::Sorter sorter_;
  transfer::Walk walk_;
  Needs needs_;
  std::optional<sample::Planner> planner_;
  Carry carry_;
  std::uint64_t objects_ = 0;
  bool has_staged_ = false;
  std::optional<Parcel> ahead_;
};

/// 0 images, 1 presentation states, 2 key objects, 3 structured reports.
[[nodiscard]] int load_rank(std::string_view sop_class) noexcept;

}  // namespace waybill::load
