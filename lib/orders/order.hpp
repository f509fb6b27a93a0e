// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/interned.hpp"
#include "hl7/intake.hpp"
#include "hl7/message.hpp"
#include "identity/event.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Exams as orders, reports and appointments tell them (ORM, OMG, OMI, ORU, SIU).
namespace waybill::orders {

enum class State { planned, performed, cancelled };

/// What one OBR (or the appointment) of a message says of an exam. Empty is not said.
struct Order {
  hl7::Time time = 0;
  bool report = false;  ///< from ORU: the exam exists
  identity::PatientId patient;
  std::vector<identity::PatientId> other_ids;
  identity::Demographics demographics;
  Interned account, visit;
  Interned accession, study_uid;
  std::string placer, filler;  ///< their own order numbers; most are never kept
  Interned modality, description;
  Interned date, clock;  ///< scheduled or observed: YYYYMMDD, HHMMSS
  State state = State::planned;
  bool state_said = false;
};

/// The orders of a message; none for messages of other kinds, for those that name neither accession, Study UID nor
/// order number, and for tests of the laboratory (OBR-24). An accession number is IPC-1, else OBR-18, else the filler's
/// number (OBR-3, ORC-3) when it is short enough to be one; a Study UID is IPC-3 or ZDS-1 when it has the form of a
/// UID.
[[nodiscard]] std::vector<Order> orders_of(const hl7::Message& message, const hl7::Origin& origin,
                                           const identity::Site& site);

}  // namespace waybill::orders
