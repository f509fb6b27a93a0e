// SPDX-License-Identifier: Apache-2.0
// What waybill-load makes of a STOW-RS service that answers everything but the plain truth: nothing is lost, nothing is
// sent twice, and no object counts as loaded without a word of the service.
#include "support/lying_stow.hpp"

namespace waybill {

namespace {

using manifest::Bucket;
using test::has_finding;

/// What becomes of one object.
struct Fate {
  Bucket bucket = Bucket::loaded;
  std::string outcome = "sent", code;
  bool held = true;  ///< by the service, in the end
};
const Fate kSent{};
const Fate kFound{Bucket::loaded, "found-after-interruption", "", true};
const Fate kWarned{Bucket::loaded, "sent", "LOAD-WARNING", true};
const Fate kSilent{Bucket::failed, "no-answer", "LOAD-NOANSWER", false};
const Fate kFaulty{Bucket::quarantined, "refused", "LOAD-REFUSED", false};

/// What happens to the requests of one study of three objects, of which `second` is one, and what becomes of them.
struct Case {
  const char* name;
  std::string study;   ///< what happens to its requests, a JSON list
  std::string second;  ///< how the second object is treated, JSON
  Fate rest, one;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"honest", "", "", kSent, kSent},
      {"202 with one that does not match its class", "", R"({"fail": 43264})", kSent, kFaulty},
      {"202 with one it does not understand", "", R"({"fail": 49152})", kSent, kFaulty},
      {"202 with a class it does not support",
       "",
       R"({"fail": 290})",
       kSent,
       {Bucket::failed, "refused", "D27", false}},
      {"a failure without a name", "", R"({"unnamed": 43264})", kSent, kFaulty},
      {"a warning B000", "", R"({"warn": 45056})", kSent, kWarned},
      {"a warning B006", "", R"({"warn": 45062})", kSent, kWarned},
      {"a warning B007", "", R"({"warn": 45063})", kSent, kWarned},
      {"a duplicate by its reason",
       R"([{"keep": true}, {}])",
       R"({"fail": 273})",
       kSent,
       {Bucket::loaded, "already-present", "LOAD-DUPLICATE", true}},
      {"200 that leaves out one it has", "", R"({"omit": true})", kSent, kFound},
      {"200 that leaves out one it dropped", "", R"({"omit": true, "drop": true})", kSent, kSilent},
      {"named as stored and as failed", "", R"({"both": true})", kSent, kFound},
      {"a syntax it does not take", "", R"({"syntax": "1.2.840.10008.1.2"})", kSent, kSent},
      {"no room for one of them", "", R"({"fail": 42752})", kSent, {Bucket::pending, "refused", "LOAD-PENDING", false}},
      {"409 over a fault of one, without a word", R"([{"status": 409, "once_more": true}])", R"({"fail": 43264})",
       kSent, kFaulty},
      {"409 because it has them",
       R"([{"status": 409, "keep": true}])",
       "",
       {Bucket::loaded, "already-present", "LOAD-DUPLICATE", true},
       {Bucket::loaded, "already-present", "LOAD-DUPLICATE", true}},
      {"409 for ever, without a word", R"([{"status": 409}])", "", kFaulty, kFaulty},
      {"400 for ever", R"([{"status": 400, "body": "<html>no</html>"}])", "", kFaulty, kFaulty},
      {"413 for more than one", R"([{"status": 413, "once_more": true}])", "", kSent, kSent},
      {"413 for each",
       R"([{"status": 413}])",
       "",
       {Bucket::failed, "refused", "LOAD-TOOLARGE", false},
       {Bucket::failed, "refused", "LOAD-TOOLARGE", false}},
      {"415 for each",
       R"([{"status": 415}])",
       "",
       {Bucket::failed, "refused", "D27", false},
       {Bucket::failed, "refused", "D27", false}},
      {"500 after it stored", R"([{"status": 500, "keep": true}])", "", kFound, kFound},
      {"500 once, nothing stored", R"([{"status": 500}, {}])", "", kSent, kSent},
      {"502 for more than one", R"([{"status": 502, "once_more": true}])", "", kSent, kSent},
      {"503 once", R"([{"status": 503, "retry": 0}, {}])", "", kSent, kSent},
      {"503 after it stored", R"([{"status": 503, "keep": true}, {}])", "", kFound, kFound},
      {"it hangs up before it has the body", R"([{"end": "before"}, {}])", "", kSent, kSent},
      {"it hangs up when it has the body", R"([{"end": "after"}, {}])", "", kSent, kSent},
      {"it hangs up when it has stored", R"([{"end": "after", "keep": true}, {}])", "", kFound, kFound},
      {"half an answer", R"([{"end": "answer", "keep": true}, {}])", "", kFound, kFound},
      {"no answer, and stored", R"([{"silent": 20, "keep": true}, {}])", "", kFound, kFound},
      {"an answer without end", R"([{"endless": true, "keep": true}, {}])", "", kFound, kFound},
      {"headers without end", R"([{"endless": "headers", "keep": true}, {}])", "", kFound, kFound},
      {"an answer that is compressed", R"([{"gzip": true}])", "", kFound, kFound},
      {"an answer in HTML, nothing stored", R"([{"status": 200, "body": "<html>welcome</html>"}, {}])", "", kSent,
       kSent},
      {"an empty answer, stored", R"([{"status": 200, "keep": true}, {}])", "", kFound, kFound},
      {"an answer of another kind", R"([{"status": 200, "keep": true, "body": "[1, {}]"}, {}])", "", kFound, kFound},
      {"it says it stored one and did not", "", R"({"drop": true})", kSent, {Bucket::loaded, "sent", "", false}},
  };
  return all;
}

