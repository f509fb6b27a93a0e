// SPDX-License-Identifier: Apache-2.0
#include "scan/examine.hpp"

#include "archive/places.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dicom/recognise.hpp"
#include "dicom/uids.hpp"
#include "inspect/pixels.hpp"
#include "scan/classify.hpp"

#include <algorithm>

namespace waybill::scan {

using archive::Entry;
using archive::EntryKind;
using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

Object special(const Entry& entry) {
  Object object;
  object.source = {path_to_text(entry.path),
                   std::nullopt,
                   0,
                   entry.kind == EntryKind::file ? entry.size : 0,
                   entry.mtime,
                   entry.inode};
  object.id = manifest::object_id(object.source);
  const auto set = [&](Bucket bucket, const char* type) {
    object.bucket = bucket;
    object.content_type = type;
  };
  switch (entry.kind) {
    case EntryKind::symlink: set(Bucket::non_dicom, "symlink"); break;
    case EntryKind::fifo: set(Bucket::non_dicom, "fifo"); break;
    case EntryKind::socket: set(Bucket::non_dicom, "socket"); break;
    case EntryKind::device: set(Bucket::non_dicom, "device"); break;
    case EntryKind::folder_loop: set(Bucket::non_dicom, "folder-loop"); break;
    case EntryKind::unreadable_folder: set(Bucket::unreadable, "folder"); break;
    case EntryKind::vanished: object.bucket = Bucket::unreadable; break;
    case EntryKind::file: break;
  }
  if (object.bucket == Bucket::unreadable)
    object.findings.push_back({"SRC-UNREADABLE", Severity::s4, {}, "cannot be read: " + entry.error});
  return object;
}

std::string_view file_name(const manifest::Source& source) {
  const std::string_view path = source.member ? *source.member : source.path;
  return path.substr(path.rfind('/') + 1);
}

/// A preamble that makes the file a TIFF image as well, as slide scanners write it (PS3.10 7.1).
void note_tiff(ByteView bytes, Object& object) {
  const std::string_view start = as_text(bytes.first(std::min<std::size_t>(bytes.size(), 4)));
  if (start != std::string_view("II*\0", 4) && start != std::string_view("MM\0*", 4)) return;
  for (manifest::Finding& finding : object.findings) {
    if (finding.code == "ENC-PREAMBLE")
      finding.detail = "the preamble begins as a TIFF file does; the file may be both (PS3.10 7.1)";
  }
}

void set_empty(Object& object) {
  object.bucket = Bucket::empty;
  object.findings.push_back({"SRC-EMPTY", Severity::s0, {}, "no bytes"});
}

/// What a stream is that is no DICOM.
void set_foreign(ByteView start, Object& object) {
  object.bucket = Bucket::non_dicom;
  object.content_type = content_type(start, file_name(object.source));
  if (is_unread_container(object.content_type.value_or(""))) {
    object.bucket = Bucket::quarantined;
    object.findings.push_back(
        {"SRC-UNOPENED",
         Severity::s3,
         {},
         "a " + *object.content_type + " container, which is not read here; unpack it and scan what is inside"});
  }
  if (object.content_type == "unknown")
    object.findings.push_back(
        {"SRC-UNKNOWN", Severity::s0, {}, "neither DICOM nor of any other type that is known here"});
}

/// Signs that a parse ran over the end of the dataset into something else.
bool ran_over(const dicom::File& file) {
  return file.has("ENC-LENOVER") || file.has("ENC-TRAILGARBAGE") || file.has("ENC-ORDER");
}

}  // namespace

