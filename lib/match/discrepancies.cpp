// SPDX-License-Identifier: Apache-2.0
#include "match/discrepancies.hpp"

#include <algorithm>

namespace waybill::match {

bool same_patient(const Exam& a, const Exam& b) {
  return patient_key(a) == patient_key(b) && issuers_agree(a.issuer, b.issuer);
}

bool linked(const Exam& a, const Exam& b) {
  return a.other_ids.contains(patient_key(b)) || b.other_ids.contains(patient_key(a));
}

void tidy(std::vector<Interned>& words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
}

Discrepancies::Discrepancies(std::span<const StudyKeys> studies, std::span<const Exam> exams, const SiteRules& site,
                             const HashIndex& studies_by_accession, const HashIndex& exams_by_accession)
    : studies_(studies),
      exams_(exams),
      site_(site),
      studies_by_accession_(studies_by_accession),
      exams_by_accession_(exams_by_accession),
      facts_(exams, studies, site) {}

bool Discrepancies::accession_reused(std::size_t x) const {
  const Interned key = accession_key(exams_[x]);
  const auto found = exams_by_accession_.find(key);
  return std::any_of(found.begin(), found.end(), [&](const auto& entry) {
    const Exam &a = exams_[x], &b = exams_[entry.second];
    return entry.second != x && accession_key(b) == key && issuers_agree(a.issuer, b.issuer) && !same_patient(a, b) &&
           !linked(a, b);
  });
}

bool Discrepancies::accession_on_several_studies(std::size_t i) const {
  const auto found = studies_by_accession_.find(studies_[i].accession);
  return std::any_of(found.begin(), found.end(), [&](const auto& entry) {
    const StudyKeys& other = studies_[entry.second];
    return entry.second != i && other.accession == studies_[i].accession &&
           issuers_agree(other.issuer, studies_[i].issuer);
  });
}

void Discrepancies::of_study(std::size_t i, const NameKind& name, std::vector<Interned>& to) const {
  if (studies_[i].two_patients) to.emplace_back("D15");
  if (name.test) to.emplace_back("D21");
  name_signs(studies_[i].signs, to);
  if (facts_.issuer_missing(studies_[i])) to.emplace_back("D24");
}

void Discrepancies::of_unbound(std::size_t i, bool sought, std::vector<Interned>& to) const {
  if (sought) to.emplace_back("D02");
  if (facts_.from_outside(studies_[i])) to.emplace_back("D20");
}

void Discrepancies::of_pair(const Pair& pair, std::vector<Interned>& to) const {
  const StudyKeys& study = studies_[pair.study];
  const Exam& exam = exams_[pair.exam];
  const Evidence& e = pair.evidence;
  const auto note = [&](bool applies, const char* code) {
    if (applies) to.emplace_back(code);
  };
  const auto off = [](Same same) { return same == Same::differs || same == Same::near; };
  note(off(e.patient), "D03");
  note(off(e.name) || e.former_name, "D04");
  note(off(e.birth_date), "D05");
  note(e.sex == Same::differs, "D06");
  note(study.accession.empty() && !study.several_accessions && !exam.accession.empty(), "D07");
  note(off(e.accession), "D08");
  note(pair.shared_accession, "D09");
  note(e.uid == Same::differs, "D10");
  note(e.days > site_.date_days, "D11");
  note(e.modality == Same::differs, "D12");
  note(pair.matched && exam.images && *exam.images != study.instances, "D13");
  note(e.linked || study.renumbered, "D14");
  note(facts_.report_missing(exam), "D18");
  note(exam.state == ExamState::cancelled, "D19");
}

}  // namespace waybill::match
