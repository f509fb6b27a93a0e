// SPDX-License-Identifier: Apache-2.0
#include "core/sha256.hpp"
#include "sample/result.hpp"
#include "support/exits.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace waybill::sample {

namespace {

using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

std::vector<Object> lot(int count) {
  std::vector<Object> objects(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Object& object = objects[static_cast<std::size_t>(i)];
    object.source.path = "/archive/" + std::to_string(i);
    object.id = manifest::object_id(object.source);
    object.bucket = Bucket::loaded;
    object.modality = i % 10 == 0 ? "MR" : "CT";
    object.study_date = i % 3 == 0 ? "20190101" : "20200101";
    object.sop_class = "1.2.840.10008.5.1.4.1.1.2";
    object.transfer_syntax = "1.2.840.10008.1.2.1";
    object.load.emplace();
    object.load->status = "0000";
    object.load->outcome = "sent";
  }
  return objects;
}

bool is_loaded(const Object& object) { return object.bucket == Bucket::loaded; }

Options options(std::uint64_t seed, const char* demand = "95%,1%") { return {*parse_demand(demand), seed}; }

Plan make_plan(const Options& options, const std::vector<Object>& objects, bool (*is_wanted)(const Object&),
               const Committed* committed = nullptr) {
  Planner planner(options);
  for (const Object& object : objects) {
    if (is_wanted(object)) planner.add(object);
  }
  return planner.finish(committed);
}

/// The list as a later stage reads it from a manifest.
Committed committed_of(const Plan& plan) {
  PlanLines lines;
  for (const std::string& line : plan.lines()) lines.see(manifest::parse_record(line));
  return lines.committed();
}

std::set<std::string> ids(const Plan& plan) {
  std::set<std::string> out;
  for (const Choice& choice : plan.choices) out.insert(choice.id);
  return out;
}

Object judged(Object object, const std::string& verdict, bool good, const std::string& tag = "") {
  object.verify.emplace();
  object.verify->verdict = verdict;
  if (!tag.empty()) object.verify->differences.push_back({tag, "value", ""});
  object.bucket = good ? Bucket::verified : Bucket::failed;
  return object;
}

}  // namespace

TEST(SamplePlan, IsTheSameForASeedInAnyOrderAndAnotherForAnother) {
  auto objects = lot(3000);
  const Plan plan = make_plan(options(1), objects, is_loaded);
  EXPECT_EQ(plan.lot, 3000U);
  EXPECT_EQ(plan.drawn, plan.choices.size());
  EXPECT_EQ(make_plan(options(1), objects, is_loaded).lines(), plan.lines());
  std::ranges::shuffle(objects, std::mt19937(3));
  EXPECT_EQ(ids(make_plan(options(1), objects, is_loaded)), ids(plan));
  EXPECT_NE(ids(make_plan(options(2), objects, is_loaded)), ids(plan));
}

TEST(SamplePlan, DrawsTheSmallestDigestsOfEachStratum) {
  const auto objects = lot(3000);
  const Plan plan = make_plan(options(42), objects, is_loaded);
  ASSERT_EQ(plan.strata.size(), 4U);
  std::map<std::pair<std::string, std::string>, std::vector<std::pair<std::string, std::string>>> by_stratum;
  for (const Object& object : objects)
    by_stratum[{*object.modality, object.study_date->substr(0, 4)}].emplace_back(Sha256::of("42\n" + object.id).hex(),
                                                                                 object.id);
  for (const Stratum& stratum : plan.strata) {
    auto& all = by_stratum.at({stratum.modality, stratum.year});
    std::ranges::sort(all);
    EXPECT_EQ(stratum.lot, all.size());
    EXPECT_GE(stratum.drawn, kLeastOfAStratum);
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(plan.has(all[i].second), i < stratum.drawn);
  }
}

