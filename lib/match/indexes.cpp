// SPDX-License-Identifier: Apache-2.0
#include "match/indexes.hpp"

#include "match/name.hpp"
#include "match/normal.hpp"

#include <tbb/parallel_invoke.h>
#include <array>
#include <string>

namespace waybill::match {
namespace {

template <typename Entry, typename F>
void fill(HashIndex& index, std::span<const Entry> entries, const F& key_of) {
  for (std::uint32_t n = 0; n < entries.size(); ++n) index.add(key_of(entries[n]), n);
  index.seal();
}

void fill_twins(HashIndex& index, std::span<const Exam> exams) {
  Interned last;  // exams of a patient stand together
  std::array<std::string, 2> families;
  for (std::uint32_t x = 0; x < exams.size(); ++x) {
    if (!is_birth_date(exams[x].birth_date)) continue;
    if (exams[x].last != last) families = family_keys(last = exams[x].last);
    const std::string born = exams[x].birth_date.str();
    index.add(std::string_view(born + families[0]), x);
    if (families[1] != families[0]) index.add(std::string_view(born + families[1]), x);
  }
  index.seal();
}

}  // namespace

StudyIndexes::StudyIndexes(std::span<const StudyKeys> studies) {
  tbb::parallel_invoke([&] { fill(uid, studies, [](const StudyKeys& k) { return k.uid; }); },
                       [&] { fill(accession, studies, [](const StudyKeys& k) { return k.accession; }); },
                       [&] { fill(patient, studies, [](const StudyKeys& k) { return k.patient; }); });
}

ExamIndexes::ExamIndexes(std::span<const Exam> exams) {
  tbb::parallel_invoke([&] { fill(uid, exams, [](const Exam& e) { return e.study_uid; }); },
                       [&] { fill(accession, exams, [](const Exam& e) { return accession_key(e); }); },
                       [&] { fill(patient, exams, [](const Exam& e) { return patient_key(e); }); },
                       [&] { fill_twins(twin, exams); });
}

}  // namespace waybill::match
