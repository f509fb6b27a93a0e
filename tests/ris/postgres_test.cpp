// SPDX-License-Identifier: Apache-2.0
// Against a real server, which the test starts in its own folder and ends.
#include "ris/postgres.hpp"

#include "core/result.hpp"
#include "support/folder.hpp"

#include <cstdlib>

namespace waybill::ris {
namespace {

/// One server for all tests of this program.
class RisPostgres : public test::InFolder {
 protected:
  static void SetUpTestSuite() {
    const char* source = std::getenv("WAYBILL_SOURCE");
    if (source == nullptr || test::shell("ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null").exit != 0) return;
    script_ = std::string(source) + "/scripts/postgres";
    server_ = test::fs::temp_directory_path() / ("waybill-postgres-" + std::to_string(getpid()));
    const auto started = test::shell("'" + script_ + "' start '" + server_.string() + "' 2>&1");
    ASSERT_EQ(started.exit, 0) << started.out;
    sql("CREATE TABLE exams (mrn text, family text, given text, born date, accno text, begun timestamp, images int);"
        "INSERT INTO exams VALUES ('0017', 'Müller', 'Änne', '1970-02-05', 'A17', '2020-03-04 09:05:00', 12),"
        "('0018', 'Ober', 'Ute', NULL, 'A18', '2020-03-05 10:00:00', 3);"
        "CREATE TABLE many AS SELECT n::text AS patient_id, 'A' || n AS accession FROM generate_series(1, 20000) n;"
        "CREATE ROLE reader LOGIN PASSWORD 'open sesame'; GRANT ALL ON ALL TABLES IN SCHEMA public TO reader;");
  }
  static void TearDownTestSuite() {
    if (server_.empty()) return;
    EXPECT_EQ(test::shell("'" + script_ + "' stop '" + server_.string() + "'").exit, 0);
  }
  static std::string sql(const std::string& text) {
    test::put(test::fs::temp_directory_path() / ("waybill-sql-" + std::to_string(getpid())), text);
    const auto file = (test::fs::temp_directory_path() / ("waybill-sql-" + std::to_string(getpid()))).string();
    const auto ran = test::shell("'" + script_ + "' psql '" + server_.string() + "' <'" + file + "' 2>&1");
    test::fs::remove(file);
    EXPECT_EQ(ran.exit, 0) << ran.out;
    return ran.out;
  }

  void SetUp() override {
    InFolder::SetUp();
    if (server_.empty()) GTEST_SKIP() << "skipped: PostgreSQL is not installed";
    test::put(folder_ / "pgpass", "*:*:*:reader:open sesame\n");
    test::fs::permissions(folder_ / "pgpass", test::fs::perms::owner_read | test::fs::perms::owner_write);
    setenv("PGPASSFILE", (folder_ / "pgpass").c_str(), 1);
    address_ = "postgresql://reader@/postgres?host=" + server_.string();
  }

  match::ExamTable query(const std::string& text, const std::string& map = "") {
    test::put(folder_ / "q.sql", text);
    Mapping mapping;
    if (!map.empty()) {
      test::put(folder_ / "map.toml", map);
      mapping = Mapping::read(folder_ / "map.toml");
    }
    return query_exams(address_, folder_ / "q.sql", {}, mapping);
  }
  RunError error_of(const std::string& text, const std::string& map = "") {
    try {
      (void)query(text, map);
    } catch (const RunError& error) {
      return error;
    }
    return {Exit::ok, ""};
  }

