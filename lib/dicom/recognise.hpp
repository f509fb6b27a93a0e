// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"

#include <optional>
#include <vector>

/// Where in a stream of bytes what begins, by the bytes and not by what they say of themselves (domain rule 2.1).
namespace waybill::dicom {

/// Elements in a row with ascending tags of plausible groups, at most 4: how sure a guess of the encoding is. The first
/// is one of those that datasets begin with, or, with `behind`, a known one behind that tag.
[[nodiscard]] int plausible_elements(ByteView bytes, Encoding encoding, Tag behind = 0);

/// The encoding the bytes of a dataset are really in; nullopt when they are no dataset.
[[nodiscard]] std::optional<Encoding> detect_encoding(ByteView bytes);

/// Whether "DICM" at offset 128 is the mark of a Part 10 file, and not letters of a value in a dataset without meta
/// group that happen to stand there.
[[nodiscard]] bool has_magic(ByteView file);

/// Where the meta group begins, or, without one, the dataset.
struct Place {
  std::uint64_t begin = 0;
  bool has_meta = false;
};
[[nodiscard]] Place locate(ByteView file, std::vector<manifest::Finding>& findings);

/// Reads group 2 from `at`, in explicit or (Elekta) implicit VR; it ends at the first other group, whatever
/// (0002,0000) says. `findings` may be nullptr.
[[nodiscard]] Meta meta_from(ByteView file, std::uint64_t at, std::vector<manifest::Finding>* findings);

}  // namespace waybill::dicom
