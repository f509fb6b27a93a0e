// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/header.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::dicom {

inline constexpr Tag kTrailingPadding = tag(0xFFFC, 0xFFFC);

/// Notes as findings where one dataset breaks the rules, while it is read. Not for sharing between threads.
class Notes {
 public:
  /// Both outlive it; the offsets of findings count in `bytes`.
  Notes(ByteView bytes, std::vector<manifest::Finding>& findings) : bytes_(bytes), findings_(findings) {}

  void add(std::string_view code, manifest::Severity severity, Tag tag, std::string detail);
  /// With the place of the element header and its bytes as evidence; headers hold no patient data.
  void add(std::string_view code, manifest::Severity severity, Tag tag, std::string detail, std::uint64_t at);

  /// What a header shows by itself: its oddity, if it has one.
  void oddity(const Header& header);
  /// Group lengths, command groups and other retired elements.
  void retired(const Header& header);
  /// The stored VR against the dictionary's, for standard tags (ENC-VRWRONG, ENC-UN64K).
  void wrong_vr(const Header& header, Encoding encoding);

  /// Counts what needs no finding of its own here, but must not be copied as it stands.
  void must_be_rewritten() noexcept { ++irregular_; }

  /// How many notes there were of what must not be copied as it stands.
  [[nodiscard]] std::uint32_t irregular() const noexcept { return irregular_; }

 private:
  ByteView bytes_;
  std::vector<manifest::Finding>& findings_;
  std::uint32_t irregular_ = 0;
};

}  // namespace waybill::dicom
