// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.hpp"
#include "core/result.hpp"
#include "manifest/record.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace waybill::transfer {

using Counts = std::map<std::string, std::uint64_t>;

/// The ledger of a stage: every object of the input stands in exactly one bucket of the output.
struct Ledger {
  std::uint64_t input = 0;   ///< objects of the input manifest
  std::uint64_t output = 0;  ///< object records of the output
  Counts buckets;
  std::uint64_t exceptions = 0;   ///< manifest::is_exception, of this stage or an earlier one
  bool already_complete = false;  ///< the output was finished by an earlier run; nothing was done
  bool interrupted = false;       ///< stopped by a signal, the same command continues

  void count(const manifest::Object& object);
  [[nodiscard]] bool closes() const noexcept { return input == output; }
  /// 6 interrupted; 5 for `wrong` objects or an open ledger; 1 exceptions; else 0.
  [[nodiscard]] Exit exit_with(std::uint64_t wrong) const;
  /// Members input, output, buckets and, under `name`, `details` of an open JSON object.
  void write(JsonWriter& json, std::string_view name, const Counts& details) const;
};

}  // namespace waybill::transfer
