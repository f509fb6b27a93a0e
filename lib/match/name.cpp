// SPDX-License-Identifier: Apache-2.0
#include "match/name.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <initializer_list>

namespace waybill::match {
namespace {

constexpr double kAlike = 0.92;

struct Fold {
  char32_t first, last;
  std::string_view letters;
};

/// Letters with marks and their base, upper case; both cases of Latin-1 are found by the same row (see fold()).
constexpr Fold kFolds[] = {
    {0xC0, 0xC5, "A"},     {0xC6, 0xC6, "AE"},    {0xC7, 0xC7, "C"},     {0xC8, 0xCB, "E"},     {0xCC, 0xCF, "I"},
    {0xD0, 0xD0, "D"},     {0xD1, 0xD1, "N"},     {0xD2, 0xD6, "O"},     {0xD8, 0xD8, "O"},     {0xD9, 0xDC, "U"},
    {0xDD, 0xDD, "Y"},     {0xDE, 0xDE, "TH"},    {0x100, 0x105, "A"},   {0x106, 0x10D, "C"},   {0x10E, 0x111, "D"},
    {0x112, 0x11B, "E"},   {0x11C, 0x123, "G"},   {0x124, 0x127, "H"},   {0x128, 0x131, "I"},   {0x132, 0x133, "IJ"},
    {0x134, 0x135, "J"},   {0x136, 0x138, "K"},   {0x139, 0x142, "L"},   {0x143, 0x14B, "N"},   {0x14C, 0x151, "O"},
    {0x152, 0x153, "OE"},  {0x154, 0x159, "R"},   {0x15A, 0x161, "S"},   {0x162, 0x167, "T"},   {0x168, 0x173, "U"},
    {0x174, 0x175, "W"},   {0x176, 0x178, "Y"},   {0x179, 0x17E, "Z"},   {0x17F, 0x17F, "S"},   {0x1A0, 0x1A1, "O"},
    {0x1AF, 0x1B0, "U"},   {0x218, 0x219, "S"},   {0x21A, 0x21B, "T"},   {0x1EA0, 0x1EB7, "A"}, {0x1EB8, 0x1EC7, "E"},
    {0x1EC8, 0x1ECB, "I"}, {0x1ECC, 0x1EE3, "O"}, {0x1EE4, 0x1EF1, "U"}, {0x1EF2, 0x1EF9, "Y"},
};

/// The longer spelling of letters that have two.
constexpr Fold kLong[] = {
    {0xC4, 0xC4, "AE"}, {0xC5, 0xC5, "AA"}, {0xD6, 0xD6, "OE"}, {0xD8, 0xD8, "OE"}, {0xDC, 0xDC, "UE"}};

std::u32string decode(std::string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = n == 1 ? lead : lead & (0xFFU >> (n + 1));
    for (std::size_t k = 1; k < n && i + k < text.size(); ++k)
      c = (c << 6U) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
    out += c;
    i += n;
  }
  return out;
}

void put_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static constexpr unsigned char kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kLead[more] | (c >> (6 * more)));
  for (int k = more - 1; k >= 0; --k) out += static_cast<char>(0x80U | ((c >> (6 * k)) & 0x3FU));
}

/// Upper case of one letter, marks kept.
char32_t upper(char32_t c) noexcept {
  if (c >= 'a' && c <= 'z') return c - 0x20;
  if (c == 0xFF) return 0x178;
  if ((c >= 0xE0 && c <= 0xFE && c != 0xF7) || (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x430 && c <= 0x44F))
    return c - 0x20;
  if (c == 0x3C2) return 0x3A3;
  if (c >= 0x450 && c <= 0x45F) return c - 0x50;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c % 2 == 0 ? c - 1 : c;
  if (c == 0x131) return 'I';
  if (c == 0x17F) return 'S';
  const bool pairs = (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) || (c >= 0x218 && c <= 0x21B) ||
                     (c >= 0x1EA0 && c <= 0x1EF9);
  return pairs && c % 2 == 1 ? c - 1 : c;
}

std::string_view letters_of(std::initializer_list<std::pair<const Fold*, std::size_t>> tables, char32_t c) {
  for (const auto& [table, size] : tables)
    for (std::size_t i = 0; i < size; ++i)
      if (c >= table[i].first && c <= table[i].last) return table[i].letters;
  return {};
}

