// SPDX-License-Identifier: Apache-2.0
#include "scan/catalogue.hpp"

#include "core/text.hpp"
#include "manifest/rejection.hpp"
#include "manifest/study.hpp"

#include <algorithm>
#include <array>

// Keys of the index, each behind its letter:
//   i SOP Instance UID              First: the object that stands for the UID
//   q SOP Instance UID              id of a quarantined object, which answers for references too
//   s Study Instance UID            StudyEntry
//   e study, series                 series counted in the study
//   S Series Instance UID           study and modality it was met in first
//   a issuer, accession             study and patient ID it was met with first
//   n study, accession              accession counted in the study
//   g issuer, accession, patient, date, modality   study it was met in first
//   y issuer, number of a patient ID            patient ID it was met in first
//   Y study, patient ID             told of the number above
//   I issuer                        met
//   m Series Instance UID           MONOCHROME1 or MONOCHROME2, met first
//   p number                        Pointer, in the order of the records
//   l object id, code               late finding that is written
//   d object id / D study           recorded by an interrupted run
namespace waybill::scan {

using manifest::Bucket;
using manifest::Finding;
using manifest::LateFinding;
using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::size_t kShownUids = 3;
constexpr std::string_view kOtherPrefix =
    "the archive has the number of this Patient ID with another prefix or without; one patient or two?";
constexpr std::string_view kMonochromeMix = "MONOCHROME1 and MONOCHROME2 in one series";

std::string key(char kind, std::string_view rest) { return std::string(1, kind) + std::string(rest); }

std::string trimmed(const std::optional<std::string>& text) {
  return std::string(trim(text ? std::string_view(*text) : std::string_view()));
}

/// Family and given name for comparison: first component group, inner spaces single, ASCII capitals, "" when absent.
std::string name_key(const std::optional<std::string>& name) {
  if (!name) return {};
  std::string out;
  const std::string_view group = std::string_view(*name).substr(0, name->find('='));
  const auto parts = split(group, '^');
  for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 2); ++i) {
    if (i > 0) out += '^';
    bool space = false;
    for (const char c : trim(parts[i])) {
      if (c == ' ') {
        space = true;
        continue;
      }
      if (space) out += ' ';
      space = false;
      out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  while (!out.empty() && out.back() == '^') out.pop_back();
  return out;
}

bool contradict(const std::string& a, const std::string& b) { return !a.empty() && !b.empty() && a != b; }

/// Which part of the patient's key differs (domain rule 2.4, UID-STUDY2PAT; PID-SPACE: without outer spaces), or "".
std::string_view patient_difference(const manifest::Study& study, const Object& object) {
  if (trimmed(study.patient_id) != trimmed(object.patient_id) || trimmed(study.issuer) != trimmed(object.issuer))
    return "the study's earlier objects have another Patient ID or issuer";
  if (contradict(name_key(study.patient_name), name_key(object.patient_name)))
    return "the study's earlier objects have another patient name";
  if (contradict(trimmed(study.birth_date), trimmed(object.birth_date)))
    return "the study's earlier objects have another birth date";
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number in a Patient ID: all of its digits, or those behind or before letters and one of "-_/. ", as facilities
/// set themselves apart ("A-123"). "" where there is none of three digits or more.
std::string_view number_in(std::string_view id) {
  const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  const auto is_separator = [](char c) { return std::string_view("-_/. ").find(c) != std::string_view::npos; };
  const auto all = [](std::string_view text, auto test) { return std::all_of(text.begin(), text.end(), test); };
  std::string_view number = id;
  if (const auto at = std::find_if(id.begin(), id.end(), is_separator); at != id.end()) {
    const std::string_view left = id.substr(0, static_cast<std::size_t>(at - id.begin()));
    const std::string_view right = id.substr(left.size() + 1);
    if (!left.empty() && all(left, is_letter)) number = right;
    if (!right.empty() && all(right, is_letter)) number = left;
  }
  return number.size() >= 3 && all(number, is_digit) ? number : std::string_view();
}

std::string_view without_zeros(std::string_view number) {
  const auto at = number.find_first_not_of('0');
  return at == std::string_view::npos ? std::string_view() : number.substr(at);
}

First first_of(const Object& object) {
  return {object.id,
          object.study.value_or(""),
          object.series.value_or(""),
          object.file_sha256.value_or(""),
          object.codestream_sha256.value_or(""),
          object.pixel_sha256.value_or(""),
          object.dataset_sha256.value_or("")};
}

}  // namespace

void Catalogue::forget(Object& object) {
  static constexpr std::array<std::string_view, 11> kMine = {
      "UID-DUPSAME", "UID-DUPDIFF",      "UID-DUPSAMEPIX", "UID-CROSSSTUDY", "UID-CROSSSERIES", "UID-STUDY2PAT",
      "ACC-SHARED",  "UID-SERIES2STUDY", "UID-MANYACC",    "UID-SPLIT",      "PID-ZERO"};
  std::erase_if(object.findings, [](const Finding& finding) {
    return std::find(kMine.begin(), kMine.end(), finding.code) != kMine.end() || finding.detail == kOtherPrefix ||
           finding.detail == kMonochromeMix;
  });
  if (object.bucket == Bucket::duplicate_identical || object.bucket == Bucket::duplicate_conflict)
    object.bucket = Bucket::instance;
}

std::vector<LateFinding> Catalogue::settle(Object& object) {
  std::vector<LateFinding> late;
  if (object.bucket == Bucket::instance && object.sop_instance) {
    const First mine = first_of(object);
    const std::string at = key('i', *object.sop_instance);
    if (const auto known = index_.get(at)) {
      late = compare(unpack_first(*known), mine, object);
    } else {
      index_.put(at, pack(mine));
      place(object, object.findings);
    }
  }
  note_pointer(object);
  return late;
}

/// An object whose SOP Instance UID was met before.
std::vector<LateFinding> Catalogue::compare(const First& first, const First& mine, Object& object) {
  std::vector<LateFinding> late;
  const bool both_pixels = !first.pixel.empty() && !mine.pixel.empty();
  const bool same_pixels = both_pixels
                               ? first.pixel == mine.pixel
                               : first.codestream == mine.codestream && first.pixel.empty() == mine.pixel.empty();
  const bool compared = both_pixels || (!first.codestream.empty() && !mine.codestream.empty());
  const bool no_pixels = !object.rows && first.pixel.empty() && mine.pixel.empty();
  const bool identical =
      !mine.file.empty() &&
      (first.file == mine.file || (first.dataset == mine.dataset && same_pixels && (compared || no_pixels)));
  if (identical) {
    object.bucket = Bucket::duplicate_identical;
    object.findings.push_back({"UID-DUPSAME", Severity::s1, "0008,0018", "the same object as " + first.id});
  } else {
    std::string code = "UID-DUPDIFF";
    std::string detail = compared ? "the same SOP Instance UID with other pixels"
                         : depth_ == Depth::pixels
                             ? "the same SOP Instance UID in other bytes; pixels of one cannot be decoded to compare"
                             : "the same SOP Instance UID in other bytes; pixels were not compared, scan with --deep";
    if (mine.file.empty()) {
      detail = "the same SOP Instance UID; the contents were not read, scan without --headers";
    } else if ((same_pixels && compared) || no_pixels) {
      code = "UID-DUPSAMEPIX";
      detail = "the same SOP Instance UID and pixels with other attributes";
    }
    object.bucket = Bucket::duplicate_conflict;
    object.findings.push_back({code, Severity::s3, "0008,0018", detail + " as object " + first.id});
    LateFinding against{first.id, {code, Severity::s3, "0008,0018", detail + " as object " + object.id}};
    if (first_time(against)) late.push_back(std::move(against));
  }
  if (first.study != mine.study || first.series != mine.series) {
    object.findings.push_back({first.study != mine.study ? "UID-CROSSSTUDY" : "UID-CROSSSERIES", Severity::s3,
                               "0008,0018",
                               "the same SOP Instance UID stands in another study or series, object " + first.id});
  }
  return late;
}

void Catalogue::remember(const Object& object) {
  index_.put(key('d', object.id), "");
  if (object.bucket == Bucket::instance && object.sop_instance) {
    const std::string at = key('i', *object.sop_instance);
    if (!index_.contains(at)) index_.put(at, pack(first_of(object)));
    std::vector<Finding> written_already;
    place(object, written_already);
  }
  note_pointer(object);
}

void Catalogue::remember(const LateFinding& finding) { (void)first_time(finding); }
void Catalogue::remember(const manifest::Gone& gone) { index_.put(key('d', gone.id), ""); }
void Catalogue::remember(const manifest::Study& study) { index_.put(key('D', study.study), ""); }
bool Catalogue::recorded(std::string_view object_id) const { return index_.contains(key('d', object_id)); }

/// Whether the finding was not written before; notes that it is now.
bool Catalogue::first_time(const LateFinding& late) {
  const std::string at = key('l', join({late.id, late.finding.code}));
  if (index_.contains(at)) return false;
  index_.put(at, "");
  return true;
}

/// The study's entry in memory, nullptr when it is not in the index.
StudyEntry* Catalogue::open_study(const std::string& uid) {
  if (study_open_ && study_.study.study == uid) return &study_;
  const auto known = index_.get(key('s', uid));
  if (!known) return nullptr;
  close_study();
  study_ = unpack_study(uid, *known);
  study_open_ = true;
  return &study_;
}

void Catalogue::close_study() {
  if (study_open_) index_.put(key('s', study_.study.study), pack(study_));
  study_open_ = false;
}

/// Counts an instance in its study and checks study, series and accession against what came before.
void Catalogue::place(const Object& object, std::vector<Finding>& findings) {
  if (!object.study || object.study->empty()) return;
  StudyEntry* entry = open_study(*object.study);
  if (entry == nullptr) {
    close_study();
    study_ = {};
    study_open_ = true;
    entry = &study_;
    entry->study = manifest::study_of(object);
    entry->first = object.id;
  }
  if (const auto difference = patient_difference(entry->study, object); !difference.empty()) {
    entry->two_patients = true;
    findings.push_back({"UID-STUDY2PAT", Severity::s3, "0020,000D", std::string(difference)});
  }
  ++entry->study.instances;
  entry->study.bytes += object.source.size;
  const std::string modality = object.modality.value_or("");
  auto& modalities = entry->study.modalities;
  if (const auto at = std::ranges::lower_bound(modalities, modality);
      object.modality && (at == modalities.end() || *at != modality))
    modalities.insert(at, modality);

  std::string here =
      join({*object.study, object.series.value_or("\xFF"), modality, trimmed(object.accession), trimmed(object.issuer),
            trimmed(object.patient_id), object.study_date.value_or(""), object.photometric.value_or("")});
  if (here != same_place_) {
    place_findings_.clear();
    check_each(object, place_findings_);
    check_once(object, findings);
    check_patient(object, findings);
    same_place_ = std::move(here);
  }
  for (const Finding& finding : place_findings_) {
    const bool told =
        std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.code == finding.code; });
    if (!told) findings.push_back(finding);
  }
}

