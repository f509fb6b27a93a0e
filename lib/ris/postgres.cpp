// SPDX-License-Identifier: Apache-2.0
#include "ris/postgres.hpp"

#include "core/result.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "io/read_file.hpp"
#include "ris/exam_rows.hpp"

#include <libpq-fe.h>

#include <array>
#include <cstring>
#include <memory>

namespace waybill::ris {
namespace {

struct Finish {
  void operator()(PGconn* c) const { PQfinish(c); }
  void operator()(PGresult* r) const { PQclear(r); }
  void operator()(PQconninfoOption* o) const { PQconninfoFree(o); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Rows = std::unique_ptr<PGresult, Finish>;

/// The server's words in one line.
std::string one_line(const char* message) {
  std::string text;
  for (const char c : repair_utf8(message == nullptr ? "" : message))
    text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return std::string(trim(text));
}

struct Parameters {
  std::vector<std::string> words, values;
  void set(const char* word, std::string value) {
    words.emplace_back(word);
    values.push_back(std::move(value));
  }
};

/// The address taken apart; libpq's own words about it are not shown, since they repeat it.
Parameters parameters_of(const std::string& address) {
  const std::unique_ptr<PQconninfoOption, Finish> parsed(PQconninfoParse(address.c_str(), nullptr));
  if (!parsed)
    throw RunError(Exit::usage, "the address of --ris cannot be read; write postgresql://USER@HOST:PORT/DATABASE");
  Parameters out;
  std::string settings;
  bool timeout = false;
  for (const PQconninfoOption* o = parsed.get(); o->keyword != nullptr; ++o) {
    if (o->val == nullptr) continue;
    const std::string_view word = o->keyword;
    if (word == "password" || word == "sslpassword") {
      throw RunError(Exit::usage,
                     "the address of --ris holds a password, which every user of this machine can read in the list of "
                     "processes; take it out and give it by PGPASSFILE, ~/.pgpass or PGPASSWORD");
    }
    if (word == "options")
      settings = std::string(o->val) + " ";
    else
      out.set(o->keyword, o->val);
    timeout = timeout || word == "connect_timeout";
  }
  // Behind the address's own settings, so that these hold.
  out.set("options", settings + "-c default_transaction_read_only=on -c datestyle=ISO,YMD -c statement_timeout=0");
  out.set("client_encoding", "UTF8");
  out.set("fallback_application_name", "waybill reconcile");
  if (!timeout) out.set("connect_timeout", "15");
  return out;
}

Connection connect(const std::string& address) {
  const Parameters p = parameters_of(address);
  std::vector<const char*> words, values;
  for (std::size_t i = 0; i < p.words.size(); ++i) {
    words.push_back(p.words[i].c_str());
    values.push_back(p.values[i].c_str());
  }
  words.push_back(nullptr);
  values.push_back(nullptr);
  Connection c(PQconnectdbParams(words.data(), values.data(), 0));
  if (!c || PQstatus(c.get()) != CONNECTION_OK) {
    throw RunError(Exit::peer,
                   "the database of --ris cannot be reached: " + one_line(c ? PQerrorMessage(c.get()) : "no memory") +
                       "; nothing was changed, correct the address or the password and run again");
  }
  return c;
}

/// Words of the server about the statement. Those about data may repeat a value, so only their code is shown.
std::string words_about(const PGresult* result) {
  const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string state = code == nullptr ? "" : code;
  static constexpr std::array<std::string_view, 6> kAboutTheStatement = {"42", "25", "0A", "57", "28", "53"};
  for (const auto kind : kAboutTheStatement)
    if (state.starts_with(kind))
      return one_line(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)) + " (SQLSTATE " + state + ")";
  return "SQLSTATE " + (state.empty() ? std::string("unknown") : state);
}

[[noreturn]] void fail(PGconn* c, const PGresult* result, const std::string& query) {
  const char* code = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const bool gone = code == nullptr || PQstatus(c) != CONNECTION_OK || std::strncmp(code, "08", 2) == 0 ||
                    std::strncmp(code, "57P", 3) == 0;
  if (gone)
    throw RunError(Exit::peer, "the database of --ris went away while its rows were read: " +
                                   one_line(PQerrorMessage(c)) + "; nothing was changed, run again");
  throw RunError(Exit::usage, "the database does not take the query " + query + ": " + words_about(result));
}

void command(PGconn* c, const char* sql) {
  const Rows result(PQexec(c, sql));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(c, result.get(), sql);
}

/// The sum of the rows' digests: equal for equal rows in any order.
class RowDigest {
 public:
  void add(const match::CsvRow& row) {
    std::string text;
    for (const auto& cell : row.cells) (text += std::to_string(cell.size()) + ':') += cell;
    const Digest digest = Sha256::of(text);
    unsigned carry = 0;
    for (std::size_t i = 0; i < sum_.bytes.size(); ++i) {
      carry += std::to_integer<unsigned>(sum_.bytes[i]) + std::to_integer<unsigned>(digest.bytes[i]);
      sum_.bytes[i] = static_cast<std::byte>(carry & 0xFFU);
      carry >>= 8U;
    }
  }
  [[nodiscard]] const Digest& sum() const { return sum_; }

