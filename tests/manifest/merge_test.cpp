// SPDX-License-Identifier: Apache-2.0
#include "manifest/merge.hpp"

#include "manifest/split.hpp"
#include "support.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace waybill::manifest {
namespace {

using Lines = std::vector<std::string>;

Lines sorted(Lines lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

Object placed(int number, const std::string& study) {
  Object o = object(number);
  o.study = study;
  o.series = study + ".1";
  o.sop_instance = "9." + std::to_string(number);
  return o;
}

Study study_of(const std::string& uid, std::uint64_t instances) {
  Study s;
  s.study = uid;
  s.modalities = {"CT"};
  s.series = 1;
  s.instances = instances;
  s.bytes = 1000 * instances;
  return s;
}

Object loaded(int number, const char* outcome = "sent", const char* run = "run-a") {
  Object o = placed(number, "1.1");
  o.bucket = Bucket::loaded;
  o.load.emplace().outcome = outcome;
  o.load->run = run;
  return o;
}

const WholeOf kNoWhole = [](const std::string&, bool, const fs::path&) { return nullptr; };

/// Manifests of load, each with the time of its name's number.
class Merging : public Folder {
 protected:
  fs::path write(const std::string& name, int minute, const Lines& lines, bool complete = true,
                 const std::string& options = R"({"to":"dicom://A@b:104","calling":"W"})",
                 const std::string& stage = "load", std::vector<Input> inputs = {}) const {
    Header h = header(options);
    h.stage = stage;
    h.run = "run of " + name;
    h.created = "2026-03-01T12:0" + std::to_string(minute) + ":00.000000Z";
    h.inputs = std::move(inputs);
    Writer writer(folder_ / name, h);
    for (const auto& l : lines) writer.append(l);
    if (complete) writer.finish("{}");
    return folder_ / name;
  }
  [[nodiscard]] fs::path out() const { return folder_ / "all.wb"; }
  Merged merge_all(const std::vector<fs::path>& inputs, Restart restart = Restart::no) const {
    return merge(inputs, out(), restart, kNoWhole);
  }
  std::string refused(const std::vector<fs::path>& inputs, Exit exit = Exit::usage) const {
    std::string text;
    EXPECT_EQ(exit_of([&] { (void)merge_all(inputs); }, &text), exit) << text;
    return text;
  }
};

}  // namespace

TEST_F(Merging, HoldsEveryRecordOfItsInputsInWhateverOrderTheyAreNamed) {
  const Lines a = {to_json(Intent{object(3).id, "9.3", "store"}), to_json(loaded(3)), to_json(loaded(1)),
                   to_json(LateFinding{object(1).id, {"LOAD-WARNING", Severity::s2, "", "B000"}})};
  const Lines b = {to_json(loaded(4)), line(7), to_json(loaded(2))};
  const fs::path first = write("a.wb", 1, a), second = write("b.wb", 2, b);
  const Merged merged = merge_all({second, first});

  EXPECT_EQ(content(out()).lines, (Lines{a[0], a[3], b[1], a[2], b[2], a[1], b[0]}));
  EXPECT_EQ(merged.records.objects, 4U);
  EXPECT_EQ(check(out(), nullptr).exit(), Exit::ok);
  const Lines once = content(out()).lines;
  (void)merge({first, second}, folder_ / "again.wb", Restart::no, kNoWhole);
  EXPECT_EQ(content(folder_ / "again.wb").lines, once);
}

TEST_F(Merging, HeaderKeepsWhatAllHaveAlikeAndTheSettingsOfEach) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1))}, true, R"({"to":"dicom://A@b:104","calling":"ONE"})");
  const fs::path b = write("b.wb", 2, {to_json(loaded(2))}, true, R"({"to":"dicom://A@b:104","calling":"TWO"})");
  (void)merge_all({a, b});
  const Header merged = Reader(out()).header();
  EXPECT_EQ(merged.stage, "load");
  EXPECT_EQ(merged.created, "2026-03-01T12:02:00.000001Z");
  ASSERT_EQ(merged.inputs.size(), 2U);
  EXPECT_EQ(merged.inputs[0].head, content(a).head);
  EXPECT_EQ(merged.inputs[1].head, content(b).head);
  EXPECT_NE(merged.options.find(R"("calling":"ONE")"), std::string::npos) << merged.options;
  EXPECT_NE(merged.options.find(R"("run":"run of b.wb")"), std::string::npos) << merged.options;
  EXPECT_TRUE(merged.options.ends_with(R"(],"to":"dicom://A@b:104"})")) << merged.options;
}

TEST_F(Merging, OfAnObjectInSeveralInputsTheRecordThatTellsWhatBecameOfItCounts) {
  Object failed = placed(1, "1.1");
  failed.bucket = Bucket::failed;
  Object pending = placed(2, "1.1");
  pending.bucket = Bucket::pending;
  const fs::path a = write("a.wb", 1, {to_json(failed), to_json(loaded(2)), to_json(loaded(3)), to_json(loaded(4))});
  const fs::path b = write(
      "b.wb", 2, {to_json(loaded(1)), to_json(pending), to_json(loaded(3, "already-present")), to_json(loaded(4))});
  const Merged merged = merge_all({a, b});
  EXPECT_EQ(content(out()).lines,
            (Lines{to_json(loaded(1)), to_json(loaded(2)), to_json(loaded(3)), to_json(loaded(4))}));
  EXPECT_EQ(merged.repeated, 4U);
  EXPECT_EQ(merge_difference(out(), {a, b}, kNoWhole), "");
}

TEST_F(Merging, ObjectsThatContradictEachOtherAreNamedWithBothFiles) {
  Object failed = placed(1, "1.1");
  failed.bucket = Bucket::failed;
  const fs::path a = write("a.wb", 1, {to_json(loaded(1))}), b = write("b.wb", 2, {to_json(failed)});
  const std::string text = refused({a, b});
  for (const std::string& part :
       {object(1).id, std::string("a.wb"), std::string("b.wb"), std::string("(loaded, failed)")})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_FALSE(fs::exists(out()));

  const fs::path other = write("c.wb", 3, {to_json(loaded(1, "sent", "run-c"))}, true, R"({"to":"dicom://X@y:104"})");
  EXPECT_NE(refused({a, other}).find(object(1).id), std::string::npos) << "two targets";
}

TEST_F(Merging, TwoConversionsOfAnObjectCountOnceWhenTheyGaveTheSameAndNotAtAllWhenTheyDiffer) {
  Object first = placed(1, "1.1");
  first.transcode.emplace().path = "/node1/1.dcm";
  first.transcode->to = "1.2.840.10008.1.2.4.80";
  first.transcode->dataset_sha256 = "aa";
  Object second = first;
  second.transcode->path = "/node2/1.dcm";
  EXPECT_EQ(which_counts("transcode", first, second), Counts::second);
  EXPECT_EQ(which_counts("transcode", first, placed(1, "1.1")), Counts::first);
  second.transcode->dataset_sha256 = "bb";
  EXPECT_EQ(which_counts("transcode", first, second), Counts::neither);
  EXPECT_EQ(which_counts("verify", first, second), Counts::neither);
}

TEST_F(Merging, AStudyOfSeveralInputsIsCountedOnce) {
  Object other_series = placed(2, "1.1");
  other_series.series = "1.1.2";
  const fs::path a =
      write("a.wb", 1, {to_json(placed(1, "1.1")), to_json(study_of("1.1", 1))}, true, "{}", "transcode");
  const fs::path b = write("b.wb", 2, {to_json(other_series), to_json(study_of("1.1", 1))}, true, "{}", "transcode");
  (void)merge_all({a, b});
  Study both = study_of("1.1", 2);
  both.series = 2;
  EXPECT_EQ(content(out()).lines.back(), to_json(both));
  EXPECT_EQ(content(out()).lines.size(), 3U);

  const auto sized = [](int number) {
    Object o = loaded(number);
    o.source.size = 1000;
    return to_json(o);
  };
  fs::remove(out());
  const fs::path one = write("d.wb", 4, {sized(1), sized(2), to_json(study_of("1.1", 2))});
  const fs::path again = write("e.wb", 5, {sized(2), sized(1), sized(3), to_json(study_of("1.1", 3))});
  EXPECT_EQ(merge_all({one, again}).repeated, 2U);
  EXPECT_EQ(content(out()).lines.back(), to_json(study_of("1.1", 3))) << "objects of both inputs count once";

  Study decided = study_of("1.1", 1);
  decided.decision = "auto";
  const fs::path c = write("c.wb", 3, {to_json(placed(3, "1.1")), to_json(decided)}, true, "{}", "transcode");
  fs::remove(out());
  EXPECT_NE(refused({a, c}).find("decided otherwise"), std::string::npos);
}

TEST_F(Merging, WhatDoesNotBelongTogetherIsRefusedBeforeAnythingIsWritten) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1))}), b = write("b.wb", 2, {to_json(loaded(2))});
  const fs::path scan = write("scan.wb", 3, {to_json(object(5))}, true, "{}", "scan");
  const fs::path decisions = write("reconcile.wb", 3, {}, true, "{}", "reconcile");
  const fs::path open = write("open.wb", 4, {to_json(loaded(9))}, false);
  const fs::path retry = write("retry.wb", 5, {to_json(loaded(1))}, true, "{}", "load", {{"a.wb", content(a).head}});
  EXPECT_NE(refused({a}).find("two manifests or more"), std::string::npos);
  EXPECT_NE(refused({a, "-"}).find("takes files"), std::string::npos);
  EXPECT_NE(refused({a, scan}).find("one stage"), std::string::npos);
  EXPECT_NE(refused({decisions, decisions}).find("reconcile the merged one"), std::string::npos);
  EXPECT_NE(refused({a, a}).find("the same manifest"), std::string::npos);
  EXPECT_NE(refused({a, retry}).find("was made from"), std::string::npos);
  const fs::path sampled = write("sampled.wb", 6, {R"({"kind":"sample","seed":1})"});
  EXPECT_NE(refused({a, sampled}).find("sampled.wb holds a sample"), std::string::npos);
  EXPECT_NE(refused({b, open}, Exit::input).find("open.wb is not complete"), std::string::npos);
  EXPECT_FALSE(fs::exists(out()));
  EXPECT_EQ(exit_of([&] { (void)merge({a, b}, a, Restart::yes, kNoWhole); }), Exit::usage);
}

