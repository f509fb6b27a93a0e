// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "manifest/record.hpp"
#include "sample/size.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waybill::sample {

struct Options {
  Demand demand;
  std::uint64_t seed = 0;
};

/// Objects that are alike: modality, year, site (the issuer of the patient ID), SOP class and transfer syntax.
struct Stratum {
  std::string modality, year, site, sop_class, transfer_syntax;
  std::uint64_t lot = 0;     ///< objects that are left to chance
  std::uint64_t drawn = 0;   ///< of them
  std::uint64_t always = 0;  ///< objects that are compared whatever chance says
};

/// One object to compare.
struct Choice {
  std::string id;
  std::uint32_t stratum = 0;
  std::string_view why;  ///< "drawn", or what why_always() says
};

/// Which objects are compared; the same for the same objects, demand and seed, in whatever order they come.
struct Plan {
  Options options;
  std::vector<Stratum> strata;
  std::vector<Choice> choices;  ///< in the order of the objects
  std::uint64_t lot = 0, drawn = 0, always = 0;

  [[nodiscard]] bool has(const std::string& id) const { return places.contains(id); }
  [[nodiscard]] bool is_drawn(const std::string& id) const;
  /// The plan as JSON lines for the manifest: `sample`, then `sample-stratum`, then `sample-object` lines.
  [[nodiscard]] std::vector<std::string> lines() const;

  std::unordered_map<std::string, std::size_t> places;  ///< of the choices, by id
};

/// Why an object is compared whatever chance says: "coerced" (attributes or UIDs changed), "transformed" (another
/// encoding), "warned" (the target answered other than 0000, or was only asked), "repaired" (finding S2), "in-doubt"
/// (finding S3 or S4); "" for none.
[[nodiscard]] std::string_view why_always(const manifest::Object& object);

/// Draws in each stratum the objects with the smallest SHA-256 of "SEED LF ID".
[[nodiscard]] Plan make_plan(const Options& options, std::span<const manifest::Object> objects,
                             const std::function<bool(const manifest::Object&)>& is_wanted);

}  // namespace waybill::sample
