// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"

#include <string>
#include <string_view>

namespace waybill::scan {

/// What a file that is not DICOM is, by its first bytes (domain rule 2.1.5): "png", "pdf", "zip", "text", "zeros", …,
/// "unknown" when nothing fits. Never empty.
[[nodiscard]] std::string content_type(ByteView file, std::string_view name);

/// A type of content_type() that may hold objects and that archive::Members does not read.
[[nodiscard]] bool is_unread_container(std::string_view type) noexcept;

}  // namespace waybill::scan