TEST_F(Merging, DamageInAnInputIsFoundAndNothingIsWritten) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1)), to_json(loaded(3))}),
                 b = write("b.wb", 2, {to_json(loaded(2))});
  const std::string bytes = test::get(b);
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    test::put(b, damaged);
    const Exit exit = exit_of([&] { (void)merge_all({a, b}); });
    ASSERT_TRUE(exit == Exit::integrity || exit == Exit::input || exit == Exit::usage) << at;
    ASSERT_FALSE(fs::exists(out())) << at;
  }
  for (std::size_t size = 0; size < bytes.size(); size += 11) {
    test::put(b, bytes.substr(0, size));
    ASSERT_NE(exit_of([&] { (void)merge_all({a, b}); }), Exit::ok) << size;
  }
}

TEST_F(Merging, RecordsThatNobodyWouldWriteAreErrorsNotCrashes) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1))});
  int n = 2;
  for (const char* hostile :
       {R"({"kind":"object","id":"short","source":{"path":"/a"}})", R"({"kind":"object","id":7})",
        R"({"kind":"object","id":"00000000000000zz","source":{"path":"/a"}})",
        R"({"kind":"object","id":"0000000000000001","source":"/a"})", R"({"kind":"study"})",
        R"({"kind":"study","study":["1"]})", R"({"kind":"gone","id":"0000000000000001"})", R"({"kind":"object"})"}) {
    const fs::path b = write("h" + std::to_string(n) + ".wb", n % 10, {hostile});
    ++n;
    EXPECT_EQ(exit_of([&] { (void)merge_all({a, b}); }), Exit::integrity) << hostile;
    EXPECT_EQ(exit_of([&] { (void)split(b, 2, (folder_ / "p%d.wb").string(), Restart::yes); }), Exit::integrity)
        << hostile;
  }
}

