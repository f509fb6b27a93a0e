// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// Rejected objects (IHE IOCM): what a rejection note says of other objects is a finding REJECTED-<title code> of them,
/// written by scan behind the objects. Rejected for patient safety (113037), for a wrong worklist entry (113038) or
/// because the retention time is over (113039) means: not to be shown to a reader again, so not loaded, and the note
/// neither. Rejected for quality (113001) objects are loaded, then their note, which hides them.
namespace waybill::manifest {

/// A title of rejection notes (PS3.16 CID 7011) and the finding that it makes of what the note rejects.
struct RejectionTitle {
  std::string_view code;
  Severity severity;
  std::string_view meaning;
};

/// nullptr when the code is no title of a rejection note.
[[nodiscard]] const RejectionTitle* rejection_title(std::string_view code) noexcept;

/// Whether a title code, or the code of a finding, keeps an object out of the target.
[[nodiscard]] bool keeps_out(std::string_view code) noexcept;

/// Why a rejected object is not to be loaded, as a finding; nullopt when nothing in its record rejects it.
[[nodiscard]] std::optional<Finding> rejection_of(const Object& object);

/// Why the object is not for an archive of stored objects, as a finding: it is rejected, or it is print, worklist or
/// procedure step data (SOP-STDPRINT), which no Storage SCP takes.
[[nodiscard]] std::optional<Finding> exclusion_of(const Object& object);

/// The late findings of a manifest that keep objects out, by object id: one pass over the file, memory for the
/// rejected objects alone. Empty for standard input, which can be read only once.
[[nodiscard]] std::unordered_map<std::string, Finding> rejected_in(const std::filesystem::path& path);

}  // namespace waybill::manifest
