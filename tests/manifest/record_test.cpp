// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <random>
#include <set>

namespace waybill::manifest {
namespace {

/// Random but repeatable records.
class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}

  std::string text() {
    static const std::vector<std::string> kParts = {"",     "a",    "\"", "\\",     "\n", "\t",   "é",
                                                    "日本", "\x01", "{",  "\u2028", "=",  "1.2.3"};
    std::string out;
    for (std::size_t n = random_() % 5; n > 0; --n) out += kParts[random_() % kParts.size()];
    return out;
  }
  std::optional<std::string> maybe_text() { return flip() ? std::optional(text()) : std::nullopt; }
  std::optional<std::uint32_t> maybe_number() {
    return flip() ? std::optional(static_cast<std::uint32_t>(random_())) : std::nullopt;
  }
  std::uint64_t number() { return (static_cast<std::uint64_t>(random_()) << 32U) | random_(); }
  bool flip() { return random_() % 2 == 0; }
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    for (std::size_t n = random_() % 3; n > 0; --n) out.push_back(text());
    return out;
  }
  Finding finding() { return {text(), static_cast<Severity>(random_() % 5), text(), text()}; }

  Object object() {
    Object o;
    o.id = text();
    o.source = {text(), maybe_text(), number(), number(), text()};
    o.bucket = static_cast<Bucket>(random_() % 14);
    for (std::size_t n = random_() % 3; n > 0; --n) o.findings.push_back(finding());
    for (auto* member : {&o.file_sha256,     &o.codestream_sha256,
                         &o.pixel_sha256,    &o.dataset_sha256,
                         &o.sop_class,       &o.sop_instance,
                         &o.study,           &o.series,
                         &o.transfer_syntax, &o.patient_id,
                         &o.issuer,          &o.patient_name,
                         &o.birth_date,      &o.sex,
                         &o.accession,       &o.study_date,
                         &o.study_time,      &o.modality,
                         &o.photometric,     &o.content_type}) {
      *member = maybe_text();
    }
    for (auto* member : {&o.rows, &o.columns, &o.frames, &o.bits_stored}) *member = maybe_number();
    if (flip()) o.transcode = {text(), text(), text(), text(), number(), number(), text(), text(), text(), text()};
    if (flip()) o.load = {text(), text(), static_cast<std::uint32_t>(random_()), text(), text(), text()};
    if (flip()) o.verify = {text(), text(), {{text(), text(), text()}}};
    return o;
  }

  Study study() {
    Study s;
    s.study = text();
    for (auto* member : {&s.patient_id, &s.issuer, &s.patient_name, &s.birth_date, &s.sex, &s.accession, &s.study_date,
                         &s.study_time, &s.rule, &s.decision, &s.exam}) {
      *member = maybe_text();
    }
    s.modalities = texts();
    s.series = number();
    s.instances = number();
    s.bytes = number();
    if (flip()) s.score = static_cast<double>(random_()) / 977.0;
    s.vetoes = texts();
    s.discrepancies = texts();
    if (flip()) s.edits.push_back({text(), text(), text(), text()});
    s.explanation = text();
    return s;
  }

 private:
  std::mt19937 random_;
};

template <typename T>
void expect_round_trip(const T& record) {
  const std::string json = to_json(record);
  ASSERT_EQ(json.find('\n'), std::string::npos);
  const Record read = parse_record(json);
  ASSERT_TRUE(std::holds_alternative<T>(read)) << json;
  ASSERT_EQ(to_json(std::get<T>(read)), json);
}

TEST(RecordTest, RandomRecordsSurviveTheirJsonForm) {
  Maker maker(20260301);
  for (int i = 0; i < 2000; ++i) {
    expect_round_trip(maker.object());
    expect_round_trip(maker.study());
    expect_round_trip(LateFinding{maker.text(), maker.finding()});
    expect_round_trip(Intent{maker.text(), maker.text(), maker.text()});
  }
}

