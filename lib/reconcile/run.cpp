// SPDX-License-Identifier: Apache-2.0
#include "reconcile/run.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "manifest/begun.hpp"
#include "manifest/fit.hpp"
#include "manifest/reader.hpp"
#include "match/edits.hpp"
#include "match/normal.hpp"
#include "reconcile/alarms.hpp"
#include "reconcile/corrections.hpp"
#include "reconcile/decided.hpp"
#include "reconcile/exceptions.hpp"
#include "reconcile/feed.hpp"
#include "reconcile/loaded.hpp"
#include "reconcile/studies.hpp"
#include "ris/postgres.hpp"
#include "ris/read.hpp"

#include <malloc.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_for_each.h>
#include <tbb/parallel_pipeline.h>
#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <variant>

namespace waybill::reconcile {
namespace {

struct Scan {
  StudyTable studies;
  std::vector<std::string> without_study;  // object ids
  manifest::Input input;
};

Scan read_scan(const std::filesystem::path& path, const match::SiteRules& rules, Summary& summary) {
  manifest::Reader reader(path);
  if (reader.header().stage != "scan") {
    throw RunError(Exit::usage, "the manifest " + reader.name() + " is of stage '" +
                                    path_to_text(reader.header().stage) +
                                    "'; give reconcile the manifest that waybill scan wrote");
  }
  Scan scan;
  StudyCollector collector(rules);
  while (const auto record = reader.next()) {
    const auto* object = std::get_if<manifest::Object>(&*record);
    if (object == nullptr) continue;
    if (stop_requested())
      throw RunError(Exit::interrupted, "stopped before anything was decided; run the same command again");
    ++summary.objects;
    if (object->bucket != manifest::Bucket::instance) {
      ++summary.other_objects;
      collector.note(*object);
      continue;
    }
    ++summary.instances;
    if (!collector.add(*object)) scan.without_study.push_back(object->id);
  }
  if (!reader.end()) {
    throw RunError(Exit::input,
                   "the manifest " + reader.name() +
                       " is incomplete, so exams would seem to have no images; finish the scan and run again");
  }
  summary.instances_without_study = scan.without_study.size();
  scan.input = {reader.name(), reader.head()};
  scan.studies = collector.finish();
  return scan;
}

std::string options_json(const match::SiteRules& rules, const Options& options) {
  const auto& ignored = options.ignore_columns;
  JsonWriter w;
  w.begin_object().member("rule_set", match::rule_set_hash(rules));
  w.key("automatic").begin_array();
  for (const auto& rule : rules.automatic) w.value(rule);
  w.end_array().key("ignore_columns").begin_array();
  for (const auto& column : std::set<std::string>(ignored.begin(), ignored.end())) w.value(column);
  w.end_array();
  if (!options.issuer.empty()) w.member("issuer", options.issuer);
  if (!options.as_of.empty()) w.member("as_of", options.as_of);
  if (!options.loaded.empty()) w.member(manifest::kCorrections, true);
  w.end_object();
  return std::move(w).str();
}

void complete_record(match::StudyFacts& facts, const match::Decision& decision, std::span<const match::Exam> exams,
                     const std::string& rule_set) {
  manifest::Study& study = facts.study;
  study.rule = decision.rule;
  study.rule_set = rule_set;
  study.score = decision.score;
  study.decision = decision.by_person ? "person" : std::string(match::to_string(decision.verdict));
  study.vetoes.assign(decision.vetoes.begin(), decision.vetoes.end());
  study.discrepancies.assign(decision.discrepancies.begin(), decision.discrepancies.end());
  study.explanation = decision.explanation;
  if (decision.exam) study.exam = exams[*decision.exam].key;
  if (decision.verdict == match::Verdict::matched) study.edits = match::edits_for(facts, exams[*decision.exam]);
  if (!facts.current_id.empty()) study.explanation += "; the patient's number is compared in its present form";
  if (conflict_left(study) && decision.verdict == match::Verdict::matched)
    study.explanation += "; the contradiction is left to a person, the attribute is not changed";
}

std::string exam_record(const match::Exam& exam) {
  JsonWriter w;
  w.begin_object().member("kind", "exam").member("exam", exam.key).member("patient_id", exam.patient_id);
  if (!exam.issuer.empty()) w.member("issuer", exam.issuer);
  if (!exam.accession.empty()) w.member("accession", exam.accession);
  if (!exam.study_uid.empty()) w.member("study", exam.study_uid);
  if (!exam.study_date.empty()) w.member("study_date", exam.study_date);
  w.key("discrepancies").begin_array().value("D01");
  if (exam.reported) w.value("D17");
  w.end_array().end_object();
  return std::move(w).str();
}

std::string proposal_record(const std::string& study, std::size_t rank, const match::Proposal& proposal,
                            std::span<const match::Exam> exams) {
  JsonWriter w;
  w.begin_object().member("kind", "proposal").member("study", study).member("rank", rank);
  w.member("exam", exams[proposal.exam].key).member("score", proposal.score).member("rule", proposal.rule);
  w.member("explanation", proposal.explanation).end_object();
  return std::move(w).str();
}

/// Lines of ours in the file already, when an interrupted output is continued: the same inputs give the same lines
/// again. The writer's own notes of a cut tail are none of them.
std::uint64_t lines_written(const std::filesystem::path& path) {
  manifest::Reader reader(path);
  std::uint64_t lines = 0;
  while (const auto record = reader.next()) {
    const auto* other = std::get_if<manifest::Other>(&*record);
    lines += other != nullptr && other->kind == "recovered" ? 0 : 1;
  }
  return lines;
}

/// The manifest being written; nothing in a dry run and where it is complete already.
class Output {
 public:
  Output(const Options& options, manifest::Header header, Summary& summary) {
    if (options.dry_run) return;
    writer_.emplace(options.output, std::move(header), options.restart);
    summary.already_complete = writer_->already_complete();
    if (writer_->resumed() && !writer_->already_complete()) skip_ = lines_written(options.output);
  }
  [[nodiscard]] bool takes_lines() const { return writer_ && !writer_->already_complete(); }
  void append(const std::string& line) {
    if (skip_ > 0)
      --skip_;
    else
      writer_->append(line);
  }
  void finish(const Summary& summary) {
    if (takes_lines()) writer_->finish(to_json(summary));
  }

