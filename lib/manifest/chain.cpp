// SPDX-License-Identifier: Apache-2.0
#include "manifest/chain.hpp"

#include "core/text.hpp"
#include "manifest/header.hpp"
#include "manifest/json_reader.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace waybill::manifest {
namespace {

constexpr std::size_t kReadBytes = 1U << 18U;
constexpr std::string_view kMagicBytes = "\x28\xB5\x2F\xFD";

std::string name_of(const std::filesystem::path& path) {
  return path == "-" ? "standard input" : path_to_text(path.native());
}

}  // namespace

Chain open_chain(const std::filesystem::path& path) {
  if (path == "-") {
    io::Descriptor fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd) io::throw_errno("read", "standard input", errno);
    return {std::move(fd), path, std::nullopt};
  }
  auto mark = read_mark(path);  // before the file: a mark never names more than is there
  io::Descriptor fd = io::open_file(path, O_RDONLY);
  if (!fd) io::throw_errno("open manifest", path, errno);
  return {std::move(fd), path, std::move(mark)};
}

Chain::Chain(io::Descriptor fd, std::filesystem::path path, std::optional<Mark> mark)
    : input_(std::move(fd), path), path_(std::move(path)), mark_(std::move(mark)) {}

/// Reads until `wanted` bytes are pending; false when the file ends before.
bool Chain::fill(std::size_t wanted) {
  while (pending().size() < wanted && !eof_) {
    if (start_ > 0 && start_ >= buffer_.size() / 2) {
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
      start_ = 0;
    }
    const std::size_t had = buffer_.size();
    buffer_.resize(had + kReadBytes);
    const std::size_t n = input_.read(std::span(buffer_).subspan(had));
    buffer_.resize(had + n);
    eof_ = n == 0;
  }
  return pending().size() >= wanted;
}

void Chain::fail(const std::string& what) const {
  throw RunError(Exit::integrity, "manifest " + name_of(path_) + " is damaged at frame " +
                                      std::to_string(frames_.size()) + " (byte " + std::to_string(offset_) +
                                      "): " + what + "; keep it as it is and go on from a good copy");
}

/// Whether a whole block frame or a seal stands anywhere in the pending bytes: then what is before it was no torn tail.
bool Chain::frame_follows() const {
  constexpr std::string_view kSealStart("\x5D\x2A\x4D\x18\x28\0\0\0waybill1", 16);
  const std::string_view text = as_text(pending());
  if (text.find(kSealStart) != std::string_view::npos) return true;
  for (std::size_t at = text.find(kMagicBytes, 1); at != std::string_view::npos; at = text.find(kMagicBytes, at + 1)) {
    const ByteView rest = pending().subspan(at);
    const Extent extent = measure_frame(rest);
    if (extent.shape != Shape::frame) continue;
    const auto content = decode_frame(rest.first(extent.compressed));
    if (content && kind_of(*content) == "block") return true;
  }
  return false;
}

void Chain::roll_back_end() {
  frames_.resize(end_frame_);
  offset_ = end_offset_;
  last_ = head_ = before_end_;
  end_.reset();
  signatures_.clear();
}

/// Decides what damage means: a torn tail that ends the walk (false) or an error.
bool Chain::stop_at_damage(const std::string& what, bool incomplete) {
  const std::uint64_t damage = offset_;
  const std::uint64_t cut = end_ ? end_offset_ : offset_;  // an end without its table was never confirmed
  const auto follows = [&] { return input_.damage() ? input_.record_follows() : frame_follows(); };
  if (mark_ ? cut < mark_->offset : !incomplete || end_ || follows()) fail(what);
  std::uint64_t rest = pending().size() + (damage - cut);
  start_ = buffer_.size();
  while (fill(1)) {
    rest += pending().size();
    start_ = buffer_.size();
  }
  if (input_.damage()) rest += input_.rest();
  if (end_) roll_back_end();
  torn_bytes_ = rest;
  done_ = true;
  return false;
}

void Chain::check_mark() {
  if (!mark_ || offset_ < mark_->offset) return;
  if (offset_ == mark_->offset) {
    if (frames_.size() != mark_->frames || last_.hex() != mark_->head) fail("it is not what its mark file confirms");
    mark_passed_ = true;
  }
  if (!mark_passed_) fail("its mark file names an offset inside a frame");
}

bool Chain::finish_trailer() {
  const Bytes expected = render_trailer(frames_, last_);
  const bool enough = fill(expected.size());
  const ByteView found = pending().first(std::min(expected.size(), pending().size()));
  if (!std::equal(found.begin(), found.end(), expected.begin()))
    return stop_at_damage("seal or frame table differ from the frames", false);
  if (!enough) return stop_at_damage("seal and frame table end early", true);
  if (fill(expected.size() + 1) || input_.damage()) return stop_at_damage("bytes follow the frame table", false);
  complete_ = true;
  done_ = true;
  return false;
}

