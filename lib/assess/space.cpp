// SPDX-License-Identifier: Apache-2.0
#include "assess/space.hpp"

#include <algorithm>

namespace waybill::assess {

void Sample::add(const manifest::Object& object) {
  if (!object.transcode || object.transcode->bytes_in == 0 || object.transcode->bytes_out == 0) return;
  const auto& made = *object.transcode;
  const Kind kind = kind_of(object);
  if (kinds.size() >= kMostRows && !kinds.contains(kind)) return;
  Sum& sum = kinds[kind];
  ++sum.objects;
  sum.bytes_in += made.bytes_in;
  sum.bytes_out += made.bytes_out;
  if (made.outcome == "transcoded") targets.insert(made.to);
  if (made.outcome == "kept-source") ++kept;
}

std::uint64_t target_bytes(std::uint64_t source_bytes, const Sample::Sum& sample) {
  if (sample.bytes_in == 0) return source_bytes;
  return static_cast<std::uint64_t>(static_cast<double>(source_bytes) * static_cast<double>(sample.bytes_out) /
                                    static_cast<double>(sample.bytes_in));
}

Space space_of(const Volumes& volumes, const Sample& sample) {
  Space out;
  for (const auto& [kind, amount] : volumes.kinds) {
    const auto at = sample.kinds.find(kind);
    Space::Row row{kind, amount, at == sample.kinds.end() ? Sample::Sum{} : at->second, amount.bytes};
    row.target_bytes = target_bytes(amount.bytes, row.sample);
    out.source_bytes += amount.bytes;
    out.target_bytes += row.target_bytes;
    if (row.sample.objects > 0) out.measured_bytes += amount.bytes;
    if (row.sample.objects > 0 && row.sample.objects < kFewObjects) out.thinly_measured_bytes += amount.bytes;
    out.rows.push_back(std::move(row));
  }
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [](const auto& a, const auto& b) { return a.source.bytes > b.source.bytes; });
  return out;
}

}  // namespace waybill::assess
