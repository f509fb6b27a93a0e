// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interned.hpp"
#include "core/result.hpp"
#include "manifest/reader.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What a report says, as plain values: collected once, then written as HTML, CSV and JSON. Text in here is as it
/// stood in the manifests (hostile until escaped); patients appear only as keyed hashes unless PHI was asked for.
namespace waybill::report {

inline constexpr std::size_t kBuckets = 14;
inline constexpr std::size_t kGrades = 6;
inline constexpr std::int8_t kNoGrade = -1;

struct Tally {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};
using Buckets = std::array<Tally, kBuckets>;  ///< by manifest::Bucket

/// The four levels of the ledger.
struct Levels {
  std::uint64_t files = 0, objects = 0, instances = 0, studies = 0, bytes = 0;
  bool operator==(const Levels&) const = default;
};

/// A signature line of a manifest. `bad`: the key was given and the signature is not one of it.
struct Signer {
  std::string key;
  enum class State { not_tried, verified, bad } state = State::not_tried;
};

struct ManifestSummary {
  std::string name, head;
  manifest::Header header;
  std::string rule_set;  ///< hash of the rules that reconcile decided by
  std::vector<Signer> signers;
  bool complete = false;
  /// Made of manifests of its own stage that are here: it says again what they say.
  enum class Share { none, merged, part } share = Share::none;
  Levels levels;
  Buckets buckets{};
  std::uint64_t study_records = 0;
};

/// One input of one manifest: whether it is one of the given manifests. `unknown`: read as a stream by a run that was
/// interrupted before the stream's end.
struct Link {
  std::string from, to;  ///< names: `to` was made from `from`
  std::string head;      ///< head of `from` as `to` recorded it
  enum class State { linked, not_given, broken, unknown } state = State::linked;
};

/// The balance of one manifest against its input; of several that are one whole (a merge, the parts of a split) all
/// names stand in `input` or `output`.
struct Balance {
  std::string input, output;
  Levels before, after;
  std::uint64_t missing = 0, extra = 0, repeated = 0;
  bool increment = false;             ///< `output` is a scan since `input`: what is new or gone is no difference
  std::uint64_t fresh = 0, gone = 0;  ///< of an increment
  [[nodiscard]] bool closes() const {
    return missing == 0 && extra == 0 && repeated == 0 && (increment || before == after);
  }
};

/// Something no bucket explains: an object or study missing, invented or counted twice, or a link that does not hold.
struct Unexplained {
  std::string kind;      ///< "missing", "extra", "repeated", "levels", "counts", "link", "study-missing", …
  std::string subject;   ///< object id or study UID or manifest name
  std::string path;      ///< source path of an object, where known
  std::string manifest;  ///< where it shows
  std::string sentence;
};

/// One object that did not end as it should, and why. Texts that many objects share are kept once: half of a project
/// may be exceptions.
struct Exception {
  std::string id, path, member, sop_instance;
  Interned stage, bucket, severity, reason, grade, verdict, load_status, transcode_outcome;
  Interned cause;  ///< why in a few words, the same for all objects of one kind: codes of S3 and S4, verdict or status
  Interned sop_class, study, series, modality, study_date, patient;
  Interned codes;  ///< of its findings, each once, with spaces between
  std::uint64_t offset = 0, size = 0;
};

/// What became of an object, a file or a study, the least finished first: a file or study with several objects stands
/// where its least finished object stands. The lines of the balance sheet are sums of these.
enum class State {
  failed,
  unreadable,
  quarantined,
  pending,
  duplicate_conflict,
  loaded,    ///< at the target by its own word
  verified,  ///< found there, grade E3 or better
  excluded,
  duplicate_identical,
  non_instance,
  dicomdir,
  non_dicom,
  empty,
};
inline constexpr std::size_t kStates = 13;
struct Amounts {
  std::uint64_t files = 0, objects = 0, studies = 0, bytes = 0;
  bool operator==(const Amounts&) const = default;
};
using Sheet = std::array<Amounts, kStates>;

/// A line of the balance sheet: the sum of some states, at all four levels.
struct SheetLine {
  const char* name;   ///< as in JSON
  const char* label;  ///< for people
  int depth;          ///< 0 a sum; 1 and more a part of the sum above with a smaller depth
  std::vector<State> states;
};
/// All lines, in their order: the source by what it is, then what is in scope by what became of it.
[[nodiscard]] const std::vector<SheetLine>& sheet_lines();
[[nodiscard]] Amounts sum_of(const Sheet& sheet, const SheetLine& line);

/// An instance that the target has in the studies of this project and that is none of its objects.
struct ExtraAtTarget {
  std::string sop_instance, study, manifest;
  enum class Why { unexplained, before_load, other_manifest, known } why = Why::unexplained;
  std::string reason;  ///< in the words of the one who explained it
};
/// What the latest verifications found at the target.
struct Target {
  bool asked = false;
  std::uint64_t ours = 0, before_load = 0, other_manifest = 0, known = 0, unexplained = 0;
  [[nodiscard]] std::uint64_t found() const { return ours + before_load + other_manifest + known + unexplained; }
  std::vector<ExtraAtTarget> extras;  ///< at most kMostListed
};

/// When a run began, and for a load what it put at the target in each minute.
struct Activity {
  std::string manifest, stage, began;
  std::map<std::int64_t, Tally> minutes;  ///< by minutes since 1970
};

/// One row of modality × year × site (the issuer of the patient id).
struct Group {
  std::string modality, year, site;
  std::array<std::uint64_t, kStates> states{};
  std::uint64_t objects = 0, verified = 0, loaded = 0, waiting = 0, no_transfer = 0, exceptions = 0, bytes = 0;
};

/// Where all objects are, each in exactly one place; an exception is only an exception, whatever its bucket.
struct Places {
  std::uint64_t verified = 0, loaded = 0, waiting = 0, no_transfer = 0, exceptions = 0;
};

struct EditCount {
  std::uint64_t studies = 0, instances = 0;
};
struct CodeCount {
  std::uint64_t findings = 0;
  std::string severity;
};  ///< severity: the worst seen

/// What a verification by sampling came to, as its manifest says it.
struct SampleResult {
  std::string manifest, state, statement;
  std::string plan;  ///< the manifest's line about the sample, JSON
};

struct Report {
  std::string created;
  bool phi_shown = false;
  std::vector<ManifestSummary> manifests;  ///< by stage, then time
  std::vector<Link> links;
  std::vector<Balance> balances;
  std::vector<Unexplained> unexplained;  ///< at most kMostListed listed; see unexplained_total
  std::uint64_t unexplained_total = 0;
  Levels scanned;
  Buckets buckets{};  ///< final state of every object
  std::array<std::uint64_t, kGrades> grades{};
  std::array<std::uint64_t, kGrades> refuted{};  ///< of `grades`: found lost or changed by a verification
  std::uint64_t ungraded = 0;
  Sheet sheet{};
  Target target;
  std::vector<Activity> activities;
  std::vector<SampleResult> samples;
  Places places;
  std::uint64_t files_checked = 0;                    ///< of the waiting ones: bytes on disk equal, no target asked
  std::array<std::uint64_t, kBuckets> no_transfer{};  ///< objects that need none, by bucket
  std::vector<Group> groups;
  std::vector<Exception> exceptions;
  std::map<std::string, CodeCount> codes;
  std::map<std::string, std::uint64_t> refuted_by;  ///< objects that a verification found lost or changed, by verdict
  std::map<std::string, std::uint64_t> rules, decisions, discrepancies, vetoes;
  std::map<std::string, std::map<std::string, std::uint64_t>> trends;  ///< discrepancies by code and year of the study
  std::vector<std::pair<std::string, std::map<std::string, std::uint64_t>>> by_run;  ///< the same by run of reconcile
  std::map<std::string, EditCount> edits;  ///< by tag, of studies decided "auto"
  std::vector<std::string> edits_used_by;  ///< manifests made with the reconcile manifest as input
  std::vector<std::string> statement;      ///< what was proved, in words
  Exit exit = Exit::ok;
};

inline constexpr std::size_t kMostListed = 100'000;

[[nodiscard]] std::uint64_t objects_in(const Buckets& buckets);
[[nodiscard]] bool any_incomplete(const Report& report);
/// Adds to the list and the total.
void add_unexplained(Report& report, Unexplained item);

/// What a bucket means, as one sentence for people who do not know the word.
[[nodiscard]] const char* bucket_meaning(manifest::Bucket bucket);

/// What each evidence grade proves, E0 to E5, as one sentence.
[[nodiscard]] const char* grade_meaning(std::size_t grade);

}  // namespace waybill::report
