// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dicom/dataset.hpp"

namespace waybill::dicom {

/// File Meta Information (PS3.10 7.1) as found.
struct Meta {
  bool present = false;
  std::string transfer_syntax, sop_class, sop_instance;
  std::uint64_t dataset_offset = 0;  ///< first byte of the dataset in the file
};

/// A DICOM stream taken apart: Part 10 file, file without preamble or meta, or (of_dataset) a bare dataset.
/// Views point into the file's bytes, which the caller keeps alive, or into `inflated`.
struct File {
  Meta meta;
  std::string transfer_syntax;  ///< effective: what the bytes are, not what the label says
  Dataset dataset;
  Bytes inflated;  ///< the dataset of a deflated file
  std::vector<manifest::Finding> findings;
  [[nodiscard]] bool has(std::string_view code) const noexcept;
};

/// Recognises and parses a whole file (domain rules 2.1, 2.2). Fault::not_dicom when it is none.
[[nodiscard]] Result<File> parse_file(ByteView file, const Limits& limits = {});

/// Parses what stands before the pixel data, from the first bytes of a file of `file_size` bytes. nullopt when `window`
/// is too short to tell: come again with more of it. Truncation within the pixel data is seen from its length alone.
[[nodiscard]] Result<std::optional<File>> parse_headers(ByteView window, std::uint64_t file_size);

/// A dataset as received over the network in `transfer_syntax`.
[[nodiscard]] Result<File> parse_network_dataset(ByteView bytes, std::string_view transfer_syntax,
                                                 const Limits& limits = {});

/// Meta information alone; enough for sending the bytes behind `dataset_offset`. Fault::not_dicom without a meta group.
[[nodiscard]] Result<Meta> read_meta(ByteView file);

}  // namespace waybill::dicom
