// SPDX-License-Identifier: Apache-2.0
#include "transcode/buffers.hpp"

#include "io/scratch.hpp"

#include <functional>

namespace waybill::transcode {

namespace {

// Most objects are smaller; pages given back are cleared and mapped anew for the next, one by one, which takes as long
// as a codec does.
constexpr std::size_t kKept = std::size_t{48} << 20U;

}  // namespace

class Buffers::Lent : public Buffer {
 public:
  explicit Lent(Buffers& of) noexcept : of_(of) {}
  ~Lent() override {
    if (shared_ == nullptr) return;
    shared_->region.release(kKept);
    const std::lock_guard lock(of_.mutex_);
    shared_->lent = false;
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

  std::span<std::byte> room(std::size_t size) override {
    if (shared_ == nullptr) shared_ = &of_.pick(size);
    const auto tell = [&](ByteView mapped) {
      const std::lock_guard lock(of_.mutex_);
      shared_->mapped = mapped;
    };
    if (size > shared_->region.mapped().size()) tell({});  // another's bytes may come to stand there
    const auto room = shared_->region.room(size);          // may clear megabytes, so without the lock
    tell(shared_->region.mapped());
    if (!room.empty()) return room;
    // A limit on the size of files holds for shared memory too; from here the bytes are copied to the codecs.
    return own_.room(size);
  }

 private:
  Buffers& of_;
  Shared* shared_ = nullptr;
  io::Scratch own_;
};

std::unique_ptr<Buffer> Buffers::lend() { return std::make_unique<Lent>(*this); }

/// One that nobody has, of the size that suits best, so that few of them are large: the smallest that is large enough,
/// else the largest.
Buffers::Shared& Buffers::pick(std::size_t size) {
  const std::lock_guard lock(mutex_);
  Shared* best = nullptr;
  for (Shared& one : all_) {
    if (one.lent) continue;
    const std::size_t has = one.mapped.size(), had = best == nullptr ? 0 : best->mapped.size();
    if (best == nullptr || (has >= size ? had < size || has < had : had < size && has > had)) best = &one;
  }
  if (best == nullptr) best = &all_.emplace_back(Shared{Region::create("waybill-object"), {}, false});
  best->lent = true;
  return *best;
}

std::optional<Place> Buffers::find(ByteView bytes) const {
  if (bytes.empty()) return std::nullopt;
  const std::less_equal<const std::byte*> before;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const ByteView mapped = all_[i].mapped;
    if (mapped.empty() || !before(mapped.data(), bytes.data()) ||
        !before(bytes.data() + bytes.size(), mapped.data() + mapped.size()))
      continue;
    return Place{static_cast<std::uint32_t>(i), static_cast<std::uint64_t>(bytes.data() - mapped.data()), bytes.size()};
  }
  return std::nullopt;
}

std::vector<int> Buffers::since(std::size_t known) const {
  const std::lock_guard lock(mutex_);
  std::vector<int> out;
  for (std::size_t i = known; i < all_.size(); ++i) out.push_back(all_[i].region.fd());
  return out;
}

}  // namespace waybill::transcode
