// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::dicom {

/// A Specific Character Set (0008,0005) in effect (PS3.5 6.1), from its raw value. Immutable; safe to share.
class Charset {
 public:
  /// Unknown or misspelt terms are looked up in an alias table ("ISO-IR 100", "LATIN1", "UTF-8", …); known() tells.
  [[nodiscard]] static Charset from_terms(std::string_view raw);

  [[nodiscard]] bool known() const noexcept { return known_; }
  [[nodiscard]] bool canonical() const noexcept {
    return canonical_;
  }  ///< all terms are spelt as the standard has them
  /// No term at all, or only the default repertoire (ISO_IR 6).
  [[nodiscard]] bool is_default() const noexcept { return encodings_.size() == 1 && encodings_[0] == "ASCII"; }

  /// One byte a character, without code extensions, and not the default repertoire.
  [[nodiscard]] bool is_single_byte() const noexcept;

  /// Whether a designation by escape is still in effect at a delimiter or at the end of the value (PS3.5 6.1.2.5.3), or
  /// a two-byte character has 0x5C as its second byte, which splitting at backslashes would cut.
  [[nodiscard]] bool leaves_open(std::string_view bytes) const;

  /// UTF-8 of the bytes. A byte that cannot be decoded is kept as it is, so that two different values never become
  /// equal (digests need that); `ok` is set to false then.
  [[nodiscard]] std::string decode(std::string_view bytes, bool& ok) const;

  /// UTF-8 for people and manifests: with no character set declared, bytes >= 0x80 are read as UTF-8 when they are
  /// well-formed, else as ISO 8859-1; what still cannot be decoded becomes U+FFFD.
  [[nodiscard]] std::string decode_for_display(std::string_view bytes) const;

  /// The text in this character set; nullopt when a character is not in it. Sets with code extensions take ASCII only.
  [[nodiscard]] std::optional<std::string> encode(std::string_view utf8) const;

 private:
  [[nodiscard]] std::string decode_extended(std::string_view bytes, bool& ok) const;
  std::vector<std::string> encodings_;  // iconv names, the first is in effect at the start of a value
  bool extended_ = false;               // ISO 2022 escapes may stand in values
  bool known_ = true;
  bool canonical_ = true;
};

}  // namespace waybill::dicom
