// SPDX-License-Identifier: Apache-2.0
#include "transcode/buffers.hpp"

#include "io/scratch.hpp"

#include <functional>

namespace waybill::transcode {

class Buffers::Lent : public Buffer {
 public:
  Lent(Buffers& of, std::size_t number) noexcept : of_(of), number_(number) {}
  ~Lent() override {
    const std::lock_guard lock(of_.mutex_);
    of_.regions_[number_].release();
    of_.free_.push_back(number_);  // room for it was made when the buffer was
  }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;

  std::span<std::byte> room(std::size_t size) override {
    {
      const std::lock_guard lock(of_.mutex_);  // find() looks at where all buffers are
      const auto shared = of_.regions_[number_].room(size);
      if (!shared.empty()) return shared;
    }
    // A limit on the size of files holds for shared memory too; from here the bytes are copied to the codecs.
    return own_.room(size);
  }

 private:
  Buffers& of_;
  std::size_t number_;
  io::Scratch own_;
};

std::unique_ptr<Buffer> Buffers::lend() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) {
    regions_.push_back(Region::create("waybill-object"));
    free_.reserve(regions_.size());
    free_.push_back(regions_.size() - 1);
  }
  const std::size_t number = free_.back();
  auto out = std::make_unique<Lent>(*this, number);
  free_.pop_back();
  return out;
}

std::optional<Place> Buffers::find(ByteView bytes) const {
  if (bytes.empty()) return std::nullopt;
  const std::less_equal<const std::byte*> before;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    const ByteView all = regions_[i].mapped();
    if (all.empty() || !before(all.data(), bytes.data()) ||
        !before(bytes.data() + bytes.size(), all.data() + all.size()))
      continue;
    return Place{static_cast<std::uint32_t>(i), static_cast<std::uint64_t>(bytes.data() - all.data()), bytes.size()};
  }
  return std::nullopt;
}

std::vector<int> Buffers::since(std::size_t known) const {
  const std::lock_guard lock(mutex_);
  std::vector<int> out;
  for (std::size_t i = known; i < regions_.size(); ++i) out.push_back(regions_[i].fd());
  return out;
}

}  // namespace waybill::transcode
