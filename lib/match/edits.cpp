// SPDX-License-Identifier: Apache-2.0
#include "match/edits.hpp"

#include "core/text.hpp"
#include "match/name.hpp"

#include <algorithm>

namespace waybill::match {
namespace {

constexpr std::size_t kShortString = 16;  // VR SH, characters
constexpr std::size_t kNameGroup = 64;    // VR PN, characters a group

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// A name in which no system has put a question mark in place of a letter that it did not have.
bool is_whole_name(std::string_view name) { return is_writable(name) && name.find('?') == std::string_view::npos; }

/// Components of the alphabetic group in upper case, blanks tidied, empty ones at the end dropped.
std::string comparable_name(std::string_view name) {
  std::string out;
  for (const auto component : split(name.substr(0, name.find('=')), '^')) {
    bool blank = false;
    for (const char c : trim(component)) {
      if (c == ' ' && blank) continue;
      blank = c == ' ';
      out += c;
    }
    out += '^';
  }
  out.erase(out.find_last_not_of('^') + 1);
  return upper_text(out);
}

/// The RIS name as it goes into the object. A middle name the RIS does not have, prefix, suffix and the ideographic and
/// phonetic groups stay as they are when the names are those of one person.
std::string new_name(std::string_view old_name, const Exam& exam) {
  std::string ris = person_name(exam.last, exam.first, exam.middle);
  const Same same = compare_names(old_name, ris);
  if (same != Same::equal && same != Same::near) return ris;
  const std::string_view group = old_name.substr(0, old_name.find('='));
  const auto parts = split(group, '^');
  const auto part = [&](std::size_t i) { return i < parts.size() ? trim(parts[i]) : std::string_view(); };
  std::string name = std::string(trim(exam.last)) + '^' + std::string(trim(exam.first)) + '^';
  name += trim(exam.middle).empty() ? part(2) : trim(exam.middle);
  for (std::size_t i = 3; i < std::min<std::size_t>(parts.size(), 5); ++i) name += '^' + std::string(part(i));
  name.erase(name.find_last_not_of('^') + 1);
  return name += old_name.substr(group.size());
}

class Edits {
 public:
  Edits(const StudyFacts& facts, const Exam& exam) : facts_(facts), study_(facts.study), exam_(exam) {}

  std::vector<manifest::Edit> all() && {
    accession();
    name();
    identifier("0010,0020", study_.patient_id, exam_.patient_id);
    identifier("0010,0021", study_.issuer, exam_.issuer);
    birth_date();
    sex();
    return std::move(edits_);
  }

 private:
  bool mixed(std::string_view tag) const {
    return std::find(facts_.mixed.begin(), facts_.mixed.end(), tag) != facts_.mixed.end();
  }

  void add(std::string_view tag, std::string_view old_value, std::string_view new_value, const char* reason) {
    edits_.push_back({std::string(tag), std::string(old_value), std::string(new_value), reason});
  }

  void identifier(std::string_view tag, const std::optional<std::string>& old_value, const std::string& ris) {
    if (ris.empty() || !is_writable(ris)) return;
    const std::string_view now = old_value ? trim(*old_value) : std::string_view();
    if (now != ris || mixed(tag)) add(tag, old_value.value_or(""), ris, "COERCE");
  }

  void accession() {
    if (facts_.several_accessions || characters(exam_.accession) > kShortString) return;
    identifier("0008,0050", study_.accession, exam_.accession);
  }

  void name() {
    if (exam_.last.empty() || (exam_.first.empty() && study_.patient_name.value_or("").find('^') != std::string::npos))
      return;
    if (!is_whole_name(person_name(exam_.last, exam_.first, exam_.middle))) return;
    const std::string old_name = study_.patient_name.value_or("");
    const std::string value = new_name(old_name, exam_);
    if (characters(value.substr(0, value.find('='))) > kNameGroup) return;
    if (comparable_name(old_name) == comparable_name(value) && !mixed("0010,0010")) return;
    add("0010,0010", old_name, value, trim(old_name).empty() ? "COERCE" : "CORRECT");
  }

  void birth_date() {
    const std::string old_date = study_.birth_date.value_or("");
    if (exam_.birth_date.empty() || !is_birth_date(exam_.birth_date)) return;
    const Same same = compare_birth_dates(trim(old_date), exam_.birth_date);
    if (same == Same::differs || (same == Same::equal && !mixed("0010,0030"))) return;
    add("0010,0030", old_date, exam_.birth_date, trim(old_date).empty() ? "COERCE" : "CORRECT");
  }

  void sex() {
    const std::string old_sex = study_.sex.value_or("");
    if (exam_.sex.empty() || compare_sexes(old_sex, exam_.sex) == Same::differs) return;
    if (trim(old_sex) == exam_.sex && !mixed("0010,0040")) return;
    add("0010,0040", old_sex, exam_.sex, trim(old_sex).empty() ? "COERCE" : "CORRECT");
  }

  const StudyFacts& facts_;
  const manifest::Study& study_;
  const Exam& exam_;
  std::vector<manifest::Edit> edits_;
};

}  // namespace

std::vector<manifest::Edit> edits_for(const StudyFacts& facts, const Exam& exam) { return Edits(facts, exam).all(); }

}  // namespace waybill::match
