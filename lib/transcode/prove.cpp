// SPDX-License-Identifier: Apache-2.0
// The proof of a written file, and the frames of large objects in parallel.
#include "core/text.hpp"
#include "dicom/digest.hpp"
#include "inspect/pixels.hpp"
#include "io/scratch.hpp"
#include "pixel/codec.hpp"
#include "transcode/convert.hpp"
#include "transcode/icons.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>

namespace waybill::transcode {
namespace {

using dicom::Tag;

bool is_lossless(std::string_view syntax) {
  const auto fidelity = pixel::fidelity_of(syntax);
  return fidelity == pixel::Fidelity::native || fidelity == pixel::Fidelity::lossless;
}

/// No difference but, with `icons`, those in the icons.
Result<Done> same_but_for_icons(const dicom::Dataset& source, const dicom::Dataset& written, bool icons) {
  for (const auto& difference : dicom::compare(source, written, dicom::Profile::strict)) {
    if (!icons || !difference.tag.starts_with("00880200"))
      return Failure{Fault::mismatch,
                     "attribute " + difference.tag + " is " + difference.kind + " though nothing was to change it"};
  }
  return Done{};
}

/// Whether `value` is `bytes` and, where their number is odd, one more.
bool is_padded(ByteView value, ByteView bytes) {
  return value.size() == bytes.size() + bytes.size() % 2 && std::ranges::equal(value.first(bytes.size()), bytes);
}

/// The new values stand in the written file, whatever wrote them.
Result<Done> holds(const dicom::Dataset& written, const dicom::Changes& changes) {
  for (const manifest::Edit& edit : changes.edits) {
    const auto t = static_cast<Tag>(std::stoul(edit.tag.substr(0, 4) + edit.tag.substr(5), nullptr, 16));
    if (written.text(t).value_or("") != trim(edit.new_value))
      return Failure{Fault::mismatch, "attribute " + edit.tag + " does not hold the edit's value"};
  }
  for (const dicom::Change& change : changes.values) {
    const dicom::Node* node = written.find(change.tag);
    if (change.value.has_value() != (node != nullptr))
      return Failure{Fault::mismatch, "attribute " + dicom::to_string(change.tag) + " was not written"};
    if (node != nullptr && !is_padded(written.value(*node), *change.value))
      return Failure{Fault::mismatch, "attribute " + dicom::to_string(change.tag) + " does not hold its new value"};
  }
  for (const Tag t : {dicom::tag(0x0400, 0x0561), dicom::tag(0x0018, 0xA001)}) {
    if (written.find(t) == nullptr) return Failure{Fault::mismatch, dicom::to_string(t) + " was not written"};
  }
  for (const auto& [old_uid, new_uid] : changes.uids) {
    const auto left = dicom::naming(written, {{old_uid, new_uid}});
    const bool only_history =
        std::all_of(left.begin(), left.end(), [](Tag t) { return t == dicom::tag(0x0400, 0x0561); });
    const bool swapped = std::any_of(changes.uids.begin(), changes.uids.end(),
                                     [&](const auto& other) { return other.second == old_uid; });
    if (!only_history && !swapped) return Failure{Fault::mismatch, "a reference to a remapped UID was left behind"};
  }
  return Done{};
}

/// The written dataset with its changes undone is the source's.
Result<Done> undoes(const dicom::File& source, const dicom::File& written, const Converted& converted) {
  dicom::Rewrite rewrite;
  rewrite.transfer_syntax = written.transfer_syntax;
  if (auto done = dicom::revert_changes(written, converted.former, converted.changed, rewrite); !done) return done;
  const auto bytes = dicom::write_file(written, rewrite);
  if (!bytes) return bytes.error();
  const auto back = dicom::parse_file(*bytes);
  if (!back) return back.error();
  return same_but_for_icons(source.dataset, back->dataset, !converted.undoable);
}

/// Calls `work(first, count)` for all frames, the parts in parallel. Nothing else is taken on while waiting: what is
/// taken on could wait for the memory that the caller holds.
Result<Done> over_parts(const Parts& parts, std::uint64_t apart,
                        const std::function<Result<Done>(std::uint32_t, std::uint32_t)>& work) {
  const std::uint32_t step = std::max<std::uint32_t>(1, parts.frames_a_part(apart));
  const std::uint32_t count = (parts.frames() + step - 1) / step;
  std::vector<std::optional<Failure>> failures(count);
  const auto one = [&](std::uint32_t i) {
    if (auto done = work(i * step, std::min(step, parts.frames() - i * step)); !done) failures[i] = done.error();
  };
  if (count == 1) {
    one(0);
  } else {
    oneapi::tbb::this_task_arena::isolate([&] { oneapi::tbb::parallel_for(std::uint32_t{0}, count, one); });
  }
  const auto first = std::find_if(failures.begin(), failures.end(), [](const auto& f) { return f.has_value(); });
  if (first != failures.end()) return **first;
  return Done{};
}

}  // namespace

Result<Encoded> Converter::encode(const pixel::PixelData& data, const std::string& syntax) const {
  const auto parts = Parts::of(data);
  if (!parts) return parts.error();
  const auto encode_part = [&](std::uint32_t first, std::uint32_t count) {
    const Part part = parts->part(first, count);
    auto encoded = codecs_.encode(part.data, syntax);
    if (encoded && encoded->frames.size() != count)
      return Result<Encoded>(Failure{Fault::mismatch, "the number of frames changed"});
    return encoded;
  };
  if (parts->frames_a_part(apart_ / 8) >= parts->frames()) return encode_part(0, parts->frames());
  Encoded out;
  out.frames.resize(parts->frames());
  const auto held = std::make_shared<std::vector<io::Scratch>>(parts->frames());  // the first of each part is used
  out.memory = held;
  const auto done = over_parts(*parts, apart_ / 8, [&](std::uint32_t first, std::uint32_t count) -> Result<Done> {
    const auto encoded = encode_part(first, count);
    if (!encoded) return encoded.error();
    std::size_t size = 0;
    for (const ByteView frame : encoded->frames) size += frame.size();
    const auto room = (*held)[first].room(size);
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      const ByteView frame = encoded->frames[i];
      if (!frame.empty()) std::memcpy(room.data() + at, frame.data(), frame.size());
      out.frames[first + i] = room.subspan(at, frame.size());
      at += frame.size();
    }
    if (first != 0) return Done{};
    out.photometric = encoded->photometric;
    out.samples = encoded->samples;
    return Done{};
  });
  if (!done) return done.error();
  return out;
}

