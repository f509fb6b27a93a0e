// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "manifest/record.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::sync {

/// Whether two records are of one content: the same bytes, or the same dataset with the same pixels where both were
/// decoded.
[[nodiscard]] bool same_content(const manifest::Object& a, const manifest::Object& b);

/// Whether the target has the object.
[[nodiscard]] bool is_at_target(const manifest::Object& object) noexcept;

/// What the earlier runs know, from the standing of the last one: objects at the target by SOP Instance UID, all others
/// that a stage has given an outcome by id. On disk, so memory does not grow. Single-threaded.
class Known {
 public:
  /// `standing` may be empty. The store is used under the keys "u", "i", "p", "s", "x".
  Known(const std::filesystem::path& standing, index::Store& store);

  enum class Place {
    fresh,     ///< never handled, or other content was
    waiting,   ///< handled with an outcome that left it outside the target
    there,     ///< at the target
    moved,     ///< its content is at the target, loaded from another place
    conflict,  ///< the target has other content under its SOP Instance UID
  };
  struct Found {
    Place place = Place::fresh;
    std::optional<manifest::Object> object;  ///< the earlier record
  };
  /// Of an object in bucket `instance` or one of the duplicates; marks what it finds as being in the archive still.
  [[nodiscard]] Found find(const manifest::Object& object);
  /// Marks that the archive has something at the object's place, whatever it is.
  void meet(const std::string& id) { store_.put("s" + id, ""); }
  /// Whether the object that the target has under this UID was found at its place; right behind the last find().
  [[nodiscard]] bool in_place(const std::string& sop_instance) const { return store_.contains("p" + sop_instance); }
  /// Gives what is known of it to another place.
  void take_over(const std::string& sop_instance) { store_.put("p" + sop_instance, ""); }
  [[nodiscard]] bool has_uid(const std::string& sop_instance) const { return store_.contains("u" + sop_instance); }

  /// What the archive has no more: objects at the target (`run` is when that was noticed, 0 for now; `replaced` says
  /// that their place holds something else), and those that were never loaded. In the order of UIDs, then of ids.
  using Departed = std::function<void(const manifest::Object& object, std::uint64_t run, bool replaced)>;
  using Lost = std::function<void(const manifest::Object& object)>;
  void each_gone(const Departed& departed, const Lost& lost) const;

 private:
  [[nodiscard]] std::optional<manifest::Object> at_target(const manifest::Object& object) const;
  index::Store& store_;
};

/// A `departed` line.
[[nodiscard]] std::string departed_line(const manifest::Object& object, std::uint64_t run);

}  // namespace waybill::sync
