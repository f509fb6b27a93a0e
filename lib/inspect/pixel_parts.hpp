// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/file.hpp"
#include "manifest/record.hpp"
#include "pixel/digest.hpp"

#include <string>
#include <string_view>
#include <vector>

/// The checks of pixel data (domain rules 2.2 and 2.3), one file a subject. None decodes: they read attributes,
/// lengths, item headers and the marker segments at the start of the first frame; contradicts_planar() reads native
/// samples.
namespace waybill::inspect {

/// Appends a finding with its evidence unless one of the same code is there; a finding that is there without evidence
/// gets it. `raw` is kept up to 64 bytes.
void note(std::vector<manifest::Finding>& findings, std::string_view code, manifest::Severity severity, dicom::Tag tag,
          std::string detail, std::uint64_t offset, ByteView raw);

/// The same with an element as evidence: the bytes of its value, or of its header.
enum class Evidence { header, value };
void note(std::vector<manifest::Finding>& findings, std::string_view code, manifest::Severity severity,
          const dicom::Dataset& set, const dicom::Node& node, std::string detail, Evidence evidence = Evidence::value);

/// The same about an attribute that is not there.
void note_absent(std::vector<manifest::Finding>& findings, std::string_view code, manifest::Severity severity,
                 dicom::Tag tag, std::string detail);

[[nodiscard]] bool has_finding(const std::vector<manifest::Finding>& findings, std::string_view code) noexcept;

/// What the attributes say of pixels that are there or not: PIX-NOPIX, PIX-TWOPIX, PIX-EOT, PIX-RESCALE, ENC-PMSCT.
void describe_object(const dicom::File& file, std::vector<manifest::Finding>& findings);

/// Image Pixel attributes against each other: PIX-DIMS (impossible), PIX-HIGHBIT, PIX-OVLBITS, PIX-PADOUT, PIX-PLANAR
/// (missing), PIX-PALETTE, PIX-LOSSYFLAG (cleared).
void describe_pixels(const dicom::File& file, const pixel::PixelData& data, std::vector<manifest::Finding>& findings);

/// Length of native pixel data: PIX-SHORT, PIX-LONG1, PIX-LONG, PIX-FRAMES, PIX-422NATIVE.
void native_length(const dicom::File& file, const pixel::PixelData& data, std::vector<manifest::Finding>& findings);

/// Whether native colour samples lie by plane though Planar Configuration says by pixel, or the reverse (PIX-PLANAR).
[[nodiscard]] bool contradicts_planar(const pixel::PixelData& data) noexcept;

/// Fragments and the first frame's header against label and attributes: ENC-TSCODESTREAM, PIX-BOTBAD, PIX-NOBOT,
/// PIX-ODDFRAG, PIX-ZEROFRAG, PIX-FRAMES, PIX-TRUNC (no end marker), PIX-DIMS, PIX-JP2BOX, PIX-JFIF, PIX-PHOTO,
/// PIX-LOSSYFLAG. Returns the transfer syntax the codestream may be decoded by: the label's, or the true one.
[[nodiscard]] std::string codestream(const dicom::File& file, const pixel::PixelData& data,
                                     std::vector<manifest::Finding>& findings);

}  // namespace waybill::inspect
