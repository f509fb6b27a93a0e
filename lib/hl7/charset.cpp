// SPDX-License-Identifier: Apache-2.0
#include "hl7/charset.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "hl7/delimiters.hpp"
#include "hl7/message.hpp"
#include "hl7/scan_bytes.hpp"
#include "hl7/shift.hpp"

#include <iconv.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <memory>

namespace waybill::hl7 {
namespace {

struct Named {
  std::string_view name;  // upper case, without blanks and punctuation
  const char* charset;
};
// HL7's table 0211 and what systems write in its place. EUC-JP stands for everything Japanese that is shifted by ESC:
// what the shifts say is read from the text itself (shift.cpp). CP932 and CP949 are Shift JIS and EUC-KR with all that
// their systems really write, and CP932 leaves backslash and tilde what they are.
constexpr std::array kNames = {
    Named{"UNICODEUTF8", "UTF-8"},    Named{"UTF8", "UTF-8"},          Named{"UNICODE", "UTF-8"},
    Named{"ISOIR192", "UTF-8"},       Named{"ISOIR13", "CP932"},       Named{"ISOIR14", "CP932"},
    Named{"JISX0201", "CP932"},       Named{"SHIFTJIS", "CP932"},      Named{"SJIS", "CP932"},
    Named{"MSKANJI", "CP932"},        Named{"WINDOWS31J", "CP932"},    Named{"ISOIR87", "EUC-JP"},
    Named{"ISOIR159", "EUC-JP"},      Named{"JAS2020", "EUC-JP"},      Named{"JISX0202", "EUC-JP"},
    Named{"JISX0208", "EUC-JP"},      Named{"JISX0212", "EUC-JP"},     Named{"EUCJP", "EUC-JP"},
    Named{"ISO2022JP", "EUC-JP"},     Named{"KSX1001", "CP949"},       Named{"KSC5601", "CP949"},
    Named{"ISOIR149", "CP949"},       Named{"EUCKR", "CP949"},         Named{"UHC", "CP949"},
    Named{"ISO2022KR", "CP949"},      Named{"GB180302000", "GB18030"}, Named{"GB180302005", "GB18030"},
    Named{"GB18030", "GB18030"},      Named{"GBK", "GB18030"},         Named{"GB2312", "GB18030"},
    Named{"ISOIR58", "GB18030"},      Named{"EUCCN", "GB18030"},       Named{"BIG5", "BIG5-HKSCS"},
    Named{"BIG5HKSCS", "BIG5-HKSCS"}, Named{"EUCTW", "EUC-TW"},        Named{"CNS116431992", "EUC-TW"},
    Named{"ISOIR100", "ISO-8859-1"},  Named{"ISOIR101", "ISO-8859-2"}, Named{"ISOIR109", "ISO-8859-3"},
    Named{"ISOIR110", "ISO-8859-4"},  Named{"ISOIR144", "ISO-8859-5"}, Named{"ISOIR127", "ISO-8859-6"},
    Named{"ISOIR126", "ISO-8859-7"},  Named{"ISOIR138", "ISO-8859-8"}, Named{"ISOIR148", "ISO-8859-9"},
    Named{"ISOIR203", "ISO-8859-15"}, Named{"ISOIR166", "CP874"},      Named{"TIS620", "CP874"},
    Named{"885911", "CP874"},         Named{"LATIN1", "ISO-8859-1"},   Named{"ISOLATIN1", "ISO-8859-1"},
    Named{"KOI8R", "KOI8-R"},         Named{"KOI8U", "KOI8-U"},
};
constexpr std::array kCodePages = {"437",  "850",  "852",  "855",  "857",  "858",  "862",  "866",
                                   "874",  "932",  "936",  "949",  "950",  "1250", "1251", "1252",
                                   "1253", "1254", "1255", "1256", "1257", "1258"};

/// "8859/5" and "ISO 8859-5", "Windows-1251" and "CP1251".
std::string numbered(std::string_view word) {
  const auto behind = [&](std::string_view prefix) {
    return word.starts_with(prefix) ? word.substr(prefix.size()) : std::string_view();
  };
  for (const std::string_view prefix : {"8859", "ISO8859"}) {
    const std::string_view part = behind(prefix);
    for (int n = 1; n <= 16; ++n)
      if (n != 12 && part == std::to_string(n)) return "ISO-8859-" + std::string(part);
  }
  for (const std::string_view prefix : {"CP", "WINDOWS", "WIN", "MS", "IBM"})
    for (const std::string_view page : kCodePages)
      if (behind(prefix) == page) return "CP" + std::string(page);
  return {};
}

std::string normal(std::string_view name) {
  std::string word;
  for (const char c : name)
    if (std::string_view(" -_/:.").find(c) == std::string_view::npos)
      word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (word.starts_with("ISO2022IR")) word.erase(3, 4);  // as DICOM writes it
  return word;
}

/// The set that systems write when they name this one, where both are easily taken for each other.
const char* often_meant_by(std::string_view charset) {
  if (charset == "EUC-JP") return "CP932";
  if (charset == "CP932") return "EUC-JP";
  if (charset == "BIG5-HKSCS") return "CP950";
  return nullptr;
}

bool is_east_asian(std::string_view charset) {
  for (const std::string_view known : {"EUC-JP", "CP932", "CP936", "CP949", "CP950", "GB18030", "BIG5-HKSCS", "EUC-TW"})
    if (charset == known) return true;
  return false;
}

template <typename Is>
bool any_byte(std::string_view text, const Is& is) {
  return std::any_of(text.begin(), text.end(), [&](char c) { return is(static_cast<unsigned char>(c)); });
}

iconv_t converter(const std::string& from) {
  struct Closer {
    void operator()(void* p) const { iconv_close(static_cast<iconv_t>(p)); }
  };
  thread_local std::map<std::string, std::unique_ptr<void, Closer>> open;
  auto& slot = open[from];
  if (!slot) {
    const iconv_t fresh = iconv_open("UTF-8", from.c_str());
    if (fresh == iconv_t(-1)) return nullptr;  // NOLINT
    slot.reset(fresh);
  }
  iconv(static_cast<iconv_t>(slot.get()), nullptr, nullptr, nullptr, nullptr);
  return static_cast<iconv_t>(slot.get());
}

/// Converts all of `bytes`; the number of places that could not be read.
std::size_t convert(std::string_view bytes, const std::string& charset, std::string& out) {
  const iconv_t cd = converter(charset);
  if (cd == nullptr) {
    out += repair_utf8(bytes);
    return 1;
  }
  std::size_t bad = 0;
  char* in = const_cast<char*>(bytes.data());  // NOLINT: iconv's signature
  std::size_t left = bytes.size();
  std::array<char, 4096> buffer{};
  while (left > 0) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t done = iconv(cd, &in, &left, &to, &room);
    out.append(buffer.data(), buffer.size() - room);
    if (done != static_cast<std::size_t>(-1) || errno == E2BIG) continue;
    ++bad;
    out += "\xEF\xBF\xBD";
    ++in;
    --left;
    iconv(cd, nullptr, nullptr, nullptr, nullptr);
  }
  return bad;
}

/// MSH-18 of raw bytes: only the first line is looked at, which is ASCII in all sets but for names in it.
std::string_view raw_msh18(std::string_view message, char separator) {
  std::string_view line = message.substr(0, message.find('\r'));
  line = line.substr(0, line.find('\n'));
  return part(line, separator, 18);  // the part before MSH-2 is "MSH", so part n is MSH-n
}

/// Whether text that is not UTF-8 nearly is: what is broken in it (a value cut within a character) is no more than what
/// is whole. In other sets such pairs of bytes hardly come about.
bool is_nearly_utf8(std::string_view repaired) {
  std::size_t whole = 0, broken = 0;
  for (std::size_t i = 0; i < repaired.size(); ++i) {
    if (repaired.substr(i).starts_with("\xEF\xBF\xBD"))
      ++broken;
    else if ((static_cast<unsigned char>(repaired[i]) & 0xC0U) == 0xC0U)
      ++whole;
  }
  return whole >= broken;
}

bool is_ascii_name(std::string_view name) {
  const std::string word = normal(name);
  return word == "ASCII" || word == "USASCII" || word == "ISOIR6";
}

/// Whether text that is valid UTF-8 is nevertheless in the declared East Asian set: a few characters of two bytes may
/// be both, but in UTF-8 those scripts take three.
bool is_rather(std::string_view message, const std::string& declared) {
  if (!is_east_asian(declared) || any_byte(message, [](unsigned char c) { return c >= 0xE0; })) return false;
  std::string ignored;
  return convert(message, declared, ignored) == 0;
}

}  // namespace

