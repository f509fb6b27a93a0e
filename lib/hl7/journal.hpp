// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace waybill::hl7 {

/// The stage of a manifest that `waybill listen` writes.
inline constexpr std::string_view kJournalStage = "listen";

/// One record of a journal: a message that was taken over and acknowledged (kind "hl7"), or what was not, and why (kind
/// "hl7-refused").
struct JournalEntry {
  std::string received;    ///< RFC 3339 UTC
  std::string peer;        ///< address and port of the sender
  std::string type;        ///< MSH-9, message code and trigger: "ADT^A40"
  std::string control_id;  ///< MSH-10
  std::string bytes;       ///< the frame's content as it came; of what was refused at most kMostKept bytes
  std::uint64_t size = 0;  ///< bytes that came
  bool refused = false;
  std::string answer;  ///< of what was refused: AE, AR, CE, CR, or "none"
  std::string reason;  ///< of what was refused, without any patient's data

  static constexpr std::size_t kMostKept = 65536;
};

/// The entry as one JSON line. The content stands there as text where it is UTF-8, else in base64.
[[nodiscard]] std::string to_json(const JournalEntry& entry);

/// The inverse; throws RunError(Exit::integrity) for a line that is none.
[[nodiscard]] JournalEntry parse_journal_entry(std::string_view line);

/// Whether a file that begins with these (inflated) bytes is a manifest of any stage.
[[nodiscard]] bool is_manifest(std::string_view head);
/// The same of a file that does not inflate: its first frame may be sound.
[[nodiscard]] bool begins_like_manifest(const std::filesystem::path& path);

/// Gives each entry of a journal in order; it may be one that is being written. False when the manifest is of another
/// stage. Throws RunError when its chain is broken (Exit::integrity) or it cannot be read.
bool read_journal(const std::filesystem::path& path, const std::function<void(JournalEntry&&)>& take);

}  // namespace waybill::hl7
