// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/dataset.hpp"
#include "io/atomic_file.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace waybill::inventory {

/// A Part 10 file in Explicit VR Little Endian, written element by element as a stream: sequences and items have
/// undefined lengths, so nothing need be known before it is written. The caller gives tags in ascending order and
/// closes what it opens. Not for sharing between threads.
class ElementFile {
 public:
  /// Begins the file with preamble and meta information; its rights are 0600. It appears with commit().
  ElementFile(const std::filesystem::path& path, std::string_view sop_class, std::string_view sop_instance);

  /// A value that the VR's length field cannot hold is written empty.
  void text(dicom::Tag tag, const char (&vr)[3], std::string_view value);
  void bytes(dicom::Tag tag, std::string_view value);  ///< OB
  void u32(dicom::Tag tag, std::uint32_t value);       ///< UL
  void u64(dicom::Tag tag, std::uint64_t value);       ///< UV
  void begin_sequence(dicom::Tag tag);
  void begin_item();
  void end_item();
  void end_sequence();
  void commit();

 private:
  void element(dicom::Tag tag, dicom::Vr vr, std::string_view value);
  void mark(std::uint16_t element, std::uint32_t length);
  void flush(std::size_t limit);

  io::AtomicFile file_;
  Bytes out_;
};

/// A UID under 2.25 (PS3.5 B.2) made from a text: the same text gives the same UID.
[[nodiscard]] std::string uid_from(std::string_view text);

}  // namespace waybill::inventory