void classify_dicom(const dicom::File& file, const Options& options, Object& object) {
  if (file.meta.sop_class == dicom::uid::kMediaStorageDirectory ||
      file.dataset.find(dicom::tag(0x0004, 0x1220)) != nullptr) {
    object.bucket = Bucket::dicomdir;
    object.sop_class = std::string(dicom::uid::kMediaStorageDirectory);
    object.transfer_syntax = file.transfer_syntax;
    for (const manifest::Finding& finding : file.findings) object.findings.push_back(finding);
    object.findings.push_back(
        {"ENC-DICOMDIR", Severity::s0, {}, "a directory of files, no instance; compared with them and never sent"});
    return;
  }
  const auto depth = options.deep      ? inspect::Depth::pixels
                     : options.headers ? inspect::Depth::headers
                                       : inspect::Depth::datasets;
  inspect::inspect(file, depth, object);
  const bool nameless = !object.sop_class && !object.sop_instance;
  const bool image = object.rows || inspect::pixel_node(file.dataset) != nullptr || file.dataset.pixel_header();
  const bool whole = !file.has("ENC-LENOVER") && !file.has("ENC-TRAILGARBAGE");
  if (nameless && !image && !object.series && whole && !file.has("ENC-ACRNEMA")) {
    object.bucket = Bucket::non_instance;  // a command, a worklist entry or a meta group, no image
  } else {
    const bool held = std::any_of(object.findings.begin(), object.findings.end(), manifest::quarantines);
    object.bucket = held ? Bucket::quarantined : Bucket::instance;
  }
}

Examined examine_bytes(ByteView bytes, Object object, const Options& options) {
  Examined out;
  object.source.size = bytes.size();
  if (!options.headers && !object.file_sha256) object.file_sha256 = Sha256::of(bytes).hex();
  if (bytes.empty()) {
    set_empty(object);
    out.objects.push_back(std::move(object));
    return out;
  }
  const auto file = dicom::parse_file(bytes);
  if (file) {
    classify_dicom(*file, options, object);
    note_tiff(bytes, object);
    if (object.bucket == Bucket::dicomdir) out.file_set = file_set_of(file->dataset);
    out.objects.push_back(std::move(object));
    if (ran_over(*file)) carve_behind(bytes, *file, options, out.objects);
    return out;
  }
  if (dicom::has_magic(bytes) || file.error().fault != Fault::not_dicom) {
    object.bucket = Bucket::quarantined;
    object.findings.push_back({"ENC-UNPARSED", Severity::s4, {}, file.error().what});
    out.objects.push_back(std::move(object));
    return out;
  }
  set_foreign(bytes, object);
  const bool zeros = object.content_type == "zeros";
  const bool stub = std::any_of(object.findings.begin(), object.findings.end(),
                                [](const manifest::Finding& f) { return f.code == "SRC-SPARSE"; });
  if (zeros && !stub)
    object.findings.push_back({"SRC-ZEROS", Severity::s2, {}, "only zero bytes; a lost or not recalled file"});
  out.objects.push_back(std::move(object));
  if (!zeros) carve_inside(bytes, options, out.objects);
  return out;
}

