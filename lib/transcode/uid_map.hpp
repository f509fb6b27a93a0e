// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/decisions.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>

namespace waybill::transcode {

/// UIDs that are to be replaced (domain rule 5.4), from a CSV table and from the edits of studies. Immutable once read.
///
///     level,old,scope,new,reason
///     study,1.2.3,,,two studies that are one exam        (new: minted)
///     instance,1.2.9,3f0c…,2.25.81…,UID of two objects   (scope: an object id, or a Study Instance UID)
class UidMap {
 public:
  using Uids = std::map<std::string, std::string, std::less<>>;
  /// `table` may be empty. Throws RunError(Exit::usage) that names the line of what is wrong.
  static UidMap read(const std::filesystem::path& table, const Decisions& decisions);

  /// What is to be replaced in one object.
  [[nodiscard]] Uids of(const manifest::Object& object) const;
  [[nodiscard]] bool empty() const noexcept { return everywhere_.empty() && scoped_.empty(); }

 private:
  void add(const std::string& scope, const std::string& old_uid, const std::string& new_uid);
  Uids everywhere_;
  std::unordered_map<std::string, Uids> scoped_;  // by Study Instance UID or object id
};

/// A UID that depends on nothing but the arguments, so that runs and increments agree: 2.25 and the decimal of 128 bits
/// of SHA-256 (PS3.5 B.2).
[[nodiscard]] std::string minted_uid(std::string_view level, std::string_view old_uid, std::string_view scope);

/// Whether an edit's attribute is a UID that references follow: study, series or instance.
[[nodiscard]] bool is_uid_edit(const manifest::Edit& edit) noexcept;

}  // namespace waybill::transcode
