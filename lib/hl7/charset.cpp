// SPDX-License-Identifier: Apache-2.0
#include "hl7/charset.hpp"

#include "core/bytes.hpp"
#include "core/text.hpp"
#include "hl7/delimiters.hpp"
#include "hl7/message.hpp"
#include "hl7/scan_bytes.hpp"
#include "hl7/shift.hpp"

#include <iconv.h>
#include <array>
#include <cerrno>
#include <map>
#include <memory>

namespace waybill::hl7 {
namespace {

struct Named {
  std::string_view name;  // upper case, without blanks, '-', '_', '/'
  const char* charset;
};
constexpr std::array kNames = {
    Named{"88591", "ISO-8859-1"},    Named{"88592", "ISO-8859-2"},    Named{"88593", "ISO-8859-3"},
    Named{"88594", "ISO-8859-4"},    Named{"88595", "ISO-8859-5"},    Named{"88596", "ISO-8859-6"},
    Named{"88597", "ISO-8859-7"},    Named{"88598", "ISO-8859-8"},    Named{"88599", "ISO-8859-9"},
    Named{"885915", "ISO-8859-15"},  Named{"UNICODEUTF8", "UTF-8"},   Named{"UTF8", "UTF-8"},
    Named{"UNICODE", "UTF-8"},       Named{"ISOIR14", "SHIFT_JIS"},   Named{"ISOIR13", "SHIFT_JIS"},
    Named{"ISOIR87", "EUC-JP"},      Named{"ISOIR159", "EUC-JP"},     Named{"KSX1001", "EUC-KR"},
    Named{"CNS116431992", "EUC-TW"}, Named{"GB180302000", "GB18030"}, Named{"GB18030", "GB18030"},
    Named{"BIG5", "BIG5-HKSCS"},     Named{"SHIFTJIS", "CP932"},      Named{"WINDOWS1252", "CP1252"},
    Named{"CP1252", "CP1252"},       Named{"ISO88591", "ISO-8859-1"}, Named{"ISO885915", "ISO-8859-15"},
    Named{"ISO88592", "ISO-8859-2"}, Named{"ISOIR100", "ISO-8859-1"}, Named{"ISOIR192", "UTF-8"},
};

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

}  // namespace

std::string charset_named(std::string_view name) {
  std::string word;
  for (const char c : name)
    if (std::string_view(" -_/").find(c) == std::string_view::npos)
      word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  for (const auto& known : kNames)
    if (known.name == word) return known.charset;
  return {};
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
  if (is_utf8(message)) {
    if (!declared.empty() && declared != "UTF-8") out.note = "MSH-18 names another character set, the text is UTF-8";
    out.charset = "UTF-8";
    return out;
  }
  if (declared == "UTF-8") out.note = "MSH-18 names UTF-8, the text is not; read as CP1252";
  if (declared.empty()) {
    out.note = shown.empty() ? "MSH-18 names no character set, the text is not UTF-8; read as CP1252"
                             : "MSH-18 names an unknown character set; read as CP1252";
  }
  if (declared.empty() || declared == "UTF-8") out.charset = "CP1252";
  buffer_.clear();
  buffer_.reserve(message.size() * 2);
  if (convert(message, out.charset, buffer_) > 0) out.note = "bytes that are not in the character set of MSH-18";
  out.text = buffer_;
  return out;
}

}  // namespace waybill::hl7
