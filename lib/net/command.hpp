// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::net {

/// Elements of group 0000 (PS3.7 E.1).
namespace field {
inline constexpr std::uint16_t kAffectedClass = 0x0002;
inline constexpr std::uint16_t kRequestedClass = 0x0003;
inline constexpr std::uint16_t kCommand = 0x0100;
inline constexpr std::uint16_t kMessageId = 0x0110;
inline constexpr std::uint16_t kRespondedTo = 0x0120;
inline constexpr std::uint16_t kMoveDestination = 0x0600;
inline constexpr std::uint16_t kPriority = 0x0700;
inline constexpr std::uint16_t kDataSetType = 0x0800;
inline constexpr std::uint16_t kStatus = 0x0900;
inline constexpr std::uint16_t kOffending = 0x0901;
inline constexpr std::uint16_t kErrorComment = 0x0902;
inline constexpr std::uint16_t kAffectedInstance = 0x1000;
inline constexpr std::uint16_t kRequestedInstance = 0x1001;
inline constexpr std::uint16_t kEventType = 0x1002;
inline constexpr std::uint16_t kActionType = 0x1008;
inline constexpr std::uint16_t kRemaining = 0x1020;
inline constexpr std::uint16_t kCompleted = 0x1021;
inline constexpr std::uint16_t kFailed = 0x1022;
inline constexpr std::uint16_t kWarning = 0x1023;
}  // namespace field

/// Values of (0000,0100).
enum class Verb : std::uint16_t {
  store = 0x0001,
  get = 0x0010,
  find = 0x0020,
  move = 0x0021,
  echo = 0x0030,
  event = 0x0100,
  action = 0x0130,
  cancel = 0x0FFF,
};
inline constexpr std::uint16_t kResponse = 0x8000;
inline constexpr std::uint16_t kNoDataSet = 0x0101;
inline constexpr std::uint16_t kDataSetFollows = 0x0000;

/// A DIMSE command set: always Implicit VR Little Endian (PS3.7 6.3.1), so it needs no dictionary.
class Command {
 public:
  /// A command with its type and whether a dataset follows.
  [[nodiscard]] static Command make(std::uint16_t type, bool data_follows);
  /// Fault::malformed when lengths do not fit; at most 64 KiB are looked at. What stands behind the group length is
  /// not: Orthanc puts the list of failed objects of a C-GET there.
  [[nodiscard]] static Result<Command> parse(ByteView bytes);
  /// The elements in order with the group length in front.
  [[nodiscard]] Bytes encode() const;

  Command& set(std::uint16_t element, std::uint16_t number);
  Command& set(std::uint16_t element, std::string_view uid);
  [[nodiscard]] std::uint16_t number(std::uint16_t element, std::uint16_t otherwise = 0) const;
  /// Without padding; empty when absent.
  [[nodiscard]] std::string text(std::uint16_t element) const;
  /// The tags of an AT element; empty when absent.
  [[nodiscard]] std::vector<std::uint32_t> tags(std::uint16_t element) const;
  [[nodiscard]] bool has(std::uint16_t element) const { return elements_.contains(element); }
  [[nodiscard]] bool data_follows() const { return number(field::kDataSetType, kNoDataSet) != kNoDataSet; }

 private:
  std::map<std::uint16_t, Bytes> elements_;
};

}  // namespace waybill::net
