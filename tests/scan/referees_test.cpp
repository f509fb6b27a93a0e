// SPDX-License-Identifier: Apache-2.0
// What other readers say of the same files: the recorded answers of dcmdump and pydicom (referees.tsv of
// WAYBILL_CORPUS), and DCMTK's parser in this process, whose attributes and, after it wrote the object anew, whose DS1
// must be ours. Files come from WAYBILL_CORPUS and WAYBILL_ARCHIVE (scripts/make-archive). Where a referee and we
// differ for a known reason, a rule says for which kind of file and why; no file is named.
#include "dicom/digest.hpp"
#include "dicom/uids.hpp"
#include "pixel/codec.hpp"
#include "scan/examine.hpp"
#include "support/scanning.hpp"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <optional>
#include <sstream>

namespace waybill {

namespace fs = std::filesystem;

namespace {

using dicom::tag;
using dicom::Tag;
using manifest::Bucket;
using manifest::Object;

const auto* const kToolkit = new dicom::Toolkit;

Object examined(const std::string& bytes) {
  scan::Options options;
  Object self;
  self.source.path = "/archive/file";
  self.id = manifest::object_id(self.source);
  return scan::examine_bytes(as_bytes(bytes), std::move(self), options).objects.front();
}

bool has(const Object& object, const char* code) { return test::finding(object, code) != nullptr; }

/// Whether we read the object to its end without loss.
bool parsed(const Object& object) {
  return object.bucket != Bucket::non_dicom && !has(object, "ENC-UNPARSED") && !has(object, "ENC-LENOVER");
}

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> out;
  for (const std::string_view cell : split(line, '\t')) out.emplace_back(cell);
  return out;
}

struct Recorded {
  std::string file, dcmdump, pydicom;
  std::map<std::string, std::string> values;
};

std::vector<Recorded> recorded_answers(const fs::path& table) {
  std::ifstream in(table);
  std::string line;
  std::vector<std::string> names;
  std::vector<Recorded> out;
  while (std::getline(in, line)) {
    if (line.starts_with("#")) continue;
    const auto cells = cells_of(line);
    if (names.empty()) {
      names = cells;
      continue;
    }
    Recorded one;
    for (std::size_t i = 0; i < cells.size() && i < names.size(); ++i) one.values[names[i]] = cells[i];
    one.file = one.values["file"];
    one.dcmdump = one.values["dcmdump_ignore_meta_rc"];
    one.pydicom = one.values["pydicom"];
    out.push_back(std::move(one));
  }
  return out;
}

/// Why dcmdump may judge the readability of this object otherwise than we do; empty when there is no reason.
std::string reason_to_judge_otherwise(const Object& object, bool dcmdump) {
  if (!dcmdump && has(object, "PIX-ZEROFRAG"))
    return "a missing delimiter at the end of the pixel data loses nothing (PIX-ZEROFRAG)";
  if (!dcmdump && has(object, "ENC-METAVR")) return "a meta group with an unknown VR is read as implicit (ENC-METAVR)";
  const auto* unparsed = test::finding(object, "ENC-UNPARSED");
  if (dcmdump && unparsed != nullptr && unparsed->detail.find("ends within its meta group") != std::string::npos)
    return "a file that ends within its meta group holds no object; dcmdump calls it an empty dataset";
  if (dcmdump && object.bucket == Bucket::non_dicom)
    return "forced, dcmdump reads any bytes as elements; no SOP Class is among them";
  if (!dcmdump && has(object, "ENC-ODDLEN")) return "an odd length is read as it stands (ENC-ODDLEN)";
  return {};
}

/// Why pydicom's value may differ from ours; empty when there is no reason.
std::string reason_for_another_value(const Object& object, const std::string& name) {
  if (name == "transfer_syntax" && (has(object, "ENC-TSLABEL") || has(object, "ENC-NOMETA")))
    return "pydicom repeats the label, we say what the bytes are";
  if (name == "frames" && has(object, "PIX-FRAMES")) return "pydicom repeats a text that is no number";
  return {};
}

TEST(RecordedReferees, AgreeOnReadabilityAndIdentityOfEveryFile) {
  const std::string root = test::environment("WAYBILL_CORPUS");
  if (root.empty()) GTEST_SKIP() << "WAYBILL_CORPUS is not set";
  const auto answers = recorded_answers(fs::path(root) / "referees.tsv");
  ASSERT_GT(answers.size(), 200U);
  std::map<std::string, int> explained;
  std::size_t values = 0;
  for (const Recorded& answer : answers) {
    const Object object = examined(test::slurp(fs::path(root) / answer.file));
    if (const bool dcmdump = answer.dcmdump == "0"; dcmdump != parsed(object)) {
      const std::string reason = reason_to_judge_otherwise(object, dcmdump);
      EXPECT_NE(reason, "") << answer.file << ": dcmdump " << answer.dcmdump << ", pydicom " << answer.pydicom
                            << ", we " << to_json(object);
      ++explained[reason];
    }
    const auto number = [](const std::optional<std::uint32_t>& n) {
      return n ? std::optional(std::to_string(*n)) : std::nullopt;
    };
    const std::map<std::string, std::optional<std::string>> ours = {
        {"transfer_syntax", object.transfer_syntax}, {"sop_class_uid", object.sop_class},
        {"sop_instance_uid", object.sop_instance},   {"rows", number(object.rows)},
        {"columns", number(object.columns)},         {"frames", number(object.frames)},
        {"bits_stored", number(object.bits_stored)}, {"photometric", object.photometric}};
    for (const auto& [name, value] : ours) {
      const std::string& theirs = answer.values.at(name);
      if (theirs == "-" || theirs == "''" || theirs.starts_with("!")) continue;
      ++values;
      if (value == theirs) continue;
      const std::string reason = reason_for_another_value(object, name);
      EXPECT_NE(reason, "") << answer.file << ": " << name << " is " << theirs << " to pydicom, "
                            << value.value_or("absent") << " to us\n"
                            << to_json(object);
      ++explained[reason];
    }
  }
  EXPECT_GT(values, 1500U);
  for (const auto& [reason, count] : explained) std::cout << "explained " << count << ": " << reason << "\n";
}

/// Raw text of a DCMTK element without outer padding, multiple values as they stand; nullopt when absent.
std::optional<std::string> dcmtk_text(DcmItem& item, Tag t) {
  DcmElement* element = nullptr;
  const DcmTagKey key(static_cast<Uint16>(t >> 16U), static_cast<Uint16>(t & 0xFFFFU));
  if (item.findAndGetElement(key, element).bad() || element == nullptr) return std::nullopt;
  OFString text;
  if (element->getOFStringArray(text, OFFalse).bad()) return std::nullopt;
  return std::string(trim(std::string(text.c_str(), text.size())));
}

/// Why DCMTK may refuse or see another dataset; empty when there is no reason.
std::string reason_for_another_dataset(const Object& object, const dicom::File& file) {
  if (!parsed(object)) return "cut or damaged: what is left differs by how far each reader goes";
  if (has(object, "ENC-TSLABEL")) return "DCMTK believes the label (ENC-TSLABEL)";
  if (has(object, "ENC-METAVR")) return "DCMTK cannot read the meta group (ENC-METAVR)";
  if (has(object, "ENC-VRUNKNOWN")) return "an unknown VR, of which each reader makes its own (ENC-VRUNKNOWN)";
  if (has(object, "ENC-ORDER")) return "DCMTK sorts and keeps the last of two elements, we the first (ENC-ORDER)";
  if (has(object, "ENC-TRAILGARBAGE") || has(object, "ENC-BLOCKPAD"))
    return "DCMTK reads what stands behind the dataset as elements";
  if (has(object, "PIX-ZEROFRAG")) return "DCMTK refuses pixel data without its delimiter (PIX-ZEROFRAG)";
  if (has(object, "ENC-ODDLEN")) return "DCMTK pads odd lengths when it reads (ENC-ODDLEN)";
  if (has(object, "ENC-UN64K")) return "DCMTK shows text in UN as hex (ENC-UN64K)";
  if (has(object, "ENC-NOPREAMBLE")) return "without DICM, DCMTK takes a meta group for the dataset (ENC-NOPREAMBLE)";
  if (DcmXfer(object.transfer_syntax.value_or("").c_str()).getXfer() == EXS_Unknown)
    return "DCMTK 3.6.7 does not know the transfer syntax";
  if (!file.inflated.empty() && file.transfer_syntax != dicom::uid::kDeflated)
    return "DCMTK does not know this deflated transfer syntax";
  return {};
}

struct Compared {
  std::size_t files = 0, attributes = 0, digests = 0;
  std::map<std::string, int> explained;
};

void compare_with_dcmtk(const fs::path& path, const fs::path& scratch, Compared& count) {
  const std::string bytes = test::slurp(path);
  const auto file = dicom::parse_file(as_bytes(bytes));
  if (!file) return;
  const Object object = examined(bytes);
  if (object.bucket == Bucket::dicomdir) return;
  ++count.files;
  const auto disagree = [&](const std::string& what) {
    const std::string reason = reason_for_another_dataset(object, *file);
    EXPECT_NE(reason, "") << path << ": " << what << "\n" << to_json(object);
    ++count.explained[reason];
  };
  DcmFileFormat format;
  const OFCondition loaded = format.loadFile(path.c_str());
  if (loaded.bad() || format.loadAllDataIntoMemory().bad()) {
    disagree(std::string("DCMTK cannot read it: ") + loaded.text());
    return;
  }
  DcmDataset& data = *format.getDataset();
  for (const Tag t :
       {tag(0x0008, 0x0016), tag(0x0008, 0x0018), tag(0x0020, 0x000D), tag(0x0020, 0x000E), tag(0x0010, 0x0020),
        tag(0x0010, 0x0021), tag(0x0010, 0x0010), tag(0x0010, 0x0030), tag(0x0010, 0x0040), tag(0x0008, 0x0050),
        tag(0x0008, 0x0020), tag(0x0008, 0x0030), tag(0x0008, 0x0060), tag(0x0028, 0x0004), tag(0x0028, 0x0008)}) {
    const auto raw = file->dataset.raw_text(t);
    const auto ours = raw ? std::optional(std::string(trim(*raw))) : std::nullopt;
    ++count.attributes;
    if (const auto theirs = dcmtk_text(data, t); theirs != ours) disagree(dicom::to_string(t) + " differs");
  }
  for (const Tag t : {tag(0x0028, 0x0010), tag(0x0028, 0x0011), tag(0x0028, 0x0101)}) {
    Uint16 value = 0;
    const DcmTagKey key(static_cast<Uint16>(t >> 16U), static_cast<Uint16>(t & 0xFFFFU));
    const bool there = data.findAndGetUint16(key, value).good();
    ++count.attributes;
    const auto ours = file->dataset.integer(t);
    if (there != ours.has_value() || (there && *ours != value)) disagree(dicom::to_string(t) + " differs");
  }
  const E_TransferSyntax original = data.getOriginalXfer();
  const bool encapsulated = DcmXfer(original).isEncapsulated();
  const bool keeps = encapsulated || original == EXS_LittleEndianImplicit;  // else DCMTK adds VRs of private elements
  const E_TransferSyntax target = keeps ? original : EXS_LittleEndianExplicit;
  if (!data.canWriteXfer(target, original) ||
      format.saveFile(scratch.c_str(), target, EET_UndefinedLength, EGL_recalcGL).bad()) {
    disagree("DCMTK cannot write it");
    return;
  }
  const std::string written = test::slurp(scratch);
  const auto again = dicom::parse_file(as_bytes(written));
  ASSERT_TRUE(again) << path;
  ++count.digests;
  if (dicom::dataset_digest(file->dataset) == dicom::dataset_digest(again->dataset)) return;
  std::string differences;
  for (const auto& d : dicom::compare(file->dataset, again->dataset, dicom::Profile::strict))
    differences += d.tag + " " + d.kind + " " + d.detail + "; ";
  disagree("DS1 differs: " + differences.substr(0, 500));
}

TEST(DcmtkReferee, SeesTheSameAttributesAndTheSameDatasetDigest) {
  const test::TempFolder folder;
  Compared count;
  bool any = false;
  for (const char* name : {"WAYBILL_CORPUS", "WAYBILL_ARCHIVE"}) {
    const std::string root = test::environment(name);
    if (root.empty()) continue;
    any = true;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_symlink() && entry.is_regular_file() && entry.path().string().find("/hl7/") == std::string::npos)
        compare_with_dcmtk(entry.path(), folder / "written", count);
    }
  }
  if (!any) GTEST_SKIP() << "neither WAYBILL_CORPUS nor WAYBILL_ARCHIVE is set";
  EXPECT_GT(count.files, 100U);
  std::cout << count.files << " files, " << count.attributes << " attributes, " << count.digests
            << " digests compared\n";
  for (const auto& [reason, n] : count.explained) std::cout << "explained " << n << ": " << reason << "\n";
}

}  // namespace
}  // namespace waybill
