// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/chain.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::manifest {

/// A manifest that is read on all cores: frames are proved one after the other, their lines looked at in parallel, and
/// what was seen taken in the order of the manifest.
class Intake {
 public:
  /// Reads the header. Throws RunError as Reader does.
  explicit Intake(std::filesystem::path path);

  [[nodiscard]] const Header& header() const noexcept { return header_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Base name, "-" for a pipe.
  [[nodiscard]] std::string name() const { return path_ == "-" ? "-" : path_.filename().string(); }

  /// Reads to the end. `look` gets the parsed records of a part of a frame, from several threads at once, and returns
  /// what `take` gets, from one thread at a time and in order. Throws what they throw, and RunError for damage.
  template <typename Seen>
  void read(const std::function<std::vector<Seen>(std::string_view lines)>& look,
            const std::function<void(std::vector<Seen>&)>& take) {
    read_lines([&](std::string_view lines) { return std::make_shared<std::vector<Seen>>(look(lines)); },
               [&](const std::shared_ptr<void>& seen) { take(*static_cast<std::vector<Seen>*>(seen.get())); });
  }

  /// After read().
  [[nodiscard]] std::optional<End> end() const { return chain_->complete() ? chain_->end() : std::optional<End>(); }
  [[nodiscard]] std::string head() const { return chain_->head().hex(); }
  [[nodiscard]] const std::vector<Signature>& signatures() const noexcept { return chain_->signatures(); }

 private:
  void read_lines(const std::function<std::shared_ptr<void>(std::string_view)>& look,
                  const std::function<void(const std::shared_ptr<void>&)>& take);

  std::filesystem::path path_;
  std::optional<Chain> chain_;
  Header header_;
  std::string first_;  // lines of the first frame behind the header
};

/// Calls `each` for every line without its line feed.
template <typename F>
void each_line(std::string_view lines, F each) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    each(lines.substr(0, end));
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  }
}

}  // namespace waybill::manifest
