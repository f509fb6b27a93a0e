// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "transcode/convert.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace waybill::transcode {

/// What is asked for one object, and the rule that said so ("" without a policy).
struct Decision {
  Order order;
  std::string rule;
};

/// Which transfer syntax which objects get, from a TOML file; the first rule that fits decides, and what no rule fits
/// is kept as it is. Without a file every object gets the one that was asked for. Immutable; safe to share.
///
///     to = "jpeg-ls"             # what rules without a `to` write; --to takes its place
///     keep_larger = false
///     [[rule]]
///     name = "lossy stays"
///     from = ["lossy", "video"]  # native, lossless, lossy, video, unknown, or transfer syntax UIDs
///     to = "keep"
///     [[rule]]
///     name = "mammography"
///     modality = ["MG"]
///     sop_class = ["1.2.840.10008.5.1.4.1.1.1.2"]
///     to = "jpeg-2000"
class Policy {
 public:
  /// All objects to `order`.
  explicit Policy(Order order = {});
  /// Reads a file; `order` is used where neither a rule nor the file says another. `to` of --to wins over the file's.
  /// Throws RunError(Exit::usage) that names line and reason for what is unknown or misspelt.
  static Policy read(const std::filesystem::path& file, const std::optional<Order>& asked);

  [[nodiscard]] Decision decide(const manifest::Object& object) const;

 private:
  struct Rule {
    std::string name;
    std::vector<std::string> sop_class, modality, from;
    Order order;
    [[nodiscard]] bool fits(const manifest::Object& object) const;
  };
  std::vector<Rule> rules_;
};

}  // namespace waybill::transcode
