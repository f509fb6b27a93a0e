// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.hpp"
#include "support.hpp"

#include <set>

namespace waybill::manifest {
namespace {

/// The tool and the programs of others (zstd, jq, openssl) on real files.
class Tool : public Folder {
 protected:
  void SetUp() override {
    Folder::SetUp();
    write_small(file_);
  }
  [[nodiscard]] std::string file() const { return file_.string(); }
};

TEST_F(Tool, CatPrintsTheRecordsAndReadsAPipe) {
  const test::Ran cat = test::shell(kTool + "cat " + file());
  EXPECT_EQ(cat.exit, 0);
  EXPECT_EQ(cat.out, to_json(object(1)) + "\n" + to_json(object(2, Bucket::non_dicom)) + "\n" + line(3) + "\n");
  const test::Ran piped = test::shell("cat " + file() + " | " + kTool + "cat -");
  EXPECT_EQ(piped.exit, 0);
  EXPECT_EQ(piped.out, cat.out);
  EXPECT_EQ(test::shell("head -c -1 " + file() + " | " + kTool + "cat - 2>&1").exit, 5);
}

TEST_F(Tool, CheckTellsSoundInterruptedAndDamagedApart) {
  EXPECT_EQ(test::shell(kTool + "check " + file()).exit, 0);
  const test::Ran json = test::shell(kTool + "check --json " + file() + " | jq -r .records,.complete");
  EXPECT_EQ(json.out, "3\ntrue\n");
  { Writer(folder_ / "open.wb", header()).append(line(1)); }
  EXPECT_EQ(test::shell(kTool + "check " + (folder_ / "open.wb").string()).exit, 6);
  std::string bytes = test::get(file_);
  bytes[100] = static_cast<char>(bytes[100] ^ 4);
  test::put(file_, bytes);
  const test::Ran damaged = test::shell(kTool + "check " + file());
  EXPECT_EQ(damaged.exit, 5);
  EXPECT_NE(damaged.out.find("DAMAGED"), std::string::npos);
  EXPECT_EQ(test::shell(kTool + "check " + file() + ".none 2>/dev/null").exit, 3);
  EXPECT_EQ(test::shell(kTool + "check 2>/dev/null").exit, 2);
}

TEST_F(Tool, SeveralManifestsAreCheckedAndTheWorstCounts) {
  const fs::path damaged = folder_ / "damaged.wb";
  std::string bytes = test::get(file_);
  bytes[100] = static_cast<char>(bytes[100] ^ 4);
  test::put(damaged, bytes);
  const test::Ran all = test::shell(kTool + "check " + damaged.string() + " " + file() + ".none " + file() + " 2>&1");
  EXPECT_EQ(all.exit, 5);
  EXPECT_NE(all.out.find("a.wb.none"), std::string::npos) << all.out;
  EXPECT_NE(all.out.find("complete and sound"), std::string::npos) << all.out;
  EXPECT_EQ(test::shell(kTool + "check " + file() + " " + file() + ".none 2>/dev/null").exit, 3);
  EXPECT_EQ(test::shell(kTool + "check --json " + file() + " " + file() + " | jq -r .complete").out, "true\ntrue\n");
  EXPECT_EQ(test::shell(kTool + "cat " + file() + " " + file() + " | wc -l").out, "6\n");
}

/// Two manifests: object 1 the same, 2 in another bucket, 3 gone, 4 new, and a late finding about 5 in the second.
class Diff : public Tool {
 protected:
  void SetUp() override {
    Tool::SetUp();
    write("first.wb", {object(5), object(3), object(2), object(1)}, false);
    Object two = object(2, Bucket::quarantined);
    two.patient_name = "SECRET^NAME";
    write("second.wb", {object(1), two, object(4), object(5)}, true);
  }
  void write(const std::string& name, const std::vector<Object>& objects, bool late) {
    Writer writer(folder_ / name, header());
    for (const Object& o : objects) writer.append_record(o);
    if (late) writer.append_record(LateFinding{object(5).id, {"REF-DANGLING", Severity::s1, "", "two of them"}});
    writer.finish("{}");
  }
  [[nodiscard]] std::string both() const {
    return "'" + (folder_ / "first.wb").string() + "' '" + (folder_ / "second.wb").string() + "' ";
  }
};

TEST_F(Diff, TellsWhatIsGoneNewAndChangedInAnyOrderOfTheRecords) {
  const test::Ran diff = test::shell(kTool + "diff " + both());
  EXPECT_EQ(diff.exit, 1);
  EXPECT_NE(diff.out.find("- object " + object(3).id), std::string::npos) << diff.out;
  EXPECT_NE(diff.out.find("+ object " + object(4).id), std::string::npos) << diff.out;
  EXPECT_NE(diff.out.find("* object " + object(2).id + "\n    bucket: \"instance\" -> \"quarantined\"\n"),
            std::string::npos)
      << diff.out;
  EXPECT_NE(diff.out.find("* object " + object(5).id + "\n    findings\n"), std::string::npos) << diff.out;
  EXPECT_NE(diff.out.find("1 same, 2 changed, 1 only in the first, 1 only in the second"), std::string::npos);
  EXPECT_EQ(test::shell(kTool + "diff " + both() + "--json | jq -c .object,.exit").out,
            "{\"same\":1,\"changed\":2,\"only_before\":1,\"only_after\":1}\n1\n");
}

TEST_F(Diff, ShowsValuesOfPatientsOnlyWhenAskedTo) {
  EXPECT_EQ(test::shell(kTool + "diff " + both()).out.find("SECRET"), std::string::npos);
  EXPECT_NE(test::shell(kTool + "diff --show-phi " + both()).out.find("SECRET^NAME"), std::string::npos);
  const fs::path table = folder_ / "diff.csv";
  EXPECT_EQ(test::shell(kTool + "diff " + both() + "--json --csv " + table.string()).exit, 1);
  EXPECT_NE(test::get(table).find("SECRET^NAME"), std::string::npos);
  EXPECT_EQ(fs::status(table).permissions() & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Diff, ComparesOneMemberAloneAndEndsWellWhenNothingDiffers) {
  EXPECT_EQ(test::shell(kTool + "diff " + both() + "--member findings --json | jq .object.changed").out, "1\n");
  EXPECT_EQ(test::shell(kTool + "diff " + file() + " " + file()).exit, 0);
  EXPECT_EQ(test::shell("cat " + file() + " | " + kTool + "diff - " + file()).exit, 0);
  EXPECT_EQ(test::shell(kTool + "diff - - <" + file() + " 2>/dev/null").exit, 2);
  { Writer(folder_ / "open.wb", header()).append_record(object(1)); }
  EXPECT_EQ(test::shell(kTool + "diff " + (folder_ / "open.wb").string() + " " + file() + " 2>/dev/null").exit, 6);
}

TEST_F(Tool, NothingStandsOnStdoutWhenAKeyOrASignatureFails) {
  EXPECT_EQ(test::shell(kTool + "keygen -o /nonexistent/key 2>/dev/null").out, "");
  EXPECT_EQ(test::shell(kTool + "sign --key /nonexistent/key " + file() + " 2>/dev/null").out, "");
}

TEST_F(Tool, StatsCountsKindsAndBuckets) {
  const test::Ran stats = test::shell(kTool + "stats --json " + file() + " | jq -c .kinds,.buckets,.bytes");
  EXPECT_EQ(stats.out, "{\"object\":2,\"test\":1}\n{\"instance\":1,\"non-dicom\":1}\n2000\n");
}

TEST_F(Tool, ZstdcatAndJqReadAManifestWithoutAnyToolOfOurs) {
  const test::Ran kinds = test::shell("zstd -dc " + file() + " | jq -r .kind");
  EXPECT_EQ(kinds.exit, 0);
  EXPECT_EQ(kinds.out, "header\nblock\nobject\nobject\nblock\ntest\nblock\nend\n");
  EXPECT_EQ(test::shell("zstd -tq " + file()).exit, 0);
}

TEST_F(Tool, OpensslVerifiesTheSignatureOverTheHead) {
  const std::string key = (folder_ / "key").string();
  ASSERT_EQ(test::shell(kTool + "keygen -o " + key).exit, 0);
  EXPECT_EQ(test::shell("stat -c %a " + key).out, "600\n");
  const std::string head = content(file_).head;
  ASSERT_EQ(test::shell(kTool + "sign --key " + key + " " + file()).exit, 0);
  EXPECT_EQ(test::shell(kTool + "check --key " + key + ".pub " + file()).exit, 0);
  test::put(folder_ / "head", head);
  ASSERT_EQ(test::shell("zstd -dc " + file() + " | jq -r 'select(.kind==\"signature\").value' | base64 -d > " +
                        (folder_ / "sig").string())
                .exit,
            0);
  EXPECT_EQ(fs::file_size(folder_ / "sig"), 64U);
  const std::string verify = "openssl pkeyutl -verify -rawin -pubin -inkey " + key + ".pub -sigfile " +
                             (folder_ / "sig").string() + " -in " + (folder_ / "head").string() + " 2>&1";
  EXPECT_EQ(test::shell(verify).exit, 0) << test::shell(verify).out;
  test::put(folder_ / "head", std::string(64, '0'));
  EXPECT_NE(test::shell(verify).exit, 0);
}

TEST_F(Tool, AWrongKeyGivesFiveAndAKeyThatIsNoneGivesItsReason) {
  const std::string key = (folder_ / "key").string();
  const std::string other = (folder_ / "other").string();
  ASSERT_EQ(test::shell(kTool + "keygen -o " + key + " && " + kTool + "keygen -o " + other).exit, 0);
  const test::Ran unsigned_ = test::shell(kTool + "check --key " + key + ".pub " + file());
  EXPECT_EQ(unsigned_.exit, 5) << unsigned_.out;
  EXPECT_NE(unsigned_.out.find("not signed"), std::string::npos) << unsigned_.out;
  ASSERT_EQ(test::shell(kTool + "sign --key " + key + " " + file()).exit, 0);
  const test::Ran wrong = test::shell(kTool + "check --key " + other + ".pub " + file());
  EXPECT_EQ(wrong.exit, 5) << wrong.out;
  EXPECT_NE(wrong.out.find("it is signed by"), std::string::npos) << wrong.out;
  EXPECT_NE(wrong.out.find("NOT SIGNED by this key"), std::string::npos) << wrong.out;
  std::string bytes = test::get(file_);
  bytes[100] = static_cast<char>(bytes[100] ^ 4);
  test::put(folder_ / "damaged.wb", bytes);
  const test::Ran damaged = test::shell(kTool + "check --key " + key + ".pub " + (folder_ / "damaged.wb").string());
  EXPECT_EQ(damaged.exit, 5);
  EXPECT_NE(damaged.out.find("DAMAGED"), std::string::npos) << damaged.out;
  EXPECT_NE(wrong.out.find("verified no"), std::string::npos) << wrong.out;
  const test::Ran none = test::shell(kTool + "check --key " + key + ".none " + file() + " 2>&1");
  EXPECT_EQ(none.exit, 3) << none.out;
  EXPECT_NE(none.out.find(key + ".none"), std::string::npos) << none.out;
  const test::Ran no_key = test::shell(kTool + "check --key " + file() + " " + file() + " 2>&1");
  EXPECT_EQ(no_key.exit, 3) << no_key.out;
  EXPECT_EQ(test::shell(kTool + "check --key " + key + ".pub " + file()).exit, 0) << "the right key still fits";
}

TEST_F(Tool, AKeyMadeByOpensslSigns) {
  const std::string key = (folder_ / "ossl").string();
  ASSERT_EQ(test::shell("umask 077; openssl genpkey -algorithm ed25519 -out " + key + " && openssl pkey -in " + key +
                        " -pubout -out " + key + ".pub")
                .exit,
            0);
  EXPECT_EQ(test::shell(kTool + "sign --key " + key + " " + file()).exit, 0);
  EXPECT_EQ(test::shell(kTool + "check --key " + key + ".pub " + file()).exit, 0);
}

TEST_F(Tool, CheckStatesTheHeadOfAStreamedInputAndMissesOneThatNobodyStated) {
  Header streamed = header();
  streamed.inputs = {{"-", ""}, {"ris.csv", std::string(64, 'b')}};
  const std::string made = (folder_ / "made.wb").string();
  {
    Writer writer(made, streamed);
    writer.append(line(1));
    std::string text;
    EXPECT_EQ(exit_of([&] { writer.finish("{}"); }, &text), Exit::internal) << "an input without a head went through";
    EXPECT_EQ(exit_of([&] { writer.finish("{}", {{"other", "00"}}); }), Exit::internal);
    EXPECT_EQ(exit_of([&] { writer.finish("{}", {{"-", ""}}); }), Exit::internal);
  }
  EXPECT_EQ(test::shell(kTool + "check --json " + made + " | jq -c '[.exit, .inputs[0].head]'").out, "[6,\"\"]\n");
  {
    Writer writer(made, streamed);
    writer.finish("{}", {{"-", std::string(64, 'a')}});
  }
  EXPECT_EQ(test::shell(kTool + "check --json " + made + " | jq -c '[.inputs[].head[0:2]]'").out, "[\"aa\",\"bb\"]\n");
  EXPECT_EQ(test::shell("zstd -dc " + made + " | jq -c 'select(.kind==\"header\") | .inputs[0]'").out,
            "{\"name\":\"-\"}\n");
  Reader reader(made);
  while (reader.next_line()) {
  }
  EXPECT_EQ(resolved_inputs(reader.header(), reader.end()).at(0).head, std::string(64, 'a'));
  EXPECT_TRUE(resolved_inputs(reader.header(), std::nullopt).at(0).head.empty());
}

TEST_F(Tool, AFullOutputIsAnError) {
  EXPECT_EQ(test::shell(kTool + "cat " + file() + " 2>/dev/null > /dev/full").exit, 3);
}

TEST(Examples, EveryExampleLineParsesAndFollowsThePublishedSchema) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  ASSERT_NE(source, nullptr);
  std::set<std::string> kinds;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(source) / "manifests" / "examples")) {
    if (entry.path().extension() != ".jsonl") continue;
    ++files;
    std::ifstream in(entry.path());
    for (std::string text; std::getline(in, text);) {
      const Record record = parse_record(text);
      if (const auto* object = std::get_if<Object>(&record)) {
        kinds.insert("object");
        EXPECT_EQ(to_json(*object), text) << "not what the writer writes";
        EXPECT_EQ(object->id, object_id(object->source)) << entry.path();
      } else if (const auto* study = std::get_if<Study>(&record)) {
        kinds.insert("study");
        EXPECT_EQ(to_json(*study), text);
      } else if (const auto* late = std::get_if<LateFinding>(&record)) {
        kinds.insert("finding");
        EXPECT_EQ(to_json(*late), text);
      } else if (const auto* intent = std::get_if<Intent>(&record)) {
        kinds.insert("intent");
        EXPECT_EQ(to_json(*intent), text);
      } else {
        kinds.insert(std::get<Other>(record).kind);
      }
    }
    // Every member of a line is described by the schema, and every required member stands in the line.
    const std::string query =
        "jq -n -e --slurpfile s " + (fs::path(source) / "manifests/manifest.schema.json").string() +
        R"( '[inputs as $l | $s[0]["$defs"][$l.kind] as $d | ($d != null) and (($d.required - ($l|keys)) == []) and ((($l|keys) - ($d.properties|keys)) == [])] | all' )" +
        entry.path().string();
    EXPECT_EQ(test::shell(query + " 2>&1").out, "true\n") << entry.path();
  }
  EXPECT_GE(files, 2);
  for (const char* kind :
       {"header", "block", "object", "study", "finding", "intent", "recovered", "end", "signature"}) {
    EXPECT_TRUE(kinds.contains(kind)) << "no example of " << kind;
  }
}

}  // namespace
}  // namespace waybill::manifest
