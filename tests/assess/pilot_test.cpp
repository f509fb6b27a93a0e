// SPDX-License-Identifier: Apache-2.0
#include "assess/pilot.hpp"
#include "core/hash.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <random>
#include <set>

namespace waybill::assess {
namespace {

const Hash128 kKey{3, 5};

manifest::Object object(int study, int number) {
  manifest::Object o;
  o.study = "1.2." + std::to_string(study);
  o.series = *o.study + "." + std::to_string(number % 3);
  o.sop_class = study % 50 == 7 ? "1.2.3.rare" : "1.2.3.common";
  o.transfer_syntax = "1.2.840.10008.1.2";
  o.modality = study % 10 == 0 ? "MG" : "CT";
  o.study_date = std::to_string(2010 + study % 8) + "0101";
  o.patient_id = "P" + std::to_string(study / 2);
  o.source.size = 1000;
  return o;
}

struct Made {
  StudyCounts counts;
  Pilot pilot;
  std::vector<Feature> features;
  std::vector<std::uint64_t> having;
};

/// The objects of so many studies of four, one study after the other or in any order, and one finding.
Made make(int studies, std::uint64_t wanted, std::uint64_t seed, unsigned shuffled) {
  std::vector<manifest::Object> objects;
  for (int n = 0; n < studies * 4; ++n) objects.push_back(object(n / 4, n % 4));
  if (shuffled != 0) std::shuffle(objects.begin(), objects.end(), std::mt19937(shuffled));
  Studies all(kKey);
  Runs runs(kKey, 2026);
  for (std::size_t n = 0; n < objects.size(); ++n) {
    std::map<std::string, manifest::Severity> codes;
    if (objects[n].study == "1.2.33") codes["PIX-TRUNC"] = manifest::Severity::s3;
    runs.add(objects[n], codes);
  }
  for (const Run& run : runs.take()) all.add(run);
  Picker picker(wanted, seed);
  Made made;
  made.counts = all.finish([&](const StudySum& study) { picker.offer(study); });
  made.pilot = picker.finish(all);
  made.features = all.features();
  made.having = all.having();
  return made;
}

std::vector<std::string> uids(const Pilot& pilot) {
  std::vector<std::string> out;
  for (const auto& study : pilot.studies) out.push_back(study.study);
  return out;
}

TEST(Studies, AreBroughtTogetherFromWhereverTheirObjectsStand) {
  for (const unsigned shuffled : {0U, 1U}) {
    const Made made = make(200, 10, 1, shuffled);
    EXPECT_EQ(made.counts.studies, 200U);
    EXPECT_EQ(made.counts.series, 600U);
    EXPECT_EQ(made.counts.patients, 100U);
    EXPECT_EQ(made.counts.objects.quantile(0.5), 4U);
    EXPECT_EQ(made.counts.bytes.largest(), 4000U);
  }
}

TEST(Pilot, HasThreeStudiesOfEachFeatureOrAllThereAre) {
  const Made made = make(400, 20, 1, 0);
  std::set<std::string> chosen;
  for (const auto& study : made.pilot.studies) chosen.insert(study.study);
  EXPECT_TRUE(chosen.contains("1.2.33")) << "the only study with a finding";
  int rare = 0, mammography = 0;
  std::map<int, int> years;
  for (int study = 0; study < 400; ++study) {
    if (!chosen.contains("1.2." + std::to_string(study))) continue;
    rare += study % 50 == 7 ? 1 : 0;
    mammography += study % 10 == 0 ? 1 : 0;
    ++years[study % 8];
  }
  EXPECT_GE(rare, 3);
  EXPECT_GE(mammography, 3);
  ASSERT_EQ(years.size(), 8U);
  for (const auto& [year, count] : years) EXPECT_GE(count, 3) << year;
}

TEST(Pilot, IsTheSameForTheSameSeedWhateverTheOrderAndAnotherForAnother) {
  const auto first = uids(make(400, 60, 5, 0).pilot);
  EXPECT_EQ(first.size(), 60U);
  EXPECT_EQ(first, uids(make(400, 60, 5, 9).pilot));
  EXPECT_NE(first, uids(make(400, 60, 6, 0).pilot));
}

TEST(Pilot, TakesMoreThanWereAskedForWhenTheFeaturesNeedThem) {
  const Pilot pilot = make(400, 2, 1, 0).pilot;
  EXPECT_GT(pilot.studies.size(), 2U);
  EXPECT_EQ(pilot.studies.size(), pilot.for_features);
}

TEST(Pilot, OfFewStudiesIsAllOfThemAndOfNoneNone) {
  EXPECT_EQ(make(5, 300, 1, 0).pilot.studies.size(), 5U);
  EXPECT_TRUE(make(0, 300, 1, 0).pilot.studies.empty());
}

TEST(Pilot, DrawsTheRestInProportion) {
  const Made made = make(4000, 1000, 3, 0);
  int mammography = 0;
  for (const auto& study : made.pilot.studies) mammography += std::stoi(study.study.substr(4)) % 10 == 0 ? 1 : 0;
  EXPECT_NEAR(mammography, 100, 35);  // of a tenth; the bound is more than three standard deviations
}

}  // namespace
}  // namespace waybill::assess
