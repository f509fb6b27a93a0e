// SPDX-License-Identifier: Apache-2.0
// The members of zip, tar and compressed files as records of their own. Members are read one after the other, because
// a compressed stream has no other order, and examined in parallel, a batch at a time, so that memory stays bounded;
// records keep the order of the container. Bounds against bombs are counted while reading, by one thread, so what is
// refused does not depend on the number of threads.
//
// What tells a bomb from an archive: pixels reach hardly 100:1, but blank images, of which a calibration study may hold
// thousands, reach 1000:1 by deflate and 5000:1 by zstd. So a member has 64 MiB and beyond that 200 times its
// compressed bytes (archive::kMostRatio); members that are no DICOM files have together as much of the container's
// size; DICOM files count on an account of their own, which is larger, for each is small and becomes a record.
#include "archive/members.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "scan/examine.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <algorithm>

namespace waybill::scan {

using archive::Member;
using archive::MemberKind;
using archive::Members;
using manifest::Bucket;
using manifest::Object;
using manifest::Severity;

namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;
constexpr const char* kTooMuch = "it inflates to more than 200 times its size";
constexpr std::uint64_t kObjectsRatio = 10'000;         // of all members that are DICOM files
constexpr std::uint64_t kObjectsAlways = 1024 * kMebi;  // and below this the ratio does not matter
constexpr std::uint64_t kMostMore = kMebi * kMebi;      // inflated bytes beyond the container's own size: 1 TiB
constexpr std::uint64_t kLargestMember = 4096 * kMebi;  // a member has to fit into memory
constexpr std::uint64_t kMostMembers = 1'000'000;       // in one file with all nested ones
constexpr unsigned kDeepest = 3;                        // containers inside containers
constexpr std::uint64_t kBatchBytes = 64 * kMebi;
constexpr std::size_t kBatchMembers = 256;
constexpr std::size_t kMostDirectories = 1000;  // in one container, compared with its members

void note(Object& object, const char* code, Severity severity, std::string detail) {
  object.findings.push_back({code, severity, {}, std::move(detail), std::nullopt, {}});
  if (severity >= Severity::s3 && object.bucket != Bucket::unreadable) object.bucket = Bucket::quarantined;
}

const char* type_of(MemberKind kind) {
  switch (kind) {
    case MemberKind::symlink: return "symlink";
    case MemberKind::hardlink: return "hardlink";
    default: return "special";
  }
}

bool is_container(ByteView bytes) {
  return archive::container_of(bytes.first(std::min(bytes.size(), archive::kSniff))) != archive::Container::none;
}

/// A path inside a container as DICOMDIR references are compared: without "%#2", each name comparable.
std::string comparable_path(std::string_view text) {
  std::string out;
  for (const std::string_view part : split(text.substr(0, text.find("%#")), '/')) {
    if (part.empty() || part == ".") continue;
    if (!out.empty()) out += '/';
    out += comparable(path_from_text(part));
  }
  return out;
}

class Unpacker {
 public:
  Unpacker(const Options& options, const Object& self) : options_(options), file_(self) {
    const std::uint64_t size = self.source.size;
    const auto times = [size](std::uint64_t ratio) {
      return std::min(size > kMostMore / ratio ? kMostMore : size * ratio, size + kMostMore);
    };
    left_ = std::max(archive::kAlwaysAllowed, times(archive::kMostRatio));
    objects_left_ = std::max(kObjectsAlways, times(kObjectsRatio));
  }

  /// `self` is the container's record, complete but for what its members tell.
  void container(Result<Members> members, Object self, const std::string& inside, unsigned depth) {
    const std::size_t own = out_.size();
    out_.push_back(std::move(self));
    if (!members) {
      note(out_[own], "SRC-CONTAINER-DAMAGED", Severity::s3, "cannot be opened: " + members.error().what);
      return;
    }
    const std::vector<Directory> outer = std::exchange(directories_, {});
    const std::uint64_t count = each(*members, inside, depth);
    flush();
    Object& object = out_[own];
    object.content_type = members->type();
    object.findings.insert(object.findings.begin(),
                           {"SRC-CONTAINER", Severity::s0, {}, std::to_string(count) + " members", std::nullopt, {}});
    if (stopped_) note(object, "SRC-BOMB", Severity::s3, "not read to its end: " + why_stopped_);
    if (!stopped_ && !members->damage().empty())
      note(object, "SRC-CONTAINER-DAMAGED", Severity::s3, "damaged: " + members->damage());
    compare_directories(own, inside);
    directories_ = outer;
    if (depth == 1 && !object.file_sha256) take_digest(*members, object);
  }