/// One component in upper case base letters; words stand between single blanks.
std::string fold(std::string_view text, bool long_spelling) {
  std::string out;
  for (const char32_t raw : decode(text)) {
    const char32_t c = upper(raw);
    if (c == 0x308 && long_spelling && !out.empty() &&
        std::string_view("AOU").find(out.back()) != std::string_view::npos) {
      out += 'E';  // a, o, u with a combining diaeresis
    } else if ((c >= 0x300 && c <= 0x36F) || c == '\'' || c == '.' || c == 0x2019 || c == '`' || c == 0xB4) {
      continue;
    } else if (c == '-' || c == ' ' || c == ',' || c == '_' || c == 0xA0 || (c >= 0x2010 && c <= 0x2015)) {
      out += ' ';
    } else if (c == 0xDF || c == 0x1E9E) {
      out += "SS";
    } else {
      std::string_view letters;
      if (c >= 0xC0) {
        letters = long_spelling ? letters_of({{kLong, std::size(kLong)}, {kFolds, std::size(kFolds)}}, c)
                                : letters_of({{kFolds, std::size(kFolds)}}, c);
      }
      if (letters.empty())
        put_utf8(out, c);
      else
        out += letters;
    }
  }
  return out;
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_title(std::string_view w) {
  return one_of(w, {"DR", "PROF", "MR", "MRS", "MS", "FR", "HERR", "JR", "SR", "II", "III", "MD"});
}
bool is_particle(std::string_view w) {
  return one_of(w, {"O", "MC", "MAC", "DE", "LA", "DEL", "DI", "DA", "DOS", "VAN", "VON", "DER", "DEN", "BIN", "IBN",
                    "AL", "EL", "ST"});
}

std::string unify(std::string word) {
  if (word == "SAINT") return "ST";
  if (word.starts_with("MAC") && word.size() >= 7) word.erase(1, 1);  // MACDONALD, MCDONALD; not MACK
  return word;
}

/// Words of one component. `family` lets particles join the word behind them.
std::vector<std::string> words_of(std::string_view component, bool long_spelling, bool family) {
  const std::string folded = fold(component, long_spelling);
  std::vector<std::string> all, kept;
  for (const auto part : split(folded, ' '))
    if (!part.empty()) all.emplace_back(unify(std::string(part)));
  for (const auto& word : all)
    if (!is_title(word)) kept.push_back(word);
  if (kept.empty()) kept = all;  // a family called "Herr" stays one
  if (!family) return kept;
  std::vector<std::string> joined;
  std::string prefix;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (is_particle(kept[i]) && i + 1 < kept.size()) {
      prefix += kept[i];
    } else {
      joined.push_back(unify(prefix + kept[i]));
      prefix.clear();
    }
  }
  return joined;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += word;
  return out;
}

std::vector<std::string> sorted_words(const NameWords& name) {
  std::vector<std::string> all = name.family;
  all.insert(all.end(), name.given.begin(), name.given.end());
  std::sort(all.begin(), all.end());
  return all;
}

bool word_agrees(std::string_view a, std::string_view b) {
  return a == b || (a.size() == 1 && b.starts_with(a)) || (b.size() == 1 && a.starts_with(b));
}

/// The first given names agree and no later one contradicts; a list may be shorter than the other.
bool given_agree(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.empty() || b.empty()) return false;
  const std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < n; ++i)
    if (!word_agrees(a[i], b[i])) return join(a) == join(b);  // "ANNE MARIE" and "ANNEMARIE"
  return true;
}

Same compare_words(const NameWords& a, const NameWords& b) {
  if (a.family.empty() && a.given.empty()) return Same::unknown;
  if (b.family.empty() && b.given.empty()) return Same::unknown;
  const std::string family_a = join(a.family), family_b = join(b.family);
  if (family_a == family_b && (given_agree(a.given, b.given) || (a.given.empty() && b.given.empty())))
    return Same::equal;
  const bool old_form = (a.given.empty() && a.family.size() > 1) || (b.given.empty() && b.family.size() > 1);
  if (old_form && sorted_words(a) == sorted_words(b)) return Same::equal;
  if (family_a == family_b && (a.given.empty() || b.given.empty())) return Same::near;
  if (sorted_words(a) == sorted_words(b)) return Same::near;  // exchanged
  const std::string x = family_a + " " + join(a.given), y = family_b + " " + join(b.given);
  return jaro_winkler(x, y) >= kAlike ? Same::near : Same::differs;
}

template <typename F>
bool any_word(std::string_view name, const F& test) {
  const NameWords words = name_normal(name).spellings[1];
  return std::any_of(words.family.begin(), words.family.end(), test) ||
         std::any_of(words.given.begin(), words.given.end(), test);
}

bool is_phonetic_word(std::string_view w) {
  return one_of(w,
                {"ALPHA",  "ALFA",    "BRAVO",   "CHARLIE", "DELTA",   "ECHO",     "FOXTROT", "GOLF", "HOTEL",  "INDIA",
                 "JULIET", "JULIETT", "KILO",    "LIMA",    "MIKE",    "NOVEMBER", "OSCAR",   "PAPA", "QUEBEC", "ROMEO",
                 "SIERRA", "TANGO",   "UNIFORM", "VICTOR",  "WHISKEY", "XRAY",     "YANKEE",  "ZULU"});
}

}  // namespace

