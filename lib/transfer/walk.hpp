// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "index/store.hpp"
#include "manifest/reader.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace waybill::transfer {

/// One walk through the manifest that a stage takes as its input, in memory that does not grow with it: that each
/// object is listed once is known from disk, and so are findings that stand behind their object's record, which
/// belong to it all the same. Single-threaded.
class Walk {
 public:
  /// Opens the manifest. Throws RunError: Exit::usage for a stage without objects. `store` must outlive the walk and is
  /// used under the keys "w…".
  Walk(const std::filesystem::path& manifest, index::Store& store);

  [[nodiscard]] const manifest::Header& header() const noexcept { return reader_.header(); }
  [[nodiscard]] std::string name() const { return reader_.name(); }

  using Visit = std::function<void(const manifest::Record&, std::string_view line)>;
  /// Calls `visit` for every record but late findings. Throws RunError: Exit::integrity for an object that is listed
  /// twice, Exit::input for a manifest whose stage was interrupted.
  void read(const Visit& visit);
  /// Behind read(): the manifest and its head, for the output's header.
  [[nodiscard]] manifest::Input input() const { return {reader_.name(), reader_.head()}; }
  void add_late_findings(manifest::Object& object) const;

  using MakeKey = std::function<std::string(std::uint64_t number)>;
  /// The key under which a study's objects are sorted; `make` makes it of the study's number when it first appears.
  [[nodiscard]] const std::string& study_key(const std::string& study, const MakeKey& make);

 private:
  manifest::Reader reader_;
  index::Store& store_;
  std::uint64_t studies_ = 0;
  std::string last_study_, last_key_;  // most objects are of the study of the one before; no key is empty
};

}  // namespace waybill::transfer
