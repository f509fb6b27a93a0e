// SPDX-License-Identifier: Apache-2.0
#include "match/ladder.hpp"

#include "match/assign.hpp"
#include "match/discrepancies.hpp"
#include "match/indexes.hpp"
#include "match/name.hpp"
#include "match/near.hpp"

#include <tbb/parallel_for.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <optional>

// Each study first gets at most one hit: the first rule of R0, R1, R2, R5 that some exam satisfies. A hit is generous,
// the vetoes are strict: everything that speaks against it is collected and any one of them sends the study to a
// person. Only then do the studies meet: one exam has one study, and one old patient ID leads to one patient.

namespace waybill::match {
namespace {

/// A key that more exams share is no key ("0" in every accession); such studies go to a person.
constexpr std::size_t kMostCandidates = 1000;
constexpr std::size_t kMostProposals = 5;
constexpr double kNoFit = 1000;  // cost of an exam that is none of a study's candidates

struct Hit {
  std::string_view rule;
  std::uint32_t exam = 0;
  bool shared = false;  ///< the accession number stands for another patient or study, too
  Evidence evidence;
  std::vector<std::uint32_t> others;  ///< exams that satisfy the rule as well
};

bool mentions_pregnancy(const Exam& exam) {
  const std::string text = upper_text(exam.description);
  static constexpr std::array<std::string_view, 5> kWords = {"OBSTET", "PREGNAN", "FETAL", "FOETAL", "SCHWANGER"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view w) { return text.find(w) != std::string::npos; });
}

class Run {
 public:
  Run(std::span<const StudyKeys> keys, std::span<const Exam> exams, const SiteRules& site)
      : keys_(keys),
        exams_(exams),
        site_(site),
        hits_(keys.size()),
        studies_by_(keys),
        exams_by_(exams),
        wrong_(keys, exams, site, studies_by_.accession, exams_by_.accession) {
    outcome_.studies.resize(keys.size());
  }

  Outcome decide() && {
    for_each_study([&](std::size_t i) {
      hits_[i] = find_hit(i);
      if (hits_[i]) hits_[i]->shared = collect_vetoes(i, hits_[i]->exam, hits_[i]->evidence, hits_[i]->rule);
    });
    one_study_an_exam();
    one_patient_an_old_id();
    for_each_study([&](std::size_t i) {
      if (hits_[i]) settle(i);
    });
    look_near();
    for_each_study([&](std::size_t i) {
      Decision& decision = outcome_.studies[i];
      if (decision.verdict != Verdict::matched) wrong_.of_unbound(i, false, decision.discrepancies);
      tidy(decision.vetoes);
      tidy(decision.discrepancies);
    });
    count_exams();
    return std::move(outcome_);
  }

 private:
  /// On all cores: `work` changes what belongs to its study alone.
  template <typename F>
  void for_each_study(const F& work) {
    tbb::parallel_for(std::size_t{0}, keys_.size(), work);
  }

  struct Candidate {
    std::uint32_t exam;
    Evidence evidence;
  };

  std::vector<Candidate> candidates(std::size_t i, const HashIndex& index, Interned key) const {
    std::vector<Candidate> found;
    const auto entries = index.find(key);
    if (entries.size() > kMostCandidates) return found;
    for (const auto& entry : entries) found.push_back({entry.second, compare(keys_[i], exams_[entry.second])});
    return found;
  }

  /// The hit among those that pass; cancelled exams and exams that name another study of the archive give way.
  template <typename F>
  std::optional<Hit> pick(std::size_t i, std::string_view rule, std::vector<Candidate> all, const F& passes) const {
    std::erase_if(all, [&](const Candidate& c) { return !passes(c.evidence); });
    const auto prefer = [&](const auto& good) {
      if (std::any_of(all.begin(), all.end(), good)) std::erase_if(all, [&](const Candidate& c) { return !good(c); });
    };
    prefer([&](const Candidate& c) { return exams_[c.exam].state != ExamState::cancelled; });
    prefer([&](const Candidate& c) { return !names_another_study(i, c.exam); });
    prefer([](const Candidate& c) { return c.evidence.accession == Same::equal; });
    if (all.empty()) return std::nullopt;
    Hit hit{rule, all.front().exam, false, all.front().evidence, {}};
    for (std::size_t n = 1; n < all.size(); ++n) hit.others.push_back(all[n].exam);
    return hit;
  }