/// What every object of this place is told.
void Catalogue::check_each(const Object& object, std::vector<Finding>& findings) {
  const std::string accession = trimmed(object.accession);
  const std::string patient = trimmed(object.patient_id);
  if (!accession.empty() && !patient.empty()) {
    const std::string at = key('a', join({trimmed(object.issuer), accession}));
    const auto first = index_.get(at);
    const std::string study = join({*object.study});
    if (!first) {
      index_.put(at, study + join({patient}));
    } else if (!first->starts_with(study) && !first->ends_with(join({patient}))) {
      findings.push_back(
          {"ACC-SHARED", Severity::s3, "0008,0050", "another study has this accession number with another patient"});
    }
  }
  if (!object.series || object.series->empty()) return;
  check_monochrome(object, findings);
  const std::string counted = key('e', join({*object.study, *object.series}));
  if (!index_.contains(counted)) {
    index_.put(counted, "");
    ++study_.study.series;
  }
  const std::string at = key('S', *object.series);
  const std::string study = join({*object.study});
  const std::string modality = object.modality.value_or("");
  const auto first = index_.get(at);
  if (!first) {
    index_.put(at, study + modality);
  } else if (!first->starts_with(study)) {
    findings.push_back(
        {"UID-SERIES2STUDY", Severity::s3, "0020,000E", "earlier objects have this series in another study"});
  } else if (contradict(first->substr(study.size()), modality)) {
    findings.push_back(
        {"UID-SERIES2STUDY", Severity::s3, "0008,0060", "the series' earlier objects have another modality"});
  }
}

