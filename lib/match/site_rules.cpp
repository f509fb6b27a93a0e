// SPDX-License-Identifier: Apache-2.0
#include "match/site_rules.hpp"

#include "config/table.hpp"
#include "core/text.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <array>

namespace waybill::match {
namespace {

constexpr std::array<std::string_view, 4> kCanBeAutomatic = {"R0", "R1", "R2", "R5"};

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// HL7 version 2, data type CX: the digit that belongs behind these digits.
char check_digit(std::string_view digits, std::string_view scheme) {
  unsigned sum = 0, n = 0;
  for (auto at = digits.rbegin(); at != digits.rend(); ++at, ++n) {
    const auto d = static_cast<unsigned>(*at - '0');
    if (scheme == "M11") {
      sum += d * (2 + n % 6);
    } else {
      const unsigned twice = n % 2 == 0 ? 2 * d : d;
      sum += twice / 10 + twice % 10;
    }
  }
  if (scheme == "M11") {
    const unsigned rest = std::max(sum % 11, 1U);
    return static_cast<char>('0' + (11 - rest) % 10);
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string normal_number(const NumberForm& form, std::string_view id) {
  std::string out = form.any_case ? id_key(id) : std::string(trim(id));
  std::erase_if(out, [&](char c) { return form.leave_out.find(c) != std::string::npos; });
  for (const auto& prefix : form.strip_prefix) {
    if (out.size() > prefix.size() && out.starts_with(prefix)) {
      out.erase(0, prefix.size());
      break;
    }
  }
  for (const auto& suffix : form.strip_suffix) {
    if (out.size() > suffix.size() && out.ends_with(suffix)) {
      out.erase(out.size() - suffix.size());
      break;
    }
  }
  if (!form.check_digit.empty() && out.size() == form.with_check_digit && all_digits(out) &&
      check_digit(std::string_view(out).substr(0, out.size() - 1), form.check_digit) == out.back())
    out.pop_back();
  if (out.size() < form.width && all_digits(out)) out.insert(0, form.width - out.size(), '0');
  return out;
}

NumberForm read_form(const config::Table& table) {
  table.only(
      {"name", "any_case", "leave_out", "strip_prefix", "strip_suffix", "check_digit", "with_check_digit", "width"});
  NumberForm form;
  form.any_case = table.flag("any_case").value_or(true);
  form.leave_out = table.text("leave_out").value_or("");
  const auto folded = [&](std::vector<std::string> words) {
    if (form.any_case) std::transform(words.begin(), words.end(), words.begin(), id_key);
    return words;
  };
  form.strip_prefix = folded(table.texts("strip_prefix"));
  form.strip_suffix = folded(table.texts("strip_suffix"));
  form.check_digit = table.text("check_digit").value_or("");
  if (!form.check_digit.empty() && form.check_digit != "M10" && form.check_digit != "M11")
    table.refuse("check_digit", "`check_digit` is M10 or M11 (HL7 table 0061)");
  form.with_check_digit = static_cast<std::size_t>(table.number("with_check_digit", 2, 64).value_or(0));
  if (form.check_digit.empty() != (form.with_check_digit == 0)) {
    table.refuse(form.check_digit.empty() ? "with_check_digit" : "check_digit",
                 "`check_digit` and `with_check_digit` belong together: without the number of digits nobody can tell "
                 "which numbers carry one");
  }
  form.width = static_cast<std::size_t>(table.number("width", 1, 64).value_or(0));
  if (form.width > 0 && form.with_check_digit > 0 && form.width >= form.with_check_digit)
    table.refuse("width", "`width` counts the digits without the check digit, so it is less than `with_check_digit`");
  return form;
}

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += " " + path_to_text(word);
  return out;
}

/// What an accession of digits keeps when zeros do not count; "0" stays "0".
std::string without_zeros(std::string key) {
  if (!all_digits(key)) return key;
  key.erase(0, std::min(key.find_first_not_of('0'), key.size() - 1));
  return key;
}

}  // namespace

SiteRules SiteRules::read(const std::filesystem::path& file) {
  const auto top = config::Table::read(file);
  top.only({"automatic", "night_hours", "date_days", "margin", "review_score", "accession_zeros_count", "issuer"});
  SiteRules rules;
  if (top.has("automatic")) {
    rules.automatic.clear();
    for (const auto& rule : top.texts("automatic")) {
      if (std::find(kCanBeAutomatic.begin(), kCanBeAutomatic.end(), rule) == kCanBeAutomatic.end())
        top.refuse("automatic", "`automatic` takes R0, R1, R2 and R5; what every other rule hits is for a person");
      rules.automatic.insert(rule);
    }
  }
  rules.night_hours = top.number("night_hours", 0, 4).value_or(rules.night_hours);
  rules.date_days = top.number("date_days", 0, 30).value_or(rules.date_days);
  rules.margin = top.number("margin", 15, 100).value_or(rules.margin);
  rules.review_score = top.number("review_score", 40, 85).value_or(rules.review_score);
  rules.accession_zeros_count = top.flag("accession_zeros_count").value_or(true);
  for (const auto& table : top.tables("issuer")) {
    const std::string name = id_key(table.text("name").value_or(""));
    if (name.empty()) table.refuse({}, "an issuer without a `name`; \"*\" stands for all others");
    if (!rules.issuers.emplace(name, read_form(table)).second) table.refuse("name", "the issuer is named twice");
  }
  return rules;
}

std::string SiteRules::text() const {
  std::string out = "automatic" + list({automatic.begin(), automatic.end()});
  out += "\nnight_hours " + std::to_string(night_hours) + " date_days " + std::to_string(date_days) + " margin " +
         std::to_string(margin) + " review_score " + std::to_string(review_score) + " accession_zeros_count " +
         (accession_zeros_count ? "yes" : "no") + "\n";
  for (const auto& [name, form] : issuers) {
    out += "issuer " + path_to_text(name) + (form.any_case ? " any_case" : "") + " leave_out" + list({form.leave_out}) +
           " strip_prefix" + list(form.strip_prefix) + " strip_suffix" + list(form.strip_suffix) + " check_digit " +
           form.check_digit + " " + std::to_string(form.with_check_digit) + " width " + std::to_string(form.width) +
           "\n";
  }
  return out;
}

std::string SiteRules::number(std::string_view issuer, std::string_view id) const {
  if (issuers.empty()) return id_key(id);
  std::string name = id_key(issuer);
  if (name.empty()) name = default_issuer;
  auto at = issuers.find(name);
  if (at == issuers.end()) at = issuers.find("*");
  return at == issuers.end() ? id_key(id) : normal_number(at->second, id);
}

std::string SiteRules::accession(std::string_view accession) const {
  std::string key = accession_key(accession);
  return accession_zeros_count ? key : without_zeros(std::move(key));
}

void SiteRules::apply(Exam& exam) const {
  if (!has_forms()) return;
  const auto differing = [](const std::string& key, const std::string& plain) {
    return key == plain ? std::string() : key;
  };
  exam.normal_id = differing(number(exam.issuer, exam.patient_id), id_key(exam.patient_id));
  exam.normal_accession = differing(accession(exam.accession), accession_key(exam.accession));
  std::vector<std::string> ids;
  for (const Interned id : exam.other_ids) ids.push_back(number(exam.issuer, id));
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  exam.other_ids = ids;
}

void SiteRules::apply(StudyTexts& study) const {
  if (!has_forms()) return;
  const bool merged = !study.current_id.empty();
  study.normal_id = merged ? number(study.current_issuer, study.current_id) : number(study.issuer, study.patient_id);
  study.normal_accession = accession(study.accession);
}

void SiteRules::apply(StudyFacts& facts) const {
  if (!has_forms()) return;
  StudyTexts study(facts);
  apply(study);
  facts.normal_id = study.normal_id;
  facts.normal_accession = study.normal_accession;
}

}  // namespace waybill::match
