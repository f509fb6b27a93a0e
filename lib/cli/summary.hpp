// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/result.hpp"

#include <string>
#include <utility>
#include <vector>

namespace waybill::cli {

/// What a tool says at its end.
struct Summary {
  std::string stage;
  std::string output;  ///< the manifest written; with "-" the summary goes to stderr
  bool already_complete = false, interrupted = false;
  Exit exit = Exit::ok;
  std::string counts;                                      ///< a JSON object
  std::vector<std::pair<std::string, std::string>> lines;  ///< the same for people: label and value
  /// Whether to say on stderr, at exit 1, that `waybill report OUTPUT --csv FILE` lists the exceptions.
  bool listed_by_report = false;
};

/// Prints it as one JSON object or as text; gives its exit code.
[[nodiscard]] Exit print(const Summary& summary, bool json);

}  // namespace waybill::cli
