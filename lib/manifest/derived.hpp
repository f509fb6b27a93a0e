// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/derive.hpp"
#include "manifest/reader.hpp"
#include "manifest/writer.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What everything that makes a manifest of others needs. For the sources of this module only.
namespace waybill::manifest::detail {

/// Throws RunError(Exit::interrupted) once the run was asked to stop.
void throw_if_stopped();

/// Throws RunError(Exit::usage) when `output` is the very file of `input`.
void refuse_same_file(const std::filesystem::path& input, const std::filesystem::path& output);

/// The members of a JSON object, each value as JSON, in their order.
using Members = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Members members_of(std::string_view json);
[[nodiscard]] std::string json_of(const Members& members);
/// The value of a member, nullptr without one.
[[nodiscard]] const std::string* value_of(const Members& members, std::string_view name);

/// Whether an option says how this very file was made of others of its stage, so that what is made of it has it not.
[[nodiscard]] bool is_of_its_making(std::string_view option);

/// The time of creation so many microseconds later: what is made of a manifest comes right behind it for all that
/// order manifests by time, and before every later run. What is no time with microseconds stays.
[[nodiscard]] std::string later(const std::string& created, std::uint64_t microseconds);

/// Throws RunError(Exit::usage) when `output` exists, is to be kept, and has another stage or other options than
/// `header`, or is no manifest: early, before the inputs are read for their heads.
void check_existing(const std::filesystem::path& output, const Header& header, Restart restart);

/// The output of a command whose result follows from its inputs: nullopt when the very result is there already. One
/// that was interrupted is begun again; one of other inputs or options throws RunError(Exit::usage).
[[nodiscard]] std::optional<Writer> begin_or_keep(const std::filesystem::path& output, const Header& header,
                                                  Restart restart);

/// Throws RunError(Exit::input) when the reader, read to its end, came to no end line.
void require_end(const Reader& reader);

/// The place of an object among all of an archive, as a key in byte order: the order of a walk (a folder's content
/// right behind its name), the file before what is in it; what is in one file has one key.
[[nodiscard]] std::string place_key(std::string_view path_text, bool inside);

/// A manifest against the lines that it must hold, in their order. Says the first difference.
class Expected {
 public:
  explicit Expected(const std::filesystem::path& manifest) : reader_(manifest) {}

  [[nodiscard]] const Header& header() const noexcept { return reader_.header(); }
  /// Compares stage, options and inputs.
  void begin(const Header& header);
  void line(std::string_view line);
  /// Whether anything was found yet, so that the rest need not be made.
  [[nodiscard]] bool differs() const noexcept { return !difference_.empty(); }
  /// The first difference in words, empty when there is none.
  [[nodiscard]] std::string finish();

 private:
  Reader reader_;
  std::uint64_t records_ = 0;
  std::string difference_;
};

}  // namespace waybill::manifest::detail
