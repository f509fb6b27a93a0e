// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/id.hpp"
#include "manifest/reader.hpp"
#include "report/checked.hpp"
#include "report/mask.hpp"
#include "report/model.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waybill::report {

/// What the ledger keeps of one object in one manifest: 24 bytes.
struct Entry {
  static constexpr unsigned kNone = 7;  ///< grade of an object without one

  std::uint64_t id = 0;
  std::uint64_t bytes : 39 = 0;  ///< half a terabyte and more counts as that
  std::uint64_t group : 16 = 0;  ///< index into Report::groups
  std::uint64_t bucket : 4 = 0;
  std::uint64_t grade : 3 = kNone;
  std::uint64_t fresh : 1 = 0;  ///< "since" says new: no older scan has it
  std::uint64_t whole : 1 = 0;  ///< a whole file, so that its id is that of the file
  std::uint32_t study = 0;      ///< Interned number of the Study Instance UID
  std::uint32_t file = 0;       ///< number of the source file in its manifest
};
static_assert(sizeof(Entry) == 24);

/// What one record tells a report; made on any thread, from nothing but the record.
struct Seen {
  enum class Kind { other, object, study, late, gone } kind = Kind::other;
  Entry entry;        ///< of an object; group, study and file are still open
  std::string group;  ///< "modality LF year LF site"
  std::string study;
  std::uint64_t file = 0;       ///< id of the whole file that the object lies in
  std::uint64_t instance = 0;   ///< hash of the SOP Instance UID, 0 for none
  Outcome outcome;              ///< of this manifest's verification
  std::int64_t loaded_at = -1;  ///< minute since 1970 at which the run of this manifest loaded it
  std::vector<std::pair<std::string, manifest::Severity>> findings;
  std::unique_ptr<Exception> exception;      ///< when it is one
  std::unique_ptr<Exception> late_witness;   ///< when an earlier manifest has a late finding about it
  std::unique_ptr<manifest::Record> record;  ///< of all but objects
};

using LateFindings = std::unordered_map<std::uint64_t, std::vector<manifest::Finding>>;

/// What the lines of a manifest tell. `late` are findings that stand in manifests before this one. Threads: `mask`,
/// `header` and `late` are only read.
[[nodiscard]] std::vector<Seen> look_at(std::string_view lines, const std::string& manifest,
                                        const manifest::Header& header, const LateFindings& late, const Mask& mask);

using manifest::id_number;
using manifest::id_text;

/// Words with spaces between, with one more unless it is there.
[[nodiscard]] std::string with_word(std::string words, std::string_view word);

/// `cause` with one more code.
[[nodiscard]] std::string with_cause(std::string cause, const std::string& code);

/// The object as the exception list shows it.
[[nodiscard]] Exception exception_of(const manifest::Object& object, const std::string& stage, const Mask& mask);

/// Detail of a finding as a report may show it.
[[nodiscard]] std::string shown_detail(const manifest::Finding& finding, const Mask& mask);

/// Four digits of a date, else "unknown".
[[nodiscard]] std::string year_of(std::string_view date);

/// Minutes since 1970 as RFC 3339 in UTC.
[[nodiscard]] std::string minute_text(std::int64_t minute);

}  // namespace waybill::report
