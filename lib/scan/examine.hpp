// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/file.hpp"
#include "archive/walk.hpp"
#include "scan/dicomdir.hpp"
#include "scan/run.hpp"

#include <array>
#include <optional>
#include <vector>

namespace waybill::scan {

/// Everything about one entry of the walk that needs no other entry: its own record, then, in their order, those of
/// the members of a container or of the objects found inside by their DICM mark. Never empty. Any thread.
[[nodiscard]] std::vector<manifest::Object> examine(archive::Entry entry, const Options& options);
/// The same of two entries, whose bytes are hashed in step (Sha256::of_two). Both are in memory meanwhile.
[[nodiscard]] std::array<std::vector<manifest::Object>, 2> examine_two(archive::Entry first, archive::Entry second,
                                                                       const Options& options);

/// What one stream of bytes turned out to be.
struct Examined {
  std::vector<manifest::Object> objects;  ///< the stream, then what was found behind or inside it by its DICM mark
  std::optional<FileSet> file_set;        ///< of a DICOMDIR
};

/// One stream that is no container: `object` has its source, perhaps its file digest, and gets the rest. Any thread.
[[nodiscard]] Examined examine_bytes(ByteView bytes, manifest::Object object, const Options& options);

/// Searches a stream that is no DICOM at its start, whose record is the last of `out`, for whole DICOM files: vendor
/// packages, tape blocks. Each is put behind it; with any, the stream itself becomes a "vendor-container".
void carve_inside(ByteView bytes, const Options& options, std::vector<manifest::Object>& out);
/// The same behind the dataset of `first`, the file at the start of the stream.
void carve_behind(ByteView bytes, const dicom::File& first, const Options& options, std::vector<manifest::Object>& out);

/// The records of a container whose own record (source only) is `self`.
[[nodiscard]] std::vector<manifest::Object> unpack(const archive::OpenFile& file, manifest::Object self,
                                                   const Options& options);

/// Fills in what a parsed object is, and its bucket.
void classify_dicom(const dicom::File& file, const Options& options, manifest::Object& object);

}  // namespace waybill::scan