 private:
  Digest sum_{};
};

match::CsvRow row_of(const PGresult* result, int row, std::size_t number) {
  match::CsvRow out;
  out.line = number;
  for (int i = 0; i < PQnfields(result); ++i)
    out.cells.emplace_back(PQgetvalue(result, row, i), static_cast<std::size_t>(PQgetlength(result, row, i)));
  return out;
}

std::vector<std::string> header_of(const PGresult* result) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(PQnfields(result)));
  for (int i = 0; i < PQnfields(result); ++i) names.emplace_back(PQfname(result, i));
  return names;
}

void cancel(PGconn* c) {
  std::array<char, 256> words{};
  if (PGcancel* order = PQgetCancel(c)) {
    PQcancel(order, words.data(), static_cast<int>(words.size()));
    PQfreeCancel(order);
  }
}

}  // namespace

bool is_database(std::string_view text) { return text.starts_with("postgresql://") || text.starts_with("postgres://"); }

match::ExamTable query_exams(const std::string& address, const std::filesystem::path& query,
                             const std::vector<std::string>& ignored, const Mapping& mapping) {
  const std::string name = path_to_text(query.string());
  const auto bytes = io::read_file(query);
  if (!bytes) throw RunError(Exit::usage, "the query " + name + " cannot be read: " + bytes.error().what);
  const std::string sql(as_text(*bytes));
  if (sql.find('\0') != std::string::npos || trim(sql).empty())
    throw RunError(Exit::usage, "the query " + name + " is no SQL; write one SELECT");
  const Connection c = connect(address);
  command(c.get(), "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  // With parameters, though there are none: the server then takes one statement and no second one behind a semicolon.
  if (PQsendQueryParams(c.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) != 1 ||
      PQsetSingleRowMode(c.get()) != 1)
    fail(c.get(), nullptr, name);

  std::optional<ExamRows> rows;
  RowDigest digest;
  std::size_t number = 0;
  while (const Rows result{PQgetResult(c.get())}) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
      throw RunError(Exit::usage, "the query " + name + " gives no rows; write one SELECT");
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) fail(c.get(), result.get(), name);
    if (!rows) rows.emplace(header_of(result.get()), mapping, ignored);
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      auto row = row_of(result.get(), i, ++number);
      digest.add(row);
      rows->add(std::move(row));
    }
    if (number % 1024 == 0 && stop_requested()) {
      cancel(c.get());
      throw RunError(Exit::interrupted, "stopped before anything was decided; run the same command again");
    }
  }
  if (!rows) fail(c.get(), nullptr, name);
  command(c.get(), "ROLLBACK");
  match::ExamTable table = rows->finish({});
  table.digest = digest.sum();
  return table;
}

}  // namespace waybill::ris
