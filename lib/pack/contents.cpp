// SPDX-License-Identifier: Apache-2.0
#include "pack/contents.hpp"

#include "core/bytes.hpp"

namespace waybill::pack {

namespace {

std::string key_of(const std::string& sha256) { return std::string(as_text(from_hex(sha256))); }

}  // namespace

std::optional<manifest::Place> Contents::find(const std::string& sha256) const {
  const std::lock_guard lock(mutex_);
  const auto value = store_.get(key_of(sha256));
  if (!value) return std::nullopt;
  const ByteView bytes = as_bytes(*value);
  return manifest::Place{value->substr(24), load_u64(bytes.data()), load_u64(bytes.data() + 8),
                         load_u64(bytes.data() + 16), sha256};
}

bool Contents::put(const manifest::Place& place) {
  if (find(place.sha256)) return false;
  Bytes value;
  for (const std::uint64_t number : {place.offset, place.length, place.size}) put_u64(value, number);
  put_bytes(value, as_bytes(place.volume));
  const std::lock_guard lock(mutex_);
  store_.put(key_of(place.sha256), as_text(value));
  return true;
}

}  // namespace waybill::pack
