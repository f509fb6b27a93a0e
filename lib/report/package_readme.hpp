// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report/model.hpp"

#include <map>
#include <set>
#include <string>

namespace waybill::report {

/// README.md of an evidence package: how to check it by hand, with commands that run as they stand, for they name
/// the files of this package. `names`: a manifest's file name in the package by its head, at least one; `keys`: ids of
/// the keys in it; `key`: the one that signed the list of files, empty when none did.
[[nodiscard]] std::string package_readme(const Report& report, const std::map<std::string, std::string>& names,
                                         const std::set<std::string>& keys, const std::string& key);

}  // namespace waybill::report
