// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Datasets of storage commitment (PS3.4 J.3).
namespace waybill::net {

inline constexpr std::string_view kCommitmentInstance = "1.2.840.10008.1.20.1.1";

struct SopReference {
  std::string sop_class, sop_instance;
  auto operator<=>(const SopReference&) const = default;
};

/// What an archive reports of one transaction, as it says it.
struct CommitmentReport {
  struct Failure {
    SopReference object;
    std::uint16_t reason = 0;  ///< (0008,1197), 0 when there is none
  };
  std::string transaction;
  std::vector<SopReference> committed;
  std::vector<Failure> failed;
};
/// Judges a report; gives the status of the answer, which the archive waits for. Must not throw what it does not mean.
using TakeReport = std::function<std::uint16_t(const CommitmentReport&)>;

/// Statuses of answers to a report (PS3.7 C.4): the archive may try again after the others.
inline constexpr std::uint16_t kTaken = 0x0000;
inline constexpr std::uint16_t kNotTaken = 0x0110;            ///< processing failure
inline constexpr std::uint16_t kUnknownTransaction = 0x0115;  ///< invalid argument value

/// Transaction UID and references of an N-ACTION.
[[nodiscard]] Bytes encode_commitment(const std::string& transaction, const std::vector<SopReference>& objects,
                                      bool explicit_vr);
/// Fault::malformed without a Transaction UID or when it cannot be parsed.
[[nodiscard]] Result<CommitmentReport> parse_commitment(ByteView dataset, std::string_view transfer_syntax);

/// A Failure Reason in words, "0112 no such object instance" (PS3.3 C.14.1.1).
[[nodiscard]] std::string commitment_reason(std::uint16_t reason);

}  // namespace waybill::net
