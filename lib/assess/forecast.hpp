// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/calendar.hpp"
#include "assess/rates.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace waybill::assess {

/// Of a stage or of all: hours of work, and when it is done.
struct Outlook {
  std::optional<double> seconds;  ///< of work with the window open
  std::optional<double> end;      ///< seconds since 1970; nullopt when it is not known or in more than 50 years
};

struct StageForecast {
  std::string stage;
  Pace pace;
  Amount work;
  double by_objects = 0, by_bytes = 0;  ///< seconds at the expected rates, 0 where there is no such rate
  Outlook best, expected, worst;
};

struct Forecast {
  std::vector<StageForecast>
      stages;                        ///< of which a rate is known, in their order; each begins when the one before ends
  std::vector<std::string> unknown;  ///< stages without a rate
  double start = 0;
  double open_share = 1;  ///< of a week, in which load and verify may work
  bool always_open = true;
};

/// What the forecast is made of.
struct Plan {
  std::map<std::string, Pace> paces;  ///< by stage
  transfer::Schedule window;          ///< of the peer: load and verify keep to it, transcode does not
  double start = 0;
  Amount source;                              ///< what transcode reads
  Amount target;                              ///< what load sends and verify fetches
  std::map<std::string, Amount> by_modality;  ///< of `target`, added up to it
};

/// The slower of both rates counts. Best and expected take the archive as one mixture, in which the two bounds overlap;
/// worst takes one modality after the other at the worst rates, as an archive comes that is moved by years or by
/// priority: then each modality waits for its own bound.
[[nodiscard]] Forecast forecast(const Plan& plan);

}  // namespace waybill::assess
