// SPDX-License-Identifier: Apache-2.0
#include "listen/deframer.hpp"

#include <algorithm>

namespace waybill::listen {
namespace {

constexpr char kBegin = 0x0B, kEnd = 0x1C;
constexpr std::string_view kBegunAnew = "\x0BMSH";

bool blank(char c) noexcept { return c == '\r' || c == '\n' || c == ' ' || c == '\0'; }

}  // namespace

void Deframer::add(std::string_view bytes) {
  size_ += bytes.size();
  const std::size_t limit = size_ > largest_ ? std::min(kKept, largest_) : largest_;
  if (text_.size() > limit) {
    text_.resize(limit);
    text_.shrink_to_fit();
  }
  text_ += bytes.substr(0, limit - text_.size());
}

void Deframer::open(std::vector<Frame>& out) {
  if (size_ > 0) out.push_back({FrameKind::stray, std::move(text_), size_});
  text_.clear();
  size_ = 0;
  inside_ = true;
  ended_ = false;
  matched_ = 0;
}

void Deframer::close(std::vector<Frame>& out) {
  const auto kind = size_ > largest_ ? FrameKind::oversize : FrameKind::whole;
  if (kind == FrameKind::oversize) text_.resize(std::min(text_.size(), kKept));
  out.push_back({kind, std::move(text_), size_});
  text_.clear();
  text_.shrink_to_fit();
  size_ = 0;
  inside_ = ended_ = false;
}

void Deframer::outside(char c, std::vector<Frame>& out) {
  if (c == kBegin) return open(out);
  if (size_ == 0 && (blank(c) || c == kEnd)) return;
  ++size_;
  if (text_.size() < kKept) text_ += c;
}

/// "\x0BMSH" inside a frame: what stood before it is a message whose end was lost.
void Deframer::restart_if_begun_anew(std::vector<Frame>& out) {
  if (matched_ < kBegunAnew.size()) return;
  matched_ = 0;
  if (size_ <= kBegunAnew.size()) return;  // two start blocks: the second is the true one
  const std::uint64_t former = size_ - kBegunAnew.size();
  text_.resize(std::min<std::size_t>(text_.size(), static_cast<std::size_t>(std::min<std::uint64_t>(former, kKept))));
  out.push_back({FrameKind::unended, std::move(text_), former});
  text_ = "MSH";
  size_ = text_.size();
}

void Deframer::feed(std::string_view chunk, std::vector<Frame>& out) {
  for (std::size_t at = 0; at < chunk.size(); ++at) {
    const char c = chunk[at];
    if (!inside_) {
      outside(c, out);
      continue;
    }
    if (ended_) {
      ended_ = false;
      if (c == '\r' || c == '\n') {
        close(out);
        continue;
      }
      if (c == kBegin) {
        close(out);
        open(out);
        continue;
      }
      add({&kEnd, 1});  // a byte of the text
    }
    if (c == kEnd) {
      ended_ = true;
      matched_ = 0;
      continue;
    }
    if (c == kBegin || matched_ > 0) {
      matched_ = c == kBegunAnew[matched_] ? matched_ + 1 : c == kBegin ? 1 : 0;
      add({&c, 1});
      restart_if_begun_anew(out);
      continue;
    }
    std::size_t end = at + 1;
    while (end < chunk.size() && chunk[end] != kEnd && chunk[end] != kBegin) ++end;
    add(chunk.substr(at, end - at));
    at = end - 1;
  }
}

void Deframer::accept_bare_end(std::vector<Frame>& out) {
  if (ends_bare()) close(out);
}

void Deframer::finish(std::vector<Frame>& out) {
  if (ends_bare()) return close(out);
  if (size_ > 0 || inside_) {
    text_.resize(std::min(text_.size(), kKept));
    out.push_back({inside_ ? FrameKind::unended : FrameKind::stray, std::move(text_), size_});
  }
  text_.clear();
  size_ = 0;
  inside_ = ended_ = false;
}

}  // namespace waybill::listen
