// SPDX-License-Identifier: Apache-2.0
#include "transfer/bytes.hpp"

#include "archive/source.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/file.hpp"

namespace waybill::transfer {

Result<SendFile> source_file(const manifest::Object& object) {
  return SendFile{path_from_text(object.source.path),
                  object.source.member,
                  object.source.offset,
                  object.source.size,
                  object.file_sha256.value_or(""),
                  object.transfer_syntax.value_or("")};
}

Result<SendFile> file_to_send(const manifest::Object& object) {
  if (!object.transcode || object.transcode->path.empty()) return source_file(object);
  const manifest::Transcode& staged = *object.transcode;
  return SendFile{path_from_text(staged.path),
                  std::nullopt,
                  0,
                  std::nullopt,
                  staged.file_sha256,
                  staged.to.empty() ? object.transfer_syntax.value_or("") : staged.to};
}

namespace {

Result<Done> check(const SendFile& file, const std::string& name, ByteView bytes) {
  if (file.size && bytes.size() != *file.size)
    return Failure{Fault::mismatch, name + " has another size than when it was scanned"};
  if (!file.sha256.empty() && Sha256::of(bytes).hex() != file.sha256)
    return Failure{Fault::mismatch, name + " has other bytes than the manifest says (SHA-256 differs)"};
  return Done{};
}

std::string name_of(const SendFile& file) {
  return path_to_text(file.path) + (file.member ? " member " + *file.member : "");
}

}  // namespace

Result<Bytes> read_checked(const SendFile& file) {
  const std::string name = name_of(file);
  auto bytes = archive::read_source({path_to_text(file.path), file.member, file.offset, file.size.value_or(0), {}});
  if (!bytes) return Failure{bytes.error().fault, name + ": " + bytes.error().what};
  if (const auto checked = check(file, name, *bytes); !checked) return checked.error();
  return bytes;
}

Result<FileBytes> read_checked_file(const SendFile& file) {
  FileBytes out;
  if (!file.member && file.offset == 0) {
    const std::string name = name_of(file);
    auto opened = archive::open_file(file.path);
    if (!opened) return Failure{opened.error().fault, name + ": " + opened.error().what};
    if (!opened->stream) {
      out.file = *std::move(opened);
      out.view = out.file.bytes;
      if (const auto checked = check(file, name, out.view); !checked) return checked.error();
      return out;
    }
  }
  auto bytes = read_checked(file);
  if (!bytes) return bytes.error();
  out.member = *std::move(bytes);
  out.view = out.member;
  return out;
}

std::string sent_syntax(const manifest::Object& object) {
  if (object.load && !object.load->transfer_syntax.empty()) return object.load->transfer_syntax;
  const auto file = file_to_send(object);
  return file ? file->transfer_syntax : object.transfer_syntax.value_or("");
}

Result<std::uint64_t> dataset_offset(ByteView file) {
  if (const auto meta = dicom::read_meta(file)) return meta->dataset_offset;
  const auto parsed = dicom::parse_file(file);
  if (!parsed) return parsed.error();
  const ByteView dataset = parsed->dataset.bytes();
  const bool inside = !dataset.empty() && dataset.data() >= file.data() && dataset.data() < file.data() + file.size();
  if (!inside) return Failure{Fault::unsupported, "where the dataset begins in the file is not known"};
  return static_cast<std::uint64_t>(dataset.data() - file.data());
}

}  // namespace waybill::transfer
