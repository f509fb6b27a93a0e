// SPDX-License-Identifier: Apache-2.0
#include "match/name.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

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

/// The character that begins at `at`, which is moved behind it. The text is well-formed.
char32_t next(std::string_view text, std::size_t& at) noexcept {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t c = n == 1 ? lead : lead & (0xFFU >> (n + 1));
  for (std::size_t k = 1; k < n && at + k < text.size(); ++k)
    c = (c << 6U) | (static_cast<unsigned char>(text[at + k]) & 0x3FU);
  at += n;
  return c;
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
  out.reserve(text.size() + 8);
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = upper(next(text, at));
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
  if (word.size() >= 7 && word.starts_with("MAC")) word.erase(1, 1);  // MACDONALD, MCDONALD; not MACK
  return word;
}

/// Particles join the word behind them.
void join_particles(std::vector<std::string>& words) {
  std::string prefix;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i + 1 < words.size() && is_particle(words[i])) {
      prefix += words[i];
    } else {
      words[kept++] = prefix.empty() ? std::move(words[i]) : unify(prefix + words[i]);
      prefix.clear();
    }
  }
  words.resize(kept);
}

/// Adds the words of one component. `family` lets particles join.
void add_words(std::string_view component, bool long_spelling, bool family, std::vector<std::string>& to) {
  const std::string folded = fold(component, long_spelling);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < folded.size();) {
    const std::size_t end = std::min(folded.find(' ', at), folded.size());
    if (end > at) words.push_back(unify(folded.substr(at, end - at)));
    at = end + 1;
  }
  // A family called "Herr" stays one.
  if (!std::all_of(words.begin(), words.end(), is_title))
    words.erase(std::remove_if(words.begin(), words.end(), is_title), words.end());
  if (family) join_particles(words);
  if (to.empty())
    to = std::move(words);
  else
    to.insert(to.end(), words.begin(), words.end());
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

bool is_phonetic_word(std::string_view w) {
  return one_of(w,
                {"ALPHA",  "ALFA",    "BRAVO",   "CHARLIE", "DELTA",   "ECHO",     "FOXTROT", "GOLF", "HOTEL",  "INDIA",
                 "JULIET", "JULIETT", "KILO",    "LIMA",    "MIKE",    "NOVEMBER", "OSCAR",   "PAPA", "QUEBEC", "ROMEO",
                 "SIERRA", "TANGO",   "UNIFORM", "VICTOR",  "WHISKEY", "XRAY",     "YANKEE",  "ZULU"});
}

}  // namespace

std::string_view name_group(std::string_view name) noexcept {
  for (;;) {
    const std::size_t end = name.find('=');
    const std::string_view group = name.substr(0, end);
    if (!trim(group).empty() || end == std::string_view::npos) return group;
    name.remove_prefix(end + 1);
  }
}

NameNormal name_normal(std::string_view name) {
  const std::string valid = is_utf8(name) ? std::string() : repair_utf8(name);
  const std::string_view group = name_group(valid.empty() ? name : std::string_view(valid));
  NameNormal normal;
  const bool plain = is_ascii(group);
  for (const bool long_spelling : {true, false}) {
    if (plain && long_spelling) continue;
    NameWords& words = normal.spellings.emplace_back();
    std::string_view rest = group;
    for (std::size_t c = 0; c < 3; ++c) {
      const std::size_t end = rest.find('^');
      add_words(rest.substr(0, end), long_spelling, c == 0, c == 0 ? words.family : words.given);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
  }
  if (normal.spellings.size() == 2 && normal.spellings[0] == normal.spellings[1]) normal.spellings.pop_back();
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

NameKind name_kind(std::string_view name) {
  const NameWords words = std::move(name_normal(name).spellings.back());
  NameKind kind;
  std::size_t phonetic = 0, all = 0;
  for (const auto* list : {&words.family, &words.given}) {
    for (const std::string& w : *list) {
      ++all;
      phonetic += is_phonetic_word(w) ? 1 : 0;
      kind.test = kind.test || one_of(w, {"TEST", "PHANTOM", "QC", "QA", "DUMMY", "TESTPATIENT", "SERVICE"});
      kind.newborn = kind.newborn || one_of(w, {"BABY", "BB", "BG", "BOY", "GIRL", "BABYBOY", "BABYGIRL", "NEWBORN",
                                                "INFANT", "TWIN", "TWINA", "TWINB"});
      kind.placeholder = kind.placeholder || w.starts_with("TRAUMA") || w.starts_with("UNKNOWN") ||
                         one_of(w, {"UNBEKANNT", "INCONNU", "ANONYMOUS", "ANONYMIZED", "ANON", "NONAME", "NN", "DOE"});
    }
  }
  kind.placeholder = kind.placeholder || kind.test || (all >= 2 && phonetic == all);
  return kind;
}

std::array<std::string, 2> family_keys(std::string_view name) {
  const NameNormal normal = name_normal(name);
  return {join(normal.spellings.front().family), join(normal.spellings.back().family)};
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
  std::string valid, out;
  if (!is_utf8(text)) text = valid = repair_utf8(text);
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) put_utf8(out, upper(next(text, at)));
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
