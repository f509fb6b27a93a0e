// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/rewrite.hpp"

#include <optional>
#include <string>
#include <vector>

namespace waybill::dicom {

/// Who changes attributes and when; one value for the whole run, so that results repeat (PS3.3 C.12.1).
struct Provenance {
  std::string modifying_system;  ///< (0400,0563), at most 64 characters
  std::string date_time;         ///< (0400,0562), DT
};

/// A top-level element set to bytes (little endian, not text), or taken away.
struct Change {
  Tag tag = 0;
  Vr vr = 0;
  std::optional<Bytes> value;
};

/// All that is to change in one dataset.
struct Changes {
  std::vector<manifest::Edit> edits;                     ///< text, in UTF-8
  std::vector<Change> values;                            ///< tags that no edit names
  std::map<std::string, std::string, std::less<>> uids;  ///< old to new; references of all levels follow
  [[nodiscard]] bool empty() const noexcept { return edits.empty() && values.empty() && uids.empty(); }
};

/// SOP Class and Instance UID where the meta group alone has them (ENC-METAMISMATCH): the dataset is what travels and
/// what an archive keeps, and without them it is no instance (PS3.3 C.12.1). Empty where nothing is missing.
[[nodiscard]] std::vector<manifest::Edit> uids_of_meta(const File& source);

/// What one top-level element was, to give the dataset back as it was: its value in the encoding and character set of
/// the written file; nullopt when it was absent.
struct Former {
  Tag tag = 0;
  Vr vr = 0;
  std::optional<Bytes> value;
};

/// Puts `changes` into `rewrite`, with one item each of Original Attributes Sequence (0400,0561), which keeps the old
/// values, and Contributing Equipment Sequence (0018,A001), purpose 109103. Items that are there stay (domain rules 5.1
/// to 5.4). New values that the object's character set cannot hold turn on to_utf8. Nothing is added when nothing
/// changes (a UID that the dataset does not name). Returns what the changed elements were, nothing when nothing
/// changed. Fails for a tag that cannot be edited and for a lossy flag taken back.
[[nodiscard]] Result<std::vector<Former>> add_changes(const File& source, const Changes& changes,
                                                      const Provenance& provenance, Rewrite& rewrite);

/// The changes backwards: elements as they were and, in a file that add_changes() has changed (`provenance`), the item
/// of ours taken off either sequence. `rewrite` writes in the file's own transfer syntax.
[[nodiscard]] Result<Done> revert_changes(const File& written, const std::vector<Former>& former, bool provenance,
                                          Rewrite& rewrite);

/// Top-level elements that name a UID of `uids` at any level, in order.
[[nodiscard]] std::vector<Tag> naming(const Dataset& data, const std::map<std::string, std::string, std::less<>>& uids);
/// Private elements that name one; they are carried as they are and told to a person.
[[nodiscard]] std::vector<Tag> private_naming(const Dataset& data,
                                              const std::map<std::string, std::string, std::less<>>& uids);
/// Those of `uids` that the dataset names.
[[nodiscard]] std::map<std::string, std::string, std::less<>> named(
    const Dataset& data, const std::map<std::string, std::string, std::less<>>& uids);

}  // namespace waybill::dicom
