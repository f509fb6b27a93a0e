// SPDX-License-Identifier: Apache-2.0
// Character sets switched within a text (ISO 2022), as Japanese and Korean systems do. The bytes of a two-byte set may
// be any of the separators, so this happens before the text is split. iconv's own ISO-2022 decoders know neither HL7's
// escapes nor the half-width katakana, so the runs are cut here and each is given to iconv in the matching EUC form.
#include "hl7/shift.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "hl7/charset.hpp"

#include <array>
#include <optional>

namespace waybill::hl7 {
namespace {

constexpr char kShiftOut = 0x0E, kShiftIn = 0x0F;

enum class Set { ascii, katakana, jisx0208, jisx0212, ksx1001, gb2312 };

struct Designation {
  std::string_view code;  // what follows ESC
  Set set;
  const char* high;  // for sets that sit at 0x80 and above (G1), their iconv name
};
constexpr std::array kDesignations = {
    Designation{"(B", Set::ascii, nullptr},      Designation{"(J", Set::ascii, nullptr},
    Designation{"(I", Set::katakana, nullptr},   Designation{")I", Set::ascii, "CP932"},
    Designation{"$B", Set::jisx0208, nullptr},   Designation{"$@", Set::jisx0208, nullptr},
    Designation{"$(D", Set::jisx0212, nullptr},  Designation{"$(C", Set::ksx1001, nullptr},
    Designation{"$)C", Set::ascii, "EUC-KR"},    Designation{"$(A", Set::gb2312, nullptr},
    Designation{"$A", Set::gb2312, nullptr},     Designation{"$)A", Set::ascii, "EUC-CN"},
    Designation{"-A", Set::ascii, "ISO-8859-1"}, Designation{"-B", Set::ascii, "ISO-8859-2"},
    Designation{"-C", Set::ascii, "ISO-8859-3"}, Designation{"-D", Set::ascii, "ISO-8859-4"},
    Designation{"-L", Set::ascii, "ISO-8859-5"}, Designation{"-G", Set::ascii, "ISO-8859-6"},
    Designation{"-F", Set::ascii, "ISO-8859-7"}, Designation{"-H", Set::ascii, "ISO-8859-8"},
    Designation{"-M", Set::ascii, "ISO-8859-9"}, Designation{"-b", Set::ascii, "ISO-8859-15"},
};

const Designation* designation_of(std::string_view code) noexcept {
  for (const auto& d : kDesignations)
    if (d.code == code) return &d;
  return nullptr;
}

/// "\C2842\" or "\M2442\" or "\M242843\": the code in it and its length with both escape characters, length 0 for
/// others.
struct ShiftEscape {
  std::array<char, 3> code{};
  std::size_t code_size = 0, size = 0;
};
ShiftEscape shift_escape(std::string_view text, char escape) {
  ShiftEscape out;
  if (text.size() < 7 || text[0] != escape || (text[1] != 'C' && text[1] != 'M')) return out;
  const std::size_t end = text.substr(0, 9).find(escape, 2);
  if (end != 6 && end != 8) return out;
  const Bytes code = from_hex(text.substr(2, end - 2));
  if (code.empty()) return out;
  for (const std::byte b : code) out.code[out.code_size++] = static_cast<char>(b);
  // HL7's table names the sets for 0x80 and above by the same intermediates as ISO 2022 (2D41 is ESC - A).
  if (designation_of({out.code.data(), out.code_size}) != nullptr) out.size = end + 1;
  return out;
}

class ShiftDecoder {
 public:
  ShiftDecoder(std::string_view text, char escape, const std::string& high, std::string& out)
      : text_(text), escape_(escape), first_high_(high), high_(high), out_(out) {}

  std::size_t run() {
    while (at_ < text_.size()) {
      if (!shift()) step();
    }
    flush_high();
    flush_two();
    return bad_;
  }

