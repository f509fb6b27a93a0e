// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/descriptor.hpp"
#include "manifest/envelope.hpp"
#include "manifest/frame.hpp"
#include "manifest/mark.hpp"
#include "manifest/reader.hpp"
#include "manifest/signature.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::manifest {

/// Walks the frames of a manifest and proves each: checksum, block line, order, and behind the end the seal and table.
///
/// Damage throws RunError(Exit::integrity) naming file, frame and offset. What may be a torn tail (behind the mark, or
/// without a mark an incomplete last frame) ends the walk with torn() instead.
class Chain {
 public:
  /// Takes the descriptor, standing at the first byte. `mark` is the sidecar's content if there is one.
  Chain(io::Descriptor fd, std::filesystem::path path, std::optional<Mark> mark);

  /// The lines of the next frame without block, end and signature lines; the first frame still has its header line.
  /// nullopt when the manifest ends. The view is valid until the next call.
  [[nodiscard]] std::optional<std::string_view> next();

  [[nodiscard]] bool complete() const noexcept { return complete_; }
  [[nodiscard]] bool torn() const noexcept { return torn_bytes_ > 0; }
  /// The file's last bytes that belong to no proved frame: first offset and number.
  [[nodiscard]] std::uint64_t torn_bytes() const noexcept { return torn_bytes_; }
  [[nodiscard]] const std::optional<End>& end() const noexcept { return end_; }
  /// Records the end line states.
  [[nodiscard]] std::uint64_t stated_records() const noexcept { return stated_records_; }
  [[nodiscard]] const std::vector<Signature>& signatures() const noexcept { return signatures_; }

  /// The key the file is sealed with; nullptr for a plain one. Offsets here are those of the plain manifest.
  [[nodiscard]] Envelope* envelope() noexcept { return input_.sealed() ? &input_.envelope() : nullptr; }

  /// State behind the last proved frame.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  [[nodiscard]] const std::vector<FrameSize>& frames() const noexcept { return frames_; }
  [[nodiscard]] const Digest& last() const noexcept { return last_; }
  /// SHA-256 of the last frame that is no signature: signing does not change what other manifests refer to.
  [[nodiscard]] const Digest& head() const noexcept { return head_; }

 private:
  bool fill(std::size_t wanted);
  [[nodiscard]] ByteView pending() const noexcept { return ByteView(buffer_).subspan(start_); }
  bool take_frame();
  bool check_content(std::string_view content);
  bool read_end(std::string_view line);
  bool read_signature(std::string_view line);
  bool finish_trailer();
  bool stop_at_damage(const std::string& what, bool incomplete);
  void check_mark();
  [[nodiscard]] bool frame_follows() const;
  void roll_back_end();
  [[noreturn]] void fail(const std::string& what) const;

  PlainInput input_;
  std::filesystem::path path_;
  std::optional<Mark> mark_;
  Bytes buffer_;  // bytes read and not yet taken start at start_
  std::size_t start_ = 0;
  bool eof_ = false;
  bool done_ = false;
  bool complete_ = false;
  bool mark_passed_ = false;
  std::uint64_t offset_ = 0;
  std::uint64_t torn_bytes_ = 0;
  std::vector<FrameSize> frames_;
  Digest last_;
  Digest head_;
  std::string content_;     // the current frame's lines
  std::string_view lines_;  // the part of content_ to hand out
  std::optional<End> end_;
  std::size_t end_frame_ = 0;     // number of the end frame
  std::uint64_t end_offset_ = 0;  // its offset
  Digest before_end_;             // hash of the frame before it
  std::uint64_t stated_records_ = 0;
  std::vector<Signature> signatures_;
};

/// The chain of a manifest file with its mark; "-" is standard input. Throws RunError(Exit::input) when it cannot be
/// read.
[[nodiscard]] Chain open_chain(const std::filesystem::path& path);

}  // namespace waybill::manifest