TEST_F(Merging, AnInputThatListsAnObjectTwiceIsAnIntegrityError) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1)), to_json(loaded(1))}), b = write("b.wb", 2, {});
  EXPECT_NE(refused({a, b}, Exit::integrity).find("a.wb lists object " + object(1).id + " twice"), std::string::npos);
}

TEST_F(Merging, TheSameMergeIsKeptAnInterruptedOneBegunAgainAndAnotherNotReplaced) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1))}), b = write("b.wb", 2, {to_json(loaded(2))});
  (void)merge_all({a, b});
  const std::string whole = test::get(out());
  EXPECT_TRUE(merge_all({b, a}).already_complete);
  EXPECT_EQ(test::get(out()), whole);

  const fs::path c = write("c.wb", 3, {to_json(loaded(3))});
  EXPECT_NE(refused({a, b, c}).find("--restart"), std::string::npos);
  EXPECT_EQ(test::get(out()), whole);
  EXPECT_EQ(merge_all({a, b, c}, Restart::yes).records.objects, 3U);

  const Header header = Reader(out()).header();
  fs::remove(out());
  { Writer(out(), header).append(to_json(loaded(3))); }
  EXPECT_EQ(check(out(), nullptr).exit(), Exit::interrupted);
  EXPECT_EQ(merge_all({a, b, c}).records.objects, 3U);
  EXPECT_EQ(check(out(), nullptr).exit(), Exit::ok);
}