namespace {

/// The record of a file of which only the start is read; nullopt when more of it must be seen to tell what it is.
std::optional<Object> examine_headers(archive::Window& window, Object object, const Options& options) {
  object.source.size = window.state().size;
  object.source.mtime = window.state().mtime;
  object.source.inode = window.state().inode;
  for (;;) {
    if (window.bytes().empty()) {
      set_empty(object);
      return object;
    }
    const ByteView start = window.bytes().first(std::min(window.bytes().size(), archive::kSniff));
    if (archive::container_of(start) != archive::Container::none) return std::nullopt;
    const auto file = dicom::parse_headers(window.bytes(), window.state().size);
    if (file && *file) {
      const bool directory = (*file)->dataset.find(dicom::tag(0x0004, 0x1220)) != nullptr;
      if (directory || ran_over(**file)) return std::nullopt;
      classify_dicom(**file, options, object);
      note_tiff(window.bytes(), object);
      return object;
    }
    if (!file) {
      const std::string type = content_type(window.bytes(), file_name(object.source));
      const bool clear = file.error().fault == Fault::not_dicom && type != "zeros" && type != "unknown";
      if (!clear) return std::nullopt;
      object.bucket = Bucket::non_dicom;
      object.content_type = type;
      return object;
    }
    if (!window.grow()) return std::nullopt;
  }
}

constexpr std::size_t kPaired = std::size_t{16} << 20U;

/// An entry whose bytes were read, or that is told without them.
struct Loaded {
  std::vector<Object> done;  // empty: `file` is to be looked at
  Object object;
  archive::OpenFile file;
};

Loaded done(Object object) {
  Loaded loaded;
  loaded.done.push_back(std::move(object));
  return loaded;
}

/// What reading the file showed of itself.
void note_state(const archive::OpenFile& file, Object& object) {
  object.source.size = file.state.size;
  object.source.mtime = file.state.mtime;
  object.source.inode = file.state.inode;
  if (file.changed)
    object.findings.push_back(
        {"SRC-CHANGED", Severity::s2, {}, "the file changes while it is read; scan it again later"});
  if (archive::is_sparse_stub(file)) {
    object.findings.push_back({"SRC-SPARSE",
                               Severity::s2,
                               {},
                               std::to_string(file.state.allocated) + " of " + std::to_string(file.state.size) +
                                   " bytes are on disk, the rest reads as zeros; not recalled from tape?"});
  }
}

/// Of a source that is gone as a whole nothing is recorded: it is no unreadable archive.
void require_source_of(const Entry& entry) { archive::require_place(entry.path.substr(0, entry.root)); }

Loaded load(Entry entry, const Options& options) {
  if (const auto why = options.selection.excluded(entry)) {
    archive::examine(entry);
    Object object = special(entry);
    object.bucket = Bucket::excluded;
    object.findings = {{"SRC-EXCLUDED", Severity::s0, {}, "not examined: " + *why}};
    return done(std::move(object));
  }
  if (entry.kind == EntryKind::unreadable_folder || entry.kind == EntryKind::vanished) require_source_of(entry);
  if (entry.kind != EntryKind::file) return done(special(entry));
  if (options.headers) {
    auto window = archive::Window::open(entry.path);
    if (window) {
      if (auto quick = examine_headers(*window, special(entry), options)) return done(*std::move(quick));
    }
  }
  auto file = archive::open_file(entry.path);
  if (!file) {
    require_source_of(entry);
    archive::examine(entry);
    Object object = special(entry);
    object.bucket = Bucket::unreadable;
    object.findings.push_back({"SRC-UNREADABLE", Severity::s4, {}, file.error().what});
    return done(std::move(object));
  }
  Loaded loaded{{}, special(entry), *std::move(file)};
  note_state(loaded.file, loaded.object);
  return loaded;
}

std::vector<Object> look(Loaded loaded, const Options& options) {
  if (!loaded.done.empty()) return std::move(loaded.done);
  const ByteView bytes = loaded.file.bytes;
  const bool container =
      loaded.file.stream ||
      archive::container_of(bytes.first(std::min(bytes.size(), archive::kSniff))) != archive::Container::none;
  if (container) return unpack(loaded.file, std::move(loaded.object), options);
  auto examined = examine_bytes(bytes, std::move(loaded.object), options);
  if (examined.file_set) {
    const std::filesystem::path path(path_from_text(examined.objects.front().source.path));
    compare_with_folder(*examined.file_set, path.parent_path(), path.filename().string(), examined.objects.front());
  }
  return std::move(examined.objects);
}

}  // namespace

std::vector<Object> examine(Entry entry, const Options& options) {
  return look(load(std::move(entry), options), options);
}

std::array<std::vector<Object>, 2> examine_two(Entry first, Entry second, const Options& options) {
  Loaded a = load(std::move(first), options);
  if (a.file.bytes.size() > kPaired) {  // not two large ones in memory at once
    auto left = look(std::move(a), options);
    return {std::move(left), examine(std::move(second), options)};
  }
  Loaded b = load(std::move(second), options);
  const auto hashed = [&](const Loaded& one) {
    return one.done.empty() && !one.file.bytes.empty() && !options.headers;
  };
  if (hashed(a) && hashed(b)) {
    const auto digests = Sha256::of_two(a.file.bytes, b.file.bytes);
    a.object.file_sha256 = digests[0].hex();
    b.object.file_sha256 = digests[1].hex();
  }
  auto left = look(std::move(a), options);
  return {std::move(left), look(std::move(b), options)};
}

}  // namespace waybill::scan
