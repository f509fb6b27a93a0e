// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "load/way.hpp"

#include <optional>
#include <string>
#include <vector>

namespace waybill::probe {

/// An object of a made-up patient: a Secondary Capture image of 16 bit.
struct Made {
  std::string study, series, instance;
  std::string patient_name = "WAYBILL^PROBE", patient_id;
  std::uint32_t seed = 1;    ///< its pixels follow from it
  std::uint16_t edge = 64;   ///< rows and columns
  std::uint32_t number = 1;  ///< in its series
  std::string rejects = {};  ///< an image's UID: then it is a note that rejects this, of `series_of_rejected`
  std::string series_of_rejected = {};
  bool operator==(const Made&) const = default;
};

/// A UID that nobody else has (PS3.5 B.2).
[[nodiscard]] std::string new_uid();

/// The SOP Class of a made object: Secondary Capture, or of a rejection note Key Object Selection Document.
[[nodiscard]] std::string_view class_of(const Made& made) noexcept;

/// The object ready to leave in the context's transfer syntax, one of the two native little endian ones.
[[nodiscard]] load::Outgoing outgoing(const Made& made, const net::Context& context);

/// What of a made object a peer gave back.
struct Seen {
  std::string patient_name, patient_id, study, series;
  std::string pixels;  ///< their SHA-256 where they came natively, else empty
  bool operator==(const Seen&) const = default;
};
[[nodiscard]] Seen seen_of(const Made& made);
/// Fault::malformed for what is no dataset.
[[nodiscard]] Result<Seen> seen_in(const net::Received& received);

/// What is at one place of the peer: under a study and series, one SOP Instance UID.
struct Sight {
  std::optional<bool> listed;  ///< nullopt: it cannot be asked
  std::vector<Seen> seen;      ///< what it gave back; some give all that has the SOP Instance UID
  /// Whether the object is under that study and series; nullopt when nobody can say.
  [[nodiscard]] std::optional<bool> present(const Made& made) const;
};

inline constexpr std::string_view kMadeClass = "1.2.840.10008.5.1.4.1.1.7";  ///< Secondary Capture Image Storage

}  // namespace waybill::probe