TEST(SamplePlan, DrawsEveryObjectEquallyOftenOverManySeeds) {
  auto objects = lot(300);
  for (Object& object : objects) object.modality = object.study_date = "";
  std::map<std::string, int> times;
  std::uint64_t drawn = 0;
  constexpr int kSeeds = 400;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const Plan plan = make_plan(options(static_cast<std::uint64_t>(seed), "95%,5%"), objects, is_loaded);
    drawn = plan.drawn;
    for (const Choice& choice : plan.choices) ++times[choice.id];
  }
  const double expected = static_cast<double>(drawn) / 300 * kSeeds;
  double chi_square = 0;
  for (const Object& object : objects) chi_square += std::pow(times[object.id] - expected, 2) / expected;
  EXPECT_LT(chi_square, 400) << "299 degrees of freedom; smaller still without replacement";
}

TEST(SamplePlan, HasEveryObjectThatWasChangedWarnedAboutOrRepaired) {
  auto objects = lot(5000);
  const std::vector<std::pair<std::string_view, std::function<void(Object&)>>> cases{
      {"transformed", [](Object& o) { o.transcode.emplace().outcome = "transcoded"; }},
      {"transformed", [](Object& o) { o.transcode.emplace().outcome = "rewritten"; }},
      {"transformed", [](Object& o) { o.load->transfer_syntax = "1.2.840.10008.1.2"; }},
      {"coerced",
       [](Object& o) {
         o.dataset_sha256 = "aa";
         o.transcode.emplace().dataset_sha256 = "bb";
       }},
      {"coerced", [](Object& o) { o.transcode.emplace().uids.emplace_back("1.2", "1.3"); }},
      {"coerced", [](Object& o) { o.transcode.emplace().undo.provenance = true; }},
      {"warned", [](Object& o) { o.load->status = "B000"; }},
      {"warned", [](Object& o) { o.load->outcome = "already-present"; }},
      {"repaired",
       [](Object& o) {
         o.findings.push_back({"ENC-METAMISMATCH", Severity::s2, "", ""});
       }},
      {"in-doubt",
       [](Object& o) {
         o.findings.push_back({"PID-X", Severity::s3, "", ""});
       }},
  };
  std::map<std::string, std::string_view> expected;
  for (std::size_t i = 0; i < 500; ++i) {
    const auto& [why, change] = cases[i % cases.size()];
    change(objects[i * 10]);
    expected[objects[i * 10].id] = why;
  }
  const auto untouched = [](Object& o) {
    o.transcode.emplace().outcome = "copied";
    o.findings.push_back({"ENC-ODDLEN", Severity::s1, "", ""});
  };
  untouched(objects[1]);
  EXPECT_EQ(why_always(objects[1]), "");
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Plan plan = make_plan(options(seed), objects, is_loaded);
    EXPECT_EQ(plan.always, expected.size());
    EXPECT_EQ(plan.lot, 4500U);
    EXPECT_EQ(plan.choices.size(), plan.always + plan.drawn);
    for (const Choice& choice : plan.choices) {
      const auto place = expected.find(choice.id);
      EXPECT_EQ(choice.why, place == expected.end() ? "drawn" : place->second);
    }
    for (const auto& [id, why] : expected) EXPECT_TRUE(plan.has(id)) << why;
  }
}

TEST(SamplePlan, LeavesOutWhatIsNotVerified) {
  auto objects = lot(50);
  objects[3].bucket = Bucket::failed;
  objects[3].load->status = "B000";
  const Plan plan = make_plan(options(1), objects, is_loaded);
  EXPECT_EQ(plan.lot, 49U);
  EXPECT_FALSE(plan.has(objects[3].id));
}

