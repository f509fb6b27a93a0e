// SPDX-License-Identifier: Apache-2.0
// Each code of domain rule 2.4 that one object shows by itself; the sound object shows none.
#include "inspect/elements.hpp"

namespace waybill::test {
namespace {

struct Case {
  const char* codes;
  Elements object;
};

Elements with(Tag t, const char* vr, const std::string& value) { return sound().set(t, vr, value); }

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(codes(look(c.object.file())), c.codes);
}

constexpr Tag kClass = tag(0x0008, 0x0016);
constexpr Tag kInstance = tag(0x0008, 0x0018);
constexpr Tag kSet = tag(0x0008, 0x0005);
constexpr Tag kDescription = tag(0x0008, 0x1030);
constexpr Tag kAccession = tag(0x0008, 0x0050);
constexpr Tag kName = tag(0x0010, 0x0010);
constexpr Tag kId = tag(0x0010, 0x0020);
constexpr Tag kStudy = tag(0x0020, 0x000D);
constexpr Tag kSeries = tag(0x0020, 0x000E);

TEST(IdentityCodes, NameUidsThatAreMissingIllFormedOrUsedTwice) {
  expect({{"UID-MISSING S3", sound().without(kInstance)},
          {"UID-MISSING S3", with(kStudy, "UI", "")},
          {"UID-MISSING S3", sound().without(kSeries)},
          {"UID-SYNTAX S3", with(kInstance, "UI", "1.2.3a.4")},
          {"UID-SYNTAX S3", with(kInstance, "UI", "1.2..3")},
          {"UID-SYNTAX S3", with(kInstance, "UI", "1.2." + std::string(62, '3'))},
          {"UID-SYNTAX S3", with(kInstance, "UI", "1.2.3.4.")},
          {"UID-SYNTAX S2", with(kInstance, "UI", "1.2.03.4")},
          {"UID-SYNTAX S1", sound().exact(kInstance, "UI", "1.2.3.9.7 ")},
          {"UID-LEVELREUSE S2", with(kSeries, "UI", "1.2.3")},
          {"UID-LEVELREUSE S2", with(kStudy, "UI", "1.2.3.4")}});
}

TEST(IdentityCodes, TellPrivateRetiredAndForeignSopClasses) {
  expect({{"SOP-PRIVATE S2", with(kClass, "UI", "1.3.12.2.1107.5.9.1")},
          {"SOP-RETIRED S2", with(kClass, "UI", "1.2.840.10008.5.1.4.1.1.6")},
          {"SOP-STDPRINT S0", with(kClass, "UI", "1.2.840.10008.3.1.2.3.3")},
          {"SOP-RETIRED S2", with(kClass, "UI", "1.2.840.10008.5.1.1.29")},  // hardcopy images are images
          {"SOP-STDPRINT S0", with(kClass, "UI", "1.2.840.10008.5.1.4.32.3")},
          {"SOP-STDPRINT S0", with(kClass, "UI", "1.2.840.10008.5.1.1.27")}});
}

TEST(IdentityCodes, OfAProcedureStepAskForNoStudyAndNoPatient) {
  expect({{"SOP-STDPRINT S0",
           with(kClass, "UI", "1.2.840.10008.3.1.2.3.3").without(kStudy).without(kSeries).set(kId, "LO", "")}});
}

TEST(IdentityCodes, OfAPaletteAskForNoStudyAndNoPatientButForADecision) {
  const auto bare = [](const char* sop_class) {
    Elements e = with(kClass, "UI", sop_class);
    for (const Tag t : {kId, kName, kStudy, kSeries, kAccession, tag(0x0008, 0x0020), tag(0x0020, 0x0010)})
      e.without(t);
    return e;
  };
  expect({{"SOP-NONPATIENT S3", bare("1.2.840.10008.5.1.4.39.1")},
          {"SOP-NONPATIENT S3", bare("1.2.840.10008.5.1.4.38.1")},
          {"SOP-NONPATIENT S3", bare("1.2.840.10008.5.1.4.1.1.200.1")}});
}

TEST(IdentityCodes, TellAnEntryOfAWorklistWhateverItsMetaGroupSays) {
  Elements e;
  e.set(kAccession, "SH", "A17").set(kName, "PN", "Muster^Eva").set(kId, "LO", "P-42").set(kStudy, "UI", "1.2.3");
  e.set(tag(0x0040, 0x0100), "SQ", "");
  const auto file = [](const Elements& object) {
    return DicomBuilder::part10(object.write(), kExplicit, "1.2.276.0.99.1", "1.2.276.0.99.2");
  };
  EXPECT_EQ(codes(look(file(e))), "ENC-METAMISMATCH S2, SOP-STDPRINT S0");
  e.set(kSeries, "UI", "1.2.3.1");  // of a stored object that lost its class
  EXPECT_NE(codes(look(file(e))).find("SOP-PRIVATE"), std::string::npos);
}

TEST(IdentityCodes, NamePatientIdsThatIdentifyNobodyOrHoldMoreThanAnId) {
  expect({{"PID-EMPTY S3", with(kId, "LO", "")},
          {"PID-EMPTY S3", with(kId, "LO", "UNKNOWN")},
          {"PID-EMPTY S3", with(kId, "LO", "99999")},
          {"PID-PREFIX S2", with(kId, "LO", "123^^^HOSP")},
          {"PID-PREFIX S2", with(kId, "LO", "123&HOSP")},
          {"PID-PREFIX S2", with(kId, "LO", "123@HOSP")},
          {"PID-PREFIX S2", with(kId, "LO", "HOSP|123")},
          {"PID-PREFIX S2", with(kId, "LO", "HOSP\\123")},
          {"PID-PREFIX S2", with(kId, "LO", "HOSP:123")},
          {"PID-PREFIX S2", with(kId, "LO", "2.16.840.1.5:123")},
          {"PID-PREFIX S2", with(kId, "LO", "16:50:47:123")},
          {"PID-SPACE S1", with(kId, "LO", " 42")},
          {"PID-SPACE S1", with(kId, "LO", "42  ")},
          {"PID-SPACE S2", with(kId, "LO", "A  42")},
          {"PID-SPACE S2", with(kId, "LO", "A\t42")}});
}

TEST(IdentityCodes, LeavePatientIdsOfManyFormsAlone) {
  for (const char* id : {"123", "A-123", "00042", "123/45", "K1.23_4", "1956-04-17-x", "P#7", ":7",
                         "7:", "23.10.24-16:50:47-DST-1.3.12.2.1107.5.2.43.1"})
    EXPECT_EQ(codes(look(with(kId, "LO", id).file())), "") << id;
}

TEST(IdentityCodes, LeaveAnObjectOutOfQuarantineForWhatOnlyAPersonKnows) {
  const auto id = look(with(kId, "LO", "").file());
  const auto uid = look(with(kInstance, "UI", "1.2.3a.4").file());
  EXPECT_FALSE(std::any_of(id.findings.begin(), id.findings.end(), manifest::quarantines));
  EXPECT_TRUE(std::any_of(uid.findings.begin(), uid.findings.end(), manifest::quarantines));
}

TEST(IdentityCodes, NameAccessionNumbersThatWillNotMatch) {
  expect({{"ACC-LEN S3, VAL-OVERLEN S1", with(kAccession, "SH", "12345678901234567")},
          {"ACC-CHARS S2", with(kAccession, "SH", "a17")},
          {"ACC-CHARS S2", with(kAccession, "SH", "A 17")},
          {"ACC-CHARS S2", with(kAccession, "SH", "1.23E+10")}});
}

TEST(IdentityCodes, JudgeDates) {
  constexpr Tag kBirth = tag(0x0010, 0x0030);
  expect({{"VAL-DATE S1", with(kBirth, "DA", "1956.04.17")},
          {"VAL-DATE S2", with(kBirth, "DA", "03/04/1998")},
          {"VAL-DATE S2", with(kBirth, "DA", "00000000")},
          {"VAL-DATE S2", with(kBirth, "DA", "19000101")},
          {"VAL-DATE S2", with(kBirth, "DA", "19560231")},
          {"VAL-DATE S2", with(kBirth, "DA", "18560417")},
          {"VAL-DATE S2", with(tag(0x0008, 0x0020), "DA", "29990101")},
          {"VAL-NOSTUDYDATE S2", with(tag(0x0008, 0x0020), "DA", "")}});
  EXPECT_EQ(codes(look(with(kBirth, "DA", "20000229").file())), "");
}

TEST(IdentityCodes, NameOverlongValuesAndCodeStringsOfFreeText) {
  expect({{"VAL-OVERLEN S1", with(tag(0x0018, 0x0015), "CS", "Left knee, lat.")},
          {"VAL-OVERLEN S1", with(tag(0x0018, 0x0015), "CS", "ABDOMEN AND PELVIS")},
          {"VAL-OVERLEN S1", with(tag(0x0018, 0x0050), "DS", "1.00000000000000001")},
          {"VAL-OVERLEN S1", with(tag(0x0020, 0x0013), "IS", "1234567890123")},
          {"VAL-OVERLEN S1", with(kDescription, "LO", std::string(65, 'A'))}});
  EXPECT_EQ(codes(look(with(kDescription, "LO", std::string(64, 'A')).file())), "");
  EXPECT_EQ(codes(look(with(tag(0x0018, 0x0050), "DS", "1.0000000000\\2.0000000000").file())), "");
}

TEST(IdentityCodes, NameMissingRetiredAndProprietaryAttributes) {
  Elements annotated = sound();
  annotated.set(tag(0x0029, 0x0010), "LO", "MITRA MARKUP 1.0").set(tag(0x0029, 0x1000), "LO", "circle");
  expect({{"VAL-TYPE2MISSING S1", sound().without(tag(0x0020, 0x0010))},
          {"VAL-RETIRED S0", with(tag(0x0010, 0x1000), "LO", "77")},
          {"PRIV-ANNOT S3", annotated}});
}

TEST(IdentityCodes, ComparesTheCharacterSetWithTheBytes) {
  expect({{"CS-MISSING8 S2", with(kName, "PN", "M\xFCller^Eva")},
          {"CS-MISSING8 S2", with(kName, "PN", "M\xC3\xBCller^Eva")},
          {"CS-WRONG S2", with(kName, "PN", "M\xC3\xBCller^Eva").set(kSet, "CS", "ISO_IR 100")},
          {"CS-WRONG S2", with(kName, "PN", "M\xFCller^Eva").set(kSet, "CS", "ISO_IR 192")},
          {"CS-WRONG S2", with(kName, "PN", "M\x81ller^Eva").set(kSet, "CS", "ISO_IR 100")},
          {"CS-BADTERM S1", sound().set(kSet, "CS", "ISO-IR 100")},
          {"CS-UNKNOWN S2", sound().set(kSet, "CS", "EBCDIC-1")},
          {"CS-2022 S2", with(kName, "PN", "Yamada^Tarou=\x1B$B;3ED").set(kSet, "CS", "\\ISO 2022 IR 87")}});
  EXPECT_EQ(codes(look(with(kName, "PN", "M\xFCller^Eva").set(kSet, "CS", "ISO_IR 100").file())), "");
  EXPECT_EQ(codes(look(with(kName, "PN", "M\xC3\xBCller^Eva").set(kSet, "CS", "ISO_IR 192").file())), "");
  EXPECT_EQ(codes(look(with(kName, "PN", "Yamada=\x1B$B;3ED\x1B(B").set(kSet, "CS", "\\ISO 2022 IR 87").file())), "");
}

TEST(IdentityCodes, FindsTheCharacterSetBehindTheTextItIsFor) {
  const std::string set = DicomBuilder().text(kSet, "CS", "ISO_IR 144").str();
  const std::string data = sound().set(kName, "PN", "\xBB\xEE\xDA").write() + set;
  const auto object = look(DicomBuilder::part10(data, kExplicit, kCapture, "1.2.3.4"));
  EXPECT_EQ(codes(object), "ENC-ORDER S2");
  EXPECT_EQ(object.patient_name, "Люк");
}

TEST(IdentityCodes, NamesTheSetsThatWouldReadTextWithoutOne) {
  const auto object = look(with(kName, "PN", "M\xFCller^Eva").file());
  ASSERT_EQ(object.findings.size(), 1U);
  EXPECT_NE(object.findings[0].detail.find("ISO_IR 100"), std::string::npos);
  EXPECT_EQ(object.findings[0].detail.find("ISO_IR 192,"), std::string::npos);
  EXPECT_EQ(object.findings[0].raw, "4dfc6c6c65725e457661");
}

TEST(IdentityCodes, FindsTheCharacterSetOfItemsByInheritance) {
  DicomBuilder item;
  item.text(tag(0x0040, 0x0007), "LO",
            "Sch\xE4"
            "del");
  DicomBuilder b;
  for (const auto& [t, v, text] : std::vector<std::tuple<Tag, const char*, const char*>>{
           {kSet, "CS", "ISO_IR 100"}, {kClass, "UI", kCapture}, {kInstance, "UI", "1.2.3.4"}}) {
    const char vr[3] = {v[0], v[1], '\0'};
    b.text(t, vr, text);
  }
  b.sequence(tag(0x0040, 0x0275), {item.str()}, true);
  const std::string found = codes(look(DicomBuilder::part10(b.str(), kExplicit, kCapture, "1.2.3.4")));
  EXPECT_NE(found.find("CS-NESTED S0"), std::string::npos);
  EXPECT_EQ(found.find("CS-WRONG"), std::string::npos);
  EXPECT_EQ(found.find("CS-MISSING8"), std::string::npos);
}

TEST(References, AKeyObjectForLitigationIsAFinding) {
  DicomBuilder title;
  title.text(tag(0x0008, 0x0100), "SH", "113021").text(tag(0x0008, 0x0102), "SH", "DCM");
  DicomBuilder b;
  b.text(kClass, "UI", "1.2.840.10008.5.1.4.1.1.88.59").text(kInstance, "UI", "1.2.3.9");
  b.sequence(tag(0x0040, 0xA043), {title.str()}, true);
  const auto held = look(DicomBuilder::part10(b.str(), kExplicit, "1.2.840.10008.5.1.4.1.1.88.59", "1.2.3.9"));
  EXPECT_NE(codes(held).find("KO-LEGALHOLD S1"), std::string::npos) << codes(held);
  EXPECT_FALSE(held.rejection.has_value());
}

TEST(References, OfAKeyObjectAreListedOnceWithTheTitleOfARejectionNote) {
  const auto referenced = [](const char* uid) {
    DicomBuilder b;
    b.text(tag(0x0008, 0x1150), "UI", kCapture).text(tag(0x0008, 0x1155), "UI", uid);
    return b.str();
  };
  DicomBuilder title;
  title.text(tag(0x0008, 0x0100), "SH", "113001").text(tag(0x0008, 0x0102), "SH", "DCM");
  DicomBuilder b;
  b.text(kClass, "UI", "1.2.840.10008.5.1.4.1.1.88.59").text(kInstance, "UI", "1.2.3.9");
  b.sequence(tag(0x0008, 0x1199), {referenced("1.2.3.4"), referenced("1.2.3.5"), referenced("1.2.3.4")}, false);
  b.sequence(tag(0x0040, 0xA043), {title.str()}, true);
  const auto note = look(DicomBuilder::part10(b.str(), kExplicit, "1.2.840.10008.5.1.4.1.1.88.59", "1.2.3.9"));
  EXPECT_EQ(note.references, (std::vector<std::string>{"1.2.3.4", "1.2.3.5"}));
  EXPECT_EQ(note.rejection, "113001");
  EXPECT_EQ(codes(note).find("KO-LEGALHOLD"), std::string::npos);
  EXPECT_TRUE(look(sound().file()).references.empty());
}

}  // namespace
}  // namespace waybill::test
