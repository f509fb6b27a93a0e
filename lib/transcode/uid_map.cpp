// SPDX-License-Identifier: Apache-2.0
#include "transcode/uid_map.hpp"

#include "core/sha256.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace waybill::transcode {
namespace {

constexpr std::string_view kHeader = "level,old,scope,new,reason";
constexpr std::string_view kNamespace = "waybill/uid/1";

[[noreturn]] void refuse(const std::filesystem::path& table, std::size_t line, const std::string& why) {
  throw RunError(Exit::usage, path_to_text(table.string()) + " line " + std::to_string(line) + ": " + why);
}

/// A UID as PS3.5 9.1 has it: components of digits, none with a leading zero.
bool is_uid(std::string_view text) {
  const auto parts = split(text, '.');
  return text.size() <= 64 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
           return !part.empty() && (part.size() == 1 || part.front() != '0') &&
                  std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
         });
}

/// 128 bits, most significant byte first, as a decimal number.
std::string decimal(std::array<unsigned, 16> digits) {
  std::string out;
  while (std::any_of(digits.begin(), digits.end(), [](unsigned d) { return d != 0; })) {
    unsigned rest = 0;
    for (unsigned& d : digits) {
      const unsigned all = rest * 256 + d;
      d = all / 10;
      rest = all % 10;
    }
    out += static_cast<char>('0' + rest);
  }
  std::reverse(out.begin(), out.end());
  return out.empty() ? "0" : out;
}

}  // namespace

bool is_uid_edit(const manifest::Edit& edit) noexcept {
  return edit.tag == "0008,0018" || edit.tag == "0020,000D" || edit.tag == "0020,000E";
}

std::string minted_uid(std::string_view level, std::string_view old_uid, std::string_view scope) {
  std::string all(kNamespace);
  for (const std::string_view part : {level, old_uid, scope}) all.append("\n").append(part);
  const Bytes hash = from_hex(Sha256::of(all).hex());
  std::array<unsigned, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::to_integer<unsigned>(hash[i]);
  bytes[6] = (bytes[6] & 0x0FU) | 0x80U;  // a UUID of version 8, as RFC 9562 has for such schemes
  bytes[8] = (bytes[8] & 0x3FU) | 0x80U;
  return "2.25." + decimal(bytes);
}

void UidMap::add(const std::string& scope, const std::string& old_uid, const std::string& new_uid) {
  Uids& uids = scope.empty() ? everywhere_ : scoped_[scope];
  const auto [at, added] = uids.emplace(old_uid, new_uid);
  if (!added && at->second != new_uid)
    throw RunError(Exit::usage, "UID " + old_uid + " is to become two others; give each its scope in --uid-map");
}

UidMap UidMap::read(const std::filesystem::path& table, const Decisions& decisions) {
  UidMap out;
  for (const auto& [study, decided] : decisions.studies) {
    if (decided.decision != "auto") continue;
    for (const manifest::Edit& edit : decided.edits)
      if (is_uid_edit(edit) && !edit.old_value.empty()) out.add({}, edit.old_value, edit.new_value);
  }
  if (table.empty()) return out;
  std::ifstream in(table);
  if (!in) throw RunError(Exit::input, "cannot read " + path_to_text(table.string()));
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (line == 1) {
      if (text != kHeader) refuse(table, line, "the header is not " + std::string(kHeader));
      continue;
    }
    if (text.empty()) continue;
    const auto cells = split(text, ',');
    if (cells.size() < 4) refuse(table, line, "fewer than four columns");
    const std::string level(cells[0]), old_uid(cells[1]), scope(cells[2]);
    std::string new_uid(cells[3]);
    if (level != "study" && level != "series" && level != "instance")
      refuse(table, line, "level is none of study, series, instance");
    if (old_uid.empty() || old_uid.starts_with("1.2.840.10008.")) refuse(table, line, "this UID cannot be replaced");
    if (new_uid.empty()) new_uid = minted_uid(level, old_uid, scope);
    if (!is_uid(new_uid)) refuse(table, line, "the new UID is none");
    out.add(scope, old_uid, new_uid);
  }
  return out;
}

UidMap::Uids UidMap::of(const manifest::Object& object) const {
  if (empty()) return {};
  Uids out;
  for (const std::string& scope : {object.id, object.study.value_or("")}) {  // the narrower scope wins
    if (const auto at = scoped_.find(scope); at != scoped_.end()) out.insert(at->second.begin(), at->second.end());
  }
  out.insert(everywhere_.begin(), everywhere_.end());
  return out;
}

}  // namespace waybill::transcode
