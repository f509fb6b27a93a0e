// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/flat_index.hpp"
#include "core/huge.hpp"
#include "core/interned.hpp"
#include "identity/event.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace waybill::identity {

/// A text and when it was said; the latest one holds, of two at once the greater text.
struct Dated {
  Interned text;
  bool said = false;
  hl7::Time time = 0;
};

/// What happened to a number, for people.
struct Step {
  std::uint32_t node = 0;
  std::uint32_t event = 0;  ///< index of events()
  std::uint32_t other = 0;  ///< the number on the other side
  bool applied = false;
  std::string note;
};

/// An event that could not be applied and needs a person.
struct Dispute {
  std::uint32_t event = 0;
  std::string reason;  ///< without any patient's data
};

/// What a number is at the end (or as of the date).
struct Resolution {
  PatientId root;         ///< the number the patient has now
  bool known = false;     ///< some message names it
  bool merged = false;    ///< root is another number
  bool disputed = false;  ///< events about it contradict each other; nothing may be decided by it alone
  bool reused = false;    ///< it was given out again after its merge
  bool moved = false;     ///< accounts or visits were moved away from it: not all its studies are the root's
};

/// The identity graph: a forest of merged numbers with their history (domain rules 6.3, 6.4). Events may be added in
/// any order and from any split of files: the outcome depends on their times (MSH-7), then on control IDs, never on
/// arrival.
///
///     Graph graph;
///     for (auto& event : events) graph.add(event);
///     graph.build();
///     graph.resolve("HOSP", "4711").root
///
/// Chains lead to their end; a self-merge does nothing; a merge that closes a cycle or gives a dead number a second
/// survivor is a dispute unless the number was created anew in between; numbers of different authorities are never
/// merged. Memory: about 150 bytes a number. Single-threaded.
class Graph {
 public:
  static constexpr hl7::Time kEver = std::numeric_limits<hl7::Time>::max();

  /// Events later than `as_of` are left out.
  explicit Graph(hl7::Time as_of = kEver) : as_of_(as_of) {}

  void add(const Event& event);
  /// That a message gives both for one authority. Numbers under the universal ID alone are then those of the name
  /// space, unless messages give either of the two several partners.
  void name_authority(Interned name_space, Interned universal_id);
  /// Begins to fetch what add() of the event will look at.
  void prefetch(const Event& event) const noexcept;
  /// After the last add(): applies merges in order of time.
  void build();

  [[nodiscard]] Resolution resolve(Interned authority, Interned id) const;
  /// All numbers of the patient that has this one: merged, linked (A24) and listed together, sorted; without itself.
  [[nodiscard]] std::vector<PatientId> also_known(Interned authority, Interned id) const;
  /// The number that holds the studies of this account or visit now, when A44 or A45 moved it.
  [[nodiscard]] std::optional<PatientId> moved_to(std::string_view account, std::string_view visit) const;

  struct Person {
    Interned name, birth_date, sex;
    Interned death_date;                ///< the root's, else the earliest that a merged number has
    bool restricted = false;            ///< of any of his numbers
    std::vector<Interned> other_names;  ///< former, maiden, alias; of merged numbers, too; sorted
  };
  /// Demographics of the number's root.
  [[nodiscard]] Person person(Interned authority, Interned id) const;

  /// The history of a number in order of time, as sentences: "2024-01-02 03:04:05 A40 merged into … (control ID 17)".
  [[nodiscard]] std::vector<std::string> history(Interned authority, Interned id) const;

  /// Gives back the memory of all numbers; events() and disputes() stay, questions about numbers find none.
  void forget_numbers();

  [[nodiscard]] const std::vector<Event>& events() const noexcept { return events_; }
  [[nodiscard]] const std::vector<Dispute>& disputes() const noexcept { return disputes_; }
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  /// All numbers with what became of them, one a line, sorted: two graphs are equal when their texts are.
  [[nodiscard]] std::string dump() const;

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Node {
    PatientId id;
    std::uint32_t parent = kNone, merge_event = kNone;
    std::uint32_t first_child = kNone, next_sibling = kNone;  // after build()
    Dated name, birth_date, sex, death_date, restricted, person;
    InternedList other_names;  // in no order
    bool disputed = false, reused = false, moved = false;
  };
  struct Pair {
    std::uint32_t a, b;
    hl7::Time time;
    bool linked;
    auto operator<=>(const Pair&) const = default;
  };

  std::uint32_t node_of(const PatientId& id);
  [[nodiscard]] std::vector<std::uint32_t> nodes_of(const std::vector<PatientId>& ids);
  [[nodiscard]] Interned authority_of(Interned written) const;
  void unify_authorities();
  void absorb(Node& into, const Node& from);
  /// The plain patient number; where there is none, the only one of another type (national, enterprise …).
  [[nodiscard]] std::uint32_t find(Interned authority, Interned id) const;
  void add_tree(std::uint32_t top, std::vector<std::uint32_t>& nodes) const;
  [[nodiscard]] std::uint32_t root(std::uint32_t node) const;
  void say(Dated& into, const Given& given, hl7::Time time);
  void say_person(const Event& event);
  void list(std::uint32_t a, std::uint32_t b, hl7::Time time);
  void list_together(const Event& event);
  [[nodiscard]] bool created_between(std::uint32_t node, hl7::Time after, hl7::Time before) const;

  void apply(std::uint32_t event);
  void apply_merge(std::uint32_t event, std::uint32_t dead, std::uint32_t survivor);
  void apply_rename(std::uint32_t event, std::uint32_t dead, std::uint32_t survivor);
  void apply_move(std::uint32_t event);
  void apply_identifier_move(std::uint32_t event);
  void apply_link(std::uint32_t event);
  void pair_up(std::uint32_t event);
  void dispute(std::uint32_t event, std::string reason, const std::vector<std::uint32_t>& nodes);
  void note(std::uint32_t node, std::uint32_t event, std::uint32_t other, bool applied, std::string text);
  void join_persons();
  void mark_reused();

  hl7::Time as_of_;
  std::unordered_map<std::uint32_t, Interned> partners_;  // of universal IDs and name spaces; "" for one with several
  std::unordered_set<std::uint32_t> is_universal_;
  std::vector<Node, HugePages<Node>> nodes_;
  FlatIndex by_id_;
  std::vector<Event> events_;                                        // those that change the forest
  std::vector<std::pair<std::uint32_t, hl7::Time>> creations_;       // node, time; sorted by build()
  std::unordered_map<std::uint64_t, hl7::Time> listed_;              // two nodes, when they were last listed together
  std::vector<Pair> pairs_;                                          // the same after build(), and those linked by A24
  std::unordered_map<std::string, std::uint32_t> moves_;             // account or visit; the latest move's node
  std::vector<std::pair<std::uint32_t, std::uint32_t>> neighbours_;  // pairs_ both ways, sorted; after build()
  std::vector<Step> steps_;
  std::vector<Dispute> disputes_;
};

}  // namespace waybill::identity
