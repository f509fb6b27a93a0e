// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "manifest/record.hpp"
#include "net/association.hpp"

#include <array>
#include <string>
#include <vector>

namespace waybill::verify {

/// Compares what a peer gave back with what the manifest says was sent, and sets verdict, grade and bucket of `object`
/// (domain rule 4.3). Needs dicom::Toolkit alive. Any thread.
void compare_content(const net::Received& received, manifest::Object& object);

/// An object that came, and its record.
struct Arrived {
  net::Received received;
  manifest::Object* object = nullptr;
};
/// The same of two, faster than one after the other.
void compare_contents(const Arrived& a, const Arrived& b);

/// Whether the peer gave back the very dataset of the file that was sent, proven by the file's SHA-256 in the manifest.
/// Reads the first bytes of that file; false where it cannot be read, was changed while it was sent, or lies in a
/// container. Any thread.
[[nodiscard]] bool is_identical(const net::Received& received, const manifest::Object& object);
[[nodiscard]] std::array<bool, 2> are_identical(const Arrived& a, const Arrived& b);

/// Sets a verdict and the bucket verified or failed.
void conclude(manifest::Object& object, std::string grade, std::string verdict, bool good);

/// EQUIVALENT-LENIENT for none, TARGET-COERCED when every difference is an attribute targets set on arrival (patient,
/// study and series identification, accession, coercion records), METADATA-LOSS otherwise.
[[nodiscard]] std::string verdict_of(const std::vector<manifest::Difference>& differences);

/// Source and staged bytes against the SHA-256 values of the manifest: IDENTICAL, or failed.
void check_fixity(manifest::Object& object);

}  // namespace waybill::verify