/// PIX-RESCALE: the grey scale of a series is shown the other way round from one image to the next.
void Catalogue::check_monochrome(const Object& object, std::vector<Finding>& findings) {
  const std::string photometric = trimmed(object.photometric);
  if (photometric != "MONOCHROME1" && photometric != "MONOCHROME2") return;
  const std::string at = key('m', *object.series);
  const auto first = index_.get(at);
  if (!first) {
    index_.put(at, photometric);
  } else if (*first != photometric) {
    findings.push_back({"PIX-RESCALE", Severity::s0, "0028,0004", std::string(kMonochromeMix)});
  }
}

/// Patient IDs that may be one: the same number with leading zeros or without, or with another facility's prefix. Said
/// once a study and patient.
void Catalogue::check_patient(const Object& object, std::vector<Finding>& findings) {
  const std::string issuer = trimmed(object.issuer);
  if (!issuer.empty() && !index_.contains(key('I', issuer))) {
    index_.put(key('I', issuer), "");
    ++issuers_;
  }
  const std::string patient = trimmed(object.patient_id);
  const std::string_view number = number_in(patient);
  if (without_zeros(number).empty()) return;
  const std::string at = key('y', join({issuer, without_zeros(number)}));
  const auto first = index_.get(at);
  if (!first) {
    index_.put(at, patient);
    return;
  }
  if (*first == patient || index_.contains(key('Y', join({*object.study, patient})))) return;
  index_.put(key('Y', join({*object.study, patient})), "");
  if (number_in(*first) != number) {
    findings.push_back({"PID-ZERO", Severity::s3, "0010,0020",
                        "the archive has this Patient ID with other leading zeros; one patient or two?"});
  } else {
    findings.push_back({"PID-PREFIX", Severity::s2, "0010,0020", std::string(kOtherPrefix)});
  }
}

