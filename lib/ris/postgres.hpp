// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "match/exam.hpp"
#include "ris/mapping.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::ris {

/// Whether `text` is the address of a PostgreSQL database: postgresql://… or postgres://….
[[nodiscard]] bool is_database(std::string_view text);

/// Exams from the rows of one SQL statement. The session is read-only by its default and by its transaction, one
/// statement is all the server takes, and rows come one by one, so that memory grows with the exams alone. The password
/// comes from PGPASSFILE, ~/.pgpass or PGPASSWORD, never from the address, which every user of the machine can see. The
/// digest of the table is that of its rows, whatever their order.
/// Throws RunError: usage for an address with a password, an address or a query file that cannot be read, and SQL that
/// the server does not take; peer when the server cannot be reached or goes away; interrupted on a stop; else as
/// ExamRows does.
[[nodiscard]] match::ExamTable query_exams(const std::string& address, const std::filesystem::path& query,
                                           const std::vector<std::string>& ignored, const Mapping& mapping);

}  // namespace waybill::ris