  /// Bytes a compressed stream may inflate to: what is left, and the framing of a tar file around it.
  [[nodiscard]] std::uint64_t limit() const { return left_ + left_ / 2 + kMebi; }

  std::vector<Object> take() { return std::move(out_); }

 private:
  struct Waiting {
    Object object;
    Bytes bytes;
    bool examine = false;
  };
  struct Directory {  // a DICOMDIR in the container that is being read
    std::size_t index;
    FileSet set;
  };

  std::uint64_t each(Members& members, const std::string& inside, unsigned depth) {
    std::uint64_t count = 0;
    while (!stopped_) {
      const auto member = members.next();
      if (members.too_large()) stop(kTooMuch);
      if (!member) break;
      if (member->kind == MemberKind::folder) continue;
      ++count;
      if (++members_ > kMostMembers) {
        stop("it has more than " + std::to_string(kMostMembers) + " members");
        break;
      }
      one(members, *member, inside, depth);
    }
    return count;
  }

  void one(Members& members, const Member& member, const std::string& inside, unsigned depth) {
    Object object;
    object.source = file_.source;
    object.source.member = inside + member.text;
    object.source.size = member.size.value_or(0);
    object.id = manifest::object_id(object.source);
    if (member.outside)
      note(object, "SRC-MEMBERPATH", Severity::s1, "the member's path is absolute or has \"..\"; nothing is extracted");
    if (member.kind != MemberKind::file) {
      object.source.size = 0;
      object.bucket = Bucket::non_dicom;
      object.content_type = type_of(member.kind);
      wait({std::move(object), {}, false});
      return;
    }
    const std::uint64_t most =
        std::min(kLargestMember, std::max(left_, std::min(objects_left_, archive::kAlwaysAllowed)));
    auto bytes = members.read(most);
    if (!bytes) {
      refuse(bytes.error(), most < kLargestMember || members.too_large(), std::move(object));
      return;
    }
    if (const std::uint64_t size = bytes->size(); size <= objects_left_ && dicom::read_meta(*bytes)) {
      objects_left_ -= size;
      members.allow(size + size / 2 + 4096);  // with the framing of a tar file
    } else if (size <= left_) {
      left_ -= size;
    } else {
      refuse({Fault::limit, "the members of its container are together too large"}, true, std::move(object));
      return;
    }
    if (is_container(*bytes)) {
      nested(*std::move(bytes), std::move(object), depth);
    } else {
      wait({std::move(object), *std::move(bytes), true});
    }
  }

  /// A member whose bytes cannot be had; `ends` when too large a one ends the container.
  void refuse(const Failure& failure, bool ends, Object object) {
    if (failure.fault == Fault::limit) {
      note(object, "SRC-BOMB", Severity::s3, "not unpacked: " + failure.what);
      if (ends) stop(kTooMuch);
    } else {
      object.bucket = Bucket::unreadable;
      const bool encrypted = failure.fault == Fault::refused;
      note(object, encrypted ? "SRC-ENCRYPTED" : "SRC-UNREADABLE", Severity::s4, failure.what);
    }
    wait({std::move(object), {}, false});
  }

  void nested(Bytes bytes, Object object, unsigned depth) {
    flush();
    object.source.size = bytes.size();
    object.file_sha256 = Sha256::of(bytes).hex();
    object.bucket = Bucket::non_dicom;
    object.content_type = std::string(archive::to_string(archive::container_of(bytes)));
    if (depth == kDeepest) {
      note(object, "SRC-BOMB", Severity::s3,
           "not unpacked: containers are nested deeper than " + std::to_string(kDeepest));
      out_.push_back(std::move(object));
      return;
    }
    const std::string inside = *object.source.member + std::string(archive::kInside);
    container(Members::of(ByteView(bytes), limit()), std::move(object), inside, depth + 1);
  }

  void stop(std::string why) {
    stopped_ = true;
    why_stopped_ = std::move(why);
  }

  void wait(Waiting waiting) {
    waiting_bytes_ += waiting.bytes.size();
    batch_.push_back(std::move(waiting));
    if (waiting_bytes_ >= kBatchBytes || batch_.size() >= kBatchMembers) flush();
  }