  std::optional<Hit> find_hit(std::size_t i) const {
    const StudyKeys& k = keys_[i];
    const auto r0 = [](const Evidence& e) { return e.uid == Same::equal && e.patient == Same::equal; };
    if (auto hit = pick(i, "R0", candidates(i, exams_by_.uid, keys_[i].uid), r0)) return hit;
    const auto same_accession = candidates(i, exams_by_.accession, k.accession);
    const auto r1 = [](const Evidence& e) {
      return e.accession == Same::equal && e.patient == Same::equal && e.modality != Same::differs;
    };
    if (auto hit = pick(i, "R1", same_accession, r1)) return hit;
    const auto r2 = [](const Evidence& e) {
      return e.accession == Same::equal && e.linked && e.name == Same::equal && e.birth_date == Same::equal &&
             e.modality != Same::differs;
    };
    if (auto hit = pick(i, "R2", same_accession, r2)) return hit;
    return find_by_cell(i);
  }

  [[nodiscard]] bool in_cell(const Evidence& e) const {
    const bool night = e.night && e.seconds <= site_.night_hours * 3600;
    return e.patient == Same::equal && e.modality == Same::equal && (e.date == Same::equal || night);
  }

  /// R5: one exam and one study of the patient on that day in that modality class.
  std::optional<Hit> find_by_cell(std::size_t i) const {
    if (!keys_[i].accession.empty() || keys_[i].several_accessions) return std::nullopt;
    auto hit = pick(i, "R5", candidates(i, exams_by_.patient, keys_[i].patient),
                    [&](const Evidence& e) { return in_cell(e); });
    if (!hit || !hit->others.empty() || hit->evidence.uid == Same::differs) return std::nullopt;
    const auto same_id = studies_by_.patient.find(keys_[i].patient);
    if (same_id.size() > kMostCandidates) return std::nullopt;
    for (const auto& entry : same_id) {
      const std::size_t other = entry.second;
      if (other != i && in_cell(compare(keys_[other], exams_[hit->exam]))) return std::nullopt;
    }
    return hit;
  }

  bool names_another_study(std::size_t i, std::size_t x) const {
    const Interned uid = exams_[x].study_uid;
    if (uid.empty() || uid == keys_[i].uid) return false;
    const auto found = studies_by_.uid.find(uid);
    return std::any_of(found.begin(), found.end(), [&](const auto& entry) { return keys_[entry.second].uid == uid; });
  }

  /// The RIS has this study under another exam.
  bool bound_elsewhere(std::size_t i, std::size_t x) const {
    if (exams_[x].study_uid == keys_[i].uid) return false;
    const auto found = exams_by_.uid.find(keys_[i].uid);
    return std::any_of(found.begin(), found.end(),
                       [&](const auto& entry) { return exams_[entry.second].study_uid == keys_[i].uid; });
  }

  /// Another patient of the RIS has this family name and birth date.
  bool has_twin(std::size_t x) const {
    const Exam& a = exams_[x];
    if (!is_birth_date(a.birth_date)) return false;
    for (const auto& key : family_keys(a.last)) {
      const auto found = exams_by_.twin.find(std::string_view(a.birth_date.str() + key));
      const bool any = std::any_of(found.begin(), found.end(), [&](const auto& entry) {
        const Exam& b = exams_[entry.second];
        return a.birth_date == b.birth_date && !same_patient(a, b) && !linked(a, b) && same_family(a.last, b.last);
      });
      if (any) return true;
    }
    return false;
  }

  bool before_birth(std::size_t i, std::size_t x) const {
    const auto precedes = [](std::string_view date, std::string_view birth) {
      const auto d = day_number(date), b = is_birth_date(birth) ? day_number(birth) : std::nullopt;
      return d && b && *d + 1 < *b;
    };
    for (const std::string_view date : {std::string_view(keys_[i].date), std::string_view(exams_[x].study_date)})
      if (precedes(date, keys_[i].birth_date) || precedes(date, exams_[x].birth_date)) return true;
    return false;
  }

