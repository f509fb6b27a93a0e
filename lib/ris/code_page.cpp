// SPDX-License-Identifier: Apache-2.0
#include "ris/code_page.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "hl7/charset.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace waybill::ris {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Whether the text begins with `start` and a number of the range follows and nothing else.
bool numbered(std::string_view name, std::string_view start, int least, int most) {
  if (!name.starts_with(start)) return false;
  name.remove_prefix(start.size());
  int n = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), n);
  return error == std::errc() && end == name.data() + name.size() && n >= least && n <= most;
}

/// "" unless every other byte of the beginning is NUL, as in Latin text of 16 bits a character.
std::string utf16_without_mark(std::string_view bytes) {
  const std::size_t n = std::min<std::size_t>(bytes.size() & ~std::size_t{1}, 64);
  if (n < 8) return {};
  std::size_t even = 0, odd = 0;
  for (std::size_t i = 0; i < n; i += 2) {
    even += bytes[i] == '\0';
    odd += bytes[i + 1] == '\0';
  }
  if (odd * 4 >= n * 3 / 2 && even == 0) return "UTF-16LE";
  return even * 4 >= n * 3 / 2 && odd == 0 ? "UTF-16BE" : "";
}

std::string converted(std::string_view bytes, const std::string& code_page) {
  std::string text = hl7::from_charset(bytes, code_page);
  // U+FFFD may stand in UTF-16 itself; in a code page of bytes it can only come from what could not be read.
  if (!code_page.starts_with("UTF-") && text.find(kReplacement) != std::string::npos)
    throw RunError(Exit::input, "the RIS table holds bytes that " + code_page +
                                    " does not have; name the code page it was exported in (code_page in --map)");
  return text;
}

}  // namespace

std::optional<std::string> code_page_named(std::string_view name) {
  std::string upper(trim(name));
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  static constexpr std::array<std::string_view, 14> kKnown = {
      "UTF-8",   "UTF-16", "UTF-16LE", "UTF-16BE",  "SHIFT_JIS", "EUC-JP", "EUC-KR",
      "GB18030", "BIG5",   "KOI8-R",   "MACINTOSH", "CP932",     "CP936",  "CP949"};
  if (std::find(kKnown.begin(), kKnown.end(), upper) != kKnown.end()) return upper;
  if (upper == "UTF8") return "UTF-8";
  if (numbered(upper, "WINDOWS-", 1250, 1258) || numbered(upper, "CP", 1250, 1258))
    return "CP" + upper.substr(upper.size() - 4);
  if (numbered(upper, "CP", 437, 437) || numbered(upper, "CP", 850, 869)) return upper;
  if (numbered(upper, "ISO-8859-", 1, 16)) return upper;
  return std::nullopt;
}

std::string table_text(std::string bytes, const std::string& code_page) {
  const std::string_view view = bytes;
  if (view.starts_with("\xFF\xFE")) return converted(view.substr(2), "UTF-16LE");
  if (view.starts_with("\xFE\xFF")) return converted(view.substr(2), "UTF-16BE");
  if (view.starts_with("\xEF\xBB\xBF") || code_page == "UTF-8") {
    if (!is_utf8(view)) {
      throw RunError(Exit::input,
                     "the RIS table says that it is UTF-8 and is not; a part of it may have been pasted from another "
                     "export: write it anew, or name its code page (code_page in --map)");
    }
    return bytes;
  }
  if (code_page == "UTF-16" || code_page == "UTF-16LE") return converted(view, "UTF-16LE");
  if (!code_page.empty()) return converted(view, code_page);
  const std::string wide = utf16_without_mark(view);
  return wide.empty() ? std::move(bytes) : converted(view, wide);
}

}  // namespace waybill::ris
