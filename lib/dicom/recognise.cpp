// SPDX-License-Identifier: Apache-2.0
#include "dicom/recognise.hpp"

#include "core/text.hpp"
#include "dicom/dictionary.hpp"
#include "dicom/uids.hpp"

#include <algorithm>
#include <array>

namespace waybill::dicom {

using manifest::Finding;
using manifest::Severity;

namespace {

constexpr std::uint64_t kMostMetaPadding = 4096;

bool magic_at(ByteView file, std::size_t at) { return file.size() >= at + 4 && as_text(file.subspan(at, 4)) == "DICM"; }

/// The group ends where its elements do, whatever (0002,0000) says of it; unless only what that says, or what stands
/// behind some padding, is a dataset (ENC-METALEN).
void settle_end(ByteView file, std::optional<std::uint64_t> told, Meta& meta, std::vector<Finding>* findings) {
  const std::uint64_t end = meta.dataset_offset;
  const auto say = [&](std::string detail) {
    if (findings != nullptr)
      add_finding(*findings, "ENC-METALEN", Severity::s1, tag(0x0002, 0x0000), std::move(detail));
  };
  const ByteView body = file.subspan(end);
  if (!body.empty() && !uid::is_deflated(meta.transfer_syntax) && !detect_encoding(body)) {
    const auto zeros = std::find_if(body.begin(), body.end(), [](std::byte b) { return b != std::byte{0}; });
    for (const std::uint64_t other :
         {told.value_or(0), end + static_cast<std::uint64_t>(zeros - body.begin()), end + 1}) {
      if (other <= end || other - end > kMostMetaPadding || other >= file.size()) continue;
      if (!detect_encoding(file.subspan(other))) continue;
      meta.dataset_offset = other;
      say(std::to_string(other - end) + " bytes stand between the meta group and the dataset");
      return;
    }
  }
  if (!told)
    say("the length of the meta group is missing");
  else if (*told != end)
    say("the length of the meta group is wrong by " + std::to_string(*told > end ? *told - end : end - *told) +
        " bytes");
}

/// Where the value of a meta element is, and in which form its header was read.
struct Extent {
  std::uint64_t value = 0;
  std::uint64_t length = 0;
  const char* form = "implicit";
};

/// A meta element whose VR is none (ENC-METAVR): in the form behind which the group or a dataset goes on; if there is
/// none, as an implicit one or, where that is too long, as one of 16-bit length. Needs 8 bytes at `at`.
Extent without_vr(ByteView file, std::uint64_t at, bool big) {
  const std::byte* p = file.data() + at;
  const Extent implicit{at + 8, load_u32(p + 4, big), "implicit"};
  const Extent narrow{at + 8, load_u16(p + 6, big), "one of 16-bit length"};
  Extent wide{at + 12, 0, "one of 32-bit length"};
  const bool is_wide = file.size() >= wide.value && load_u16(p + 6, big) == 0;
  if (is_wide) wide.length = load_u32(p + 8, big);
  const auto fits = [&](const Extent& e) { return e.length <= file.size() - e.value; };
  const auto goes_on = [&](const Extent& e) {
    if (!fits(e)) return false;
    const ByteView rest = file.subspan(e.value + e.length);
    return rest.empty() || (rest.size() >= 8 && load_u16(rest.data(), big) == 0x0002) || detect_encoding(rest);
  };
  if (goes_on(implicit)) return implicit;
  if (is_wide && goes_on(wide)) return wide;
  return goes_on(narrow) || !fits(implicit) ? narrow : implicit;
}

/// A preamble may hold anything; a program in it is worth a warning.
void judge_preamble(ByteView preamble, std::vector<Finding>& findings) {
  if (std::all_of(preamble.begin(), preamble.end(), [](std::byte b) { return b == std::byte{0}; })) return;
  // DOS and Windows, Unix, Mach-O of either byte order and width or for several processors, zip, script.
  static constexpr std::array<std::string_view, 9> kPrograms = {"MZ",
                                                                "\x7F\x45LF",
                                                                "\xCE\xFA\xED\xFE",
                                                                "\xCF\xFA\xED\xFE",
                                                                "\xFE\xED\xFA\xCE",
                                                                "\xFE\xED\xFA\xCF",
                                                                "\xCA\xFE\xBA\xBE",
                                                                "PK",
                                                                "#!"};
  const std::string_view start = as_text(preamble.first(4));
  const bool executable = std::any_of(kPrograms.begin(), kPrograms.end(),
                                      [&](std::string_view signature) { return start.starts_with(signature); });
  add_finding(findings, executable ? "SEC-PREAMBLE" : "ENC-PREAMBLE", executable ? Severity::s3 : Severity::s0, 0,
              executable ? "the preamble has the signature of a program or archive" : "the preamble is not empty");
}

}  // namespace

int plausible_elements(ByteView bytes, Encoding encoding, Tag behind) {
  std::uint64_t at = 0;
  Tag previous = 0;
  int count = 0;
  while (count < 4 && at + 8 <= bytes.size()) {
    const std::byte* p = bytes.data() + at;
    const Tag t = tag(load_u16(p, encoding.big_endian), load_u16(p + 2, encoding.big_endian));
    if (count > 0 && t <= previous) break;
    if (count == 0 && behind == 0 && (t >> 16U) > 0x0010) break;  // private groups may stand in front of 0008
    if (count == 0 && behind != 0 && (t <= behind || dictionary_vr(t) == 0)) break;
    std::uint64_t length = 0;
    std::uint64_t value = at + 8;
    if (encoding.explicit_vr) {
      const Vr v = vr(static_cast<char>(p[4]), static_cast<char>(p[5]));
      const bool letters =
          p[4] >= std::byte{'A'} && p[4] <= std::byte{'Z'} && p[5] >= std::byte{'A'} && p[5] <= std::byte{'Z'};
      if (!is_known_vr(v) && !(count > 0 && letters)) break;
      if (has_long_length(v)) {
        if (at + 12 > bytes.size()) break;
        length = load_u32(p + 8, encoding.big_endian);
        value = at + 12;
      } else {
        length = load_u16(p + 6, encoding.big_endian);
      }
    } else {
      length = load_u32(p + 4, encoding.big_endian);
      if (count == 0 && dictionary_vr(t) == 0) break;
    }
    ++count;
    previous = t;
    if (length == 0xFFFFFFFFU) return count >= 1 ? 4 : 0;  // a sequence: what stands before it must do
    if (length > bytes.size() - value) break;
    at = value + length;
    if (at == bytes.size()) return 4;  // exactly used up
  }
  return count;
}

std::optional<Encoding> detect_encoding(ByteView bytes) {
  // Implicit VR big endian is not in the standard: ACR-NEMA and early private files (domain rule 2.1.3).
  static constexpr std::array kCandidates = {Encoding{true, false}, Encoding{false, false}, Encoding{true, true},
                                             Encoding{false, true}};
  for (const Encoding candidate : kCandidates) {
    if (plausible_elements(bytes, candidate) >= 3) return candidate;
  }
  return std::nullopt;
}

Meta meta_from(ByteView file, std::uint64_t at, std::vector<manifest::Finding>* findings) {
  Meta meta;
  bool big = false;
  const std::uint64_t begin = at;
  std::optional<std::uint64_t> told;          // where the group ends by its length
  constexpr std::uint64_t kMostText = 65536;  // a value that long is no UID, wherever it is cut
  const auto text = [&](std::uint64_t value, std::uint64_t length) {
    return std::string(trim(as_text(file.subspan(value, std::min(length, kMostText)))));
  };
  if (file.size() >= at + 4 && load_u16(file.data() + at, true) == 0x0002 &&
      load_u16(file.data() + at, false) != 0x0002) {
    big = true;
    if (findings != nullptr) add_finding(*findings, "ENC-METAVR", Severity::s1, 0, "the meta group is big endian");
  }
  while (file.size() >= at + 8) {
    const std::byte* p = file.data() + at;
    if (load_u16(p, big) != 0x0002) break;
    const std::uint16_t element = load_u16(p + 2, big);
    const Vr v = vr(static_cast<char>(p[4]), static_cast<char>(p[5]));
    Extent extent;
    if (!is_known_vr(v)) {
      extent = without_vr(file, at, big);
      if (findings != nullptr)
        add_finding(*findings, "ENC-METAVR", Severity::s1, tag(0x0002, element),
                    std::string("no known VR in the meta group; read as ") + extent.form);
    } else if (!has_long_length(v)) {
      extent = {at + 8, load_u16(p + 6, big)};
    } else {
      if (file.size() < at + 12) break;
      extent = {at + 12, load_u32(p + 8, big)};
    }
    const std::uint64_t value = extent.value;
    const std::uint64_t length = extent.length;
    if (length > file.size() - value) break;
    meta.present = true;
    if (element == 0 && length == 4 && at == begin) told = value + 4 + load_u32(file.data() + value, big);
    if (element == 0x0010) meta.transfer_syntax = text(value, length);
    if (element == 0x0002) meta.sop_class = text(value, length);
    if (element == 0x0003) meta.sop_instance = text(value, length);
    at = value + length;
    const bool pad = length % 2 != 0 && file.size() >= at + 3 && load_u16(file.data() + at, big) != 0x0002 &&
                     load_u16(file.data() + at + 1, big) == 0x0002;
    if (pad) ++at;  // there, but not counted
  }
  meta.dataset_offset = at;
  if (meta.present) settle_end(file, told, meta, findings);
  return meta;
}

namespace {

/// Whether "DICM" at offset 128 is part of a value: the file begins with a dataset, and behind these letters stands
/// neither a meta group nor one.
bool is_within_dataset(ByteView file) {
  const ByteView behind = file.subspan(132);
  const bool meta =
      behind.size() >= 2 && (load_u16(behind.data(), false) == 0x0002 || load_u16(behind.data(), true) == 0x0002);
  return !meta && detect_encoding(file) && !detect_encoding(behind);
}

}  // namespace

bool has_magic(ByteView file) { return magic_at(file, 128) && !is_within_dataset(file); }

Place locate(ByteView file, std::vector<Finding>& findings) {
  if (has_magic(file)) {
    judge_preamble(file.first(128), findings);
    return {132, true};
  }
  const auto say = [&](const char* detail) { add_finding(findings, "ENC-NOPREAMBLE", Severity::s1, 0, detail); };
  if (magic_at(file, 0)) {
    say("the preamble is missing; DICM stands at offset 0");
    return {4, true};
  }
  const auto meta_at = [&](std::size_t at) {
    return file.size() >= at + 8 && load_u16(file.data() + at) == 0x0002 &&
           plausible_elements(file.subspan(at), Encoding{true, false}) >= 3;
  };
  if (meta_at(0)) {
    say("preamble and DICM are missing before the meta group");
    return {0, true};
  }
  if (meta_at(128)) {
    say("DICM is missing behind the preamble");
    return {128, true};
  }
  if (meta_at(132)) {
    say("the magic behind the preamble is not DICM");
    return {132, true};
  }
  // Behind more than 128 bytes it is another file's (ENC-VENDORWRAP).
  const auto mark = as_text(file.first(std::min<std::size_t>(file.size(), 131))).find("DICM");
  if (mark != std::string_view::npos && meta_at(mark + 4)) {
    say("the preamble is too short");
    return {mark + 4, true};
  }
  // Zeros of any number: a preamble from which bytes are lost, or a tape's block. Big endian groups begin with one,
  // too.
  const auto most = std::min<std::size_t>(file.size(), 4096);
  const auto zeros =
      static_cast<std::size_t>(std::find_if(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(most),
                                            [](std::byte b) { return b != std::byte{0}; }) -
                               file.begin());
  for (const std::size_t at : {zeros, zeros - 1}) {
    if (zeros < 2 || zeros == most) break;
    const bool meta = meta_at(at);
    if (!meta && !detect_encoding(file.subspan(at))) continue;
    say(meta ? "DICM is missing behind the zeros of a preamble"
             : "DICM and the meta group are missing behind the preamble");
    return {at, meta};
  }
  return {0, false};
}

}  // namespace waybill::dicom