TEST_F(Merging, ARecordThatWasLostInventedOrChangedIsFound) {
  const fs::path a = write("a.wb", 1, {to_json(loaded(1)), to_json(loaded(3))});
  const fs::path b = write("b.wb", 2, {to_json(loaded(2))});
  (void)merge_all({a, b});
  EXPECT_EQ(merge_difference(out(), {b, a}, kNoWhole), "");
  const Header header = Reader(out()).header();
  const Lines lines = content(out()).lines;
  const auto forged = [&](const Lines& records) {
    fs::remove(out());
    Writer writer(out(), header);
    for (const auto& l : records) writer.append(l);
    writer.finish("{}");
    return merge_difference(out(), {a, b}, kNoWhole);
  };
  EXPECT_NE(forged({lines[0], lines[2]}).find("object " + object(2).id + " has to"), std::string::npos);
  EXPECT_NE(forged({lines[0], lines[1]}).find("it ends where object " + object(3).id), std::string::npos);
  EXPECT_NE(forged({lines[0], lines[1], lines[2], to_json(loaded(4))}).find("object " + object(4).id + " is in none"),
            std::string::npos);
  EXPECT_NE(forged({lines[0], to_json(loaded(2, "already-present")), lines[2]}).find("is not as these"),
            std::string::npos);
  EXPECT_NE(merge_difference(out(), {a, write("c.wb", 3, {})}, kNoWhole).find("header"), std::string::npos);
}

TEST_F(Merging, MissingShardsAndPartsAreNamedAndNotPassedOffAsTheWhole) {
  const auto shard = [&](int n) {
    return write("s" + std::to_string(n) + ".wb", n, {to_json(object(n))}, true,
                 R"({"sources":["/archive"],"depth":"deep","shard":")" + std::to_string(n) + R"(/3"})", "scan");
  };
  const fs::path one = shard(1), two = shard(2), three = shard(3);
  EXPECT_EQ(merge_all({one, three}).missing, "shard 2 of 3");
  EXPECT_NE(Reader(out()).header().options.find("\"missing\":\"shard 2 of 3\""), std::string::npos);
  EXPECT_EQ(merge_all({one, two, three}, Restart::yes).missing, "");
  EXPECT_TRUE(Reader(out()).header().options.ends_with(R"("sources":["/archive"],"depth":"deep"})"));
}

