// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "assess/studies.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace waybill::assess {

inline constexpr std::uint64_t kPilotStudies = 300;  ///< unless another number is asked for
inline constexpr std::size_t kOfEachFeature = 3;  ///< studies that a pilot has of each feature, where there are as many

/// A study of the pilot. `why` is the feature for whose sake it was taken; a study that chance drew has none.
struct Chosen {
  std::string study;
  std::uint64_t instances = 0, bytes = 0;
  std::vector<Feature> why;
};

struct Pilot {
  std::uint64_t wanted = 0, seed = 0;
  std::vector<Chosen> studies;  ///< by UID
  std::uint64_t instances = 0, bytes = 0;
  std::uint64_t for_features = 0;  ///< studies that were taken for a feature's sake
  std::uint64_t features = 0;      ///< that the pilot has studies of: all there are
};

/// Picks studies for a pilot (domain rule 10.1): at least three of each SOP Class, transfer syntax, modality, year,
/// site, script, finding and of multi-frame objects, the rarest first, then as many more as are wanted by chance, which
/// leaves them in proportion. Chance is SHA-256 of "SEED LF UID": the same studies and seed give the same pilot in
/// whatever order they come. Where the features need more studies than are wanted, the pilot has these. Memory: three
/// studies a feature and those wanted.
class Picker {
 public:
  Picker(std::uint64_t wanted, std::uint64_t seed) : wanted_(wanted), seed_(seed) {}
  void offer(const StudySum& study);
  [[nodiscard]] Pilot finish(const Studies& studies) const;

 private:
  struct Candidate {
    std::uint64_t rank = 0;
    StudySum study;
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank < other.rank : study.uid < other.study.uid;
    }
  };
  using Shared = std::shared_ptr<const Candidate>;
  using Best = std::vector<Shared>;  ///< a heap whose worst is at the top
  static void keep(Best& best, std::uint64_t most, const Candidate& candidate, Shared& shared);
  [[nodiscard]] static Best sorted(Best best);

  std::uint64_t wanted_, seed_;
  Best drawn_;
  std::vector<Best> of_feature_;  ///< by number
};

}  // namespace waybill::assess
