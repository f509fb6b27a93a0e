// SPDX-License-Identifier: Apache-2.0
#include "inventory/inventory.hpp"

#include "dicom/file.hpp"
#include "inventory/elements.hpp"
#include "io/read_file.hpp"
#include "manifest/writer.hpp"
#include "support/folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <fstream>

namespace waybill::inventory {
namespace {

namespace fs = std::filesystem;
using manifest::Bucket;
using manifest::Object;

using test::Ran;

Ran run(const std::string& command) { return test::shell(command + " 2>&1"); }

class Inventory : public test::InFolder {
 protected:
  static Object instance(int n, const std::string& study, const std::string& series, const std::string& sop) {
    Object o;
    o.source = {"/archive/a b/" + std::to_string(n), std::nullopt, 0, 100, "2020-01-01T00:00:00Z"};
    o.id = manifest::object_id(o.source);
    o.file_sha256 = std::string(63, '0') + std::to_string(n % 10);
    o.sop_class = "1.2.840.10008.5.1.4.1.1.2";
    o.sop_instance = sop;
    o.study = study;
    o.series = series;
    o.transfer_syntax = "1.2.840.10008.1.2.1";
    o.patient_id = "P1";
    o.patient_name = "M\xC3\xBCLLER^EVA";
    o.modality = "CT";
    return o;
  }
  void write(const std::vector<Object>& objects, const std::vector<manifest::LateFinding>& late = {}) const {
    manifest::Writer writer(
        manifest(),
        {"scan", "00000000-0000-4000-8000-000000000000", "waybill 0.1.0", "2026-03-01T12:30:45.123456Z", "{}", {}});
    for (const Object& o : objects) writer.append_record(o);
    for (const auto& l : late) writer.append_record(l);
    writer.finish("{}");
  }
  Written write_inventory() const { return waybill::inventory::write(manifest(), folder_ / "i.dcm"); }
  [[nodiscard]] fs::path manifest() const { return folder_ / "scan.wb"; }
  [[nodiscard]] Ran python(const std::string& script) const {
    std::ofstream(folder_ / "check.py") << "import pydicom, sys\nfrom pydicom.tag import Tag\n" << script;
    return run("/usr/bin/python3 " + (folder_ / "check.py").string() + " " + folder_.string());
  }
};

}  // namespace

TEST_F(Inventory, IsReadByOtherToolkitsWithEveryInstanceInItsPlace) {
  Object copy = instance(4, "1.2", "1.2.1", "1.2.1.1");
  copy.bucket = Bucket::duplicate_identical;
  Object conflict = instance(5, "1.2", "1.2.1", "1.2.1.1");
  conflict.bucket = Bucket::duplicate_conflict;
  Object zipped = instance(6, "1.3", "1.3.1", "1.3.1.1");
  zipped.source.path = "/archive/c.zip";
  zipped.source.member = "d/e.dcm";
  Object text = instance(7, "1.4", "1.4.1", "1.4.1.1");
  text.bucket = Bucket::non_dicom;
  const Object rejected = instance(2, "1.2", "1.2.2", "1.2.2.1");
  write({instance(1, "1.2", "1.2.1", "1.2.1.1"), zipped, rejected, instance(3, "1.2", "1.2.1", "1.2.1.2"), copy,
         conflict, text},
        {{rejected.id, {"REJECTED-113038", manifest::Severity::s2, "", ""}}});

  const Written written = write_inventory();

  EXPECT_EQ(written.files, 1U);
  EXPECT_EQ(written.studies, 2U);
  EXPECT_EQ(written.instances, 4U);
  EXPECT_EQ(written.left_out, 2U);
  const std::string file = (folder_ / "i.dcm").string();
  EXPECT_EQ(run("dcmftest " + file).exit, 0);
  const Ran dump = run("dcmdump -q " + file);
  EXPECT_EQ(dump.exit, 0) << dump.out;
  const Ran read = python(R"(
d = pydicom.dcmread(sys.argv[1] + '/i.dcm')
assert d.file_meta.MediaStorageSOPClassUID == d.SOPClassUID == '1.2.840.10008.5.1.4.1.1.201.1'
assert d.file_meta.MediaStorageSOPInstanceUID == d.SOPInstanceUID
assert (d.ContentDate, d.ContentTime) == ('20260301', '123045')
assert len(d[Tag(8, 0x400)].value) == 0 and d[Tag(8, 0x403)].value == 'INSTANCE'
assert d[Tag(8, 0x426)].value == 'COMPLETE' and d[Tag(8, 0x427)].value == 2 and d[Tag(8, 0x428)].value == 2
studies = d[Tag(8, 0x423)].value
assert [s.StudyInstanceUID for s in studies] == ['1.2', '1.3']
assert str(studies[0].PatientName) == 'M\u00fcLLER^EVA'
assert (studies[0].NumberOfStudyRelatedSeries, studies[0].NumberOfStudyRelatedInstances) == (2, 3)
series = studies[0][Tag(8, 0x424)].value
assert [(s.SeriesInstanceUID, s.Modality, s.NumberOfSeriesRelatedInstances) for s in series] == [('1.2.1', 'CT', 2), ('1.2.2', 'CT', 1)]
first, second = series[0][Tag(8, 0x425)].value
assert (first.SOPInstanceUID, second.SOPInstanceUID) == ('1.2.1.1', '1.2.1.2')
assert first[Tag(8, 0x40e)].value == '1.2.840.10008.1.2.1'
uris = [a[Tag(8, 0x409)].value for a in first[Tag(8, 0x41a)].value]
assert sorted(uris) == ['file:///archive/a%20b/1', 'file:///archive/a%20b/4'], uris
assert first[Tag(8, 0x41a)].value[0][Tag(0x400, 0x404)].value[:31] == bytes(31)
gone = series[1][Tag(8, 0x425)].value[0]
assert gone[Tag(8, 0x405)].value == 'Y' and Tag(8, 0x405) not in first
access = studies[1][Tag(8, 0x424)].value[0][Tag(8, 0x425)].value[0][Tag(8, 0x41a)].value[0]
assert (access[Tag(8, 0x409)].value, access[Tag(8, 0x40a)].value, access[Tag(8, 0x40b)].value) == ('file:///archive/c.zip', 'ZIP', 'd/e.dcm')
)");
  EXPECT_EQ(read.exit, 0) << read.out;

  const auto bytes = io::read_file(file);
  ASSERT_TRUE(bytes);
  const auto own = dicom::parse_file(*bytes);
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->findings.empty());
  EXPECT_EQ(run("stat -c %a " + file).out, "600\n");
}

