// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace waybill::hl7 {

/// iconv's name of a character set that MSH-18 names ("8859/1", "UNICODE UTF-8", "ISO IR87" …, with or without blanks);
/// "" for the empty name, ASCII and names nobody knows.
[[nodiscard]] std::string charset_named(std::string_view name);

/// Bytes in a character set (iconv's name) as UTF-8. What is UTF-8 already stays; what cannot be read becomes U+FFFD.
/// Without a name, bytes that are not UTF-8 are read as CP1252.
[[nodiscard]] std::string to_utf8(std::string_view bytes, const std::string& charset);

/// Bytes that are known to be in a character set (iconv's name) as UTF-8; what cannot be read becomes U+FFFD.
[[nodiscard]] std::string from_charset(std::string_view bytes, const std::string& charset);

/// A message as UTF-8.
struct Decoded {
  std::string_view text;  ///< the message itself where nothing had to change, else the decoder's buffer
  std::string charset;    ///< the set (iconv's name) its bytes were in
  std::string note;       ///< what was wrong, e.g. that MSH-18 names another set; usually empty
};

/// Brings whole messages to UTF-8 before they are split: in ISO-2022-JP, Big5 and GB 18030 a byte of a character may
/// look like a separator. Follows MSH-18, ISO 2022 shifts (also given as \C..\ and \M..\) and, where MSH-18 lies, the
/// bytes: what is valid UTF-8 is UTF-8, Shift JIS is told from EUC-JP and CP1252 from 8859/1. Keeps its buffer between
/// calls. Single-threaded.
class Decoder {
 public:
  /// The result lives until the next call. `message` begins with MSH.
  [[nodiscard]] Decoded decode(std::string_view message);

 private:
  void convert_whole(std::string_view message, Decoded& out);

  std::string buffer_;
};

}  // namespace waybill::hl7
