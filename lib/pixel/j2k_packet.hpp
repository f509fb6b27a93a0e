// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pixel/j2k_block.hpp"

#include <cstdint>
#include <vector>

namespace waybill::pixel::j2k {

/// The code-blocks of one subband that belong to one precinct: a part of `all`, whose rows have `across` blocks.
struct PrecinctBand {
  std::vector<CodeBlock>* all;
  std::uint32_t across, left, top, width, height;
  unsigned most_planes;  ///< Mb of T.800 E.1
};

/// Appends a packet of the only layer (T.800 B.9, B.10): header and the blocks' bytes, which are let go.
void put_packet(const std::vector<PrecinctBand>& bands, Bytes& out);

}  // namespace waybill::pixel::j2k