TEST(RecordTest, EveryMemberOfAnObjectIsReadBackAsItself) {
  Object o = object(7, Bucket::duplicate_identical);
  o.source.member = "dir/a";
  o.source.offset = 512;
  o.findings = {{"ENC-NOMETA", Severity::s2, "0028,0010", "no meta"}};
  o.patient_id = "";
  o.study_time = "1200";
  o.bits_stored = 12;
  o.transcode = Transcode{"1.2", "charls 2.4.1", "transcoded", "", 10, 5, "/out/a", "ff", "ee", "dcmtk"};
  o.load = Load{"0000", "c", 2, "3", "2026-03-01T12:00:00Z", "sent"};
  o.verify = Verify{"E4", "IDENTICAL", {{"0010,0010", "value", "d"}}};
  const Object r = std::get<Object>(parse_record(to_json(o)));
  EXPECT_EQ(r.bucket, Bucket::duplicate_identical);
  EXPECT_EQ(r.source.member, "dir/a");
  EXPECT_EQ(r.source.offset, 512U);
  EXPECT_EQ(r.findings.at(0).severity, Severity::s2);
  EXPECT_EQ(r.findings.at(0).tag, "0028,0010");
  EXPECT_EQ(r.patient_id, "");
  EXPECT_FALSE(r.patient_name);
  EXPECT_EQ(r.study_time, "1200");
  EXPECT_EQ(r.bits_stored, 12U);
  EXPECT_EQ(r.transcode->verified_by, "dcmtk");
  EXPECT_EQ(r.transcode->bytes_out, 5U);
  EXPECT_EQ(r.load->attempts, 2U);
  EXPECT_EQ(r.load->outcome, "sent");
  EXPECT_EQ(r.verify->differences.at(0).kind, "value");
}

TEST(RecordTest, TheJsonOfAnObjectIsTheDocumentedOne) {
  const Object o = object(1, Bucket::non_dicom);
  EXPECT_EQ(to_json(o),
            R"({"kind":"object","id":")" + o.id +
                R"(","source":{"path":"/archive/1.dcm","offset":0,"size":1000,"mtime":"2020-01-01T00:00:00Z"},)"
                R"("bucket":"non-dicom","findings":[]})");
}

TEST(RecordTest, EveryBucketHasOneNameThatIsReadBack) {
  std::set<std::string_view> names;
  for (int i = 0; i < 14; ++i) {
    const auto bucket = static_cast<Bucket>(i);
    EXPECT_EQ(bucket_from(to_string(bucket)), bucket);
    names.insert(to_string(bucket));
  }
  EXPECT_EQ(names.size(), 14U);
  EXPECT_FALSE(bucket_from("Instance"));
  EXPECT_EQ(to_string(Severity::s3), "S3");
}

TEST(RecordTest, AnObjectIdDependsOnPathMemberAndOffsetOnly) {
  Source s{"/a", std::nullopt, 0, 1, ""};
  // printf '/a\n\n0' | sha256sum
  EXPECT_EQ(object_id(s), "4596c84260c9f262");
  Source touched = s;
  touched.size = 2;
  touched.mtime = "x";
  EXPECT_EQ(object_id(touched), object_id(s));
  Source member = s;
  member.member = "m";
  Source later = s;
  later.offset = 1;
  EXPECT_NE(object_id(member), object_id(s));
  EXPECT_NE(object_id(later), object_id(s));
}

TEST(RecordTest, UnknownKindsAreKeptAndBrokenLinesAreIntegrityErrors) {
  const auto other = std::get<Other>(parse_record(R"({"kind":"future","x":[1]})"));
  EXPECT_EQ(other.kind, "future");
  EXPECT_EQ(other.json, R"({"kind":"future","x":[1]})");
  for (const char* bad :
       {"", "{", "[]", "{}", R"({"kind":1})", R"({"kind":"object"})",
        R"({"kind":"object","id":"x","source":{"path":"/a","size":1},"bucket":"none"})",
        R"({"kind":"object","id":"x","source":{"path":"/a","size":-1},"bucket":"instance"})",
        R"({"kind":"object","id":"x","source":{"path":"/a","size":1},"bucket":"instance","rows":4294967296})",
        R"({"kind":"finding","id":"x","code":"A","severity":"S5"})", R"({"kind":"intent","id":"x"})"}) {
    EXPECT_EQ(exit_of([&] { (void)parse_record(bad); }), Exit::integrity) << bad;
  }
}

}  // namespace
}  // namespace waybill::manifest
