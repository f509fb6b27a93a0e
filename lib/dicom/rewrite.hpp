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
  /// UIDs that stand for others from now on. Every reference of any level follows, see is_reference().
  std::map<std::string, std::string, std::less<>> uids = {};
};

/// Whether a UI element names an instance, series or study and follows a remapping: not classes, transactions, frames
/// of reference and irradiation events, and nothing private (domain rule 5.4).
[[nodiscard]] bool is_reference(Tag tag) noexcept;

/// A Part 10 file (PS3.10 7.1): preamble, generated file meta information, and the dataset of `source` under `rewrite`.
/// Retired group lengths, command groups and padding are left out. Fails when text cannot be converted (to_utf8).
[[nodiscard]] Result<Bytes> write_file(const File& source, const Rewrite& rewrite);

/// The same but for one element that is too large to be copied about: it goes in at `at`.
struct Around {
  Bytes bytes;
  std::size_t at = 0;
};
[[nodiscard]] Result<Around> write_around(const File& source, Rewrite rewrite, Tag element);

/// Preamble, DICM and file meta information (PS3.10 table 7.1-1), behind which the dataset of a file begins.
[[nodiscard]] Bytes file_head(std::string_view sop_class, std::string_view sop_instance,
                              std::string_view transfer_syntax);

/// The source's dataset bytes unchanged behind generated meta information (for files that lack it or carry padding).
[[nodiscard]] Bytes wrap_dataset(const File& source);

/// One element in explicit (or implicit) VR little endian, value padded to even.
[[nodiscard]] Bytes encode_element(Tag tag, Vr vr, std::string_view value, bool explicit_vr = true);
/// The header of an element in explicit VR little endian; with length 0xFFFFFFFF of one whose items and delimiter
/// follow (see pixel::write_encapsulated).
[[nodiscard]] Bytes element_header(Tag tag, Vr vr, std::uint32_t length);

/// One top-level element of the source as write_file() would carry it over, header included; empty when absent.
[[nodiscard]] Result<Bytes> carry_element(const File& source, Tag tag, const Rewrite& rewrite);

}  // namespace waybill::dicom
