// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/derive.hpp"
#include "manifest/writer.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::manifest {

inline constexpr std::uint64_t kMostParts = 1000;

/// The part, from 1, in which a study stands: by SHA-256 of its UID, so that the same study is in the same part of
/// every manifest split in so many. An object without a study goes by its file's path.
[[nodiscard]] std::uint64_t part_of(std::string_view study, std::string_view path, std::uint64_t parts);

struct Part {
  std::filesystem::path path;
  Derived records;  ///< empty for a part that was there already
  bool already_complete = false;
};

/// Cuts a manifest of scan, transcode or load into parts of whole studies: each record of it, except `recovered`,
/// stands in one part, as it is and in its order, findings and intents with their object; records about none in the
/// first. `pattern` is the parts' path with "%d" for the number, from 1.
///
/// Header: stage and options of the input with `split` ("2/8") among them, its head as the input; the time of creation
/// lies as many microseconds behind the input's as the number of the part. merge() makes one manifest of them again.
///
/// Throws RunError(Exit::usage) for another stage, a load that committed to a sample or a pattern without one "%d",
/// (Exit::input) for an interrupted input. Parts that are the very result are kept, one that was interrupted is begun
/// again. Memory: about 110 MB, and 100 bytes for each open storage commitment; temporary files of about the size of
/// the input beside the first part.
[[nodiscard]] std::vector<Part> split(const std::filesystem::path& input, std::uint64_t parts,
                                      const std::string& pattern, Restart restart);

/// Whether `part` is what split() makes of `input` for the number that it says, record by record. The first difference
/// in words, empty when there is none. Throws as split() does, and RunError(Exit::usage) for what is no part.
[[nodiscard]] std::string split_difference(const std::filesystem::path& part, const std::filesystem::path& input);

/// The number and count ("2/8") that a manifest's header says it is a part by; nullopt for what is no part.
struct PartNumber {
  std::uint64_t part = 0, of = 0;
};
[[nodiscard]] std::optional<PartNumber> part_number(const Header& header);

}  // namespace waybill::manifest