Result<std::string> Converter::compare(const pixel::PixelData& source, const pixel::PixelData& written) const {
  const auto left = Parts::of(source);
  const auto right = Parts::of(written);
  if (!left) return left.error();
  if (!right) return right.error();
  if (left->frames() != right->frames()) return Failure{Fault::mismatch, "the number of frames differs"};
  std::string by;
  const auto done = over_parts(*left, apart_ / 8, [&](std::uint32_t first, std::uint32_t count) -> Result<Done> {
    const Part a = left->part(first, count);
    const Part b = right->part(first, count);
    auto same = codecs_.compare(a.data, b.data);
    if (!same) return same.error();
    if (first == 0) by = *std::move(same);
    return Done{};
  });
  if (!done) return done.error();
  return by;
}

Result<std::string> Converter::same_pixels(const dicom::File& source, const dicom::File& written) const {
  auto before = inspect::pixel_data_of(source);
  const auto after = inspect::pixel_data_of(written);
  if (before.has_value() != after.has_value()) return Failure{Fault::mismatch, "pixel data is there only once"};
  if (!before) return std::string("no pixels");
  const std::string truth = inspect::syntax_of_codestreams(*before);
  std::vector<manifest::Finding> findings;
  const bool native = !before->encapsulated && !after->encapsulated;
  if (native && before->big_endian == after->big_endian && before->info.pixel_words == after->info.pixel_words &&
      std::ranges::equal(before->value, after->value))
    return std::string("same bytes");
  if (before->encapsulated && after->encapsulated &&
      (after->transfer_syntax == before->transfer_syntax || after->transfer_syntax == truth)) {
    const auto left = pixel::digest_codestreams(*before, findings);
    const auto right = pixel::digest_codestreams(*after, findings);
    if (left && right && *left == *right) return std::string("codestream");
  }
  before->transfer_syntax = truth;
  if (!is_lossless(truth) || !is_lossless(written.transfer_syntax))
    return Failure{Fault::mismatch, "CSTR of the written file differs from the source's"};
  return compare(*before, *after);
}

Result<Converter::Proof> Converter::prove(const dicom::File& source, ByteView written,
                                          const Converted& converted) const {
  const auto file = dicom::parse_file(written);
  if (!file) return file.error();
  const auto digest = dicom::dataset_digest(file->dataset);
  if (converted.changed) {
    if (auto done = holds(file->dataset, converted.changes); !done) return done.error();
  }
  if (converted.changed || converted.icons) {
    if (auto done = undoes(source, *file, converted); !done) return done.error();
  } else if (digest != dicom::dataset_digest(source.dataset)) {
    return Failure{Fault::mismatch, "DS1 of the written file differs from the source's"};
  }
  if (converted.icons) {
    if (auto done = same_icons(source, *file, codecs_); !done) return done.error();
  }
  auto verified_by = same_pixels(source, *file);
  if (!verified_by) return verified_by.error();
  return Proof{digest.hex(), *std::move(verified_by)};
}

}  // namespace waybill::transcode
