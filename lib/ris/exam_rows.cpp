// SPDX-License-Identifier: Apache-2.0
#include "ris/exam_rows.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "match/normal.hpp"
#include "ris/traps.hpp"

#include <algorithm>
#include <charconv>

namespace waybill::ris {
namespace {

using match::Exam;
using match::ExamState;
using match::id_key;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

constexpr std::size_t kCutTexts = 3;  // different ones of the greatest length are no accident

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// A flag as tables write it; another word than no, such as a report's number, says yes.
bool says_yes(std::string_view cell) {
  const std::string word = id_key(cell);
  return !word.empty() && word != "N" && word != "NO" && word != "0" && word != "FALSE";
}

/// A header cell in a message: short and without control characters, since the file may be anything.
std::string shown(std::string_view cell) { return path_to_text(cell.substr(0, 60)); }

std::string named(Column column) { return std::string(kNames[column]); }

bool is_uid(std::string_view text) {
  return text.size() <= 64 && text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<std::uint64_t> count_from(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(count) : std::nullopt;
}

ExamState state_from(std::string_view status, const Mapping& mapping) {
  const std::string word = id_key(status);
  if (const auto at = mapping.status.find(word); at != mapping.status.end()) {
    return at->second == "cancelled" ? ExamState::cancelled
           : at->second == "planned" ? ExamState::planned
                                     : ExamState::performed;
  }
  const auto starts = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return word.starts_with(w); });
  };
  if (starts({"CANCEL", "DISCONT", "STORN", "NO SHOW", "NOSHOW", "NO-SHOW", "ABORT"}) || word == "CA" || word == "DC" ||
      word == "X")
    return ExamState::cancelled;
  if (starts({"SCHED", "ORDER", "PLAN", "REQUEST", "BOOK"}) || word == "SC" || word == "NW") return ExamState::planned;
  return ExamState::performed;
}

}  // namespace

ExamRows::ExamRows(const std::vector<std::string>& header, const Mapping& mapping,
                   const std::vector<std::string>& ignored)
    : mapping_(mapping), header_(header) {
  at_.fill(kNone);
  // Data in place of a header is not for messages.
  const auto names_a_column = [&](const std::string& cell) {
    const std::string name = id_key(cell);
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || mapping.columns.count(name) > 0;
  };
  if (std::none_of(header.begin(), header.end(), names_a_column)) {
    throw RunError(
        Exit::input,
        "the RIS table names no column that is known; export it with a line of headings, or name its columns in --map "
        "(known are " +
            known_columns() + ")");
  }
  const auto is_ignored = [&](const std::string& name) {
    return std::any_of(ignored.begin(), ignored.end(), [&](const std::string& i) { return id_key(i) == name; });
  };
  const auto place = [&](Column column, std::size_t i) {
    if (at_[column] != kNone)
      throw RunError(Exit::input, "the RIS table has the column " + shown(id_key(header[i])) +
                                      " twice; keep one of them (known are " + known_columns() + ")");
    at_[column] = i;
  };
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::string name = id_key(header[i]);
    if (is_ignored(name)) continue;
    if (!mapping.columns.empty()) {
      const auto at = mapping.columns.find(name);
      if (at == mapping.columns.end()) continue;
      place(at->second, i);
      if (at->second == kStudyDate && mapping.time_beside_date) place(kStudyTime, i);
      continue;
    }
    const auto known = std::find(kNames.begin(), kNames.end(), name);
    if (known == kNames.end()) {
      throw RunError(Exit::usage, "the RIS table has a column '" + shown(header[i]) +
                                      "' that is not known; known are " + known_columns() +
                                      "; rename it, give its name in --map, or leave it out with "
                                      "--ignore-columns " +
                                      shown(header[i]));
    }
    place(static_cast<Column>(known - kNames.begin()), i);
  }
  for (const auto& [theirs, column] : mapping.columns) {
    if (at_[column] == kNone)
      throw RunError(Exit::input, "the RIS table has no column '" + shown(theirs) + "', which --map names for " +
                                      named(column) + "; correct the map or the export");
  }
  if (at_[kPatientId] == kNone)
    throw RunError(Exit::input,
                   "the RIS table has no column PATIENT_ID; add it to the export (known are " + known_columns() + ")");
  if (at_[kAccession] == kNone && at_[kStudyUid] == kNone) {
    throw RunError(
        Exit::input,
        "the RIS table has neither a column ACCESSION nor STUDY_UID; add one of them to the export (known are " +
            known_columns() + ")");
  }
}

void ExamRows::add(match::CsvRow&& row) {
  if (held_)
    take(*held_);
  else
    held_.emplace();
  std::swap(*held_, row);  // both keep their memory
}

