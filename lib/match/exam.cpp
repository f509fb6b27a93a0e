// SPDX-License-Identifier: Apache-2.0
#include "match/exam.hpp"

#include "core/flat_index.hpp"
#include "core/permute.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "match/csv.hpp"
#include "match/normal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <tuple>
#include <unordered_map>

namespace waybill::match {
namespace {

enum Column : std::size_t {
  kPatientId,
  kIssuer,
  kLast,
  kFirst,
  kMiddle,
  kDob,
  kSex,
  kAccession,
  kModality,
  kStudyUid,
  kStudyDate,
  kStudyTime,
  kStatus,
  kOtherIds,
  kProcDesc,
  kNumImages,
  kColumns,
};
constexpr std::array<std::string_view, kColumns> kNames = {
    "PATIENT_ID", "ISSUER",    "LAST",       "FIRST",      "MIDDLE", "DOB",       "SEX",       "ACCESSION",
    "MODALITY",   "STUDY_UID", "STUDY_DATE", "STUDY_TIME", "STATUS", "OTHER_IDS", "PROC_DESC", "NUM_IMAGES"};
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::string known_columns() {
  std::string text;
  for (const auto name : kNames) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

/// A header cell in a message: short and without control characters, since the file may be anything.
std::string shown(std::string_view cell) { return path_to_text(cell.substr(0, 60)); }

/// Where each column stands in the file.
struct Layout {
  std::array<std::size_t, kColumns> at{};
  std::size_t width = 0;
};

Layout read_header(const CsvRow& row, const std::vector<std::string>& ignored) {
  Layout layout;
  layout.at.fill(kNone);
  layout.width = row.cells.size();
  const auto is_ignored = [&](const std::string& name) {
    return std::any_of(ignored.begin(), ignored.end(), [&](const std::string& i) { return id_key(i) == name; });
  };
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    const std::string name = id_key(row.cells[i]);
    if (is_ignored(name)) continue;
    const auto known = std::find(kNames.begin(), kNames.end(), name);
    if (known == kNames.end()) {
      throw RunError(Exit::usage, "the RIS table has a column '" + shown(row.cells[i]) +
                                      "' that is not known; known are " + known_columns() +
                                      "; rename it, or leave it out with --ignore-columns " + shown(row.cells[i]));
    }
    auto& place = layout.at[static_cast<std::size_t>(known - kNames.begin())];
    if (place != kNone)
      throw RunError(Exit::input, "the RIS table has the column " + name + " twice; keep one of them (known are " +
                                      known_columns() + ")");
    place = i;
  }
  if (layout.at[kPatientId] == kNone)
    throw RunError(Exit::input,
                   "the RIS table has no column PATIENT_ID; add it to the export (known are " + known_columns() + ")");
  if (layout.at[kAccession] == kNone && layout.at[kStudyUid] == kNone) {
    throw RunError(
        Exit::input,
        "the RIS table has neither a column ACCESSION nor STUDY_UID; add one of them to the export (known are " +
            known_columns() + ")");
  }
  return layout;
}

/// "1.2E+11": a spreadsheet has thrown away the digits of an identifier.
bool damaged_by_spreadsheet(std::string_view id) {
  const std::size_t e = id.find_first_of("eE");
  if (e == std::string_view::npos || e == 0 || e + 2 >= id.size() || id[e + 1] != '+') return false;
  return id.substr(0, e).find_first_not_of("0123456789.,") == std::string_view::npos &&
         id.substr(e + 2).find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_uid(std::string_view text) {
  return text.size() <= 64 && text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

ExamState state_from(std::string_view status) {
  const std::string word = id_key(status);
  const auto starts = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return word.starts_with(w); });
  };
  if (starts({"CANCEL", "DISCONT", "STORN", "NO SHOW", "NOSHOW", "NO-SHOW", "ABORT"}) || word == "CA" || word == "DC" ||
      word == "X")
    return ExamState::cancelled;
  if (starts({"SCHED", "ORDER", "PLAN", "REQUEST", "BOOK"}) || word == "SC" || word == "NW") return ExamState::planned;
  return ExamState::performed;
}

class RowReader {
 public:
  explicit RowReader(const Layout& layout) : layout_(layout) {}

  /// The exam of a row; the reason when it is none.
  std::optional<std::string> read(const CsvRow& row, Exam& exam) {
    if (!row.error.empty()) return row.error;
    if (const auto reason = check_width(row)) return reason;
    row_ = &row;
    exam.line = row.line;
    read_texts(exam);
    if (const auto reason = read_dates(exam)) return reason;
    return check_ids(exam);
  }

 private:
  std::string_view cell(Column column) const {
    const std::size_t at = layout_.at[column];
    return at == kNone ? std::string_view() : trim(row_->cells[at]);
  }