 private:
  std::optional<manifest::Writer> writer_;
  std::uint64_t skip_ = 0;
};

/// What one task makes of some studies.
struct Block {
  std::vector<std::string> lines;
  Summary counts;
  Exceptions exceptions;
};

Block block_of(const Scan& scan, const match::ExamTable& table, const match::Outcome& outcome, std::size_t begin,
               std::size_t end, const match::SiteRules& rules, const std::string& rule_set, bool lines) {
  Block block;
  for (std::size_t i = begin; i < end; ++i) {
    const auto& decision = outcome.studies[i];
    match::StudyFacts facts = scan.studies[i];
    rules.apply(facts);
    complete_record(facts, decision, table.exams, rule_set);
    const auto& study = facts.study;
    count_study(block.counts, study, decision.exam ? &table.exams[*decision.exam] : nullptr);
    const bool answered = decision.by_person && decision.verdict == match::Verdict::unmatched;
    if ((decision.verdict != match::Verdict::matched && !answered) || conflict_left(study))
      block.exceptions.add_study(facts, decision, table.exams);
    if (!lines) continue;
    block.lines.push_back(manifest::to_json(study));
    for (std::size_t n = 0; n < decision.proposals.size(); ++n)
      block.lines.push_back(proposal_record(study.study, n + 1, decision.proposals[n], table.exams));
  }
  return block;
}

/// Completes, counts and writes the studies: many at a time, in their order.
void write_studies(const Scan& scan, const match::ExamTable& table, const match::Outcome& outcome,
                   const match::SiteRules& rules, Output* output, Exceptions& exceptions, Summary& summary) {
  constexpr std::size_t kStudies = 1024, kInFlight = 16;
  const std::string rule_set = match::rule_set_hash(rules);
  std::size_t next = 0;
  const auto cut = tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& flow) {
    if (next >= scan.studies.size()) flow.stop();
    return std::exchange(next, next + kStudies);
  });
  const auto make =
      tbb::make_filter<std::size_t, std::shared_ptr<Block>>(tbb::filter_mode::parallel, [&](std::size_t begin) {
        const std::size_t end = std::min(begin + kStudies, scan.studies.size());
        return std::make_shared<Block>(
            block_of(scan, table, outcome, begin, end, rules, rule_set, output != nullptr && output->takes_lines()));
      });
  const auto write = tbb::make_filter<std::shared_ptr<Block>, void>(tbb::filter_mode::serial_in_order,
                                                                    [&](const std::shared_ptr<Block>& block) {
                                                                      add_studies(summary, block->counts);
                                                                      exceptions.add(block->exceptions);
                                                                      for (const auto& line : block->lines)
                                                                        output->append(line);
                                                                    });
  tbb::parallel_pipeline(kInFlight, cut & make & write);
}

