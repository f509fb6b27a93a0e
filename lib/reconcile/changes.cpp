// SPDX-License-Identifier: Apache-2.0
#include "reconcile/changes.hpp"

#include "core/text.hpp"
#include "match/name.hpp"
#include "match/normal.hpp"

namespace waybill::reconcile {
namespace {

std::string_view word(match::Same same, bool same_thing) {
  if (same_thing || same == match::Same::equal) return "form";
  return same == match::Same::near ? "near" : "other";
}

/// Letters and digits alone, in upper case: "MRN-0012" and "mrn 0012" are one.
std::string bare(std::string_view text) {
  std::string key = match::id_key(text);
  std::erase_if(key, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x80 && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9');
  });
  return key;
}

}  // namespace

std::string_view change_of(const manifest::Edit& edit) {
  using match::Same;
  const std::string_view before = trim(edit.old_value), after = trim(edit.new_value);
  if (before.empty()) return "missing";
  if (before == after) return "uneven";
  if (edit.tag == "0010,0010") {
    if (match::name_kind(before).placeholder) return "placeholder";
    return word(match::compare_names(before, after), false);
  }
  if (edit.tag == "0010,0030") {
    if (!match::is_birth_date(before)) return match::date_normal(before) == after ? "form" : "placeholder";
    return word(match::compare_birth_dates(before, after), false);
  }
  if (edit.tag == "0010,0040") return match::sex_normal(before) == after ? "form" : "placeholder";
  if (edit.tag == "0010,0020" && match::is_placeholder_id(before)) return "placeholder";
  const std::string a = bare(before), b = bare(after);
  return word(match::one_step_apart(a, b) ? Same::near : Same::differs, a == b);
}

}  // namespace waybill::reconcile
