// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <string_view>

namespace waybill::archive {

/// Bytes at the start of a file that tell a container.
inline constexpr std::size_t kSniff = 512;

enum class Container { none, zip, tar, gzip, bzip2, xz, zstd };

/// What container the bytes begin, by their content and never by a name; a DICOM file (DICM at 128) is none whatever
/// its preamble looks like.
[[nodiscard]] Container container_of(ByteView head) noexcept;
[[nodiscard]] std::string_view to_string(Container container) noexcept;

/// What the tail of a zip file says (PKWARE APPNOTE 4.3.16).
struct ZipEnd {
  bool found = false;
  std::uint64_t entries = 0;  ///< 0xFFFF means: look into the zip64 record, which we do not
  std::uint32_t directory_size = 0, directory_at = 0;
};
/// Bytes from the end of the file in which the record must stand: its 22 bytes and the longest comment.
inline constexpr std::size_t kZipTail = 65535 + 22;
[[nodiscard]] ZipEnd zip_end(ByteView tail) noexcept;

}  // namespace waybill::archive
