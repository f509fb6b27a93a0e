// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interned.hpp"
#include "hl7/intake.hpp"
#include "hl7/message.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Who a patient is, told by years of ADT messages: which numbers are one person, since when, and why.
namespace waybill::identity {

/// A number a patient is known by. Numbers are compared by authority and text, never by the text alone.
struct PatientId {
  Interned authority;  ///< CX.4: the name space, else the universal ID; upper case
  Interned id;
  Interned type;  ///< CX.5; "" for the kinds that number patients (MR, PI, PT)
  bool operator==(const PatientId&) const = default;
};

/// A field of a message: not given (keep what is known), cleared (two quotation marks), or a value.
struct Given {
  bool given = false;
  Interned value;
};

struct Demographics {
  Given name;                         ///< DICOM form, family^given^middle^prefix^suffix, groups separated by =
  Given birth_date;                   ///< YYYYMMDD
  Given sex;                          ///< M, F, O
  Given death_date;                   ///< YYYYMMDD (PID-29)
  Given restricted;                   ///< "Y": a VIP (PV1-16) or protected (PD1-12)
  std::vector<Interned> other_names;  ///< maiden, alias and former names, same form
};

enum class EventKind {
  refresh,          ///< A02 A03 A08 A31 …: what is known of the patient
  create,           ///< A01 A04 A05 A28: the same, and the number is in use from then on
  merge,            ///< A18 A34 A40, A30 A39 for persons: the prior number dies
  rename,           ///< A46 A47: the prior number is written differently from now on
  move_identifier,  ///< A43: the number belongs to another person
  move_account,     ///< A44: only the account's studies move
  move_visit,       ///< A45: only the visit's studies move
  change_account,   ///< A35 A36 A41 A42 A49 A50: accounts and visits are renamed or merged, no patient changes
  link,             ///< A24: two patients are one person
  unlink,           ///< A37
  remove            ///< A23 A29: noted, nothing is ever deleted for it
};
[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;

/// What one group of an ADT message says.
struct Event {
  EventKind kind = EventKind::refresh;
  hl7::Time time = 0;
  std::string trigger;     ///< "A40"
  std::string control_id;  ///< MSH-10
  Interned file;
  std::uint64_t offset = 0;
  std::vector<PatientId> ids;     ///< PID-3 (and PID-2, PID-4 for their events): who it is from now on
  std::vector<PatientId> prior;   ///< MRG-1; of links the second PID
  std::vector<PatientId> listed;  ///< PID-2 and PID-4: further numbers the sender gives to the same patient
  std::string account, visit, prior_account, prior_visit;  ///< of events that do more than create and refresh
  Interned person, prior_person;                           ///< PID-2 and MRG-4 as "authority|id"
  Demographics demographics;
  Interned prior_name;  ///< MRG-7
};

/// Settings of a site.
struct Site {
  std::string default_authority;  ///< of numbers that name none, and the one whose number is taken of several
};

/// CX as a patient number; nullopt for numbers of other kinds (social security, driver's licence, account …) and empty
/// ones.
[[nodiscard]] std::optional<PatientId> patient_id(const hl7::Message& message, std::string_view cx, const Site& site);
/// All of a repeated field. First come those of the site's own authority, then those that are plain patient numbers (no
/// type or MR, PI …), then the others (national, enterprise …): the first one is what the patient is called by here.
[[nodiscard]] std::vector<PatientId> patient_ids(const hl7::Message& message, std::string_view field, const Site& site);
/// The patient's numbers in a PID segment: of PID-3, where that has none of PID-2, else of PID-4.
[[nodiscard]] std::vector<PatientId> numbers_of(const hl7::Message& message, std::size_t pid, const Site& site);

/// The name space and universal ID of each authority that gives both in PID-3 or MRG-1 (HD: they stand for one
/// another).
[[nodiscard]] std::vector<std::pair<Interned, Interned>> authorities_of(const hl7::Message& message);

/// The person name (XPN repetitions) in DICOM form: the legal name, ideographic and phonetic forms as groups. `others`
/// gets maiden, alias and former names.
[[nodiscard]] Interned person_name(const hl7::Message& message, std::string_view field,
                                   std::vector<Interned>* others = nullptr);

/// Demographics of a PID segment.
[[nodiscard]] Demographics demographics_of(const hl7::Message& message, std::size_t pid);

/// The events of an ADT message, one for each PID (with its MRG), also where MSH-9 has the trigger event only; none for
/// other messages. A merge or move whose PID is missing, or of which several MRG stand before their PID, gives events
/// of one side.
[[nodiscard]] std::vector<Event> events_of(const hl7::Message& message, const hl7::Origin& origin, const Site& site);

}  // namespace waybill::identity
