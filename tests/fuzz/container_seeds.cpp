// SPDX-License-Identifier: Apache-2.0
#include "fuzz/seeds.hpp"
#include "support/dicom_builder.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <memory>
#include <stdexcept>
#include <utility>

namespace waybill::test {
namespace {

using dicom::tag;
using Named = std::vector<std::pair<std::string, std::string>>;

/// `set` chooses format and filter on the writer.
template <typename F>
std::string packed(const Named& members, F set) {
  std::string out(std::size_t{1} << 20U, '\0');
  std::size_t used = 0;
  const std::unique_ptr<::archive, int (*)(::archive*)> writer(archive_write_new(), archive_write_free);
  ::archive* a = writer.get();
  set(a);
  archive_write_set_bytes_in_last_block(a, 1);
  if (archive_write_open_memory(a, out.data(), out.size(), &used) != ARCHIVE_OK)
    throw std::runtime_error(archive_error_string(a));
  for (const auto& [name, bytes] : members) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_mtime(entry.get(), 1'000'000'000, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_write_header(a, entry.get());
    archive_write_data(a, bytes.data(), bytes.size());
  }
  if (archive_write_close(a) != ARCHIVE_OK) throw std::runtime_error(archive_error_string(a));
  out.resize(used);
  return out;
}

std::string tar(const Named& members, int (*filter)(::archive*) = archive_write_add_filter_none) {
  return packed(members, [&](::archive* a) {
    archive_write_set_format_ustar(a);
    filter(a);
  });
}

std::string zip(const Named& members, const char* compression) {
  return packed(members, [&](::archive* a) {
    archive_write_set_format_zip(a);
    archive_write_set_options(a, compression);
  });
}

std::string compressed(const std::string& bytes, int (*filter)(::archive*)) {
  return packed({{"data", bytes}}, [&](::archive* a) {
    archive_write_set_format_raw(a);
    filter(a);
  });
}

std::string object(const std::string& instance) {
  DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", instance);
  b.text(tag(0x0010, 0x0020), "LO", "P1")
      .text(tag(0x0020, 0x000D), "UI", "1.2.3")
      .text(tag(0x0020, 0x000E), "UI", "1.2.4");
  b.u16(tag(0x0028, 0x0002), 1).text(tag(0x0028, 0x0004), "CS", "MONOCHROME2");
  b.u16(tag(0x0028, 0x0010), 4).u16(tag(0x0028, 0x0011), 4).u16(tag(0x0028, 0x0100), 8).u16(tag(0x0028, 0x0101), 8);
  b.u16(tag(0x0028, 0x0102), 7).u16(tag(0x0028, 0x0103), 0).raw(tag(0x7FE0, 0x0010), "OB", "0123456789abcdef");
  return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", instance);
}

/// A patient, study, series and image record with the offsets between them (PS3.3 F.3), which nobody has to follow.
std::string directory() {
  std::vector<std::string> items;
  for (const char* type : {"PATIENT", "STUDY", "SERIES", "IMAGE", "IMAGE"}) {
    DicomBuilder item;
    item.raw(tag(0x0004, 0x1400), "UL", std::string("\x10\1\0\0", 4)).u16(tag(0x0004, 0x1410), 0xFFFF);
    item.raw(tag(0x0004, 0x1420), "UL", std::string("\x20\1\0\0", 4)).text(tag(0x0004, 0x1430), "CS", type);
    if (std::string(type) == "IMAGE") item.text(tag(0x0004, 0x1500), "CS", "IMAGES\\IM" + std::to_string(items.size()));
    if (std::string(type) == "STUDY") item.text(tag(0x0020, 0x000D), "UI", "1.2.3");
    items.push_back(item.str());
  }
  DicomBuilder b;
  b.text(tag(0x0004, 0x1130), "CS", "SET1").sequence(tag(0x0004, 0x1220), items, true);
  return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.1.3.10");
}

}  // namespace

std::vector<std::string> container_seeds() {
  const std::string one = object("1.2.3.4.1");
  const std::string two = object("1.2.3.4.2");
  const Named members = {{"DICOMDIR", directory()}, {"IMAGES/IM3", one}, {"IMAGES/IM4", two}, {"../notes", "a note"}};
  std::vector<std::string> seeds = {
      tar({{"a", one}, {"b", two}}),
      zip(members, "zip:compression=store"),
      zip(members, "zip:compression=deflate"),
      tar(members, archive_write_add_filter_gzip),
      tar(members, archive_write_add_filter_zstd),
      tar(members, archive_write_add_filter_bzip2),
      tar(members, archive_write_add_filter_xz),
      compressed(one, archive_write_add_filter_gzip),
      compressed(one, archive_write_add_filter_zstd),
      tar({{"inner.tgz", tar(members, archive_write_add_filter_gzip)},
           {"inner.zip", zip(members, "zip:compression=store")}}),
      directory(),
      one + two + one,
      one + std::string(512 - one.size() % 512, '\0') + two,
      "VENDOR PACKAGE 1\n" + std::string(77, '\x07') + one + "trailer" + two + "index of this package",
  };
  return seeds;
}

}  // namespace waybill::test
