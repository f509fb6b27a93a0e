// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/reader.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// What a merge can say before it has read a record. For the sources of this module only.
namespace waybill::manifest {

struct MergeInput {
  std::filesystem::path path;
  std::string name;  ///< base name
  Header header;
  std::string target;  ///< of a load: the address it sent to, as JSON
  std::string head = {};
};

struct MergeHeader {
  std::vector<MergeInput> inputs;  ///< in the order of their time
  Header header;                   ///< of the output, its inputs still without heads
  bool deep = false;               ///< all are scans with --deep
  std::string missing;             ///< shards or parts that are not among the inputs, in words; empty when all are
};

/// Reads the headers and refuses what does not belong together with RunError(Exit::usage).
[[nodiscard]] MergeHeader plan_merge(const std::vector<std::filesystem::path>& inputs,
                                     const std::filesystem::path& output);

/// Refuses an input that was given twice, or that another one was made from.
void refuse_descent(const MergeHeader& plan, const std::vector<Input>& heads);

}  // namespace waybill::manifest