void add_hl7(Exceptions& exceptions, const Feed& feed) {
  for (const auto& problem : feed.problems()) exceptions.add_hl7_problem(problem);
  for (const auto& dispute : feed.graph().disputes())
    exceptions.add_dispute(feed.graph().events()[dispute.event], dispute.reason);
}

void collect_exceptions(Exceptions& exceptions, const Scan& scan, const match::ExamTable& table,
                        const match::Outcome& outcome, const std::optional<Feed>& feed,
                        const std::vector<Refusal>& refusals, const std::vector<Alarm>& alarms) {
  for (const auto& alarm : alarms) exceptions.add_alarm(alarm);
  for (std::size_t x = 0; x < table.exams.size(); ++x)
    if (outcome.exams[x] == match::ExamFate::no_images) exceptions.add_exam_without_images(table.exams[x]);
  for (const auto& row : table.bad) exceptions.add_bad_row(row);
  for (const auto& remark : table.remarks) exceptions.add_remark(remark);
  for (const auto& refusal : refusals) exceptions.add_refusal(refusal.study, refusal.line, refusal.reason);
  for (const auto& id : scan.without_study) exceptions.add_object_without_study(id);
  if (feed) add_hl7(exceptions, *feed);
}

/// The studies in the forms that are compared, with the numbers their patients have now.
std::vector<match::StudyKeys> keys_of(StudyTable& studies, const std::optional<Feed>& feed,
                                      const match::SiteRules& rules) {
  std::vector<match::StudyKeys> keys(studies.size());
  tbb::parallel_for(std::size_t{0}, studies.size(), [&](std::size_t i) {
    match::StudyTexts study = studies.texts(i);
    if (feed) feed->apply(study);
    rules.apply(study);
    keys[i] = match::keys_of(study);
    studies.set_current(i, study);
  });
  return keys;
}

match::SiteRules rules_of(const Options& options) {
  match::SiteRules rules;
  if (!options.rules.empty()) rules = match::SiteRules::read(options.rules);
  rules.default_issuer = match::id_key(options.issuer);
  for (const auto& rule : options.approve) {
    if (rule != "R5")
      throw RunError(Exit::usage,
                     "rule '" + path_to_text(rule) + "' cannot be approved; only R5 waits for the site's approval");
  }
  rules.automatic.insert(options.approve.begin(), options.approve.end());
  return rules;
}

ris::Mapping mapping_of(const Options& options) {
  ris::Mapping mapping;
  if (!options.map.empty()) mapping = ris::Mapping::read(options.map);
  if (!options.control.empty()) mapping.control = ris::read_control(options.control);
  return mapping;
}

match::ExamTable read_table(const Options& options, const ris::Mapping& mapping) {
  const bool database = ris::is_database(options.ris.string());
  if (database == options.query.empty())
    throw RunError(Exit::usage, database ? "--ris names a database; give the SELECT for its exams with --query"
                                         : "--query is for a database; give --ris postgresql://USER@HOST/DATABASE");
  if (database) return ris::query_exams(options.ris.string(), options.query, options.ignore_columns, mapping);
  return ris::read_exams_file(options.ris, options.ignore_columns, mapping);
}

/// What the table was made from, for the header: never the address of a database.
std::vector<manifest::Input> inputs_of_table(const Options& options, const ris::Mapping& mapping,
                                             const match::ExamTable& table) {
  std::vector<manifest::Input> inputs;
  const auto& file = options.query.empty() ? options.ris : options.query;
  inputs.push_back({file.filename().string(), table.digest.hex()});
  if (!options.map.empty()) inputs.push_back({options.map.filename().string(), mapping.digest.hex()});
  return inputs;
}

/// `read` on a thread of its own; what only reading needed is given back while others still read.
template <typename F>
auto aside(F read) {
  return std::async(std::launch::async, [read] {
    auto result = read();
    ::malloc_trim(0);
    return result;
  });
}

