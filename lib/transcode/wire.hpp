// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/buffers.hpp"
#include "transcode/codecs.hpp"

#include <cstddef>
#include <functional>

/// What a codec process and its owner say to each other. Both map two memory files, one a direction, and the buffers
/// that objects are read into; over a socket go the length of a message and the descriptors of new buffers. One
/// machine, one build: integers are as they are in memory.
namespace waybill::transcode {

/// Where bytes stand in a buffer that both sides have; nullopt when they are in none.
using Finder = std::function<std::optional<Place>(ByteView)>;
/// The bytes at a place; empty when there are none.
using Viewer = std::function<ByteView(const Place&)>;

/// encode() with `syntax`, or compare() when there is `written`.
struct Request {
  pixel::PixelData source;
  std::optional<pixel::PixelData> written;
  std::string syntax;
  std::uint64_t memory = 0;   ///< bytes of address space beyond what the process has
  std::uint64_t seconds = 0;  ///< of processor time
};

/// Puts a message into the region and gives its size; 0 when there is no memory for it.
[[nodiscard]] std::size_t put(Region& region, const Request& request, const Finder& find);
[[nodiscard]] std::size_t put(Region& region, const Result<Encoded>& answer);
[[nodiscard]] std::size_t put(Region& region, const Result<std::string>& answer);

/// Reads a message, whose bytes the frames of what is read stay in. What makes no sense is a Failure.
[[nodiscard]] Result<Request> get_request(ByteView message, const Viewer& view);
[[nodiscard]] Result<Encoded> get_encoded(ByteView message);
[[nodiscard]] Result<std::string> get_name(ByteView message);

}  // namespace waybill::transcode
