// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/dataset.hpp"

#include <optional>

/// Headers of elements where writers broke the rules of PS3.5 7.1: what one is, and whether one can stand somewhere.
namespace waybill::dicom {

inline constexpr Tag kItem = tag(0xFFFE, 0xE000);
inline constexpr Tag kItemEnd = tag(0xFFFE, 0xE00D);
inline constexpr Tag kSequenceEnd = tag(0xFFFE, 0xE0DD);
inline constexpr Tag kPixelData = tag(0x7FE0, 0x0010);
inline constexpr std::uint32_t kUndefined = 0xFFFFFFFFU;

/// How far a header is from what the standard asks of it.
enum class Oddity : std::uint8_t {
  none,
  future_vr,       ///< two capitals that are no VR yet, with a 32-bit length as all new VRs have
  no_vr_implicit,  ///< no VR: an implicit element inside an explicit dataset
  no_vr_short,     ///< no VR, but the place for it and a 16-bit length
  no_vr_long,      ///< no VR, but the place for it and a 32-bit length
  blank_vr,        ///< two spaces for the VR and a 16-bit length
  other_form,      ///< a known VR with the length field of the other form (PS3.5 7.1.2)
  blank_length,    ///< four spaces for the length of an empty value
};

struct Header {
  Tag tag = 0;
  Vr vr = 0;  ///< the dictionary's where none is stored, UN where that has none
  std::uint32_t length = 0;
  std::uint64_t start = 0;
  std::uint64_t value = 0;
  Oddity oddity = Oddity::none;
};

/// Reads headers from the bytes of one dataset. All places are below `end`, the end of what is around the element.
class Headers {
 public:
  explicit Headers(ByteView bytes) : bytes_(bytes) {}

  /// The header at `at`, in the likeliest of the readings its oddity allows: the one whose value fits and behind which
  /// an element can begin. nullopt when fewer bytes are left than it needs.
  [[nodiscard]] std::optional<Header> read(std::uint64_t at, std::uint64_t end, Encoding encoding) const;

  /// Whether the bytes at `at` can be the next top-level element. What cannot stands behind the dataset.
  [[nodiscard]] bool continues(std::uint64_t at, std::uint64_t end, Encoding encoding, Tag previous) const;

  /// Whether `at` is the end, padding up to it, or where an element behind `previous` or a delimiter begins.
  [[nodiscard]] bool lands(std::uint64_t at, std::uint64_t end, Encoding encoding, Tag previous) const;

  /// Only NULs or only spaces up to the end: a tape block's padding, no elements.
  [[nodiscard]] bool is_padding(std::uint64_t at, std::uint64_t end) const;

  /// Whether the value begins with an item or a delimiter, in either byte order.
  [[nodiscard]] bool holds_items(const Header& h) const;

  /// Whether `at` is the end, or an item or the delimiter of a sequence stands there.
  [[nodiscard]] bool begins_or_ends_item(std::uint64_t at, std::uint64_t end, Encoding encoding) const;

  /// The encoding of a sequence's items, which begin at `at`: `due`, unless only another one makes sense of the first
  /// item. Writers put implicit items into explicit datasets, the other way round, and other byte orders into both.
  [[nodiscard]] Encoding of_items(std::uint64_t at, std::uint64_t end, Encoding due) const;

 private:
  enum class Form : std::uint8_t { implicit, short_length, long_length };
  [[nodiscard]] std::optional<Header> in_form(Form form, std::uint64_t at, std::uint64_t end, bool big_endian) const;
  [[nodiscard]] std::optional<Header> with_known_vr(std::uint64_t at, std::uint64_t end, bool big_endian) const;
  [[nodiscard]] std::optional<Header> without_vr(std::uint64_t at, std::uint64_t end, bool big_endian) const;
  /// The value ends below `end`, or a sequence of undefined length begins.
  [[nodiscard]] bool fits(const Header& h, std::uint64_t end, bool big_endian) const;
  [[nodiscard]] bool is_sound(const std::optional<Header>& h, std::uint64_t end, Encoding encoding) const;
  /// A private creator by its number and its text, where the VR does not tell.
  [[nodiscard]] bool names_creator(std::uint64_t at, std::uint64_t end, bool big_endian) const;
  [[nodiscard]] bool begins_item(std::uint64_t at, std::uint64_t end, Encoding encoding) const;
  [[nodiscard]] Tag tag_at(std::uint64_t at, bool big_endian) const;
  [[nodiscard]] Vr vr_at(std::uint64_t at) const;

  ByteView bytes_;
};

}  // namespace waybill::dicom