std::string charset_named(std::string_view name) {
  const std::string word = normal(name);
  for (const auto& known : kNames)
    if (known.name == word) return known.charset;
  return numbered(word);
}

std::string to_utf8(std::string_view bytes, const std::string& charset) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string out;
  convert(bytes, charset.empty() || charset == "UTF-8" ? "CP1252" : charset, out);
  return out;
}

std::string from_charset(std::string_view bytes, const std::string& charset) {
  std::string out;
  convert(bytes, charset, out);
  return out;
}

Decoded Decoder::decode(std::string_view message) {
  const auto delimiters = read_delimiters(message);
  const char escape = delimiters ? delimiters->escape : '\0';
  const ByteKinds kinds = kinds_of(message, escape == '\0' ? '\x1B' : escape);
  const bool shifts = kinds.shift || (kinds.escape && escape != '\0' && has_shift_escape(message, escape));
  Decoded out{message, "UTF-8", {}};
  if (!delimiters || (!kinds.high && !shifts && !kinds.escape)) return out;
  const std::string_view field = raw_msh18(message, delimiters->field);
  std::string declared;
  std::string_view shown;
  for (const auto name : parts(field, delimiters->repetition)) {
    if (trim(name).empty() || !declared.empty()) continue;
    declared = charset_named(name);
    shown = trim(name);
  }
  out.charset = declared.empty() ? "UTF-8" : declared;
  if (!kinds.high && !shifts) return out;
  if (shifts) {
    buffer_.clear();
    const std::size_t bad = decode_shifts(message, escape, declared, buffer_);
    if (bad > 0) out.note = "bytes that are in no character set named";
    out.text = buffer_;
    return out;
  }
  if (is_utf8(message) && !is_rather(message, declared)) {
    if (!declared.empty() && declared != "UTF-8") out.note = "MSH-18 names another character set, the text is UTF-8";
    out.charset = "UTF-8";
    return out;
  }
  if (declared.empty() || declared == "UTF-8") {
    buffer_ = repair_utf8(message);
    if (is_nearly_utf8(buffer_)) {
      out.charset = "UTF-8";
      out.note = "bytes that are not UTF-8 in a text that is";
      out.text = buffer_;
      return out;
    }
  }
  if (declared == "UTF-8") out.note = "MSH-18 names UTF-8, the text is not; read as CP1252";
  if (declared == "ISO-8859-1" && any_byte(message, [](unsigned char c) { return c >= 0x80 && c < 0xA0; })) {
    out.note = "MSH-18 names 8859/1, the text holds what only CP1252 has; read as CP1252";
    declared.clear();
  } else if (declared.empty()) {
    out.note = shown.empty()          ? "MSH-18 names no character set, the text is not UTF-8; read as CP1252"
               : is_ascii_name(shown) ? "MSH-18 names ASCII, the text is neither that nor UTF-8; read as CP1252"
                                      : "MSH-18 names an unknown character set; read as CP1252";
  }
  if (declared.empty() || declared == "UTF-8") out.charset = "CP1252";
  convert_whole(message, out);
  return out;
}

void Decoder::convert_whole(std::string_view message, Decoded& out) {
  buffer_.clear();
  buffer_.reserve(message.size() * 2);
  std::size_t bad = convert(message, out.charset, buffer_);
  if (const char* other = often_meant_by(out.charset); bad > 0 && other != nullptr) {
    std::string second;
    if (convert(message, other, second) == 0) {
      out.note = std::string("MSH-18 names another character set, the text is ") + other;
      out.charset = other;
      buffer_ = std::move(second);
      bad = 0;
    }
  }
  if (bad > 0) out.note = "bytes that are not in the character set of MSH-18";
  out.text = buffer_;
}

}  // namespace waybill::hl7
