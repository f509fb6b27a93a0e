// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// `waybill sync`: the chain of stages on what is new since the last run.
namespace waybill::sync {

namespace fs = std::filesystem;

/// What to do with studies that reconcile did not decide.
enum class Undecided { hold, send };

/// A plan file. Paths are absolute: those in the file are relative to its folder. Words are the options of the stage's
/// program as they go into its arguments; they hold neither secrets nor patient data.
struct Plan {
  fs::path file;
  std::string name;  ///< label of the project in metrics; the project folder's name without one
  fs::path project;  ///< folder of state, manifests and reports
  unsigned threads = 0;

  struct Scan {
    std::vector<std::string> sources;
    std::vector<std::string> include, exclude;
    bool deep = false;
    std::vector<std::string> words;
    bool recheck = false;  ///< the draw gets the number of the run as its seed
  } scan;

  struct Reconcile {
    std::string ris;               ///< a file, a folder whose newest CSV counts, postgresql://…, or empty
    std::int64_t ris_settle = 30;  ///< seconds for which a file in that folder must have been left alone
    std::vector<std::string> hl7;
    fs::path decisions;           ///< may not be there yet
    std::vector<fs::path> files;  ///< all other files that change the result: map, control totals, rules, query
    std::vector<std::string> words;
    Undecided undecided = Undecided::hold;
  };
  std::optional<Reconcile> reconcile;  ///< without it objects are sent as they are

  struct Transcode {
    std::vector<std::string> words;
    bool keep_staged = false;  ///< after the run has verified what it loaded
  };
  std::optional<Transcode> transcode;  ///< without it nothing is staged, edits are applied while sending

  struct Load {
    std::string to;
    std::vector<std::string> words;
  } load;

  struct Verify {
    std::vector<std::string> words;
    bool sample = false;  ///< drawn by load, with the number of the run as its seed
  } verify;

  std::vector<std::string> report_words;
  fs::path metrics;               ///< file for the Prometheus textfile collector, or empty
  std::uint64_t inventories = 0;  ///< how many runs keep their full inventories, 0 for all

  /// Throws RunError(Exit::usage) that names file, line and key for what is unknown, of the wrong kind, contradictory
  /// or missing.
  [[nodiscard]] static Plan read(const fs::path& file);
};

}  // namespace waybill::sync