  std::optional<std::string> check_width(const CsvRow& row) const {
    const std::size_t n = row.cells.size();
    const bool only_empty_more =
        n > layout_.width && std::all_of(row.cells.begin() + static_cast<std::ptrdiff_t>(layout_.width),
                                         row.cells.end(), [](const std::string& c) { return trim(c).empty(); });
    if (n == layout_.width || only_empty_more) return std::nullopt;
    return "the row has " + std::to_string(n) + " cells, the header has " + std::to_string(layout_.width);
  }

  void read_texts(Exam& exam) const {
    exam.patient_id = cell(kPatientId);
    exam.issuer = cell(kIssuer);
    exam.last = cell(kLast);
    exam.first = cell(kFirst);
    exam.middle = cell(kMiddle);
    exam.sex = sex_normal(cell(kSex));
    exam.accession = cell(kAccession);
    exam.study_uid = cell(kStudyUid);
    exam.description = cell(kProcDesc);
    exam.classes = modality_classes(cell(kModality));
    exam.state = state_from(cell(kStatus));
    std::vector<std::string> other_ids;
    for (const auto id : split(cell(kOtherIds), ';'))
      if (!trim(id).empty()) other_ids.push_back(id_key(id));
    std::sort(other_ids.begin(), other_ids.end());
    exam.other_ids = other_ids;
  }

  std::optional<std::string> read_dates(Exam& exam) const {
    const auto set = [&](Column column, Interned& into, auto normal) -> bool {
      const auto text = cell(column);
      if (text.empty()) return true;
      const auto value = normal(text);
      if (value) into = *value;
      return value.has_value();
    };
    if (!set(kDob, exam.birth_date, date_normal)) return "DOB is no date; write YYYYMMDD or YYYY-MM-DD";
    if (!set(kStudyDate, exam.study_date, date_normal)) return "STUDY_DATE is no date; write YYYYMMDD or YYYY-MM-DD";
    if (!set(kStudyTime, exam.study_time, time_normal)) return "STUDY_TIME is no time; write HHMMSS or HH:MM:SS";
    const auto images = cell(kNumImages);
    if (images.empty()) return std::nullopt;
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(images.data(), images.data() + images.size(), count);
    if (error != std::errc() || end != images.data() + images.size()) return "NUM_IMAGES is no number";
    exam.images = count;
    return std::nullopt;
  }

