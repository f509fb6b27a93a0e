// SPDX-License-Identifier: Apache-2.0
#include "pixel/j2k_packet.hpp"

#include <algorithm>
#include <bit>

namespace waybill::pixel::j2k {
namespace {

/// Bits of a packet header; behind a byte FF comes one that begins with a zero bit (T.800 B.10.1).
class HeaderBits {
 public:
  explicit HeaderBits(Bytes& out) : out_(out) {}
  void put(std::uint32_t value, unsigned count) {
    while (count-- > 0) {
      held_ = held_ << 1U | (value >> count & 1U);
      if (++filled_ == room_) leave();
    }
  }
  /// Fills up the last byte; a header does not end in FF.
  void finish() {
    if (filled_ > 0) {
      held_ <<= room_ - filled_;
      leave();
    }
    if (room_ == 7) leave();
  }

 private:
  void leave() {
    out_.push_back(static_cast<std::byte>(held_));
    room_ = held_ == 0xFF ? 7 : 8;
    held_ = filled_ = 0;
  }
  Bytes& out_;
  unsigned held_ = 0, filled_ = 0, room_ = 8;
};

/// A tag tree (T.800 B.10.2): numbers of which neighbours share what they have in common.
class TagTree {
 public:
  TagTree(std::uint32_t width, std::uint32_t height, const std::vector<std::uint32_t>& leaves) {
    floors_.push_back({width, height, leaves, {}, {}});
    while (floors_.back().values.size() > 1) floors_.push_back(above(floors_.back()));
    for (Floor& floor : floors_) {
      floor.least.assign(floor.values.size(), 0);
      floor.told.assign(floor.values.size(), false);
    }
  }
  /// Tells a leaf, or that it is not below `limit`: a zero for each step up, and a one where it is reached.
  void tell(std::uint32_t x, std::uint32_t y, std::uint32_t limit, HeaderBits& out) {
    std::uint32_t least = 0;
    for (std::size_t i = floors_.size(); i-- > 0;) {
      Floor& floor = floors_[i];
      const std::size_t at = std::size_t{y >> i} * floor.width + (x >> i);
      least = std::max(least, floor.least[at]);
      for (; least < limit && least < floor.values[at]; ++least) out.put(0, 1);
      if (least < limit && !floor.told[at]) {
        out.put(1, 1);
        floor.told[at] = true;
      }
      floor.least[at] = least;
    }
  }

 private:
  struct Floor {
    std::uint32_t width, height;
    std::vector<std::uint32_t> values, least;  ///< the least is what has been told so far
    std::vector<bool> told;
  };
  /// The least of four.
  static Floor above(const Floor& floor) {
    Floor out{(floor.width + 1) / 2, (floor.height + 1) / 2, {}, {}, {}};
    out.values.assign(std::size_t{out.width} * out.height, ~0U);
    for (std::uint32_t y = 0; y < floor.height; ++y) {
      for (std::uint32_t x = 0; x < floor.width; ++x) {
        std::uint32_t& least = out.values[std::size_t{y / 2} * out.width + x / 2];
        least = std::min(least, floor.values[std::size_t{y} * floor.width + x]);
      }
    }
    return out;
  }
  std::vector<Floor> floors_;
};

/// The number of coding passes (T.800 table B.4).
void put_passes(unsigned n, HeaderBits& out) {
  if (n == 1)
    out.put(0, 1);
  else if (n == 2)
    out.put(2, 2);
  else if (n <= 5)
    out.put(3U << 2U | (n - 3), 4);
  else if (n <= 36)
    out.put(15U << 5U | (n - 6), 9);
  else
    out.put(511U << 7U | (n - 37), 16);
}

/// The length in as many bits as three and the whole part of the passes' logarithm make, or more, told first.
void put_length(std::size_t length, unsigned passes, HeaderBits& out) {
  const unsigned given = 3 + static_cast<unsigned>(std::bit_width(passes)) - 1;
  const auto needed = static_cast<unsigned>(std::bit_width(length));
  for (unsigned more = given; more < needed; ++more) out.put(1, 1);
  out.put(0, 1);
  out.put(static_cast<std::uint32_t>(length), std::max(given, needed));
}

}  // namespace

void put_packet(const std::vector<PrecinctBand>& bands, Bytes& out) {
  const auto each = [](const PrecinctBand& band, const auto& visit) {
    for (std::uint32_t y = 0; y < band.height; ++y) {
      for (std::uint32_t x = 0; x < band.width; ++x)
        visit(x, y, (*band.all)[std::size_t{band.top + y} * band.across + band.left + x]);
    }
  };
  HeaderBits header(out);
  header.put(1, 1);
  for (const PrecinctBand& band : bands) {
    std::vector<std::uint32_t> layers, zeros;
    each(band, [&](std::uint32_t, std::uint32_t, const CodeBlock& block) {
      layers.push_back(block.passes == 0 ? 1 : 0);
      zeros.push_back(band.most_planes - (block.passes + 2U) / 3);
    });
    if (layers.empty()) continue;
    TagTree inclusion(band.width, band.height, layers);
    TagTree missing(band.width, band.height, zeros);
    each(band, [&](std::uint32_t x, std::uint32_t y, const CodeBlock& block) {
      inclusion.tell(x, y, 1, header);
      if (block.passes == 0) return;
      missing.tell(x, y, ~0U, header);
      put_passes(block.passes, header);
      put_length(block.data.size(), block.passes, header);
    });
  }
  header.finish();
  for (const PrecinctBand& band : bands) {
    each(band, [&](std::uint32_t, std::uint32_t, CodeBlock& block) {
      put_bytes(out, block.data);
      Bytes().swap(block.data);
    });
  }
}

}  // namespace waybill::pixel::j2k