hl7::Time as_of(const std::string& text) {
  if (text.empty()) return identity::Graph::kEver;
  const auto time = hl7::parse_time(text);
  if (!time) throw RunError(Exit::usage, "--as-of is no time; write 20240131 or 2024-01-31T12:00:00");
  return *time;
}

}  // namespace

Summary run(const Options& options) {
  Summary summary;
  summary.dry_run = options.dry_run;
  const match::SiteRules rules = rules_of(options);
  if (!options.dry_run && options.output.empty())
    throw RunError(Exit::usage, "no output is named; give -o reconcile.wb, or --dry-run");
  if (options.ris.empty() && options.hl7.empty())
    throw RunError(Exit::usage, "nothing tells of exams; give --ris, --hl7 or both");
  const ris::Mapping mapping = mapping_of(options);
  const hl7::Time until = as_of(options.as_of);
  // The archive and the table are read on a thread each while the messages take what the cores have left.
  auto scan_read = std::async(std::launch::async, [&] { return read_scan(options.scan, rules, summary); });
  auto table_read = std::async(std::launch::async,
                               [&] { return options.ris.empty() ? match::ExamTable() : read_table(options, mapping); });
  std::optional<Feed> feed;
  if (!options.hl7.empty()) feed.emplace(options.hl7, rules, until);
  match::ExamTable table = table_read.get();
  if (feed) feed->apply(table);
  tbb::parallel_for_each(table.exams, [&](match::Exam& exam) { rules.apply(exam); });
  Scan scan = scan_read.get();
  auto keys = keys_of(scan.studies, feed, rules);
  if (feed) {
    count_feed(summary, feed->counts(), feed->problems(), feed->graph(), feed->orders());
    if (options.loaded.empty()) feed->forget();
  }
  match::Outcome outcome = match::decide(std::span<const match::StudyKeys>(keys), table.exams, rules);
  Answers answers;
  if (!options.decisions.empty()) answers = read_answers(options.decisions);
  const auto refusals = follow(answers, keys, table.exams, rules, outcome);
  summary.answers_refused = refusals.size();
  const auto alarms = find_alarms(keys, table.exams, outcome);
  summary.alarms = alarms.size();
  keys = {};
  std::optional<Loaded> loaded;
  if (!options.loaded.empty()) loaded.emplace(options.loaded, options.applied);

  manifest::Header header = manifest::begun("reconcile");
  header.options = options_json(rules, options);
  header.inputs = {scan.input};
  if (!options.ris.empty())
    for (auto& input : inputs_of_table(options, mapping, table)) header.inputs.push_back(std::move(input));
  if (feed) header.inputs.push_back({"hl7", feed->digest().hex()});
  if (!options.decisions.empty())
    header.inputs.push_back({options.decisions.filename().string(), answers.digest.hex()});
  if (loaded) header.inputs.insert(header.inputs.end(), loaded->inputs().begin(), loaded->inputs().end());
  Output output(options, std::move(header), summary);
  Exceptions exceptions;
  write_studies(scan, table, outcome, rules, loaded ? nullptr : &output, exceptions, summary);
  count_exams(summary, table, outcome.exams);
  check_ledger(summary);
  std::optional<Corrections> corrections;
  if (loaded) {
    corrections.emplace(*loaded, Knowledge{rules, scan.studies, outcome, table.exams, feed ? &*feed : nullptr});
    summary.corrections = corrections->counts();
  }
  if (options.dry_run) return summary;
  if (corrections) {
    exceptions = {};
    corrections->list(exceptions);
    if (feed) add_hl7(exceptions, *feed);
    if (output.takes_lines()) corrections->write([&](const std::string& line) { output.append(line); });
  } else if (output.takes_lines()) {
    std::map<std::size_t, std::string_view> refused;  // by line
    for (const auto& refusal : refusals) refused[refusal.line] = refusal.reason;
    for (const auto& answer : answers.answers) output.append(to_json(answer, refused[answer.line]));
    for (std::size_t x = 0; x < table.exams.size(); ++x)
      if (outcome.exams[x] == match::ExamFate::no_images) output.append(exam_record(table.exams[x]));
  }
  if (!corrections) collect_exceptions(exceptions, scan, table, outcome, feed, refusals, alarms);
  // The list first: a complete manifest then never stands without it.
  if (!options.exceptions.empty()) exceptions.write(options.exceptions);
  if (!options.worklist.empty()) exceptions.write_worklist(options.worklist);
  output.finish(summary);
  return summary;
}

}  // namespace waybill::reconcile
