// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace waybill {

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kToolName = "waybill 0.1.0";
/// (0002,0012) and (0002,0013) of files we write; a UUID-derived UID (PS3.5 B.2).
inline constexpr std::string_view kImplementationClassUid = "2.25.217203469372061470374830265157263217421";
inline constexpr std::string_view kImplementationVersion = "WAYBILL_0_1_0";

}  // namespace waybill