/// What is said once a study, not of each object.
void Catalogue::check_once(const Object& object, std::vector<Finding>& findings) {
  const std::string accession = trimmed(object.accession);
  if (accession.empty()) return;
  const std::string counted = key('n', join({*object.study, accession}));
  if (!index_.contains(counted)) {
    index_.put(counted, "");
    if (++study_.accessions > 1)
      findings.push_back({"UID-MANYACC", Severity::s0, "0008,0050", "the study has several accession numbers"});
  }
  const std::string patient = trimmed(object.patient_id);
  const std::string date = trimmed(object.study_date);
  const std::string modality = trimmed(object.modality);
  if (patient.empty() || date.empty() || modality.empty()) return;
  const std::string at = key('g', join({trimmed(object.issuer), accession, patient, date, modality}));
  const auto first = index_.get(at);
  if (!first) {
    index_.put(at, *object.study);
    return;
  }
  if (*first == *object.study || study_.split) return;
  findings.push_back({"UID-SPLIT", Severity::s2, "0020,000D",
                      "patient, accession number, date and modality are those of another study, " + *first});
  study_.split = true;
  if (StudyEntry* other = open_study(*first)) other->split = true;
  (void)open_study(*object.study);
}

/// Keeps what the object points at until all are known. Of identical copies the first has spoken.
void Catalogue::note_pointer(const Object& object) {
  if (object.bucket == Bucket::quarantined && object.sop_instance) {
    const std::string at = key('q', *object.sop_instance);
    if (!index_.contains(at)) index_.put(at, object.id);
  }
  const bool speaks = object.bucket == Bucket::instance || object.bucket == Bucket::duplicate_conflict ||
                      object.bucket == Bucket::quarantined;
  if (!speaks || object.references.empty()) return;
  std::string number(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) number[7 - i] = static_cast<char>(pointers_ >> (8 * i));
  ++pointers_;
  index_.put(key('p', number), pack(Pointer{object.id, object.rejection.value_or(""), object.references}));
}

