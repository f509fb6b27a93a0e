// SPDX-License-Identifier: Apache-2.0
#include "sync/standing.hpp"

#include "manifest/writer.hpp"
#include "support/folder.hpp"
#include "sync/known.hpp"

namespace waybill {
namespace {

using manifest::Bucket;
using manifest::Object;

class Standing : public test::InFolder {
 protected:
  static Object object(const std::string& name, const std::string& content, Bucket bucket = Bucket::instance) {
    Object out;
    out.source.path = "/archive/" + name;
    out.source.size = 100;
    out.source.mtime = "2026-01-01T00:00:00.000000000Z";
    out.id = manifest::object_id(out.source);
    out.bucket = bucket;
    out.sop_instance = "1.2." + name;
    out.study = "1.2";
    out.file_sha256 = content;
    return out;
  }
  static Object with_outcome(Object out, Bucket bucket, const std::string& code = "") {
    out.bucket = bucket;
    if (!code.empty()) out.findings.push_back({code, manifest::Severity::s3, {}, "as it came about"});
    return out;
  }
  std::filesystem::path write(const char* name, const char* stage, const std::vector<Object>& objects,
                              const std::vector<std::string>& lines = {}) {
    manifest::Header header;
    header.stage = stage;
    header.run = "00000000-0000-4000-8000-000000000000";
    header.created = "2026-01-01T00:00:00Z";
    manifest::Writer writer(folder_ / name, header, manifest::Restart::yes);
    for (const Object& one : objects) writer.append_record(one);
    for (const std::string& line : lines) writer.append(line);
    writer.finish("{}");
    return folder_ / name;
  }
  std::vector<std::string> selected(const sync::Sources& from, const std::filesystem::path& decisions = {},
                                    bool retry_failed = false) {
    (void)sync::select(from, decisions, sync::Undecided::hold, retry_failed, folder_ / "delta.wb");
    std::vector<std::string> names;
    for (const Object& one : test::objects_of(folder_ / "delta.wb"))
      if (one.bucket == Bucket::instance) names.push_back(one.source.path.substr(9));
    return names;
  }
  static std::string a_study(const std::string& decision) {
    manifest::Study study;
    study.study = "1.2";
    study.decision = decision;
    return manifest::to_json(study);
  }
  using Names = std::vector<std::string>;
};

TEST_F(Standing, HandsOnWhatIsNewAndWhatMayEndOtherwiseNow) {
  const std::vector<Object> scan = {object("loaded", "a"),     object("pending", "b"),
                                    object("refused", "c"),    object("silent", "d"),
                                    object("held", "e"),       object("note", "f", Bucket::non_dicom),
                                    object("new", "g"),        object("changed", "h2"),
                                    object("unreadable", "i"), object("unknown", "j")};
  Object silent = with_outcome(scan[3], Bucket::failed, "LOAD-NOANSWER");
  silent.load.emplace();
  silent.load->outcome = "no-answer";
  Object unknown = with_outcome(scan[9], Bucket::failed, "LOAD-UNKNOWN");
  unknown.load = silent.load;
  const auto standing = write("standing.wb", "verify",
                              {with_outcome(scan[0], Bucket::verified), with_outcome(scan[1], Bucket::pending),
                               with_outcome(scan[2], Bucket::quarantined, "LOAD-REFUSED"), silent,
                               with_outcome(scan[4], Bucket::quarantined, "MATCH-REVIEW"), scan[5],
                               with_outcome(object("changed", "h1"), Bucket::failed, "LOAD-FIXITY"),
                               with_outcome(scan[8], Bucket::failed, "LOAD-UNREADABLE"), unknown});
  const sync::Sources from{write("scan.wb", "scan", scan), standing, ""};
  const auto undecided = write("undecided.wb", "reconcile", {}, {a_study("review")});
  EXPECT_EQ(selected(from, undecided), (Names{"pending", "silent", "new", "changed", "unreadable"}));
  const auto decided = write("decided.wb", "reconcile", {}, {a_study("person")});
  EXPECT_EQ(selected(from, decided), (Names{"pending", "silent", "held", "new", "changed", "unreadable"}));
  EXPECT_EQ(selected(from, decided, true),
            (Names{"pending", "refused", "silent", "held", "new", "changed", "unreadable", "unknown"}));
}

TEST_F(Standing, ListsWhatTheTargetHasOfAStudyWithAClaimToNothing) {
  const std::vector<Object> scan = {object("loaded", "a"), object("new", "b")};
  const sync::Sources from{write("scan.wb", "scan", scan),
                           write("standing.wb", "verify", {with_outcome(scan[0], Bucket::verified)}), ""};
  EXPECT_EQ(selected(from), Names{"new"});
  const auto all = test::objects_of(folder_ / "delta.wb");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bucket, Bucket::excluded);
  EXPECT_FALSE(all[0].load) << "a load's manifest must not claim what another run has loaded";
}

TEST_F(Standing, LeavesWhatIsNewerThanTheFreeze) {
  Object late = object("late", "a");
  late.source.mtime = "2026-01-01T00:00:00.000000001Z";
  const sync::Sources from{
      write("scan.wb", "scan", {object("on-time", "b"), late}), {}, "2026-01-01T00:00:00.000000000Z"};
  EXPECT_EQ(selected(from), Names{"on-time"});
}

TEST_F(Standing, IsAnErrorWhenAnObjectThatWasHandledHasNoOutcome) {
  const auto one = object("one", "a"), two = object("two", "b");
  const sync::Sources from{write("scan.wb", "scan", {one, two}), {}, ""};
  const auto outcome = write("verify.wb", "verify", {with_outcome(one, Bucket::verified)});
  std::string text;
  EXPECT_EQ(
      test::exit_of([&] { (void)sync::settle(from, outcome, 1, {}, folder_ / "new.wb", folder_ / "gone.csv"); }, &text),
      Exit::integrity);
  EXPECT_NE(text.find(two.id), std::string::npos) << text;
}

TEST_F(Standing, HoldsEveryObjectOfTheScanOnceInItsOrder) {
  const std::vector<Object> scan = {object("a", "1"), object("b", "2", Bucket::unreadable), object("c", "3"),
                                    object("d", "4")};
  const sync::Sources from{
      write("scan.wb", "scan", scan),
      write("standing.wb", "verify",
            {with_outcome(scan[0], Bucket::verified), with_outcome(object("gone", "5"), Bucket::loaded),
             with_outcome(scan[3], Bucket::failed, "D27")}),
      ""};
  const auto outcome = write("verify.wb", "verify", {with_outcome(scan[2], Bucket::verified)});
  const auto settled = sync::settle(from, outcome, 9, {}, folder_ / "new.wb", folder_ / "gone.csv");
  std::vector<Bucket> buckets;
  for (const Object& one : test::objects_of(folder_ / "new.wb")) buckets.push_back(one.bucket);
  EXPECT_EQ(buckets, (std::vector{Bucket::verified, Bucket::unreadable, Bucket::verified, Bucket::failed}));
  EXPECT_EQ(settled.loaded, 1U);
  EXPECT_EQ(settled.departed, 1U);
  EXPECT_EQ(settled.at_target, 3U);
  EXPECT_EQ(settled.exceptions, 2U);
  EXPECT_NE(test::lines_of(folder_ / "new.wb").back().find(R"({"kind":"departed","run":9,"object":{"kind":"object")"),
            std::string::npos);
}

TEST_F(Standing, ComparesContentsByBytesOrByDatasetAndPixels) {
  Object a = object("a", "1"), b = object("b", "2");
  EXPECT_FALSE(sync::same_content(a, b));
  a.dataset_sha256 = b.dataset_sha256 = "d";
  EXPECT_TRUE(sync::same_content(a, b)) << "no pixels, one dataset";
  a.rows = b.rows = 2;
  EXPECT_FALSE(sync::same_content(a, b)) << "pixels that were not compared";
  a.pixel_sha256 = "p";
  b.pixel_sha256 = "q";
  EXPECT_FALSE(sync::same_content(a, b));
  b.pixel_sha256 = "p";
  EXPECT_TRUE(sync::same_content(a, b)) << "one dataset and one image in another encoding";
  Object none_a, none_b;
  EXPECT_FALSE(sync::same_content(none_a, none_b)) << "nothing was read of either";
}

}  // namespace
}  // namespace waybill
