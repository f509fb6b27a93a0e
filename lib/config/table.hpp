// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The one door to the TOML library. What people write by hand is read with care: an unknown key, a value of the wrong
/// kind and a number out of range are refused with the file's name and the line.
namespace waybill::config {

/// One table of a TOML file. Every getter throws RunError(Exit::usage) that names file, line and key when the value is
/// of another kind. Cheap to copy; the file stays in memory as long as one of its tables.
class Table {
 public:
  /// Throws RunError(Exit::usage) when the file cannot be read or is no TOML.
  [[nodiscard]] static Table read(const std::filesystem::path& file);

  /// Refuses every key that is not among these.
  void only(std::initializer_list<std::string_view> keys) const;
  [[nodiscard]] bool has(std::string_view key) const;
  /// In the order of the alphabet.
  [[nodiscard]] std::vector<std::string> keys() const;

  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  /// Whether there is a text under the key, where a number may stand as well.
  [[nodiscard]] bool is_text(std::string_view key) const;
  [[nodiscard]] std::optional<bool> flag(std::string_view key) const;
  /// A whole number from `least` to `most`.
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view key, std::int64_t least, std::int64_t most) const;
  /// A number, whole or not, from `least` to `most`.
  [[nodiscard]] std::optional<double> real(std::string_view key, double least, double most) const;
  /// A list of texts that is not empty; no entries without the key.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::optional<Table> table(std::string_view key) const;
  /// The tables written [[key]].
  [[nodiscard]] std::vector<Table> tables(std::string_view key) const;

  /// Throws RunError(Exit::usage): "FILE line N: why", the line that of the key, or of the table without one.
  [[noreturn]] void refuse(std::string_view key, const std::string& why) const;

 private:
  struct File;
  Table(std::shared_ptr<const File> file, const void* table) : file_(std::move(file)), table_(table) {}

  std::shared_ptr<const File> file_;
  const void* table_;  // a table of the library inside *file_
};

}  // namespace waybill::config
