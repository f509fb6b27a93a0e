// SPDX-License-Identifier: Apache-2.0
#include "report/report.hpp"

#include "core/csv.hpp"

namespace waybill::report {

std::string to_csv(const Report& report) {
  std::string out = csv_row({"kind",       "id",           "path",    "member",      "offset",
                             "size",       "stage",        "bucket",  "severity",    "codes",
                             "reason",     "grade",        "verdict", "load_status", "transcode_outcome",
                             "sop_class",  "sop_instance", "study",   "series",      "modality",
                             "study_date", "patient"});
  for (const auto& u : report.unexplained) {
    out += csv_row({"unexplained",
                    u.subject,
                    u.path,
                    "",
                    "",
                    "",
                    u.manifest,
                    "unexplained",
                    "",
                    u.kind,
                    u.sentence,
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    "",
                    ""});
  }
  for (const auto& e : report.exceptions) {
    out += csv_row({"exception",
                    e.id,
                    e.path,
                    e.member,
                    std::to_string(e.offset),
                    std::to_string(e.size),
                    e.stage,
                    e.bucket,
                    e.severity,
                    e.codes,
                    e.reason,
                    e.grade,
                    e.verdict,
                    e.load_status,
                    e.transcode_outcome,
                    e.sop_class,
                    e.sop_instance,
                    e.study,
                    e.series,
                    e.modality,
                    e.study_date,
                    e.patient});
  }
  return out;
}

}  // namespace waybill::report
