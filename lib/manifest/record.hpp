// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The records of a manifest as plain values; docs/manifest.md describes each field. Absent in the
/// manifest is nullopt here, present and empty is "". All text is UTF-8. Values, free to copy between threads.
namespace waybill::manifest {

/// Terminal states of one input stream, exactly one each; the first nine come from scan, the rest from later stages.
enum class Bucket {
  instance,
  duplicate_identical,
  duplicate_conflict,
  dicomdir,
  non_dicom,
  non_instance,
  unreadable,
  empty,
  quarantined,
  excluded,
  loaded,
  verified,
  failed,
  pending,
};
[[nodiscard]] std::string_view to_string(Bucket bucket) noexcept;
[[nodiscard]] std::optional<Bucket> bucket_from(std::string_view text) noexcept;

/// S0 info, S1 fix silently, S2 fix and record in the object, S3 quarantine, S4 unrecoverable.
enum class Severity { s0, s1, s2, s3, s4 };
[[nodiscard]] std::string_view to_string(Severity severity) noexcept;

struct Finding {
  std::string code;  ///< e.g. "ENC-NOMETA"
  Severity severity = Severity::s0;
  std::string tag;                                     ///< "0028,0010" or empty
  std::string detail;                                  ///< one sentence without PHI
  std::optional<std::uint64_t> offset = std::nullopt;  ///< byte in the dataset where it was found
  std::string raw = {};                                ///< the bytes it speaks of in hex, at most 128 digits
};

/// Whether the finding alone holds its object back: S3 and S4, but not what is wrong with an identifier rather than
/// with the object (PID-, ACC-LEN) or is carried whole all the same (PRIV-ANNOT): these are listed for a person,
/// reconcile asks about them, and the bytes are sound.
[[nodiscard]] bool quarantines(const Finding& finding) noexcept;

struct Source {
  std::string path;                   ///< absolute, in the form of path_to_text
  std::optional<std::string> member;  ///< inside a container
  std::uint64_t offset = 0;           ///< first byte in the file
  std::uint64_t size = 0;             ///< bytes
  std::string mtime;                  ///< RFC 3339 UTC
  std::uint64_t inode = 0;            ///< of the file, 0 when not known
};

/// One top-level element as it was before it was changed.
struct FormerElement {
  std::string tag;                   ///< "0010,0020"
  std::string vr;                    ///< "LO"
  std::optional<std::string> value;  ///< bytes in hex, little endian; absent: there was no such element
};

/// What gives back the dataset as it was.
struct Undo {
  std::vector<FormerElement> elements;
  bool provenance = false;  ///< the last item of Original Attributes and of Contributing Equipment was added
  [[nodiscard]] bool empty() const noexcept { return elements.empty() && !provenance; }
};

struct Transcode {
  std::string to;       ///< transfer syntax UID of the written file
  std::string codec;    ///< library and version that encoded, "none" for copied bytes
  std::string outcome;  ///< "transcoded", "rewritten", "copied", "kept-source", "restored", "not-staged"
  std::string reason;   ///< why the source bytes were kept, or empty
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::string path;            ///< staged file, absolute, path_to_text form; empty when nothing was staged
  std::string file_sha256;     ///< of the staged file
  std::string dataset_sha256;  ///< DS1 of the staged file; differs from the object's only by recorded edits
  std::string verified_by;     ///< the decoder that read the written file back; "none" when that was switched off
  std::string rule = {};       ///< of the policy that decided, or empty
  std::vector<std::pair<std::string, std::string>> uids = {};  ///< remapped in this object: old and new
  Undo undo = {};
};

struct Load {
  std::string status;  ///< four hex digits of the DIMSE status, "" when none came
  std::string comment;
  std::uint32_t attempts = 0;
  std::string association;  ///< number of the association in this run
  std::string at;           ///< RFC 3339 UTC
  std::string outcome;   ///< "sent", "already-present", "found-after-interruption", "refused", "no-answer", "not-sent"
  std::string run = {};  ///< id of the run that loaded it, as in the header of its manifest
  std::string transfer_syntax = {};  ///< it was sent in, where that is not the file's own
};

struct Difference {
  std::string tag;
  std::string kind;
  std::string detail;
};

struct Verify {
  std::string grade;    ///< "E0" … "E5", domain rule 9.7
  std::string verdict;  ///< IDENTICAL, EQUIVALENT, EQUIVALENT-LENIENT, EXPECTED-CHANGE, TARGET-COERCED, METADATA-LOSS,
                        ///< PIXEL-DIFF, LOSSY-REDECODED, MISSING, PRESENT
  std::vector<Difference> differences;
};

/// One input stream and all that is known of it.
struct Object {
  std::string id;  ///< 16 hex digits from the source locator
  Source source;
  Bucket bucket = Bucket::instance;
  std::vector<Finding> findings;
  std::optional<std::string> file_sha256, codestream_sha256, pixel_sha256, dataset_sha256;
  std::optional<std::string> sop_class, sop_instance, study, series, transfer_syntax;
  std::optional<std::string> patient_id, issuer, patient_name, birth_date, sex, accession, study_date, study_time,
      modality;
  std::optional<std::uint32_t> rows, columns, frames, bits_stored;
  std::optional<std::string> photometric;
  std::optional<std::string> content_type;  ///< for non-DICOM: what it is ("text", "png", …)
  std::vector<std::string> references;      ///< SOP Instance UIDs a KO, PR, SR, RT or SEG object points at, each once
  std::optional<std::string> rejection;     ///< code of a rejection note's title (PS3.16 CID 7011), e.g. "113001"
  std::optional<std::string> since;         ///< against an older scan: "new", "changed", "unchanged", "rechecked"
  std::optional<Transcode> transcode;
  std::optional<Load> load;
  std::optional<Verify> verify;
};

struct Edit {
  std::string tag;
  std::string old_value;
  std::string new_value;
  std::string reason;
};  ///< tag "0010,0020"; reason COERCE or CORRECT

/// One study as scan counted it or reconcile decided it.
struct Study {
  std::string study;
  std::optional<std::string> patient_id, issuer, patient_name, birth_date, sex, accession, study_date, study_time;
  std::vector<std::string> modalities;
  std::uint64_t series = 0, instances = 0, bytes = 0;
  std::optional<std::string> rule;  ///< "R0" … "R10"
  std::string rule_set;             ///< digest of all rules that the decision was made by
  std::optional<double> score;
  std::optional<std::string> decision;  ///< "auto", "review", "unmatched"
  std::vector<std::string> vetoes;
  std::vector<std::string> discrepancies;  ///< "D03" …
  std::vector<Edit> edits;
  std::optional<std::string> exam;  ///< key of the RIS exam
  std::string explanation;          ///< the evidence in one sentence, without PHI
};

/// A finding made after the object's own record was written (a later object collides with it).
struct LateFinding {
  std::string id;
  Finding finding;
};

/// A file an older scan met that is not there any more.
struct Gone {
  std::string id;
  Source source;  ///< as it was
};

/// Committed before an effect on the outside; without an outcome after it, the peer is asked.
struct Intent {
  std::string id;
  std::string sop_instance;
  std::string action;
};

/// Any record as one JSON line without the line feed; the members stand in the order of docs/manifest.md.
[[nodiscard]] std::string to_json(const Object& object);
[[nodiscard]] std::string to_json(const Study& study);
[[nodiscard]] std::string to_json(const LateFinding& finding);
[[nodiscard]] std::string to_json(const Intent& intent);
[[nodiscard]] std::string to_json(const Gone& gone);

/// 16 hex digits that stay the same over runs for the same locator.
[[nodiscard]] std::string object_id(const Source& source);

}  // namespace waybill::manifest
