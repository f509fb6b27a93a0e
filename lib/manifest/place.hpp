// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// Where a backup holds the bytes of an object: member `pack` of an object record.
struct Place {
  std::string volume;        ///< file name, "volume-000001.tar.zst"
  std::uint64_t offset = 0;  ///< first byte of the zstd frame in the volume
  std::uint64_t length = 0;  ///< bytes of the frame
  std::uint64_t size = 0;    ///< bytes of the content
  std::string sha256;        ///< of the content, hex
  bool part = false;         ///< the object is a part of the content: a member of a container, or behind an offset
};

/// The object's line with its place as last member. `line` must be an object record without one.
[[nodiscard]] std::string with_place(std::string_view line, const Place& place);

/// The place an object's line tells; nullopt when it has none. Throws RunError(Exit::integrity) for one that cannot be:
/// a volume name with a path in it, a digest that is none.
[[nodiscard]] std::optional<Place> place_of(std::string_view line);

/// A volume that is closed: record of kind "volume".
struct Volume {
  std::string name;
  std::uint64_t size = 0;  ///< bytes of the file
  std::string sha256;      ///< of the file, hex
};
[[nodiscard]] std::string to_json(const Volume& volume);
[[nodiscard]] std::optional<Volume> volume_of(std::string_view line);

/// The folder that the sources named in a scan's options (a JSON object) have in common, in the form of path_to_text;
/// empty when they name none.
[[nodiscard]] std::string common_folder(const std::string& options);

/// A text member of a header's options, empty when there is none.
[[nodiscard]] std::string option_text(const std::string& options, std::string_view name);
/// A number of a JSON object, such as the counts of an end line; nullopt when there is none of this name.
[[nodiscard]] std::optional<std::uint64_t> count_of(const std::string& counts, std::string_view name);

}  // namespace waybill::manifest
