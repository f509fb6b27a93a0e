// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// Values of the catalogue's index as bytes; read by this build only. For the sources of this module only.
namespace waybill::scan {

/// What is kept of the first object with a SOP Instance UID.
struct First {
  std::string id, study, series;
  std::string file, codestream, pixel, dataset;  ///< digests, empty when not known
};

/// A study as counted so far.
struct StudyEntry {
  manifest::Study study;
  std::uint64_t accessions = 0;  ///< different ones met
  bool two_patients = false;
  bool split = false;
  bool fewer = false;  ///< the older scan had more instances of it
  std::string first;   ///< id of its first object
};

/// An object that points at others.
struct Pointer {
  std::string id;
  std::string rejection;  ///< title code, empty for what rejects nothing
  std::vector<std::string> references;
};

[[nodiscard]] std::string pack(const First& first);
[[nodiscard]] std::string pack(const StudyEntry& entry);
[[nodiscard]] std::string pack(const Pointer& pointer);
[[nodiscard]] First unpack_first(std::string_view bytes);
[[nodiscard]] StudyEntry unpack_study(std::string_view uid, std::string_view bytes);
[[nodiscard]] Pointer unpack_pointer(std::string_view bytes);

/// Parts of a key, told apart whatever they hold.
[[nodiscard]] std::string join(std::initializer_list<std::string_view> parts);

}  // namespace waybill::scan
