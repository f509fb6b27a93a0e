// SPDX-License-Identifier: Apache-2.0
// waybill-verify --sample against a simulated PACS.
#include "support/simpacs.hpp"

namespace waybill {

namespace {

using manifest::Bucket;

const std::string kWarned = "1.2.3.1.1.2";

class VerifySample : public test::AtSimPacs {
 protected:
  test::Ran sample(const std::string& seed, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--sample", "confidence=90%,defect=5%", "--seed", seed, "--associations", "1"});
    return verify("content", more);
  }
  /// The same without --restart: an interrupted output is continued.
  test::Ran go_on(const std::string& seed) {
    return test::run({test::tool("verify"), at("load.wb"), "--against", pacs_->url(), "--level", "content", "-o",
                      at("verify.wb"), "--quiet", "--timeout", "1", "--sample", "90%,5%", "--seed", seed},
                     folder_ / "verify.log");
  }
  void restart_with(const std::string& scenario) {
    ASSERT_EQ(pacs_->stop(), 0);
    pacs_->start(scenario);
  }
  /// Lines of verify.wb of these kinds, in order.
  std::vector<std::string> lines(const std::set<std::string>& kinds) {
    std::vector<std::string> out;
    manifest::Reader reader(folder_ / "verify.wb");
    while (const auto line = reader.next_line()) {
      if (kinds.contains(test::member(std::string(*line), "kind"))) out.emplace_back(*line);
    }
    return out;
  }
  std::set<std::string> compared() {
    std::set<std::string> out;
    for (const auto& [uid, object] : verified()) {
      if (object.verify && object.verify->grade == "E4") out.insert(uid);
    }
    return out;
  }
};

}  // namespace

TEST_F(VerifySample, ComparesTheListThatTheLoadCommittedToAndNoOther) {
  prepare("", 3, 40);
  ASSERT_EQ(load({"--sample", "90%,5%", "--seed", "11"}).exit, 0);
  const auto list_of = [&](const char* manifest) {
    std::set<std::string> out;
    manifest::Reader reader(folder_ / manifest);
    while (const auto line = reader.next_line()) {
      if (test::member(std::string(*line), "kind") == "sample-object")
        out.insert(test::member(std::string(*line), "id"));
    }
    return out;
  };
  const auto committed = list_of("load.wb");
  EXPECT_GE(committed.size(), 31U);
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--associations", "1"});
    return verify("content", words);
  };
  const test::Ran ran = with({"--sample", "committed"});
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("(seed 11)"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("The list was on disk before the load began."), std::string::npos) << ran.text;
  EXPECT_EQ(list_of("verify.wb"), committed);
  EXPECT_EQ(compared().size(), committed.size());
  EXPECT_EQ(with({"--sample", "committed", "--seed", "11"}).exit, 2) << "the seed is the load's";
  const test::Ran other = with({"--sample", "90%,5%", "--seed", "12"});
  EXPECT_EQ(other.exit, 0) << other.text;
  EXPECT_EQ(other.text.find("before the load"), std::string::npos)
      << "another sample does not pass as the committed one";
  ASSERT_EQ(load({"--restart"}).exit, 0);
  const test::Ran none = with({"--sample", "committed"});
  EXPECT_EQ(none.exit, 2);
  EXPECT_NE(none.text.find("load with --sample"), std::string::npos) << none.text;
}

TEST_F(VerifySample, AcceptsAsManyDefectsAsTheDemandSaysAndEndsWithOne) {
  prepare("", 3, 40);
  ASSERT_EQ(load().exit, 0);
  const auto with = [&](const char* demand) {
    return verify("content", {"--sample", demand, "--seed", "1", "--associations", "1"});
  };
  EXPECT_EQ(with("90%,5%").exit, 0);
  const auto drawn = compared();  // a larger sample of the same seed has them as well
  const auto spoil = [&](const std::string& uid) {
    std::string bytes = test::slurp(pacs_->object(uid));
    bytes.replace(bytes.find("CS\x02\0OT", 0, 6), 6, "CS\x02\0CT", 6);
    std::ofstream(pacs_->object(uid), std::ios::binary) << bytes;
  };
  spoil(*drawn.begin());
  EXPECT_EQ(with("90%,5%").exit, 5);
  const test::Ran one = with("90%,5%,1");
  EXPECT_EQ(one.exit, 1) << one.text;
  EXPECT_NE(one.text.find("With 90 % confidence at most 5 % of 120 objects"), std::string::npos) << one.text;
  EXPECT_NE(one.text.find("1 is not what was sent, no more than the 1 that the sample accepts"), std::string::npos);
  EXPECT_GT(lines({"sample-object"}).size(), drawn.size());
  spoil(*drawn.rbegin());
  const test::Ran two = with("90%,5%,1");
  EXPECT_EQ(two.exit, 5) << two.text;
  EXPECT_NE(two.text.find("more than the 1 that it accepts"), std::string::npos) << two.text;
}

