// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

namespace waybill::archive {

/// For who cannot read an object that was listed: throws RunError(Exit::input) when the place it was listed in is gone
/// as a whole, a share that dropped or a disk that is not mounted. Then nothing is wrong with the object, and every
/// other one would be called unreadable after it. Gone is a folder that cannot be listed, or holds nothing: an empty
/// folder is what stays of a mount. A place that is a file is not asked about. Any thread.
void require_place(const std::filesystem::path& place);

/// The same of the innermost of `places` that `object` lies in, if there is one.
void require_place_of(const std::filesystem::path& object, const std::vector<std::filesystem::path>& places);

}  // namespace waybill::archive
