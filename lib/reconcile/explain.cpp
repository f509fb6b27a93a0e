// SPDX-License-Identifier: Apache-2.0
#include "reconcile/explain.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "manifest/reader.hpp"

#include <array>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace waybill::reconcile {
namespace {

using Words = std::pair<std::string_view, std::string_view>;

constexpr std::array kRules = {
    Words{"R0", "the Study UID and the patient's number are those of the exam"},
    Words{"R1", "accession number and patient's number are those of the exam, and no other study or exam has them"},
    Words{"R2",
          "the accession number is the exam's, and the patient's number, name and birth date lead to its patient"},
    Words{"R3", "the Study UID is the exam's, the patient's number is another one"},
    Words{"R4", "a key of the study is the exam's, but the patient seems to be another person"},
    Words{"R5", "the patient has one study and one exam of this kind on this day, and the study names no accession"},
    Words{"R6",
          "the patient has several studies or exams of this kind on this day; they were distributed by what fits best"},
    Words{"R7", "the study names no patient number; name, birth date, day and modality fit one exam"},
    Words{"R8", "something comes near an exam: a number one step apart, or one condition of a stronger rule fails"},
    Words{"R9", "the patient is known, no exam fits"},
    Words{"R10", "nothing known fits this study"}};
constexpr std::array kVetoes = {
    Words{"two-patients", "its objects carry two patients"},
    Words{"birth-date-and-name-conflict", "name and birth date both contradict the exam"},
    Words{"sex-conflict", "the sex contradicts the exam, and the procedure depends on it"},
    Words{"placeholder-name", "the name stands for no person"},
    Words{"placeholder-id", "the patient number stands for no person"},
    Words{"newborn-or-twin", "the name says nothing about which child it is, or there is a twin"},
    Words{"exam-before-birth", "the date is before the birth"},
    Words{"exam-after-death", "the date is behind the patient's death"},
    Words{"patient-restricted", "the patient is under special protection, so only who may see it decides"},
    Words{"legal-hold", "the study is held for a court"},
    Words{"name-never-told", "nobody ever told of a patient of this name under the number"},
    Words{"exam-cancelled", "the exam was cancelled"},
    Words{"ris-rows-disagree", "the RIS contradicts itself about the exam's patient"},
    Words{"number-not-writable", "the exam's number holds what cannot stand in an object"},
    Words{"two-candidates", "another exam fits as well"},
    Words{"accession-reused", "the accession number was given to two patients"},
    Words{"accession-on-several-studies", "other studies carry the accession number, too"},
    Words{"study-already-bound", "the RIS has this Study UID under another exam"},
    Words{"exam-names-another-study", "the exam names another study of the archive"},
    Words{"exam-already-bound", "another study has a claim to the exam that is as strong or stronger"},
    Words{"patient-scattered", "studies of this old patient number lead to different patients"},
    Words{"number-disputed", "the history of the patient number contradicts itself"},
    Words{"number-reused", "the patient number was given out again after it was merged"},
    Words{"visit-moved", "some studies of this patient number belong to another patient since a visit was moved"}};

constexpr std::array kDiscrepancies = {Words{"D01", "the exam was performed and has no images"},
                                       Words{"D02", "the images have no exam in the RIS"},
                                       Words{"D03", "the patient's number is another one"},
                                       Words{"D04", "the name is written otherwise or is another one"},
                                       Words{"D05", "the birth date is another one"},
                                       Words{"D06", "the sex is another one"},
                                       Words{"D07", "the study names no accession number"},
                                       Words{"D08", "the accession number is another one"},
                                       Words{"D09", "the accession number stands for several studies or patients"},
                                       Words{"D10", "the RIS names another Study UID"},
                                       Words{"D11", "the dates lie further apart than the site tolerates"},
                                       Words{"D12", "the modality is another one"},
                                       Words{"D13", "the RIS counts other images than there are"},
                                       Words{"D14", "an old number of the patient is still in use"},
                                       Words{"D15", "one study holds two patients"},
                                       Words{"D16", "several studies lay claim to one exam"},
                                       Words{"D17", "there is a report and no image"},
                                       Words{"D18", "there are images and no report"},
                                       Words{"D19", "the exam was cancelled and has images"},
                                       Words{"D20", "the study comes from outside"},
                                       Words{"D21", "it is a test, a phantom or no patient at all"},
                                       Words{"D22", "it was rejected"},
                                       Words{"D23", "texts are not in the character set that they name"},
                                       Words{"D24", "no issuer is named where there are several"},
                                       Words{"D25", "an instance is there more than once"},
                                       Words{"D26", "an object is corrupt"},
                                       Words{"D27", "the target does not take such objects"},
                                       Words{"D28", "annotations in private form would be lost"},
                                       Words{"D29", "its time of retention is over"}};

template <std::size_t N>
std::string in_words(const std::array<Words, N>& table, const std::string& code) {
  for (const auto& [key, words] : table)
    if (key == code) return std::string(words);
  return code;
}

std::string verdict(const manifest::Study& s) {
  if (s.decision == "auto") return "belongs to exam " + s.exam.value_or("?") + ", decided by rule";
  if (s.decision == "person")
    return s.exam ? "belongs to exam " + *s.exam + ", decided by a person" : "belongs to no exam, decided by a person";
  return s.decision == "review" ? "waits for a person" : "has no exam";
}

/// A text member of a record that our own writer wrote; escapes stay as they are.
std::string member(const std::string& json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":\"";
  const std::size_t at = json.find(key);
  if (at == std::string::npos) return "?";
  return json.substr(at + key.size(), json.find('"', at + key.size()) - at - key.size());
}

/// What became of a person's answer.
std::string answer_of(const std::string& json) {
  const std::string why = member(json, "refused");
  return why == "?" ? " was followed" : " was not followed: " + why;
}

/// The digest of the rules the manifest was made by.
std::string rule_set_of(const std::string& options) { return member(options, "rule_set"); }

std::string text_of(const manifest::Study& s, const std::vector<std::string>& more, const std::string& rules,
                    bool phi) {
  std::string out = "Study " + s.study + " " + verdict(s) + ".\n";
  const std::string rule = s.rule.value_or("");
  out += "Rule " + rule + ": " + in_words(kRules, rule) + ".\n";
  if (!s.explanation.empty()) out += "Evidence: " + s.explanation + ".\n";
  for (const auto& veto : s.vetoes) out += "Against it (" + veto + "): " + in_words(kVetoes, veto) + ".\n";
  if (s.vetoes.empty()) out += "Nothing spoke against it.\n";
  for (const auto& code : s.discrepancies) out += "Discrepancy " + code + ": " + in_words(kDiscrepancies, code) + ".\n";
  for (const auto& edit : s.edits) {
    out += "Changes (" + edit.tag + ") in all " + std::to_string(s.instances) + " objects, reason " + edit.reason;
    out += phi ? ": '" + edit.old_value + "' becomes '" + edit.new_value + "'.\n" : ".\n";
  }
  for (const auto& line : more) out += line;
  return out + "Rule set " + rules + ".\n";
}

}  // namespace