TEST_F(VerifySample, ComparesWhatWasDrawnAndWhatTheTargetWarnedOfAndSaysItsBound) {
  prepare("[[rule]]\non = \"store\"\ninstance = [\"" + kWarned + "\"]\nstatus = 0xB000\n", 3, 40);
  ASSERT_EQ(load().exit, 0);
  std::set<std::set<std::string>> samples;
  for (const char* seed : {"1", "2", "3"}) {
    const test::Ran ran = sample(seed);
    EXPECT_EQ(ran.exit, 0) << ran.text;
    EXPECT_NE(ran.text.find("With 90 % confidence at most 5 % of 119 objects"), std::string::npos) << ran.text;
    EXPECT_EQ(lines({"sample"}).size(), 1U);
    const auto chosen = lines({"sample-object"});
    const auto seen = compared();
    EXPECT_EQ(seen.size(), chosen.size());
    EXPECT_GE(seen.size(), 31U);
    EXPECT_LT(seen.size(), 60U);
    EXPECT_TRUE(seen.contains(kWarned)) << "whatever the seed";
    const auto all = verified();
    for (const std::string& line : chosen) {
      const bool found = std::ranges::any_of(
          all, [&](const auto& one) { return one.second.id == test::member(line, "id") && seen.contains(one.first); });
      EXPECT_TRUE(found) << line;
    }
    for (const auto& [uid, object] : all) EXPECT_EQ(object.bucket, Bucket::verified) << uid;
    const auto order = lines({"sample", "sample-stratum", "sample-object", "object", "sample-result"});
    EXPECT_EQ(test::member(order.at(chosen.size() + 1), "kind"), "sample-object") << "the plan stands before all else";
    EXPECT_EQ(test::member(order.back(), "state"), "passed");
    samples.insert(seen);
  }
  EXPECT_EQ(samples.size(), 3U) << "each seed draws its own";
  EXPECT_EQ(sample("3").exit, 0);
  EXPECT_TRUE(samples.contains(compared())) << "and the same one again";
}

TEST_F(VerifySample, StopsWithFiveAtTheFirstObjectWithOtherPixels) {
  prepare("[[rule]]\non = \"store\"\nkeep = \"flipped\"\n", 4, 20);
  ASSERT_EQ(load().exit, 0);
  const test::Ran ran = sample("1");
  EXPECT_EQ(ran.exit, 5) << ran.text;
  EXPECT_NE(ran.text.find("stopped at a critical defect"), std::string::npos) << ran.text;
  std::map<Bucket, int> buckets;
  for (const auto& [uid, object] : verified()) ++buckets[object.bucket];
  EXPECT_GE(buckets[Bucket::failed], 1);
  EXPECT_GE(buckets[Bucket::loaded], 20) << "what nobody looked at stays loaded";
  EXPECT_EQ(test::member(lines({"sample-result"}).at(0), "state"), "stopped");
  EXPECT_EQ(go_on("1").exit, 5) << "a finished output says the same again";
}

TEST_F(VerifySample, FindsOneObjectThatIsMissingWithoutBeingDrawn) {
  prepare("", 2, 40);
  ASSERT_EQ(load().exit, 0);
  ASSERT_EQ(sample("5").exit, 0);
  const auto drawn = compared();
  const auto all = verified();
  const auto left = std::ranges::find_if(all, [&](const auto& one) { return !drawn.contains(one.first); });
  ASSERT_NE(left, all.end());
  restart_with("[[rule]]\non = \"find\"\ninstance = [\"" + left->first + "\"]\nomit = 1\n");
  const test::Ran ran = sample("5");
  EXPECT_EQ(ran.exit, 5) << ran.text;
  EXPECT_NE(ran.text.find("Besides, 1 object not drawn is missing at the target"), std::string::npos) << ran.text;
}

TEST_F(VerifySample, HasItsListOnDiskBeforeItFetchesAndTheSameCommandContinues) {
  prepare("", 2, 40);
  ASSERT_EQ(load().exit, 0);
  restart_with("[[rule]]\non = \"get\"\nanswer = \"abort\"\n");
  EXPECT_EQ(go_on("8").exit, 4);
  EXPECT_EQ(lines({"object"}).size(), 0U);
  const auto plan = lines({"sample", "sample-stratum", "sample-object"});
  ASSERT_EQ(lines({"sample"}).size(), 1U);
  EXPECT_EQ(std::to_string(lines({"sample-object"}).size()), test::member(plan.front(), "drawn"));
  restart_with("");
  EXPECT_EQ(go_on("9").exit, 2) << "another seed is another run";
  const test::Ran again = go_on("8");
  EXPECT_EQ(again.exit, 0) << again.text;
  EXPECT_EQ(lines({"sample", "sample-stratum", "sample-object"}), plan);
}

TEST_F(VerifySample, HoldsAgainstOrthancToo) {
  (void)test::make_archive(folder_, 2, 40);
  const test::Orthanc orthanc;
  ASSERT_EQ(test::run({test::tool("load"), at("scan.wb"), "--to", orthanc.url(), "-o", at("load.wb"), "--quiet"},
                      folder_ / "load.log")
                .exit,
            0);
  const test::Ran ran = test::run({test::tool("verify"), at("load.wb"), "--against", orthanc.url(), "--level",
                                   "content", "-o", at("verify.wb"), "--quiet", "--sample", "90%,5%", "--seed", "4"},
                                  folder_ / "verify.log");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("at most 5 % of 80 objects"), std::string::npos) << ran.text;
  EXPECT_EQ(compared().size(), lines({"sample-object"}).size());
}

TEST_F(VerifySample, RefusesHalfACommand) {
  prepare("", 1, 2);
  ASSERT_EQ(load().exit, 0);
  EXPECT_EQ(verify("content", {"--sample", "95%,0.1%"}).exit, 2) << "no seed";
  EXPECT_EQ(verify("content", {"--seed", "1"}).exit, 2) << "no sample";
  EXPECT_EQ(verify("exists", {"--sample", "95%,0.1%", "--seed", "1"}).exit, 2);
  EXPECT_EQ(verify("content", {"--sample", "95,0.1", "--seed", "1"}).exit, 2);
}

}  // namespace waybill