TEST(SamplePlan, HoldsWhatWasCommittedToBeforeTheLoadWhateverBecameOfTheLot) {
  auto objects = lot(3000);
  const Plan before = make_plan(options(7), objects, is_loaded);
  const Committed committed = committed_of(before);
  EXPECT_EQ(committed.options.seed, 7U);
  EXPECT_EQ(committed.drawn.size(), before.drawn);
  std::size_t refused = 0, warned = 0, drawn = 0;
  for (Object& object : objects) {
    if (!before.has(object.id) || ++drawn % 3 != 0) continue;
    if (drawn % 2 == 0) {
      object.bucket = Bucket::failed;
      ++refused;
    } else {
      object.load->status = "B000";
      ++warned;
    }
  }
  for (std::size_t i = 0; i < objects.size(); i += 4) {
    if (!before.has(objects[i].id)) objects[i].bucket = Bucket::failed;
  }
  const Plan after = make_plan(committed.options, objects, is_loaded, &committed);
  EXPECT_EQ(after.absent, refused);
  EXPECT_EQ(after.committed, committed.list_sha256);
  EXPECT_EQ(after.always, warned);
  for (const Object& object : objects) {
    if (before.has(object.id) && is_loaded(object)) {
      EXPECT_TRUE(after.has(object.id)) << object.id;
    }
  }
  EXPECT_GE(after.drawn, before.drawn - refused - warned);
  std::uint64_t of_strata = 0;
  for (const Stratum& stratum : after.strata) of_strata += stratum.drawn;
  EXPECT_EQ(of_strata, after.drawn);
  EXPECT_NE(after.lines()[0].find("\"committed\":\"" + committed.list_sha256), std::string::npos) << after.lines()[0];
}

TEST(SamplePlan, FindsAListThatIsNotTheOneOfItsDigest) {
  const Plan plan = make_plan(options(7), lot(300), is_loaded);
  auto lines = plan.lines();
  std::swap(lines[lines.size() - 1], lines[lines.size() - 2]);
  PlanLines swapped;
  for (const std::string& line : lines) swapped.see(manifest::parse_record(line));
  EXPECT_EQ(test::exit_of([&] { (void)swapped.committed(); }), Exit::integrity);
  EXPECT_EQ(test::exit_of([&] { (void)swapped.missing(plan); }), Exit::integrity);
  PlanLines half;
  for (std::size_t i = 0; i < 5; ++i) half.see(manifest::parse_record(plan.lines()[i]));
  EXPECT_EQ(half.missing(plan).size(), plan.lines().size() - 5);
}

TEST(SamplePlan, AcceptsFewerDefectsWhereTheLotIsTooSmallForSoMany) {
  EXPECT_EQ(make_plan(options(1, "95%,1%,2"), lot(3000), is_loaded).options.demand.accepted, 2U);
  const Plan small = make_plan(options(1, "95%,1%,2"), lot(150), is_loaded);  // two defects are too many already
  EXPECT_EQ(small.options.demand.accepted, 1U);
  EXPECT_EQ(make_plan(options(1, "95%,1%,2"), lot(50), is_loaded).options.demand.accepted, 0U);
  EXPECT_NE(small.lines()[0].find("\"accept\":1"), std::string::npos);
  EXPECT_EQ(committed_of(small).options.demand.accepted, 1U);
}