  /// Vetoes that need no exam; what the study's name says.
  NameKind veto_study(std::size_t i) {
    Decision& d = outcome_.studies[i];
    const auto veto = [&](bool applies, const char* name) {
      if (applies) d.vetoes.emplace_back(name);
    };
    const NameKind name = name_kind(keys_[i].name);
    veto(keys_[i].two_patients, "two-patients");
    veto(name.placeholder, "placeholder-name");
    veto(is_placeholder_id(keys_[i].patient), "placeholder-id");
    veto(name.newborn, "newborn-or-twin");
    veto((keys_[i].signs & kLegalHold) != 0, "legal-hold");
    d.vetoes.insert(d.vetoes.end(), keys_[i].vetoes.begin(), keys_[i].vetoes.end());
    wrong_.of_study(i, name, d.discrepancies);
    return name;
  }

  /// Whether the accession number is shared (D09).
  bool collect_vetoes(std::size_t i, std::size_t x, const Evidence& e, std::string_view rule) {
    const NameKind of_study = veto_study(i);
    Decision& d = outcome_.studies[i];
    const Exam& exam = exams_[x];
    const auto veto = [&](bool applies, const char* name) {
      if (applies) d.vetoes.emplace_back(name);
    };
    const std::string exam_name = person_name(exam.last, exam.first, exam.middle);
    const NameKind of_exam = exam_name == keys_[i].name.view() ? of_study : name_kind(exam_name);
    const bool told_apart = e.patient == Same::equal && e.name == Same::equal;
    veto(of_exam.placeholder, "placeholder-name");
    veto(is_placeholder_id(exam.patient_id), "placeholder-id");
    veto(of_exam.newborn || (!told_apart && has_twin(x)), "newborn-or-twin");
    veto(e.birth_date == Same::differs && e.name == Same::differs, "birth-date-and-name-conflict");
    veto(e.sex == Same::differs && for_women(i, exam), "sex-conflict");
    veto(before_birth(i, x), "exam-before-birth");
    veto(after_death(keys_[i], exam), "exam-after-death");
    veto(exam.restricted, "patient-restricted");
    veto(exam.state == ExamState::cancelled, "exam-cancelled");
    veto(exam.disputed, "ris-rows-disagree");
    veto(!is_writable(exam.patient_id) || !is_writable(exam.accession), "number-not-writable");
    d.vetoes.insert(d.vetoes.end(), exam.vetoes.begin(), exam.vetoes.end());
    const bool reused = wrong_.accession_reused(x), several = wrong_.accession_on_several_studies(i);
    veto(reused, "accession-reused");
    veto((rule == "R1" || rule == "R2") && several, "accession-on-several-studies");
    veto(bound_elsewhere(i, x), "study-already-bound");
    veto(names_another_study(i, x), "exam-names-another-study");
    veto(hits_[i] && !hits_[i]->others.empty(), "two-candidates");
    return reused || several;
  }

  /// The procedure is one that a man does not have.
  bool for_women(std::size_t i, const Exam& exam) const {
    return exam.classes.contains("MG") || keys_[i].classes.contains("MG") || mentions_pregnancy(exam);
  }

  /// An exam with hits of several studies keeps the one with the strongest rule, if that is one and nothing is against
  /// it.
  void one_study_an_exam() {
    using Pair = std::pair<std::uint32_t, std::uint32_t>;  // exam and study
    std::vector<Pair> pairs;
    for (std::uint32_t i = 0; i < hits_.size(); ++i)
      if (hits_[i]) pairs.emplace_back(hits_[i]->exam, i);
    std::sort(pairs.begin(), pairs.end());
    for (auto at = pairs.begin(), end = at; at != pairs.end(); at = end) {
      end = std::find_if(at, pairs.end(), [&](const Pair& p) { return p.first != at->first; });
      if (end - at < 2) continue;
      std::vector<std::size_t> studies;
      for (auto pair = at; pair != end; ++pair) studies.push_back(pair->second);
      std::string_view best = "R9";
      for (const std::size_t i : studies) best = std::min(best, hits_[i]->rule);
      std::vector<std::size_t> strongest;
      std::copy_if(studies.begin(), studies.end(), std::back_inserter(strongest),
                   [&](std::size_t i) { return hits_[i]->rule == best; });
      const bool clear = strongest.size() == 1 && outcome_.studies[strongest.front()].vetoes.empty();
      for (const std::size_t i : studies) {
        if (clear && i == strongest.front()) continue;
        outcome_.studies[i].vetoes.emplace_back("exam-already-bound");
        outcome_.studies[i].discrepancies.emplace_back("D16");
      }
    }
  }

