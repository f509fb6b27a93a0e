// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/control.hpp"
#include "assess/forecast.hpp"
#include "assess/matching.hpp"
#include "assess/pilot.hpp"
#include "assess/space.hpp"
#include "assess/studies.hpp"
#include "assess/volumes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waybill::assess {

struct Options {
  std::vector<std::filesystem::path> manifests;  ///< one of scan, others by their stage; at most one "-"
  std::map<std::string, transfer::Limit> rates;  ///< by stage, as somebody gives them
  transfer::Schedule window;
  double round_trip_seconds = 0;  ///< 0: not known
  unsigned associations = 1;
  double start = 0;  ///< when the first stage begins, seconds since 1970
  std::vector<ControlCount> counts;
  double minutes_a_study = kMinutesAStudy;
  bool wants_pilot = false;
  std::uint64_t pilot_studies = kPilotStudies, seed = 1;
};

/// A manifest that was read.
struct Source {
  std::filesystem::path path;
  std::string name, stage, run, created, head;
  std::uint64_t records = 0;
  bool complete = false;
};

struct Assessment {
  std::vector<Source> manifests;  ///< the scan first
  Volumes volumes;
  StudyCounts studies;
  /// Studies with each feature, in order.
  std::vector<std::pair<Feature, std::uint64_t>> features;
  std::map<std::string, std::uint64_t> scanned;  ///< by level, for control counts
  std::vector<ControlCount> counts;
  std::optional<Space> space;
  std::vector<std::string> space_targets;  ///< transfer syntaxes that the sample was written in
  Forecast forecast;
  std::optional<Matching> matching;
  std::optional<Pilot> pilot;
  std::vector<std::string> remarks;  ///< what a reader has to know to trust the figures
  /// ok; exceptions where a control count differs; interrupted where a manifest is one of an interrupted run.
  Exit exit = Exit::ok;

  [[nodiscard]] std::uint64_t studies_having(Trait trait, std::string_view value) const;
};

/// Reads the manifests: the scan twice, for its late findings stand behind its objects. Memory: about 200 MB for any
/// number of objects, and 16 bytes a late finding. Throws RunError: usage without exactly one scan, for a stage that
/// tells nothing here, or a pilot of standard input; as manifest::Reader for what cannot be read or is damaged;
/// interrupted.
[[nodiscard]] Assessment assess(const Options& options);

/// The whole as JSON, by manifests/assess.schema.json.
[[nodiscard]] std::string to_json(const Assessment& assessment);
/// For people: tables on a terminal, and one HTML page that loads nothing.
[[nodiscard]] std::string to_text(const Assessment& assessment);
[[nodiscard]] std::string to_html(const Assessment& assessment);

}  // namespace waybill::assess