 private:
  bool shift() {
    const std::string_view rest = text_.substr(at_);
    if ((rest[0] == kShiftOut || rest[0] == kShiftIn) && !shifted_by_so_.empty()) return shift_out_or_in(rest[0]);
    const Designation* found = nullptr;
    std::size_t size = 0;
    if (rest[0] == 0x1B) {
      for (const auto& d : kDesignations)
        if (rest.substr(1).starts_with(d.code)) found = &d;
      size = found == nullptr ? 0 : 1 + found->code.size();
    } else if (rest[0] == escape_) {
      const ShiftEscape e = shift_escape(rest, escape_);
      if (e.size > 0) found = designation_of({e.code.data(), e.code_size});
      size = e.size;
    }
    if (found == nullptr || size == 0) return false;
    flush_high();
    flush_two();
    set_ = found->set;
    if (found->high != nullptr) high_ = shifted_by_so_ = found->high;
    at_ += size;
    return true;
  }

  /// ISO-2022-KR and JIS in seven bits: SO reads the set that was named for 0x80 and above, SI ends it.
  bool shift_out_or_in(char c) {
    flush_high();
    flush_two();
    set_ = c == kShiftIn                ? Set::ascii
           : shifted_by_so_ == "EUC-KR" ? Set::ksx1001
           : shifted_by_so_ == "EUC-CN" ? Set::gb2312
           : shifted_by_so_ == "CP932"  ? Set::katakana
                                        : Set::ascii;
    ++at_;
    return true;
  }

  void step() {
    const char c = text_[at_];
    const auto u = static_cast<unsigned char>(c);
    if (u >= 0x80) {
      flush_two();
      run_ += c;
      ++at_;
      return;
    }
    flush_high();
    const bool graphic = u > 0x20 && u < 0x7F;
    if (graphic && set_ == Set::katakana) {
      const unsigned code = 0xFF61U + (u - 0x21U);
      out_ += static_cast<char>(0xE0U | (code >> 12U));
      out_ += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
      out_ += static_cast<char>(0x80U | (code & 0x3FU));
      ++at_;
      return;
    }
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    const bool cut = next == escape_ && escape_ != '\0' && shift_escape(text_.substr(at_ + 1), escape_).size > 0;
    if (graphic && set_ != Set::ascii && next > 0x20 && next < 0x7F && !cut) {
      if (set_ == Set::jisx0212) two_ += '\x8F';
      two_ += static_cast<char>(u | 0x80U);
      two_ += static_cast<char>(static_cast<unsigned char>(next) | 0x80U);
      at_ += 2;
      return;
    }
    flush_two();
    if (c == '\r' || c == '\n') {
      set_ = Set::ascii;
      high_ = first_high_;
    }
    if (c == 0x1B || (graphic && set_ != Set::ascii)) {  // a shift nobody knows, half a character
      ++bad_;
      out_ += "\xEF\xBF\xBD";
    } else {
      out_ += c;
    }
    ++at_;
  }

  void flush_two() {
    if (two_.empty()) return;
    const char* charset = set_ == Set::ksx1001 ? "EUC-KR" : set_ == Set::gb2312 ? "EUC-CN" : "EUC-JP";
    put(two_, charset);
  }
  void flush_high() {
    if (!run_.empty()) put(run_, high_);
  }
  void put(std::string& run, const std::string& charset) {
    const std::string text = convert_exactly(run, charset);
    if (text.find("\xEF\xBF\xBD") != std::string::npos) ++bad_;
    out_ += text;
    run.clear();
  }
  /// Like to_utf8, but a named set is believed even where the bytes would be UTF-8 as well.
  static std::string convert_exactly(std::string_view bytes, const std::string& charset) {
    return charset.empty() || charset == "UTF-8" ? to_utf8(bytes, charset) : from_charset(bytes, charset);
  }

  std::string_view text_;
  char escape_;
  std::string first_high_, high_;
  std::string& out_;
  std::string run_, two_;
  std::string shifted_by_so_;  // stays over line ends: ISO-2022-KR names its set once
  std::size_t at_ = 0, bad_ = 0;
  Set set_ = Set::ascii;
};

}  // namespace

bool has_shift_escape(std::string_view text, char escape) noexcept {
  for (std::size_t at = text.find(escape); at != std::string_view::npos; at = text.find(escape, at + 1)) {
    if (at + 1 < text.size() && (text[at + 1] == 'C' || text[at + 1] == 'M') &&
        shift_escape(text.substr(at), escape).size > 0)
      return true;
  }
  return false;
}

std::size_t decode_shifts(std::string_view text, char escape, const std::string& high_set, std::string& out) {
  return ShiftDecoder(text, escape, high_set, out).run();
}

}  // namespace waybill::hl7