std::string study_of(std::size_t i) { return "1.2.3." + std::to_string(i + 1); }
std::string uid_of(std::size_t i, int object) { return study_of(i) + ".1." + std::to_string(object); }

std::string plan() {
  std::string studies, instances;
  for (std::size_t i = 0; i < cases().size(); ++i) {
    const Case& one = cases()[i];
    if (!one.study.empty()) studies += (studies.empty() ? "" : ",") + ("\"" + study_of(i) + "\":" + one.study);
    if (!one.second.empty()) instances += (instances.empty() ? "" : ",") + ("\"" + uid_of(i, 2) + "\":" + one.second);
  }
  return R"({"cap": 2, "studies": {)" + studies + R"(}, "instances": {)" + instances + "}}";
}

class LyingStowTest : public test::AtLyingStow {
 protected:
  void expect(const manifest::Object& object, const Fate& fate) {
    EXPECT_EQ(object.bucket, fate.bucket) << to_string(object.bucket);
    ASSERT_TRUE(object.load.has_value());
    EXPECT_EQ(object.load->outcome, fate.outcome);
    EXPECT_TRUE(fate.code.empty() || has_finding(object, fate.code));
    EXPECT_EQ(service_->holds(*object.sop_instance), fate.held);
  }
};

}  // namespace

TEST_F(LyingStowTest, EveryAnswerLeadsToTheRightOutcomeAndNoObjectArrivesTwice) {
  prepare(plan(), static_cast<int>(cases().size()), 3);
  const test::Ran ran = load({"--retries", "1", "--associations", "24"});
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto objects = loaded();
  ASSERT_EQ(objects.size(), 3 * cases().size());
  for (std::size_t i = 0; i < cases().size(); ++i) {
    for (int object = 1; object <= 3; ++object) {
      SCOPED_TRACE(std::string(cases()[i].name) + ", object " + std::to_string(object));
      expect(objects.at(uid_of(i, object)), object == 2 ? cases()[i].one : cases()[i].rest);
    }
  }
  for (const auto& [uid, times] : service_->kept()) EXPECT_EQ(times, 1) << uid;
  for (const std::string& request : service_->events("request"))
    EXPECT_TRUE(request.find("\"studies\": 1") != std::string::npos ||
                request.find("\"instances\": 0") != std::string::npos)
        << request;

  // Read back, what was only claimed is missing, and nothing else is.
  EXPECT_EQ(verify().exit, 5);
  for (const auto& [uid, object] : verified()) {
    SCOPED_TRACE(uid);
    EXPECT_TRUE(!object.verify || object.verify->grade == (service_->holds(uid) ? "E4" : "E0"));
    EXPECT_TRUE(object.bucket != Bucket::verified || service_->holds(uid));
  }
}

}  // namespace waybill