NameNormal name_normal(std::string_view name) {
  const std::string valid = repair_utf8(name);
  std::string_view group;
  for (const auto part : split(valid, '=')) {
    group = part;
    if (!trim(part).empty()) break;
  }
  const auto components = split(group, '^');
  NameNormal normal;
  for (std::size_t i = 0; i < 2; ++i) {
    NameWords& words = normal.spellings[i];
    words.family = words_of(components[0], i == 0, true);
    for (std::size_t c = 1; c < std::min<std::size_t>(components.size(), 3); ++c)
      for (auto& word : words_of(components[c], i == 0, false)) words.given.push_back(std::move(word));
  }
  return normal;
}

Same compare_names(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return Same::unknown;
  // Nearly all names of nearly all studies are written as the RIS writes them; plain letters need no folding to tell.
  if (a == b &&
      std::any_of(a.begin(), a.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }))
    return Same::equal;
  const NameNormal x = name_normal(a), y = name_normal(b);
  Same best = Same::differs;
  for (const auto& p : x.spellings) {
    for (const auto& q : y.spellings) {
      const Same same = compare_words(p, q);
      if (same == Same::unknown || same == Same::equal) return same;
      if (same == Same::near) best = same;
    }
  }
  return best;
}

bool is_test_name(std::string_view name) {
  return any_word(name, [](const std::string& w) {
    return one_of(w, {"TEST", "PHANTOM", "QC", "QA", "DUMMY", "TESTPATIENT", "SERVICE"});
  });
}

bool is_placeholder_name(std::string_view name) {
  const auto placeholder = [](const std::string& w) {
    return one_of(w, {"UNKNOWN", "UNBEKANNT", "INCONNU", "ANONYMOUS", "ANONYMIZED", "ANON", "NONAME", "NN", "DOE",
                      "TRAUMA"}) ||
           w.starts_with("TRAUMA") || w.starts_with("UNKNOWN");
  };
  if (is_test_name(name) || any_word(name, placeholder)) return true;
  const auto words = sorted_words(name_normal(name).spellings[1]);
  return words.size() >= 2 &&
         std::all_of(words.begin(), words.end(), [](const std::string& w) { return is_phonetic_word(w); });
}

bool is_newborn_name(std::string_view name) {
  return any_word(name, [](const std::string& w) {
    return one_of(
        w, {"BABY", "BB", "BG", "BOY", "GIRL", "BABYBOY", "BABYGIRL", "NEWBORN", "INFANT", "TWIN", "TWINA", "TWINB"});
  });
}

std::array<std::string, 2> family_keys(std::string_view name) {
  const NameNormal normal = name_normal(name);
  return {join(normal.spellings[0].family), join(normal.spellings[1].family)};
}

bool same_family(std::string_view a, std::string_view b) {
  const NameNormal x = name_normal(a), y = name_normal(b);
  for (const auto& p : x.spellings)
    for (const auto& q : y.spellings)
      if (!p.family.empty() && join(p.family) == join(q.family)) return true;
  return false;
}

std::string person_name(std::string_view last, std::string_view first, std::string_view middle) {
  std::string name(trim(last));
  name += '^';
  name += trim(first);
  name += '^';
  name += trim(middle);
  name.erase(name.find_last_not_of('^') + 1);
  return name;
}

std::string upper_text(std::string_view text) {
  std::string out;
  for (const char32_t c : decode(repair_utf8(text))) put_utf8(out, upper(c));
  return out;
}

double jaro_winkler(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return 0;
  const std::size_t reach = std::max<std::size_t>(std::max(a.size(), b.size()) / 2, 1) - 1;
  std::vector<bool> used(b.size());
  std::string common_a;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::size_t from = i > reach ? i - reach : 0, to = std::min(i + reach + 1, b.size());
    for (std::size_t j = from; j < to; ++j) {
      if (used[j] || a[i] != b[j]) continue;
      used[j] = true;
      common_a += a[i];
      break;
    }
  }
  if (common_a.empty()) return 0;
  std::size_t exchanged = 0, k = 0;
  for (std::size_t j = 0; j < b.size(); ++j)
    if (used[j] && b[j] != common_a[k++]) ++exchanged;
  const auto m = static_cast<double>(common_a.size());
  const double jaro = (m / static_cast<double>(a.size()) + m / static_cast<double>(b.size()) +
                       (m - static_cast<double>(exchanged) / 2) / m) /
                      3;
  std::size_t prefix = 0;
  while (prefix < 4 && prefix < std::min(a.size(), b.size()) && a[prefix] == b[prefix]) ++prefix;
  return jaro + static_cast<double>(prefix) * 0.1 * (1 - jaro);
}

}  // namespace waybill::match
