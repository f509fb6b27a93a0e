// SPDX-License-Identifier: Apache-2.0
#include "inventory/elements.hpp"

#include "core/sha256.hpp"
#include "core/version.hpp"
#include "dicom/rewrite.hpp"
#include "dicom/uids.hpp"

#include <algorithm>
#include <array>

namespace waybill::inventory {

using dicom::Tag;
using dicom::tag;
using dicom::vr;

namespace {

constexpr std::uint32_t kUndefined = 0xFFFFFFFFU;
constexpr std::size_t kLongestShort = 65534;  // what a 16-bit length can hold
constexpr std::size_t kBuffer = std::size_t{256} << 10U;

std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
  return out;
}

}  // namespace

ElementFile::ElementFile(const std::filesystem::path& path, std::string_view sop_class, std::string_view sop_instance)
    : file_(path) {
  Bytes group;
  const auto add = [&](std::uint16_t number, const char(&v)[3], std::string_view value) {
    const Bytes one = dicom::encode_element(tag(0x0002, number), vr(v), value);
    group.insert(group.end(), one.begin(), one.end());
  };
  add(0x0001, "OB", std::string_view("\0\1", 2));
  add(0x0002, "UI", sop_class);
  add(0x0003, "UI", sop_instance);
  add(0x0010, "UI", dicom::uid::kExplicitLittleEndian);
  add(0x0012, "UI", kImplementationClassUid);
  add(0x0013, "SH", kImplementationVersion);
  out_.assign(128, std::byte{0});
  for (const char c : std::string_view("DICM")) out_.push_back(static_cast<std::byte>(c));
  u32(tag(0x0002, 0x0000), static_cast<std::uint32_t>(group.size()));
  out_.insert(out_.end(), group.begin(), group.end());
}

void ElementFile::element(Tag t, dicom::Vr v, std::string_view value) {
  if (!dicom::has_long_length(v) && value.size() > kLongestShort) value = {};
  const Bytes one = dicom::encode_element(t, v, value);
  out_.insert(out_.end(), one.begin(), one.end());
  flush(kBuffer);
}

void ElementFile::flush(std::size_t limit) {
  if (out_.size() < limit) return;
  file_.write(out_);
  out_.clear();
}

void ElementFile::text(Tag t, const char (&v)[3], std::string_view value) { element(t, vr(v), value); }
void ElementFile::bytes(Tag t, std::string_view value) { element(t, vr("OB"), value); }
void ElementFile::u32(Tag t, std::uint32_t value) { element(t, vr("UL"), little_endian(value, 4)); }
void ElementFile::u64(Tag t, std::uint64_t value) { element(t, vr("UV"), little_endian(value, 8)); }

/// An element of group FFFE, which has no VR.
void ElementFile::mark(std::uint16_t number, std::uint32_t length) {
  const std::string header = little_endian(0xFFFE, 2) + little_endian(number, 2) + little_endian(length, 4);
  for (const char c : header) out_.push_back(static_cast<std::byte>(c));
}

void ElementFile::begin_sequence(Tag t) {
  const std::string header = little_endian(t >> 16U, 2) + little_endian(t & 0xFFFFU, 2) + std::string("SQ\0\0", 4) +
                             little_endian(kUndefined, 4);
  for (const char c : header) out_.push_back(static_cast<std::byte>(c));
}
void ElementFile::begin_item() { mark(0xE000, kUndefined); }
void ElementFile::end_item() { mark(0xE00D, 0); }
void ElementFile::end_sequence() { mark(0xE0DD, 0); }

void ElementFile::commit() {
  flush(0);
  file_.commit();
}

std::string uid_from(std::string_view text) {
  Sha256 sha;
  sha.update(text);
  const std::string hex = sha.finish().hex().substr(0, 32);
  std::string decimal = "0";  // most significant digit last
  for (const char c : hex) {
    auto carry = static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    for (char& d : decimal) {
      carry += static_cast<unsigned>(d - '0') * 16;
      d = static_cast<char>('0' + carry % 10);
      carry /= 10;
    }
    for (; carry != 0; carry /= 10) decimal += static_cast<char>('0' + carry % 10);
  }
  while (decimal.size() > 1 && decimal.back() == '0') decimal.pop_back();
  std::reverse(decimal.begin(), decimal.end());
  return "2.25." + decimal;
}

}  // namespace waybill::inventory
