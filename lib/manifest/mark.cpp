// SPDX-License-Identifier: Apache-2.0
#include "manifest/mark.hpp"

#include "core/json.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "manifest/json_reader.hpp"

#include <unistd.h>
#include <cerrno>

namespace waybill::manifest {
namespace {

constexpr std::uint64_t kMaxMark = 4096;

std::filesystem::path beside(const std::filesystem::path& manifest, const char* suffix) {
  auto path = manifest;
  path += suffix;
  return path;
}

[[noreturn]] void damaged(const std::filesystem::path& path) {
  throw RunError(Exit::integrity,
                 "the mark file " + path_to_text(path.native()) +
                     " is damaged; keep a copy of it and of the manifest, then remove it to go on without");
}

}  // namespace

std::filesystem::path mark_path(const std::filesystem::path& manifest) { return beside(manifest, ".sync"); }
std::filesystem::path torn_path(const std::filesystem::path& manifest) { return beside(manifest, ".torn"); }

std::optional<Mark> read_mark(const std::filesystem::path& manifest) {
  const auto path = mark_path(manifest);
  if (::access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  const auto bytes = io::read_file(path, kMaxMark);
  if (!bytes) {
    // A writer replaces or removes the mark at any time; only what stays is an error.
    if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return std::nullopt;
    throw RunError(Exit::input, "the mark file " + path_to_text(path.native()) + " " + bytes.error().what +
                                    "; check its rights, then run the same command again");
  }
  try {
    simdjson::dom::parser parser;
    const auto j = detail::parse_object(parser, as_text(*bytes));
    Mark mark{detail::need<std::uint64_t>(j, "offset"), detail::need<std::uint64_t>(j, "frames"),
              detail::need<std::string>(j, "head")};
    if (mark.head.size() == 64 && mark.frames > 0) return mark;
  } catch (const RunError&) {
    damaged(path);
  }
  damaged(path);
}

void write_mark(const std::filesystem::path& manifest, const Mark& mark) {
  JsonWriter w;
  w.begin_object().member("kind", "mark").member("offset", mark.offset).member("frames", mark.frames);
  w.member("head", mark.head).end_object();
  io::AtomicFile file(mark_path(manifest));
  file.write(as_bytes(w.str() + "\n"));
  file.commit(io::FolderSync::later);
}

void remove_mark(const std::filesystem::path& manifest) {
  const auto path = mark_path(manifest);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) io::throw_errno("remove", path, errno);
}

}  // namespace waybill::manifest
