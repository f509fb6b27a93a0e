// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace waybill::pixel {

/// What a person asks for by name and the transfer syntax it stands for. Each can be encoded without loss (can_encode)
/// or is native; the order is that of the documentation.
struct Target {
  std::string_view name;    ///< as in `waybill transcode --to NAME`
  std::string_view syntax;  ///< transfer syntax UID
};

[[nodiscard]] std::span<const Target> targets() noexcept;
/// The transfer syntax of a target's name; nullopt when there is no such target.
[[nodiscard]] std::optional<std::string_view> target_syntax(std::string_view name) noexcept;
/// The name of the target that writes this transfer syntax, "" when none does.
[[nodiscard]] std::string_view target_name(std::string_view syntax) noexcept;

}  // namespace waybill::pixel