  /// Examines what was read so far and puts its records out in order.
  void flush() {
    std::vector<Examined> done(batch_.size());
    // Isolated: a waiting thread must not begin another file, whose bytes would come on top of these.
    oneapi::tbb::this_task_arena::isolate([&] {
      oneapi::tbb::parallel_for(std::size_t{0}, batch_.size(), [&](std::size_t i) {
        Waiting& waiting = batch_[i];
        if (waiting.examine) {
          done[i] = examine_bytes(waiting.bytes, std::move(waiting.object), options_);
        } else {
          done[i].objects.push_back(std::move(waiting.object));
        }
        waiting.bytes = {};
      });
    });
    for (Examined& examined : done) {
      if (examined.file_set) directories_.push_back({out_.size(), *std::move(examined.file_set)});
      std::move(examined.objects.begin(), examined.objects.end(), std::back_inserter(out_));
    }
    batch_.clear();
    waiting_bytes_ = 0;
  }

  /// DICOMDIRs of the container whose record is `own` against the members beside and below them.
  void compare_directories(std::size_t own, const std::string& inside) {
    if (directories_.empty()) return;
    const auto path_of = [&](const Object& object) {
      return comparable_path(std::string_view(*object.source.member).substr(inside.size()));
    };
    std::vector<std::string> names;
    for (std::size_t i = own + 1; i < out_.size(); ++i) {
      const Object& object = out_[i];
      const bool here = object.source.member->find(archive::kInside, inside.size()) == std::string::npos;
      const bool dicom = object.bucket != Bucket::non_dicom && object.bucket != Bucket::empty &&
                         object.bucket != Bucket::unreadable && object.bucket != Bucket::dicomdir;
      if (here && dicom && object.source.offset == 0) names.push_back(path_of(object));
    }
    std::sort(names.begin(), names.end());
    const std::size_t compared = std::min(directories_.size(), kMostDirectories);
    for (std::size_t i = 0; i < compared; ++i) {
      Object& object = out_[directories_[i].index];
      const std::string self = path_of(object);
      const std::string folder = self.substr(0, self.rfind('/') + 1);
      std::vector<std::string> below;
      for (auto at = std::lower_bound(names.begin(), names.end(), folder); at != names.end() && at->starts_with(folder);
           ++at)
        below.push_back(at->substr(folder.size()));
      compare_with_names(directories_[i].set, below, object);
    }
    for (std::size_t i = compared; i < directories_.size(); ++i)
      note(out_[directories_[i].index], "DIR-UNCHECKED", Severity::s1, "too many DICOMDIRs in one container");
  }

  static void take_digest(Members& members, Object& object) {
    auto digest = members.digest();
    if (digest) {
      object.file_sha256 = *std::move(digest);
    } else {
      object.bucket = Bucket::unreadable;
      note(object, "SRC-UNREADABLE", Severity::s4, digest.error().what);
    }
  }

  const Options& options_;
  const Object file_;
  std::vector<Object> out_;
  std::vector<Waiting> batch_;
  std::uint64_t waiting_bytes_ = 0;
  std::vector<Directory> directories_;
  std::uint64_t left_ = 0;          // bytes that may still be unpacked, with all nested containers
  std::uint64_t objects_left_ = 0;  // the same of DICOM files
  std::uint64_t members_ = 0;       // met so far, with all nested containers
  bool stopped_ = false;
  std::string why_stopped_;
};

}  // namespace

std::vector<Object> unpack(const archive::OpenFile& file, Object self, const Options& options) {
  self.bucket = Bucket::non_dicom;
  Unpacker unpacker(options, self);
  if (file.stream) {
    unpacker.container(Members::of(file.stream.get(), unpacker.limit()), self, {}, 1);
  } else {
    if (!self.file_sha256) self.file_sha256 = Sha256::of(file.bytes).hex();
    self.content_type = std::string(archive::to_string(archive::container_of(file.bytes)));
    unpacker.container(Members::of(ByteView(file.bytes), unpacker.limit()), self, {}, 1);
  }
  auto objects = unpacker.take();
  if (file.stream) {
    const auto now = archive::state_of(file.stream.get());
    if (!now || now->size != file.state.size || now->mtime != file.state.mtime) {
      objects.front().findings.push_back({"SRC-CHANGED",
                                          Severity::s2,
                                          {},
                                          "the file changes while it is read; scan it again later",
                                          std::nullopt,
                                          {}});
    }
  }
  return objects;
}

}  // namespace waybill::scan