  static inline std::string script_;
  static inline test::fs::path server_;
  std::string address_;
};

bool holds(const RunError& error, const std::string& part) {
  return std::string(error.what()).find(part) != std::string::npos;
}

TEST_F(RisPostgres, RowsOfAQueryGoThroughTheMapping) {
  const auto table =
      query("SELECT * FROM exams ORDER BY mrn;",
            "[columns]\nPATIENT_ID = \"mrn\"\nLAST = \"family\"\nFIRST = \"given\"\nDOB = \"born\"\n"
            "ACCESSION = \"accno\"\nSTUDY_DATE = \"begun\"\nSTUDY_TIME = \"begun\"\nNUM_IMAGES = \"images\"\n"
            "[formats]\nSTUDY_DATE = \"YYYY-MM-DD hh:mm:ss\"\n[control]\nrows = 2\nimages = 15\n");
  ASSERT_EQ(table.exams.size(), 2U);
  const match::Exam& e = table.exams[0];
  EXPECT_EQ(e.patient_id, "0017");
  EXPECT_EQ(e.last, "Müller");
  EXPECT_EQ(e.birth_date, "19700205");
  EXPECT_EQ(e.study_date, "20200304");
  EXPECT_EQ(e.study_time, "090500");
  EXPECT_EQ(e.images, 12U);
  EXPECT_EQ(table.exams[1].birth_date, "") << "NULL is unknown";
  EXPECT_TRUE(table.control);
}

TEST_F(RisPostgres, TheDigestIsThatOfTheRowsInAnyOrder) {
  const std::string select = "SELECT mrn AS patient_id, accno AS accession FROM exams ";
  const auto digest = query(select + "ORDER BY mrn").digest;
  EXPECT_EQ(query(select + "ORDER BY mrn DESC").digest, digest);
  EXPECT_NE(query(select + "WHERE mrn = '0017'").digest, digest);
}

TEST_F(RisPostgres, NothingCanBeWritten) {
  const auto insert =
      error_of("INSERT INTO exams (mrn, accno) VALUES ('1', '2') RETURNING mrn AS patient_id, accno AS accession");
  EXPECT_EQ(insert.exit(), Exit::usage);
  EXPECT_TRUE(holds(insert, "read-only transaction")) << insert.what();
  const auto two = error_of("SELECT mrn AS patient_id, accno AS accession FROM exams; DELETE FROM exams");
  EXPECT_EQ(two.exit(), Exit::usage);
  EXPECT_TRUE(holds(two, "multiple commands")) << two.what();
  EXPECT_EQ(error_of("COMMIT").exit(), Exit::usage);
  EXPECT_TRUE(holds(error_of("SELECT current_setting('default_transaction_read_only') AS patient_id, 1/0 AS accession"),
                    "SQLSTATE 22012"));
  address_ += "&options=-c%20default_transaction_read_only%3Doff";
  EXPECT_EQ(
      query("SELECT current_setting('default_transaction_read_only') || current_setting('transaction_read_only') AS "
            "patient_id, 'x' AS accession")
          .exams.at(0)
          .patient_id,
      "onon")
      << "the address cannot take it back";
  EXPECT_NE(sql("SELECT count(*) FROM exams").find("2"), std::string::npos);
}

TEST_F(RisPostgres, APasswordInTheAddressIsRefused) {
  const std::string socket = server_.string();
  for (const std::string& address : {"postgresql://reader:open%20sesame@/postgres?host=" + socket,
                                     "postgresql://reader@/postgres?host=" + socket + "&password=x"}) {
    address_ = address;
    const auto error = error_of("SELECT 1");
    EXPECT_EQ(error.exit(), Exit::usage);
    EXPECT_TRUE(holds(error, "PGPASSFILE"));
    EXPECT_FALSE(holds(error, "sesame"));
  }
}

TEST_F(RisPostgres, AWrongPasswordAndAServerThatIsNotThereAreAPeersFault) {
  test::put(folder_ / "pgpass", "*:*:*:reader:wrong\n");
  const auto wrong = error_of("SELECT 1");
  EXPECT_EQ(wrong.exit(), Exit::peer);
  EXPECT_TRUE(holds(wrong, "password authentication failed")) << wrong.what();
  address_ = "postgresql://reader@/postgres?host=" + folder_.string();
  EXPECT_EQ(error_of("SELECT 1").exit(), Exit::peer);
  address_ = "postgresql://reader@/postgres?nosuch=1";
  EXPECT_EQ(error_of("SELECT 1").exit(), Exit::usage);
}

TEST_F(RisPostgres, WrongSqlIsToldInTheServersWordsAndDataIsNot) {
  const auto syntax = error_of("SELECT FROM WHERE");
  EXPECT_EQ(syntax.exit(), Exit::usage);
  EXPECT_TRUE(holds(syntax, "syntax error")) << syntax.what();
  const auto data = error_of("SELECT family::int AS patient_id, accno AS accession FROM exams");
  EXPECT_EQ(data.exit(), Exit::usage);
  EXPECT_TRUE(holds(data, "SQLSTATE 22P02"));
  EXPECT_FALSE(holds(data, "ller")) << "the server's sentence holds a patient's name: " << data.what();
  EXPECT_EQ(error_of(" ").exit(), Exit::usage);
  EXPECT_EQ(error_of("SELECT mrn AS foo FROM exams").exit(), Exit::input);
}

TEST_F(RisPostgres, ControlTotalsAreCompared) {
  const std::string select = "SELECT mrn AS patient_id, accno AS accession FROM exams";
  const auto rows = error_of(select, "[control]\nrows = 3\n");
  EXPECT_EQ(rows.exit(), Exit::input);
  EXPECT_TRUE(holds(rows, "2 rows, 3 by the control total"));
  EXPECT_EQ(error_of(select, "[control]\nsha256 = \"" + std::string(64, '0') + "\"\n").exit(), Exit::usage);
}

TEST_F(RisPostgres, ManyRowsAndNoneAreRead) {
  EXPECT_EQ(query("SELECT * FROM many").exams.size(), 20000U);
  EXPECT_EQ(query("SELECT * FROM many WHERE false").exams.size(), 0U);
}

TEST_F(RisPostgres, AServerThatGoesAwayInTheMiddleIsAPeersFault) {
  const auto error = error_of(
      "SELECT n::text AS patient_id, CASE WHEN n = 500 THEN pg_terminate_backend(pg_backend_pid())::text ELSE 'x' END "
      "AS "
      "accession FROM generate_series(1, 1000) n");
  EXPECT_EQ(error.exit(), Exit::peer) << error.what();
  EXPECT_TRUE(holds(error, "went away")) << error.what();
}

}  // namespace
}  // namespace waybill::ris
