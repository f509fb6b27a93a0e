// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>
#include <string>

namespace waybill::test {

/// `data` deflated by zlib itself: window -15 is a raw stream (RFC 1951), 15 one with zlib header (RFC 1950).
inline std::string deflated(const std::string& data, int window) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(data.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace waybill::test
