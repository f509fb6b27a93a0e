// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/ladder.hpp"
#include "reconcile/exceptions.hpp"
#include "reconcile/feed.hpp"
#include "reconcile/loaded.hpp"
#include "reconcile/studies.hpp"
#include "reconcile/summary.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace waybill::reconcile {

/// What is known now, against which the objects in the new archive are held.
struct Knowledge {
  const match::SiteRules& rules;
  const StudyTable& studies;      ///< of the scan
  const match::Outcome& outcome;  ///< of these studies
  std::span<const match::Exam> exams;
  const Feed* feed = nullptr;
};

/// Which objects that are loaded already have another identity now: by the exam of their study as it is decided today,
/// or, where none is, by what HL7 tells of their patient's number (merges, renames, new demographics). Nothing is
/// proposed for a number whose history is disputed, nor a name that the patient never had and no merge explains.
class Corrections {
 public:
  Corrections(const Loaded& loaded, const Knowledge& knowledge);

  /// The manifest's records in order: for each study that changes its record with the edits from the source's values
  /// (what transcode applies), and for each of its objects that differ the object's own record as scan wrote it and a
  /// `correction` with the values before and after. Studies that wait for a person come with decision `review`.
  void write(const std::function<void(const std::string&)>& append) const;
  /// Adds the studies that wait for a person.
  void list(Exceptions& exceptions) const;
  [[nodiscard]] const CorrectionCounts& counts() const noexcept { return counts_; }

 private:
  struct Change {
    manifest::Study study;              ///< as the new archive has it; `edits` from there
    std::vector<manifest::Edit> edits;  ///< from the source's values
  };
  void examine(const match::StudyFacts& there);
  void withhold(const match::StudyFacts& there, std::vector<std::string> vetoes);
  [[nodiscard]] const match::Decision* decision_of(const std::string& study) const;
  [[nodiscard]] std::vector<manifest::Edit> from_source(const match::StudyFacts& there,
                                                        const std::vector<manifest::Edit>& edits) const;

  const Loaded& loaded_;
  const Knowledge known_;
  std::map<std::string, Change> changes_;          // by study UID
  std::map<std::string, match::StudyFacts> open_;  // the same, for people
  CorrectionCounts counts_;
};

}  // namespace waybill::reconcile
