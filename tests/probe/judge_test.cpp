// SPDX-License-Identifier: Apache-2.0
// What the probe makes of answers and of what it reads back, without a peer.
#include "dicom/rewrite.hpp"
#include "dicom/toolkit.hpp"
#include "probe/duplicates.hpp"
#include "probe/lists.hpp"
#include "support/peer.hpp"

#include <gtest/gtest.h>

namespace waybill::probe {

namespace {

Made made(const std::string& series = "1.2.2") {
  Made one;
  one.study = "1.2.1";
  one.series = series;
  one.instance = "1.2.3";
  one.patient_id = "P";
  return one;
}

Sight sight_of(const Made& one) { return {true, {seen_of(one)}}; }
const Sight kNothing{false, {}};
const Sight kUnknown{};

}  // namespace

TEST(ProbeJudge, TellsApartWhatAPeerDoesWithAnotherObjectUnderTheSameUid) {
  Made other = made();
  other.seed = 2;
  EXPECT_EQ(judge_same_place(made(), other, true, sight_of(made())).policy, "ignored");
  EXPECT_EQ(judge_same_place(made(), other, true, sight_of(other)).policy, "overwritten");
  EXPECT_EQ(judge_same_place(made(), made(), true, sight_of(made())).policy, "no-effect");
  EXPECT_EQ(judge_same_place(made(), other, true, kNothing).policy, "lost");
  EXPECT_EQ(judge_same_place(made(), other, true, kUnknown).policy, "unknown");
  EXPECT_EQ(judge_same_place(made(), other, true, {true, {}}).policy, "unknown") << "listed, but not given back";
  EXPECT_EQ(judge_same_place(made(), other, true, {true, {seen_of(made()), seen_of(other)}}).policy, "kept-both");
  Made renamed = other;
  renamed.patient_name = "SOMEBODY^ELSE";
  EXPECT_EQ(judge_same_place(made(), other, true, sight_of(renamed)).policy, "mixed");
}

TEST(ProbeJudge, ARefusalIsOneWhateverIsThereAndStillSaysWhatIsThere) {
  Made other = made();
  other.seed = 2;
  const Judged judged = judge_same_place(made(), other, false, sight_of(other));
  EXPECT_EQ(judged.policy, "refused");
  EXPECT_EQ(judged.kept, "sent") << "a peer that refuses and overwrites";
}

TEST(ProbeJudge, ClaimsNothingOfPixelsThatCameCompressed) {
  Made other = made();
  other.seed = 2;
  Sight now = sight_of(made());
  now.seen.front().pixels.clear();
  EXPECT_EQ(judge_same_place(made(), other, true, now).policy, "unknown");
  Made renamed = made();
  renamed.patient_name = "SOMEBODY^ELSE";
  EXPECT_EQ(judge_same_place(made(), renamed, true, now).policy, "ignored") << "the name is known all the same";
}

TEST(ProbeJudge, FindsAnObjectInTheSeriesThatItSaysItIsOf) {
  const Made sent = made("1.2.9");
  EXPECT_EQ(judge_other_series(made(), sent, true, sight_of(sent), sight_of(made())).policy, "kept-both");
  EXPECT_EQ(judge_other_series(made(), sent, true, sight_of(sent), kNothing).policy, "moved");
  EXPECT_EQ(judge_other_series(made(), sent, true, kNothing, sight_of(made())).policy, "ignored");
  EXPECT_EQ(judge_other_series(made(), sent, true, kNothing, kNothing).policy, "lost");
  EXPECT_EQ(judge_other_series(made(), sent, true, kUnknown, sight_of(made())).policy, "unknown");
  EXPECT_EQ(judge_other_series(made(), sent, true, sight_of(made()), sight_of(made())).policy, "ignored")
      << "it gives the old one when it is asked for the new one";
}

TEST(ProbeJudge, TellsASeriesInTwoStudiesFromOneThatWasMergedAndAPatientFromACoercedOne) {
  Made sent = made();
  sent.study = "1.2.8";
  EXPECT_EQ(judge_other_study(sent, true, sight_of(sent), kNothing).policy, "stored");
  EXPECT_EQ(judge_other_study(sent, true, kNothing, {true, {}}).policy, "merged");
  EXPECT_EQ(judge_other_study(sent, true, kNothing, kNothing).policy, "lost");
  Made patient = made();
  patient.patient_id = "P-2";
  EXPECT_EQ(judge_other_patient(patient, true, sight_of(patient)).policy, "stored");
  EXPECT_EQ(judge_other_patient(patient, true, sight_of(made())).policy, "coerced");
  EXPECT_EQ(judge_other_patient(patient, true, kNothing).policy, "lost");
}

TEST(ProbeJudge, TellsWhetherARejectionNoteIsHeededAndTheObjectComesBack) {
  EXPECT_EQ(judge_rejection(true, kNothing).policy, "heeded");
  EXPECT_EQ(judge_rejection(true, {true, {}}).policy, "ignored");
  EXPECT_EQ(judge_rejection(true, {false, {seen_of(made())}}).policy, "ignored") << "hidden, but given back";
  EXPECT_EQ(judge_rejection(false, kNothing).policy, "refused");
  EXPECT_EQ(judge_rejected(made(), true, true, sight_of(made())).policy, "stored");
  EXPECT_EQ(judge_rejected(made(), true, true, kNothing).policy, "ignored");
  EXPECT_EQ(judge_rejected(made(), true, false, kNothing).policy, "refused");
  EXPECT_EQ(judge_rejected(made(), false, true, sight_of(made())).policy, "no-effect");
}

TEST(ProbeJudge, AMadeObjectIsReadBackAsItWasSent) {
  const dicom::Toolkit toolkit;
  for (const std::string_view syntax : {net::kExplicitLittle, net::kImplicitLittle}) {
    const load::Outgoing out = outgoing(made(), {std::string(kMadeClass), std::string(syntax), false});
    EXPECT_EQ(out.prepared.dataset.size() % 2, 0U);
    const auto seen = seen_in({std::string(kMadeClass), "1.2.3", std::string(syntax), {}, out.prepared.dataset});
    ASSERT_TRUE(seen) << syntax;
    EXPECT_EQ(*seen, seen_of(made())) << syntax;
  }
  EXPECT_NE(new_uid(), new_uid());
}

TEST(ProbeJudge, ARejectionNoteIsOneForOtherPrograms) {
  Made note = made("1.2.7");
  note.instance = "1.2.7.1";
  note.rejects = "1.2.3";
  note.series_of_rejected = "1.2.2";
  for (const std::string_view syntax : {net::kExplicitLittle, net::kImplicitLittle}) {
    const load::Outgoing out = outgoing(note, {std::string(class_of(note)), std::string(syntax), false});
    const test::TempFolder folder;
    const Bytes head = dicom::file_head(class_of(note), note.instance, syntax);
    std::ofstream(folder / "note.dcm", std::ios::binary) << as_text(head) << as_text(out.prepared.dataset);
    const test::Ran dump = test::run({"dsrdump", (folder / "note.dcm").string()}, folder / "log");
    EXPECT_EQ(dump.exit, 0) << dump.text;
    EXPECT_NE(dump.text.find("Rejected for Quality Reasons"), std::string::npos) << dump.text;
    EXPECT_NE(dump.text.find("<contains IMAGE:=(SC image,)>"), std::string::npos) << dump.text;
    EXPECT_EQ(dump.text.find("absent"), std::string::npos) << dump.text;
  }
}

TEST(ProbeJudge, HalvesOfDaysOverlapNowhereAndHoldThemAll) {
  const auto halves = halves_of({"20240229", "20240301", "20240229", "20250101"});
  ASSERT_TRUE(halves);
  EXPECT_EQ(halves->until, "20240229");
  EXPECT_EQ(halves->from, "20240301") << "the day behind a leap day";
  EXPECT_EQ(halves_of({"20231231", "20240101", "20240101"})->until, "20231231") << "most are of the last day";
  EXPECT_EQ(halves_of({"20231231", "20240101"})->from, "20240101");
  EXPECT_FALSE(halves_of({"20240101", "20240101", "20240101"})) << "all of one day";
  EXPECT_FALSE(halves_of({"20241399", "20241499"})) << "no days";
  EXPECT_FALSE(halves_of({"2024.1.1", "", "20240101"}));
}

TEST(ProbeJudge, WhatAPeerSaysCannotMoveTheCursorOrFillTheScreen) {
  EXPECT_EQ(said("a\x1b[2Jb\nc"), "a [2Jb c");
  EXPECT_EQ(said(std::string(100'000, 'x')).size(), 200U);
  EXPECT_EQ(said("\xff"), "\xef\xbf\xbd");
}

}  // namespace waybill::probe