void ExamRows::take(match::CsvRow& row) {
  ++table_.rows;
  Exam exam;
  if (auto reason = read(row, exam)) {
    table_.bad.push_back({row.line, std::move(*reason)});
    return;
  }
  watch(exam);
  table_.exams.push_back(exam);
}

/// The exam of a row; the reason when it is none.
std::optional<std::string> ExamRows::read(const match::CsvRow& row, Exam& exam) {
  if (!row.error.empty()) return row.error;
  if (row.cells == header_) {
    ++repeated_headers_;
    return "the header line stands here again; two exports were put together";
  }
  if (auto reason = check_width(row)) return reason;
  row_ = &row;
  exam.line = row.line;
  if (const auto images = count_from(cell(kNumImages))) images_ += *images;
  if (auto reason = check_columns()) return reason;
  read_texts(exam);
  if (auto reason = read_dates(exam)) return reason;
  return check_ids(exam);
}

std::string_view ExamRows::cell(Column column) const {
  const std::size_t at = at_[column];
  return at == kNone ? std::string_view() : trim(row_->cells[at]);
}

std::optional<std::string> ExamRows::check_width(const match::CsvRow& row) const {
  const std::size_t n = row.cells.size(), width = header_.size();
  const bool only_empty_more =
      n > width && std::all_of(row.cells.begin() + static_cast<std::ptrdiff_t>(width), row.cells.end(),
                               [](const std::string& c) { return trim(c).empty(); });
  if (n == width || only_empty_more) return std::nullopt;
  return "the row has " + std::to_string(n) + " cells, the header has " + std::to_string(width) +
         (n < width ? "; a line break may stand in a cell without quotes"
                    : "; a separator may stand in a cell without quotes");
}

void ExamRows::read_name(Exam& exam) const {
  exam.last = cell(kLast);
  exam.first = cell(kFirst);
  exam.middle = cell(kMiddle);
  const std::string_view name = cell(kName);
  if (name.empty() || !exam.last.empty()) return;
  if (name.find('^') != std::string_view::npos) {
    const auto parts = split(name, '^');
    exam.last = trim(parts[0]);
    exam.first = trim(parts[1]);
    exam.middle = parts.size() > 2 ? std::string(trim(parts[2])) : "";
    return;
  }
  const std::size_t comma = name.find(',');
  exam.last = trim(name.substr(0, comma));
  if (comma != std::string_view::npos) exam.first = trim(name.substr(comma + 1));
}

void ExamRows::read_texts(Exam& exam) const {
  exam.patient_id = cell(kPatientId);
  exam.issuer = cell(kIssuer);
  read_name(exam);
  const auto sex = mapping_.sex.empty() ? mapping_.sex.end() : mapping_.sex.find(id_key(cell(kSex)));
  exam.sex = sex == mapping_.sex.end() ? match::sex_normal(cell(kSex)) : sex->second;
  exam.accession = cell(kAccession);
  exam.study_uid = cell(kStudyUid);
  exam.description = cell(kProcDesc);
  exam.classes = match::modality_classes(cell(kModality));
  exam.state = state_from(cell(kStatus), mapping_);
  std::vector<std::string> other_ids;
  for (const auto id : split(cell(kOtherIds), ';'))
    if (!trim(id).empty()) other_ids.push_back(id_key(id));
  std::sort(other_ids.begin(), other_ids.end());
  exam.other_ids = other_ids;
  exam.restricted = says_yes(cell(kVip));
  exam.reported = says_yes(cell(kReported));
}

std::optional<std::string> ExamRows::read_date(Column column, std::string& into) {
  const auto text = cell(column);
  if (text.empty()) return std::nullopt;
  const auto& format = mapping_.formats[column];
  auto value = format ? format->date(text) : match::date_normal(text);
  if (value) {
    into = std::move(*value);
    return std::nullopt;
  }
  if (is_day_number(text)) return named(column) + " is a day number of a spreadsheet; export it as text";
  if (!format) return named(column) + " is no date; write YYYYMMDD or YYYY-MM-DD, or name its format in --map";
  const auto turned = format->turned();
  if (turned && turned->date(text)) {
    ++turned_;
    return named(column) + " fits " + format->text() +
           " only with day and month exchanged; a spreadsheet may have turned it";
  }
  return named(column) + " does not fit " + format->text();
}

std::optional<std::string> ExamRows::read_dates(Exam& exam) {
  std::string born, day, death;
  if (auto reason = read_date(kDob, born)) return reason;
  if (auto reason = read_date(kStudyDate, day)) return reason;
  if (auto reason = read_date(kDeathDate, death)) return reason;
  exam.death_date = death;
  exam.birth_date = born;
  exam.study_date = day;
  const auto time = cell(kStudyTime);
  if (!time.empty()) {
    const auto& format = mapping_.formats[kStudyTime];
    const auto value = format ? format->time(time) : match::time_normal(time);
    if (value)
      exam.study_time = *value;
    else if (!mapping_.time_beside_date)
      return "STUDY_TIME is no time; write HHMMSS or HH:MM:SS, or name its format in --map";
  }
  const auto images = cell(kNumImages);
  if (images.empty()) return std::nullopt;
  const auto count = count_from(images);
  if (!count) return "NUM_IMAGES is no number";
  exam.images = *count;
  return std::nullopt;
}

