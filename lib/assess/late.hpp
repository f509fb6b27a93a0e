// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace waybill::assess {

/// What a manifest says of objects behind their own records: references and rejections are settled at the end of a
/// scan. 16 bytes a finding. Once filled, any thread may ask.
class Late {
 public:
  /// Reads those of a file; it is to be read once more for its objects.
  void read(const std::filesystem::path& manifest);
  /// Adds those about the object to `codes`.
  void codes_of(const manifest::Object& object, const std::string& manifest,
                std::map<std::string, manifest::Severity>& codes) const;

 private:
  void add(const manifest::LateFinding& finding, const std::string& manifest);
  struct Entry {
    std::uint64_t id;
    std::uint32_t code;
    std::uint32_t severity;
  };
  std::vector<Entry> entries_;
  std::vector<std::string> names_;
  std::map<std::string, std::uint32_t> numbers_;
};

}  // namespace waybill::assess
