// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/json.hpp"
#include "manifest/reader.hpp"
#include "sample/size.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace waybill::sample {

struct Options {
  Demand demand;
  std::uint64_t seed = 0;
};

/// The members of an open JSON object that say the same, for a manifest's header.
void write(const Options& options, JsonWriter& json);

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

/// A list that was on disk in a manifest before the load. What it drew is compared, whatever became of the lot.
struct Committed {
  Options options;
  std::string list_sha256;
  std::vector<std::string> drawn;  ///< ids
};

/// Which objects are compared; the same for the same objects, demand and seed, in whatever order they come.
struct Plan {
  Options options;
  std::vector<Stratum> strata;
  std::vector<Choice> choices;  ///< in the order of the objects
  std::uint64_t lot = 0, drawn = 0, always = 0;
  std::string committed;     ///< digest of the list from before the load that this one holds, if any
  std::uint64_t absent = 0;  ///< objects of that list that are not at hand: they were not loaded

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

/// Draws in each stratum the objects with the smallest SHA-256 of "SEED LF ID". Memory: 24 bytes an object.
class Planner {
 public:
  explicit Planner(const Options& options);
  ~Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// An object that may be compared. Throws RunError(Exit::input) for an id that is none.
  void add(const manifest::Object& object);
  /// The plan over all that were added, once. What `committed` drew is drawn in any case. A lot that is too small to
  /// accept so many defects accepts fewer.
  [[nodiscard]] Plan finish(const Committed* committed = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The lines of a plan that a manifest holds, and those that it still lacks.
class PlanLines {
 public:
  /// A record of the manifest, whatever it is.
  void see(const manifest::Record& record);
  [[nodiscard]] bool any() const noexcept { return !lines_.empty(); }
  /// What is missing of the plan: all of its lines, or those that an interrupted run did not come to. Throws
  /// RunError(Exit::integrity) when the manifest holds other ones.
  [[nodiscard]] std::vector<std::string> missing(const Plan& plan) const;
  /// The list as a later stage needs it. Throws RunError(Exit::integrity) when the lines do not fit their digest.
  [[nodiscard]] Committed committed() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace waybill::sample
