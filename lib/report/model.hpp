// SPDX-License-Identifier: Apache-2.0
#pragma once

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

struct ManifestSummary {
  std::string name, head;
  manifest::Header header;
  bool complete = false;
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

/// The balance of one manifest against its input.
struct Balance {
  std::string input, output;
  Levels before, after;
  std::uint64_t missing = 0, extra = 0, repeated = 0;
  [[nodiscard]] bool closes() const { return missing == 0 && extra == 0 && repeated == 0 && before == after; }
};

/// Something no bucket explains: an object or study missing, invented or counted twice, or a link that does not hold.
struct Unexplained {
  std::string kind;      ///< "missing", "extra", "repeated", "levels", "counts", "link", "study-missing", …
  std::string subject;   ///< object id or study UID or manifest name
  std::string path;      ///< source path of an object, where known
  std::string manifest;  ///< where it shows
  std::string sentence;
};

/// One object that did not end as it should, and why.
struct Exception {
  std::string id, path, member, stage, bucket, severity, reason, grade, verdict, load_status, transcode_outcome;
  std::string
      cause;  ///< why in a few words, the same for all objects of one kind: codes of S3 and S4, verdict or status
  std::string sop_class, sop_instance, study, series, modality, study_date, patient;
  std::vector<std::string> codes;
  std::uint64_t offset = 0, size = 0;
};

/// One row of modality × year.
struct Group {
  std::string modality, year;
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
  std::uint64_t ungraded = 0;
  std::uint64_t extra_at_peer = 0;  ///< instances the target has in these studies and no manifest explains
  std::vector<SampleResult> samples;
  Places places;
  std::uint64_t files_checked = 0;                    ///< of the waiting ones: bytes on disk equal, no target asked
  std::array<std::uint64_t, kBuckets> no_transfer{};  ///< objects that need none, by bucket
  std::vector<Group> groups;
  std::vector<Exception> exceptions;
  std::map<std::string, CodeCount> codes;
  std::map<std::string, std::uint64_t> verdicts, rules, decisions, discrepancies, vetoes;
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