/// Takes the next frame into content_ and lines_; false at the end of the walk.
bool Chain::take_frame() {
  if (!fill(1)) {
    if (input_.damage()) return stop_at_damage(input_.damage()->what, input_.damage()->incomplete);
    if (mark_ && offset_ < mark_->offset) fail("it is shorter than its mark file confirms");
    if (end_) return stop_at_damage("seal and frame table are missing", true);
    done_ = true;
    return false;
  }
  Extent extent = measure_frame(pending());
  while (extent.shape == Shape::incomplete && fill(pending().size() + 1)) extent = measure_frame(pending());
  if (extent.shape == Shape::skippable && end_) return finish_trailer();
  if (extent.shape == Shape::incomplete) return stop_at_damage("the frame is incomplete", true);
  if (extent.shape != Shape::frame) {
    if (offset_ == 0 && !mark_) {
      throw RunError(Exit::input,
                     name_of(path_) + " is no manifest: it does not begin with a zstd frame; name a manifest file");
    }
    return stop_at_damage("no frame begins there", false);
  }
  const ByteView frame = pending().first(extent.compressed);
  auto content = decode_frame(frame);
  if (!content) return stop_at_damage("the frame's checksum or size is wrong", false);
  content_ = std::move(*content);
  if (!check_content(content_)) return false;
  last_ = Sha256::of(frame);
  if (signatures_.empty()) head_ = last_;
  frames_.push_back({static_cast<std::uint32_t>(extent.compressed), static_cast<std::uint32_t>(content_.size())});
  offset_ += extent.compressed;
  start_ += extent.compressed;
  check_mark();
  return true;
}

bool Chain::check_content(std::string_view content) {
  if (content.empty() || content.back() != '\n')
    return stop_at_damage("the frame does not end with a line feed", false);
  lines_ = content;
  if (frames_.empty()) return true;
  const std::string block = block_line(frames_.size(), last_) + "\n";
  if (!content.starts_with(block)) return stop_at_damage("its block line does not name the frame before it", false);
  lines_.remove_prefix(block.size());
  const std::string_view kind = kind_of(lines_);
  const bool closing = kind == "end" || kind == "signature";
  if (!closing && end_) return stop_at_damage("records follow the end line", false);
  if (!closing) return true;
  const std::string_view line = lines_.substr(0, lines_.size() - 1);
  lines_ = {};
  if (line.find('\n') != std::string_view::npos) return stop_at_damage("lines follow the end or signature line", false);
  return kind == "end" ? read_end(line) : read_signature(line);
}

bool Chain::read_end(std::string_view line) {
  if (end_) return stop_at_damage("a second end line", false);
  try {
    simdjson::dom::parser parser;
    const auto j = detail::parse_object(parser, line);
    if (detail::need<std::string>(j, "prev") != last_.hex())
      return stop_at_damage("its end line names another frame", false);
    stated_records_ = detail::need<std::uint64_t>(j, "records");
    End end{detail::need<std::string>(j, "state"), simdjson::minify(detail::need<detail::JsonObject>(j, "counts")),
            read_inputs(j)};
    end_frame_ = frames_.size();
    end_offset_ = offset_;
    before_end_ = last_;
    end_ = std::move(end);
    return true;
  } catch (const RunError&) {
    return stop_at_damage("its end line cannot be read", false);
  }
}

bool Chain::read_signature(std::string_view line) {
  if (!end_) return stop_at_damage("a signature before the end line", false);
  try {
    simdjson::dom::parser parser;
    const auto j = detail::parse_object(parser, line);
    if (detail::need<std::string>(j, "algorithm") != "ed25519")
      return stop_at_damage("a signature of unknown algorithm", false);
    Signature signature{detail::need<std::string>(j, "key"), detail::need<std::string>(j, "value"), last_.hex()};
    if (const auto tree = detail::find<detail::JsonObject>(j, "tree")) {
      signature.tree = TreeSeal{detail::need<std::uint64_t>(*tree, "leaves"), detail::need<std::string>(*tree, "root"),
                                detail::need<std::string>(*tree, "value")};
    }
    signatures_.push_back(std::move(signature));
    return true;
  } catch (const RunError&) {
    return stop_at_damage("its signature line cannot be read", false);
  }
}

std::optional<std::string_view> Chain::next() {
  if (done_ || !take_frame()) return std::nullopt;
  return lines_;
}

}  // namespace waybill::manifest
