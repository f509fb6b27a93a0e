// SPDX-License-Identifier: Apache-2.0
#include "pixel/targets.hpp"

#include <algorithm>
#include <array>

namespace waybill::pixel {
namespace {

constexpr std::array kTargets = {
    Target{"explicit-le", "1.2.840.10008.1.2.1"},      Target{"rle", "1.2.840.10008.1.2.5"},
    Target{"jpeg-lossless", "1.2.840.10008.1.2.4.70"}, Target{"jpeg-ls", "1.2.840.10008.1.2.4.80"},
    Target{"jpeg-2000", "1.2.840.10008.1.2.4.90"},     Target{"htj2k", "1.2.840.10008.1.2.4.201"},
    Target{"htj2k-rpcl", "1.2.840.10008.1.2.4.202"},   Target{"jpeg-xl", "1.2.840.10008.1.2.4.110"},
};

}  // namespace

std::span<const Target> targets() noexcept { return kTargets; }

std::optional<std::string_view> target_syntax(std::string_view name) noexcept {
  const auto* at = std::ranges::find(kTargets, name, &Target::name);
  if (at == kTargets.end()) return std::nullopt;
  return at->syntax;
}

std::string_view target_name(std::string_view syntax) noexcept {
  const auto* at = std::ranges::find(kTargets, syntax, &Target::syntax);
  return at == kTargets.end() ? std::string_view() : at->name;
}

}  // namespace waybill::pixel
