// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::manifest {

/// A folder for temporary files of this output: the one it lies in, or TMPDIR for standard output.
[[nodiscard]] std::filesystem::path scratch_beside(const std::filesystem::path& output);

/// A number as bytes that sort as it does, for keys.
[[nodiscard]] std::string ordered(std::uint64_t number, unsigned bytes = 8);
[[nodiscard]] std::uint64_t number_from(std::string_view bytes);

/// Sorts lines by keys in bounded memory: full buffers go sorted to temporary files, which are merged at the end.
///
///     Sorter sorter(folder);
///     sorter.add(key, line);                      // any number
///     while (const auto line = sorter.next()) …   // by key in byte order, equal keys in the order of add()
///
/// The files lie zstd-compressed in `folder`, 0600 and without a name from the start, so nothing of them is left
/// however the run ends. Memory: `budget` and about 0.5 MiB a file, of which there are fewer than 16 for each power of
/// 16 of the size over the budget. Failures throw RunError(Exit::input). Single-threaded.
class Sorter {
 public:
  explicit Sorter(std::filesystem::path folder, std::size_t budget = std::size_t{64} << 20U);
  ~Sorter();
  Sorter(const Sorter&) = delete;
  Sorter& operator=(const Sorter&) = delete;

  void add(std::string_view key, std::string_view line);
  /// The next line, valid until the next call; nullopt behind the last one. No add() after the first call.
  [[nodiscard]] std::optional<std::string_view> next();
  /// Files written so far, merges included.
  [[nodiscard]] std::uint64_t spilled() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill::manifest
