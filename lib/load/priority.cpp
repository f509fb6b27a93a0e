// SPDX-License-Identifier: Apache-2.0
#include "load/priority.hpp"

#include "core/text.hpp"
#include "io/read_file.hpp"
#include "match/csv.hpp"
#include "match/normal.hpp"
#include "orders/book.hpp"

#include <algorithm>
#include <cctype>

namespace waybill::load {

namespace {

constexpr std::uint64_t kWorklist = std::uint64_t{1} << 40U;  // behind any list
constexpr std::uint64_t kRest = std::uint64_t{1} << 60U;
constexpr char kBetween = '\x1F';

std::string by_study(std::string_view uid) { return "s" + std::string(trim(uid)); }
std::string by_accession(std::string_view accession) { return "a" + match::accession_key(std::string(accession)); }
/// `issuer` may be empty: then the number counts whoever gave it.
std::string by_patient(std::string_view id, std::string_view issuer) {
  return "p" + match::id_key(std::string(id)) + kBetween + std::string(trim(issuer));
}

struct Columns {
  int study = -1, accession = -1, patient = -1, issuer = -1;
};

Columns columns_of(const match::CsvRow& heading) {
  Columns columns;
  for (std::size_t i = 0; i < heading.cells.size(); ++i) {
    std::string name(trim(heading.cells[i]));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const int at = static_cast<int>(i);
    if (name == "study_uid" || name == "study") columns.study = at;
    if (name == "accession") columns.accession = at;
    if (name == "patient_id") columns.patient = at;
    if (name == "issuer") columns.issuer = at;
  }
  return columns;
}

std::string cell(const match::CsvRow& row, int column) {
  const auto at = static_cast<std::size_t>(column);
  return column < 0 || at >= row.cells.size() ? "" : std::string(trim(row.cells[at]));
}

}  // namespace

void Priority::add(const std::string& key, std::uint64_t rank) {
  const auto [at, added] = ranks_.emplace(key, rank);
  if (!added) at->second = std::min(at->second, rank);
}

void Priority::add_list(const std::filesystem::path& file) {
  const std::string name = path_to_text(file.native());
  const auto bytes = io::read_file(file);
  if (!bytes) throw RunError(Exit::input, name + " " + bytes.error().what);
  match::CsvReader reader{std::string(as_text(*bytes))};
  match::CsvRow row;
  Columns columns;
  if (reader.next(row)) columns = columns_of(row);
  if (columns.study < 0 && columns.accession < 0 && columns.patient < 0) {
    throw RunError(Exit::usage,
                   name + " has none of the columns study_uid, accession and patient_id; name one in its first line");
  }
  while (reader.next(row)) {
    if (!row.error.empty())
      throw RunError(Exit::usage, name + " line " + std::to_string(row.line) + ": " + row.error + "; mend the row");
    const std::string study = cell(row, columns.study), accession = cell(row, columns.accession),
                      patient = cell(row, columns.patient);
    const std::uint64_t rank = listed_++;
    if (!study.empty()) {
      add(by_study(study), rank);
    } else if (!accession.empty()) {
      add(by_accession(accession), rank);
    } else if (!patient.empty()) {
      add(by_patient(patient, cell(row, columns.issuer)), rank);
    } else {
      --listed_;
    }
  }
}

void Priority::add_worklist(const std::vector<std::string>& paths, std::string_view today) {
  orders::Book book;
  hl7::Intake intake([&](hl7::Message& message, const hl7::Origin& origin) {
    for (const orders::Order& order : orders::orders_of(message, origin, {})) book.add(order);
  });
  intake.read(paths);
  for (const std::uint32_t n : book.sorted()) {
    const orders::Order order = book.at(n);
    if (order.report || order.state != orders::State::planned || order.patient.id.empty()) continue;
    if (!order.date.empty() && order.date.view() < today) continue;
    const std::string when = order.date.str() + std::string(order.clock.view().substr(0, 4));
    const std::uint64_t rank = kWorklist + (order.date.empty() ? kWorklist : std::strtoull(when.c_str(), nullptr, 10));
    ++patients_;
    add(by_patient(order.patient.id, ""), rank);
  }
}

std::uint64_t Priority::rank(const manifest::Object& object) const {
  std::uint64_t best = kRest;
  const auto look = [&](const std::string& key) {
    if (const auto at = ranks_.find(key); at != ranks_.end()) best = std::min(best, at->second);
  };
  if (ranks_.empty()) return best;
  look(by_study(object.study.value_or("")));
  if (object.accession && !object.accession->empty()) look(by_accession(*object.accession));
  if (object.patient_id && !object.patient_id->empty()) {
    look(by_patient(*object.patient_id, ""));
    if (object.issuer) look(by_patient(*object.patient_id, *object.issuer));
  }
  return best;
}

}  // namespace waybill::load