/// Values that can only have come from another column.
std::optional<std::string> ExamRows::check_columns() const {
  const auto exchanged = [](Column column, const char* what) {
    return named(column) + " holds " + what + "; the columns of this row are mixed";
  };
  const auto sex = cell(kSex);
  const bool listed = mapping_.sex.count(id_key(sex)) > 0;
  if (!listed && (sex.size() > 12 || (sex.size() > 1 && holds_digit(sex)))) return exchanged(kSex, "what is no sex");
  if (is_whole_date(cell(kModality))) return exchanged(kModality, "a date");
  if (looks_like_uid(cell(kAccession))) return exchanged(kAccession, "a UID");
  if (looks_like_uid(cell(kPatientId))) return exchanged(kPatientId, "a UID");
  for (const Column column : {kLast, kFirst, kName})
    if (is_whole_date(cell(column))) return exchanged(column, "a date");
  return std::nullopt;
}

std::optional<std::string> ExamRows::check_ids(const Exam& exam) const {
  if (exam.patient_id.empty()) return "PATIENT_ID is empty";
  if (exam.accession.empty() && exam.study_uid.empty()) return "ACCESSION and STUDY_UID are both empty";
  if (!exam.study_uid.empty() && !is_uid(exam.study_uid)) return "STUDY_UID is no UID";
  for (const auto column : {kPatientId, kAccession}) {
    const auto id = cell(column);
    if (shortened_by_spreadsheet(id)) return named(column) + " was shortened by a spreadsheet (E+); export it as text";
    if (turned_into_date(id)) return named(column) + " was turned into a date by a spreadsheet; export it as text";
    if (all_digits(id) && id.size() < mapping_.digits[column]) {
      return named(column) + " has " + std::to_string(id.size()) + " digits instead of " +
             std::to_string(mapping_.digits[column]) +
             "; a spreadsheet may have dropped leading zeros: export it as text";
    }
  }
  // What cannot stand in the DICOM attribute would make a broken object of every edit.
  const auto check = [](Column column, std::string_view text, bool name) -> std::optional<std::string> {
    if (was_misread(text, name))
      return named(column) +
             " holds a character that was misread; the table may be in another code page (name it: code_page in --map)";
    const bool control =
        std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (control || text.find('\\') != std::string_view::npos)
      return named(column) + " holds a backslash or control character";
    if (name && text.find_first_of("^=") != std::string_view::npos) return named(column) + " holds ^ or =";
    if (!name && text.size() > 64) return named(column) + " is longer than 64 characters";
    return std::nullopt;
  };
  for (const auto column : {kPatientId, kIssuer, kAccession})
    if (auto reason = check(column, cell(column), false)) return reason;
  const bool whole = cell(kLast).empty() && !cell(kName).empty();
  for (const auto& [column, text] :
       {std::pair(kLast, std::string_view(exam.last)), std::pair(kFirst, std::string_view(exam.first)),
        std::pair(kMiddle, std::string_view(exam.middle))})
    if (auto reason = check(whole ? kName : column, text, true)) return reason;
  return std::nullopt;
}

/// The number of rows that a trailer names; nullopt when the row is none.
std::optional<std::uint64_t> ExamRows::trailer_count(const match::CsvRow& row) const {
  return row.error.empty() && row.cells != header_ ? count_of_trailer(row.cells) : std::nullopt;
}

void ExamRows::watch(const Exam& exam) {
  const std::string day(exam.study_date);
  if (!day.empty()) {
    if (first_date_.empty() || day < first_date_) first_date_ = day;
    last_date_ = std::max(last_date_, day);
  }
  const std::array<std::string_view, 2> ids = {exam.patient_id, exam.accession};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!all_digits(ids[i]) || ids[i].size() >= digits_[i].of_length.size()) continue;
    ++digits_[i].numbers;
    digits_[i].with_zero += ids[i].front() == '0';
    ++digits_[i].of_length[ids[i].size()];
  }
  const std::array<std::string_view, 3> texts = {exam.last, exam.first, exam.description};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Widths& w = widths_[i];
    const std::size_t length = characters(texts[i]);
    ++w.of_length[std::min(length, w.of_length.size() - 1)];
    if (length > w.longest) {
      w.longest = length;
      w.texts.clear();
    }
    if (length == w.longest && w.texts.size() < kCutTexts) w.texts.emplace(texts[i]);
  }
}

