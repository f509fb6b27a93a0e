// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.hpp"
#include "dicom/toolkit.hpp"
#include "load/run.hpp"

#include <iomanip>
#include <iostream>

namespace waybill::tools {

/// What `waybill load --dry-run` prints. Exit 1 when the peer refuses what some objects need.
inline Exit print_preview(const load::Options& options, bool json) {
  const dicom::Toolkit toolkit;
  const load::Preview preview = load::preview(options);
  if (json) {
    JsonWriter w;
    w.begin_object().member("input", preview.input).member("objects", preview.objects);
    w.member("bytes", preview.bytes).member("studies", preview.studies);
    w.member("refused", preview.refused).key("contexts").begin_array();
    for (const auto& line : preview.contexts) {
      w.begin_object().member("sop_class", line.context.sop_class);
      w.member("transfer_syntax", line.context.transfer_syntax);
      w.member("objects", line.objects).key("granted");
      line.granted ? w.value(*line.granted) : w.null();
      if (line.level) w.member("level", *line.level);
      w.end_object();
    }
    w.end_array().key("held_back").begin_object();
    for (const auto& [bucket, count] : preview.held_back) w.member(bucket, count);
    std::cout << std::move(w.end_object().end_object()).str() << '\n';
  } else {
    std::cout << "would send  " << preview.objects << " of " << preview.input << " objects, " << preview.studies
              << " studies, " << preview.bytes << " bytes\n";
    for (const auto& line : preview.contexts) {
      std::cout << (!line.granted   ? "not asked   "
                    : *line.granted ? "granted     "
                                    : "REFUSED     ")
                << std::setw(10) << line.objects << "  " << line.context.sop_class << "  "
                << line.context.transfer_syntax << (line.level ? "  level " + std::to_string(*line.level) : "") << '\n';
    }
    if (preview.refused > 0) std::cout << "refused     " << preview.refused << " objects in all their syntaxes\n";
    for (const auto& [bucket, count] : preview.held_back) std::cout << "not sent    " << count << ' ' << bucket << '\n';
  }
  return preview.refused > 0 ? Exit::exceptions : Exit::ok;
}

}  // namespace waybill::tools