/// A scan of three studies, objects of none, findings before and behind their objects.
class Splitting : public Merging {
 protected:
  void SetUp() override {
    Folder::SetUp();
    lines_.push_back(to_json(LateFinding{object(5).id, {"UID-DUPDIFF", Severity::s3, "0008,0018", "as another"}}));
    for (int n = 1; n <= 40; ++n)
      lines_.push_back(to_json(n % 8 == 0 ? object(n, Bucket::non_dicom) : placed(n, study(n))));
    lines_.push_back(to_json(LateFinding{object(9).id, {"REF-DANGLING", Severity::s1, "", "one"}}));
    lines_.push_back(to_json(Gone{object(99).id, object(99).source}));
    lines_.push_back(line(1));
    for (int n = 1; n <= 7; ++n) lines_.push_back(to_json(study_of(study(n), 5)));
    whole_ = write("scan.wb", 1, lines_, true, R"({"sources":["/archive"]})", "scan");
    pattern_ = (folder_ / "part-%d.wb").string();
  }
  static std::string study(int n) { return "1.2." + std::to_string(n % 7); }
  [[nodiscard]] fs::path part(int n) const { return folder_ / ("part-" + std::to_string(n) + ".wb"); }

  Lines lines_;
  fs::path whole_;
  std::string pattern_;
};

TEST_F(Splitting, EveryRecordStandsInOnePartAndAStudyInOneAlone) {
  const auto parts = split(whole_, 3, pattern_, Restart::no);
  ASSERT_EQ(parts.size(), 3U);
  Lines all;
  std::map<std::string, int> part_of_study;
  for (int n = 1; n <= 3; ++n) {
    EXPECT_EQ(check(part(n), nullptr).exit(), Exit::ok);
    std::set<std::string> ids;
    for (const std::string& l : content(part(n)).lines) {
      all.push_back(l);
      const Record record = parse_record(l);
      if (const auto* o = std::get_if<Object>(&record)) {
        ids.insert(o->id);
        const int there = o->study ? part_of_study.try_emplace(*o->study, n).first->second : n;
        EXPECT_EQ(there, n) << *o->study;
      } else if (const auto* s = std::get_if<Study>(&record)) {
        EXPECT_EQ(part_of_study.try_emplace(s->study, n).first->second, n) << s->study;
      }
    }
    for (const std::string& l : content(part(n)).lines) {
      const Record record = parse_record(l);
      const auto* late = std::get_if<LateFinding>(&record);
      EXPECT_TRUE(late == nullptr || ids.contains(late->id));
    }
    EXPECT_EQ(split_difference(part(n), whole_), "");
  }
  EXPECT_EQ(sorted(all), sorted(lines_));
}

TEST_F(Splitting, APartNamesItsNumberAndTheHeadOfTheWhole) {
  (void)split(whole_, 3, pattern_, Restart::no);
  const Header header = Reader(part(2)).header();
  EXPECT_EQ(header.stage, "scan");
  EXPECT_EQ(header.options, R"({"split":"2/3","sources":["/archive"]})");
  EXPECT_EQ(header.created, "2026-03-01T12:01:00.000002Z");
  ASSERT_EQ(header.inputs.size(), 1U);
  EXPECT_EQ(header.inputs[0].head, content(whole_).head);
}

TEST_F(Splitting, TheMergeOfAllPartsHoldsTheRecordsOfTheWhole) {
  (void)split(whole_, 4, pattern_, Restart::no);
  const Merged merged = merge_all({part(3), part(1), part(4), part(2)});
  EXPECT_EQ(merged.missing, "");
  EXPECT_EQ(sorted(content(out()).lines), sorted(lines_));
  EXPECT_EQ(merge({part(1), part(3)}, folder_ / "some.wb", Restart::no, kNoWhole).missing, "part 2, 4 of 4");
}