  /// Studies of one old patient ID that R2 would give to different patients.
  void one_patient_an_old_id() {
    std::map<std::string, std::vector<std::size_t>> by_old_id;
    for (std::size_t i = 0; i < hits_.size(); ++i)
      if (hits_[i] && hits_[i]->rule == "R2") by_old_id[keys_[i].issuer.str() + '\x1F' + keys_[i].patient].push_back(i);
    for (const auto& [id, studies] : by_old_id) {
      const Exam& first = exams_[hits_[studies.front()]->exam];
      const bool scattered = std::any_of(studies.begin(), studies.end(),
                                         [&](std::size_t i) { return !same_patient(first, exams_[hits_[i]->exam]); });
      if (!scattered) continue;
      for (const std::size_t i : studies) outcome_.studies[i].vetoes.emplace_back("patient-scattered");
    }
  }

  void settle(std::size_t i) {
    const Hit& hit = *hits_[i];
    Decision& d = outcome_.studies[i];
    d.rule = hit.rule;
    d.exam = hit.exam;
    d.score = score(hit.evidence);
    const bool may = site_.automatic.count(std::string(hit.rule)) > 0;
    d.verdict = may && d.vetoes.empty() ? Verdict::matched : Verdict::review;
    d.explanation = describe(hit.evidence);
    if (!may) d.explanation = d.explanation.str() + "; rule " + d.rule + " is not approved for this site";
    if (d.verdict == Verdict::review) {
      propose(i, hit.exam, hit.rule);
      for (const std::size_t x : hit.others) propose(i, x, hit.rule);
    }
    note_discrepancies(i, hit.exam, hit.evidence, hit.shared);
  }

  void propose(std::size_t i, std::size_t x, std::string_view rule) {
    const Evidence e = compare(keys_[i], exams_[x]);
    propose(i, {x, score(e), rule, describe(e)});
  }
  void propose(std::size_t i, const Proposal& proposal) {
    auto& all = outcome_.studies[i].proposals;
    const bool there = std::any_of(all.begin(), all.end(), [&](const Proposal& p) { return p.exam == proposal.exam; });
    if (!there && all.size() < kMostProposals) all.push_back(proposal);
  }

  void note_discrepancies(std::size_t i, std::size_t x, const Evidence& e, bool shared_accession) {
    Decision& d = outcome_.studies[i];
    wrong_.of_pair({i, x, e, shared_accession, d.verdict == Verdict::matched}, d.discrepancies);
  }

  /// For studies that no rule decides: what a person should look at. Exams that have a study already come last.
  void look_near() {
    std::vector<bool> bound(exams_.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < hits_.size(); ++i) {
      if (outcome_.studies[i].verdict == Verdict::matched)
        bound[*outcome_.studies[i].exam] = true;
      else
        open.push_back(i);
    }
    auto near = find_near(keys_, exams_, open, static_cast<double>(site_.review_score));
    for (auto& list : near)
      std::stable_partition(list.begin(), list.end(), [&](const NearExam& n) { return !bound[n.exam]; });
    assign_cells(open, near);
    tbb::parallel_for(std::size_t{0}, open.size(), [&](std::size_t n) {
      const std::size_t i = open[n];
      if (!hits_[i]) take_near(i, near[n]);
      for (const auto& candidate : near[n])
        propose(i, {candidate.exam, candidate.score, candidate.rule, describe(candidate.evidence)});
    });
  }

  /// R6: several studies and exams of a patient on one day. Together they get the assignment that fits best, not each
  /// the exam that fits it best.
  void assign_cells(const std::vector<std::size_t>& open, std::vector<std::vector<NearExam>>& near) {
    std::map<std::string, std::vector<std::size_t>> cells;
    for (std::size_t n = 0; n < open.size(); ++n)
      if (!hits_[open[n]] && !near[n].empty() && near[n].front().rule == "R6")
        cells[keys_[open[n]].patient.str() + '\x1F' + keys_[open[n]].date].push_back(n);
    for (const auto& [cell, rows] : cells) {
      std::vector<std::size_t> columns;
      for (const std::size_t n : rows)
        for (const auto& candidate : near[n])
          if (candidate.rule == "R6") columns.push_back(candidate.exam);
      std::sort(columns.begin(), columns.end());
      columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
      std::vector<std::vector<double>> cost(rows.size(), std::vector<double>(columns.size(), kNoFit));
      for (std::size_t r = 0; r < rows.size(); ++r) {
        for (const auto& candidate : near[rows[r]]) {
          const auto at = std::lower_bound(columns.begin(), columns.end(), candidate.exam);
          if (at != columns.end() && *at == candidate.exam)
            cost[r][static_cast<std::size_t>(at - columns.begin())] =
                100 - candidate.score + hours_apart(keys_[open[rows[r]]], exams_[candidate.exam]);
        }
      }
      const auto assigned = assign(cost);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        if (assigned[r] == kUnassigned) continue;
        auto& list = near[rows[r]];
        const auto at =
            std::find_if(list.begin(), list.end(), [&](const NearExam& c) { return c.exam == columns[assigned[r]]; });
        if (at != list.end()) std::rotate(list.begin(), at, at + 1);
      }
    }
  }

