// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "manifest/record.hpp"

namespace waybill::transfer {

/// The file that stands for an object: the staged one when there is one, else the source.
struct SendFile {
  std::string path;                   ///< as the system has it
  std::optional<std::string> member;  ///< inside a container
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> size;  ///< the whole file when absent
  std::string sha256;                 ///< expected, empty when the manifest has none
  std::string transfer_syntax;
};

[[nodiscard]] Result<SendFile> file_to_send(const manifest::Object& object);
/// The source bytes, even when a staged file exists.
[[nodiscard]] Result<SendFile> source_file(const manifest::Object& object);

/// Reads the bytes and compares their SHA-256: Fault::mismatch when they are not those of the manifest.
[[nodiscard]] Result<Bytes> read_checked(const SendFile& file);

/// The first byte of the dataset in a file's bytes.
[[nodiscard]] Result<std::uint64_t> dataset_offset(ByteView file);

}  // namespace waybill::transfer
