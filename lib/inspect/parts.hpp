// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "inspect/inspect.hpp"

/// The parts of inspect(), one file each; every part appends its findings to `object`.
namespace waybill::inspect {

/// UIDs, SOP Class, patient and accession identifiers (domain rule 2.4).
void identity(const dicom::File& file, manifest::Object& object);

/// Whether the object should say of which patient and study it is: no procedure step, worklist entry or palette does.
[[nodiscard]] bool has_place_in_study(const dicom::File& file, const manifest::Object& object);

/// Specific Character Set against the bytes of the text that identifies (domain rule 2.4, CS-*).
void character_set(const dicom::File& file, manifest::Object& object);

/// Lengths, dates, retired and private attributes at every depth (domain rule 2.4, VAL-*).
void values(const dicom::File& file, manifest::Object& object);

/// Pixel data against its description, label and codestream (domain rules 2.2 and 2.3); with Depth::pixels also PIX1
/// and CSTR.
void pixels(const dicom::File& file, Depth depth, manifest::Object& object);

}  // namespace waybill::inspect