TEST_F(Splitting, IntentsAndCommitmentsOfALoadGoWithTheirObjects) {
  Lines lines;
  for (int n = 1; n <= 9; ++n) {
    lines.push_back(to_json(Intent{object(n).id, "9", "store"}));
    Object o = placed(n, study(n));
    o.bucket = Bucket::loaded;
    lines.push_back(to_json(o));
    const std::string transaction = "2.25." + std::to_string(n);
    lines.push_back(R"({"kind":"commitment","transaction":")" + transaction +
                    R"(","state":"requested","at":"","study":")" + study(n) + R"(","objects":[]})");
    lines.push_back(R"({"kind":"commitment","transaction":")" + transaction + R"(","state":"reported","at":""})");
  }
  const fs::path load = write("load.wb", 1, lines);
  (void)split(load, 5, pattern_, Restart::no);
  Lines all;
  for (int n = 1; n <= 5; ++n) {
    const Lines here = content(part(n)).lines;
    all.insert(all.end(), here.begin(), here.end());
    EXPECT_EQ(here.size() % 4, 0U) << "an intent, an object and two steps belong together";
  }
  EXPECT_EQ(sorted(all), sorted(lines));
}

TEST_F(Splitting, PartsThatAreThereAreKeptOneThatWasInterruptedIsBegunAgain) {
  (void)split(whole_, 3, pattern_, Restart::no);
  const std::string first = test::get(part(1)), second = test::get(part(2));
  const Header header = Reader(part(2)).header();
  fs::remove(part(2));
  fs::remove(part(3));
  { Writer(part(2), header).append(line(3)); }
  const auto parts = split(whole_, 3, pattern_, Restart::no);
  EXPECT_TRUE(parts[0].already_complete);
  EXPECT_FALSE(parts[1].already_complete);
  EXPECT_EQ(test::get(part(1)), first);
  for (int n = 1; n <= 3; ++n) EXPECT_EQ(split_difference(part(n), whole_), "");
  EXPECT_EQ(exit_of([&] { (void)split(whole_, 4, pattern_, Restart::no); }), Exit::usage) << "another split";
  EXPECT_EQ(test::get(part(1)), first);
}

TEST_F(Splitting, WhatCannotBeSplitIsRefusedWithItsReason) {
  const auto refused_split = [&](const fs::path& input, const std::string& pattern, Exit exit = Exit::usage) {
    std::string text;
    EXPECT_EQ(exit_of([&] { (void)split(input, 2, pattern, Restart::no); }, &text), exit) << text;
    return text;
  };
  EXPECT_NE(refused_split(whole_, (folder_ / "part.wb").string()).find("%d"), std::string::npos);
  EXPECT_NE(refused_split(whole_, "%d-%d.wb").find("%d"), std::string::npos);
  EXPECT_NE(refused_split(write("v.wb", 2, {}, true, "{}", "verify"), pattern_).find("of verify"), std::string::npos);
  EXPECT_NE(refused_split(write("o.wb", 2, {to_json(object(1))}, false), pattern_, Exit::input).find("o.wb is not"),
            std::string::npos);
  EXPECT_NE(refused_split(write("l.wb", 2, {R"({"kind":"sample","seed":1})"}), pattern_).find("sample"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(part(1)));
}

TEST_F(Splitting, AForgedPartIsFound) {
  (void)split(whole_, 2, pattern_, Restart::no);
  const Header header = Reader(part(1)).header();
  Lines lines = content(part(1)).lines;
  std::swap(lines.front(), lines.back());
  fs::remove(part(1));
  {
    Writer writer(part(1), header);
    for (const auto& l : lines) writer.append(l);
    writer.finish("{}");
  }
  EXPECT_NE(split_difference(part(1), whole_), "");
  EXPECT_EQ(exit_of([&] { (void)split_difference(whole_, whole_); }), Exit::usage) << "no part";
}

}  // namespace waybill::manifest