TEST(SampleResult, ProvesItsBoundWithAsManyDefectsAsItAccepts) {
  auto objects = lot(3000);
  objects[5].load->status = "B007";
  const Plan plan = make_plan(options(9, "95%,1%,2"), objects, is_loaded);
  EXPECT_GT(plan.drawn, make_plan(options(9, "95%,1%"), objects, is_loaded).drawn);
  const auto outcome = [&](int defects, const char* verdict, bool of_always) {
    Outcome out(plan);
    for (const Object& object : objects) {
      const bool bad = plan.has(object.id) && plan.is_drawn(object.id) != of_always && defects-- > 0;
      out.add(bad ? judged(object, verdict, false, "00080060")
                  : judged(object, plan.has(object.id) ? "EQUIVALENT" : "PRESENT", true));
    }
    return out;
  };
  EXPECT_STREQ(outcome(0, "METADATA-LOSS", false).state(), "passed");
  const Outcome two = outcome(2, "METADATA-LOSS", false);
  EXPECT_STREQ(two.state(), "passed");
  EXPECT_EQ(two.accepted(), 2U);
  EXPECT_NE(two.statement().find("With 95 % confidence at most 1 % of 2,999 objects"), std::string::npos)
      << two.statement();
  EXPECT_NE(two.statement().find("2 are not what was sent, no more than the 2 that the sample accepts"),
            std::string::npos)
      << two.statement();
  const Outcome three = outcome(3, "METADATA-LOSS", false);
  EXPECT_STREQ(three.state(), "failed");
  EXPECT_EQ(three.accepted(), 0U);
  EXPECT_NE(three.statement().find("more than the 2 that it accepts, so the bound of 1 % is not proved"),
            std::string::npos)
      << three.statement();
  EXPECT_STREQ(outcome(1, "METADATA-LOSS", true).state(), "failed") << "what is always compared is not left to chance";
  EXPECT_STREQ(outcome(1, "PIXEL-DIFF", false).state(), "failed") << "a critical defect, whatever is accepted";
}

TEST(SampleResult, SaysItsBoundOnlyWhenEveryObjectOfThePlanIsWhatWasSent) {
  auto objects = lot(3000);
  objects[5].load->status = "B007";
  const Plan plan = make_plan(options(9), objects, is_loaded);
  Outcome passed(plan), failed(plan), stopped(plan), open(plan), elsewhere(plan);
  std::size_t seen = 0;
  for (const Object& object : objects) {
    const bool chosen = plan.has(object.id);
    const Object good = judged(object, chosen ? "EQUIVALENT" : "PRESENT", true);
    seen += chosen ? 1 : 0;
    const bool bad = chosen && seen == 20;
    passed.add(good);
    failed.add(bad ? judged(object, "METADATA-LOSS", false, "00080060") : good);
    elsewhere.add(&object == &objects.back() && !chosen ? judged(object, "MISSING", false) : good);
    if (seen < 20) stopped.add(good);
    if (bad) stopped.add(judged(object, "TARGET-COERCED", false, "00100010"));
    if (seen < 20) open.add(good);
  }
  EXPECT_STREQ(passed.state(), "passed");
  EXPECT_NE(passed.statement().find("With 95 % confidence at most 1 % of 2,999 objects at the target are not what was"),
            std::string::npos)
      << passed.statement();
  EXPECT_NE(passed.statement().find("All 1 object that were"), std::string::npos) << passed.statement();
  EXPECT_STREQ(failed.state(), "failed");
  EXPECT_NE(failed.statement().find("the bound of 1 % is not proved"), std::string::npos) << failed.statement();
  EXPECT_STREQ(stopped.state(), "stopped");
  EXPECT_EQ(stopped.critical(), 1U);
  EXPECT_NE(stopped.statement().find("proves nothing about the rest"), std::string::npos) << stopped.statement();
  EXPECT_STREQ(open.state(), "open");
  EXPECT_EQ(open.statement().find("confidence"), std::string::npos) << open.statement();
  ASSERT_FALSE(plan.has(objects.back().id));
  EXPECT_STREQ(elsewhere.state(), "failed");
}

TEST(SampleResult, KnowsWhatIsCritical) {
  const Object object = lot(1)[0];
  EXPECT_TRUE(is_critical(judged(object, "PIXEL-DIFF", false)));
  EXPECT_TRUE(is_critical(judged(object, "TARGET-COERCED", false, "00100020")));
  EXPECT_FALSE(is_critical(judged(object, "TARGET-COERCED", false, "00080050")));
  EXPECT_FALSE(is_critical(judged(object, "MISSING", false)));
  EXPECT_FALSE(is_critical(judged(object, "EQUIVALENT", true)));
}

}  // namespace waybill::sample