  std::optional<std::string> check_ids(const Exam& exam) const {
    if (exam.patient_id.empty()) return "PATIENT_ID is empty";
    if (exam.accession.empty() && exam.study_uid.empty()) return "ACCESSION and STUDY_UID are both empty";
    if (!exam.study_uid.empty() && !is_uid(exam.study_uid.view())) return "STUDY_UID is no UID";
    for (const auto column : {kPatientId, kAccession}) {
      if (damaged_by_spreadsheet(cell(column)))
        return std::string(kNames[column]) + " was shortened by a spreadsheet (E+); export it as text";
    }
    // What cannot stand in the DICOM attribute would make a broken object of every edit.
    for (const auto column : {kPatientId, kIssuer, kAccession, kLast, kFirst, kMiddle}) {
      const auto text = cell(column);
      const bool name = column == kLast || column == kFirst || column == kMiddle;
      const bool control = std::any_of(text.begin(), text.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
      if (control || text.find('\\') != std::string_view::npos)
        return std::string(kNames[column]) + " holds a backslash or control character";
      if (name && text.find_first_of("^=") != std::string_view::npos)
        return std::string(kNames[column]) + " holds ^ or =";
      if (!name && text.size() > 64) return std::string(kNames[column]) + " is longer than 64 characters";
    }
    return std::nullopt;
  }

  const Layout& layout_;
  const CsvRow* row_ = nullptr;
};

auto content(const Exam& e) {
  return std::tie(e.issuer, e.patient_id, e.accession, e.study_uid, e.last, e.first, e.middle, e.birth_date, e.sex,
                  e.study_date, e.study_time, e.description, e.classes, e.other_ids, e.state, e.images);
}

/// The key of a text, which nearly always is the text itself.
Interned key_of(Interned text, std::string (*key)(std::string_view)) {
  const std::string made = key(text);
  return made == text.view() ? text : Interned(made);
}

/// Equal for rows of one exam: same patient, accession and study.
struct ExamKey {
  Interned issuer, patient, accession, study;
  explicit ExamKey(const Exam& e)
      : issuer(key_of(e.issuer, id_key)),
        patient(key_of(e.patient_id, id_key)),
        accession(key_of(e.accession, accession_key)),
        study(e.study_uid) {}
  friend bool operator==(const ExamKey&, const ExamKey&) = default;
  [[nodiscard]] std::uint64_t hash() const {
    std::uint64_t hash = 0;
    for (const Interned text : {issuer, patient, accession, study})
      hash = (hash ^ text.number()) * 0x9E3779B97F4A7C15ULL;
    return hash;
  }
};

/// Takes what a further row adds to the exam: procedure, modality, other IDs; a cancelled procedure does not cancel the
/// others.
void merge(Exam& exam, const Exam& row) {
  const auto same = [](Interned a, Interned b) { return a.empty() || b.empty() || a == b; };
  if (!same(exam.birth_date, row.birth_date) || !same(exam.sex, row.sex) || !same(exam.last, row.last) ||
      !same(exam.first, row.first))
    exam.disputed = true;
  for (auto member :
       {&Exam::last, &Exam::first, &Exam::middle, &Exam::birth_date, &Exam::sex, &Exam::study_date, &Exam::study_time})
    if ((exam.*member).empty()) exam.*member = row.*member;
  if (!row.description.empty() && exam.description.view().find(row.description) == std::string_view::npos)
    exam.description = exam.description.str() + (exam.description.empty() ? "" : "; ") + row.description;
  const auto unite = [](InternedList& into, InternedList from) {
    if (from.empty() || into == from) return;
    auto texts = into.texts();
    texts.insert(texts.end(), from.begin(), from.end());
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    into = texts;
  };
  unite(exam.classes, row.classes);
  unite(exam.other_ids, row.other_ids);
  exam.state = std::min(exam.state, row.state);
  exam.images = std::max(exam.images, row.images);
  exam.line = std::min(exam.line, row.line);
}

/// Exams of a patient are few, so nearly all of the work of sorting is done on these 24 bytes.
struct Place {
  std::uint64_t issuer, patient;
  std::uint32_t exam;
};

void sort_exams(std::vector<Exam>& exams) {
  std::vector<Place> places(exams.size());
  for (std::uint32_t x = 0; x < exams.size(); ++x)
    places[x] = {exams[x].issuer.leading(), exams[x].patient_id.leading(), x};
  std::sort(places.begin(), places.end(), [&](const Place& a, const Place& b) {
    if (a.issuer != b.issuer) return a.issuer < b.issuer;
    return a.patient != b.patient ? a.patient < b.patient : by_content(exams[a.exam], exams[b.exam]);
  });
  permute(exams, places, [](Place& place) -> std::uint32_t& { return place.exam; });
}

/// Exams in the order of their content, rows of one exam brought together.
void merge_rows(ExamTable& table) {
  auto& exams = table.exams;
  sort_exams(exams);
  std::vector<ExamKey> keys;
  keys.reserve(exams.size());
  FlatIndex by_key;
  std::uint32_t kept = 0;
  for (const Exam& exam : exams) {
    const ExamKey key(exam);
    const std::uint32_t at = by_key.find_or_add(
        key.hash(), kept, [&](std::uint32_t n) { return keys[n] == key; },
        [&](std::uint32_t n) { return keys[n].hash(); });
    if (at != kept) {
      merge(exams[at], exam);
      ++table.repeated;
      continue;
    }
    keys.push_back(key);
    exams[kept++] = exam;
  }
  exams.resize(kept);
}

void name_exams(std::vector<Exam>& exams) {
  std::unordered_map<Interned, std::uint32_t> seen;
  seen.reserve(exams.size());
  for (auto& exam : exams) {
    exam.key = !exam.accession.empty()   ? exam.accession
               : !exam.study_uid.empty() ? Interned("uid:" + exam.study_uid)
                                         : Interned("order " + exam.study_date);
    const std::size_t n = ++seen[exam.key];
    if (n > 1) exam.key = exam.key.str() + "#" + std::to_string(n);
  }
}

}  // namespace

Interned patient_key(const Exam& exam) {
  return exam.normal_id.empty() ? key_of(exam.patient_id, id_key) : exam.normal_id;
}
Interned accession_key(const Exam& exam) {
  return exam.normal_accession.empty() ? key_of(exam.accession, accession_key) : exam.normal_accession;
}

bool by_content(const Exam& a, const Exam& b) { return content(a) < content(b); }

void order_and_name(std::vector<Exam>& exams) {
  sort_exams(exams);
  name_exams(exams);
}

ExamTable read_exams(std::string bytes, const std::vector<std::string>& ignored) {
  ExamTable table;
  table.digest = Sha256::of(bytes);
  CsvReader reader(std::move(bytes));
  table.cp1252 = reader.was_cp1252();
  table.separator = reader.separator();
  CsvRow row;
  if (!reader.next(row)) throw RunError(Exit::input, "the RIS table is empty; export it with a header line");
  if (!row.error.empty())
    throw RunError(Exit::input,
                   "the header line of the RIS table cannot be read: " + row.error + "; correct it and run again");
  const Layout layout = read_header(row, ignored);
  RowReader rows(layout);
  while (reader.next(row)) {
    ++table.rows;
    Exam exam;
    if (auto reason = rows.read(row, exam))
      table.bad.push_back({row.line, std::move(*reason)});
    else
      table.exams.push_back(std::move(exam));
  }
  merge_rows(table);
  name_exams(table.exams);
  return table;
}

ExamTable read_exams_file(const std::filesystem::path& path, const std::vector<std::string>& ignored) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || bytes.view().empty()) {
    throw RunError(Exit::input,
                   "the RIS table " + path_to_text(path.string()) + " cannot be read or is empty; check --ris");
  }
  return read_exams(std::move(bytes).str(), ignored);
}

}  // namespace waybill::match