std::string explain(const std::filesystem::path& path, const std::string& uid, bool show_phi) {
  manifest::Reader reader(path);
  if (reader.header().stage != "reconcile")
    throw RunError(Exit::usage, "explain takes a manifest of reconcile, " + reader.name() + " is of stage '" +
                                    path_to_text(reader.header().stage) + "'");
  const std::string mark = "\"study\":\"" + uid + "\"";
  manifest::Study found;
  std::vector<std::string> more;
  while (const auto record = reader.next()) {
    if (const auto* study = std::get_if<manifest::Study>(&*record); study != nullptr && study->study == uid)
      found = *study;
    const auto* other = std::get_if<manifest::Other>(&*record);
    if (other == nullptr || other->json.find(mark) == std::string::npos) continue;
    if (other->kind == "decision")
      more.push_back("A person's decision" + answer_of(other->json) + (show_phi ? ": " + other->json : "") + ".\n");
    if (other->kind == "proposal") {
      more.push_back("Proposed: exam " + member(other->json, "exam") + ", rule " + member(other->json, "rule") + ": " +
                     member(other->json, "explanation") + ".\n");
    }
  }
  if (found.study.empty())
    throw RunError(Exit::input, "the manifest " + reader.name() + " has no study " + path_to_text(uid.substr(0, 64)));
  return text_of(found, more, rule_set_of(reader.header().options), show_phi);
}

}  // namespace waybill::reconcile
