// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace waybill::index {

/// A map from bytes to bytes on disk, ordered by key, for what a run must know of millions of objects. It is scratch:
/// nothing is synced, an older index of the same name is thrown away at the start and the folder is removed at the
/// end, so it is made again from the manifest when a run continues. Memory stays under about 48 MiB for any number of
/// entries. Holds patient data, so the folder is 0700. Failures throw RunError(Exit::input), a folder that
/// holds anything but an index RunError(Exit::usage). Single-threaded.
class Store {
 public:
  /// Makes the folder; an empty path makes one of a random name under TMPDIR.
  explicit Store(const std::filesystem::path& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
  [[nodiscard]] bool contains(std::string_view key) const { return get(key).has_value(); }
  void put(std::string_view key, std::string_view value);

  /// Calls `visit(key without prefix, value)` for every key that begins with `prefix`, in byte order of the keys. What
  /// is put meanwhile is not visited.
  using Visit = std::function<void(std::string_view, std::string_view)>;
  void each(std::string_view prefix, const Visit& visit) const;

  [[nodiscard]] const std::filesystem::path& folder() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waybill::index