  /// Hours between study and exam of a day, at most 24; 12 when a time is missing.
  static double hours_apart(const StudyKeys& keys, const Exam& exam) {
    const auto a = second_of_day(keys.time), b = second_of_day(exam.study_time);
    if (!a || !b) return 12;
    return std::min(24.0, static_cast<double>(std::abs(*a - *b)) / 3600);
  }

  void take_near(std::size_t i, const std::vector<NearExam>& near) {
    Decision& d = outcome_.studies[i];
    d.rule = near.empty() ? "R10" : near.front().rule;
    if (near.empty()) {
      veto_study(i);
      d.explanation = "no exam of the RIS comes near this study";
      d.discrepancies.emplace_back("D02");
      return;
    }
    const NearExam& best = near.front();
    d.verdict = Verdict::review;
    if (best.rule == "R9") {
      veto_study(i);
      d.explanation = "the patient is known, no exam fits this study";
      d.discrepancies.emplace_back("D02");
      return;
    }
    const bool shared = collect_vetoes(i, best.exam, best.evidence, best.rule);
    const bool close =
        near.size() > 1 && near[1].rule != "R9" && best.score - near[1].score < static_cast<double>(site_.margin);
    if (close) d.vetoes.emplace_back("two-candidates");
    d.score = best.score;
    d.explanation = describe(best.evidence);
    note_discrepancies(i, best.exam, best.evidence, shared);
  }

  void count_exams() {
    // All threads write the same values at each of the two marks, so it does not matter who comes last.
    std::vector<std::atomic<bool>> matched(exams_.size()), waited_for(exams_.size());
    for_each_study([&](std::size_t i) {
      const Decision& d = outcome_.studies[i];
      if (d.verdict != Verdict::matched) {
        if (d.exam) waited_for[*d.exam].store(true, std::memory_order_relaxed);
        for (const Proposal& p : d.proposals)
          if (p.rule != "R9") waited_for[p.exam].store(true, std::memory_order_relaxed);
        return;
      }
      matched[*d.exam].store(true, std::memory_order_relaxed);
      for (const auto& entry : exams_by_.uid.find(keys_[i].uid))  // several orders performed as one study
        if (exams_[entry.second].study_uid == keys_[i].uid && same_patient(exams_[entry.second], exams_[*d.exam]))
          matched[entry.second].store(true, std::memory_order_relaxed);
    });
    outcome_.exams.resize(exams_.size());
    tbb::parallel_for(std::size_t{0}, exams_.size(), [&](std::size_t x) {
      const auto state = exams_[x].state;
      outcome_.exams[x] = matched[x]                      ? ExamFate::matched
                          : state == ExamState::cancelled ? ExamFate::cancelled
                          : waited_for[x]                 ? ExamFate::review
                          : state == ExamState::planned   ? ExamFate::planned
                                                          : ExamFate::no_images;
    });
  }

  std::span<const StudyKeys> keys_;
  std::span<const Exam> exams_;
  const SiteRules& site_;
  std::vector<std::optional<Hit>> hits_;
  StudyIndexes studies_by_;
  ExamIndexes exams_by_;
  Discrepancies wrong_;
  Outcome outcome_;
};

}  // namespace

Outcome decide(std::span<const StudyKeys> studies, std::span<const Exam> exams, const SiteRules& site) {
  return Run(studies, exams, site).decide();
}

Outcome decide(std::span<const StudyFacts> studies, std::span<const Exam> exams, const SiteRules& site) {
  std::vector<StudyKeys> keys;
  for (const auto& facts : studies) keys.push_back(keys_of(facts));
  return decide(std::span<const StudyKeys>(keys), exams, site);
}

}  // namespace waybill::match
