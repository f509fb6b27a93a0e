// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/writer.hpp"
#include "reconcile/summary.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// Decides which RIS exam each study of a scan belongs to and how its objects must change to follow it.
namespace waybill::reconcile {

struct Options {
  std::filesystem::path scan;        ///< a complete scan manifest, "-" for standard input
  std::filesystem::path ris;         ///< the exams: CSV or postgresql://…; may be empty when there is HL7
  std::filesystem::path query;       ///< the SQL that gives them, for a database
  std::filesystem::path map;         ///< how their columns are to be read (ris::Mapping); none when empty
  std::filesystem::path control;     ///< what the exporter promised about the table; none when empty
  std::vector<std::string> hl7;      ///< files and folders of HL7 messages
  std::string issuer;                ///< authority of patient numbers that name none
  std::string as_of;                 ///< leave out what messages say after this time (as in HL7)
  std::filesystem::path output;      ///< reconcile.wb; may be empty in a dry run
  std::filesystem::path exceptions;  ///< exceptions.csv, none when empty
  std::filesystem::path worklist;    ///< the same as an HTML page, none when empty
  std::filesystem::path decisions;   ///< what people answered, the same CSV filled in; none when empty
  std::filesystem::path rules;       ///< what the site settles about matching (match::SiteRules); none when empty
  std::vector<std::string> approve;  ///< rules that may decide alone beyond R0, R1, R2: "R5"
  std::vector<std::string> ignore_columns;
  std::vector<std::filesystem::path> loaded;   ///< manifests of load: write what must be corrected there
  std::vector<std::filesystem::path> applied;  ///< where the manifests that these were made from are, if elsewhere
  bool dry_run = false;                        ///< count only, write nothing
  manifest::Restart restart = manifest::Restart::no;
};

/// Runs the whole stage. Throws RunError: usage for an unknown rule or column, input for a scan that is incomplete or a
/// table that cannot be read, integrity when a ledger does not close. An output that was complete already is left as it
/// is; the exceptions are written again, since they follow from the same inputs.
Summary run(const Options& options);

}  // namespace waybill::reconcile