/// What only the whole column shows: zeros lost, texts cut, dates turned.
void ExamRows::remark_on_columns() {
  constexpr std::uint64_t kEnough = 50;
  const std::array<Column, 2> ids = {kPatientId, kAccession};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Digits& d = digits_[i];
    if (mapping_.digits[ids[i]] > 0 || d.numbers < kEnough || d.with_zero > 0) continue;
    const auto most = std::max_element(d.of_length.begin(), d.of_length.end());
    const auto length = static_cast<std::size_t>(most - d.of_length.begin());
    std::uint64_t shorter = 0;
    for (std::size_t n = 0; n < length; ++n) shorter += d.of_length[n];
    // Numbers with leading zeros are a tenth of those of full length; a numbering that has just grown by a digit has
    // more.
    if (shorter == 0 || *most + shorter < d.numbers || shorter * 4 > d.numbers) continue;
    table_.remarks.push_back(
        named(ids[i]) + ": " + std::to_string(shorter) + " numbers have fewer than the " + std::to_string(length) +
        " digits of the others and none begins with 0; a spreadsheet may have dropped leading zeros "
        "(if so, export as text, or name the number of digits in --map)");
  }
  const std::array<Column, 3> texts = {kLast, kFirst, kProcDesc};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    static constexpr std::array<std::size_t, 8> kCuts = {16, 20, 24, 25, 30, 32, 40, 64};
    const Widths& w = widths_[i];
    if (w.texts.size() < kCutTexts || std::find(kCuts.begin(), kCuts.end(), w.longest) == kCuts.end()) continue;
    // Lengths die out slowly; what is cut piles up at the last one.
    if (w.of_length[w.longest] <= w.of_length[w.longest - 1] + w.of_length[w.longest - 2]) continue;
    table_.remarks.push_back(named(texts[i]) + ": several texts have exactly " + std::to_string(w.longest) +
                             " characters and none has more; the export may have cut them");
  }
  if (turned_ > 0) {
    table_.remarks.push_back(
        std::to_string(turned_) +
        " dates fit their format only with day and month exchanged; the others may be turned as well: "
        "do not trust any date of this table before it is exported as text");
  }
}

void ExamRows::check_control(const std::string& sha256, std::optional<std::uint64_t> trailer) {
  const Control& c = mapping_.control;
  const auto refuse = [](const std::string& what) {
    throw RunError(Exit::input, "the RIS table is not what its exporter promised: " + what +
                                    "; it was cut or changed: export it again");
  };
  const std::uint64_t rows = table_.rows - repeated_headers_;
  const auto count = [&](const char* what, std::uint64_t here, std::uint64_t promised) {
    if (here != promised)
      refuse(std::to_string(here) + what + ", " + std::to_string(promised) + " by the control total");
  };
  if (trailer) count(" rows", rows, *trailer);
  if (c.rows) count(" rows", rows, *c.rows);
  if (c.images) count(" images in NUM_IMAGES", images_, *c.images);
  if (!c.first_date.empty() && c.first_date != first_date_)
    refuse("the first STUDY_DATE is " + (first_date_.empty() ? "missing" : first_date_) + ", " + c.first_date +
           " by the control total");
  if (!c.last_date.empty() && c.last_date != last_date_)
    refuse("the last STUDY_DATE is " + (last_date_.empty() ? "missing" : last_date_) + ", " + c.last_date +
           " by the control total");
  if (!c.sha256.empty()) {
    if (sha256.empty())
      throw RunError(Exit::usage, "a control total of SHA-256 is of a file; a query has none: leave it out");
    if (c.sha256 != sha256) refuse("its SHA-256 differs");
  }
  table_.control = trailer || c.given();
  if (c.required && !table_.control) {
    throw RunError(Exit::input,
                   "nothing says how many rows the RIS table should have, and a control total is required; ask the "
                   "exporter and give it with --control");
  }
  const bool counted = trailer || c.rows || !c.sha256.empty();
  for (const std::uint64_t limit : {std::uint64_t{65536}, std::uint64_t{1048576}}) {
    if (!counted && !sha256.empty() && (table_.rows == limit || table_.rows + 1 == limit)) {
      throw RunError(Exit::input, "the RIS table ends in row " + std::to_string(limit) +
                                      ", where spreadsheets cut; export it without one, or give the promised number of "
                                      "rows with --control");
    }
  }
}

match::ExamTable ExamRows::finish(const std::string& sha256) {
  std::optional<std::uint64_t> trailer;
  if (held_) {
    if (!sha256.empty()) trailer = trailer_count(*held_);  // the rows of a query have none
    if (!trailer) take(*held_);
    held_.reset();
  }
  check_control(sha256, trailer);
  remark_on_columns();
  match::merge_repeated(table_);
  return std::move(table_);
}

}  // namespace waybill::ris
