// SPDX-License-Identifier: Apache-2.0
#include "ris/read.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "match/csv.hpp"
#include "ris/code_page.hpp"
#include "ris/exam_rows.hpp"

#include <fstream>
#include <sstream>

namespace waybill::ris {

match::ExamTable read_exams(std::string bytes, const std::vector<std::string>& ignored, const Mapping& mapping) {
  const Digest digest = Sha256::of(bytes);
  match::CsvReader reader(table_text(std::move(bytes), mapping.code_page), mapping.separator);
  match::CsvRow row;
  if (!reader.next(row)) throw RunError(Exit::input, "the RIS table is empty; export it with a header line");
  if (!row.error.empty())
    throw RunError(Exit::input,
                   "the header line of the RIS table cannot be read: " + row.error + "; correct it and run again");
  ExamRows rows(row.cells, mapping, ignored);
  while (reader.next(row)) rows.add(std::move(row));
  match::ExamTable table = rows.finish(digest.hex());
  table.cp1252 = reader.was_cp1252();
  table.separator = reader.separator();
  table.digest = digest;
  return table;
}

match::ExamTable read_exams_file(const std::filesystem::path& path, const std::vector<std::string>& ignored,
                                 const Mapping& mapping) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || bytes.view().empty()) {
    throw RunError(Exit::input,
                   "the RIS table " + path_to_text(path.string()) + " cannot be read or is empty; check --ris");
  }
  return read_exams(std::move(bytes).str(), ignored, mapping);
}

}  // namespace waybill::ris