TEST_F(Inventory, InAFolderIsSplitByStudiesUnderOneRoot) {
  std::vector<Object> objects;
  for (int i = 0; i < 10; ++i) {
    const std::string study = "1.2." + std::to_string(i);
    objects.push_back(instance(i, study, study + ".1", study + ".1.1"));
  }
  write(objects);
  fs::create_directory(folder_ / "out");

  const Written written = waybill::inventory::write(manifest(), folder_ / "out", 4);

  EXPECT_EQ(written.files, 4U);
  const Ran read = python(R"(
import glob
root = pydicom.dcmread(sys.argv[1] + '/out/inventory.dcm')
parts = [pydicom.dcmread(f) for f in sorted(glob.glob(sys.argv[1] + '/out/0*.dcm'))]
assert [i.ReferencedSOPInstanceUID for i in root[Tag(8, 0x422)].value] == [p.SOPInstanceUID for p in parts]
assert [len(p[Tag(8, 0x423)].value) for p in parts] == [4, 4, 2] == [p[Tag(8, 0x427)].value for p in parts]
assert root[Tag(8, 0x427)].value == 0 and root[Tag(8, 0x428)].value == 10
assert len({p.SOPInstanceUID for p in parts + [root]}) == 4
)");
  EXPECT_EQ(read.exit, 0) << read.out;
}

TEST_F(Inventory, LeavesOutAValueThatNoLengthFieldHolds) {
  Object hostile = instance(1, "1.2", "1.2.1", "1.2.1.1");
  hostile.patient_name = std::string(1 << 20, 'x');
  hostile.source.path = "/" + std::string(70'000, 'y');  // UR has a 32-bit length
  write({hostile});
  write_inventory();
  const Ran read = python(R"(
d = pydicom.dcmread(sys.argv[1] + '/i.dcm')
study = d[Tag(8, 0x423)].value[0]
assert study.PatientName == '' and study.PatientID == 'P1'
access = study[Tag(8, 0x424)].value[0][Tag(8, 0x425)].value[0][Tag(8, 0x41a)].value[0]
assert len(access[Tag(8, 0x409)].value) == 70008
)");
  EXPECT_EQ(read.exit, 0) << read.out;
}

TEST_F(Inventory, GivesTheSameBytesAgain) {
  write({instance(1, "1.2", "1.2.1", "1.2.1.1")});
  write_inventory();
  const std::string first = test::get(folder_ / "i.dcm");
  write_inventory();
  EXPECT_EQ(test::get(folder_ / "i.dcm"), first);
  EXPECT_GT(first.size(), 500U);
}

TEST_F(Inventory, OfNoInstanceIsStillOne) {
  write({});
  EXPECT_EQ(write_inventory().studies, 0U);
  EXPECT_EQ(run("dcmdump -q " + (folder_ / "i.dcm").string()).exit, 0);
}

TEST(InventoryUid, IsADecimalNumberOf128Bits) {
  // SHA-256 of "abc" begins with ba7816bf8f01cfea414140de5dae2223
  EXPECT_EQ(uid_from("abc"), "2.25.247859944228867399418143717509236138531");
}

}  // namespace waybill::inventory
