// SPDX-License-Identifier: Apache-2.0
// Text of DICOM values to UTF-8. glibc's iconv knows the tables; what is ours is the DICOM part: the terms and their
// misspellings, and ISO 2022 code extensions with DICOM's reset rules (PS3.5 6.1.2.5.3), which iconv's own ISO-2022
// decoders do not follow.
#include "dicom/charset.hpp"

#include "core/text.hpp"

#include <iconv.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <map>
#include <memory>

namespace waybill::dicom {
namespace {

struct Term {
  std::string_view name;
  const char* encoding;
  bool extended;
};
constexpr std::array kTerms = {
    Term{"", "ASCII", false},
    Term{"ISO_IR 6", "ASCII", false},
    Term{"ISO_IR 100", "ISO-8859-1", false},
    Term{"ISO_IR 101", "ISO-8859-2", false},
    Term{"ISO_IR 109", "ISO-8859-3", false},
    Term{"ISO_IR 110", "ISO-8859-4", false},
    Term{"ISO_IR 144", "ISO-8859-5", false},
    Term{"ISO_IR 127", "ISO-8859-6", false},
    Term{"ISO_IR 126", "ISO-8859-7", false},
    Term{"ISO_IR 138", "ISO-8859-8", false},
    Term{"ISO_IR 148", "ISO-8859-9", false},
    Term{"ISO_IR 203", "ISO-8859-15", false},
    Term{"ISO_IR 166", "TIS-620", false},
    Term{"ISO_IR 13", "JIS_X0201", false},
    Term{"ISO_IR 192", "UTF-8", false},
    Term{"GB18030", "GB18030", false},
    Term{"GBK", "GBK", false},
    Term{"ISO 2022 IR 6", "ASCII", true},
    Term{"ISO 2022 IR 100", "ISO-8859-1", true},
    Term{"ISO 2022 IR 101", "ISO-8859-2", true},
    Term{"ISO 2022 IR 109", "ISO-8859-3", true},
    Term{"ISO 2022 IR 110", "ISO-8859-4", true},
    Term{"ISO 2022 IR 144", "ISO-8859-5", true},
    Term{"ISO 2022 IR 127", "ISO-8859-6", true},
    Term{"ISO 2022 IR 126", "ISO-8859-7", true},
    Term{"ISO 2022 IR 138", "ISO-8859-8", true},
    Term{"ISO 2022 IR 148", "ISO-8859-9", true},
    Term{"ISO 2022 IR 203", "ISO-8859-15", true},
    Term{"ISO 2022 IR 166", "TIS-620", true},
    Term{"ISO 2022 IR 13", "JIS_X0201", true},
    Term{"ISO 2022 IR 87", "JIS0208", true},
    Term{"ISO 2022 IR 159", "JIS0212", true},
    Term{"ISO 2022 IR 149", "EUC-KR", true},
    Term{"ISO 2022 IR 58", "EUC-CN", true},
};

/// Misspellings seen in archives (CS-BADTERM) and the term meant, compared without case, spaces, '-' and '_'.
struct Alias {
  std::string_view squeezed, term;
};
constexpr std::array kAliases = {
    Alias{"LATIN1", "ISO_IR 100"},      Alias{"ISO88591", "ISO_IR 100"},      Alias{"UTF8", "ISO_IR 192"},
    Alias{"ASCII", "ISO_IR 6"},         Alias{"GB2312", "ISO 2022 IR 58"},    Alias{"ISOIR58", "ISO 2022 IR 58"},
    Alias{"ISOIR87", "ISO 2022 IR 87"}, Alias{"ISOIR149", "ISO 2022 IR 149"}, Alias{"ISOIR159", "ISO 2022 IR 159"},
};

std::string squeeze(std::string_view term) {
  std::string out;
  for (const char c : term) {
    if (c == ' ' || c == '-' || c == '_') continue;
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

/// A converter per thread and direction; opening one costs more than using it.
iconv_t converter(const std::string& to, const std::string& from) {
  struct Closer {
    void operator()(void* p) const { iconv_close(static_cast<iconv_t>(p)); }
  };
  thread_local std::map<std::string, std::unique_ptr<void, Closer>> open;
  auto& slot = open[from + ">" + to];
  if (!slot) {
    const iconv_t fresh = iconv_open(to.c_str(), from.c_str());
    if (fresh == iconv_t(-1)) return nullptr;  // NOLINT
    slot.reset(fresh);
  }
  iconv(static_cast<iconv_t>(slot.get()), nullptr, nullptr, nullptr, nullptr);
  return static_cast<iconv_t>(slot.get());
}

/// Converts; a byte that cannot be is copied as it is and clears `ok`.
std::string convert(const std::string& from, std::string_view bytes, bool& ok) {
  iconv_t cd = converter("UTF-8", from);
  if (cd == nullptr) {
    ok = false;
    return std::string(bytes);
  }
  std::string out;
  auto* in = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  std::array<char, 512> buffer{};
  while (left > 0) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result = iconv(cd, &in, &left, &to, &room);
    out.append(buffer.data(), buffer.size() - room);
    if (result == static_cast<std::size_t>(-1) && errno != E2BIG) {
      if (left == 0) break;
      ok = false;
      out += *in++;
      --left;
      iconv(cd, nullptr, nullptr, nullptr, nullptr);
    }
  }
  return out;
}

/// One designation by escape sequence (PS3.3 C.12.1.1.2, tables C.12-3 and C.12-4).
struct Escape {
  std::string_view bytes;
  const char* encoding;
  int set;
};
constexpr std::array kEscapes = {
    Escape{"(B", "ASCII", 0},      Escape{"(J", "JIS_X0201", 0},  Escape{")I", "JIS_X0201", 1},
    Escape{"$B", "JIS0208", 0},    Escape{"$@", "JIS0208", 0},    Escape{"$(D", "JIS0212", 0},
    Escape{"$)C", "EUC-KR", 1},    Escape{"$)A", "EUC-CN", 1},    Escape{"-A", "ISO-8859-1", 1},
    Escape{"-B", "ISO-8859-2", 1}, Escape{"-C", "ISO-8859-3", 1}, Escape{"-D", "ISO-8859-4", 1},
    Escape{"-L", "ISO-8859-5", 1}, Escape{"-G", "ISO-8859-6", 1}, Escape{"-F", "ISO-8859-7", 1},
    Escape{"-H", "ISO-8859-8", 1}, Escape{"-M", "ISO-8859-9", 1}, Escape{"-b", "ISO-8859-15", 1},
    Escape{"-T", "TIS-620", 1},
};

/// A run of bytes under one designation.
std::string decode_run(std::string_view run, const std::string& g0, const std::string& g1, bool& ok) {
  std::string out;
  std::size_t i = 0;
  while (i < run.size()) {
    const bool high = static_cast<unsigned char>(run[i]) >= 0x80;
    std::size_t j = i;
    while (j < run.size() && (static_cast<unsigned char>(run[j]) >= 0x80) == high) ++j;
    std::string part(run.substr(i, j - i));
    if (high && g1 == "JIS_X0201") {
      std::string euc;  // half-width katakana: iconv knows them inside EUC-JP, behind a single shift
      for (const char c : part) (euc += '\x8E') += c;
      out += convert("EUC-JP", euc, ok);
    } else if (high) {
      out += convert(g1, part, ok);
    } else if (g0 == "JIS0208" || g0 == "JIS0212") {
      std::string euc;
      for (std::size_t k = 0; k < part.size(); ++k) {
        if (g0 == "JIS0212" && k % 2 == 0) euc += '\x8F';
        euc += static_cast<char>(static_cast<unsigned char>(part[k]) | 0x80U);
      }
      out += convert("EUC-JP", euc, ok);
    } else {
      out += part;  // ASCII, and the JIS X 0201 Roman set as ASCII: 0x5C stays the value delimiter
    }
    i = j;
  }
  return out;
}

}  // namespace

Charset Charset::from_terms(std::string_view raw) {
  Charset charset;
  const auto parts = split(raw, '\\');
  for (const std::string_view part : parts) {
    const std::string_view term = trim(part);
    const auto named = [](std::string_view name) {
      return std::find_if(kTerms.begin(), kTerms.end(), [&](const Term& t) { return t.name == name; });
    };
    auto at = named(term);
    if (at == kTerms.end()) {
      charset.canonical_ = false;
      const std::string key = squeeze(term);
      const auto alias = std::ranges::find(kAliases, key, &Alias::squeezed);
      at = alias != kAliases.end()
               ? named(alias->term)
               : std::find_if(kTerms.begin(), kTerms.end(), [&](const Term& t) { return squeeze(t.name) == key; });
    }
    charset.known_ = charset.known_ && at != kTerms.end();
    charset.encodings_.emplace_back(at != kTerms.end() ? at->encoding : "ASCII");
    charset.extended_ = charset.extended_ || (at != kTerms.end() && at->extended);
  }
  if (parts.size() > 1) charset.extended_ = true;
  return charset;
}

std::string Charset::decode(std::string_view bytes, bool& ok) const {
  if (is_ascii(bytes) && bytes.find('\x1B') == std::string_view::npos) return std::string(bytes);
  if (extended_) return decode_extended(bytes, ok);
  if (encodings_[0] == "UTF-8") {
    if (!is_utf8(bytes)) ok = false;
    return std::string(bytes);
  }
  if (encodings_[0] == "JIS_X0201") return decode_run(bytes, "ASCII", "JIS_X0201", ok);
  return convert(encodings_[0], bytes, ok);
}

std::string Charset::decode_extended(std::string_view bytes, bool& ok) const {
  const std::string initial = encodings_[0] == "JIS0208" || encodings_[0] == "JIS0212" ? "ASCII" : encodings_[0];
  std::string g0 = "ASCII";
  std::string g1 = initial;
  std::string out;
  std::size_t run = 0;
  const auto flush = [&](std::size_t end) {
    out += decode_run(bytes.substr(run, end - run), g0, g1, ok);
    run = end;
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\x1B') {
      flush(i);
      const auto rest = bytes.substr(i + 1);
      const auto at =
          std::find_if(kEscapes.begin(), kEscapes.end(), [&](const Escape& e) { return rest.starts_with(e.bytes); });
      if (at == kEscapes.end()) {
        ok = false;
        continue;  // the ESC stays in the next run as it is
      }
      (at->set == 0 ? g0 : g1) = at->encoding;
      i += at->bytes.size();
      run = i + 1;
      continue;
    }
    const bool multi = g0 == "JIS0208" || g0 == "JIS0212";
    if (!multi && (c == '\\' || c == '^' || c == '=' || c == '\r' || c == '\n' || c == '\f' || c == '\t')) {
      flush(i);  // the initial designation is in effect again behind a delimiter
      g0 = "ASCII";
      g1 = initial;
    }
  }
  flush(bytes.size());
  return out;
}

bool Charset::is_single_byte() const noexcept {
  return !extended_ && known_ && encodings_.size() == 1 &&
         (encodings_[0].starts_with("ISO-8859-") || encodings_[0] == "TIS-620");
}

bool Charset::leaves_open(std::string_view bytes) const {
  if (!extended_) {
    if (encodings_[0] != "GB18030" && encodings_[0] != "GBK") return false;
    for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
      if (static_cast<unsigned char>(bytes[i]) < 0x81) continue;
      if (bytes[i + 1] == '\\') return true;
      ++i;
    }
    return false;
  }
  bool open = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\x1B') {
      const auto rest = bytes.substr(i + 1);
      open = rest.starts_with("$B") || rest.starts_with("$@") || rest.starts_with("$(D");
      i += open && rest.starts_with("$(D") ? 3 : 2;
    } else if (open && (bytes[i] == '\r' || bytes[i] == '\n')) {
      return true;
    }
  }
  return open;
}

std::string Charset::decode_for_display(std::string_view bytes) const {
  bool ok = true;
  if (is_default() && !is_ascii(bytes)) {
    return is_utf8(bytes) ? std::string(bytes) : convert("ISO-8859-1", bytes, ok);
  }
  return repair_utf8(decode(bytes, ok));
}

std::optional<std::string> Charset::encode(std::string_view utf8) const {
  if (is_ascii(utf8)) return std::string(utf8);
  if (extended_ || !known_) return std::nullopt;
  if (encodings_[0] == "UTF-8") return std::string(utf8);
  if (encodings_[0] == "ASCII") return std::nullopt;
  iconv_t cd = converter(encodings_[0], "UTF-8");
  if (cd == nullptr) return std::nullopt;
  std::string out(utf8.size() * 4 + 8, '\0');
  auto* in = const_cast<char*>(utf8.data());
  std::size_t left = utf8.size();
  char* to = out.data();
  std::size_t room = out.size();
  if (iconv(cd, &in, &left, &to, &room) == static_cast<std::size_t>(-1) || left != 0) return std::nullopt;
  out.resize(out.size() - room);
  return out;
}

}  // namespace waybill::dicom