void Catalogue::conclude(const std::function<void(const LateFinding&)>& emit) {
  index_.each("p", [&](std::string_view, std::string_view value) { conclude(unpack_pointer(value), emit); });
  if (!several_issuers()) return;
  close_study();
  index_.each("s", [&](std::string_view uid, std::string_view value) {
    const StudyEntry entry = unpack_study(uid, value);
    if (!trimmed(entry.study.issuer).empty()) return;
    LateFinding late{entry.first,
                     {"PID-ISSUER", Severity::s2, "0010,0021",
                      "the study has no Issuer of Patient ID, and the archive has patients of several issuers"}};
    if (first_time(late)) emit(late);
  });
}

void Catalogue::compare_count(const manifest::Study& older, const std::function<void(const LateFinding&)>& emit) {
  StudyEntry* now = open_study(older.study);
  if (now == nullptr || now->study.instances >= older.instances) return;
  now->fewer = true;
  LateFinding late{now->first,
                   {"STU-COUNT", Severity::s3, "0020,000D",
                    "the study has " + std::to_string(now->study.instances) + " instances, the older scan counted " +
                        std::to_string(older.instances)}};
  if (first_time(late)) emit(late);
}

void Catalogue::conclude(const Pointer& pointer, const std::function<void(const LateFinding&)>& emit) {
  const auto write = [&](const LateFinding& late) {
    if (first_time(late)) emit(late);
  };
  const auto rejection = manifest::rejection_title(pointer.rejection);
  std::size_t dangling = 0;
  std::size_t failed = 0;
  std::string shown;
  for (const std::string& uid : pointer.references) {
    std::vector<std::string> targets;
    if (const auto first = index_.get(key('i', uid))) targets.push_back(unpack_first(*first).id);
    const bool sound = !targets.empty();
    if (auto id = index_.get(key('q', uid))) targets.push_back(std::move(*id));
    if (targets.empty()) {
      if (++dangling <= kShownUids) shown += (shown.empty() ? "" : ", ") + uid;
    } else if (!sound) {
      ++failed;
    }
    if (rejection == nullptr) continue;
    for (const auto& id : targets) {
      write({id,
             {"REJECTED-" + pointer.rejection, rejection->severity, "0008,0018",
              std::string(rejection->meaning) + ", by rejection note " + pointer.id}});
    }
  }
  const std::string of = " of " + std::to_string(pointer.references.size()) + " referenced objects ";
  if (dangling > 0) {
    write(
        {pointer.id,
         {"REF-DANGLING",
          Severity::s1,
          {},
          std::to_string(dangling) + of + "are not in the archive: " + shown + (dangling > kShownUids ? ", …" : "")}});
  }
  if (failed > 0)
    write({pointer.id, {"REF-QUARANTINED", Severity::s1, {}, std::to_string(failed) + of + "are in quarantine"}});
}

std::uint64_t Catalogue::studies(const std::function<void(const manifest::Study&)>& emit) {
  close_study();
  std::uint64_t count = 0;
  index_.each("s", [&](std::string_view uid, std::string_view value) {
    ++count;
    if (index_.contains(key('D', uid))) return;
    StudyEntry entry = unpack_study(uid, value);
    if (entry.fewer) entry.study.discrepancies.emplace_back("D13");
    if (entry.two_patients) entry.study.discrepancies.emplace_back("D15");
    if (entry.split) entry.study.discrepancies.emplace_back("D16");
    if (several_issuers() && trimmed(entry.study.issuer).empty()) entry.study.discrepancies.emplace_back("D24");
    emit(entry.study);
  });
  return count;
}

}  // namespace waybill::scan
