// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"

#include <map>
#include <string>
#include <vector>

namespace waybill::dicom {

/// What is written instead of the source's top-level elements; all else is carried over value by value.
struct Rewrite {
  std::string transfer_syntax;  ///< implicit or explicit little endian, or an encapsulated one
  /// Whole elements in the target encoding, header included; an empty value drops the element.
  std::map<Tag, Bytes> elements;
  bool to_utf8 = false;  ///< text of all levels is converted to ISO_IR 192
};

/// A Part 10 file (PS3.10 7.1): preamble, generated file meta information, and the dataset of `source` under `rewrite`.
/// Retired group lengths, command groups and padding are left out. Fails when text cannot be converted (to_utf8).
[[nodiscard]] Result<Bytes> write_file(const File& source, const Rewrite& rewrite);

/// The source's dataset bytes unchanged behind generated meta information (for files that lack it or carry padding).
[[nodiscard]] Bytes wrap_dataset(const File& source);

/// One element in explicit (or implicit) VR little endian, value padded to even.
[[nodiscard]] Bytes encode_element(Tag tag, Vr vr, std::string_view value, bool explicit_vr = true);
/// Pixel Data with undefined length around items already encoded (see pixel::write_encapsulated).
[[nodiscard]] Bytes encode_fragments(ByteView items_with_delimiter);

/// Who changes attributes and when; one value for the whole run, so that results repeat (PS3.3 C.12.1).
struct Provenance {
  std::string modifying_system;  ///< (0400,0563), at most 64 characters
  std::string date_time;         ///< (0400,0562), DT
};

/// Adds `edits` to `rewrite` with one item of Original Attributes Sequence (0400,0561) that keeps the old values.
/// Values that the object's character set cannot hold turn on to_utf8. Fails for a tag that cannot be edited.
[[nodiscard]] Result<Done> add_edits(const File& source, const std::vector<manifest::Edit>& edits,
                                     const Provenance& provenance, Rewrite& rewrite);

}  // namespace waybill::dicom
