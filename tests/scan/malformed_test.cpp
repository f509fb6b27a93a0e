// SPDX-License-Identifier: Apache-2.0
// Generated malformed inputs, each alone with its bucket and codes, and all together in one folder among sound objects.
#include "inspect/elements.hpp"
#include "scan/examine.hpp"
#include "support/deflate.hpp"
#include "support/scanning.hpp"
#include "support/verdict.hpp"

#include <set>

namespace waybill::test {
namespace {

using manifest::Bucket;

struct Case {
  std::string name;
  std::string verdict;  ///< bucket and codes above S0
  std::string bytes;
};

std::string le16(std::uint64_t n) { return {static_cast<char>(n & 0xFFU), static_cast<char>((n >> 8U) & 0xFFU)}; }
std::string le32(std::uint64_t n) { return le16(n) + le16(n >> 16U); }

/// Any element: `head` is VR and length as they stand.
std::string element(Tag t, const std::string& head, const std::string& value = {}) {
  return le16(t >> 16U) + le16(t & 0xFFFFU) + head + value;
}
std::string long_head(const char* vr, std::uint64_t length) { return vr + std::string(2, '\0') + le32(length); }
std::string short_head(const char* vr, std::uint64_t length) { return vr + le16(length); }
std::string delimiter(std::uint16_t number, std::uint64_t length = 0) {
  return element(tag(0xFFFE, number), le32(length));
}

std::string part10(const std::string& data, const std::string& syntax = kExplicit) {
  return DicomBuilder::part10(data, syntax, kCapture, "1.2.3.4");
}

/// The sound dataset with `extra` before the first element of group `before`.
std::string with(const std::string& extra, std::uint16_t before = 0x0020) {
  const std::string data = sound().write();
  const std::size_t at = data.find(le16(before) + (before == 0x0020 ? le16(0x000D) : le16(0x0010)));
  return data.substr(0, at) + extra + data.substr(at);
}

/// A Part 10 file whose meta group is `meta`.
std::string with_meta(const std::string& meta) { return std::string(128, '\0') + "DICM" + meta + sound().write(); }
std::string meta_of(std::uint64_t group_length, const std::string& syntax_element) {
  const std::string group = element(tag(0x0002, 0x0001), long_head("OB", 2), std::string("\0\1", 2)) +
                            element(tag(0x0002, 0x0002), short_head("UI", 26), std::string(kCapture) + '\0') +
                            element(tag(0x0002, 0x0003), short_head("UI", 8), std::string("1.2.3.4\0", 8)) +
                            syntax_element;
  return element(tag(0x0002, 0x0000), short_head("UL", 4), le32(group_length == 1 ? group.size() : group_length)) +
         group;
}
std::string syntax_element(const std::string& value) {
  return element(tag(0x0002, 0x0010), short_head("UI", value.size()), value);
}

std::string nested(unsigned depth) {
  std::string inner;
  for (unsigned i = 0; i < depth; ++i)
    inner += element(tag(0x0040, 0xA730), long_head("SQ", 0xFFFFFFFFU)) + delimiter(0xE000, 0xFFFFFFFFU);
  for (unsigned i = 0; i < depth; ++i) inner += delimiter(0xE00D) + delimiter(0xE0DD);
  return inner;
}

std::string many(std::size_t count, const std::string& one) {
  std::string out;
  out.reserve(count * one.size());
  for (std::size_t i = 0; i < count; ++i) out += one;
  return out;
}

std::string private_elements(std::size_t count) {
  constexpr std::size_t kGroup = 0xE000;
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto group = static_cast<std::uint16_t>(0x3001 + 2 * (i / kGroup));
    out += element(tag(group, static_cast<std::uint16_t>(0x1000 + i % kGroup)), short_head("LO", 2), "x ");
  }
  return out;
}

Elements frames(const std::string& n) { return sound().set(tag(0x0028, 0x0008), "IS", n); }

Elements without_image(Elements e) {
  e.without(tag(0x7FE0, 0x0010));
  for (const Tag t : {0x0002U, 0x0004U, 0x0010U, 0x0011U, 0x0100U, 0x0101U, 0x0102U, 0x0103U, 0x1050U, 0x1051U})
    e.without(0x00280000U | t);
  return e;
}

/// No SOP Class, no instance, no image.
Elements without_class(const Elements& e) {
  return without_image(e).without(tag(0x0008, 0x0016)).without(tag(0x0008, 0x0018));
}

constexpr Tag kPatientId = tag(0x0010, 0x0020);

std::vector<Case> containers() {
  const std::string whole = sound().file();
  const std::string data = sound().write();
  const std::string plain = "1.2.840.10008.1.2.1";
  std::vector<Case> out = {
      {"no bytes", "empty", ""},
      {"no preamble", "instance ENC-NOPREAMBLE", whole.substr(132)},
      {"DICM at 0", "instance ENC-NOPREAMBLE", whole.substr(128)},
      {"a preamble of 127 bytes", "instance ENC-NOPREAMBLE", whole.substr(1)},
      {"a preamble of 3 bytes", "instance ENC-NOPREAMBLE", whole.substr(125)},
      {"100 zeros before the meta group", "instance ENC-NOPREAMBLE", std::string(100, '\0') + whole.substr(132)},
      {"512 zeros before the dataset", "instance ENC-NOMETA ENC-NOPREAMBLE", std::string(512, '\0') + data},
      {"zeros before a big endian dataset", "instance ENC-BE ENC-NOMETA ENC-NOPREAMBLE",
       std::string(131, '\0') + sound().write({true, true})},
      {"a nameless dataset before other bytes", "quarantined ENC-TRAILGARBAGE UID-MISSING VAL-NOSTUDYDATE",
       DicomBuilder::part10(element(kPatientId, short_head("LO", 2), "1 ") + noise(400, 5), kExplicit, "", "")},
      {"no meta group", "instance ENC-NOMETA", data},
      {"meta length 0", "instance ENC-METALEN", with_meta(meta_of(0, syntax_element(plain + '\0')))},
      {"meta length too small", "instance ENC-METALEN", with_meta(meta_of(20, syntax_element(plain + '\0')))},
      {"meta length too big", "instance ENC-METALEN", with_meta(meta_of(100'000, syntax_element(plain + '\0')))},
      {"meta length absent", "instance ENC-METALEN", with_meta(meta_of(1, syntax_element(plain + '\0')).substr(12))},
      {"a VR of small letters in the meta group", "instance ENC-METAVR",
       with_meta(meta_of(1, element(tag(0x0002, 0x0003), short_head("ui", 8), std::string("1.2.3.4\0", 8)) +
                                syntax_element(plain + '\0')))},
      {"a VR of FFFF in the meta group", "instance ENC-METAVR",
       with_meta(meta_of(1, element(tag(0x0002, 0x0003), short_head("\xFF\xFF", 8), std::string("1.2.3.4\0", 8)) +
                                syntax_element(plain + '\0')))},
      {"a VR of capitals and a 32-bit length in the meta group", "instance ENC-METAVR",
       with_meta(meta_of(1, element(tag(0x0002, 0x0003), long_head("QQ", 8), std::string("1.2.3.4\0", 8)) +
                                syntax_element(plain + '\0')))},
      {"a syntax under a VR of NULs with a 32-bit length", "instance ENC-METAVR",
       with_meta(meta_of(1, element(tag(0x0002, 0x0010), std::string(4, '\0') + le32(20), plain + '\0')))},
      {"DICM within a dataset without meta group", "instance ENC-NOMETA",
       element(tag(0x0008, 0x0008), short_head("CS", 126), many(60, "A\\") + "DICM_1") + data},
      {"a whole dataset that lost its class", "quarantined ENC-NOMETA UID-MISSING", without_class(sound()).write()},
      {"pixels that lost their class and rows", "quarantined PIX-DIMS UID-MISSING",
       DicomBuilder::part10(without_class(sound())
                                .without(tag(0x0020, 0x000E))
                                .exact(tag(0x0028, 0x0002), "US", std::string("\1\0", 2))
                                .exact(tag(0x7FE0, 0x0010), "OW", "abcd")
                                .write(),
                            kExplicit, "", "")},
      {"a cut meta group", "quarantined ENC-UNPARSED", with_meta(meta_of(1, "")).substr(0, 158)},
      {"syntax empty", "instance ENC-NOMETA", with_meta(meta_of(1, syntax_element("")))},
      {"syntax unknown", "quarantined ENC-PRIVTS PIX-NODECODER", part10(data, "1.2.276.0.99.7")},
      {"syntax of odd length", "instance", with_meta(meta_of(1, syntax_element(plain)))},
      {"syntax of 70 characters", "quarantined ENC-PRIVTS PIX-NODECODER",
       part10(data, "1.2.276." + std::string(62, '7'))},
      {"syntax padded with a space", "instance", with_meta(meta_of(1, syntax_element(plain + ' ')))},
      {"syntax padded with NULs", "instance", with_meta(meta_of(1, syntax_element(plain + std::string(3, '\0'))))},
      {"big endian", "instance ENC-BE", sound().file("1.2.840.10008.1.2.2", {true, true})},
      {"implicit under explicit", "instance ENC-TSLABEL", part10(sound().write({false, false}))},
      {"explicit under implicit", "instance ENC-TSLABEL", part10(data, kImplicit)},
      {"group 2 again", "instance ENC-ORDER",
       part10(with(element(tag(0x0002, 0x0010), short_head("UI", 20), plain + '\0')))},
      {"a second object", "quarantined ENC-VENDORWRAP + quarantined ENC-VENDORWRAP", whole + whole},
      {"zeros to 512", "instance ENC-BLOCKPAD", whole + std::string(512 - whole.size() % 512, '\0')},
      {"noise", "non-dicom", noise(5000, 3)},
      {"zeros", "non-dicom SRC-ZEROS", std::string(5000, '\0')},
  };
  const std::string packed = deflated(data, -15);
  out.push_back({"deflated and cut", "quarantined ENC-LENOVER PID-EMPTY UID-MISSING VAL-TYPE2MISSING",
                 part10(packed.substr(0, packed.size() / 2), "1.2.840.10008.1.2.1.99")});
  for (std::size_t n = 1; n <= 512; n += 73)
    out.push_back({std::to_string(n) + " bytes behind", "instance ENC-TRAILGARBAGE", whole + std::string(n, '\x5A')});
  return out;
}

std::vector<Case> lengths() {
  std::vector<Case> out;
  for (const std::uint64_t n : {0xFFFFFFF0ULL, 0xFFFFFFFEULL, 0x20202020ULL})
    out.push_back({"length " + std::to_string(n), "quarantined ENC-LENOVER UID-MISSING VAL-TYPE2MISSING",
                   part10(with(element(tag(0x0019, 0x1001), long_head("OB", n), "ab")))});
  const std::string item = delimiter(0xE000, 0);
  const auto sequence = [&](std::uint64_t length, const std::string& content) {
    return element(tag(0x0008, 0x1115), long_head("SQ", length), content);
  };
  const auto early = [](const std::string& extra) { return part10(with(extra, 0x0020)); };
  const std::string note =
      without_image(sound().set(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.59")).write();
  const std::vector<Case> rest = {
      {"one more than is left", "quarantined ENC-LENOVER", sound().file().substr(0, sound().file().size() - 1)},
      {"text of odd length", "instance ENC-ODDLEN",
       part10(with(element(tag(0x0018, 0x1030), short_head("LO", 3), "abc")))},
      {"text of undefined length", "instance ENC-UNDEFOBOW",
       early(element(tag(0x0018, 0x9999), long_head("UT", 0xFFFFFFFFU), delimiter(0xE0DD)))},
      {"an item past its sequence", "quarantined ENC-LENOVER ENC-ORDER UID-MISSING VAL-TYPE2MISSING",
       early(sequence(8, delimiter(0xE000, 100)) + std::string(100, 'x'))},
      {"no sequence delimiter", "instance ENC-SEQDELIM",
       early(element(tag(0x0018, 0x9346), long_head("SQ", 0xFFFFFFFFU),
                     delimiter(0xE000, 0xFFFFFFFFU) + delimiter(0xE00D)))},
      {"a delimiter with a length", "instance",
       early(element(tag(0x0018, 0x9346), long_head("SQ", 0xFFFFFFFFU), delimiter(0xE0DD, 8)))},
      {"64 sequences deep", "instance", part10(with(nested(64), 0x7FE0))},
      {"65 sequences deep", "quarantined ENC-UNPARSED", part10(with(nested(65), 0x7FE0))},
      {"1000 sequences deep", "quarantined ENC-UNPARSED", part10(with(nested(1000), 0x7FE0))},
      {"a million sequences deep", "quarantined ENC-UNPARSED", part10(with(nested(1'000'000), 0x7FE0))},
      {"a million empty items", "instance",
       early(element(tag(0x0018, 0x9346), long_head("SQ", 8'000'000), many(1'000'000, item)))},
      {"a million private elements", "instance", part10(with(private_elements(1'000'000), 0x7FE0))},
      {"five million items", "quarantined ENC-UNPARSED",
       early(element(tag(0x0018, 0x9346), long_head("SQ", 40'000'000), many(5'000'000, item)))},
      {"items whose sequence lost its header", "quarantined ENC-LENOVER",
       early(delimiter(0xE000, 10) + element(tag(0x0018, 0x6012), short_head("US", 2), "ab"))},
      {"tags out of order", "instance ENC-ORDER", early(element(tag(0x0008, 0x0008), short_head("CS", 2), "A "))},
      {"bytes behind a note", "instance ENC-TRAILGARBAGE", part10(note + noise(300, 9))},
      {"a damaged header in a note", "quarantined ENC-TRAILGARBAGE",
       part10(note + "\x01\x02\x03\x04garbage_" + element(tag(0x0040, 0x0244), short_head("DA", 8), "20190502") +
              element(tag(0x0040, 0x0245), short_head("TM", 6), "101500") +
              element(tag(0x0040, 0x0253), short_head("SH", 4), "P-42"))},
      {"a tag twice", "instance ENC-ORDER", early(many(2, element(tag(0x0018, 0x1030), short_head("LO", 2), "A ")))},
      {"a command group", "instance ENC-CMDGROUP",
       part10(element(tag(0x0000, 0x0002), short_head("UI", 2), "1.") + sound().write())},
      {"group FFFF", "instance", part10(sound().write() + element(tag(0xFFFF, 0xFFFF), short_head("LO", 2), "A "))},
      {"an item at the root", "instance ENC-TRAILGARBAGE", part10(sound().write() + delimiter(0xE000, 4) + "abcd")},
      {"a delimiter at the root", "instance ENC-SEQDELIM", part10(with(delimiter(0xE00D)))},
  };
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

/// A key object selection of so many objects.
std::string note_of(std::size_t count) {
  std::string items;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string uid = "1.2.276.0.99.4711.20190502101500.1." + std::to_string(1'000'000'000 + i);
    items += delimiter(0xE000, 8 + uid.size() + uid.size() % 2) + element(tag(0x0008, 0x1155),
                                                                          short_head("UI", uid.size() + uid.size() % 2),
                                                                          uid + std::string(uid.size() % 2, '\0'));
  }
  Elements note = sound().set(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.88.59");
  note.exact(tag(0x0008, 0x1115), "SQ", items);
  return without_image(note).file();
}

std::vector<Case> values() {
  constexpr Tag kRows = tag(0x0028, 0x0010);
  constexpr Tag kName = tag(0x0010, 0x0010);
  constexpr Tag kInstance = tag(0x0008, 0x0018);
  const auto uid = [&](const std::string& value) { return sound().set(kInstance, "UI", value).file(); };
  return {
      {"Rows as UL", "instance ENC-VRWRONG", sound().exact(kRows, "UL", std::string("\2\0\0\0", 4)).file()},
      {"Rows as UL of 4 billion", "quarantined ENC-VRWRONG PIX-SHORT",
       sound().exact(kRows, "UL", "\xFF\xFF\xFF\xFF").file()},
      {"Rows twice", "instance", sound().exact(kRows, "US", std::string("\2\0\3\0", 4)).file()},
      {"Rows empty", "quarantined PIX-DIMS", sound().exact(kRows, "US", "").file()},
      {"Rows as text", "quarantined ENC-VRWRONG PIX-DIMS", sound().set(kRows, "IS", "0x10").file()},
      {"no frames", "quarantined PIX-FRAMES", frames("0").file()},
      {"minus one frame", "quarantined PIX-FRAMES", frames("-1").file()},
      {"two billion frames", "quarantined PIX-SHORT", frames("2147483648").file()},
      {"a milliard frames", "quarantined PIX-SHORT", frames("1000000000").file()},
      {"more frames than a number holds", "quarantined PIX-SHORT", frames("99999999999").file()},
      {"frames in hex", "quarantined PIX-FRAMES", frames("0x10").file()},
      {"a name in binary", "instance ENC-VRWRONG", sound().set(kName, "OB", "Muster^Eva").file()},
      {"signatures that are no sequence", "instance ENC-VRWRONG",
       part10(sound().write() + element(tag(0xFFFA, 0xFFFA), long_head("OB", 4), "abcd"))},
      {"a VR of question marks", "instance ENC-VRUNKNOWN",
       part10(with(element(tag(0x0018, 0x1030), std::string("\x3F\x3F\0\0", 4), "")))},
      {"a VR of NULs", "instance ENC-VRUNKNOWN",
       part10(with(element(tag(0x0018, 0x1030), std::string("\0\0\0\0", 4))))},
      {"a UID with dots", "quarantined UID-SYNTAX", uid("1.2.3/../../etc/passwd")},
      {"a UID with a slash", "quarantined UID-SYNTAX", uid("1.2/3")},
      {"a UID with a backslash", "quarantined UID-SYNTAX", uid("1.2.3\\1.2.4")},
      {"a UID with a NUL", "quarantined UID-SYNTAX", uid(std::string("1.2.3\0.4", 8))},
      {"a UID with a line feed", "quarantined UID-SYNTAX", uid("1.2.3\n4")},
      {"a UID with a leading zero", "instance UID-SYNTAX", uid("1.2.03")},
      {"a name and an ID too long for a record", "quarantined ENC-UN64K VAL-OVERLEN",
       sound()
           .set(kName, "UN", std::string(20U << 20U, '\x01'))
           .set(tag(0x0010, 0x0020), "UN", std::string(20U << 20U, 'P'))
           .file()},
      {"a photometric interpretation too long for a record", "quarantined ENC-UN64K VAL-OVERLEN",
       sound().set(tag(0x0028, 0x0004), "UN", "YBR" + std::string(40U << 20U, 'X')).file()},
      {"more references than a record holds", "quarantined REF-MANY", note_of(700'000)},
      {"a UID of a megabyte", "quarantined ENC-ORDER ENC-UN64K UID-SYNTAX VAL-OVERLEN",
       part10(element(kInstance, std::string("UN\0\0", 4) + le32(1U << 20U), std::string(1U << 20U, '1')) +
              sound().without(kInstance).write())},
  };
}

std::string verdict(const std::vector<manifest::Object>& objects) {
  std::string out;
  for (const auto& object : objects) {
    std::vector<std::string> codes;
    for (const auto& f : object.findings) {
      const bool counts = f.severity > manifest::Severity::s0 && f.code != "ENC-METAMISMATCH";
      if (counts) codes.push_back(f.code);
    }
    std::sort(codes.begin(), codes.end());
    out += (out.empty() ? "" : " + ") + std::string(to_string(object.bucket));
    for (const auto& code : codes) out += " " + code;
  }
  return out;
}

using test::examined;

void expect_verdicts(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto objects = examined(c.bytes);
    EXPECT_EQ(verdict(objects), c.verdict) << c.name;
    for (const auto& object : objects) EXPECT_TRUE(says_why(object)) << c.name << to_json(object);
  }
}

TEST(MalformedContainers, EachHaveTheirBucketAndCodes) { expect_verdicts(containers()); }
TEST(MalformedLengths, EachHaveTheirBucketAndCodes) { expect_verdicts(lengths()); }
TEST(MalformedValues, EachHaveTheirBucketAndCodes) { expect_verdicts(values()); }

TEST(MalformedFiles, AmongSoundOnesAreAllAccountedForAndChangeNothingForThem) {
  const TempFolder folder;
  std::size_t files = 0;
  for (const auto& cases : {containers(), lengths(), values()}) {
    for (const Case& c : cases)
      write(folder / ("in/" + std::to_string(files % 5)) / (std::to_string(files) + "x"), c.bytes), ++files;
  }
  std::set<std::string> sound_ones;
  for (int i = 0; i < 40; ++i) {
    const std::string uid = "1.2.77." + std::to_string(i + 1);
    write(folder / ("in/" + std::to_string(i % 5)) / (std::to_string(i * 3)),
          small_object("1.2.77", "1.2.77.0", uid, 1));
    sound_ones.insert(uid);
  }
  scan::Options options;
  options.sources = {(folder / "in").string()};
  options.deep = true;
  options.threads = 2;
  const auto scanned = scan_all(options);
  std::set<std::string> paths;
  for (const auto& object : scanned.objects) {
    paths.insert(object.source.path);
    if (object.bucket == Bucket::instance) sound_ones.erase(object.sop_instance.value_or(""));
  }
  EXPECT_EQ(paths.size(), files + 40);
  EXPECT_TRUE(sound_ones.empty());
  EXPECT_TRUE(scanned.tally.closes());
}

}  // namespace
}  // namespace waybill::test
