// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/file.hpp"
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

/// The bytes of one file, in memory that is used again for the next one.
struct FileBytes {
  ByteView view;
  archive::OpenFile file;
  Bytes member;
};
/// Like read_checked(), for many files one behind the other.
[[nodiscard]] Result<FileBytes> read_checked_file(const SendFile& file);

/// Transfer syntax in which the object is, or was, sent.
[[nodiscard]] std::string sent_syntax(const manifest::Object& object);

/// The first byte of the dataset in a file's bytes.
[[nodiscard]] Result<std::uint64_t> dataset_offset(ByteView file);

}  // namespace waybill::transfer
